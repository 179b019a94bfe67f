//! Limits: what is too much is refused or waits, and whoever keeps within them does not notice.

use std::time::{Duration, Instant};

use kafka_protocol::{
    error::{ParseResponseErrorCode as _, ResponseError},
    messages::{ApiVersionsRequest, CreateTopicsRequest, InitProducerIdRequest},
};
use orderflow_broker::{Broker, Config, Handle};
use rdkafka::{
    ClientConfig,
    error::RDKafkaErrorCode,
    producer::{BaseProducer, Producer},
};
use tokio::task::JoinSet;

use crate::{
    conformance::member::{JOIN, Member, alone},
    raw::{
        Batch, CREATE_TOPICS, Client, FETCH, PRODUCE, creatable, eventually, fetch_partition, fetch_request,
        produce_request, str, values,
    },
    target::Target,
};

async fn broker(change: impl FnOnce(&mut Config)) -> (Handle, Target, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    let mut config = Config::new(dir.path());
    change(&mut config);
    let broker = Broker::start(config).await.expect("it starts");
    let target = Target::at(broker.bootstrap_servers());
    (broker, target, dir)
}

async fn is_served(client: &mut Client) -> bool {
    client.send(0, &ApiVersionsRequest::default()).await;
    client.read_frame().await.is_some()
}

#[tokio::test]
async fn one_connection_too_many_is_closed_and_a_place_that_is_free_is_taken() {
    let (_broker, target, _dir) = broker(|config| config.connections_max = 2).await;
    let mut first = Client::connect(&target).await;
    let mut second = Client::connect(&target).await;
    assert!(is_served(&mut first).await && is_served(&mut second).await);
    let mut third = Client::connect(&target).await;
    // The write may fail already; either way no answer comes.
    let frame = crate::raw::frame(0, 1, &ApiVersionsRequest::default());
    let _ = third.write(&frame).await;
    assert_eq!(third.read_frame().await, None);
    assert!(is_served(&mut first).await);
    drop(second);
    eventually("a free place", async || {
        let mut next = Client::connect(&target).await;
        next.write(&frame).await.ok()?;
        next.read_frame().await
    })
    .await;
}

#[tokio::test]
async fn partitions_are_counted_over_all_topics() {
    let (_broker, target, _dir) = broker(|config| config.partitions_max = 5).await;
    let mut client = Client::connect(&target).await;
    client.create_topic("four", 4, &[]).await;
    let request = CreateTopicsRequest::default().with_topics(vec![creatable("two", 2, &[])]);
    let refused = client.call(CREATE_TOPICS, &request).await.topics.remove(0);
    assert_eq!(refused.error_code.err(), Some(ResponseError::InvalidPartitions));
    assert!(refused.error_message.expect("an explanation").contains("at most 5"));
    client.create_topic("one", 1, &[]).await;
}

#[tokio::test]
async fn a_group_has_so_many_members_and_a_broker_so_many_groups() {
    let (_broker, target, _dir) = broker(|config| {
        config.group_members_max = 1;
        config.groups_max = 1;
    })
    .await;
    let mut only = alone(&target, "g").await;
    let mut second = Member::new(&target, "g").await;
    let refused = second.client.call(JOIN, &second.join_request()).await;
    assert_eq!(refused.error_code.err(), Some(ResponseError::GroupMaxSizeReached));
    let mut other = Member::new(&target, "other").await;
    let refused = other.client.call(JOIN, &other.join_request()).await;
    assert_eq!(refused.error_code.err(), Some(ResponseError::PolicyViolation));
    assert_eq!(only.heartbeat().await, None);
}

#[tokio::test]
async fn a_budget_smaller_than_the_requests_makes_them_wait_for_each_other() {
    let (_broker, target, _dir) = broker(|config| config.memory_bytes_max = 64 << 10).await;
    let mut client = Client::connect(&target).await;
    client.create_topic("t", 1, &[]).await;
    let large = "x".repeat(200 << 10);
    let mut clients = JoinSet::new();
    for _ in 0..8 {
        let (mut client, large) = (Client::connect(&target).await, large.clone());
        clients.spawn(async move {
            for _ in 0..3 {
                let offset = client.produce("t", 0, Batch::of(&[&large]).encode()).await.expect("appended");
                let read = values(&client.fetch("t", 0, offset).await);
                assert_eq!(read[0], (offset, large.clone()));
            }
        });
    }
    clients.join_all().await;
}

