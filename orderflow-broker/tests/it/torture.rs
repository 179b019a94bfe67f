//! Torture: the broker's process is killed, stopped and run out of disk while librdkafka's producers and consumers
//! come and go. Afterwards the log is read whole and compared with what was acknowledged.
//!
//! The records number themselves: the value of key `k` is 0, 1, 2 … A producer's next number for a key follows only
//! when the one before was acknowledged or is in the same producer's queue, so the log must hold each key's numbers
//! in order and each once.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use orderflow_broker::{
    control,
    faults::{Fault, Request, Rule},
};
use rdkafka::{
    ClientConfig, ClientContext, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer},
    message::DeliveryResult,
    producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer},
    topic_partition_list::TopicPartitionListElem,
};

use crate::{
    process::{Process, free_port},
    raw::{Batch, Client},
    target::Target,
};

const TOPIC: &str = "torture";
const PARTITIONS: i32 = 3;
const KILLS: u32 = 20;
const PRODUCERS: u32 = 2;
const KEYS_PER_PRODUCER: u32 = 5;
const CONSUMERS: u32 = 3;
/// Time between two records of a producer.
const PACE: Duration = Duration::from_millis(2);
/// Records that a producer sends before another takes its place.
const PRODUCER_LIFE: u32 = 300;
/// Records that a consumer reads before another takes its place.
const CONSUMER_LIFE: u32 = 200;
/// Bound of every wait for something that must happen.
const DEADLINE: Duration = Duration::from_secs(60);

/// Partition and offset of a record.
type Place = (i32, i64);

/// A small generator (an LCG is enough to vary moments) so that a run can be told by its seed.
struct Moments(u64);

impl Moments {
    fn next_ms(&mut self, range: std::ops::Range<u64>) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_millis(range.start + (self.0 >> 33) % (range.end - range.start))
    }
}

fn client(port: u16) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", format!("127.0.0.1:{port}"))
        .set("reconnect.backoff.ms", "20")
        .set("reconnect.backoff.max.ms", "100")
        .set("log_level", "0");
    config
}

/// What producers were promised: key and number, and where the record is.
#[derive(Clone, Default)]
struct Acknowledged(Arc<Mutex<Vec<(String, u64, Place)>>>);

impl ClientContext for Acknowledged {}

impl ProducerContext for Acknowledged {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let message = result.as_ref().unwrap_or_else(|(error, _)| panic!("a record was given up: {error}"));
        let (key, number) = parse(message);
        self.0.lock().expect("no panic").push((key, number, (message.partition(), message.offset())));
    }
}

fn parse(message: &impl Message) -> (String, u64) {
    let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.expect("a key and a value").to_vec()).expect("text");
    (text(message.key()), text(message.payload()).parse().expect("a number"))
}

/// One producer after the other, each with an id of its own, until told to stop. Returns how far each key got.
fn produce(port: u16, who: u32, in_flight: &str, acknowledged: &Acknowledged, stop: &AtomicBool) -> u64 {
    let mut sent = 0;
    while !stop.load(Ordering::Relaxed) {
        let producer: ThreadedProducer<Acknowledged> = client(port)
            .set("enable.idempotence", "true")
            .set("linger.ms", "1")
            .set("message.timeout.ms", "60000")
            .set("retry.backoff.ms", "20")
            .set("max.in.flight", in_flight)
            .create_with_context(acknowledged.clone())
            .expect("a producer");
        for _ in 0..PRODUCER_LIFE {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            for key in 0..KEYS_PER_PRODUCER {
                let (key, value) = (format!("{who}-{key}"), sent.to_string());
                producer.send(BaseRecord::to(TOPIC).key(&key).payload(&value)).expect("the queue has room");
            }
            sent += 1;
            thread::sleep(PACE);
        }
        producer.flush(DEADLINE).expect("everything is acknowledged in the end");
    }
    sent
}

