//! How far a consumer is behind: by what is committed, whoever consumes or does not.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use orderflow_platform::{
    consumer::{Assigned, Consumer},
    kafka::Kafka,
    lag::Lag,
    metrics::Metrics,
    outbox::{self, Outbox},
    tasks::Tasks,
};
use orderflow_testing::eventually;

use crate::toy::{DEAD_LETTERS, Listener, TOPIC, World, event};

/// The gauge of each partition, as whoever scrapes it sees it.
fn lags(metrics: &Metrics) -> BTreeMap<String, i64> {
    let text = metrics.text(0);
    let lines = text.lines().filter_map(|line| line.strip_prefix("orderflow_consumer_lag{"));
    lines
        .map(|line| {
            let (labels, records) = line.split_once("} ").expect("labels and a value");
            (labels.to_owned(), records.parse().expect("a number"))
        })
        .collect()
}

/// Asks until the sum over all partitions is that: a measurement is good for a second.
async fn until_behind(lag: &Lag, metrics: &Metrics, records: i64) {
    eventually("the lag is measured", async || {
        lag.refresh().await;
        let lags = lags(metrics);
        (lags.len() == 6 && lags.values().sum::<i64>() == records).then_some(())
    })
    .await;
}

#[tokio::test]
async fn it_is_what_is_published_and_not_committed_and_needs_nobody_who_consumes() {
    let world = World::start().await;
    let mut conn = world.pool.acquire().await.unwrap();
    for sequence in 1..=3 {
        outbox::append(&mut conn, &[event("bear", sequence)]).await.unwrap();
    }
    world.relay().relay_once().await.unwrap();
    let metrics = Metrics::default();
    let lag = Lag::new(world.client.clone(), "toy", &[TOPIC], metrics.clone());
    until_behind(&lag, &metrics, 3).await;
    assert_eq!(lags(&metrics).values().filter(|records| **records > 0).count(), 1, "one subject is one partition");

    let (db, listener) = (world.db.clone(), Arc::new(Listener::default()));
    let consumer = Consumer::new(db, Outbox::default(), metrics.clone(), "toy", DEAD_LETTERS, listener);
    let mut tasks = Tasks::default();
    let consume = Arc::new(consumer).run(world.client.clone(), &[TOPIC], Assigned::default(), tasks.stop());
    tasks.spawn("consumer", consume);
    until_behind(&lag, &metrics, 0).await;
    tasks.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_measured_is_not_shown_and_holds_nobody_up() {
    let metrics = Metrics::default();
    // Nobody listens there.
    let nowhere = Kafka::new("127.0.0.1:1".to_owned(), BTreeMap::new());
    let lag = Lag::new(nowhere, "toy", &[TOPIC], metrics.clone());
    tokio::time::timeout(Duration::from_secs(5), lag.refresh()).await.expect("a bounded time");
    assert_eq!(lags(&metrics), BTreeMap::new());
}
