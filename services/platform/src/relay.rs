//! The relay: publishes what the outbox has, in the order of the ids, at least once.
//!
//! - It takes what is *visible* and not published yet. It keeps no cursor: a lower id can become visible after a higher
//!   one, when its transaction commits later.
//! - One owner at a time, by a lock of the session that reads and marks too: who loses the session loses the lock.
//! - Marked after the delivery report. On any error the producer is thrown away and all that is not marked is sent
//!   again; the consumers' inbox knows it by its id.

use std::time::Duration;

use orderflow_contracts::api::chaos::{CrashPoint, FaultName};
use rdkafka::{
    error::KafkaError,
    message::{Header, OwnedHeaders},
    producer::{DeliveryFuture, FutureProducer, FutureRecord},
};
use serde_json::Value;
use sqlx::{Connection, PgConnection, PgPool, Postgres, pool::PoolConnection};
use uuid::Uuid;

use crate::{
    db::Db,
    kafka::{DELIVERY_MS_MAX, Kafka},
    metrics::Metrics,
    outbox::Outbox,
    tasks::Stop,
};

/// Rows that are published at once: one query, one mark.
const BATCH_MAX: i64 = 500;
/// Without a wake-up: finds what other replicas have appended, and what this one could not publish.
const POLL: Duration = Duration::from_millis(500);
/// After an error, doubled up to the maximum.
const BACKOFF_MIN: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(2);
/// The key of the lock that makes a relay the owner. Any number will do, as long as all replicas have the same.
const OWNER_LOCK: i64 = 0x6f75_7462_6f78;

