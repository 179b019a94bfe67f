//! The ports of a cluster, looked at before anything starts.

use std::{
    fmt, io,
    net::{Ipv4Addr, TcpListener},
};

use serde::{Deserialize, Serialize};

use crate::spec::{BROKER, POSTGRES};

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
        // All are held until the last one is tried, so that one port for two processes is found as well.
        let mut held = Vec::new();
        let mut taken = Vec::new();
        for (process, port) in self.each() {
            if ours(process) {
                match bind(*port) {
                    Ok(listener) => held.push(listener),
                    Err(_) => taken.push(Taken { process, port: *port }),
                }
            }
        }
        taken
    }

    /// Puts a number where a free port may be chosen: for 0, and with `any` where these ones are taken.
    pub(crate) fn settle(mut self, any: bool, ours: impl Fn(&str) -> bool) -> io::Result<Self> {
        let mut held = Vec::new();
        for (process, port) in self.each() {
            if !ours(process) {
                continue;
            }
            if *port == 0 || any {
                let listener = bind(*port).or_else(|_| bind(0))?;
                *port = listener.local_addr()?.port();
                held.push(listener);
            }
        }
        Ok(self)
    }
}

fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Ports = Ports { console: 0, orders: 0, inventory: 0, payments: 0, provider: 0, broker: 0, postgres: 0 };

    #[test]
    fn every_taken_port_is_named_and_another_can_be_had() {
        let (a, b) = (bind(0).unwrap(), bind(0).unwrap());
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
        let wanted = Ports { orders: port(&a), broker: port(&b), ..NONE };
        let taken = wanted.taken(|_| true);
        let names: Vec<_> = taken.iter().map(ToString::to_string).collect();
        assert_eq!(names, [format!("{} (for orders)", port(&a)), format!("{} (for broker)", port(&b))]);
        assert_eq!(wanted.taken(|process| process == "console"), []);
        let settled = wanted.settle(true, |_| true).unwrap();
        assert_eq!(settled.taken(|_| true), []);
        let again = settled.settle(true, |_| true).unwrap();
        assert_eq!(again, settled);
    }

    #[test]
    fn one_port_for_two_is_taken() {
        let free = NONE.settle(true, |process| process == "console").unwrap().console;
        let wanted = Ports { console: free, orders: free, ..NONE };
        assert_eq!(wanted.taken(|_| true), [Taken { process: "orders", port: free }]);
    }
}
