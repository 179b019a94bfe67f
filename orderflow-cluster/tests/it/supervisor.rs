use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use orderflow_cluster::{
    Action, Need, Ports, Progress, SERVICES, Spec, StartError, State, Supervisor, attach,
    control::{ControlError, ProcessStatus, Request, Response, Status, request},
    doctor,
    postgres::Postgres,
};
use tokio::sync::oneshot;

use crate::{
    lines,
    processes::{self, Other, PATIENCE, eventually, nobody_works_on, public_tempdir, with_text},
    stand_in,
};

/// A cluster in `dir/data`, of stand-ins, on free ports.
pub fn spec(dir: &Path) -> Spec {
    let exe = dir.join("stand-in");
    let exe = if exe.exists() { exe } else { stand_in::install(dir) };
    Spec { data_dir: dir.join("data"), any_port: true, durable: false, ..Spec::new("test", exe) }
}

pub async fn start(spec: Spec) -> Supervisor {
    match Supervisor::start(spec, |_| ()).await {
        Ok(supervisor) => supervisor,
        Err(error) => panic!("{error}: {error:?}"),
    }
}

async fn refused(spec: Spec) -> StartError {
    match Supervisor::start(spec, |_| ()).await {
        Ok(_) => panic!("it starts"),
        Err(error) => error,
    }
}

pub async fn status(dir: &Path) -> Status {
    match request(dir, Request::Status).await.unwrap() {
        Response::Status(status) => *status,
        other => panic!("{other:?}"),
    }
}

pub fn of<'a>(status: &'a Status, process: &str) -> &'a ProcessStatus {
    status.processes.iter().find(|one| one.name == process).unwrap()
}

async fn signal(dir: &Path, process: &str, action: Action) -> Response {
    request(dir, Request::Signal { process: process.into(), action, for_ms: None }).await.unwrap()
}

/// A cluster that runs in a task, until told to stop.
pub struct Run {
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

pub fn run(supervisor: Supervisor) -> Run {
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        let stopped = async {
            stopped.await.unwrap();
        };
        supervisor.run(stopped).await.unwrap();
    });
    Run { stop, task }
}

impl Run {
    pub async fn end(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
    }
}

#[tokio::test]
async fn starts_everything_tells_about_it_and_stops_it() {
    let dir = public_tempdir();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let spec = spec(dir.path());
    let noted = Arc::clone(&seen);
    let supervisor = Supervisor::start(spec.clone(), move |event| noted.lock().unwrap().push(event)).await.unwrap();
    let data = supervisor.data_dir().to_owned();
    assert!(supervisor.status().healthy);

    let seen = std::mem::take(&mut *seen.lock().unwrap());
    assert_eq!(seen[0], Progress::Preparing { data_dir: data.clone() });
    for process in SERVICES.into_iter().chain(["postgres", "broker"]) {
        let ready = |event: &Progress| matches!(event, Progress::Ready { process: one, .. } if *one == process);
        assert_eq!(seen.iter().filter(|event| ready(event)).count(), 1, "{process}: {seen:?}");
    }

    let told = status(&data).await;
    assert!(told.healthy && told.supervisor_pid == std::process::id());
    assert_eq!(&told.endpoints, supervisor.endpoints());
    assert_eq!(told.processes.len(), 7);
    assert!(told.processes.iter().all(|one| one.state == State::Ready && one.restarts == 0 && one.pid.is_some()));
    let cluster = attach::running(&data).unwrap();
    assert_eq!(attach::list(dir.path()).len(), 1);
    assert!(attach::list(dir.path())[0].running);
    assert_eq!(cluster.endpoints, told.endpoints);
    assert!(doctor::checks(&spec).await.iter().all(|check| check.ok));

    no_secret_is_seen(&data);
    assert!(matches!(refused(spec.clone()).await, StartError::Running(_)));
    assert!(matches!(attach::destroy(&data).await, Err(attach::DestroyError::Running(_))));

    supervisor.shutdown().await;
    nobody_works_on(dir.path()).await;
    assert!(matches!(request(&data, Request::Status).await, Err(ControlError::NotRunning(_))));
    assert!(attach::running(&data).is_none());

    // The same ports again, then nothing is left.
    let again = start(spec).await;
    assert_eq!(again.endpoints(), &cluster.endpoints);
    assert_eq!(attach::running(&data).unwrap().lines, cluster.lines);
    again.shutdown().await;
    attach::destroy(&data).await.unwrap();
    assert!(!data.exists());
    assert!(matches!(attach::destroy(dir.path()).await, Err(attach::DestroyError::NotACluster(_))));
    assert!(dir.path().exists());
}

