//! The consumer: takes a batch of records, applies the new ones in one transaction, then commits the offsets.
//!
//! What cannot be read is dead-lettered in the same transaction. A database that is down holds everything up until it
//! is back; nothing is dead-lettered for that.

use std::{
    collections::HashMap,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, Stream, StreamExt, TryStreamExt, future::BoxFuture};
use orderflow_contracts::{
    api::{
        chaos::{CrashPoint, FaultName},
        ops::{LetterStatus, Pattern},
    },
    envelope::{Envelope, EnvelopeError},
    events::TimestampMs,
};
use rdkafka::{
    ClientContext, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance, StreamConsumer},
    error::KafkaError,
    message::Headers,
};
use serde_json::json;
use sqlx::PgConnection;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{
    auth::Principal,
    db::{Db, Meaning, meaning},
    dead_letters::{self, DeadLetter},
    elsewhere,
    http::{ApiError, commit},
    inbox,
    kafka::Kafka,
    metrics::Metrics,
    outbox::{self, Outbox},
    tasks::Stop,
};

/// Records of one transaction.
const BATCH_MAX: usize = 200;
/// Waiting for a record is begun anew after so long: a wake-up that librdkafka lost costs no more than this.
const WAIT_MAX: Duration = Duration::from_secs(1);
/// How often a consumer that is paused on purpose looks whether it still is.
const PAUSE: Duration = Duration::from_millis(100);
/// After an error, doubled up to the maximum.
const BACKOFF_MIN: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// A record as Kafka gave it.
#[derive(Debug, Clone)]
pub struct RawRecord {
    /// From which topic.
    pub topic: String,
    /// From which partition.
    pub partition: i32,
    /// Where in it.
    pub offset: i64,
    /// When it was published, by the clock of the producer's machine.
    pub timestamp_ms: TimestampMs,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its headers.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Its value.
    pub payload: Option<Vec<u8>>,
}

/// An event, with its envelope read.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its attributes.
    pub envelope: Envelope,
    /// From which topic.
    pub topic: String,
    /// From which partition.
    pub partition: i32,
    /// Where in it.
    pub offset: i64,
    /// When it was published, by the clock of the producer's machine.
    pub timestamp_ms: TimestampMs,
    /// Its data.
    pub data: Vec<u8>,
}

/// An event that the service will never be able to apply.
#[derive(Debug)]
pub struct Poison {
    /// Which one of those it was given.
    pub index: usize,
    /// Why.
    pub reason: String,
}

/// What a service does with events.
pub trait Apply: Send + Sync + 'static {
    /// Applies events, none of which was applied before, in this order and in the caller's transaction. Those that make
    /// no sense are given back; they must have changed nothing.
    fn apply(
        &self,
        conn: &mut PgConnection,
        events: &[Received],
    ) -> impl Future<Output = Result<Vec<Poison>, sqlx::Error>> + Send;

    /// After the commit of what was applied: wake who has to know.
    fn applied(&self) {}
}

/// Consumes the topics of one service.
pub struct Consumer<A> {
    db: Db,
    outbox: Outbox,
    metrics: Metrics,
    service: &'static str,
    dead_letter_topic: &'static str,
    apply: Arc<A>,
}

/// Whether the consumer has its partitions.
#[derive(Debug, Clone, Default)]
pub struct Assigned(Arc<AtomicBool>);

impl Assigned {
    /// Whether it has.
    pub fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

struct Rebalances {
    assigned: Assigned,
}

impl ClientContext for Rebalances {}

impl ConsumerContext for Rebalances {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        self.assigned.0.store(matches!(rebalance, Rebalance::Assign(_)), Ordering::Relaxed);
    }
}

/// A member of the group. Leaving it waits for the broker's answer, on a thread of its own: where the broker is down
/// that takes long, and nothing else is to wait for it.
struct Member(Option<StreamConsumer<Rebalances>>);

