//! The ports of a cluster, looked at before anything starts.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    io,
    net::{Ipv4Addr, UdpSocket},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{net::TcpSocket, time::sleep};

use crate::spec::{BROKER, POSTGRES};

/// Where ports are chosen: below those that systems hand out for connections and for port 0 (Linux: from 32768).
const CHOSEN_MIN: u16 = 20_000;
const CHOSEN_COUNT: u16 = 12_000;
const ATTEMPTS_MAX: u32 = 1000;
/// How often, and how far apart, the mark of a port of the last time is tried.
const AGAIN_ATTEMPTS: u32 = 5;
const AGAIN_PAUSE: Duration = Duration::from_millis(20);

/// Where each process listens, on 127.0.0.1. Port 0 takes a free one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// The console's HTTP port.
    pub console: u16,
    /// The order service's HTTP port.
    pub orders: u16,
    /// The inventory service's HTTP port.
    pub inventory: u16,
    /// The payment service's HTTP port.
    pub payments: u16,
    /// The payment provider's HTTP port.
    pub provider: u16,
    /// The broker's port.
    pub broker: u16,
    /// The private database server's port.
    pub postgres: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Self {
            console: 3000,
            orders: 3001,
            inventory: 3002,
            payments: 3003,
            provider: 3010,
            broker: 9092,
            // Beside 5432, where one that is installed listens.
            postgres: 5433,
        }
    }
}

/// A port that somebody else listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The process that wants it.
    pub process: &'static str,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (for {})", self.port, self.process)
    }
}

impl Ports {
    /// The port of a process.
    pub fn of(&self, process: &str) -> Option<u16> {
        let mut copy = *self;
        copy.each().into_iter().find(|(name, _)| *name == process).map(|(_, port)| *port)
    }

    /// Whether one of them is this one.
    pub(crate) fn contain(mut self, port: u16) -> bool {
        self.each().into_iter().any(|(_, one)| *one == port)
    }

    /// Each port, under the name of the process that listens on it.
    fn each(&mut self) -> [(&'static str, &mut u16); 7] {
        [
            ("console", &mut self.console),
            ("orders", &mut self.orders),
            ("inventory", &mut self.inventory),
            ("payments", &mut self.payments),
            ("psp", &mut self.provider),
            (BROKER, &mut self.broker),
            (POSTGRES, &mut self.postgres),
        ]
    }

    /// The ports among these that are taken.
    pub(crate) fn taken(mut self, ours: impl Fn(&str) -> bool) -> Vec<Taken> {
        let mut wanted = Vec::new();
        let mut taken = Vec::new();
        for (process, port) in self.each() {
            if ours(process) {
                if (*port != 0 && wanted.contains(port)) || look_at(*port).is_err() {
                    taken.push(Taken { process, port: *port });
                }
                wanted.push(*port);
            }
        }
        taken
    }

    /// Puts a number where a free port may be chosen: for 0, and with `any` where this one is taken. What was chosen
    /// stays so while the marks live.
    pub(crate) async fn settle(mut self, any: bool, ours: impl Fn(&str) -> bool) -> io::Result<(Self, Vec<Reserved>)> {
        let mut marks = Vec::new();
        for (process, port) in self.each() {
            if ours(process) && (*port == 0 || any) {
                let again = if *port == 0 { None } else { Reserved::again(*port).await };
                let reserved = again.map_or_else(Reserved::choose, Ok)?;
                *port = reserved.port;
                marks.push(reserved);
            }
        }
        Ok((self, marks))
    }
}

/// A free port that no other cluster on this machine chooses meanwhile.
///
/// Between the choice and the moment when a process listens, the next one to look would find it free as well; then one
/// of the two fails, or takes the other's process for its own. So the same number is held as a UDP port, which nobody
/// wants, only one can have, and the kernel takes back however we end.
#[derive(Debug)]
pub(crate) struct Reserved {
    pub(crate) port: u16,
    _mark: UdpSocket,
}

impl Reserved {
    pub(crate) fn choose() -> io::Result<Self> {
        // Each attempt somewhere else, so that two who choose at one time rarely meet.
        let somewhere = || u16::try_from(RandomState::new().hash_one(()) % u64::from(CHOSEN_COUNT)).unwrap_or_default();
        let attempts = (0..ATTEMPTS_MAX).map(|_| Self::exactly(CHOSEN_MIN + somewhere()));
        attempts.flatten().next().ok_or_else(|| io::Error::new(io::ErrorKind::AddrInUse, "no free port was found"))
    }

    /// The port of the last time, if it is free.
    ///
    /// Where only the mark is taken, it is looked for a few times more: the one of the last time may not be gone quite
    /// yet (see [`look_at`]).
    pub(crate) async fn again(port: u16) -> Option<Self> {
        for _ in 0..AGAIN_ATTEMPTS {
            match Self::exactly(port) {
                Ok(reserved) => return Some(reserved),
                Err(_) if look_at(port).is_err() => return None,
                Err(_) => sleep(AGAIN_PAUSE).await,
            }
        }
        None
    }

    /// This port, if it is free.
    pub(crate) fn exactly(port: u16) -> io::Result<Self> {
        let mark = UdpSocket::bind((Ipv4Addr::LOCALHOST, port))?;
        look_at(port)?;
        Ok(Self { port, _mark: mark })
    }
}

/// Fails if somebody listens on this port.
///
/// The socket is bound and does not listen. A process that another thread is just starting has a copy of every socket
/// of ours for a moment (between fork and exec); one that listened would make the port look taken to its rightful owner.
fn look_at(port: u16) -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const NONE: Ports = Ports { console: 0, orders: 0, inventory: 0, payments: 0, provider: 0, broker: 0, postgres: 0 };

    #[tokio::test]
    async fn every_taken_port_is_named_and_another_can_be_had() {
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (a, b) = (listen(), listen());
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
        let wanted = Ports { orders: port(&a), broker: port(&b), ..NONE };
        let taken = wanted.taken(|_| true);
        let names: Vec<_> = taken.iter().map(ToString::to_string).collect();
        assert_eq!(names, [format!("{} (for orders)", port(&a)), format!("{} (for broker)", port(&b))]);
        assert_eq!(wanted.taken(|process| process == "console"), []);
        let (settled, marks) = wanted.settle(true, |_| true).await.unwrap();
        assert_eq!(settled.taken(|_| true), []);
        let (other, _) = settled.settle(true, |_| true).await.unwrap();
        assert_ne!(other.console, settled.console, "chosen by somebody else");
        drop(marks);
        let (again, _) = settled.settle(true, |_| true).await.unwrap();
        assert_eq!(again, settled);
    }

    #[test]
    fn one_port_for_two_is_taken() {
        let free = Reserved::choose().unwrap().port;
        let wanted = Ports { console: free, orders: free, ..NONE };
        assert_eq!(wanted.taken(|_| true), [Taken { process: "orders", port: free }]);
    }
}