#[tokio::test]
async fn slow_producers_hold_up_nobody_but_each_other() {
    let (_broker, target, _dir) = broker(|_| {}).await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut client = Client::connect(&target).await;
        let mut start = i32::to_be_bytes(32 << 20).to_vec();
        start.extend(0_i16.to_be_bytes());
        client.write(&start).await.expect("written");
        slow.push(client);
    }
    let mut client = Client::connect(&target).await;
    let begin = Instant::now();
    client.create_topic("t", 1, &[]).await;
    assert_eq!(client.produce("t", 0, Batch::of(&["a"]).encode()).await, Ok(0));
    assert_eq!(values(&client.fetch("t", 0, 0).await).len(), 1);
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn groups_that_nobody_could_miss_make_room() {
    let (_broker, target, _dir) = broker(|config| config.groups_max = 2).await;
    for group in ["a", "b", "c", "d"] {
        let mut member = alone(&target, group).await;
        member.leave().await;
    }
    let mut kept = alone(&target, "kept").await;
    kept.client.create_topic("t", 1, &[]).await;
    assert_eq!(kept.commit("t", 0, 1).await, None);
    kept.leave().await;
    alone(&target, "last").await;
    assert_eq!(kept.state().await, "Empty", "its offsets would be missed");
}

#[tokio::test]
async fn a_frame_too_large_for_its_kind_closes_its_connection() {
    let (_broker, target, _dir) = broker(|config| config.frame_bytes_max = 2 << 20).await;
    let mut bystander = Client::connect(&target).await;
    for (api_key, bytes) in [(3_i16, (1 << 20) + 1), (0, (2 << 20) + 1)] {
        let mut client = Client::connect(&target).await;
        let mut start = i32::to_be_bytes(bytes).to_vec();
        start.extend(api_key.to_be_bytes());
        client.write(&start).await.expect("written");
        assert_eq!(client.read_frame().await, None, "API {api_key}, {bytes} bytes");
        assert!(is_served(&mut bystander).await);
    }
}

#[tokio::test]
async fn a_fetch_is_never_answered_with_more_than_the_broker_allows() {
    let (_broker, target, _dir) = broker(|config| config.fetch_bytes_max = 10_000).await;
    let mut client = Client::connect(&target).await;
    client.create_topic("t", 1, &[]).await;
    let value = "x".repeat(1_000);
    for _ in 0..20 {
        client.produce("t", 0, Batch::of(&[&value]).encode()).await.expect("appended");
    }
    let answer = client.call(FETCH, &fetch_request("t", vec![fetch_partition(0, 0)])).await;
    let bytes = answer.responses[0].partitions[0].records.as_ref().expect("records").len();
    assert!((8_000..=10_000).contains(&bytes), "{bytes} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_are_refused_and_not_waited_for() {
    let (_broker, target, _dir) = broker(|_| {}).await;
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", target.bootstrap())
        .set("transactional.id", "tx")
        .create()
        .expect("a producer");
    let begun = tokio::task::spawn_blocking(move || producer.init_transactions(Duration::from_secs(20)));
    let error = begun.await.expect("no panic").expect_err("no transactions");
    let code = error.rdkafka_error_code();
    assert_eq!(code, Some(RDKafkaErrorCode::TransactionalIdAuthorizationFailed), "{error}");

    let mut client = Client::connect(&target).await;
    client.create_topic("t", 1, &[]).await;
    let request = produce_request("t", -1, &[(0, Batch::of(&["a"]).encode())]);
    let request = request.with_transactional_id(Some(str("tx").into()));
    let answer = client.call(PRODUCE, &request).await;
    let refused = answer.responses[0].partition_responses[0].error_code.err();
    assert_eq!(refused, Some(ResponseError::TransactionalIdAuthorizationFailed));
    let request = InitProducerIdRequest::default().with_transactional_id(Some(str("tx").into()));
    let refused = client.call(4, &request).await.error_code.err();
    assert_eq!(refused, Some(ResponseError::TransactionalIdAuthorizationFailed));
}
