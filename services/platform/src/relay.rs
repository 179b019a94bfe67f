//! The relay: publishes what the outbox has, in the order of the ids, at least once.
//!
//! - It takes what is *visible* and not published yet. It keeps no cursor: a lower id can become visible after a higher
//!   one, when its transaction commits later.
//! - One owner at a time, by a lock of the session that reads and marks too: who loses the session loses the lock.
//! - Marked after the delivery report. On any error the producer is thrown away and all that is not marked is sent
//!   again; the consumers' inbox knows it by its id.

use std::time::{Duration, Instant};

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
/// How long Kafka may take to say which cluster it is, before anything is published.
const CLUSTER_ID_MAX: Duration = Duration::from_secs(5);
/// The same afterwards. Shorter, since what is to be published waits for the answer.
const CLUSTER_CHECK_MAX: Duration = Duration::from_secs(1);
/// How often it is asked whether it still is that one. A request of a few bytes.
const CLUSTER_CHECK: Duration = Duration::from_secs(1);
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
    /// Kafka did not say which cluster it is: it may be one that has to be fed first.
    #[error("Kafka did not say which cluster it is")]
    NoClusterId,
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
    /// The cluster where they are, which has all that was published before; none until that is so.
    cluster_id: Option<String>,
    /// When Kafka was asked the last time which cluster it is.
    asked_at: Instant,
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
    pub fn new(db: Db, kafka: Kafka, outbox: Outbox, metrics: Metrics, topics: &'static [Topic]) -> Self {
        let asked_at = Instant::now();
        Self { db, kafka, outbox, metrics, session: None, producer: None, topics, cluster_id: None, asked_at }
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
            self.start_over().await;
        }
        published
    }

    /// Believes nothing any more of the broker. What was handed to the producer and not reported is unknown, and it must
    /// not send it after we have sent it again.
    async fn start_over(&mut self) {
        self.cluster_id = None;
        if let Some(producer) = self.producer.take() {
            elsewhere::close(producer, CLOSE_MAX).await;
        }
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
        if rows.is_empty() {
            return Ok(0);
        }
        if chaos.is_out(Pattern::Outbox) {
            // As if they were sent after the commit, and forgotten: a process that dies in between has lost them.
            in_time(mark(session, &rows.iter().map(|row| row.id).collect::<Vec<_>>())).await?;
            chaos.crash_at(CrashPoint::AfterPublish).await;
            rows.iter().for_each(|row| drop(send(producer, row)));
            return Ok(rows.len());
        }
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

    /// Before the first batch, after every error, and where the broker has become another one: makes the topics that are
    /// missing, for a client would make them wrong; makes a producer, which takes half a second until it may send; and
    /// looks whether this is still the broker that everything was published to. One that has lost its data has another
    /// id, whoever may have made its topics again, and is fed again.
    async fn prepare(&mut self) -> Result<(), RelayError> {
        if self.is_replaced().await {
            self.start_over().await;
        }
        if self.cluster_id.is_some() {
            return Ok(());
        }
        let producer = match &self.producer {
            Some(producer) => producer.clone(),
            None => self.producer.insert(self.kafka.producer()?).clone(),
        };
        self.kafka.ensure_topics(self.topics).await?;
        let cluster_id = self.ask(producer, CLUSTER_ID_MAX).await?.ok_or(RelayError::NoClusterId)?;
        if let Some(session) = self.session.as_mut()
            && let Some(events) = outbox::feed_new_broker(session, &cluster_id).await?
        {
            tracing::warn!(cluster_id, events, "the broker is another one, or has lost its data; it is fed again");
        }
        self.cluster_id = Some(cluster_id);
        Ok(())
    }

    /// Whether the broker is another one than it was. Asked every now and then: while there is nothing to publish, no
    /// error would tell. If there is no answer, nothing is known, and it is asked again.
    async fn is_replaced(&mut self) -> bool {
        let (Some(known), Some(producer)) = (&self.cluster_id, &self.producer) else { return false };
        if self.asked_at.elapsed() < CLUSTER_CHECK {
            return false;
        }
        let (known, producer) = (known.clone(), producer.clone());
        let is = self.ask(producer, CLUSTER_CHECK_MAX).await;
        is.is_ok_and(|is| is.is_some_and(|is| is != known))
    }

    /// Which cluster Kafka is, by its own word: the client would give what it remembers, at once. Not on a thread of the
    /// runtime, since it waits for the answer.
    async fn ask(&mut self, producer: FutureProducer, within: Duration) -> Result<Option<String>, KafkaError> {
        let topic = self.topics.first().map(|topic| topic.name);
        let asked = tokio::task::spawn_blocking(move || {
            producer.client().fetch_metadata(topic, within)?;
            Ok(producer.client().fetch_cluster_id(Duration::ZERO))
        });
        let told = asked.await.unwrap_or(Ok(None));
        self.asked_at = Instant::now();
        told
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
