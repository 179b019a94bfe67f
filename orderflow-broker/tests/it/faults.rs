//! Faults, by handle and by the control socket: each is seen to bite, and each is seen to end.

use std::time::{Duration, Instant};

use kafka_protocol::{
    error::{ParseResponseErrorCode as _, ResponseError},
    messages::{HeartbeatRequest, InitProducerIdRequest},
};
use orderflow_broker::{
    Broker, Config, Handle,
    control::Command,
    faults::{Fault, Request, Rule},
};
use serde_json::json;

use crate::{
    process::Process,
    raw::{Batch, Client, LATEST, frame, numbered, produce_request, str, values},
    target::Target,
};

struct Faulty {
    broker: Handle,
    target: Target,
    _dir: tempfile::TempDir,
}

async fn broker() -> (Faulty, Client) {
    let dir = tempfile::tempdir().expect("a directory");
    let broker = Broker::start(Config::new(dir.path())).await.expect("it starts");
    let target = Target::at(broker.bootstrap_servers());
    let mut client = Client::connect(&target).await;
    client.create_topic("t", 1, &[]).await;
    (Faulty { broker, target, _dir: dir }, client)
}

impl Faulty {
    fn set(&self, rule: Rule) -> u64 {
        self.broker.faults().set(rule).expect("a possible rule")
    }

    fn struck(&self, id: u64) -> u64 {
        self.broker.faults().list().into_iter().find(|f| f.id == id).expect("it is set").struck
    }

    /// Sends a batch on a connection of its own; whether an answer comes.
    async fn send(&self, value: &str) -> bool {
        let mut client = Client::connect(&self.target).await;
        client
            .write(&frame(9, 1, &produce_request("t", -1, &[(0, Batch::of(&[value]).encode())])))
            .await
            .expect("sent");
        client.read_frame().await.is_some()
    }
}

#[tokio::test]
async fn a_connection_dropped_before_the_append_leaves_nothing() {
    let (faulty, mut client) = broker().await;
    let id = faulty.set(Rule::new(Fault::DropBeforeAppend).times(1));
    assert!(!faulty.send("lost").await);
    assert_eq!(client.list_offset("t", 0, LATEST).await.offset, 0);
    assert!(faulty.send("kept").await, "once means once");
    assert_eq!(values(&client.fetch("t", 0, 0).await), numbered(0, &["kept"]));
    assert_eq!(faulty.struck(id), 1);
}

#[tokio::test]
async fn a_connection_dropped_after_the_append_loses_only_the_acknowledgement() {
    let (faulty, mut client) = broker().await;
    let id = faulty.set(Rule::new(Fault::DropAfterAppend).times(1));
    let producer = client.init_producer().await;
    let batch = Batch::of(&["once"]).by(producer, 0).encode();
    let mut other = Client::connect(&faulty.target).await;
    other.write(&frame(9, 1, &produce_request("t", -1, &[(0, batch.clone())]))).await.expect("sent");
    assert_eq!(other.read_frame().await, None);
    assert_eq!(client.list_offset("t", 0, LATEST).await.offset, 1, "it is there");
    assert_eq!(client.produce("t", 0, batch).await, Ok(0), "a retry is answered with the first offset");
    assert_eq!(values(&client.fetch("t", 0, 0).await), numbered(0, &["once"]));
    assert_eq!(faulty.struck(id), 1);
}

#[tokio::test]
async fn a_batch_appended_twice_is_read_twice() {
    let (faulty, mut client) = broker().await;
    let id = faulty.set(Rule::new(Fault::AppendTwice).times(1));
    assert_eq!(client.produce("t", 0, Batch::of(&["a"]).encode()).await, Ok(0));
    assert_eq!(client.produce("t", 0, Batch::of(&["b"]).encode()).await, Ok(2));
    assert_eq!(values(&client.fetch("t", 0, 0).await), numbered(0, &["a", "a", "b"]));
    assert_eq!(faulty.struck(id), 1);
}

#[tokio::test]
async fn a_duplicate_is_not_appended_twice() {
    let (faulty, mut client) = broker().await;
    let producer = client.init_producer().await;
    let batches = [0, 1, 2].map(|n| Batch::of(&[&n.to_string()]).by(producer, n).encode());
    assert_eq!(client.produce("t", 0, batches[0].clone()).await, Ok(0));
    assert_eq!(client.produce("t", 0, batches[1].clone()).await, Ok(1));
    faulty.set(Rule::new(Fault::AppendTwice).times(1));
    assert_eq!(client.produce("t", 0, batches[0].clone()).await, Ok(0));
    assert_eq!(client.produce("t", 0, batches[2].clone()).await, Ok(2), "the sequence goes on");
    assert_eq!(values(&client.fetch("t", 0, 0).await), numbered(0, &["0", "1", "2"]));
}

#[tokio::test]
async fn a_request_dropped_before_the_append_is_dropped_whole() {
    let (faulty, mut client) = broker().await;
    client.create_topic("two", 2, &[]).await;
    // At one half, some of these requests are struck at the second partition and spared at the first.
    faulty.set(Rule::new(Fault::DropBeforeAppend).percent(50.0, 1).topic("two"));
    let batch = || Batch::of(&["a"]).encode();
    let mut answered = 0;
    for _ in 0..30 {
        let mut other = Client::connect(&faulty.target).await;
        other.write(&frame(9, 1, &produce_request("two", -1, &[(0, batch()), (1, batch())]))).await.expect("sent");
        answered += i64::from(other.read_frame().await.is_some());
    }
    assert!((1..30).contains(&answered), "{answered} of 30");
    for partition in [0, 1] {
        assert_eq!(client.list_offset("two", partition, LATEST).await.offset, answered);
    }
}

