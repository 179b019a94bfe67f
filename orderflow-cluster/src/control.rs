//! The control socket: what a supervisor can be asked and told, by whoever may open its file.
//!
//! One JSON document a line in, one out, one of each a connection:
//! ```text
//! {"do":"status"}                                            -> {"is":"status","name":"default",…}
//! {"do":"signal","process":"orders","action":"kill"}         -> {"is":"done"}
//! {"do":"signal","process":"orders","action":"pause","for_ms":3000}
//! {"do":"signal","process":"orders","action":"kill","for_ms":3000}: not started again before that
//! {"do":"cut","service":"orders","from":"broker","for_ms":3000}
//! {"do":"heal","service":"orders","from":"broker"}           -> {"is":"done"}; with neither: all, what is paused, what is held down
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
    lines::{Lines, Need},
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
/// Longest time for which something is done; for longer, it is done without an end.
const FOR_MAX: Duration = Duration::from_secs(24 * 60 * 60);

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
        /// For a pause: the time after which the process is resumed. For a kill: the time for which it is held down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
    },
    /// Cut a service off from what it needs, by TCP: its connections break, and so do new ones. A line that is cut
    /// already is cut for so long from now.
    Cut {
        /// `orders`, `inventory`, `payments` or `console`.
        service: String,
        /// From what.
        from: Need,
        /// The time after which the line heals by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
    },
    /// Heal what is cut. With neither, everything, and whatever is paused or held down is resumed. What is whole stays so.
    Heal {
        /// The lines of this service alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service: Option<String>,
        /// The lines to this alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Need>,
    },
}

/// A supervisor's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Response {
    /// To [`Request::Status`].
    Status(Box<Status>),
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
    /// The lines that are cut now.
    #[serde(default)]
    pub cuts: Vec<CutStatus>,
    /// The lines that can be cut, and what cuts have cost so far.
    #[serde(default)]
    pub lines: Vec<LineStatus>,
    /// Whether patterns can be taken out of the services.
    #[serde(default)]
    pub lab: bool,
}

/// A line that can be cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineStatus {
    /// The service.
    pub service: String,
    /// To what.
    pub to: Need,
    /// Connections that cuts have ended or not let begin since the cluster's data began.
    pub dropped: u64,
}

/// A line that is cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutStatus {
    /// The service.
    pub service: String,
    /// What it is cut off from.
    pub from: Need,
    /// When the line heals by itself, in milliseconds since 1970; without it, it does not.
    pub ends_at_ms: Option<u64>,
    /// Connections that the cut has ended or not let begin.
    pub dropped: u64,
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
    /// When one that is paused, or held down, is there again by itself, in milliseconds since 1970.
    #[serde(default)]
    pub resumes_at_ms: Option<u64>,
    /// How often it was broken on purpose.
    #[serde(default)]
    pub struck: Struck,
    /// The file it logs to.
    pub log: PathBuf,
}

/// What was done to a process because somebody wanted so, since the cluster's data began: how often a signal was
/// delivered to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Struck {
    /// It was killed.
    pub kills: u64,
    /// It was stopped in its tracks.
    pub pauses: u64,
    /// It was stopped gently, to be started again.
    pub restarts: u64,
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
    /// It does not do it, and says why.
    #[error("{0}")]
    Refused(String),
}

/// How the cluster of a directory is.
pub async fn status(data_dir: &Path) -> Result<Status, ControlError> {
    match request(data_dir, Request::Status).await? {
        Response::Status(status) => Ok(*status),
        Response::Refused { reason } => Err(ControlError::Refused(reason)),
        Response::Done => Err(ControlError::Refused("the supervisor does not say how it is".to_owned())),
    }
}

/// Has the supervisor of a directory do something.
pub async fn tell(data_dir: &Path, what: Request) -> Result<(), ControlError> {
    match request(data_dir, what).await? {
        Response::Refused { reason } => Err(ControlError::Refused(reason)),
        Response::Done | Response::Status(_) => Ok(()),
    }
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
    pub(crate) lines: Lines,
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
            cuts: self.lines.cuts(),
            lines: self.lines.status(),
            lab: self.cluster.lab,
        }
    }

    async fn answer(&self, request: Request) -> Response {
        let done = match request {
            Request::Status => return Response::Status(Box::new(self.status())),
            Request::Stop => {
                self.stop.send_replace(true);
                Ok(())
            }
            Request::Signal { process, action, for_ms } => self.signal(&process, action, for_ms).await,
            Request::Cut { service, from, for_ms } => self.cut(&service, from, for_ms),
            Request::Heal { service, from } => self.heal(service.as_deref(), from).await,
        };
        done.map_or_else(|reason| Response::Refused { reason }, |()| Response::Done)
    }

    async fn signal(&self, process: &str, action: Action, for_ms: Option<u64>) -> Result<(), String> {
        let handle = self.handles.iter().find(|handle| handle.name == process);
        let handle = handle.ok_or_else(|| format!("there is no process '{process}'"))?;
        if for_ms.is_some() && !matches!(action, Action::Pause | Action::Kill) {
            return Err("only a pause, a kill and a cut last for some time".into());
        }
        let time = limited(for_ms)?;
        tracing::info!(process, ?action, ?for_ms, "a process is signalled");
        handle.act(action, time).await
    }

    fn cut(&self, service: &str, from: Need, for_ms: Option<u64>) -> Result<(), String> {
        let cable = self.lines.find(service, from)?;
        cable.cut(limited(for_ms)?);
        tracing::info!(service, %from, ?for_ms, "a line is cut");
        Ok(())
    }

    async fn heal(&self, service: Option<&str>, from: Option<Need>) -> Result<(), String> {
        match (service, from) {
            (None, None) => self.resume_all().await?,
            (Some(service), Some(from)) => drop(self.lines.find(service, from)?),
            (Some(service), None) if !self.lines.know(service) => {
                return Err(format!("there is no service '{service}' with lines"));
            }
            _ => {}
        }
        self.lines.heal(service, from);
        Ok(())
    }

    /// Resumes what is paused or held down. One that ends meanwhile, or was told to run on, is as good as resumed.
    async fn resume_all(&self) -> Result<(), String> {
        let kept = self.handles.iter().filter(|handle| handle.view().is_kept());
        for handle in kept {
            tracing::info!(process = handle.name, "a process is resumed");
            let resumed = handle.act(Action::Resume, None).await;
            resumed.or_else(|reason| if handle.view().is_kept() { Err(reason) } else { Ok(()) })?;
        }
        Ok(())
    }
}

/// Reads a time that somebody wants something to last.
fn limited(for_ms: Option<u64>) -> Result<Option<Duration>, String> {
    let time = for_ms.map(Duration::from_millis);
    match time {
        Some(time) if time.is_zero() || time > FOR_MAX => Err(format!("a time is between 1 ms and {FOR_MAX:?}")),
        _ => Ok(time),
    }
}

fn process_status(handle: &Handle) -> ProcessStatus {
    let view = handle.view();
    let uptime = view.since.map(|since| since.elapsed()).unwrap_or_default();
    let is_kept = view.is_kept();
    let unready = match view.state {
        State::Starting | State::Unhealthy => view.unready,
        State::HeldDown => Some("killed on purpose, and held down".to_owned()),
        _ => None,
    };
    ProcessStatus {
        name: handle.name.to_owned(),
        pid: view.pid,
        state: view.state,
        restarts: view.restarts,
        reason: unready.or(view.last_exit),
        address: handle.address.clone(),
        resumes_at_ms: view.paused.at_ms.filter(|_| is_kept),
        struck: handle.struck.counts(),
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
