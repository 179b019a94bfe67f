//! One consumer of librdkafka: where it begins, where it goes on, and what it can ask about its partitions.

use std::time::{Duration, Instant};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{CommitMode, Consumer as _},
    error::KafkaError,
};

use super::{Consumer, WITHIN, blocking, config, partition_list, poll_until, produce};
use crate::{
    raw::{Batch, Client, now_ms},
    target::{Target, conformance, unique},
};

conformance! {
    commits_and_resumes,
    commits_by_itself_when_it_closes,
    begins_at_the_earliest_or_the_latest,
    finds_offsets_by_time,
    knows_watermarks_and_lag,
    seeks,
    pauses_and_resumes,
    gets_a_record_at_once_however_long_it_may_wait,
    commits_metadata,
}

/// A topic of one partition that holds the values `0..count`.
async fn topic_of(target: &Target, count: u32) -> String {
    let topic = unique("topic");
    Client::connect(target).await.create_topic(&topic, 1, &[]).await;
    produce(target, &topic, 1, 0..count).await;
    topic
}

fn committed(consumer: &Consumer, topic: &str) -> Offset {
    let list = consumer.inner.committed_offsets(partition_list(topic, 0), WITHIN).expect("offsets");
    list.elements()[0].offset()
}

async fn commits_and_resumes(target: &Target) {
    let topic = topic_of(target, 10).await;
    let (config, group) = (config(target), unique("group"));
    blocking(move || {
        let mut first = Consumer::subscribed(&config, &group, &topic, &[]);
        poll_until(&mut [&mut first], "four are read", |consumers| consumers[0].read.len() == 4);
        assert_eq!(committed(&first, &topic), Offset::Invalid, "nothing yet");
        first.commit();
        assert_eq!(committed(&first, &topic), Offset::Offset(4));
        drop(first);
        let mut second = Consumer::subscribed(&config, &group, &topic, &[]);
        second.read_until(6);
        assert_eq!(second.values(), (4..10).collect::<Vec<_>>());
        // Not committed: the next one reads them again.
        drop(second);
        let mut third = Consumer::subscribed(&config, &group, &topic, &[]);
        third.read_until(6);
        assert_eq!(third.values(), (4..10).collect::<Vec<_>>());
    })
    .await;
}

async fn commits_by_itself_when_it_closes(target: &Target) {
    let topic = topic_of(target, 10).await;
    let (config, group) = (config(target), unique("group"));
    blocking(move || {
        let automatic = [("enable.auto.commit", "true"), ("auto.commit.interval.ms", "600000")];
        let mut consumer = Consumer::subscribed(&config, &group, &topic, &automatic);
        consumer.read_until(10);
        drop(consumer);
        let other = Consumer::new(&config, &group, &[]);
        assert_eq!(committed(&other, &topic), Offset::Offset(10));
    })
    .await;
}

async fn begins_at_the_earliest_or_the_latest(target: &Target) {
    let topic = topic_of(target, 5).await;
    let (settings, name) = (config(target), topic.clone());
    let mut latest = blocking(move || {
        let mut earliest = Consumer::subscribed(&settings, &unique("group"), &name, &[]);
        earliest.read_until(5);
        assert_eq!(earliest.values(), [0, 1, 2, 3, 4]);
        let reset = [("auto.offset.reset", "latest"), ("enable.partition.eof", "true")];
        let mut latest = Consumer::subscribed(&settings, &unique("group"), &name, &reset);
        poll_until(&mut [&mut latest], "the end is reached", |consumers| consumers[0].at_end);
        latest
    })
    .await;
    produce(target, &topic, 1, 5..7).await;
    blocking(move || {
        latest.read_until(2);
        assert_eq!(latest.values(), [5, 6]);
    })
    .await;
}

async fn finds_offsets_by_time(target: &Target) {
    let topic = unique("topic");
    let mut client = Client::connect(target).await;
    client.create_topic(&topic, 1, &[]).await;
    let base = now_ms() - 60_000;
    let records = [(base, "0"), (base + 10, "1"), (base + 20, "2")];
    client.produce(&topic, 0, Batch::at(&records).encode()).await.expect("appended");
    let config = config(target);
    blocking(move || {
        let consumer = Consumer::new(&config, &unique("group"), &[]);
        for (time, expected) in [
            (base - 1, Offset::Offset(0)),
            (base + 1, Offset::Offset(1)),
            (base + 20, Offset::Offset(2)),
            (base + 21, Offset::End),
        ] {
            let mut list = TopicPartitionList::new();
            list.add_partition_offset(&topic, 0, Offset::Offset(time)).expect("added");
            let found = consumer.inner.offsets_for_times(list, WITHIN).expect("offsets");
            assert_eq!(found.elements()[0].offset(), expected, "{}", time - base);
        }
    })
    .await;
}