/// Raises its flags when dropped, so that the threads of a test that fails end too.
struct Raise<'a>(&'a [&'a AtomicBool]);

impl Drop for Raise<'_> {
    fn drop(&mut self) {
        self.0.iter().for_each(|flag| flag.store(true, Ordering::Relaxed));
    }
}

/// What members of the group have seen of each place.
type Seen = Mutex<BTreeMap<Place, (String, u64)>>;

/// One consumer after the other, until told to stop.
fn consume(port: u16, seen: &Seen, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let consumer: BaseConsumer = client(port)
            .set("group.id", "torture")
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "200")
            .set("partition.assignment.strategy", "cooperative-sticky")
            .create()
            .expect("a consumer");
        consumer.subscribe(&[TOPIC]).expect("a subscription");
        for _ in 0..CONSUMER_LIFE {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            // Errors are the broker being killed.
            if let Some(Ok(message)) = consumer.poll(Duration::from_millis(50)) {
                take(&message, seen);
                // A commit that fails is made up for by the next one: what was read again counts once.
                let _ = consumer.commit_message(&message, CommitMode::Async);
            }
        }
        let _ = consumer.commit_consumer_state(CommitMode::Sync);
    }
}

fn take(message: &impl Message, seen: &Seen) {
    let place = (message.partition(), message.offset());
    let record = parse(message);
    let known = seen.lock().expect("no panic").insert(place, record.clone());
    assert!(known.is_none_or(|known| known == record), "{place:?} has changed");
}

/// Waits until the group has committed everything up to `ends`. Asks on a connection of its own: on a member's, the
/// answer would wait behind the member's request to join.
fn wait_for_group(port: u16, ends: &TopicPartitionList) {
    let observer: BaseConsumer = client(port).set("group.id", "torture").create().expect("a consumer");
    let is_committed = |end: &TopicPartitionListElem<'_>, committed: &TopicPartitionList| {
        let found = committed.find_partition(TOPIC, end.partition()).map(|c| c.offset());
        end.offset() == Offset::Offset(0) || found == Some(end.offset())
    };
    let begin = Instant::now();
    loop {
        let committed = observer.committed_offsets(ends.clone(), DEADLINE).expect("the coordinator answers");
        if ends.elements().iter().all(|end| is_committed(end, &committed)) {
            return;
        }
        assert!(begin.elapsed() < DEADLINE, "the group is at {committed:?} and does not get to {ends:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Reads the whole log. Fails if offsets have a gap.
fn read_all(port: u16) -> BTreeMap<Place, (String, u64)> {
    let consumer: BaseConsumer =
        client(port).set("group.id", "reader").set("enable.auto.commit", "false").create().expect("a consumer");
    let mut log = BTreeMap::new();
    for partition in 0..PARTITIONS {
        let (low, high) = consumer.fetch_watermarks(TOPIC, partition, DEADLINE).expect("watermarks");
        assert_eq!(low, 0);
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(TOPIC, partition, Offset::Beginning).expect("a partition");
        consumer.assign(&assignment).expect("an assignment");
        let mut next = 0;
        let begin = Instant::now();
        while next < high {
            assert!(begin.elapsed() < DEADLINE, "partition {partition} ends at {next}, not at {high}");
            let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) else { continue };
            assert_eq!(message.offset(), next, "partition {partition} has a gap");
            log.insert((partition, next), parse(&message));
            next += 1;
        }
    }
    log
}

fn ends(log: &BTreeMap<Place, (String, u64)>) -> TopicPartitionList {
    let mut ends = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        let end = log.range((partition, 0)..(partition + 1, 0)).count();
        let end = Offset::Offset(i64::try_from(end).expect("a small log"));
        ends.add_partition_offset(TOPIC, partition, end).expect("a partition");
    }
    ends
}