impl Member {
    /// Leaves the group, so that others take over at once. A member with a name of its own stays in it, and is waited
    /// for: it comes back, or its session ends.
    async fn leave(&mut self) {
        if let Some(left) = self.close() {
            let _ = left.await;
        }
    }

    fn close(&mut self) -> Option<oneshot::Receiver<()>> {
        self.0.take().map(elsewhere::drop_later)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        drop(self.close());
    }
}

/// Why a consumer cannot start, or go on.
#[derive(Debug, thiserror::Error)]
#[error("the consumer cannot start, or cannot go on: {0}")]
pub struct ConsumerError(#[from] KafkaError);

impl<A: Apply> Consumer<A> {
    /// A consumer for the group of the service. What it cannot apply goes to `dead_letter_topic`.
    pub const fn new(
        db: Db,
        outbox: Outbox,
        metrics: Metrics,
        service: &'static str,
        dead_letter_topic: &'static str,
        apply: Arc<A>,
    ) -> Self {
        Self { db, outbox, metrics, service, dead_letter_topic, apply }
    }

    /// Consumes until it is told to stop.
    pub async fn run(
        self: Arc<Self>,
        kafka: Kafka,
        topics: &'static [&'static str],
        assigned: Assigned,
        mut stop: Stop,
    ) -> Result<(), ConsumerError> {
        let mut member = Member(Some(kafka.consumer(self.service).create_with_context(Rebalances { assigned })?));
        if let Some(consumer) = &member.0 {
            consumer.subscribe(topics)?;
            while !stop.is_now() {
                let batch = tokio::select! {
                    batch = next_batch(records(consumer)) => batch?,
                    () = stop.wait() => break,
                };
                let goes_on = !batch.is_empty() && self.is_let_go_on(&mut stop).await;
                if goes_on && self.consume_badly(&batch, &mut stop).await {
                    self.db.chaos().crash_at(CrashPoint::AfterHandling).await;
                    commit_offsets(consumer, &batch);
                }
            }
        }
        // The last commit may still be on its way; whoever takes over sees those records again, and knows them.
        member.leave().await;
        Ok(())
    }

    /// Waits while the consumer is paused, with a batch in its hand: one that starts meanwhile joins its group all the
    /// same. False if it is to stop.
    async fn is_let_go_on(&self, stop: &mut Stop) -> bool {
        while self.db.chaos().strikes(FaultName::ConsumerPaused).is_some() {
            if !stop.sleep(PAUSE).await {
                return false;
            }
        }
        true
    }

    /// Applies a batch as the faults that are set have it: late, or a record twice.
    async fn consume_badly(&self, batch: &[RawRecord], stop: &mut Stop) -> bool {
        let chaos = self.db.chaos();
        chaos.delay(FaultName::ConsumerSlow).await;
        let mut done = 0;
        for (at, record) in batch.iter().enumerate() {
            if let Some(late) = chaos.strike(FaultName::DeliverLate) {
                if at > done && !self.consume(&batch[done..at], stop).await {
                    return false;
                }
                done = at;
                chaos.sit_out(&late).await;
            }
            if chaos.strikes(FaultName::DeliverTwice).is_some() {
                let twice = self.consume(&batch[done..=at], stop).await
                    && self.consume(std::slice::from_ref(record), stop).await;
                if !twice {
                    return false;
                }
                done = at + 1;
            }
        }
        done == batch.len() || self.consume(&batch[done..], stop).await
    }

    /// Applies a batch, however often it takes; false if it was told to stop before.
    async fn consume(&self, batch: &[RawRecord], stop: &mut Stop) -> bool {
        let mut backoff = BACKOFF_MIN;
        loop {
            match self.consume_once(batch).await {
                Ok(()) => return true,
                Err(error) => {
                    tracing::warn!(%error, records = batch.len(), "the batch is tried again");
                    self.metrics.consumer_failed();
                }
            }
            if !stop.sleep(backoff).await {
                return false;
            }
            backoff = (backoff * 2).min(BACKOFF_MAX);
        }
    }

    /// Applies a batch in one transaction; if values in it are refused by the database, record by record, so that only
    /// the one that it is about is dead-lettered. An error is transient: try again.
    pub async fn consume_once(&self, batch: &[RawRecord]) -> Result<(), sqlx::Error> {
        match self.transaction(batch).await {
            Err(error) if meaning(&error) == Meaning::Permanent => {}
            done => return done,
        }
        for record in batch {
            match self.transaction(std::slice::from_ref(record)).await {
                Err(error) if meaning(&error) == Meaning::Permanent => self.refuse(record, error.to_string()).await?,
                done => done?,
            }
        }
        Ok(())
    }

    async fn transaction(&self, batch: &[RawRecord]) -> Result<(), sqlx::Error> {
        let mut tx = self.db.begin().await?;
        let handled = self.handle(&mut tx, batch).await?;
        dead_letters::keep(&mut tx, self.dead_letter_topic, &handled.letters).await?;
        tx.commit().await?;
        self.outbox.wake();
        self.apply.applied();
        handled.letters.iter().for_each(log);
        self.metrics.consumed(handled.applied, handled.duplicates, handled.letters.len());
        Ok(())
    }

    /// Claims and applies what is new in a batch.
    async fn handle<'a>(&self, conn: &mut PgConnection, batch: &'a [RawRecord]) -> Result<Handled<'a>, sqlx::Error> {
        let (mut events, mut places, mut letters) = (vec![], vec![], vec![]);
        for (place, record) in batch.iter().enumerate() {
            match read_one(record) {
                Ok(event) => {
                    events.push(event);
                    places.push(place);
                }
                Err(reason) => letters.push(DeadLetter { record, reason }),
            }
        }
        let seen = events.len();
        if !self.db.chaos().is_out(Pattern::Inbox) {
            let mut new = inbox::claim(conn, &events).await?;
            // Each once, though it stood in the batch twice.
            (events, places) = events.into_iter().zip(places).filter(|(e, _)| new.remove(&e.envelope.id)).unzip();
        }
        let poisons = if events.is_empty() { vec![] } else { self.apply.apply(conn, &events).await? };
        let letter = |poison: Poison| DeadLetter { record: &batch[places[poison.index]], reason: poison.reason };
        letters.extend(poisons.into_iter().map(letter));
        Ok(Handled { applied: events.len(), duplicates: seen - events.len(), letters })
    }

    /// Tries a dead letter again, as it is now, and tells the audit log of it in the same transaction. It stays open, with
    /// its new reason, if it still cannot be applied. False if there is no open one of this id.
    async fn try_again(&self, id: Uuid, principal: &Principal) -> Result<bool, ApiError> {
        let mut tx = self.db.begin().await?;
        let Some(record) = dead_letters::open_for_update(&mut tx, id).await? else { return Ok(false) };
        sqlx::query("savepoint untried").execute(&mut *tx).await?;
        let reason = self.try_record(&mut tx, &record).await?;
        if let Some(reason) = &reason {
            sqlx::query("rollback to savepoint untried").execute(&mut *tx).await?;
            dead_letters::set_reason(&mut tx, id, reason).await?;
        } else {
            dead_letters::close(&mut tx, id, LetterStatus::Replayed).await?;
        }
        let (is_applied, detail) = (reason.is_none(), json!({ "applied": reason.is_none(), "reason": reason }));
        outbox::audit(&mut tx, self.service, principal, "dead-letter.replay", id, detail).await?;
        commit(tx).await?;
        self.outbox.wake();
        if is_applied {
            self.apply.applied();
        }
        Ok(true)
    }

    /// Why a record still cannot be applied; nothing if it was.
    async fn try_record(&self, conn: &mut PgConnection, record: &RawRecord) -> Result<Option<String>, sqlx::Error> {
        if let Ok(event) = read_one(record) {
            inbox::forget(&mut *conn, &event).await?;
        }
        match self.handle(conn, std::slice::from_ref(record)).await {
            Ok(handled) => Ok(handled.letters.into_iter().next().map(|letter| letter.reason)),
            Err(error) if meaning(&error) == Meaning::Permanent => Ok(Some(error.to_string())),
            Err(error) => Err(error),
        }
    }

    /// Dead-letters a record that the database has refused. Its event is claimed, so that at another offset it is the
    /// same dead letter; one whose claim is refused too is kept without: nothing may hold the others up for ever.
    async fn refuse(&self, record: &RawRecord, reason: String) -> Result<(), sqlx::Error> {
        let letter = DeadLetter { record, reason };
        match self.put_aside(&letter, read_one(record).ok()).await {
            Err(error) if meaning(&error) == Meaning::Permanent => self.put_aside(&letter, None).await,
            done => done,
        }
    }

    async fn put_aside(&self, letter: &DeadLetter<'_>, event: Option<Received>) -> Result<(), sqlx::Error> {
        let mut tx = self.db.begin().await?;
        if let Some(event) = event
            && inbox::claim(&mut tx, &[event]).await?.is_empty()
        {
            return tx.commit().await;
        }
        dead_letters::keep(&mut tx, self.dead_letter_topic, std::slice::from_ref(letter)).await?;
        tx.commit().await?;
        self.outbox.wake();
        log(letter);
        self.metrics.consumed(0, 0, 1);
        Ok(())
    }
}

