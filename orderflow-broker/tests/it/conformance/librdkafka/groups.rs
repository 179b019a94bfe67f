//! Several consumers of librdkafka in one group, by each of its assignors.

use std::collections::BTreeSet;

use rdkafka::ClientConfig;

use super::{Consumer, blocking, config, poll_until, produce};
use crate::{
    raw::Client,
    target::{Target, conformance, unique},
};

conformance! {
    range_reads_everything_once,
    roundrobin_reads_everything_once,
    cooperative_sticky_reads_everything_once,
    static_member_restarts_without_a_rebalance,
}

const PARTITIONS: i32 = 6;
const RECORDS: u32 = 600;

async fn range_reads_everything_once(target: &Target) {
    reads_everything_once(target, "range").await;
}

async fn roundrobin_reads_everything_once(target: &Target) {
    reads_everything_once(target, "roundrobin").await;
}

async fn cooperative_sticky_reads_everything_once(target: &Target) {
    reads_everything_once(target, "cooperative-sticky").await;
}

/// Whether each partition is with exactly one of the consumers, and all have about the same number.
fn is_shared_out(consumers: &[&mut Consumer]) -> bool {
    let mut all: Vec<i32> = consumers.iter().flat_map(|consumer| consumer.partitions()).collect();
    all.sort_unstable();
    let fair = PARTITIONS as usize / consumers.len();
    all.iter().copied().eq(0..PARTITIONS) && consumers.iter().all(|consumer| consumer.partitions().len() == fair)
}

/// Serves the consumers until each of the values was read by one of them, then commits.
fn read_all(consumers: &mut [&mut Consumer], values: std::ops::Range<u32>) {
    poll_until(consumers, "all is read", |consumers| {
        consumers.iter().map(|consumer| consumer.read.len()).sum::<usize>() >= values.len()
    });
    let mut read: Vec<u32> = consumers.iter().flat_map(|consumer| consumer.values()).collect();
    read.sort_unstable();
    assert!(read.into_iter().eq(values), "each once");
    for consumer in consumers {
        consumer.commit();
        consumer.read.clear();
    }
}

async fn reads_everything_once(target: &Target, assignor: &str) {
    let (topic, group) = (unique("topic"), unique("group"));
    Client::connect(target).await.create_topic(&topic, PARTITIONS, &[]).await;
    let config = config(target);
    let member = {
        let (topic, assignor) = (topic.clone(), assignor.to_owned());
        move |config: &ClientConfig| {
            let strategy = [("partition.assignment.strategy", &*assignor)];
            Consumer::subscribed(config, &group, &topic, &strategy)
        }
    };
    let mut three = {
        let (config, member) = (config.clone(), member.clone());
        blocking(move || {
            let mut three = [member(&config), member(&config), member(&config)];
            poll_until(&mut three.each_mut(), "three share the partitions", is_shared_out);
            three
        })
        .await
    };
    produce(target, &topic, PARTITIONS, 0..RECORDS).await;
    let mut changed = blocking(move || {
        read_all(&mut three.each_mut(), 0..RECORDS);
        let [mut one, mut two, leaving] = three;
        drop(leaving);
        poll_until(&mut [&mut one, &mut two], "two share the partitions", is_shared_out);
        let mut joining = member(&config);
        poll_until(&mut [&mut one, &mut two, &mut joining], "three again", is_shared_out);
        [one, two, joining]
    })
    .await;
    produce(target, &topic, PARTITIONS, RECORDS..RECORDS * 2).await;
    blocking(move || read_all(&mut changed.each_mut(), RECORDS..RECORDS * 2)).await;
}

async fn static_member_restarts_without_a_rebalance(target: &Target) {
    let (topic, group) = (unique("topic"), unique("group"));
    Client::connect(target).await.create_topic(&topic, PARTITIONS, &[]).await;
    let config = config(target);
    blocking(move || {
        let instance = |name: &str| {
            let settings = [("group.instance.id", name), ("session.timeout.ms", "30000")];
            Consumer::subscribed(&config, &group, &topic, &settings)
        };
        let (mut one, mut two) = (instance("one"), instance("two"));
        poll_until(&mut [&mut one, &mut two], "two share the partitions", is_shared_out);
        let before: BTreeSet<i32> = two.partitions();
        let assignments = one.assignments();
        drop(two);
        let mut two = instance("two");
        poll_until(&mut [&mut one, &mut two], "its partitions are back", |consumers| {
            consumers[1].partitions() == before
        });
        assert_eq!(one.assignments(), assignments, "the other one noticed nothing");
    })
    .await;
}
