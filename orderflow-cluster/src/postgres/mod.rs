//! A private PostgreSQL: one server of ours, on loopback, that ends when we do.
//!
//! ```text
//!   we ──pipe──▶ sh (serve.sh) ──▶ postgres
//!                 └─ watcher: the pipe is closed ──SIGINT──▶ postgres (fast shutdown)
//! ```
//! The pipe closes however we end, `kill -9` included, and no thread's or runtime's life plays a part. Should the shell
//! be killed as well, the next start finds the server by its `postmaster.pid` and stops it.
//!
//! - `account`: as whom it runs; `binaries`: from where; `databases`: what is made in it.

mod account;
mod binaries;
mod databases;
mod initialise;
mod stale;

use std::{
    fmt,
    fs::{File, Permissions, TryLockError},
    io,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal};
use sqlx::Connection;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdin, Command},
    time::{Instant, sleep, timeout},
};

pub(crate) use self::{
    account::Account,
    databases::{connect, url_for},
    stale::stop_stale,
};
pub use self::{
    binaries::{BINARIES_VARIABLE, download_binaries, find_binaries},
    databases::{create_from_template, drop_database, drop_role, ensure_database},
};
use crate::{files::Lock, logs, ports::Reserved, signals};

const SERVE: &str = include_str!("serve.sh");
/// Longest time until a started server answers. It may have to replay what a power loss left.
const READY_MAX: Duration = Duration::from_secs(60);
/// Between two attempts to connect, at first and at most.
const READY_POLL: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));
/// For a fast shutdown, after which it is told to give up, after which it is killed.
const STOP_FAST_MAX: Duration = Duration::from_secs(10);
const STOP_AT_ONCE_MAX: Duration = Duration::from_secs(3);
const KILL_MAX: Duration = Duration::from_secs(5);
/// A start is tried again when another process took the port, or killed predecessors are not quite gone.
const ATTEMPTS_MAX: u32 = 5;
const ATTEMPT_PAUSE: Duration = Duration::from_millis(300);
/// Lines of the log that go into an error.
const LOG_LINES: usize = 15;

/// What can be chosen about a private server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Where the data are kept; made if need be. Beside it lie `<name>.password`, `<name>.lock` and `<name>.log`.
    pub data_dir: PathBuf,
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Whether commits survive a loss of power. Without it everything is faster; a crash of the server loses nothing.
    pub durable: bool,
}

/// A running private server. Dropped, it shuts down in the background; [`Postgres::stop`] waits.
pub struct Postgres {
    shell: Child,
    /// The server lives until this is closed.
    lifeline: Option<ChildStdin>,
    pid: Pid,
    port: u16,
    admin_url: String,
    log: PathBuf,
    /// Held for life: two servers on one directory would take it away from each other.
    _lock: Lock,
    _reserved: Option<Reserved>,
}

/// Without the URL: there is a password in it.
impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("pid", &self.pid()).field("port", &self.port).finish_non_exhaustive()
    }
}