#[tokio::test]
async fn produce_and_fetch_can_be_delayed() {
    let (faulty, mut client) = broker().await;
    let delay = Duration::from_millis(300);
    faulty.set(Rule::new(Fault::DelayProduce { ms: 300 }).times(1));
    let begin = Instant::now();
    assert_eq!(client.produce("t", 0, Batch::of(&["a"]).encode()).await, Ok(0));
    assert!(begin.elapsed() >= delay);
    faulty.set(Rule::new(Fault::DelayFetch { ms: 300 }).topic("t").times(1));
    let begin = Instant::now();
    assert_eq!(values(&client.fetch("t", 0, 0).await), numbered(0, &["a"]));
    assert!(begin.elapsed() >= delay);
}

#[tokio::test]
async fn each_request_can_be_answered_with_an_error() {
    let (faulty, mut client) = broker().await;
    let code = ResponseError::NotEnoughReplicas.code();
    let error = |request| Rule::new(Fault::Error { request, code }).times(2);
    let struck =
        [Request::Produce, Request::Fetch, Request::InitProducerId, Request::Heartbeat].map(|r| faulty.set(error(r)));
    for _ in 0..2 {
        let produced = client.produce("t", 0, Batch::of(&["a"]).encode()).await;
        assert_eq!(produced, Err(ResponseError::NotEnoughReplicas));
        assert_eq!(client.fetch("t", 0, 0).await.error_code, code);
        let request = InitProducerIdRequest::default().with_transactional_id(None);
        assert_eq!(client.call(4, &request).await.error_code, code);
        assert_eq!(client.call(3, &HeartbeatRequest::default().with_group_id(str("g").into())).await.error_code, code);
    }
    assert_eq!(client.produce("t", 0, Batch::of(&["b"]).encode()).await, Ok(0), "nothing was appended");
    assert_eq!(client.fetch("t", 0, 0).await.error_code.err(), None);
    assert_eq!(struck.map(|id| faulty.struck(id)), [2; 4]);
}

#[tokio::test]
async fn a_full_disk_is_an_error_until_there_is_room() {
    let (faulty, mut client) = broker().await;
    let id = faulty.set(Rule::new(Fault::DiskFull));
    for _ in 0..3 {
        assert_eq!(client.produce("t", 0, Batch::of(&["a"]).encode()).await, Err(ResponseError::KafkaStorageError));
    }
    assert_eq!(faulty.struck(id), 3);
    assert_eq!(faulty.broker.faults().clear(Some(id)).len(), 1);
    assert_eq!(client.produce("t", 0, Batch::of(&["a"]).encode()).await, Ok(0));
}

#[tokio::test]
async fn a_rule_for_one_topic_spares_the_others() {
    let (faulty, mut client) = broker().await;
    client.create_topic("other", 1, &[]).await;
    faulty.set(Rule::new(Fault::DiskFull).topic("other"));
    assert_eq!(client.produce("t", 0, Batch::of(&["a"]).encode()).await, Ok(0));
    assert_eq!(client.produce("other", 0, Batch::of(&["a"]).encode()).await, Err(ResponseError::KafkaStorageError));
}

#[test]
fn the_control_socket_sets_lists_and_clears() {
    let dir = tempfile::tempdir().expect("a directory");
    let broker = Process::start(dir.path(), 0);
    let rule = Rule::new(Fault::DropAfterAppend).topic("orders").percent(10.0, 7).times(3);
    assert_eq!(broker.control(&Command::Set(rule)), json!({ "id": 1 }));
    let listed = broker.control(&Command::List);
    assert_eq!(
        listed,
        json!({ "faults": [{ "id": 1, "fault": { "kind": "drop_after_append" }, "topic": "orders", "percent": 10.0,
            "times": 3, "seed": 7, "asked": 0, "struck": 0 }] })
    );
    let impossible = broker.control(&Command::Set(Rule::new(Fault::DiskFull).percent(200.0, 0)));
    assert_eq!(impossible, json!({ "error": "percent must be between 0 and 100" }));
    assert_eq!(broker.control(&Command::Rebalance { group: "nobody".into() }), json!({ "rebalanced": false }));
    assert_eq!(broker.control(&Command::Clear { id: None })["cleared"][0]["id"], 1);
    assert_eq!(broker.control(&Command::List), json!({ "faults": [] }));
}

#[test]
fn nonsense_on_the_control_socket_is_answered() {
    use std::io::{BufRead as _, Write as _};
    let dir = tempfile::tempdir().expect("a directory");
    let _broker = Process::start(dir.path(), 0);
    let socket = std::os::unix::net::UnixStream::connect(dir.path().join("control.sock")).expect("it listens");
    let mut answers = std::io::BufReader::new(socket.try_clone().expect("a socket"));
    for line in ["hello\n", "{\"do\":\"explode\"}\n", "{\"do\":\"list\"}\n"] {
        (&socket).write_all(line.as_bytes()).expect("written");
        let mut answer = String::new();
        answers.read_line(&mut answer).expect("an answer");
        let expected = if line.contains("list") { "{\"faults\":[]}" } else { "{\"error\":\"not a command" };
        assert!(answer.starts_with(expected), "{line} -> {answer}");
    }
}
