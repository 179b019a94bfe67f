//! The same through librdkafka, the client that OrderFlow's services use: what it takes the broker for, it must be.
//!
//! Consumers are polled by hand on a thread of their own, for their calls block and their callbacks run in `poll`.

mod admin;
mod consumer;
mod groups;
mod producer;

use std::{
    collections::BTreeSet,
    panic,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig, ClientContext, Message as _, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance},
    error::KafkaError,
    message::OwnedMessage,
    producer::{FutureProducer, FutureRecord},
    types::RDKafkaErrorCode,
};

use crate::target::Target;

/// For calls of librdkafka and for states that a group reaches by itself.
const WITHIN: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(5);

fn config(target: &Target) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", target.bootstrap())
        .set("client.id", "conformance")
        .set("socket.timeout.ms", "10000")
        .set("topic.metadata.refresh.fast.interval.ms", "50");
    config
}

fn producer(target: &Target, settings: &[(&str, &str)]) -> FutureProducer {
    let mut config = config(target);
    config.set("acks", "all").set("linger.ms", "1").set("message.timeout.ms", "20000");
    for (name, value) in settings {
        config.set(*name, *value);
    }
    config.create().expect("a producer")
}

/// Writes values `first..` to partitions in turn and waits until all are acknowledged.
async fn produce(target: &Target, topic: &str, partitions: i32, values: std::ops::Range<u32>) {
    let producer = producer(target, &[]);
    let sent: Vec<_> = values
        .map(|value| {
            let partition = i32::try_from(value).expect("small") % partitions;
            let payload = value.to_string();
            let record = FutureRecord::<str, _>::to(topic).partition(partition).payload(&payload);
            producer.send_result(record).map_err(|(error, _)| error).expect("queued")
        })
        .collect();
    for delivery in sent {
        delivery.await.expect("a report").map_err(|(error, _)| error).expect("delivered");
    }
}

/// Runs what blocks away from the test's task, so that the test's deadline holds.
async fn blocking<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(body).await {
        Ok(value) => value,
        Err(error) => panic::resume_unwind(error.into_panic()),
    }
}

/// Counts how often partitions are given to a consumer.
#[derive(Default, Clone)]
struct Assignments(Arc<AtomicU32>);

impl ClientContext for Assignments {}

impl ConsumerContext for Assignments {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(_) = rebalance {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A consumer with all that it has read.
struct Consumer {
    inner: BaseConsumer<Assignments>,
    read: Vec<OwnedMessage>,
    /// It has read a partition to its end; only with `enable.partition.eof`.
    at_end: bool,
}

impl Consumer {
    /// Reads from the beginning and commits when it is told to, unless the settings say otherwise.
    fn new(config: &ClientConfig, group: &str, settings: &[(&str, &str)]) -> Self {
        let mut config = config.clone();
        config
            .set("group.id", group)
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", "false")
            .set("session.timeout.ms", "10000")
            .set("heartbeat.interval.ms", "100")
            .set("fetch.wait.max.ms", "100");
        for (name, value) in settings {
            config.set(*name, *value);
        }
        let inner = config.create_with_context(Assignments::default()).expect("a consumer");
        Self { inner, read: Vec::new(), at_end: false }
    }

    fn subscribed(config: &ClientConfig, group: &str, topic: &str, settings: &[(&str, &str)]) -> Self {
        let consumer = Self::new(config, group, settings);
        consumer.inner.subscribe(&[topic]).expect("subscribed");
        consumer
    }

    /// Serves the consumer once.
    fn poll(&mut self) {
        match self.inner.poll(POLL) {
            Some(Ok(message)) => self.read.push(message.detach()),
            Some(Err(KafkaError::PartitionEOF(_))) => self.at_end = true,
            None => {}
            Some(Err(error)) => panic!("{error}"),
        }
    }

    fn read_until(&mut self, count: usize) {
        poll_until(&mut [self], "all is read", |consumers| consumers[0].read.len() >= count);
    }

    fn values(&self) -> Vec<u32> {
        self.read.iter().map(value).collect()
    }

    fn partitions(&self) -> BTreeSet<i32> {
        let assigned = self.inner.assignment().expect("an assignment");
        assigned.elements().iter().map(rdkafka::topic_partition_list::TopicPartitionListElem::partition).collect()
    }

    fn assignments(&self) -> u32 {
        self.inner.context().0.load(Ordering::Relaxed)
    }

    /// Commits what was read, if anything was read since the last time.
    fn commit(&self) {
        match self.inner.commit_consumer_state(CommitMode::Sync) {
            Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn value(message: &OwnedMessage) -> u32 {
    let payload = message.payload().expect("a value");
    std::str::from_utf8(payload).expect("text").parse().expect("a number")
}

fn partition_list(topic: &str, partition: i32) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, partition);
    list
}

/// Serves all consumers until the condition holds.
fn poll_until(consumers: &mut [&mut Consumer], what: &str, done: impl Fn(&[&mut Consumer]) -> bool) {
    let begin = Instant::now();
    while !done(consumers) {
        let state: Vec<_> = consumers.iter().map(|c| (c.partitions(), c.read.len())).collect();
        assert!(begin.elapsed() < WITHIN, "{what}: not within {WITHIN:?}: {state:?}");
        for consumer in consumers.iter_mut() {
            consumer.poll();
        }
    }
}