fn log(letter: &DeadLetter<'_>) {
    let (topic, partition, offset) = (&letter.record.topic, letter.record.partition, letter.record.offset);
    tracing::warn!(topic, partition, offset, reason = letter.reason, "dead-lettered");
}

/// What came of a batch.
struct Handled<'a> {
    applied: usize,
    duplicates: usize,
    letters: Vec<DeadLetter<'a>>,
}

/// Tries dead letters again. For whoever does not know what the service does with events.
pub trait TryAgain: Send + Sync {
    /// Tries the dead letter with this id for somebody, and tells the audit log of it. It stays open, with its new reason,
    /// if it still cannot be applied. False if there is no open one of this id.
    fn try_again<'a>(&'a self, id: Uuid, principal: &'a Principal) -> BoxFuture<'a, Result<bool, ApiError>>;
}

impl<A: Apply> TryAgain for Consumer<A> {
    fn try_again<'a>(&'a self, id: Uuid, principal: &'a Principal) -> BoxFuture<'a, Result<bool, ApiError>> {
        Self::try_again(self, id, principal).boxed()
    }
}

/// What comes over a consumer, record by record.
fn records(consumer: &StreamConsumer<Rebalances>) -> impl Stream<Item = Result<RawRecord, KafkaError>> + Unpin {
    consumer.stream().map_ok(|message| own(&message))
}

