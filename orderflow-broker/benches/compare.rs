//! The embedded broker and Apache Kafka side by side, as processes, through librdkafka: `cargo bench -p orderflow-broker`.
//!
//! Prints a table. Nothing is asserted: figures depend on the machine, and a gate on them would be a flaky test.
//! Apache Kafka is left out, loudly, when its jars are not in the cache (`docker/kafka-local/kafka.sh fetch`).
//! `ORDERFLOW_BENCH_RECORDS` sets how many records the throughput part sends (default 1,000,000).

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseProducer, BaseRecord, Producer},
};

const RECORD_BYTES: usize = 300;
const LATENCY_RECORDS: usize = 2_000;
const LATENCY_PACE: Duration = Duration::from_millis(2);
const JOINS: usize = 20;
const RESTARTS: usize = 5;
const IDLE_CONSUMERS: usize = 10;
const IDLE_TIME: Duration = Duration::from_secs(10);
const START_TIMEOUT: Duration = Duration::from_secs(60);
const STEP_TIMEOUT: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Embedded,
    Apache,
}

/// A broker's process; killed when dropped.
struct Server {
    kind: Kind,
    dir: PathBuf,
    port: u16,
    process: Child,
}

impl Server {
    /// Starts the process and returns once it says that it is ready.
    fn start(kind: Kind, dir: &Path, port: u16) -> Self {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in a workspace");
        let mut command = match kind {
            Kind::Embedded => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_orderflow-broker"));
                command.arg("--data-dir").arg(dir);
                command
            }
            Kind::Apache => {
                let mut command = Command::new(repository.join("docker/kafka-local/kafka.sh"));
                command.arg("run").arg("--dir").arg(dir);
                command
            }
        };
        let mut process = command
            .args(["--port", &port.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the broker's program starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("the broker prints its address");
        assert_eq!(line.trim(), format!("127.0.0.1:{port}"), "{kind:?} is not ready");
        Self { kind, dir: dir.to_owned(), port, process }
    }

    fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn kill_and_restart(mut self) -> Self {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it ends");
        Self::start(self.kind, &self.dir.clone(), self.port)
    }

    /// User and system time so far.
    fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).expect("the process lives");
        let fields: Vec<&str> = stat.rsplit(')').next().expect("a name").split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().expect("utime") + fields[12].parse::<u64>().expect("stime");
        Duration::from_millis(ticks * 10) // Linux counts in hundredths of a second
    }

    fn resident_mib(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("the process lives");
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).expect("VmRSS");
        let kib: f64 = line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
        kib / 1024.0
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", self.bootstrap())
            .set("log_level", "0")
            // The default of up to 10 s would be most of what a restart takes.
            .set("reconnect.backoff.ms", "20")
            .set("reconnect.backoff.max.ms", "100");
        config
    }

    fn consumer(&self, group: &str) -> BaseConsumer {
        self.client()
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .create()
            .expect("a consumer")
    }

    fn create_topic(&self, name: &str, partitions: i32) {
        let admin: AdminClient<_> = self.client().create().expect("an admin client");
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let made = runtime.block_on(admin.create_topics([&topic], &AdminOptions::new())).expect("an answer");
        made[0].as_ref().expect("the topic is created");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Records a second of an idempotent producer that sends as fast as it can, until the last one is acknowledged.
fn throughput(server: &Server, records: usize) -> f64 {
    server.create_topic("throughput", 4);
    let producer: BaseProducer = server
        .client()
        .set("enable.idempotence", "true")
        .set("linger.ms", "5")
        .set("queue.buffering.max.messages", "100000")
        .create()
        .expect("a producer");
    let payload = vec![b'x'; RECORD_BYTES];
    let begin = Instant::now();
    for key in 0..records {
        let key = key.to_string();
        let mut record = BaseRecord::to("throughput").key(&key).payload(&payload);
        while let Err((error, refused)) = producer.send(record) {
            assert_eq!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull));
            producer.poll(Duration::from_millis(1));
            record = refused;
        }
    }
    producer.flush(STEP_TIMEOUT).expect("everything is acknowledged");
    records as f64 / begin.elapsed().as_secs_f64()
}

/// From the send of a single record to its arrival at a waiting consumer, one record at a time: p50 and p99 in ms.
fn latency(server: &Server) -> (f64, f64) {
    server.create_topic("latency", 1);
    let consumer = server.consumer("latency");
    consumer.subscribe(&["latency"]).expect("a subscription");
    let producer: BaseProducer =
        server.client().set("enable.idempotence", "true").set("linger.ms", "0").create().expect("a producer");
    let round_trip = || {
        let begin = Instant::now();
        producer.send(BaseRecord::<(), str>::to("latency").payload("one record")).expect("it is queued");
        loop {
            assert!(begin.elapsed() < STEP_TIMEOUT, "the record does not arrive");
            if let Some(message) = consumer.poll(Duration::from_secs(1)) {
                message.expect("a record");
                break;
            }
        }
        let elapsed = begin.elapsed();
        producer.poll(Duration::ZERO);
        elapsed
    };
    for _ in 0..50 {
        round_trip(); // until everything is connected and warm
    }
    let mut times = Vec::new();
    for _ in 0..LATENCY_RECORDS {
        times.push(round_trip());
        std::thread::sleep(LATENCY_PACE);
    }
    times.sort_unstable();
    let ms = |at: usize| times[at].as_secs_f64() * 1e3;
    (ms(LATENCY_RECORDS / 2), ms(LATENCY_RECORDS * 99 / 100))
}

