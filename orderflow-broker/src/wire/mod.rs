//! Connections: frames in, answers out, one request after the other.
//!
//! ```text
//!   accept ── limit ──▶ connection task
//!                        ├─ read: frame by frame, one ahead, within the memory budget
//!                        └─ handle: decode ▶ handler ▶ encode ▶ write
//! ```
//!
//! Answers leave in the order of the requests, as Kafka promises. What a client sends can end its own connection and
//! nothing else.

mod api;
mod frame;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    task::JoinSet,
};

#[cfg(test)]
pub(crate) use self::api::APIS;
pub(crate) use self::api::dispatch;
use self::frame::Frame;
use crate::State;

/// How long an answer may take to leave before the client is given up.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait after an accept that failed: the process is out of file descriptors, most likely.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);
/// Requests read ahead of the one that is handled.
const READ_AHEAD: usize = 1;

/// What a handler may want to know of the one who asks.
#[derive(Debug)]
pub(crate) struct Client {
    pub peer: SocketAddr,
    /// The address at which the client has reached us.
    pub reached_at: SocketAddr,
    /// What the client is told to use instead.
    pub advertised: Option<(String, u16)>,
    /// The client's name for itself, of the request being handled.
    pub client_id: String,
    closed: watch::Receiver<bool>,
}

impl Client {
    /// One that has gone away already, so that no handler waits for it.
    #[cfg(any(test, feature = "fuzzing"))]
    pub fn nobody() -> Self {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let closed = watch::channel(true).1;
        Self { peer: nowhere, reached_at: nowhere, advertised: None, client_id: String::new(), closed }
    }

    /// Returns when the client has gone away. A handler that waits gives up then.
    pub async fn gone(&self) {
        // An error means that the connection's task has ended, which is the same.
        let _ = self.closed.clone().wait_for(|closed| *closed).await;
    }
}

/// The connection is to be closed, and why.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Close {
    #[error("bad frame: {0}")]
    BadFrame(String),
    #[error("no progress in time")]
    Timeout,
    #[error("a fault was set to close the connection")]
    Fault,
    #[error("a produce request that wants no answer failed: {0}")]
    UnansweredError(String),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Accepts connections until the future is dropped; open connections end with it.
pub(crate) async fn serve(listener: TcpListener, advertised: Option<(String, u16)>, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => match Arc::clone(&state.places).try_acquire_owned() {
                    Ok(place) => {
                        let connection = connection(stream, peer, advertised.clone(), Arc::clone(&state));
                        connections.spawn(async move {
                            connection.await;
                            drop(place);
                        });
                    }
                    Err(_) => tracing::warn!(%peer, limit = state.config.connections_max, "too many connections"),
                },
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_BACKOFF).await;
                }
            },
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended && error.is_panic() {
                    tracing::error!(%error, "a connection's task panicked; its connection is closed");
                }
            }
        }
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, advertised: Option<(String, u16)>, state: Arc<State>) {
    match converse(stream, peer, advertised, &state).await {
        Ok(()) => tracing::debug!(%peer, "the client has closed the connection"),
        Err(Close::Io(error)) => tracing::debug!(%peer, %error, "the connection broke"),
        Err(error) => tracing::warn!(%peer, %error, "the connection is closed"),
    }
}

async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    advertised: Option<(String, u16)>,
    state: &State,
) -> Result<(), Close> {
    stream.set_nodelay(true)?;
    let reached_at = stream.local_addr()?;
    let (read, write) = stream.into_split();
    let (frames, queue) = mpsc::channel(READ_AHEAD);
    let (close, closed) = watch::channel(false);
    let client = Client { peer, reached_at, advertised, client_id: String::new(), closed };
    let handling = handle(queue, write, client, state);
    tokio::pin!(handling);
    let reading = tokio::select! {
        handled = &mut handling => return handled,
        read = read_ahead(read, frames, state) => read,
    };
    // No more requests will come. Those that came are carried out; what waits for others gives up.
    let _ = close.send(true);
    handling.await?;
    reading
}

async fn read_ahead(read: OwnedReadHalf, frames: mpsc::Sender<Frame>, state: &State) -> Result<(), Close> {
    let mut read = BufReader::with_capacity(16 << 10, read);
    while let Some(frame) = frame::read(&mut read, state).await? {
        if frames.send(frame).await.is_err() {
            break; // the handling half has ended and says why
        }
    }
    Ok(())
}

async fn handle(
    mut queue: mpsc::Receiver<Frame>,
    mut write: OwnedWriteHalf,
    mut client: Client,
    state: &State,
) -> Result<(), Close> {
    while let Some(frame) = queue.recv().await {
        let Some(answer) = dispatch(state, &mut client, frame.bytes).await? else { continue };
        let written = tokio::time::timeout(WRITE_TIMEOUT, write.write_all(&answer.frame)).await;
        written.map_err(|_| Close::Timeout)??;
    }
    Ok(())
}
