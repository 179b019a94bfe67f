//! The control socket: what a supervisor can be asked and told, by whoever may open its file.
//!
//! One JSON document a line in, one out, one of each a connection:
//! ```text
//! {"do":"status"}                                            -> {"is":"status","name":"default",…}
//! {"do":"signal","process":"orders","action":"kill"}         -> {"is":"done"}
//! {"do":"stop"}                                              -> {"is":"done"}; the end of all follows
//! anything else                                              -> {"is":"refused","reason":"…"}
//! ```

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};

use crate::{
    keeper::{Action, Handle, State},
    layout::{ClusterFile, Endpoints, Layout},
};

/// Connections at one time; a further one waits.
const CONNECTIONS_MAX: usize = 16;
/// Longest line, in bytes.
const LINE_BYTES_MAX: u64 = 64 << 10;
/// Longest time for a question and its answer.
const EXCHANGE_MAX: Duration = Duration::from_secs(5);
/// How long to wait after an accept that failed.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);
/// Longest path of a Unix socket that every system takes, in bytes.
const SOCKET_BYTES_MAX: usize = 100;

/// What a supervisor can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Request {
    /// How everything is.
    Status,
    /// Stop everything; answered before it is done.
    Stop,
    /// Do something to one process.
    Signal {
        /// Its name.
        process: String,
        /// What to do.
        action: Action,
    },
}

/// A supervisor's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Response {
    /// To [`Request::Status`].
    Status(Status),
    /// It is done, or begun.
    Done,
    /// It is not going to be done.
    Refused {
        /// For people.
        reason: String,
    },
}

/// How a cluster is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The cluster's name.
    pub name: String,
    /// The supervisor's process id.
    pub supervisor_pid: u32,
    /// Whether all processes are ready.
    pub healthy: bool,
    /// Each process, in the order of their start.
    pub processes: Vec<ProcessStatus>,
    /// Where clients find the cluster.
    pub endpoints: Endpoints,
}

/// How a process is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessStatus {
    /// `postgres`, `broker`, or a service's name.
    pub name: String,
    /// Its process id while it runs.
    pub pid: Option<u32>,
    /// How it is.
    pub state: State,
    /// How often it was started again.
    pub restarts: u32,
    /// Why it is not ready, or else why it ended the last time.
    pub reason: Option<String>,
    /// Where it listens: `127.0.0.1:3001`.
    pub address: String,
    /// How long it has been running, in milliseconds; 0 when it is not.
    pub uptime_ms: u64,
    /// The file it logs to.
    pub log: PathBuf,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No supervisor lives in the directory.
    #[error("no cluster runs in {0}")]
    NotRunning(PathBuf),
    /// One lives, and cannot be talked to.
    #[error("the supervisor does not answer")]
    Unreachable(#[source] io::Error),
    /// It answers something else.
    #[error("the supervisor's answer is not understood; it may be of another version")]
    NotUnderstood(#[source] serde_json::Error),
}

/// Asks the supervisor of a directory.
pub async fn request(data_dir: &Path, request: Request) -> Result<Response, ControlError> {
    let layout = Layout::at(data_dir);
    let not_running = || ControlError::NotRunning(data_dir.to_owned());
    let socket = layout.read_cluster().filter(|_| layout.is_locked()).ok_or_else(not_running)?.socket;
    let exchange = async {
        let mut stream = UnixStream::connect(socket).await?;
        let mut line = serde_json::to_vec(&request)?;
        line.push(b'\n');
        stream.write_all(&line).await?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).await?;
        io::Result::Ok(answer)
    };
    let answer = timeout(EXCHANGE_MAX, exchange).await.unwrap_or_else(|late| Err(late.into()));
    match answer {
        Ok(answer) => serde_json::from_str(&answer).map_err(ControlError::NotUnderstood),
        Err(_) if !layout.is_locked() => Err(not_running()), // it ended in between
        Err(error) => Err(ControlError::Unreachable(error)),
    }
}

