//! Starting and stopping: the data directory's lock, the listener, the background tasks and their owner.

use std::{
    fs::{self, DirBuilder, File, Permissions, TryLockError},
    future::Future,
    io,
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, UnixListener},
    sync::watch,
    task::{JoinError, JoinHandle, JoinSet},
};

use crate::{
    Config, Flush, Listener, State, control,
    faults::Faults,
    groups::{self, Group},
    now_ms,
    topics::{Partition, Topic},
    wire,
};

/// Starts brokers.
#[derive(Debug, Clone, Copy)]
pub struct Broker;

/// A running broker. Dropping it stops the broker without waiting; [`Handle::shutdown`] waits.
#[derive(Debug)]
pub struct Handle {
    address: SocketAddr,
    more: Vec<SocketAddr>,
    state: Arc<State>,
    stop: watch::Sender<bool>,
    owner: JoinHandle<Result<(), TaskDied>>,
}

/// Why a broker does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another broker holds the lock of the data directory.
    #[error("the data directory {0} is in use by another broker")]
    InUse(PathBuf),
    /// The data directory cannot be made, read or written, or a file in it is damaged in the middle.
    #[error("the data directory {0} cannot be used")]
    DataDir(PathBuf, #[source] io::Error),
    /// The port is taken, or the address is not ours.
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The Unix socket for faults cannot be made.
    #[error("cannot open the control socket {0} (a path of more than about 100 bytes is too long for one)")]
    Control(PathBuf, #[source] io::Error),
}

/// A background task has ended although the broker was not told to stop.
#[derive(Debug, thiserror::Error)]
#[error("the broker's task '{task}' died")]
pub struct TaskDied {
    task: &'static str,
    source: Option<JoinError>,
}

impl Broker {
    /// Opens the data directory, listens, and serves until told to stop.
    ///
    /// Must be called in a Tokio runtime. When it returns, clients can connect.
    pub async fn start(config: Config) -> Result<Handle, StartError> {
        let dir = config.data_dir.clone();
        let bad_dir = |source| StartError::DataDir(dir.clone(), source);
        let lock = lock(&dir)?;
        let faults = Arc::new(Faults::default());
        let opened = tokio::task::spawn_blocking(move || State::open(config, faults)).await;
        let state = Arc::new(opened.map_err(|error| bad_dir(io::Error::other(error)))?.map_err(bad_dir)?);

        let mut tasks = Tasks::default();
        let mut more = Vec::new();
        for Listener { listen, advertised } in &state.config.more_listeners {
            more.push(tasks.listen(*listen, advertised.clone(), &state).await?);
        }
        // Last: whoever can connect to this one can connect to the others.
        let address = tasks.listen(state.config.listen, state.config.advertised.clone(), &state).await?;
        tasks.spawn("groups", groups::keep_time(Arc::clone(&state)));
        tasks.spawn("retention", retain(Arc::clone(&state)));
        if let Flush::Interval(every) = state.config.flush {
            tasks.spawn("flush", flush_every(Arc::clone(&state), every));
        }
        if let Some(path) = &state.config.control {
            let listener = bind_control(path).map_err(|source| StartError::Control(path.clone(), source))?;
            tasks.spawn("control", control::serve(listener, Arc::clone(&state)));
        }
        let (stop, stopping) = watch::channel(false);
        let owner = tokio::spawn(own(tasks, stopping, Arc::clone(&state), lock));
        Ok(Handle { address, more, state, stop, owner })
    }
}

impl Handle {
    /// What a client puts into `bootstrap.servers`.
    pub fn bootstrap_servers(&self) -> String {
        self.address.to_string()
    }

    /// Where it listens besides, in the order of [`Config::more_listeners`].
    pub fn more_listeners(&self) -> &[SocketAddr] {
        &self.more
    }

    /// The faults of this broker.
    pub fn faults(&self) -> &Faults {
        &self.state.faults
    }

    /// Makes every member of a group join again. Returns whether there is such a group.
    pub fn force_rebalance(&self, group: &str) -> bool {
        self.state.groups.with(&self.state, group, Group::force_rebalance).is_some()
    }

    /// Returns when the broker has stopped although nobody asked it to.
    pub async fn died(&mut self) -> TaskDied {
        match (&mut self.owner).await {
            Ok(Err(died)) => died,
            Ok(Ok(())) => TaskDied { task: "owner", source: None },
            Err(error) => TaskDied { task: "owner", source: Some(error) },
        }
    }

    /// Closes all connections, forces everything to the disk and lets go of the data directory.
    pub async fn shutdown(self) {
        let _ = self.stop.send(true);
        // What the owner may report was logged when it happened.
        let _ = self.owner.await;
    }
}

/// Background tasks that must not end.
#[derive(Default)]
struct Tasks {
    running: JoinSet<()>,
    names: Vec<(tokio::task::Id, &'static str)>,
}

impl Tasks {
    fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.names.push((self.running.spawn(task).id(), name));
    }

    /// Opens a port and serves it; returns its address.
    async fn listen(
        &mut self,
        wanted: SocketAddr,
        advertised: Option<(String, u16)>,
        state: &Arc<State>,
    ) -> Result<SocketAddr, StartError> {
        let listened = async { TcpListener::bind(wanted).await.and_then(|l| Ok((l.local_addr()?, l))) }.await;
        let (address, listener) = listened.map_err(|source| StartError::Listen(wanted, source))?;
        self.spawn("connections", wire::serve(listener, advertised, Arc::clone(state)));
        Ok(address)
    }

    /// Returns when one has ended.
    async fn died(&mut self) -> TaskDied {
        let ended = self.running.join_next_with_id().await;
        let (id, source) = match ended {
            Some(Ok((id, ()))) => (Some(id), None),
            Some(Err(error)) => (Some(error.id()), Some(error)),
            None => (None, None),
        };
        let name = self.names.iter().find(|(task, _)| Some(*task) == id).map(|(_, name)| *name);
        TaskDied { task: name.unwrap_or("unknown"), source }
    }
}

/// Owns the tasks and the directory's lock until the broker is told to stop or a task dies.
async fn own(
    mut tasks: Tasks,
    mut stopping: watch::Receiver<bool>,
    state: Arc<State>,
    lock: File,
) -> Result<(), TaskDied> {
    let result = tokio::select! {
        _ = stopping.wait_for(|stop| *stop) => Ok(()),
        died = tasks.died() => {
            tracing::error!(error = %died, source = ?died.source, "the broker stops");
            Err(died)
        }
    };
    // Aborted tasks may be in the middle of a request on another thread. From here on they can append nothing, and what
    // they have appended is flushed.
    state.topics.close();
    state.store().close();
    tasks.running.shutdown().await;
    flush_all(&state).await;
    if let Some(path) = &state.config.control {
        let _ = fs::remove_file(path); // what is left over is replaced at the next start
    }
    // Not by closing alone: a process that another thread is just starting has a copy of the file for a moment.
    let _ = lock.unlock();
    result
}

fn lock(dir: &Path) -> Result<File, StartError> {
    let bad = |source| StartError::DataDir(dir.to_owned(), source);
    // For the owner only: there may be more in it than everybody on the machine should read.
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(bad)?;
    let file = File::options().create(true).truncate(false).write(true).open(dir.join("lock")).map_err(bad)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(bad(error)),
    }
}

