//! What a broker knows after `kill -9`: everything that it has acknowledged, and who its members are.

use std::time::{Duration, Instant};

use kafka_protocol::{
    error::{ParseResponseErrorCode as _, ResponseError},
    messages::{MetadataRequest, OffsetFetchRequest, metadata_request::MetadataRequestTopic},
};
use tokio::task::JoinSet;

use crate::{
    conformance::member::{Member, alone, pair, sync_both},
    process::Process,
    raw::{Batch, Client, LATEST, str, values},
    target::Target,
};

/// A broker that can be killed and comes back at the same address.
struct Immortal {
    _dir: tempfile::TempDir,
    process: Option<Process>,
    target: Target,
    arguments: &'static [&'static str],
}

impl Immortal {
    fn start(arguments: &'static [&'static str]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let process = Process::start_with(dir.path(), 0, arguments);
        let target = Target::at(process.bootstrap());
        Self { _dir: dir, process: Some(process), target, arguments }
    }

    fn kill_and_restart(&mut self) {
        let process = self.process.take().expect("it runs");
        let (data_dir, port) = (process.data_dir.clone(), process.port);
        process.kill();
        self.process = Some(Process::start_with(&data_dir, port, self.arguments));
    }
}

async fn committed(client: &mut Client, group: &str) -> Vec<(String, i32, i64)> {
    let answer =
        client.call(7, &OffsetFetchRequest::default().with_group_id(str(group).into()).with_topics(None)).await;
    let topics = answer.topics.iter();
    topics
        .flat_map(|t| t.partitions.iter().map(|p| (t.name.to_string(), p.partition_index, p.committed_offset)))
        .collect()
}

#[tokio::test]
async fn committed_offsets_are_kept() {
    let mut broker = Immortal::start(&[]);
    let mut member = alone(&broker.target, "g").await;
    member.client.create_topic("t", 3, &[]).await;
    for offset in 1..=500 {
        assert_eq!(member.commit("t", 2, offset).await, None);
    }
    assert_eq!(member.commit("t", 0, 7).await, None);
    broker.kill_and_restart();
    let mut client = Client::connect(&broker.target).await;
    assert_eq!(committed(&mut client, "g").await, [("t".to_owned(), 0, 7), ("t".to_owned(), 2, 500)]);
}

#[tokio::test]
async fn topics_keep_their_ids_and_settings_and_deleted_ones_stay_away() {
    let mut broker = Immortal::start(&[]);
    let mut client = Client::connect(&broker.target).await;
    client.create_topic("kept", 3, &[("max.message.bytes", "1000")]).await;
    client.create_topic("gone", 1, &[]).await;
    let metadata = |name: &str| {
        let topic = MetadataRequestTopic::default().with_name(Some(str(name).into()));
        MetadataRequest::default().with_topics(Some(vec![topic])).with_allow_auto_topic_creation(false)
    };
    let before = client.call(12, &metadata("kept")).await;
    let delete = kafka_protocol::messages::DeleteTopicsRequest::default().with_topic_names(vec![str("gone").into()]);
    assert_eq!(client.call(5, &delete).await.responses[0].error_code.err(), None);
    broker.kill_and_restart();
    let mut client = Client::connect(&broker.target).await;
    assert_eq!(client.call(12, &metadata("kept")).await, before);
    let gone = client.call(12, &metadata("gone")).await.topics.remove(0);
    assert_eq!(gone.error_code.err(), Some(ResponseError::UnknownTopicOrPartition));
    let large = Batch::of(&["x".repeat(1000).as_str()]).encode();
    assert_eq!(client.produce("kept", 0, large).await, Err(ResponseError::MessageTooLarge));
}

#[tokio::test]
async fn producer_ids_are_never_given_twice_and_duplicates_are_known_again() {
    let mut broker = Immortal::start(&[]);
    let mut client = Client::connect(&broker.target).await;
    client.create_topic("t", 1, &[]).await;
    let producer = client.init_producer().await;
    let batches: Vec<_> = (0..4).map(|n| Batch::of(&[&n.to_string()]).by(producer, n).encode()).collect();
    for (offset, batch) in (0..).zip(&batches[..3]) {
        assert_eq!(client.produce("t", 0, batch.clone()).await, Ok(offset));
    }
    broker.kill_and_restart();
    let mut client = Client::connect(&broker.target).await;
    for (offset, batch) in (0..).zip(&batches) {
        assert_eq!(client.produce("t", 0, batch.clone()).await, Ok(offset), "the first three are duplicates");
    }
    assert_eq!(client.list_offset("t", 0, LATEST).await.offset, 4);
    assert!(client.init_producer().await.id > producer.id);
}

#[tokio::test]
async fn members_go_on_without_joining_again() {
    let mut broker = Immortal::start(&[]);
    let (mut leader, mut follower) = pair(&broker.target, "g").await;
    sync_both(&mut leader, &mut follower).await;
    leader.client.create_topic("t", 1, &[]).await;
    broker.kill_and_restart();
    for member in [&mut leader, &mut follower] {
        member.client = Client::connect(&broker.target).await;
        assert_eq!(member.heartbeat().await, None);
        assert_eq!(member.commit("t", 0, 1).await, None);
    }
    assert_eq!(leader.state().await, "Stable");
}

#[tokio::test]
async fn members_that_died_with_the_broker_do_not_hold_up_a_new_one() {
    let mut broker = Immortal::start(&[]);
    let (mut leader, mut follower) = pair(&broker.target, "g").await;
    sync_both(&mut leader, &mut follower).await;
    drop((leader, follower));
    let begin = Instant::now();
    broker.kill_and_restart();
    let mut new = Member::new(&broker.target, "g").await;
    let joined = new.join().await;
    assert_eq!((joined.error_code.err(), joined.generation_id, joined.members.len()), (None, 3, 1));
    // Their sessions are 30 seconds, and so is the rebalance time-out.
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
}

/// Several connections at once, so that group commit has groups.
async fn every_acknowledged_batch_is_kept(arguments: &'static [&'static str]) {
    let mut broker = Immortal::start(arguments);
    let mut client = Client::connect(&broker.target).await;
    client.create_topic("t", 1, &[]).await;
    let mut senders = JoinSet::new();
    for sender in 0..8 {
        let mut client = Client::connect(&broker.target).await;
        senders.spawn(async move {
            for n in 0..25 {
                client.produce("t", 0, Batch::of(&[&format!("{sender}-{n}")]).encode()).await.expect("appended");
            }
        });
    }
    senders.join_all().await;
    let mut member = alone(&broker.target, "g").await;
    assert_eq!(member.commit("t", 0, 200).await, None);
    broker.kill_and_restart();
    let mut client = Client::connect(&broker.target).await;
    let mut found: Vec<String> = values(&client.fetch("t", 0, 0).await).into_iter().map(|(_, value)| value).collect();
    found.sort();
    let mut expected: Vec<String> = (0..8).flat_map(|s| (0..25).map(move |n| format!("{s}-{n}"))).collect();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(committed(&mut client, "g").await, [("t".to_owned(), 0, 200)]);
}

#[tokio::test]
async fn every_acknowledged_batch_is_kept_with_flush_always() {
    every_acknowledged_batch_is_kept(&["--flush", "always"]).await;
}

#[tokio::test]
async fn every_acknowledged_batch_is_kept_with_flush_interval() {
    every_acknowledged_batch_is_kept(&["--flush", "interval", "--flush-interval-ms", "5"]).await;
}
