//! A TCP proxy on loopback whose line can be cut.
//!
//! ```text
//!   service ──▶ 127.0.0.1:port ─┬─ whole ─▶ target
//!                               └─ cut: what is open is reset, what comes is reset at once and counted
//! ```
//!
//! A client of a line that is cut finds a connection that breaks, and cannot know whether the other end has received
//! what it sent: as with a cable that is pulled. New connections are taken and reset rather than refused, since a
//! refused one is the kernel's affair and could not be counted. So it is also while the target itself is not there.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::{
    io::copy_bidirectional_with_sizes,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::tallies::Tally;

/// Connections of one proxy; one more is reset at once. A service has some twenty, a private server takes 200 in all.
pub const CONNECTIONS_MAX: usize = 256;
/// What is read at a time, in each direction, in bytes.
const BUFFER_BYTES: usize = 16 << 10;
/// Longest time to reach the target.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long to wait after an accept that failed: the process is out of file descriptors, most likely.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// A proxy that listens. Nothing is served before [`Proxy::serve`].
#[derive(Debug)]
pub struct Proxy {
    listener: TcpListener,
    address: SocketAddr,
    target: (String, u16),
    cable: Cable,
}

/// Cuts and heals the line of a proxy. Clones are for the same one.
#[derive(Debug, Clone)]
pub struct Cable {
    state: Arc<watch::Sender<State>>,
    /// Connections that the present cut, or else the last one, has ended or not let begin.
    dropped: Arc<AtomicU64>,
    /// Those of all cuts.
    dropped_so_far: Tally,
    limit: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    cut: Option<Until>,
    /// How often the line was cut. A connection from before does not outlive a cut, however short that was.
    cuts: u64,
}

/// When something that was done for a while ends by itself; without an end it is undone by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Until {
    pub(crate) at: Option<Instant>,
    /// The same in milliseconds since 1970, for people.
    pub(crate) at_ms: Option<u64>,
}

/// A line that is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// When it heals by itself, in milliseconds since 1970; `None` is never.
    pub ends_at_ms: Option<u64>,
    /// Connections that it has ended or not let begin.
    pub dropped: u64,
}

impl Until {
    pub(crate) fn after(time: Option<Duration>) -> Self {
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let at_ms = |time: Duration| u64::try_from((now_ms + time).as_millis()).unwrap_or(u64::MAX);
        Self { at: time.map(|time| Instant::now() + time), at_ms: time.map(at_ms) }
    }

    /// Returns at the end; never if there is none.
    pub(crate) async fn reached(self) {
        match self.at {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    }
}

impl Proxy {
    /// Listens on a port of 127.0.0.1, or on a free one for 0, for connections to `target`.
    pub async fn bind(port: u16, target: (String, u16)) -> io::Result<Self> {
        Self::bind_limited(port, target, CONNECTIONS_MAX).await
    }

    /// As [`Proxy::bind`], with another limit than [`CONNECTIONS_MAX`].
    pub async fn bind_limited(port: u16, target: (String, u16), limit: usize) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(watch::Sender::new(State::default()));
        Ok(Self {
            listener,
            address,
            target,
            cable: Cable { state, dropped: Arc::default(), dropped_so_far: Tally::default(), limit },
        })
    }

    /// Goes on counting there what all cuts have cost.
    pub(crate) fn counted_by(mut self, dropped_so_far: Tally) -> Self {
        self.cable.dropped_so_far = dropped_so_far;
        self
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the line is cut with.
    pub fn cable(&self) -> Cable {
        self.cable.clone()
    }

    /// Serves until the future is dropped; open connections end with it.
    pub async fn serve(self) {
        let target = Arc::new(self.target);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => match self.cable.admit(&connections) {
                        Some(cuts) => drop(connections.spawn(connection(
                            stream, Arc::clone(&target), self.cable.clone(), cuts,
                        ))),
                        None => reset(&stream),
                    },
                    Err(error) => {
                        tracing::warn!(%error, "a connection to a proxy could not be accepted");
                        sleep(ACCEPT_BACKOFF).await;
                    }
                },
                Some(ended) = connections.join_next() => {
                    if let Err(error) = ended && error.is_panic() {
                        tracing::error!(%error, "a connection's task in a proxy died");
                    }
                }
                () = self.cable.ends() => self.cable.heal_if_over(),
            }
        }
    }
}