/// From `subscribe` of the first member of a new group to its assignment, median in ms. The consumer is connected.
fn join(server: &Server) -> f64 {
    server.create_topic("join", 4);
    let mut times: Vec<f64> = (0..JOINS)
        .map(|n| {
            let consumer = server.consumer(&format!("join-{n}"));
            consumer.fetch_metadata(Some("join"), STEP_TIMEOUT).expect("metadata");
            let begin = Instant::now();
            consumer.subscribe(&["join"]).expect("a subscription");
            while consumer.assignment().expect("an assignment").count() == 0 {
                assert!(begin.elapsed() < STEP_TIMEOUT, "the group does not form");
                consumer.poll(Duration::from_millis(1));
            }
            begin.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[JOINS / 2]
}

/// From the kill of the broker until a consumer that stayed has read a record that was sent after it, median in ms.
fn restart(mut server: Server) -> (Server, f64) {
    server.create_topic("restart", 1);
    let consumer = server.consumer("restart");
    consumer.subscribe(&["restart"]).expect("a subscription");
    let mut times = Vec::new();
    for _ in 0..=RESTARTS {
        let begin = Instant::now();
        server = server.kill_and_restart();
        let producer: BaseProducer = server.client().set("linger.ms", "0").create().expect("a producer");
        producer.send(BaseRecord::<(), str>::to("restart").payload("after")).expect("it is queued");
        // What the client reports meanwhile are the connections that broke.
        while !matches!(consumer.poll(Duration::from_millis(1)), Some(Ok(_))) {
            assert!(begin.elapsed() < START_TIMEOUT, "the broker does not serve again");
            producer.poll(Duration::ZERO);
        }
        times.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    times.remove(0); // the group formed only then
    times.sort_by(f64::total_cmp);
    (server, times[RESTARTS / 2])
}

/// Per cent of a core that the broker takes while consumers of a group wait for records that do not come.
fn idle(server: &Server) -> f64 {
    server.create_topic("idle", i32::try_from(IDLE_CONSUMERS).expect("a few"));
    let consumers: Vec<BaseConsumer> = (0..IDLE_CONSUMERS).map(|_| server.consumer("idle")).collect();
    for consumer in &consumers {
        consumer.subscribe(&["idle"]).expect("a subscription");
    }
    let begin = Instant::now();
    while consumers.iter().any(|c| c.assignment().expect("an assignment").count() != 1) {
        assert!(begin.elapsed() < STEP_TIMEOUT, "the group does not settle");
        consumers.iter().for_each(|c| drop(c.poll(Duration::from_millis(5))));
    }
    let before = server.cpu();
    let begin = Instant::now();
    while begin.elapsed() < IDLE_TIME {
        consumers.iter().for_each(|c| drop(c.poll(Duration::from_millis(50))));
    }
    (server.cpu() - before).as_secs_f64() / begin.elapsed().as_secs_f64() * 100.0
}

fn measure(kind: Kind, records: usize) -> BTreeMap<&'static str, String> {
    let dir = tempfile::tempdir().expect("a directory");
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
    let server = Server::start(kind, dir.path(), port);
    let mut figures = BTreeMap::new();
    figures.insert("5 memory at rest (MiB)", format!("{:.1}", server.resident_mib()));
    let (p50, p99) = latency(&server);
    figures.insert("2 end to end, one record (ms, p50 / p99)", format!("{p50:.2} / {p99:.2}"));
    figures.insert("3 join of a new group (ms, median)", format!("{:.1}", join(&server)));
    figures.insert("4 idle with ten consumers (% of a core)", format!("{:.2}", idle(&server)));
    figures.insert("1 records in (per second, 300 bytes, idempotent)", format!("{:.0}", throughput(&server, records)));
    figures.insert("6 memory after that (MiB)", format!("{:.1}", server.resident_mib()));
    let (_server, served) = restart(server);
    figures.insert("7 kill -9 to the next record at a consumer (ms, median)", format!("{served:.0}"));
    figures
}

/// Where `kafka.sh` keeps the jars.
fn apache_cache() -> PathBuf {
    if let Some(cache) = std::env::var_os("ORDERFLOW_CACHE") {
        return cache.into();
    }
    let home = PathBuf::from(std::env::var_os("HOME").expect("HOME is set"));
    std::env::var_os("XDG_CACHE_HOME").map_or(home.join(".cache"), PathBuf::from).join("orderflow")
}

fn main() {
    let records = std::env::var("ORDERFLOW_BENCH_RECORDS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let embedded = measure(Kind::Embedded, records);
    let cache = apache_cache();
    let apache = if cache.join("kafka-4.3.1/lib").is_dir() {
        measure(Kind::Apache, records)
    } else {
        eprintln!("Apache Kafka is LEFT OUT: run docker/kafka-local/kafka.sh fetch first");
        BTreeMap::new()
    };
    println!("| what | embedded | Apache Kafka |\n|---|---|---|");
    for (what, figure) in embedded {
        println!("| {} | {figure} | {} |", &what[2..], apache.get(what).map_or("", String::as_str));
    }
}
