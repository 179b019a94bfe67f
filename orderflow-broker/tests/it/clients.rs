//! Foreign clients as processes: kcat (librdkafka), two Python clients and Kafka's own Java tools, each against both
//! brokers. What they print is compared with what is in the log, not only their exit codes.
//!
//! A tool that is not on this machine skips its tests with a line on stderr; with `ORDERFLOW_REQUIRE_TOOLS=1` a
//! missing kcat or Python client fails them. The Java tools may always be missing: Maven Central is not everywhere.
//!
//! The Python clients assert by themselves, in `tests/clients/*.py`.

use std::{
    collections::BTreeMap,
    io::{Read, Write as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, LazyLock, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    raw::{self, Batch},
    target::{Target, conformance, unique},
};

conformance! {
    kcat_makes_a_topic_and_reads_what_it_wrote,
    kcat_reads_from_a_time,
    kcat_lists_metadata,
    kcat_group_goes_on_where_it_committed,
    kcat_member_takes_over_from_a_killed_one,
    confluent_kafka_python,
    kafka_python,
    java_console_producer_to_console_consumer,
    java_consumer_groups,
    java_topics,
    java_verifiable_producer_to_verifiable_consumer,
    java_producer_performance,
}

// kcat

async fn kcat_makes_a_topic_and_reads_what_it_wrote(target: &Target) {
    if !Tool::Kcat.is_here(target, "kcat_makes_a_topic_and_reads_what_it_wrote") {
        return;
    }
    // Not created beforehand: the first record does it.
    let topic = unique("kcat-roundtrip");
    // Not zstd: Debian's librdkafka is built without it.
    let codecs = ["none", "gzip", "snappy", "lz4"];
    for codec in codecs {
        let args = format!("-P -t {topic} -K: -Z -z {codec} -H codec={codec} -H empty=");
        // Long enough to be worth compressing, and the last one's value is null.
        let input = format!("a:{}\nb:two\na:\n", codec.repeat(100));
        Process::start(kcat(target, &args), &input).succeeds().await;
    }

    let args = format!(r"-C -t {topic} -o beginning -e -f %p|%o|%k=%s|%S|%h\n");
    let mut expected = Vec::new();
    for (base, codec) in (0..).step_by(3).zip(codecs) {
        let headers = format!("codec={codec},empty=");
        let long = codec.repeat(100);
        expected.extend([
            format!("0|{base}|a={long}|{}|{headers}", long.len()),
            format!("0|{}|b=two|3|{headers}", base + 1),
            format!("0|{}|a=|-1|{headers}", base + 2),
        ]);
    }
    assert_eq!(run(kcat(target, &args)).await.lines(), expected);
}

async fn kcat_reads_from_a_time(target: &Target) {
    if !Tool::Kcat.is_here(target, "kcat_reads_from_a_time") {
        return;
    }
    let topic = unique("kcat-time");
    let mut client = raw::Client::connect(target).await;
    client.create_topic(&topic, 1, &[]).await;
    let start = raw::now_ms();
    for (late, value) in [(0, "zero"), (10, "one"), (20, "two")] {
        append(&mut client, &topic, 0, Batch::at(&[(start + late, value)])).await;
    }

    let read = async |offsets: &str| {
        let args = format!(r"-C -t {topic} -e -f %o|%s|%T\n {offsets}");
        run(kcat(target, &args)).await.lines()
    };
    let from = |late| format!("-o s@{}", start + late);
    let zero = format!("0|zero|{start}");
    let one = format!("1|one|{}", start + 10);
    let two = format!("2|two|{}", start + 20);
    assert_eq!(read(&from(0)).await, [&*zero, &one, &two]);
    assert_eq!(read(&from(1)).await, [&*one, &two]);
    assert_eq!(read(&from(20)).await, [&*two]);
    assert_eq!(read(&from(21)).await, [""; 0]);
    let until_two = format!("{} -o e@{}", from(1), start + 20);
    assert_eq!(read(&until_two).await, [&*one]);

    let query = format!("-Q -t {topic}:0:{}", start + 11);
    let answer = run(kcat(target, &query)).await;
    assert_eq!(answer.lines(), [format!("{topic} [0] offset 2")]);
}

async fn kcat_lists_metadata(target: &Target) {
    if !Tool::Kcat.is_here(target, "kcat_lists_metadata") {
        return;
    }
    let topic = unique("kcat-metadata");
    let mut client = raw::Client::connect(target).await;
    client.create_topic(&topic, 2, &[]).await;
    for args in [&format!("-L -J -t {topic}"), "-L -J"] {
        let listed = run(kcat(target, args)).await;
        let listed: Value = serde_json::from_str(&listed.stdout).expect("kcat -J prints JSON");
        let id = &listed["brokers"][0]["id"];
        assert_eq!(listed["brokers"], json!([{"id": id, "name": target.bootstrap()}]));
        assert_eq!(listed["controllerid"], *id);
        let copies = json!([{"id": id}]);
        let partitions: Vec<_> =
            (0..2).map(|n| json!({"partition": n, "leader": id, "replicas": copies, "isrs": copies})).collect();
        let topics = listed["topics"].as_array().expect("a list of topics");
        assert_eq!(
            topics.iter().find(|found| found["topic"] == *topic),
            Some(&json!({"topic": topic, "partitions": partitions}))
        );
    }
}

async fn kcat_group_goes_on_where_it_committed(target: &Target) {
    if !Tool::Kcat.is_here(target, "kcat_group_goes_on_where_it_committed") {
        return;
    }
    let (topic, group) = (unique("kcat-group"), unique("group"));
    let mut client = raw::Client::connect(target).await;
    client.create_topic(&topic, 2, &[]).await;
    let read = async || {
        let args = format!(r"-G {group} -X auto.offset.reset=earliest -e -f %p|%o|%s\n {topic}");
        run(kcat(target, &args)).await.sorted_lines()
    };
    append(&mut client, &topic, 0, Batch::of(&["a", "b"])).await;
    append(&mut client, &topic, 1, Batch::of(&["c"])).await;
    assert_eq!(read().await, ["0|0|a", "0|1|b", "1|0|c"]);
    append(&mut client, &topic, 1, Batch::of(&["d", "e"])).await;
    assert_eq!(read().await, ["1|1|d", "1|2|e"]);
    assert_eq!(read().await, [""; 0]);
}

async fn kcat_member_takes_over_from_a_killed_one(target: &Target) {
    if !Tool::Kcat.is_here(target, "kcat_member_takes_over_from_a_killed_one") {
        return;
    }
    let (topic, group) = (unique("kcat-takeover"), unique("group"));
    let mut client = raw::Client::connect(target).await;
    client.create_topic(&topic, 2, &[]).await;
    let args = format!(
        "-u -G {group} -X session.timeout.ms=3000 -X heartbeat.interval.ms=100 \
         -X auto.offset.reset=earliest -f %p|%o|%s\\n {topic}"
    );
    let mut first = Process::start(kcat(target, &args), "");
    let mut second = Process::start(kcat(target, &args), "");
    let has = |count| {
        let topic = topic.clone();
        move |output: &Output| assigned(output, &topic) == count
    };
    first.until("its half", has(1)).await;
    second.until("its half", has(1)).await;
    second.kill();
    first.until("both partitions", has(2)).await;
    for partition in [0, 1] {
        append(&mut client, &topic, partition, Batch::of(&["after"])).await;
    }
    let read = first.until("both records", |output| output.lines().len() == 2).await;
    let expected = ["0|0|after", "1|0|after"];
    assert_eq!(read.sorted_lines(), expected, "{}", read.stderr);
}

/// How many partitions a kcat group member has, by the last of the lines
/// `% Group G rebalanced (memberid M): assigned: TOPIC [0], TOPIC [1]`.
fn assigned(output: &Output, topic: &str) -> usize {
    let last = output.stderr.lines().rfind(|line| line.contains(" rebalanced "));
    last.and_then(|line| line.split_once(": assigned: ")).map_or(0, |(_, partitions)| partitions.matches(topic).count())
}

fn kcat(target: &Target, args: &str) -> Command {
    let mut command = Command::new("kcat");
    // Not the settings of whoever runs the tests.
    command.env("KCAT_CONFIG", "/dev/null");
    command.args(["-b", target.bootstrap()]);
    command.args(args.split(' ').filter(|word| !word.is_empty()));
    command
}

// Python

async fn confluent_kafka_python(target: &Target) {
    if Tool::ConfluentKafka.is_here(target, "confluent_kafka_python") {
        python(target, "confluent_client.py", &["topics", "compressions", "offsets_by_time", "groups"]).await;
    }
}

async fn kafka_python(target: &Target) {
    if Tool::KafkaPython.is_here(target, "kafka_python") {
        python(target, "kafka_python_client.py", &["topics", "records", "offsets_by_time", "groups"]).await;
    }
}

async fn python(target: &Target, script: &str, parts: &[&str]) {
    let mut command = Command::new(python_path());
    command.arg(here().join("tests/clients").join(script)).args([target.bootstrap(), &unique("python")]);
    let output = Process::start(command, "").succeeds().await;
    let passed: Vec<_> =
        output.stdout.lines().filter_map(|line| line.strip_prefix("passed ")?.split(' ').next()).collect();
    assert_eq!(passed, parts);
}

fn python_path() -> String {
    std::env::var("ORDERFLOW_TEST_PYTHON")
        .unwrap_or_else(|_| here().join("../target/test-venv/bin/python").display().to_string())
}

// Kafka's own tools

async fn java_console_producer_to_console_consumer(target: &Target) {
    if !Tool::Java.is_here(target, "java_console_producer_to_console_consumer") {
        return;
    }
    let topic = unique("java-console");
    for codec in ["none", "zstd"] {
        let args = format!(
            "--topic {topic} --compression-codec {codec} \
             --reader-property parse.key=true --reader-property parse.headers=true"
        );
        let long = codec.repeat(100);
        let input = format!("codec:{codec},n:1\tk1\tvalue one\ncodec:{codec},n:2\tk2\t{long}\n");
        Process::start(java(target, "console-producer", &args), &input).succeeds().await;
    }

    let args = format!(
        "--topic {topic} --from-beginning --max-messages 4 --timeout-ms 20000 \
         --formatter-property print.offset=true --formatter-property print.headers=true \
         --formatter-property print.key=true"
    );
    let read = run(java(target, "console-consumer", &args)).await;
    let expected = [
        "Offset:0\tcodec:none,n:1\tk1\tvalue one".to_owned(),
        format!("Offset:1\tcodec:none,n:2\tk2\t{}", "none".repeat(100)),
        "Offset:2\tcodec:zstd,n:1\tk1\tvalue one".to_owned(),
        format!("Offset:3\tcodec:zstd,n:2\tk2\t{}", "zstd".repeat(100)),
    ];
    assert_eq!(read.lines(), expected);
    assert!(read.stderr.contains("Processed a total of 4 messages"), "{read:?}");
}

async fn java_consumer_groups(target: &Target) {
    if !Tool::Java.is_here(target, "java_consumer_groups") {
        return;
    }
    let (topic, group) = (unique("java-groups"), unique("group"));
    let mut client = raw::Client::connect(target).await;
    client.create_topic(&topic, 2, &[]).await;
    append(&mut client, &topic, 0, Batch::of(&["a", "b", "c"])).await;
    append(&mut client, &topic, 1, Batch::of(&["d", "e"])).await;

    let groups = async |args: &str| run(java(target, "consumer-groups", args)).await;
    let describe = async |columns: &str, what: &str| {
        let args = format!("--describe --group {group} {what}");
        table(&groups(&args).await.stdout, columns)
    };
    let state = async || describe("GROUP STATE #MEMBERS", "--state").await;
    let positions = async || describe("PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG", "").await;

    let args = format!("--topic {topic} --group {group} --from-beginning --command-property client.id=member");
    let mut member = Process::start(java(target, "console-consumer", &args), "");
    member.until("five records", |output| output.lines().len() == 5).await;
    let columns = "GROUP CLIENT-ID #PARTITIONS CURRENT-ASSIGNMENT";
    assert_eq!(describe(columns, "--members --verbose").await, [format!("{group} member 2 {topic}:0,1")]);
    assert_eq!(state().await, [format!("{group} Stable 1")]);
    assert_eq!(describe("ASSIGNMENT-STRATEGY", "--state").await, ["range"]);
    let refused = groups(&format!("--delete --group {group}")).await;
    assert!(refused.stdout.contains("GroupNotEmptyException"), "{refused:?}");

    // It commits and leaves.
    member.terminate();
    member.ended().await;
    assert_eq!(state().await, [format!("{group} Empty 0")]);
    let row = format!("{group} {topic}");
    assert_eq!(describe("GROUP TOPIC", "").await, [&*row, &row]);
    assert_eq!(positions().await, ["0 3 3 0", "1 2 2 0"]);
    append(&mut client, &topic, 1, Batch::of(&["f", "g"])).await;
    assert_eq!(positions().await, ["0 3 3 0", "1 2 4 2"]);

    let args = format!("--reset-offsets --to-earliest --execute --topic {topic} --group {group}");
    assert_eq!(
        table(&groups(&args).await.stdout, "GROUP TOPIC PARTITION NEW-OFFSET"),
        [format!("{group} {topic} 0 0"), format!("{group} {topic} 1 0")]
    );
    assert_eq!(positions().await, ["0 0 3 3", "1 0 4 4"]);

    assert!(groups("--list").await.lines().contains(&group));
    let deleted = groups(&format!("--delete --group {group}")).await;
    let expected = format!("Deletion of requested consumer groups ('{group}') was successful.");
    assert!(deleted.lines().contains(&expected), "{deleted:?}");
    assert!(!groups("--list").await.lines().contains(&group));
}

async fn java_topics(target: &Target) {
    if !Tool::Java.is_here(target, "java_topics") {
        return;
    }
    let topic = unique("java-topics");
    let topics = |args: &str| Process::start(java(target, "topics", args), "");
    let create = format!("--create --topic {topic} --partitions 2 --replication-factor 1");
    let describe = format!("--describe --topic {topic}");

    let created = topics(&format!("{create} --config retention.ms=3600000"));
    assert_eq!(created.succeeds().await.lines(), [format!("Created topic {topic}.")]);
    let again = topics(&create).fails().await;
    let expected = format!("Topic '{topic}' already exists.");
    assert!(again.stdout.contains(&expected), "{again:?}");
    assert!(topics("--list").succeeds().await.lines().contains(&topic));

    let described = topics(&describe).succeeds().await;
    // `Name: value` between tabs; the first line is about the topic, one for each partition follows.
    let lines: Vec<BTreeMap<&str, &str>> = described
        .stdout
        .lines()
        .map(|line| line.split('\t').filter_map(|field| field.split_once(": ")))
        .map(Iterator::collect)
        .collect();
    let [about, partitions @ ..] = &lines[..] else { panic!("{described:?}") };
    let found = ["Topic", "PartitionCount", "ReplicationFactor"].map(|name| about[name]);
    assert_eq!(found, [topic.as_str(), "2", "1"]);
    let mut configs = about["Configs"].split(',');
    assert!(configs.any(|config| config == "retention.ms=3600000"), "{described:?}");
    let columns = ["Topic", "Partition", "Leader", "Replicas", "Isr"];
    let found: Vec<_> = partitions.iter().map(|line| columns.map(|name| line[name])).collect();
    let leader = partitions[0]["Leader"];
    assert_eq!(found, [[&topic, "0", leader, leader, leader], [&topic, "1", leader, leader, leader]]);

    let delete = format!("--delete --topic {topic}");
    topics(&delete).succeeds().await;
    let gone = topics(&describe).fails().await;
    let expected = format!("Topic '{topic}' does not exist as expected");
    assert!(gone.stdout.contains(&expected), "{gone:?}");
    assert!(!topics("--list").succeeds().await.lines().contains(&topic));
}

async fn java_verifiable_producer_to_verifiable_consumer(target: &Target) {
    const RECORDS: u64 = 1000;
    if !Tool::Java.is_here(target, "java_verifiable_producer_to_verifiable_consumer") {
        return;
    }
    let (topic, group) = (unique("java-verifiable"), unique("group"));
    // Each of the two prints one JSON document for each event, with its name.
    let named = |output: &Output, name: &str| -> Vec<Value> {
        let events = output.stdout.lines().map(serde_json::from_str::<Value>);
        let events = events.map(|event| event.expect("a JSON document a line"));
        events.filter(|event| event["name"] == name).collect()
    };
    let records = |events: Vec<Value>| -> Vec<_> {
        let record = |event: &Value| json!([event["offset"], event["value"]]);
        events.iter().map(record).collect()
    };
    let all: Vec<_> = (0..RECORDS).map(|n| json!([n, n.to_string()])).collect();

    let args = format!("--topic {topic} --max-messages {RECORDS} --acks -1");
    let produced = run(java(target, "verifiable-producer", &args)).await;
    assert_eq!(records(named(&produced, "producer_send_success")), all);
    let total = &named(&produced, "tool_data")[0];
    assert_eq!((&total["sent"], &total["acked"]), (&json!(RECORDS), &json!(RECORDS)));

    let args = format!("--topic {topic} --group-id {group} --max-messages {RECORDS} --reset-policy earliest --verbose");
    let consumed = run(java(target, "verifiable-consumer", &args)).await;
    assert_eq!(records(named(&consumed, "record_data")), all);
    let counts = named(&consumed, "records_consumed");
    let count: u64 = counts.iter().filter_map(|event| event["count"].as_u64()).sum();
    assert_eq!(count, RECORDS);
    let commits = named(&consumed, "offsets_committed");
    assert!(commits.iter().all(|event| event["success"] == true), "{commits:?}");
    let last = commits.last().expect("a commit");
    assert_eq!(last["offsets"], json!([{"topic": topic, "partition": 0, "offset": RECORDS}]));
}

async fn java_producer_performance(target: &Target) {
    if !Tool::Java.is_here(target, "java_producer_performance") {
        return;
    }
    let topic = unique("java-performance");
    let mut client = raw::Client::connect(target).await;
    client.create_topic(&topic, 1, &[]).await;
    let args = format!("--topic {topic} --num-records 5000 --record-size 300 --throughput -1");
    let report = run(java(target, "producer-perf-test", &args)).await;
    let lines = report.lines();
    let last = lines.last().expect("a report");
    assert!(last.starts_with("5000 records sent, ") && last.contains(" 99th, "), "{report:?}");
    let end = client.list_offset(&topic, 0, raw::LATEST).await.offset;
    assert_eq!(end, 5000);
}

fn java(target: &Target, tool: &str, args: &str) -> Command {
    let mut command = kafka_sh();
    command.args(["tool", tool, "--bootstrap-server", target.bootstrap()]);
    command.args(args.split_whitespace());
    command
}

fn kafka_sh() -> Command {
    Command::new(here().join("../docker/kafka-local/kafka.sh"))
}

/// The named columns of what `consumer-groups` prints, the rows in order.
///
/// Cells are told apart by the spaces between them. Only the coordinator's has spaces of its own: `HOST:PORT  (ID)`.
fn table(stdout: &str, columns: &str) -> Vec<String> {
    let text = stdout.replace(" (ID)", "(ID)").replace("  (", "(");
    let mut lines = text.lines().filter(|line| !line.is_empty());
    let header: Vec<_> = lines.next().unwrap_or("").split_whitespace().collect();
    let place = |column| header.iter().position(|found| *found == column);
    let places: Option<Vec<_>> = columns.split(' ').map(place).collect();
    let places = places.unwrap_or_else(|| panic!("a table with {columns}, not {stdout:?}"));
    let mut rows: Vec<_> = lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .map(|cells| places.iter().map(|place| cells[*place]).collect::<Vec<_>>().join(" "))
        .collect();
    rows.sort();
    rows
}

// Tools and processes

async fn run(command: Command) -> Output {
    Process::start(command, "").succeeds().await
}

async fn append(client: &mut raw::Client, topic: &str, partition: i32, batch: Batch) {
    let appended = client.produce(topic, partition, batch.encode()).await;
    appended.expect("appended");
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[derive(Clone, Copy, PartialEq)]
enum Tool {
    Kcat,
    ConfluentKafka,
    KafkaPython,
    Java,
}

impl Tool {
    /// Whether the test can run; says loudly when it cannot.
    fn is_here(self, target: &Target, test: &str) -> bool {
        static FOUND: LazyLock<[bool; 4]> =
            LazyLock::new(|| [Tool::Kcat, Tool::ConfluentKafka, Tool::KafkaPython, Tool::Java].map(Tool::answers));
        if FOUND[self as usize] {
            return true;
        }
        let reason = match self {
            Self::Kcat => "kcat not found; apt-get install kcat".to_owned(),
            Self::ConfluentKafka | Self::KafkaPython => format!(
                "{} lacks a client of orderflow-broker/tests/clients/requirements.txt; make that venv, or set ORDERFLOW_TEST_PYTHON",
                python_path()
            ),
            Self::Java => "Kafka's jars not found; docker/kafka-local/kafka.sh fetch".to_owned(),
        };
        let required = std::env::var("ORDERFLOW_REQUIRE_TOOLS").is_ok_and(|value| value == "1");
        assert!(self == Self::Java || !required, "{reason}");
        let broker = if target.is_apache() { "apache" } else { "ours" };
        // Not `eprintln!`: libtest captures that, and a skipped test must not look like a passed one.
        let line = format!("SKIPPED clients::{broker}::{test}: {reason}\n");
        std::io::stderr().write_all(line.as_bytes()).expect("stderr takes a line");
        false
    }

    fn answers(self) -> bool {
        let mut command = match self {
            Self::Kcat => Command::new("kcat"),
            Self::ConfluentKafka | Self::KafkaPython => Command::new(python_path()),
            Self::Java => kafka_sh(),
        };
        match self {
            Self::Kcat => command.arg("-V"),
            Self::ConfluentKafka => command.args(["-c", "import confluent_kafka"]),
            Self::KafkaPython => command.args(["-c", "import kafka.admin"]),
            Self::Java => command.arg("fetched"),
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

/// From start to end. The slowest is the Python client with about 6 s on an idle machine; on a busy one it was not done after 45.
const PROCESS_DEADLINE: Duration = Duration::from_secs(180);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A process and its children; ends with this value.
struct Process {
    command: String,
    deadline: Instant,
    child: Child,
    stdout: Arc<Mutex<Vec<u8>>>,
    stderr: Arc<Mutex<Vec<u8>>>,
    pipes: Vec<JoinHandle<()>>,
}

/// What a process printed, until now or until its end.
#[derive(Debug)]
struct Output {
    stdout: String,
    stderr: String,
}

impl Output {
    fn sorted_lines(&self) -> Vec<String> {
        let mut lines = self.lines();
        lines.sort();
        lines
    }

    fn lines(&self) -> Vec<String> {
        self.stdout.lines().map(str::to_owned).collect()
    }
}

impl Process {
    fn start(mut command: Command, input: &str) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let (stdout, stderr) = (Arc::default(), Arc::default());
        let (mut stdin, input) = (child.stdin.take().expect("piped"), input.to_owned());
        let pipes = vec![
            collect(child.stdout.take().expect("piped"), &stdout),
            collect(child.stderr.take().expect("piped"), &stderr),
            // A process that ends without reading it all says so by its exit code.
            thread::spawn(move || drop(stdin.write_all(input.as_bytes()))),
        ];
        Self {
            command: format!("{command:?}"),
            deadline: Instant::now() + PROCESS_DEADLINE,
            child,
            stdout,
            stderr,
            pipes,
        }
    }

    fn output(&self) -> Output {
        let text = |buffer: &Mutex<Vec<u8>>| {
            String::from_utf8_lossy(&buffer.lock().expect("no panic in `collect`")).into_owned()
        };
        Output { stdout: text(&self.stdout), stderr: text(&self.stderr) }
    }

    /// Waits for something that a running process prints. `holds` is given whole lines only.
    async fn until(&mut self, what: &str, holds: impl Fn(&Output) -> bool) -> Output {
        loop {
            let mut output = self.output();
            for text in [&mut output.stdout, &mut output.stderr] {
                text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
            }
            if holds(&output) {
                return output;
            }
            if let Some(status) = self.child.try_wait().expect("a child") {
                self.fail(&format!("ended with {status} before it had {what}"));
            }
            self.pause(what).await;
        }
    }

    /// Waits for its end and for everything it printed.
    async fn ended(&mut self) -> ExitStatus {
        loop {
            if let Some(status) = self.child.try_wait().expect("a child")
                && self.pipes.iter().all(JoinHandle::is_finished)
            {
                return status;
            }
            self.pause("its end").await;
        }
    }

    async fn succeeds(mut self) -> Output {
        let status = self.ended().await;
        if !status.success() {
            self.fail(&format!("ended with {status}"));
        }
        self.output()
    }

    async fn fails(mut self) -> Output {
        if self.ended().await.success() {
            self.fail("succeeded, which it must not");
        }
        self.output()
    }

    async fn pause(&self, what: &str) {
        if Instant::now() > self.deadline {
            self.fail(&format!("did not come to {what} within {PROCESS_DEADLINE:?}"));
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }

    fn fail(&self, why: &str) -> ! {
        let Output { stdout, stderr } = self.output();
        panic!("{} {why}\n--- stdout\n{stdout}\n--- stderr\n{stderr}", self.command)
    }

    fn terminate(&self) {
        self.signal("TERM");
    }

    fn kill(&self) {
        self.signal("KILL");
    }

    /// To the group, for a shell script may have children.
    fn signal(&self, name: &str) {
        let script = format!("kill -{name} -{}", self.child.id());
        // Fails when it has just ended by itself.
        let _ = Command::new("sh").args(["-c", &script]).stderr(Stdio::null()).status();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Once it has been waited for, its number may be another's.
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            self.kill();
            let _ = self.child.wait();
        }
    }
}

fn collect(mut pipe: impl Read + Send + 'static, buffer: &Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    let buffer = Arc::clone(buffer);
    thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(length @ 1..) = pipe.read(&mut chunk) {
            buffer.lock().expect("no panic while it is held").extend_from_slice(&chunk[..length]);
        }
    })
}

#[tokio::test]
async fn a_process_ends_with_its_value_and_takes_its_children_along() {
    let mut command = Command::new("sh");
    command.args(["-c", "sleep 600 & echo started; wait"]);
    let mut process = Process::start(command, "");
    process.until("a child", |output| output.stdout == "started\n").await;
    let pipes = std::mem::take(&mut process.pipes);
    drop(process);
    // The child, too, holds them open.
    raw::eventually("the end of all who could write", async || pipes.iter().all(JoinHandle::is_finished).then_some(()))
        .await;
}
