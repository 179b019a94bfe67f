//! A service that does nothing but write down what it hears.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering},
};

use orderflow_contracts::{api::chaos::FaultName, ids::EventId};
use orderflow_platform::{
    chaos::Chaos,
    consumer::{Apply, Poison, RawRecord, Received},
    context::Context,
    db::{self, Db},
    kafka::{Kafka as Client, Topic},
    metrics::Metrics,
    outbox::{Happened, NewEvent, Outbox, Writer},
    relay::Relay,
};
use orderflow_testing::{Database, Kafka, eventually};
use serde::Serialize;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

pub const TOPIC: &str = "toys";
pub const DEAD_LETTERS: &str = "toys.dead-letters";
pub const TOPICS: &[Topic] = &[Topic { name: TOPIC, compacted: false }, Topic { name: DEAD_LETTERS, compacted: false }];
const WRITER: Writer = Writer { source: "/orderflow/toy", topic: TOPIC };

#[derive(Serialize)]
#[serde(tag = "type", content = "data")]
pub enum ToyEvent {
    #[serde(rename = "toy.played")]
    Played { times: u64 },
    #[serde(rename = "toy.broken")]
    Broken,
    #[serde(rename = "toy.impossible")]
    Impossible,
}

/// A database with the platform's tables and a broker with the toys' topics.
pub struct World {
    pub database: Database,
    pub pool: PgPool,
    pub db: Db,
    pub kafka: Kafka,
    pub client: Client,
}

impl World {
    pub async fn start() -> Self {
        let (database, kafka) = (Database::new().await, Kafka::start().await);
        let pool = db::open(database.url(), "toy", &[]).await.expect("a database");
        let chaos = Chaos::load(pool.clone(), FaultName::OF_EVERY_SERVICE).await.expect("the faults");
        let db = Db::new(pool.clone(), chaos);
        let made = sqlx::query("create table heard (event_id uuid primary key, event_type text not null)");
        made.execute(&pool).await.expect("a table");
        let client = Client::new(kafka.bootstrap().to_owned(), BTreeMap::new());
        client.ensure_topics(TOPICS).await.expect("topics");
        Self { database, pool, db, kafka, client }
    }

    pub fn relay(&self) -> Relay {
        Relay::new(self.db.clone(), self.client.clone(), Outbox::default(), Metrics::default(), TOPICS)
    }

    /// A relay to another broker.
    pub fn relay_to(&self, kafka: &Kafka) -> Relay {
        let client = Client::new(kafka.bootstrap().to_owned(), BTreeMap::new());
        Relay::new(self.db.clone(), client, Outbox::default(), Metrics::default(), TOPICS)
    }

    pub async fn pending(&self) -> i64 {
        self.database.count("select count(*) from outbox_pending").await
    }

    /// Waits until a query gives this number.
    pub async fn until(&self, what: &str, query: &'static str, number: i64) {
        eventually(what, async || (self.database.count(query).await == number).then_some(())).await;
    }

    /// The subjects and sequences of what is in the topic, without repetitions, in its order for each subject.
    pub async fn published(&self) -> Vec<(String, u64)> {
        let mut seen = std::collections::HashSet::new();
        let records = self.kafka.read(TOPIC).await;
        let first = records.into_iter().filter(|record| seen.insert(record.headers["ce_id"].clone()));
        first.map(|record| (record.key.clone(), record.headers["ce_sequence"].parse().expect("a number"))).collect()
    }
}

pub fn event(subject: &str, sequence: u64) -> NewEvent {
    let context = Context::of_command(Some("toys"), None, None);
    let event = ToyEvent::Played { times: sequence };
    WRITER.event(Happened { subject: subject.to_owned(), sequence, time_ms: 0, context: &context, event: &event })
}

/// A record as Kafka would give it.
pub fn record(offset: i64, id: EventId, event: &ToyEvent) -> RawRecord {
    let (event_type, data) = orderflow_contracts::events::encode(event);
    let headers = [
        ("ce_specversion", "1.0".to_owned()),
        ("ce_id", id.to_string()),
        ("ce_source", "/orderflow/test".to_owned()),
        ("ce_type", event_type),
        ("ce_subject", "bear".to_owned()),
        ("ce_time", "2026-11-22T00:00:00Z".to_owned()),
        ("ce_correlationid", "toys".to_owned()),
        ("ce_sequence", "1".to_owned()),
    ];
    RawRecord {
        topic: TOPIC.to_owned(),
        partition: 0,
        offset,
        timestamp_ms: 0,
        key: Some(b"bear".to_vec()),
        headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect(),
        payload: Some(data),
    }
}

/// Writes down what it hears. A broken toy makes no sense to it, an impossible one is refused by the database, and so
/// often the database is away.
#[derive(Default)]
pub struct Listener {
    pub database_is_away: AtomicU32,
}

impl Apply for Listener {
    async fn apply(&self, conn: &mut PgConnection, events: &[Received]) -> Result<Vec<Poison>, sqlx::Error> {
        let away =
            self.database_is_away.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |times| times.checked_sub(1));
        let mut poisons = vec![];
        for (index, event) in events.iter().enumerate() {
            let event_type = event.envelope.event_type.as_str();
            if event_type == "toy.broken" {
                poisons.push(Poison { index, reason: "it is broken".to_owned() });
                continue;
            }
            // The second insert of the same id violates the primary key.
            for _ in 0..if event_type == "toy.impossible" { 2 } else { 1 } {
                sqlx::query("insert into heard (event_id, event_type) values ($1, $2)")
                    .bind(Uuid::from(event.envelope.id))
                    .bind(event_type)
                    .execute(&mut *conn)
                    .await?;
            }
        }
        if away.is_ok() {
            return Err(sqlx::Error::PoolTimedOut);
        }
        Ok(poisons)
    }
}
