//! The relay: publishes what the outbox has, in the order of the ids, at least once.
//!
//! - It takes what is *visible* and not published yet. It keeps no cursor: a lower id can become visible after a higher
//!   one, when its transaction commits later.
//! - One owner at a time, by a lock of the session that reads and marks too: who loses the session loses the lock.
//! - Marked after the delivery report. On any error the producer is thrown away and all that is not marked is sent
//!   again; the consumers' inbox knows it by its id.

use std::time::Duration;

use orderflow_contracts::api::{
    chaos::{CrashPoint, FaultName},
    ops::Pattern,
};
use rdkafka::{
    error::KafkaError,
    message::{Header, OwnedHeaders},
    producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer},
};
use serde_json::Value;
use sqlx::{PgConnection, PgPool, Postgres, pool::PoolConnection};
use uuid::Uuid;

use crate::{
    db::Db,
    elsewhere,
    kafka::{Kafka, Topic},
    metrics::Metrics,
    outbox::{self, Outbox},
    tasks::Stop,
};

/// Rows that are published at once: one query, one mark.
const BATCH_MAX: i64 = 500;
/// Without a wake-up: finds what other replicas have appended, and what this one could not publish.
const POLL: Duration = Duration::from_millis(500);
/// After an error, doubled up to the maximum.
const BACKOFF_MIN: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(2);
/// How long a record may be on its way. librdkafka has no limit of its own here: what it gives up in the middle of a
/// batch could overtake what comes before it.
const DELIVERY_MAX: Duration = Duration::from_secs(30);
/// How long the database may take for a batch.
const DATABASE_MAX: Duration = Duration::from_secs(15);
/// How long a producer may take to end; then it ends on its own.
const CLOSE_MAX: Duration = Duration::from_secs(3);
/// How long Kafka may take to say which cluster it is.
const CLUSTER_ID_MAX: Duration = Duration::from_secs(5);
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
    /// The topics that have to be there before anything is sent.
    topics: &'static [Topic],
    /// Whether they are, and the broker is the one that we know.
    is_prepared: bool,
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
    /// A relay for the outbox of this database, which publishes on these topics.
    pub const fn new(db: Db, kafka: Kafka, outbox: Outbox, metrics: Metrics, topics: &'static [Topic]) -> Self {
        Self { db, kafka, outbox, metrics, session: None, producer: None, topics, is_prepared: false }
    }

    /// Publishes until it is told to stop. An error is a reason to wait and to try again, for ever.
    pub async fn run(mut self, mut stop: Stop) -> Result<(), RelayError> {
        let mut backoff = BACKOFF_MIN;
        while !stop.is_now() {
            match self.relay_once().await {
                Ok(0) if self.session.is_none() => drop(stop.sleep(POLL).await),
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
        self.outbox.set_failing(published.is_err());
        if published.is_err() {
            self.session = None;
            self.is_prepared = false;
            // What was handed to it and not reported is unknown, and it must not send it after we have sent it again.
            if let Some(producer) = self.producer.take() {
                elsewhere::close(producer, CLOSE_MAX).await;
            }
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
        if self.session.is_none() {
            return Ok(0);
        }
        self.prepare().await?;
        let (Some(session), Some(producer)) = (self.session.as_mut(), self.producer.as_ref()) else { return Ok(0) };
        let rows = in_time(pending(session)).await?;
        let mut reports = Vec::with_capacity(rows.len());
        let mut failed = None;
        for row in &rows {
            if chaos.strikes(FaultName::RelayTwice).is_some() {
                drop(send(producer, row));
            }
            match send(producer, row) {
                Ok(report) => reports.push(report),
                // Those before it are on their way; what becomes of them is still to be heard.
                Err(error) => {
                    failed = Some(error.into());
                    break;
                }
            }
        }
        if chaos.is_out(Pattern::Outbox) {
            // As if they were sent after the commit and forgotten: what becomes of them, nobody asks.
            reports.clear();
            in_time(mark(session, &rows.iter().map(|row| row.id).collect::<Vec<_>>())).await?;
            return Ok(rows.len());
        }
        let mut published = Vec::with_capacity(rows.len());
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
        in_time(mark(session, &published)).await?;
        self.metrics.published(published.len());
        failed.map_or(Ok(published.len()), Err)
    }

    /// Before the first batch, and after every error: makes the topics that are missing, for a client would make them
    /// wrong; makes a producer, which takes half a second until it may send; and looks whether this is still the broker
    /// that everything was published to. One that has lost its data has another id, and is fed again.
    async fn prepare(&mut self) -> Result<(), RelayError> {
        let producer = match &self.producer {
            Some(producer) => producer.clone(),
            None => self.producer.insert(self.kafka.producer()?).clone(),
        };
        if self.is_prepared {
            return Ok(());
        }
        self.kafka.ensure_topics(self.topics).await?;
        let asked = tokio::task::spawn_blocking(move || producer.client().fetch_cluster_id(CLUSTER_ID_MAX)).await;
        if let (Some(session), Ok(Some(cluster_id))) = (self.session.as_mut(), asked)
            && let Some(events) = outbox::feed_new_broker(session, &cluster_id).await?
        {
            tracing::warn!(cluster_id, events, "the broker is another one, or has lost its data; it is fed again");
        }
        self.is_prepared = true;
        Ok(())
    }
}

/// The database's answer, within a limit: a connection to a machine that is gone is silent for a long time.
async fn in_time<T>(asked: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    tokio::time::timeout(DATABASE_MAX, asked).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// The session that is the owner, if nobody else is.
async fn own(pool: &PgPool) -> Result<Option<PgConnection>, sqlx::Error> {
    let mut pooled: PoolConnection<Postgres> = pool.acquire().await?;
    let lock = sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(OWNER_LOCK);
    if !in_time(lock.fetch_one(&mut *pooled)).await? {
        return Ok(None);
    }
    let mut session = pooled.detach();
    // A mark that a crash of the database loses is made again after the record was sent again: no need for the disk.
    sqlx::query("set synchronous_commit = off").execute(&mut session).await?;
    Ok(Some(session))
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
    match tokio::time::timeout(DELIVERY_MAX, report).await {
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