/// Why there is no private server.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// Nothing is installed where it is looked for.
    #[error(
        "PostgreSQL is not installed here: install it (apt install postgresql, dnf install postgresql-server, \
         brew install postgresql@17), or name the directory with initdb and postgres in {BINARIES_VARIABLE}"
    )]
    NoBinaries,
    /// The environment variable names a directory without them.
    #[error("{BINARIES_VARIABLE} is {0}, where there are no initdb and postgres")]
    NoBinariesAt(PathBuf),
    /// Nothing is installed, and the download failed.
    #[error(
        "PostgreSQL is not installed and could not be downloaded ({0}): install it (apt install postgresql, dnf \
         install postgresql-server, brew install postgresql@17), or name its programs' directory in \
         {BINARIES_VARIABLE}"
    )]
    Download(String),
    /// The data were made by another major version, which is not here.
    #[error("the data in {data_dir} need PostgreSQL {version}, which is not installed: install it, or reset the data")]
    WrongVersion {
        /// The data directory.
        data_dir: PathBuf,
        /// The major version that made it.
        version: String,
    },
    /// PostgreSQL does not run as root, and there is nobody else to run it.
    #[error("PostgreSQL refuses to run as root, and there is no account to run it")]
    Account(#[source] io::Error),
    /// We are root, and the account that PostgreSQL runs as cannot reach the data.
    #[error(
        "PostgreSQL runs as '{account}', who may not enter {dir}: choose another place (--data-dir), or let others \
         through (chmod o+x {dir})"
    )]
    Barred {
        /// The account.
        account: String,
        /// The first directory it cannot enter.
        dir: PathBuf,
    },
    /// The data directory, or what lies beside it, cannot be made, read or written.
    #[error("{0} cannot be used")]
    DataDir(PathBuf, #[source] io::Error),
    /// A server of another process of ours works on the data.
    #[error("the data in {0} are in use by another server")]
    InUse(PathBuf),
    /// The data are there, and the administrator's password beside them is not.
    #[error("{0} is missing, without which the data beside it cannot be opened: put it back, or reset the data")]
    PasswordLost(PathBuf),
    /// The data directory could not be filled.
    #[error("initdb failed: {0}")]
    Initdb(String),
    /// It ended before it was ready, or took too long.
    #[error("PostgreSQL is not ready: {reason}\n{log_tail}")]
    NotReady {
        /// What was seen.
        reason: String,
        /// The end of its log.
        log_tail: String,
    },
    /// It is there, and refuses what is asked.
    #[error("PostgreSQL refuses to be set up")]
    Sql(#[from] sqlx::Error),
}

impl PostgresError {
    /// Whether the reason may be gone at the next attempt.
    fn passes(&self, any_port: bool) -> bool {
        let Self::NotReady { log_tail, .. } = self else {
            return false;
        };
        log_tail.contains("shared memory block") || any_port && log_tail.contains("could not bind")
    }
}

impl Postgres {
    /// Starts a server on a data directory, which is made if need be. When it returns, clients can connect.
    ///
    /// A server that somebody killed left behind on the same directory is stopped first. Downloads PostgreSQL if it is
    /// not installed.
    pub async fn start(options: Options) -> Result<Self, PostgresError> {
        let log = beside(&options.data_dir, "log");
        Self::start_with_log(options, &log).await
    }

    /// As [`Postgres::start`], with the server's log in another file.
    pub async fn start_with_log(options: Options, log: &Path) -> Result<Self, PostgresError> {
        let mut attempts = 1;
        loop {
            match Self::start_once(&options, log, None).await {
                Err(error) if attempts < ATTEMPTS_MAX && error.passes(options.port == 0) => attempts += 1,
                result => return result,
            }
            sleep(ATTEMPT_PAUSE).await;
        }
    }

    /// Starts a server for tests: on a free port, not durable, in a temporary directory that goes when the server does,
    /// even when this process is killed.
    pub async fn start_temporary() -> Result<Self, PostgresError> {
        let mut attempts = 1;
        loop {
            match Self::start_temporary_once().await {
                Err(error) if attempts < ATTEMPTS_MAX && error.passes(true) => attempts += 1,
                result => return result,
            }
            sleep(ATTEMPT_PAUSE).await;
        }
    }

    async fn start_temporary_once() -> Result<Self, PostgresError> {
        let bad = |source| PostgresError::DataDir(std::env::temp_dir(), source);
        let only_owner = Permissions::from_mode(0o700);
        let made = tempfile::Builder::new().prefix("orderflow-pg-").permissions(only_owner).tempdir();
        let home = made.map_err(bad)?;
        if let Some(account) = Account::for_postgres().map_err(PostgresError::Account)? {
            // It is the server's shell that removes it.
            std::os::unix::fs::chown(home.path(), Some(account.uid), Some(account.gid)).map_err(bad)?;
        }
        let options = Options { data_dir: home.path().join("data"), port: 0, durable: false };
        let log = beside(&options.data_dir, "log");
        let started = Self::start_once(&options, &log, Some(home.path())).await?;
        let _removed_by_the_shell = home.keep();
        Ok(started)
    }

    async fn start_once(options: &Options, log: &Path, remove: Option<&Path>) -> Result<Self, PostgresError> {
        let account = Account::for_postgres().map_err(PostgresError::Account)?;
        let data_dir = initialise::prepare_parent(&options.data_dir, account.as_ref())?;
        let lock = lock(&data_dir)?;
        stop_stale(&data_dir).await;
        let bin = binaries::for_data(&data_dir).await?;
        let password = initialise::ensure_data(&bin, &data_dir, account.as_ref(), options.durable).await?;
        let bad = |source| PostgresError::DataDir(log.to_owned(), source);
        let reserved = if options.port == 0 { Some(Reserved::choose().map_err(bad)?) } else { None };
        let port = reserved.as_ref().map_or(options.port, |reserved| reserved.port);

        let log_file = logs::open(log).map_err(bad)?;
        let mut command = shell(account.as_ref(), log_file);
        command.arg("-c").arg(SERVE).arg("orderflow-postgres").arg(remove.unwrap_or(Path::new("")));
        command.arg(bin.join("postgres")).args(server_arguments(&data_dir, port, options.durable));
        let mut shell = command.spawn().map_err(bad)?;
        let lifeline = shell.stdin.take();
        let pid = read_pid(&mut shell).await.map_err(bad)?;

        let admin_url = format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres");
        let mut server =
            Self { shell, lifeline, pid, port, admin_url, log: log.to_owned(), _lock: lock, _reserved: reserved };
        server.wait_ready().await?;
        Ok(server)
    }

    /// Returns when clients can connect, and nobody can to what is not theirs.
    async fn wait_ready(&mut self) -> Result<(), PostgresError> {
        let until = Instant::now() + READY_MAX;
        let mut pause = READY_POLL.0;
        loop {
            let refused = match connect(&self.admin_url).await {
                Ok(mut admin) => {
                    databases::close_shared_databases(&mut admin).await?;
                    return Ok(admin.close().await?);
                }
                Err(refused) => refused,
            };
            if let Ok(reason) = timeout(pause, self.exited()).await {
                return Err(self.not_ready(reason));
            }
            if Instant::now() > until {
                let error = self.not_ready(refused.to_string());
                self.shut_down().await;
                return Err(error);
            }
            pause = (pause * 2).min(READY_POLL.1);
        }
    }

    fn not_ready(&self, reason: String) -> PostgresError {
        PostgresError::NotReady { reason, log_tail: logs::tail(&self.log, LOG_LINES) }
    }

    /// `postgres://postgres:PASSWORD@127.0.0.1:PORT/postgres`: the superuser's. Not for logs.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process id, that of the postmaster.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// The file that the server logs to.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Shuts down: clients are disconnected, what is committed is kept. Takes at most 20 seconds or so.
    pub async fn stop(mut self) {
        self.shut_down().await;
    }

    /// Returns why it ended, when it has. Can be dropped and called again.
    pub(crate) async fn exited(&mut self) -> String {
        match self.shell.wait().await {
            // The shell passes on 128 and the signal's number, as shells do.
            Ok(status) => match status.code() {
                Some(code) if code > 128 => format!("killed by signal {}", code - 128),
                _ => status.to_string(),
            },
            Err(error) => error.to_string(),
        }
    }

    /// Signals the server. To pause and to resume it is for its children, too, who would serve on.
    pub(crate) async fn signal(&self, signal: Signal) -> bool {
        match signal {
            Signal::STOP | Signal::CONT => signals::send_to_tree(self.pid, signal).await,
            _ => signals::send(self.pid, signal),
        }
    }

    async fn shut_down(&mut self) {
        signals::send_to_tree(self.pid, Signal::CONT).await; // a stopped server would not hear
        drop(self.lifeline.take());
        if timeout(STOP_FAST_MAX, self.shell.wait()).await.is_ok() {
            return;
        }
        for (signal, patience) in [(Signal::QUIT, STOP_AT_ONCE_MAX), (Signal::KILL, KILL_MAX)] {
            tracing::warn!(?signal, "PostgreSQL does not stop");
            signals::send(self.pid, signal);
            if timeout(patience, self.shell.wait()).await.is_ok() {
                return;
            }
        }
    }
}

/// A file that belongs to a data directory and lies beside it, where its account cannot read.
fn beside(data_dir: &Path, extension: &str) -> PathBuf {
    let mut name = data_dir.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(extension);
    data_dir.with_file_name(name)
}

fn lock(data_dir: &Path) -> Result<Lock, PostgresError> {
    let path = beside(data_dir, "lock");
    Lock::take(&path).map_err(|error| match error {
        TryLockError::WouldBlock => PostgresError::InUse(data_dir.to_owned()),
        TryLockError::Error(error) => PostgresError::DataDir(path, error),
    })
}

/// A shell in a process group of its own (Ctrl-C is for us), as the account, in a directory that everybody may enter.
fn shell(account: Option<&Account>, log: File) -> Command {
    let mut command = std::process::Command::new("/bin/sh");
    clear_environment(&mut command);
    command.current_dir("/").process_group(0);
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
    command.into()
}

/// Leaves nothing that changes how PostgreSQL's programs behave, such as `PGDATA` or `LC_ALL`.
fn clear_environment(command: &mut std::process::Command) {
    command.env_clear();
    for name in ["PATH", "TZ", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
}

fn server_arguments(data_dir: &Path, port: u16, durable: bool) -> Vec<std::ffi::OsString> {
    let mut settings = vec![
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        "unix_socket_directories=".to_owned(),
        "max_connections=200".to_owned(),
        "shared_buffers=64MB".to_owned(),
        "logging_collector=off".to_owned(),
        "log_destination=stderr".to_owned(),
        // A statement that fails may have somebody's data in it.
        "log_min_error_statement=panic".to_owned(),
    ];
    if !durable {
        settings.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"].map(str::to_owned));
    }
    let settings = settings.into_iter().flat_map(|setting| ["-c".into(), setting.into()]);
    ["-D".into(), data_dir.into()].into_iter().chain(settings).collect()
}

async fn read_pid(shell: &mut Child) -> io::Result<Pid> {
    let mut line = String::new();
    if let Some(stdout) = shell.stdout.take() {
        BufReader::new(stdout).read_line(&mut line).await?;
    }
    let pid = line.trim().parse().ok().and_then(Pid::from_raw);
    pid.ok_or_else(|| io::Error::other("the shell did not say the server's process id"))
}