impl Cable {
    /// Cuts the line, for a while or until [`Cable::heal`]. One that is cut already is cut for so long from now.
    pub fn cut(&self, time: Option<Duration>) {
        self.state.send_modify(|state| {
            if state.cut.is_none() {
                state.cuts += 1;
                self.dropped.store(0, Relaxed);
            }
            state.cut = Some(Until::after(time));
        });
    }

    /// Mends the line; returns whether it was cut.
    pub fn heal(&self) -> bool {
        self.state.send_if_modified(|state| state.cut.take().is_some())
    }

    /// Mends the line if its time is up; it may have been cut for longer since.
    fn heal_if_over(&self) {
        let over = |cut: &Until| cut.at.is_some_and(|at| at <= Instant::now());
        self.state.send_if_modified(|state| state.cut.take_if(|cut| over(cut)).is_some());
    }

    /// The cut, if the line is cut now.
    pub fn is_cut(&self) -> Option<Cut> {
        let cut = self.state.borrow().cut;
        cut.map(|until| Cut { ends_at_ms: until.at_ms, dropped: self.dropped.load(Relaxed) })
    }

    /// How many connections all cuts have ended or not let begin.
    pub(crate) fn dropped_so_far(&self) -> u64 {
        self.dropped_so_far.get()
    }

    fn drop_one(&self) {
        self.dropped.fetch_add(1, Relaxed);
        self.dropped_so_far.add();
    }

    /// Under which number of cuts a new connection begins, if it may.
    fn admit<T: 'static>(&self, open: &JoinSet<T>) -> Option<u64> {
        let state = *self.state.borrow();
        if state.cut.is_some() {
            self.drop_one();
            return None;
        }
        if open.len() >= self.limit {
            tracing::warn!(limit = self.limit, "too many connections to a proxy");
            return None;
        }
        Some(state.cuts)
    }

    /// Returns when the cut there is, or one that is made meanwhile, has come to its end.
    async fn ends(&self) {
        let mut changes = self.state.subscribe();
        loop {
            let cut = changes.borrow_and_update().cut;
            tokio::select! {
                () = Until::reached(cut.unwrap_or(Until { at: None, at_ms: None })) => return,
                _ = changes.changed() => {}
            }
        }
    }

    /// Returns when the line has been cut since there were so many cuts.
    async fn cut_since(&self, cuts: u64) {
        // We hold the sender, so that there is no error.
        let _ = self.state.subscribe().wait_for(|state| state.cuts != cuts).await;
    }
}

/// One connection, until both sides have ended it, one breaks, or the line is cut.
async fn connection(mut near: TcpStream, target: Arc<(String, u16)>, cable: Cable, cuts: u64) {
    let mut far = None;
    let copied = tokio::select! {
        biased;
        () = cable.cut_since(cuts) => {
            cable.drop_one();
            Err(io::ErrorKind::ConnectionReset.into())
        }
        copied = copy(&mut near, &mut far, &target) => copied,
    };
    if let Err(error) = copied {
        tracing::debug!(%error, "a connection through a proxy broke");
        reset(&near);
        far.iter().for_each(reset);
    }
}

async fn copy(near: &mut TcpStream, far: &mut Option<TcpStream>, target: &(String, u16)) -> io::Result<()> {
    let (host, port) = target;
    let connected = timeout(CONNECT_MAX, TcpStream::connect((host.as_str(), *port))).await;
    let far = far.insert(connected.unwrap_or_else(|late| Err(late.into()))?);
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    copy_bidirectional_with_sizes(near, far, BUFFER_BYTES, BUFFER_BYTES).await.map(drop)
}

/// Lets a connection break at its end instead of being closed in order.
fn reset(stream: &TcpStream) {
    // Fails for one that is broken already.
    let _ = stream.set_zero_linger();
}
