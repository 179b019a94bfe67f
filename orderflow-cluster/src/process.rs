//! One process: how it is started, asked, signalled and stopped.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal};
use tokio::{
    process::{Child, ChildStdin, Command},
    time::timeout,
};

use crate::{
    health, logs,
    postgres::{self, Postgres, PostgresError},
    signals,
};

/// The environment that a child gets, and nothing else of ours.
const ENVIRONMENT: [&str; 6] = ["PATH", "HOME", "RUST_LOG", "TZ", "TMPDIR", "RUST_BACKTRACE"];
/// How long a child may take to end when its input does, and then on SIGTERM, before it is killed: 10 s in all.
const END_OF_INPUT_MAX: Duration = Duration::from_secs(1);
const TERMINATE_MAX: Duration = Duration::from_secs(9);
const KILL_MAX: Duration = Duration::from_secs(5);

/// What is run under a name.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) log: PathBuf,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// The broker, which is ready when it can be connected to.
    Broker { exe: PathBuf, arguments: Vec<String> },
    /// A service, which says itself whether it is ready.
    Service { exe: PathBuf, arguments: Vec<String> },
    /// The database server.
    Postgres(postgres::Options),
}

/// Why a process could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpawnError {
    #[error("{0} cannot be run")]
    Child(PathBuf, #[source] io::Error),
    #[error(transparent)]
    Postgres(#[from] PostgresError),
}

/// A process that was started, and not yet seen to end. Dropped, it ends.
#[derive(Debug)]
pub(crate) enum Running {
    Child {
        child: Child,
        /// A child ends when its input does: with us, however we end.
        lifeline: Option<ChildStdin>,
        pid: Pid,
    },
    Postgres(Postgres),
}

impl Program {
    /// Starts it. The database server can be connected to at once, others are to be asked.
    pub(crate) async fn start(&self) -> Result<Running, SpawnError> {
        match &self.kind {
            Kind::Broker { exe, arguments } | Kind::Service { exe, arguments } => {
                spawn(exe, arguments, &self.log).map_err(|source| SpawnError::Child(exe.clone(), source))
            }
            Kind::Postgres(options) => {
                let server = Postgres::start_with_log(options.clone(), &self.log).await?;
                Ok(Running::Postgres(server))
            }
        }
    }

    /// Whether it is ready; the reason if not.
    pub(crate) async fn probe(&self) -> Result<(), String> {
        match self.kind {
            Kind::Service { .. } => health::is_ready(self.address).await,
            Kind::Broker { .. } | Kind::Postgres(_) => health::connects(self.address).await,
        }
    }
}

fn spawn(exe: &Path, arguments: &[String], log: &Path) -> io::Result<Running> {
    let log = logs::open(log)?;
    let mut command = Command::new(exe);
    command.args(arguments).env_clear();
    for name in ENVIRONMENT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
    // A group of its own: Ctrl-C in the terminal is for us, and we stop things in their order.
    command.process_group(0).kill_on_drop(true);
    let mut child = command.spawn()?;
    let pid = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
    let pid = pid.ok_or_else(|| io::Error::other("it has no process id"))?;
    Ok(Running::Child { lifeline: child.stdin.take(), child, pid })
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        match self {
            Self::Child { pid, .. } => pid.as_raw_nonzero().get().unsigned_abs(),
            Self::Postgres(server) => server.pid(),
        }
    }

    /// Returns why it ended, when it has. Can be dropped and called again.
    pub(crate) async fn exited(&mut self) -> String {
        match self {
            Self::Child { child, .. } => match child.wait().await {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            },
            Self::Postgres(server) => server.exited().await,
        }
    }

    /// Signals the process and what it has started, and returns whether that was delivered.
    pub(crate) async fn signal(&self, signal: Signal) -> bool {
        match self {
            // It has not been waited for, so that nobody else can have its number.
            Self::Child { pid, .. } => signals::send_to_group(*pid, signal),
            Self::Postgres(server) => server.signal(signal).await,
        }
    }

    /// Ends it, gently at first.
    pub(crate) async fn stop(self) {
        let (mut child, lifeline, pid) = match self {
            Self::Child { child, lifeline, pid } => (child, lifeline, pid),
            Self::Postgres(server) => return server.stop().await,
        };
        drop(lifeline);
        signals::send_to_group(pid, Signal::CONT); // a stopped process would not see it
        for (signal, patience) in [(Signal::TERM, END_OF_INPUT_MAX), (Signal::KILL, TERMINATE_MAX)] {
            if timeout(patience, child.wait()).await.is_ok() {
                return;
            }
            signals::send_to_group(pid, signal);
        }
        if timeout(KILL_MAX, child.wait()).await.is_err() {
            tracing::error!(pid = pid.as_raw_nonzero(), "a process survives being killed");
        }
    }
}