/// What the socket gives access to.
pub(crate) struct Controlled {
    pub(crate) cluster: ClusterFile,
    pub(crate) handles: Arc<Vec<Handle>>,
    pub(crate) stop: watch::Sender<bool>,
}

impl Controlled {
    pub(crate) fn status(&self) -> Status {
        let processes: Vec<_> = self.handles.iter().map(process_status).collect();
        Status {
            name: self.cluster.name.clone(),
            supervisor_pid: self.cluster.supervisor_pid,
            healthy: processes.iter().all(|process| process.state == State::Ready),
            processes,
            endpoints: self.cluster.endpoints.clone(),
        }
    }

    async fn answer(&self, request: Request) -> Response {
        match request {
            Request::Status => Response::Status(self.status()),
            Request::Stop => {
                self.stop.send_replace(true);
                Response::Done
            }
            Request::Signal { process, action } => {
                let Some(handle) = self.handles.iter().find(|handle| handle.name == process) else {
                    return Response::Refused { reason: format!("there is no process '{process}'") };
                };
                tracing::info!(process, ?action, "a process is signalled");
                match handle.act(action).await {
                    Ok(()) => Response::Done,
                    Err(reason) => Response::Refused { reason },
                }
            }
        }
    }
}

fn process_status(handle: &Handle) -> ProcessStatus {
    let view = handle.view();
    let uptime = view.since.map(|since| since.elapsed()).unwrap_or_default();
    let unready = view.unready.filter(|_| matches!(view.state, State::Starting | State::Unhealthy));
    ProcessStatus {
        name: handle.name.to_owned(),
        pid: view.pid,
        state: view.state,
        restarts: view.restarts,
        reason: unready.or(view.last_exit),
        address: handle.address.clone(),
        uptime_ms: u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX),
        log: handle.log.clone(),
    }
}

/// A control socket; its file goes when this does.
pub(crate) struct Socket {
    pub(crate) path: PathBuf,
    pub(crate) listener: UnixListener,
    /// Where the socket is if the cluster's own path is too long for one.
    _short: Option<tempfile::TempDir>,
}

impl Socket {
    /// Only for whoever holds the directory's lock: it replaces what is there.
    pub(crate) fn bind(wanted: PathBuf) -> io::Result<Self> {
        let (path, short) = if wanted.as_os_str().len() <= SOCKET_BYTES_MAX {
            (wanted, None)
        } else {
            let only_owner = Permissions::from_mode(0o700);
            let dir = tempfile::Builder::new().prefix("orderflow-").permissions(only_owner).tempdir()?;
            (dir.path().join("s"), Some(dir))
        };
        let _ = fs::remove_file(&path);
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        Ok(Self { path, listener, _short: short })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Serves the socket until the future is dropped.
pub(crate) async fn serve(socket: Socket, controlled: Arc<Controlled>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok((stream, _)) => drop(connections.spawn(converse(stream, Arc::clone(&controlled)))),
                Err(error) => {
                    tracing::warn!(%error, "a control connection could not be accepted");
                    tokio::time::sleep(ACCEPT_BACKOFF).await;
                }
            },
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a control connection's task died");
                }
            }
        }
    }
}

async fn converse(mut stream: UnixStream, controlled: Arc<Controlled>) {
    let exchange = async {
        let (read, mut write) = stream.split();
        let mut line = String::new();
        BufReader::new(read.take(LINE_BYTES_MAX)).read_line(&mut line).await?;
        let answer = match serde_json::from_str(&line) {
            Ok(request) => controlled.answer(request).await,
            Err(error) => Response::Refused { reason: format!("not a request: {error}") },
        };
        let mut answer = serde_json::to_vec(&answer)?;
        answer.push(b'\n');
        write.write_all(&answer).await
    };
    match timeout(EXCHANGE_MAX, exchange).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a control connection broke"),
        Err(_) => tracing::debug!("a control connection took too long"),
    }
}
