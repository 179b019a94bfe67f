//! Starts everything in its order, keeps it running, and stops it in the order's reverse.
//!
//! ```text
//!   lock ─▶ ports ─▶ proxies ─▶ secrets ─▶ PostgreSQL ─▶ databases ─▶ config files ─▶ services ─▶ ready
//!                                       └▶ broker ────────────────────────────────┘
//! ```

use std::{
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    task::{Id, JoinError, JoinSet},
    time::{Instant, sleep_until, timeout},
};

use crate::{
    config_files::{self, Sources},
    control::{self, Controlled, Socket, Status},
    files::Lock,
    keeper::{Handle, Keeper, State},
    layout::{ClusterFile, Endpoints, Layout},
    leftovers,
    lines::{self, Lines},
    logs,
    ports::{Ports, Reserved, Taken},
    postgres::{self, Postgres, PostgresError, download_binaries, ensure_database, find_binaries},
    process::{Kind, Program, Running},
    secrets::Secrets,
    spec::{BROKER, POSTGRES, SERVICES, Spec},
    tallies::Tallies,
};

/// A process that ends so often before it was ready is not going to be.
const FAILED_STARTS_MAX: u32 = 4;
/// Lines of a log that go into an error.
const LOG_LINES: usize = 20;
/// Longest time to stop a group of processes, which each takes 20 s at most; then they are dropped, which kills.
const STOP_MAX: Duration = Duration::from_secs(30);

/// What happens during a start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Directory and ports are looked at.
    Preparing {
        /// Where the cluster is kept.
        data_dir: PathBuf,
    },
    /// PostgreSQL is not installed and is being downloaded.
    DownloadingPostgres,
    /// The database server's data are being made, which takes a moment.
    InitialisingPostgres,
    /// A process is being started.
    Starting {
        /// Its name.
        process: &'static str,
        /// Where it is going to listen.
        address: String,
    },
    /// A process is ready.
    Ready {
        /// Its name.
        process: &'static str,
        /// Since the beginning of the start.
        after: Duration,
    },
}