/// Files with secrets are ours alone, and none of the secrets is in an argument, a log or the public file.
fn no_secret_is_seen(data: &Path) {
    let secrets = fs::read_to_string(data.join("secrets.json")).unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&secrets).unwrap();
    let mut values: Vec<String> =
        ["provider_key", "token_private_key"].map(|key| parsed[key].as_str().unwrap().into()).into();
    values.extend(parsed["postgres_passwords"].as_object().unwrap().values().map(|v| v.as_str().unwrap().to_owned()));
    values.push(fs::read_to_string(data.join("postgres.password")).unwrap());
    let mut public = fs::read_to_string(data.join("cluster.json")).unwrap();
    public.extend(with_text(data.to_str().unwrap()).into_iter().map(|(_, command)| command));
    for log in fs::read_dir(data.join("logs")).unwrap() {
        public += &fs::read_to_string(log.unwrap().path()).unwrap();
    }
    assert!(values.len() == 8 && values.iter().all(|secret| secret.len() >= 32 && !public.contains(secret)));
    let orders = fs::read_to_string(data.join("logs/orders.log")).unwrap();
    assert!(!orders.contains("CARGO") && orders.contains("PATH"), "{orders}");

    let private = ["secrets.json", "config/orders.toml", "config/psp.toml", "supervisor.sock", "postgres.password"];
    for name in private {
        let mode = fs::metadata(data.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn what_is_killed_is_started_again() {
    let dir = public_tempdir();
    let supervisor = start(spec(dir.path())).await;
    let data = supervisor.data_dir().to_owned();
    let running = run(supervisor);
    for process in ["orders", "broker", "postgres"] {
        let before = of(&status(&data).await, process).pid.unwrap();
        processes::signal(before, "-KILL");
        eventually("its restart", async || {
            let told = status(&data).await;
            let now = of(&told, process);
            now.state == State::Ready && now.restarts == 1 && now.pid != Some(before)
        })
        .await;
        let told = status(&data).await;
        let reason = of(&told, process).reason.clone().unwrap();
        assert!(reason.contains("signal") && reason.contains('9'), "{process}: {reason}");
    }
    assert_eq!(signal(&data, "orders", Action::Kill).await, Response::Done);
    eventually("its second restart", async || of(&status(&data).await, "orders").restarts == 2).await;
    assert_eq!(signal(&data, "psp", Action::Restart).await, Response::Done);
    eventually("another restart", async || of(&status(&data).await, "psp").restarts == 1).await;
    eventually("health", async || status(&data).await.healthy).await;
    let unknown = signal(&data, "nobody", Action::Kill).await;
    assert!(matches!(unknown, Response::Refused { .. }), "{unknown:?}");
    running.end().await;
    nobody_works_on(dir.path()).await;
}

#[tokio::test]
async fn what_is_paused_is_resumed_and_stops_all_the_same() {
    let dir = public_tempdir();
    let supervisor = start(spec(dir.path())).await;
    let data = supervisor.data_dir().to_owned();
    let running = run(supervisor);
    for process in ["inventory", "postgres"] {
        signal(&data, process, Action::Pause).await;
        eventually("the pause", async || of(&status(&data).await, process).state == State::Paused).await;
        assert!(!status(&data).await.healthy);
        signal(&data, process, Action::Resume).await;
        eventually("health", async || status(&data).await.healthy).await;
        assert_eq!(of(&status(&data).await, process).restarts, 0);
    }
    for process in ["orders", "broker", "postgres"] {
        signal(&data, process, Action::Pause).await;
    }
    assert_eq!(request(&data, Request::Stop).await.unwrap(), Response::Done);
    assert!(attach::wait_stopped(&data, PATIENCE).await);
    running.task.await.unwrap();
    nobody_works_on(dir.path()).await;
}

async fn hold_down(dir: &Path, process: &str, time: Duration) -> Response {
    let for_ms = Some(time.as_millis().try_into().unwrap());
    request(dir, Request::Signal { process: process.into(), action: Action::Kill, for_ms }).await.unwrap()
}

#[tokio::test]
async fn what_is_killed_for_a_while_stays_away_for_it() {
    let dir = public_tempdir();
    let supervisor = start(spec(dir.path())).await;
    let data = supervisor.data_dir().to_owned();
    let running = run(supervisor);

    // For so long, and then it is back by itself.
    let (began, time) = (tokio::time::Instant::now(), Duration::from_millis(600));
    assert_eq!(hold_down(&data, "orders", time).await, Response::Done);
    eventually("its end", async || of(&status(&data).await, "orders").pid.is_none()).await;
    let told = status(&data).await;
    let orders = of(&told, "orders");
    assert!(!told.healthy && orders.state == State::HeldDown && orders.resumes_at_ms.is_some(), "{orders:?}");
    assert!(orders.reason.as_ref().unwrap().contains("held down"), "{orders:?}");
    eventually("its return", async || of(&status(&data).await, "orders").pid.is_some()).await;
    assert!(began.elapsed() >= time);
    eventually("health", async || status(&data).await.healthy).await;

    // What is done to it meanwhile finds nothing; killed again it is away for longer; whoever wants it back gets it.
    let hour = Duration::from_secs(3600);
    for (process, back) in [("orders", Some(Action::Resume)), ("postgres", Some(Action::Restart)), ("broker", None)] {
        assert_eq!(hold_down(&data, process, hour).await, Response::Done);
        eventually("its end", async || of(&status(&data).await, process).pid.is_none()).await;
        let before = of(&status(&data).await, process).resumes_at_ms.unwrap();
        let paused = signal(&data, process, Action::Pause).await;
        assert!(matches!(&paused, Response::Refused { reason } if reason.contains("held down")), "{paused:?}");
        assert_eq!(hold_down(&data, process, hour * 2).await, Response::Done);
        let longer = async || of(&status(&data).await, process).resumes_at_ms.is_some_and(|at| at > before);
        eventually("the longer time", longer).await;
        let back = back.map(|action| Request::Signal { process: process.into(), action, for_ms: None });
        let heal = Request::Heal { service: None, from: None };
        assert_eq!(request(&data, back.unwrap_or(heal)).await.unwrap(), Response::Done);
        eventually("health", async || status(&data).await.healthy).await;
        assert_eq!(of(&status(&data).await, process).resumes_at_ms, None);
    }

    // Healed at once, before it has even ended.
    assert_eq!(hold_down(&data, "psp", hour).await, Response::Done);
    assert_eq!(request(&data, Request::Heal { service: None, from: None }).await.unwrap(), Response::Done);
    eventually("health", async || status(&data).await.healthy && of(&status(&data).await, "psp").restarts == 1).await;

    // It does not keep the cluster from ending.
    assert_eq!(hold_down(&data, "inventory", hour).await, Response::Done);
    running.end().await;
    nobody_works_on(dir.path()).await;
}

#[tokio::test]
async fn one_that_is_unwell_says_why() {
    let dir = public_tempdir();
    let supervisor = start(spec(dir.path())).await;
    let data = supervisor.data_dir().to_owned();
    fs::write(data.join("payments.unready"), "no database").unwrap();
    eventually("ill health", async || {
        let told = status(&data).await;
        let now = of(&told, "payments");
        now.state == State::Unhealthy && now.reason.as_deref() == Some("it answers 503: no database")
    })
    .await;
    supervisor.shutdown().await;
}

#[tokio::test]
async fn the_one_that_does_not_get_ready_is_named_and_nothing_is_left() {
    let dir = public_tempdir();
    let spec = spec(dir.path());
    fs::create_dir(&spec.data_dir).unwrap();
    fs::set_permissions(&spec.data_dir, fs::Permissions::from_mode(0o711)).unwrap();
    let ends = spec.data_dir.join("payments.ends");
    fs::write(&ends, "").unwrap();
    let error = refused(spec.clone()).await;
    let StartError::NotReady { process, reason, log_tail, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*process, "payments");
    assert!(reason.contains("exit status: 3"), "{reason}");
    assert!(log_tail.contains("payments says why it ends"), "{log_tail}");
    nobody_works_on(dir.path()).await;

    fs::remove_file(ends).unwrap();
    fs::write(spec.data_dir.join("console.unready"), "still thinking").unwrap();
    let error = refused(Spec { ready_within: Duration::from_secs(3), ..spec }).await;
    let StartError::NotReady { process, reason, .. } = &error else { panic!("{error:?}") };
    assert_eq!((*process, reason.as_str()), ("console", "it answers 503: still thinking"));
    nobody_works_on(dir.path()).await;
}

#[tokio::test]
async fn every_taken_port_is_named() {
    let dir = public_tempdir();
    let held = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let [orders, broker] = held.each_ref().map(|listener| listener.local_addr().unwrap().port());
    let free = Ports { console: 0, orders, inventory: 0, payments: 0, provider: 0, broker, postgres: 0 };
    let error = refused(Spec { any_port: false, ports: free, ..spec(dir.path()) }).await;
    assert!(matches!(&error, StartError::PortsTaken(taken) if taken.len() == 2), "{error:?}");
    let text = error.to_string();
    for part in [format!("{orders} (for orders)"), format!("{broker} (for broker)"), "--any-port".into()] {
        assert!(text.contains(&part), "{text}");
    }
    let bad = refused(Spec { name: "Bad Name".into(), ..spec(dir.path()) }).await;
    assert!(matches!(bad, StartError::Name(_)));
}

#[tokio::test]
async fn somebody_elses_server_and_broker_are_used_and_left_clean() {
    let dir = public_tempdir();
    let server = Postgres::start_temporary().await.unwrap();
    let url = server.admin_url().to_owned();
    let spec = Spec { postgres: Some(url.clone()), broker: Some("kafka.example:9092".into()), ..spec(dir.path()) };
    let supervisor = start(spec).await;
    let data = supervisor.data_dir().to_owned();
    assert_eq!(supervisor.endpoints().broker, "kafka.example:9092");
    assert_eq!(supervisor.status().processes.len(), 5);
    let lines = attach::running(&data).unwrap().lines;
    let proxy = lines.iter().find(|line| line.service == "orders" && line.to == Need::Postgres).unwrap();
    let config = fs::read_to_string(data.join("config/orders.toml")).unwrap();
    assert!(config.contains(&format!("@127.0.0.1:{}/orderflow_test_orders", proxy.proxy)), "{config}");
    assert!(config.contains("kafka = \"kafka.example:9092\""));
    // The proxy leads to that server.
    let database_url = lines::database_url(&data, "orders");
    <sqlx::PgConnection as sqlx::Connection>::connect(&database_url).await.unwrap();
    let cut = Request::Cut { service: "orders".into(), from: Need::Broker, for_ms: None };
    let Response::Refused { reason } = request(&data, cut).await.unwrap() else { panic!("it is cut") };
    assert!(reason.contains("somebody else's Kafka"), "{reason}");
    supervisor.shutdown().await;
    attach::destroy(&data).await.unwrap();
    let mut admin = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
    let left: i64 = sqlx::query_scalar("select count(*) from pg_roles where rolname like 'orderflow%'")
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert_eq!(left, 0);
    drop(admin);
    server.stop().await;
}

#[tokio::test]
async fn a_long_path_gets_a_short_socket() {
    let dir = public_tempdir();
    let spec = Spec { data_dir: dir.path().join("d".repeat(120)), ..spec(dir.path()) };
    let supervisor = start(spec.clone()).await;
    let socket = attach::running(&spec.data_dir).unwrap().socket;
    assert!(!socket.starts_with(&spec.data_dir));
    assert!(status(&spec.data_dir).await.healthy);
    supervisor.shutdown().await;
    assert!(!socket.parent().unwrap().exists());
}

/// The process that is killed.
#[tokio::test]
#[ignore = "run by another test"]
async fn hold_a_cluster() {
    let Some(dir) = processes::argument() else { return };
    let supervisor = start(spec(&dir)).await;
    println!("\nready=");
    supervisor.run(std::future::pending()).await.unwrap();
}

#[tokio::test]
async fn everything_ends_with_a_supervisor_that_is_killed() {
    let dir = public_tempdir();
    let mut other = Other::run("supervisor::hold_a_cluster", dir.path());
    other.says("ready=");
    let data = dir.path().join("data");
    assert!(status(&data).await.healthy);
    other.kill();
    nobody_works_on(&data).await;
    assert!(matches!(request(&data, Request::Status).await, Err(ControlError::NotRunning(_))));
}

#[tokio::test]
async fn what_hangs_after_that_is_killed_at_the_next_start() {
    let dir = public_tempdir();
    let mut other = Other::run("supervisor::hold_a_cluster", dir.path());
    other.says("ready=");
    let data = dir.path().join("data");
    let hanging = of(&status(&data).await, "orders").pid.unwrap();
    processes::signal(hanging, "-STOP");
    other.kill();
    let supervisor = start(spec(dir.path())).await;
    assert!(!processes::alive(hanging));
    supervisor.shutdown().await;
    nobody_works_on(dir.path()).await;
}

#[tokio::test]
async fn a_dropped_start_leaves_nothing() {
    let dir = public_tempdir();
    for process in ["postgres", "orders"] {
        let reached = tokio::sync::Notify::new();
        let notice = |event| {
            if matches!(event, Progress::Starting { process: one, .. } if one == process) {
                reached.notify_one();
            }
        };
        tokio::select! {
            _ = Supervisor::start(spec(dir.path()), notice) => panic!("it is not dropped"),
            () = reached.notified() => {}
        }
        nobody_works_on(dir.path()).await;
    }
    start(spec(dir.path())).await.shutdown().await;
}

#[tokio::test]
async fn a_bad_line_is_refused_and_a_long_one_cut_off() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let dir = public_tempdir();
    let supervisor = start(spec(dir.path())).await;
    let socket = attach::running(supervisor.data_dir()).unwrap().socket;
    for line in [b"nonsense\n".to_vec(), vec![b'x'; 70 << 10]] {
        let mut stream = tokio::net::UnixStream::connect(&socket).await.unwrap();
        let _ = stream.write_all(&line).await;
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        assert!(answer.is_empty() || answer.contains("not a request"), "{answer}");
    }
    assert!(status(supervisor.data_dir()).await.healthy);
    supervisor.shutdown().await;
}