fn check_log(log: &BTreeMap<Place, (String, u64)>, acknowledged: &[(String, u64, Place)], sent: &[u64]) {
    // librdkafka may conclude from the answer to a later batch that an earlier one is there; it does not know where then.
    for (key, number, place) in acknowledged.iter().filter(|(.., (_, offset))| *offset >= 0) {
        assert_eq!(log.get(place), Some(&(key.clone(), *number)), "acknowledged at {place:?}");
    }
    let mut by_key: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (key, number) in log.values() {
        by_key.entry(key).or_default().push(*number);
    }
    for (who, sent) in sent.iter().enumerate() {
        for key in 0..KEYS_PER_PRODUCER {
            let numbers = by_key.remove(format!("{who}-{key}").as_str()).unwrap_or_default();
            let wrong = (0..*sent).zip(&numbers).find(|(expected, found)| expected != *found);
            assert_eq!(
                wrong, None,
                "key {who}-{key}: expected and found, where each number should be once and in order"
            );
            assert_eq!(numbers.len() as u64, *sent, "key {who}-{key}");
        }
    }
    assert!(by_key.is_empty(), "keys that nobody sent: {by_key:?}");
}

/// The whole game: `after_start` is called with every new process.
fn torture(seed: u64, in_flight: &str, after_start: impl Fn(&Process, u64)) {
    let dir = tempfile::tempdir().expect("a directory");
    let mut broker = Process::start(dir.path(), free_port());
    let port = broker.port;
    create_topic(port);
    let acknowledged = Acknowledged::default();
    let (stop, done, seen) = (AtomicBool::new(false), AtomicBool::new(false), Seen::default());
    let mut moments = Moments(seed);
    let (log, sent) = thread::scope(|scope| {
        let spawn = |who| {
            let (acknowledged, stop) = (&acknowledged, &stop);
            scope.spawn(move || produce(port, who, in_flight, acknowledged, stop))
        };
        let producers: Vec<_> = (0..PRODUCERS).map(spawn).collect();
        for _ in 0..CONSUMERS {
            scope.spawn(|| consume(port, &seen, &done));
        }
        let _at_the_end = Raise(&[&stop, &done]);
        for round in 0..KILLS {
            after_start(&broker, seed + u64::from(round));
            thread::sleep(moments.next_ms(30..600));
            broker.kill();
            broker = Process::start(dir.path(), port);
        }
        stop.store(true, Ordering::Relaxed);
        let sent: Vec<u64> = producers.into_iter().map(|p| p.join().expect("the producer did its work")).collect();
        let log = read_all(port);
        wait_for_group(port, &ends(&log));
        (log, sent)
    });
    let acknowledged = acknowledged.0.lock().expect("no panic");
    assert!(acknowledged.len() > 1_000, "{} records are too few to prove anything", acknowledged.len());
    check_log(&log, &acknowledged, &sent);
    assert_eq!(*seen.lock().expect("no panic"), log, "the group has seen every record where the log has it");
}

fn create_topic(port: u16) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut client = Client::connect(&Target::at(format!("127.0.0.1:{port}"))).await;
        client.create_topic(TOPIC, PARTITIONS, &[("segment.bytes", "100000")]).await;
    });
}

#[test]
fn killed_twenty_times_nothing_acknowledged_is_lost_or_doubled() {
    torture(1, "5", |_, _| {});
}

#[test]
fn killed_twenty_times_with_faults_on_nothing_acknowledged_is_lost_or_doubled() {
    let not_enough_replicas = 19; // an error that a producer must retry
    let coordinator_loading = 14; // an error that a consumer must retry
    let error = |request, code| Rule::new(Fault::Error { request, code });
    // One request at a time: when a batch is refused, those behind it are out of order, and librdkafka then takes a new
    // producer id and sends again under it what it does not know the fate of. No broker can tell that these are
    // duplicates; with Apache Kafka they are there too. (Consumers recognise them by the event's id.)
    torture(2, "1", |broker, seed| {
        let rules = [
            Rule::new(Fault::DropBeforeAppend).percent(3.0, seed),
            Rule::new(Fault::DropAfterAppend).percent(5.0, seed),
            Rule::new(Fault::DelayProduce { ms: 20 }).percent(10.0, seed),
            Rule::new(Fault::DelayFetch { ms: 20 }).percent(10.0, seed),
            Rule::new(Fault::DiskFull).percent(2.0, seed),
            error(Request::Produce, not_enough_replicas).percent(3.0, seed),
            error(Request::OffsetCommit, coordinator_loading).percent(5.0, seed),
            error(Request::Heartbeat, coordinator_loading).percent(5.0, seed),
        ];
        for rule in rules {
            let answer = broker.control(&control::Command::Set(rule));
            assert!(answer["id"].is_u64(), "{answer}");
        }
        broker.control(&control::Command::Rebalance { group: "torture".into() });
    });
}