/// What is there now, at least one record unless the wait is over. A fatal error is told by librdkafka once, and nothing
/// comes any more: another member has this one's name, as an example. What was taken before it comes to whoever takes
/// over.
async fn next_batch(
    mut records: impl Stream<Item = Result<RawRecord, KafkaError>> + Unpin,
) -> Result<Vec<RawRecord>, KafkaError> {
    let mut batch = Vec::new();
    let mut next = tokio::time::timeout(WAIT_MAX, records.next()).await.unwrap_or_default();
    while let Some(taken) = next {
        match taken {
            Ok(record) => batch.push(record),
            Err(error @ KafkaError::MessageConsumptionFatal(_)) => return Err(error),
            Err(error) => {
                // librdkafka goes on by itself; a topic that is not there yet comes by here too.
                tracing::debug!(%error, "the consumer has a problem");
                if batch.is_empty() {
                    tokio::time::sleep(BACKOFF_MIN).await;
                }
                break;
            }
        }
        let is_full = batch.len() >= BATCH_MAX;
        next = if is_full { None } else { records.next().now_or_never().flatten() };
    }
    Ok(batch)
}

fn own(message: &impl Message) -> RawRecord {
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    RawRecord {
        topic: message.topic().to_owned(),
        partition: message.partition(),
        offset: message.offset(),
        timestamp_ms: message.timestamp().to_millis().unwrap_or(0),
        key: message.key().map(<[u8]>::to_vec),
        headers: headers.map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec())).collect(),
        payload: message.payload().map(<[u8]>::to_vec),
    }
}

