//! What is committed is published: all of it, in order, at least once.

use std::{collections::BTreeMap, sync::Arc};

use orderflow_broker::faults::{Fault, Request, Rule};
use orderflow_platform::{
    consumer::{Assigned, Consumer},
    kafka::Topic,
    metrics::Metrics,
    outbox::{self, NewEvent, Outbox, Part},
    tasks::Tasks,
};
use orderflow_testing::eventually;
use sqlx::PgPool;

use crate::toy::{DEAD_LETTERS, Listener, TOPIC, TOPICS, World, event};

/// TOPIC_AUTHORIZATION_FAILED: an error that librdkafka does not try again.
const REFUSED: i16 = 29;

#[tokio::test]
async fn a_lower_id_that_becomes_visible_later_is_published_too() {
    let world = World::start().await;
    let mut slow = world.pool.begin().await.unwrap();
    outbox::append(&mut slow, &[event("slow", 1)]).await.unwrap();
    let mut fast = world.pool.begin().await.unwrap();
    outbox::append(&mut fast, &[event("fast", 1)]).await.unwrap();
    fast.commit().await.unwrap();
    let mut relay = world.relay();
    assert_eq!(relay.relay_once().await.unwrap(), 1);
    slow.commit().await.unwrap();
    assert_eq!(relay.relay_once().await.unwrap(), 1);
    let mut published = world.published().await;
    published.sort();
    assert_eq!(published, [("fast".to_owned(), 1), ("slow".to_owned(), 1)]);
}

#[tokio::test]
async fn what_is_rolled_back_is_never_published() {
    let world = World::start().await;
    let mut tx = world.pool.begin().await.unwrap();
    outbox::append(&mut tx, &[event("ghost", 1)]).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(world.relay().relay_once().await.unwrap(), 0);
    assert_eq!(world.published().await, []);
}

#[tokio::test]
async fn one_relay_is_the_owner_and_another_takes_over() {
    let world = World::start().await;
    let (mut owner, mut other) = (world.relay(), world.relay());
    let append = async |sequence| {
        let mut conn = world.pool.acquire().await.unwrap();
        outbox::append(&mut conn, &[event("bear", sequence)]).await.unwrap();
    };
    append(1).await;
    assert_eq!(owner.relay_once().await.unwrap(), 1);
    append(2).await;
    assert_eq!(other.relay_once().await.unwrap(), 0, "it is not the owner");
    drop(owner);
    let taken = async || (other.relay_once().await.unwrap() == 1).then_some(());
    eventually("the other one has taken over", taken).await;
    assert_eq!(world.published().await, [("bear".to_owned(), 1), ("bear".to_owned(), 2)]);
}

#[tokio::test]
async fn what_is_not_delivered_is_not_marked_and_is_sent_again() {
    let world = World::start().await;
    let mut conn = world.pool.acquire().await.unwrap();
    outbox::append(&mut conn, &[event("bear", 1), event("bear", 2), event("duck", 1)]).await.unwrap();
    let faults = world.kafka.broker().faults();
    let id = faults.set(Rule::new(Fault::Error { request: Request::Produce, code: REFUSED })).unwrap();
    let mut relay = world.relay();
    assert!(relay.relay_once().await.is_err());
    assert_eq!(world.pending().await, 3);
    faults.clear(Some(id));
    assert_eq!(relay.relay_once().await.unwrap(), 3);
    assert_eq!((world.pending().await, world.published().await.len()), (0, 3));
}

#[tokio::test]
async fn a_broker_that_has_lost_its_data_is_fed_again_with_its_topics_made_right() {
    let world = World::start().await;
    let mut conn = world.pool.acquire().await.unwrap();
    outbox::append(&mut conn, &[event("bear", 1), event("duck", 1)]).await.unwrap();
    let mut relay = world.relay();
    assert_eq!(relay.relay_once().await.unwrap(), 2);
    drop(relay);
    // Another broker, empty, in place of the first; one event more is waiting for it.
    let empty = orderflow_testing::Kafka::start().await;
    outbox::append(&mut conn, &[event("bear", 2)]).await.unwrap();
    let mut relay = world.relay_to(&empty);
    let fed = async || (relay.relay_once().await.unwrap() == 3).then_some(());
    eventually("all of it is published again", fed).await;
    let mut published: Vec<_> = empty.read(TOPIC).await.into_iter().map(|record| record.key).collect();
    published.sort();
    assert_eq!(published, ["bear", "bear", "duck"]);
    assert_eq!(relay.relay_once().await.unwrap(), 0, "once");
}

#[tokio::test]
async fn a_large_outbox_is_fed_in_parts_and_a_crash_in_between_loses_nothing() {
    let world = World::start().await;
    assert_eq!(world.relay().relay_once().await.unwrap(), 0);
    let known = async || sqlx::query_scalar::<_, String>("select cluster_id from broker").fetch_one(&world.pool).await;
    let first = known().await.unwrap();
    let published = "insert into outbox (event_id, topic, key, headers, payload)
                     select gen_random_uuid(), 'toys', 'bear', '[]', '' from generate_series(1, 25000)";
    sqlx::query(published).execute(&world.pool).await.unwrap();
    // It ends in the middle, once.
    let crash = "alter table outbox_pending add constraint crash check (id <= 15000)";
    sqlx::query(crash).execute(&world.pool).await.unwrap();
    let empty = orderflow_testing::Kafka::start().await;
    let mut relay = world.relay_to(&empty);
    assert!(relay.relay_once().await.is_err());
    assert_eq!((world.pending().await, known().await.unwrap()), (10_000, first.clone()));
    sqlx::query("alter table outbox_pending drop constraint crash").execute(&world.pool).await.unwrap();
    let sent = eventually("it goes on", async || relay.relay_once().await.ok()).await;
    assert_eq!(world.pending().await, 25_000 - i64::try_from(sent).unwrap());
    assert_ne!(known().await.unwrap(), first);
}