/// Why a cluster does not start. Whatever had been started is stopped.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The name does not do.
    #[error("'{0}' is no name for a cluster: up to 32 small letters, digits and dashes, a letter first")]
    Name(String),
    /// One runs in the directory.
    #[error("a cluster is running in {0} already")]
    Running(PathBuf),
    /// Somebody else listens where we are to.
    #[error("taken ports: {}; free them, choose others, or let free ones be chosen (--any-port)", listed(.0))]
    PortsTaken(Vec<Taken>),
    /// No free port is left, or one that was free a moment ago is taken.
    #[error("a port that the cluster needs cannot be had")]
    NoPort(#[source] io::Error),
    /// A file or directory of the cluster cannot be made, read or written.
    #[error("the data directory {0} cannot be used")]
    DataDir(PathBuf, #[source] io::Error),
    /// The private database server does not start.
    #[error("PostgreSQL could not be started")]
    Postgres(#[from] PostgresError),
    /// The databases cannot be made.
    #[error("the databases could not be made")]
    Databases(#[source] sqlx::Error),
    /// A process is not ready in time, or does not stay alive until it is.
    #[error("{process} is not ready: {reason}")]
    NotReady {
        /// Its name.
        process: &'static str,
        /// What it says itself, or how it ended.
        reason: String,
        /// The end of its log.
        log_tail: String,
        /// The whole log.
        log: PathBuf,
    },
    /// Somebody asked over the control socket to stop.
    #[error("stopped before everything was ready")]
    Stopped,
    /// A task of the supervisor itself has ended.
    #[error(transparent)]
    TaskDied(#[from] TaskDied),
}

fn listed(taken: &[Taken]) -> String {
    taken.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A task of the supervisor has ended although it was not told to: a defect.
#[derive(Debug, thiserror::Error)]
#[error("the supervisor's task '{task}' died")]
pub struct TaskDied {
    task: &'static str,
    source: Option<JoinError>,
}

/// A running cluster. Dropped, it is killed without waiting; [`Supervisor::shutdown`] stops it in order.
pub struct Supervisor {
    controlled: Arc<Controlled>,
    handles: Arc<Vec<Handle>>,
    /// Keepers that have not begun.
    idle: Vec<Keeper>,
    tasks: JoinSet<()>,
    names: Vec<(Id, &'static str)>,
    changed: Arc<Notify>,
    stop_asked: watch::Receiver<bool>,
    tallies: Arc<Tallies>,
    layout: Layout,
    began: Instant,
    _lock: Lock,
    _reserved: Vec<Reserved>,
}

impl Supervisor {
    /// Starts a cluster, and returns when everything is ready. Must be called in a Tokio runtime with I/O and time.
    ///
    /// Dropping the future stops what was started.
    pub async fn start(spec: Spec, progress: impl Fn(Progress)) -> Result<Self, StartError> {
        progress(Progress::Preparing { data_dir: spec.data_dir.clone() });
        let (mut supervisor, secrets) = Self::prepare(&spec).await?;
        match supervisor.bring_up(&spec, &secrets, &progress).await {
            Ok(()) => Ok(supervisor),
            Err(error) => {
                supervisor.shutdown().await;
                Err(error)
            }
        }
    }

    /// Everything that can be refused before a process is started.
    async fn prepare(spec: &Spec) -> Result<(Self, Secrets), StartError> {
        if !spec.has_good_name() {
            return Err(StartError::Name(spec.name.clone()));
        }
        let bad = |source| StartError::DataDir(spec.data_dir.clone(), source);
        let layout = Layout::prepare(&spec.data_dir).map_err(bad)?;
        let lock = layout.lock().await.map_err(bad)?;
        let lock = lock.ok_or_else(|| StartError::Running(spec.data_dir.clone()))?;
        leftovers::stop(&layout).await;
        let (ports, mut reserved) = settle_ports(spec, &layout).await?;
        let last = layout.read_cluster().map(|last| last.lines).unwrap_or_default();
        let planned = lines::plan(spec, &ports, &last).await.map_err(StartError::NoPort)?;
        reserved.extend(planned.reserved);
        let mut tallies = Tallies::read(layout.struck());
        let opened = Lines::open(spec, &ports, &planned.ports, &mut tallies).await;
        let (lines, proxies) = opened.map_err(StartError::NoPort)?;
        let secrets = Secrets::read_or_make(&layout.secrets(), spec.postgres.as_deref()).map_err(bad)?;
        let socket = Socket::bind(layout.socket()).map_err(bad)?;
        let cluster = ClusterFile {
            name: spec.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            supervisor_pid: std::process::id(),
            endpoints: Endpoints::new(spec, &ports),
            ports,
            lines: planned.ports,
            lab: spec.lab,
            socket: socket.path.clone(),
        };
        layout.write_cluster(&cluster).map_err(bad)?;

        let changed = Arc::new(Notify::new());
        let keepers = programs(spec, &layout, &cluster).into_iter().map(|program| {
            let struck = tallies.of_process(program.name);
            Keeper::new(program, struck, Arc::clone(&changed))
        });
        let (idle, handles): (Vec<_>, Vec<_>) = keepers.unzip();
        let tallies = Arc::new(tallies);
        let handles = Arc::new(handles);
        let (stop, stop_asked) = watch::channel(false);
        let controlled = Arc::new(Controlled { cluster, handles: Arc::clone(&handles), lines, stop });
        let mut supervisor = Self {
            controlled: Arc::clone(&controlled),
            handles,
            idle,
            tasks: JoinSet::new(),
            names: Vec::new(),
            changed,
            stop_asked,
            tallies: Arc::clone(&tallies),
            layout,
            began: Instant::now(),
            _lock: lock,
            _reserved: reserved,
        };
        supervisor.spawn("tallies", tallies.keep());
        supervisor.spawn("control", control::serve(socket, controlled));
        proxies.into_iter().for_each(|proxy| supervisor.spawn("proxy", proxy.serve()));
        Ok((supervisor, secrets))
    }

    async fn bring_up(
        &mut self,
        spec: &Spec,
        secrets: &Secrets,
        progress: &impl Fn(Progress),
    ) -> Result<(), StartError> {
        let mut stop_asked = self.stop_asked.clone();
        tokio::select! {
            result = self.bring_up_in_order(spec, secrets, progress) => result,
            _ = stop_asked.wait_for(|stop| *stop) => Err(StartError::Stopped),
        }
    }

    async fn bring_up_in_order(
        &mut self,
        spec: &Spec,
        secrets: &Secrets,
        progress: &impl Fn(Progress),
    ) -> Result<(), StartError> {
        self.begin(BROKER, None, progress);
        let admin_url = match &spec.postgres {
            Some(url) => url.clone(),
            None => self.start_postgres(progress).await?,
        };
        for service in SERVICES {
            let name = spec.database(service);
            let made = ensure_database(&admin_url, &name, &name, secrets.password(service)).await;
            made.map_err(StartError::Databases)?;
        }
        let ClusterFile { ports, lines, endpoints, .. } = &self.controlled.cluster;
        let sources = Sources { spec, ports, lines, endpoints, secrets, admin_url: &admin_url };
        let written = config_files::write_all(&self.layout, &sources);
        written.map_err(|source| StartError::DataDir(self.layout.dir().to_owned(), source))?;

        let until = Instant::now() + spec.ready_within;
        self.wait_ready(&[POSTGRES, BROKER], until, progress).await?;
        for service in SERVICES {
            self.begin(service, None, progress);
        }
        self.wait_ready(&SERVICES, until, progress).await
    }

    /// Starts the private server here and not in its keeper, as only the first start can fail for good.
    async fn start_postgres(&mut self, progress: &impl Fn(Progress)) -> Result<String, StartError> {
        let Some(program) = self.idle.iter().map(Keeper::program).find(|program| program.name == POSTGRES) else {
            return Err(TaskDied { task: POSTGRES, source: None }.into());
        };
        let Kind::Postgres(options) = program.kind.clone() else {
            return Err(TaskDied { task: POSTGRES, source: None }.into());
        };
        if matches!(find_binaries(), Err(PostgresError::NoBinaries)) {
            progress(Progress::DownloadingPostgres);
            download_binaries().await?;
        }
        if !options.data_dir.join("PG_VERSION").exists() {
            progress(Progress::InitialisingPostgres);
        }
        let log = program.log.clone();
        progress(Progress::Starting { process: POSTGRES, address: program.address.to_string() });
        let server = Postgres::start_with_log(options, &log).await?;
        let admin_url = server.admin_url().to_owned();
        self.begin(POSTGRES, Some(Running::Postgres(server)), &|_| ());
        Ok(admin_url)
    }

    /// Sets a keeper to work, if there is one for this process.
    fn begin(&mut self, process: &'static str, started: Option<Running>, progress: &impl Fn(Progress)) {
        if let Some(index) = self.idle.iter().position(|keeper| keeper.program().name == process) {
            let keeper = self.idle.swap_remove(index);
            progress(Progress::Starting { process, address: keeper.program().address.to_string() });
            self.spawn(process, keeper.keep(started));
        }
    }

    async fn wait_ready(
        &mut self,
        processes: &[&'static str],
        until: Instant,
        progress: &impl Fn(Progress),
    ) -> Result<(), StartError> {
        let handles = Arc::clone(&self.handles);
        let mut waiting: Vec<&Handle> = handles.iter().filter(|handle| processes.contains(&handle.name)).collect();
        loop {
            waiting.retain(|handle| {
                let ready = handle.view().state == State::Ready;
                if ready {
                    progress(Progress::Ready { process: handle.name, after: self.began.elapsed() });
                }
                !ready
            });
            let Some(first) = waiting.first() else {
                return Ok(());
            };
            if let Some(hopeless) = waiting.iter().find(|handle| handle.view().restarts >= FAILED_STARTS_MAX) {
                return Err(not_ready(hopeless));
            }
            tokio::select! {
                () = self.changed.notified() => {}
                () = sleep_until(until) => return Err(not_ready(first)),
                ended = self.tasks.join_next_with_id() => return Err(task_died(&self.names, ended).into()),
            }
        }
    }

    fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.names.push((self.tasks.spawn(task).id(), name));
    }

    /// How everything is.
    pub fn status(&self) -> Status {
        self.controlled.status()
    }

    /// Where clients find the cluster.
    pub fn endpoints(&self) -> &Endpoints {
        &self.controlled.cluster.endpoints
    }

    /// Where the cluster is kept.
    pub fn data_dir(&self) -> &Path {
        self.layout.dir()
    }

    /// Keeps the cluster running until `stop` is done, or somebody asks for it over the control socket; then stops it.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), TaskDied> {
        let result = tokio::select! {
            () = stop => Ok(()),
            _ = self.stop_asked.wait_for(|stop| *stop) => Ok(()),
            ended = self.tasks.join_next_with_id() => Err(task_died(&self.names, ended)),
        };
        if let Err(died) = &result {
            tracing::error!(error = %died, source = ?died.source, "the cluster stops");
        }
        self.shutdown().await;
        result
    }

    /// Stops everything: first the services, then what they need. Takes as long as the slowest, and has a limit.
    pub async fn shutdown(mut self) {
        self.idle.clear();
        for group in [SERVICES.as_slice(), &[BROKER], &[POSTGRES]] {
            let group: Vec<&Handle> = self.handles.iter().filter(|handle| group.contains(&handle.name)).collect();
            group.iter().for_each(|handle| handle.ask_to_stop());
            let all_stopped = async {
                for handle in &group {
                    handle.stopped().await;
                }
            };
            if timeout(STOP_MAX, all_stopped).await.is_err() {
                tracing::error!("some processes do not stop and are killed");
            }
        }
        self.tasks.shutdown().await;
        self.tallies.write();
    }
}

async fn settle_ports(spec: &Spec, layout: &Layout) -> Result<(Ports, Vec<Reserved>), StartError> {
    let nothing = Ports { console: 0, orders: 0, inventory: 0, payments: 0, provider: 0, broker: 0, postgres: 0 };
    let wanted = match spec.any_port {
        true => layout.read_cluster().map_or(nothing, |last| last.ports),
        false => spec.ports,
    };
    let ours = |process: &str| spec.is_ours(process);
    let settled = wanted.settle(spec.any_port, ours).await;
    let (ports, reserved) = settled.map_err(StartError::NoPort)?;
    let taken = ports.taken(ours);
    if taken.is_empty() { Ok((ports, reserved)) } else { Err(StartError::PortsTaken(taken)) }
}

/// What runs in a cluster, in the order of the start.
fn programs(spec: &Spec, layout: &Layout, cluster: &ClusterFile) -> Vec<Program> {
    let all = [POSTGRES, BROKER].into_iter().chain(SERVICES).filter(|name| spec.is_ours(name));
    all.map(|name| {
        let port = cluster.ports.of(name).unwrap_or_default();
        let (exe, arguments) = (spec.exe.clone(), layout.arguments(name, port, &cluster.lines));
        let kind = match name {
            POSTGRES => Kind::Postgres(postgres::Options { data_dir: layout.postgres(), port, durable: spec.durable }),
            BROKER => Kind::Broker { exe, arguments },
            _ => Kind::Service { exe, arguments },
        };
        Program { name, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), log: layout.log(name), kind }
    })
    .collect()
}

fn not_ready(handle: &Handle) -> StartError {
    let view = handle.view();
    let reason = match (view.last_exit, view.unready) {
        (Some(exit), _) if view.restarts > 0 => format!("it ended {} times, at last: {exit}", view.restarts),
        (_, unready) => unready.unwrap_or_else(|| "it takes too long".into()),
    };
    let log_tail = logs::tail(&handle.log, LOG_LINES);
    StartError::NotReady { process: handle.name, reason, log_tail, log: handle.log.clone() }
}

fn task_died(names: &[(Id, &'static str)], ended: Option<Result<(Id, ()), JoinError>>) -> TaskDied {
    let (id, source) = match ended {
        Some(Ok((id, ()))) => (Some(id), None),
        Some(Err(error)) => (Some(error.id()), Some(error)),
        None => (None, None),
    };
    let name = names.iter().find(|(task, _)| Some(*task) == id).map(|(_, name)| *name);
    TaskDied { task: name.unwrap_or("unknown"), source }
}