/// The log as one partition has it, from 0 on, by a raw client.
async fn values_of(client: &mut Client, topic: &str) -> Vec<String> {
    let mut values = Vec::new();
    loop {
        let next = i64::try_from(values.len()).expect("a small log");
        let found = crate::raw::values(&client.fetch(topic, 0, next).await);
        if found.is_empty() {
            return values;
        }
        values.extend(found.into_iter().filter(|(offset, _)| *offset >= next).map(|(_, value)| value));
    }
}

/// A file system of a few megabytes; unmounted when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None` where it may not be mounted.
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(dir.path()).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then(|| Self(dir))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_disk_that_is_full_costs_errors_and_no_acknowledged_record() {
    use std::io::Write as _;
    let Some(disk) = SmallDisk::mount() else {
        let line = b"SKIPPED torture::a_disk_that_is_full*: mounting a tmpfs needs root\n";
        std::io::stderr().write_all(line).expect("stderr takes a line");
        return;
    };
    let filler = disk.0.path().join("filler");
    std::fs::write(&filler, vec![0; 2 << 20]).expect("two megabytes of room");
    let broker = Process::start(&disk.0.path().join("data"), 0);
    let target = Target::at(broker.bootstrap());
    let mut client = Client::connect(&target).await;
    client.create_topic("full", 1, &[]).await;
    let value = |n: usize| format!("{n}-{}", "x".repeat(50_000));
    let mut acknowledged: usize = 0;
    let mut refused = 0;
    while refused < 5 {
        assert!(acknowledged < 1000, "the disk never fills");
        match client.produce("full", 0, Batch::of(&[&value(acknowledged)]).encode()).await {
            Ok(offset) => {
                assert_eq!(usize::try_from(offset), Ok(acknowledged), "no gap after a failed append");
                acknowledged += 1;
            }
            Err(error) => {
                assert_eq!(error, kafka_protocol::error::ResponseError::KafkaStorageError);
                refused += 1;
            }
        }
    }
    assert!(acknowledged > 10);
    assert_eq!(values_of(&mut client, "full").await.len(), acknowledged, "reading goes on");
    std::fs::remove_file(&filler).expect("the filler");
    for _ in 0..5 {
        let appended = client.produce("full", 0, Batch::of(&[&value(acknowledged)]).encode()).await;
        assert_eq!(appended.map(usize::try_from), Ok(Ok(acknowledged)), "with room it goes on");
        acknowledged += 1;
    }
    let (data_dir, port) = (broker.data_dir.clone(), broker.port);
    broker.kill();
    let _broker = Process::start(&data_dir, port);
    let mut client = Client::connect(&target).await;
    let expected: Vec<String> = (0..acknowledged).map(value).collect();
    assert_eq!(values_of(&mut client, "full").await, expected);
}