#[tokio::test]
async fn one_subject_or_all_is_published_again_in_parts() {
    let world = World::start().await;
    let published = "insert into outbox (event_id, topic, key, headers, payload)
                     select gen_random_uuid(), 'toys', case when n % 2 = 0 then 'bear' else 'duck' end, '[]', ''
                     from generate_series(1, 30000) n";
    sqlx::query(published).execute(&world.pool).await.unwrap();
    let mut conn = world.pool.acquire().await.unwrap();
    let bears = outbox::replay_part(&mut conn, Some("bear"), 0).await.unwrap();
    assert_eq!(bears, Part { events: 10_000, next: Some(20_000) });
    let bears = outbox::replay_part(&mut conn, Some("bear"), 20_000).await.unwrap();
    assert_eq!(bears, Part { events: 5_000, next: None });
    let all = outbox::replay_part(&mut conn, None, 0).await.unwrap();
    assert_eq!(all, Part { events: 5_000, next: Some(10_000) }, "half of it is marked");
}

/// Replaces the broker, and nothing else, by one that has these topics and nothing in them, while a relay and a consumer
/// run and have nothing to do.
async fn a_broker_is_replaced(topics: &[Topic]) {
    let mut world = World::start().await;
    let (db, listener) = (world.db.clone(), Arc::new(Listener::default()));
    let consumer = Consumer::new(db, Outbox::default(), Metrics::default(), "toy", DEAD_LETTERS, listener);
    let mut tasks = Tasks::default();
    let consume = Arc::new(consumer).run(world.client.clone(), &[TOPIC], Assigned::default(), tasks.stop());
    tasks.spawn("consumer", consume);
    tasks.spawn("relay", world.relay().run(tasks.stop()));
    let append = async |pool: &PgPool, events: &[NewEvent]| {
        let mut conn = pool.acquire().await.expect("a connection");
        outbox::append(&mut conn, events).await.expect("they are appended");
    };
    append(&world.pool, &[event("bear", 1), event("duck", 1)]).await;
    world.until("all of it is heard", "select count(*) from heard", 2).await;
    world.until("all of it is marked", "select count(*) from outbox_pending", 0).await;

    world.kafka = world.kafka.replaced(topics).await;
    world.until("all of it comes again", "select sum(duplicates)::bigint from inbox", 2).await;
    append(&world.pool, &[event("bear", 2)]).await;
    world.until("what is new is heard", "select count(*) from heard", 3).await;
    tasks.shutdown().await;
    let mut published: Vec<_> = world.kafka.read(TOPIC).await.into_iter().map(|record| record.key).collect();
    published.sort();
    assert_eq!(published, ["bear", "bear", "duck"], "each once");
}

#[tokio::test]
async fn a_broker_that_is_replaced_under_an_idle_relay_is_fed_again() {
    a_broker_is_replaced(&[]).await;
}

#[tokio::test]
async fn a_broker_whose_topics_somebody_else_has_made_again_is_fed_again() {
    a_broker_is_replaced(TOPICS).await;
}

#[tokio::test]
async fn faults_lose_nothing_and_reorder_nothing() {
    const SUBJECTS: u64 = 5;
    const EVENTS: u64 = 60;
    let world = World::start().await;
    let faults = world.kafka.broker().faults();
    let rules = [Fault::DropBeforeAppend, Fault::DropAfterAppend];
    let ids = rules.map(|fault| faults.set(Rule::new(fault).percent(15.0, 7)).unwrap());
    let mut tasks = Tasks::default();
    tasks.spawn("relay", world.relay().run(tasks.stop()));
    for sequence in 1..=EVENTS {
        let mut conn = world.pool.acquire().await.unwrap();
        let events: Vec<_> = (0..SUBJECTS).map(|subject| event(&format!("toy-{subject}"), sequence)).collect();
        outbox::append(&mut conn, &events).await.unwrap();
    }
    let published = async || (world.pending().await == 0).then_some(());
    eventually("all of it is published", published).await;
    tasks.shutdown().await;
    let struck: u64 = faults.list().iter().filter(|active| ids.contains(&active.id)).map(|active| active.struck).sum();
    assert!(struck > 0, "no fault has struck");
    faults.clear(None);
    let mut of_subject: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (subject, sequence) in world.published().await {
        of_subject.entry(subject).or_default().push(sequence);
    }
    assert_eq!(of_subject.len(), 5);
    for (subject, sequences) in of_subject {
        assert_eq!(sequences, (1..=EVENTS).collect::<Vec<_>>(), "{subject}");
    }
}

#[tokio::test]
async fn an_event_made_again_is_the_same_event_and_another_is_another() {
    assert_eq!(event("bear", 1).envelope.id, event("bear", 1).envelope.id);
    assert_ne!(event("bear", 1).envelope.id, event("bear", 2).envelope.id);
    assert_ne!(event("bear", 1).envelope.id, event("duck", 1).envelope.id);
    let world = World::start().await;
    let mut conn = world.pool.acquire().await.unwrap();
    outbox::append(&mut conn, &[event("bear", 1)]).await.unwrap();
    let again = outbox::append(&mut conn, &[event("bear", 1)]).await;
    assert!(again.is_err(), "{TOPIC} has one event of a number");
}
