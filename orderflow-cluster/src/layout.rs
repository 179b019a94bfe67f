//! What lies where in a cluster's directory.
//!
//! ```text
//!   cluster.json        what was started, for clients; no secrets
//!   secrets.json        passwords and keys
//!   config/orders.toml  one for each service, with its secrets
//!   logs/orders.log     one for each process
//!   struck.json         how often something was broken on purpose
//!   postgres/ broker/   their data
//!   supervisor.lock     held while a supervisor lives
//!   supervisor.sock     how to talk to it
//! ```

use std::{
    env,
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    files::{Lock, make_dirs, write_whole},
    lines::{self, LinePorts},
    ports::Ports,
    spec::{BROKER, POSTGRES, SERVICES, Spec},
};

/// Who only asks whether a supervisor lives holds the lock for a moment; a start waits so often for that.
const LOCK_ATTEMPTS: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(25);

/// Where clusters are kept unless somebody says otherwise; `None` where there is no home directory.
///
/// As root it is a place that the account of PostgreSQL can reach, which root's home is not.
pub fn default_root() -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Some("/var/lib/orderflow".into());
    }
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if cfg!(target_os = "macos") {
        return Some(absolute("HOME")?.join("Library/Application Support/orderflow"));
    }
    let data = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")))?;
    Some(data.join("orderflow"))
}

/// Where clients find a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// `http://127.0.0.1:3000`
    pub console: String,
    /// `http://127.0.0.1:3001`
    pub orders: String,
    /// `http://127.0.0.1:3002`
    pub inventory: String,
    /// `http://127.0.0.1:3003`
    pub payments: String,
    /// `http://127.0.0.1:3010`
    pub provider: String,
    /// `127.0.0.1:9092`, for a Kafka client's `bootstrap.servers`.
    pub broker: String,
}

impl Endpoints {
    pub(crate) fn new(spec: &Spec, ports: &Ports) -> Self {
        let http = |port| format!("http://127.0.0.1:{port}");
        Self {
            console: http(ports.console),
            orders: http(ports.orders),
            inventory: http(ports.inventory),
            payments: http(ports.payments),
            provider: http(ports.provider),
            broker: spec.broker.clone().unwrap_or_else(|| format!("127.0.0.1:{}", ports.broker)),
        }
    }
}

/// `cluster.json`: what was started last in a directory, running or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterFile {
    /// The cluster's name.
    pub name: String,
    /// The version of this program that started it.
    pub version: String,
    /// The supervisor's process id.
    pub supervisor_pid: u32,
    /// Where clients find it.
    pub endpoints: Endpoints,
    /// Where its processes listen.
    pub ports: Ports,
    /// Where services reach what they need: lines that can be cut.
    #[serde(default)]
    pub lines: Vec<LinePorts>,
    /// Whether patterns can be taken out of the services.
    #[serde(default)]
    pub lab: bool,
    /// The supervisor's control socket.
    pub socket: PathBuf,
}

/// A cluster's directory.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    dir: PathBuf,
}

impl Layout {
    pub(crate) fn at(dir: &Path) -> Self {
        Self { dir: dir.canonicalize().unwrap_or_else(|_| dir.to_owned()) }
    }

    /// Makes the directories. As root others may go through the outer ones: the account of PostgreSQL has to.
    pub(crate) fn prepare(dir: &Path) -> io::Result<Self> {
        let outer = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
        make_dirs(dir, outer)?;
        let layout = Self { dir: dir.canonicalize()? };
        for inner in ["config", "logs"] {
            make_dirs(&layout.dir.join(inner), 0o700)?;
        }
        Ok(layout)
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn config(&self, service: &str) -> PathBuf {
        self.dir.join("config").join(format!("{service}.toml"))
    }

    pub(crate) fn log(&self, process: &str) -> PathBuf {
        self.dir.join("logs").join(format!("{process}.log"))
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.dir.join(POSTGRES)
    }

    pub(crate) fn broker(&self) -> PathBuf {
        self.dir.join(BROKER)
    }

    pub(crate) fn secrets(&self) -> PathBuf {
        self.dir.join("secrets.json")
    }

    pub(crate) fn struck(&self) -> PathBuf {
        self.dir.join("struck.json")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.join("supervisor.sock")
    }

    fn cluster_file(&self) -> PathBuf {
        self.dir.join("cluster.json")
    }

    /// The arguments of a process of ours. Whoever is seen with them belongs to this directory.
    pub(crate) fn arguments(&self, process: &str, port: u16, lines: &[LinePorts]) -> Vec<String> {
        let path = |path: PathBuf| path.to_string_lossy().into_owned();
        let mut arguments = vec!["serve".to_owned(), process.to_owned()];
        if process == BROKER {
            arguments.extend(["--data-dir".into(), path(self.broker()), "--port".into(), port.to_string()]);
            arguments.extend(lines::listeners(lines).into_iter().flat_map(|one| ["--listener".into(), one]));
        } else {
            arguments.extend(["--config".into(), path(self.config(process))]);
        }
        arguments.push("--stop-on-eof".into());
        arguments
    }

    /// What the command line of a process of ours has in it, port aside.
    pub(crate) fn marks(&self) -> Vec<String> {
        let broker = format!(" serve {BROKER} --data-dir {} ", self.broker().display());
        let service = |name: &&str| format!(" serve {name} --config {} ", self.config(name).display());
        SERVICES.iter().map(service).chain([broker]).collect()
    }

    /// What was started last; `None` if nothing was, or the file is not ours.
    pub(crate) fn read_cluster(&self) -> Option<ClusterFile> {
        serde_json::from_slice(&fs::read(self.cluster_file()).ok()?).ok()
    }

    pub(crate) fn write_cluster(&self, file: &ClusterFile) -> io::Result<()> {
        write_whole(&self.cluster_file(), &serde_json::to_vec_pretty(file)?, 0o644)
    }

    /// Takes the lock for life; `None` if a supervisor has it.
    pub(crate) async fn lock(&self) -> io::Result<Option<Lock>> {
        let path = self.dir.join("supervisor.lock");
        for _ in 0..LOCK_ATTEMPTS {
            match Lock::take(&path) {
                // The directory may have been destroyed since the file was opened.
                Ok(lock)
                    if fs::metadata(&path).is_ok_and(|now| lock.metadata().is_ok_and(|m| m.ino() == now.ino())) =>
                {
                    return Ok(Some(lock));
                }
                Ok(_) | Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Whether a supervisor lives.
    pub(crate) fn is_locked(&self) -> bool {
        let file = File::open(self.dir.join("supervisor.lock"));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}
