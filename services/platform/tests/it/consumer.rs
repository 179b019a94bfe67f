//! What is published is applied: once, however often it comes; and what cannot be is kept and passed over.

use std::sync::{Arc, atomic::Ordering};

use orderflow_contracts::ids::EventId;
use orderflow_platform::{
    consumer::{Assigned, Consumer},
    db::{Meaning, meaning},
    kafka::Topic,
    metrics::Metrics,
    outbox::Outbox,
    tasks::Tasks,
};
use orderflow_testing::eventually;
use uuid::Uuid;

use crate::toy::{DEAD_LETTERS, Listener, TOPIC, ToyEvent, World, record};

const PLAYED: ToyEvent = ToyEvent::Played { times: 1 };

struct Fixture {
    world: World,
    listener: Arc<Listener>,
    consumer: Consumer<Listener>,
}

async fn fixture() -> Fixture {
    let world = World::start().await;
    let listener = Arc::new(Listener::default());
    let (outbox, metrics) = (Outbox::default(), Metrics::default());
    let consumer = Consumer::new(world.db.clone(), outbox, metrics, "toy", DEAD_LETTERS, Arc::clone(&listener));
    Fixture { world, listener, consumer }
}

fn id(number: u128) -> EventId {
    Uuid::from_u128(number).into()
}

impl Fixture {
    async fn heard(&self) -> i64 {
        self.world.database.count("select count(*) from heard").await
    }

    async fn dead_letters(&self) -> Vec<(i64, String)> {
        let letters = sqlx::query_as("select \"offset\", reason from dead_letters order by \"offset\"");
        letters.fetch_all(&self.world.pool).await.expect("the dead letters")
    }
}

#[tokio::test]
async fn an_event_is_applied_once_in_a_batch_and_over_batches_at_whatever_offset() {
    let fixture = fixture().await;
    let batch = [record(0, id(1), &PLAYED), record(1, id(2), &PLAYED), record(2, id(1), &PLAYED)];
    fixture.consumer.consume_once(&batch).await.unwrap();
    fixture.consumer.consume_once(&batch).await.unwrap();
    fixture.consumer.consume_once(&[record(90, id(2), &PLAYED)]).await.unwrap();
    assert_eq!(fixture.heard().await, 2);
    let duplicates = fixture.world.database.count("select sum(duplicates)::bigint from inbox").await;
    assert_eq!(duplicates, 5, "all seven records but two");
}

#[tokio::test]
async fn a_database_that_is_away_changes_nothing_and_dead_letters_nothing() {
    let fixture = fixture().await;
    fixture.listener.database_is_away.store(2, Ordering::Relaxed);
    let batch = [record(0, id(1), &PLAYED), record(1, id(2), &ToyEvent::Broken)];
    for _ in 0..2 {
        assert!(fixture.consumer.consume_once(&batch).await.is_err());
        assert_eq!((fixture.heard().await, fixture.dead_letters().await), (0, vec![]));
        assert_eq!(fixture.world.database.count("select count(*) from inbox").await, 0);
    }
    fixture.consumer.consume_once(&batch).await.unwrap();
    assert_eq!((fixture.heard().await, fixture.dead_letters().await.len()), (1, 1));
}

#[tokio::test]
async fn one_event_that_the_database_refuses_does_not_take_the_others_with_it() {
    let fixture = fixture().await;
    let batch = [record(0, id(1), &PLAYED), record(1, id(2), &ToyEvent::Impossible), record(2, id(3), &PLAYED)];
    fixture.consumer.consume_once(&batch).await.unwrap();
    assert_eq!(fixture.heard().await, 2);
    let letters = fixture.dead_letters().await;
    assert_eq!((letters.len(), letters[0].0), (1, 1));
    assert!(letters[0].1.contains("heard_pkey"), "{letters:?}");
}