#[test]
fn stopped_for_longer_than_a_session_the_broker_goes_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let broker = Process::start(dir.path(), 0);
    let port = broker.port;
    create_topic(port);
    let acknowledged = Acknowledged::default();
    let (stop, done, seen) = (AtomicBool::new(false), AtomicBool::new(false), Seen::default());
    let (log, sent) = thread::scope(|scope| {
        let producer = scope.spawn(|| produce(port, 0, "5", &acknowledged, &stop));
        for _ in 0..2 {
            scope.spawn(|| consume(port, &seen, &done));
        }
        let _at_the_end = Raise(&[&stop, &done]);
        thread::sleep(Duration::from_millis(500));
        broker.signal("STOP");
        thread::sleep(Duration::from_millis(7_000)); // sessions are six seconds
        broker.signal("CONT");
        thread::sleep(Duration::from_millis(500));
        stop.store(true, Ordering::Relaxed);
        let sent = producer.join().expect("the producer did its work");
        let log = read_all(port);
        wait_for_group(port, &ends(&log));
        (log, sent)
    });
    check_log(&log, &acknowledged.0.lock().expect("no panic"), &[sent]);
    assert_eq!(*seen.lock().expect("no panic"), log);
}

#[test]
fn a_stopped_consumer_loses_its_partitions_and_comes_back() {
    use std::io::{BufRead as _, BufReader, Write as _};
    let dir = tempfile::tempdir().expect("a directory");
    let broker = Process::start(dir.path(), 0);
    create_topic(broker.port);
    let mut kcat = Command::new("kcat");
    kcat.args(["-b", &broker.bootstrap(), "-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=200"])
        .args(["-X", "auto.offset.reset=earliest", "-u", "-f", "%p %o\n", "-G", "zombie", TOPIC])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let Ok(mut zombie) = kcat.spawn() else {
        let line = b"SKIPPED torture::a_stopped_consumer*: kcat not found\n";
        std::io::stderr().write_all(line).expect("stderr takes a line");
        return;
    };
    let (lines, read) = std::sync::mpsc::channel();
    let stdout = zombie.stdout.take().expect("it is piped");
    thread::spawn(move || BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
    let acknowledged = Acknowledged::default();
    let producer: ThreadedProducer<Acknowledged> =
        client(broker.port).create_with_context(acknowledged.clone()).expect("a producer");
    let send = |partition: i32| {
        let record = BaseRecord::to(TOPIC).partition(partition).key("k").payload("0");
        producer.send(record).expect("the queue has room");
        producer.flush(DEADLINE).expect("it is acknowledged");
    };
    (0..PARTITIONS).for_each(send);
    let first: BTreeSet<String> = (0..3).map(|_| read.recv_timeout(DEADLINE).expect("kcat reads")).collect();
    assert_eq!(first, ["0 0", "1 0", "2 0"].map(String::from).into());

    let signal = |name: &str| {
        let sent = Command::new("kill").args([name, &zombie.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    };
    signal("-STOP");
    let other: BaseConsumer = client(broker.port)
        .set("group.id", "zombie")
        .set("auto.offset.reset", "earliest")
        .set("session.timeout.ms", "6000")
        .set("heartbeat.interval.ms", "200")
        .create()
        .expect("a consumer");
    other.subscribe(&[TOPIC]).expect("a subscription");
    let begin = Instant::now();
    while other.assignment().expect("an assignment").count() < 3 {
        assert!(begin.elapsed() < DEADLINE, "the zombie keeps its partitions");
        let _ = other.poll(Duration::from_millis(50));
    }
    assert!(begin.elapsed() < Duration::from_secs(12), "one session, not a rebalance time-out: {:?}", begin.elapsed());

    signal("-CONT");
    let begin = Instant::now();
    while other.assignment().expect("an assignment").count() == 3 {
        assert!(begin.elapsed() < DEADLINE, "the zombie does not come back");
        let _ = other.poll(Duration::from_millis(50));
    }
    drop(other);
    (0..PARTITIONS).for_each(send);
    let mut again = BTreeSet::new();
    while !["0 1", "1 1", "2 1"].iter().all(|line| again.contains(*line)) {
        again.insert(read.recv_timeout(DEADLINE).expect("kcat reads on"));
    }
    let _ = zombie.kill();
    let _ = zombie.wait();
}