/// A socket that refuses connections belongs to nobody any more and is replaced; anything else is left alone.
fn bind_control(path: &Path) -> io::Result<UnixListener> {
    if std::os::unix::net::UnixStream::connect(path).is_err_and(|e| e.kind() == io::ErrorKind::ConnectionRefused)
        && fs::symlink_metadata(path)?.file_type().is_socket()
    {
        fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Every partition with its topic and number.
fn partitions(state: &State) -> Vec<(Arc<Topic>, usize)> {
    let all = state.topics.all().into_iter();
    all.flat_map(|topic| (0..topic.partitions.len()).map(move |index| (Arc::clone(&topic), index))).collect()
}

/// Drops old segments, every so often.
async fn retain(state: Arc<State>) {
    loop {
        tokio::time::sleep(state.config.retention_check).await;
        let now_ms = now_ms();
        for (topic, index) in partitions(&state) {
            let dropped = topic.partitions[index].log().retain(now_ms);
            match dropped {
                Ok(0) => {}
                Ok(segments) => {
                    tracing::info!(topic = topic.name, partition = index, segments, "retention dropped segments");
                }
                Err(error) => tracing::warn!(topic = topic.name, partition = index, %error, "retention failed"),
            }
        }
    }
}

/// Forces everything to the disk, every so often.
async fn flush_every(state: Arc<State>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        flush_all(&state).await;
    }
}

async fn flush_all(state: &State) {
    for (topic, index) in partitions(state) {
        if let Err(error) = Partition::flush(&topic.partitions[index]).await {
            tracing::error!(topic = topic.name, partition = index, %error, "a log could not be forced to the disk");
        }
    }
    if let Err(error) = state.flush_store().await {
        tracing::error!(%error, "the state file could not be forced to the disk");
    }
}