fn read_one(record: &RawRecord) -> Result<Received, String> {
    let headers = record.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
    let envelope = Envelope::from_headers(headers).map_err(|error: EnvelopeError| error.to_string())?;
    if record.key.as_deref() != Some(envelope.subject.as_bytes()) {
        return Err("the record's key is not the event's subject".to_owned());
    }
    let data = record.payload.clone().ok_or("the record has no value")?;
    let (topic, partition, offset) = (record.topic.clone(), record.partition, record.offset);
    Ok(Received { envelope, topic, partition, offset, timestamp_ms: record.timestamp_ms, data })
}

/// In the background: what is lost of it comes again, and the inbox knows it.
fn commit_offsets(consumer: &StreamConsumer<Rebalances>, batch: &[RawRecord]) {
    let mut next: HashMap<(&str, i32), i64> = HashMap::new();
    for record in batch {
        next.insert((&record.topic, record.partition), record.offset + 1);
    }
    let mut offsets = TopicPartitionList::with_capacity(next.len());
    for ((topic, partition), offset) in next {
        let added = offsets.add_partition_offset(topic, partition, Offset::Offset(offset));
        debug_assert!(added.is_ok(), "a partition that we have just read exists");
    }
    if let Err(error) = consumer.commit(&offsets, CommitMode::Async) {
        tracing::debug!(%error, "offsets were not committed");
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use rdkafka::types::RDKafkaErrorCode;

    use super::*;

    fn record(offset: i64) -> Result<RawRecord, KafkaError> {
        let topic = "toys".to_owned();
        Ok(RawRecord { topic, partition: 0, offset, timestamp_ms: 0, key: None, headers: vec![], payload: None })
    }

    async fn offsets(taken: Vec<Result<RawRecord, KafkaError>>) -> Result<Vec<i64>, KafkaError> {
        // Then nothing comes for as long as anybody waits.
        let batch = next_batch(stream::iter(taken).chain(stream::pending())).await?;
        Ok(batch.into_iter().map(|record| record.offset).collect())
    }

    #[tokio::test]
    async fn a_batch_ends_at_an_error_and_a_fatal_one_is_told_wherever_it_comes() {
        let fatal = || Err(KafkaError::MessageConsumptionFatal(RDKafkaErrorCode::FencedInstanceId));
        let error = || Err(KafkaError::MessageConsumption(RDKafkaErrorCode::UnknownTopicOrPartition));
        assert_eq!(offsets(vec![]).await, Ok(vec![]));
        assert_eq!(offsets(vec![record(0), record(1)]).await, Ok(vec![0, 1]));
        assert_eq!(offsets(vec![error(), record(0)]).await, Ok(vec![]));
        assert_eq!(offsets(vec![record(0), error(), record(1)]).await, Ok(vec![0]));
        for before in [vec![], vec![record(0)], vec![record(0), record(1)]] {
            let taken = before.into_iter().chain([fatal()]).collect();
            assert!(matches!(offsets(taken).await, Err(KafkaError::MessageConsumptionFatal(_))));
        }
        let many = (0..).take(2 * BATCH_MAX).map(record).collect();
        assert_eq!(offsets(many).await.map(|batch| batch.len()), Ok(BATCH_MAX));
    }
}