#[tokio::test]
async fn what_cannot_be_read_or_makes_no_sense_is_kept_once_and_told_once() {
    let fixture = fixture().await;
    let mut headless = record(1, id(2), &PLAYED);
    headless.headers.clear();
    let mut elsewhere = record(2, id(3), &PLAYED);
    elsewhere.key = None;
    let mut empty = record(3, id(4), &PLAYED);
    empty.payload = None;
    let batch = [record(0, id(1), &ToyEvent::Broken), headless, elsewhere, empty, record(4, id(5), &PLAYED)];
    for _ in 0..2 {
        fixture.consumer.consume_once(&batch).await.unwrap();
    }
    let letters = fixture.dead_letters().await;
    let reasons: Vec<_> = letters.iter().map(|(_, reason)| reason.as_str()).collect();
    let expected = [
        "it is broken",
        "the header ce_specversion is missing",
        "the record's key is not the event's subject",
        "the record has no value",
    ];
    assert_eq!((reasons.as_slice(), fixture.heard().await), (expected.as_slice(), 1));
    assert_eq!(fixture.world.pending().await, 4);
    assert_eq!(fixture.world.relay().relay_once().await.unwrap(), 4);
    let told = fixture.world.kafka.read(DEAD_LETTERS).await;
    assert_eq!(told.len(), 4);
    assert!(told.iter().all(|letter| letter.headers["dead-letter-topic"] == "toys"));
}

#[tokio::test]
async fn a_record_that_no_table_takes_is_put_aside_and_holds_nobody_up() {
    let fixture = fixture().await;
    let about = |offset, key: &str| {
        let mut record = record(offset, id(10 + u128::from(offset.unsigned_abs())), &PLAYED);
        record.key = Some(key.as_bytes().to_vec());
        record.headers.retain(|(name, _)| name != "ce_subject");
        record.headers.push(("ce_subject".to_owned(), key.as_bytes().to_vec()));
        record
    };
    // Texts of Postgres have no NUL in them.
    let nul = about(0, &format!("{}\0", Uuid::from_u128(1)));
    // No two characters are the same, so that no index can make it shorter.
    let long: String = (0..1_000).filter_map(|n| char::from_u32(0x4e00 + n * 7_919 % 20_000)).collect();
    let mut long = about(1, &long);
    long.headers.clear();
    // The database refuses to claim this one, for whatever reason.
    let refuse = "alter table inbox add constraint no_wolves check (subject <> 'wolf')";
    sqlx::query(refuse).execute(&fixture.world.pool).await.unwrap();
    let batch = [nul, long, about(2, "wolf"), record(3, id(1), &PLAYED)];
    for _ in 0..2 {
        fixture.consumer.consume_once(&batch).await.unwrap();
    }
    let letters = fixture.dead_letters().await;
    let offsets: Vec<_> = letters.iter().map(|(offset, _)| *offset).collect();
    assert_eq!((offsets, fixture.heard().await), (vec![0, 1, 2], 1));
    assert_eq!(letters[0].1, "the header ce_subject is not readable");
    assert!(letters[2].1.contains("no_wolves"), "{letters:?}");
    assert_eq!(fixture.world.relay().relay_once().await.unwrap(), 3);
}

#[tokio::test]
async fn what_is_too_large_for_the_database_will_always_be() {
    let world = World::start().await;
    let refused = "do $$ begin raise exception 'too large' using errcode = '54000'; end $$";
    let error = sqlx::query(refused).execute(&world.pool).await.unwrap_err();
    assert_eq!(meaning(&error), Meaning::Permanent);
}

#[tokio::test]
async fn a_topic_that_is_made_after_the_group_was_formed_is_read() {
    const LATE: &str = "late-toys";
    let Fixture { world, consumer, .. } = fixture().await;
    let (assigned, mut tasks) = (Assigned::default(), Tasks::default());
    let consume = Arc::new(consumer).run(world.client.clone(), &[TOPIC, LATE], assigned.clone(), tasks.stop());
    tasks.spawn("consumer", consume);
    eventually("it has its partitions", async || assigned.is_so().then_some(())).await;
    world.client.ensure_topics(&[Topic { name: LATE, compacted: false }]).await.unwrap();
    world.kafka.tell(LATE, "bear", 1, &PLAYED).await;
    world.until("it is heard", "select count(*) from heard", 1).await;
    tasks.shutdown().await;
}

#[tokio::test]
async fn the_same_place_with_other_content_is_another_dead_letter() {
    let fixture = fixture().await;
    for payload in ["one", "two"] {
        let mut headless = record(0, id(1), &PLAYED);
        headless.headers.clear();
        headless.payload = Some(payload.as_bytes().to_vec());
        fixture.consumer.consume_once(&[headless]).await.unwrap();
    }
    assert_eq!(fixture.dead_letters().await.len(), 2, "a broker that lost its data counts from zero again");
}