async fn knows_watermarks_and_lag(target: &Target) {
    let topic = topic_of(target, 9).await;
    let config = config(target);
    blocking(move || {
        let mut consumer = Consumer::subscribed(&config, &unique("group"), &topic, &[]);
        poll_until(&mut [&mut consumer], "three are read", |consumers| consumers[0].read.len() == 3);
        consumer.commit();
        let (low, high) = consumer.inner.fetch_watermarks(&topic, 0, WITHIN).expect("watermarks");
        assert_eq!((low, high), (0, 9));
        let Offset::Offset(committed) = committed(&consumer, &topic) else { panic!("committed") };
        assert_eq!(high - committed, 6, "the lag");
        let error = consumer.inner.fetch_watermarks(&topic, 5, WITHIN).expect_err("no such partition");
        assert!(matches!(error, KafkaError::MetadataFetch(_)), "{error}");
    })
    .await;
}

async fn seeks(target: &Target) {
    let topic = topic_of(target, 6).await;
    let config = config(target);
    blocking(move || {
        let mut consumer = Consumer::subscribed(&config, &unique("group"), &topic, &[]);
        consumer.read_until(6);
        for (offset, expected) in [(Offset::Offset(4), 4..6), (Offset::Beginning, 0..6), (Offset::Offset(5), 5..6)] {
            consumer.read.clear();
            consumer.inner.seek(&topic, 0, offset, WITHIN).expect("sought");
            consumer.read_until(expected.len());
            assert_eq!(consumer.values(), expected.collect::<Vec<_>>());
        }
    })
    .await;
}

async fn pauses_and_resumes(target: &Target) {
    let topic = topic_of(target, 3).await;
    let settings = config(target);
    let name = topic.clone();
    let mut consumer = blocking(move || {
        let mut consumer = Consumer::subscribed(&settings, &unique("group"), &name, &[]);
        consumer.read_until(3);
        consumer.inner.pause(&partition_list(&name, 0)).expect("paused");
        consumer
    })
    .await;
    produce(target, &topic, 1, 3..5).await;
    blocking(move || {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(500) {
            consumer.poll();
        }
        assert_eq!(consumer.read.len(), 3, "nothing comes while paused");
        consumer.inner.resume(&partition_list(&topic, 0)).expect("resumed");
        consumer.read_until(5);
        assert_eq!(consumer.values(), [0, 1, 2, 3, 4]);
    })
    .await;
}

async fn gets_a_record_at_once_however_long_it_may_wait(target: &Target) {
    let topic = topic_of(target, 1).await;
    let settings = config(target);
    let name = topic.clone();
    let mut consumer = blocking(move || {
        let wait = [("fetch.wait.max.ms", "10000"), ("socket.timeout.ms", "20000")];
        let mut consumer = Consumer::subscribed(&settings, &unique("group"), &name, &wait);
        consumer.read_until(1);
        consumer
    })
    .await;
    for round in 1..=5_u32 {
        produce(target, &topic, 1, round..round + 1).await;
        consumer = blocking(move || {
            let begin = Instant::now();
            consumer.read_until(1 + round as usize);
            assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
            consumer
        })
        .await;
    }
}

async fn commits_metadata(target: &Target) {
    let topic = topic_of(target, 1).await;
    let config = config(target);
    blocking(move || {
        let consumer = Consumer::new(&config, &unique("group"), &[]);
        let mut list = partition_list(&topic, 0);
        list.set_partition_offset(&topic, 0, Offset::Offset(1)).expect("set");
        list.find_partition(&topic, 0).expect("there").set_metadata("note");
        consumer.inner.commit(&list, CommitMode::Sync).expect("committed");
        let found = consumer.inner.committed_offsets(partition_list(&topic, 0), WITHIN).expect("offsets");
        assert_eq!(found.elements()[0].offset(), Offset::Offset(1));
        assert_eq!(found.elements()[0].metadata(), "note");
    })
    .await;
}