/// Why a batch was not published, or not marked.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The database.
    #[error("the outbox cannot be read or marked")]
    Database(#[from] sqlx::Error),
    /// Kafka.
    #[error("a record was not taken")]
    Kafka(#[from] KafkaError),
    /// Kafka said nothing for too long.
    #[error("Kafka did not say in time what became of a record")]
    NoReport,
}

/// Publishes one service's outbox.
pub struct Relay {
    db: Db,
    kafka: Kafka,
    outbox: Outbox,
    metrics: Metrics,
    /// The session that holds the lock.
    session: Option<PgConnection>,
    producer: Option<FutureProducer>,
}

struct Pending {
    id: i64,
    event_id: Uuid,
    topic: String,
    key: String,
    headers: Value,
    payload: Vec<u8>,
}

impl Relay {
    /// A relay for the outbox of this database.
    pub const fn new(db: Db, kafka: Kafka, outbox: Outbox, metrics: Metrics) -> Self {
        Self { db, kafka, outbox, metrics, session: None, producer: None }
    }

    /// Publishes until it is told to stop. An error is a reason to wait and to try again, for ever.
    pub async fn run(mut self, mut stop: Stop) -> Result<(), RelayError> {
        let mut backoff = BACKOFF_MIN;
        while !stop.is_now() {
            // Made before it is needed: librdkafka takes half a second until a new producer may send.
            if self.producer.is_none() {
                self.producer = self.kafka.producer().ok();
            }
            match self.relay_once().await {
                Ok(0) => {
                    tokio::select! {
                        () = self.outbox.woken() => {}
                        () = tokio::time::sleep(POLL) => {}
                        () = stop.wait() => {}
                    }
                }
                Ok(_) => backoff = BACKOFF_MIN,
                Err(error) => {
                    self.metrics.relay_failed();
                    tracing::warn!(error = %report(&error), "the relay tries again");
                    stop.sleep(backoff).await;
                    backoff = (backoff * 2).min(BACKOFF_MAX);
                }
            }
        }
        Ok(())
    }

    /// Publishes one batch; how many records that were. Zero also if another replica is the owner.
    pub async fn relay_once(&mut self) -> Result<usize, RelayError> {
        let published = self.publish_batch().await;
        if published.is_err() {
            // What was handed to it and not reported is unknown, and it must not send it after we have sent it again.
            self.producer = None;
            self.session = None;
        }
        published
    }

    async fn publish_batch(&mut self) -> Result<usize, RelayError> {
        let chaos = self.db.chaos().clone();
        if chaos.strikes(FaultName::RelayPaused).is_some() {
            return Ok(0);
        }
        if self.session.is_none() {
            self.session = own(self.db.pool()).await?;
        }
        let Some(session) = self.session.as_mut() else { return Ok(0) };
        let rows = pending(session).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let producer = match &self.producer {
            Some(producer) => producer,
            None => self.producer.insert(self.kafka.producer()?),
        };
        let mut reports = Vec::with_capacity(rows.len());
        for row in &rows {
            if chaos.strikes(FaultName::RelayTwice).is_some() {
                drop(send(producer, row)?);
            }
            reports.push(send(producer, row)?);
        }
        let mut published = Vec::with_capacity(rows.len());
        let mut failed = None;
        for (row, report) in rows.iter().zip(reports) {
            match delivered(report).await {
                Ok(()) => published.push(row.id),
                Err(error) => {
                    tracing::warn!(event_id = %row.event_id, topic = row.topic, %error, "a record was not delivered");
                    failed = Some(error);
                    break;
                }
            }
        }
        chaos.crash_at(CrashPoint::AfterPublish).await;
        mark(session, &published).await?;
        self.metrics.published(published.len());
        failed.map_or(Ok(published.len()), Err)
    }
}

/// The session that is the owner, if nobody else is.
async fn own(pool: &PgPool) -> Result<Option<PgConnection>, sqlx::Error> {
    let pooled: PoolConnection<Postgres> = pool.acquire().await?;
    let mut session = pooled.detach();
    // A mark that a crash of the database loses is made again after the record was sent again: no need for the disk.
    sqlx::query("set synchronous_commit = off").execute(&mut session).await?;
    let lock = sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(OWNER_LOCK);
    if lock.fetch_one(&mut session).await? {
        return Ok(Some(session));
    }
    session.close().await?;
    Ok(None)
}

async fn pending(session: &mut PgConnection) -> Result<Vec<Pending>, sqlx::Error> {
    let rows: Vec<(i64, Uuid, String, String, Value, Vec<u8>)> = sqlx::query_as(
        "select id, event_id, topic, key, headers, payload from outbox_pending join outbox using (id)
         order by id limit $1",
    )
    .bind(BATCH_MAX)
    .fetch_all(session)
    .await?;
    let pending = |(id, event_id, topic, key, headers, payload)| Pending { id, event_id, topic, key, headers, payload };
    Ok(rows.into_iter().map(pending).collect())
}

async fn mark(session: &mut PgConnection, ids: &[i64]) -> Result<(), sqlx::Error> {
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query("delete from outbox_pending where id = any($1)").bind(ids).execute(session).await.map(drop)
}

/// Hands a record over without waiting for it.
fn send(producer: &FutureProducer, row: &Pending) -> Result<DeliveryFuture, KafkaError> {
    let named = row
        .headers
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|pair| Some((pair.get(0)?.as_str()?, pair.get(1)?.as_str()?)));
    let headers =
        named.fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(value) }));
    let record = FutureRecord::to(&row.topic).key(&row.key).payload(&row.payload).headers(headers);
    producer.send_result(record).map_err(|(error, _)| error)
}

async fn delivered(report: DeliveryFuture) -> Result<(), RelayError> {
    // librdkafka gives up by itself; this is for the case that it does not.
    let limit = Duration::from_millis(DELIVERY_MS_MAX + 5_000);
    match tokio::time::timeout(limit, report).await {
        Ok(Ok(Ok(_))) => Ok(()),
        Ok(Ok(Err((error, _)))) => Err(error.into()),
        Ok(Err(_)) | Err(_) => Err(RelayError::NoReport),
    }
}

/// The error and its causes in one line.
fn report(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
