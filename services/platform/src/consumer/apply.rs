//! How a batch is applied once: claimed in the inbox, applied, what cannot be is dead-lettered, all in one transaction;
//! then the offsets.

use std::collections::HashMap;

use orderflow_contracts::api::ops::Pattern;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{CommitMode, Consumer as _, StreamConsumer},
};
use sqlx::PgConnection;

use super::{Apply, Consumer, Poison, RawRecord, Received, batch::read_one, member::Rebalances};
use crate::{
    db::{Meaning, meaning},
    dead_letters::{self, DeadLetter},
    inbox,
};

impl<A: Apply> Consumer<A> {
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
    pub(super) async fn handle<'a>(
        &self,
        conn: &mut PgConnection,
        batch: &'a [RawRecord],
    ) -> Result<Handled<'a>, sqlx::Error> {
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
pub(super) struct Handled<'a> {
    applied: usize,
    duplicates: usize,
    pub(super) letters: Vec<DeadLetter<'a>>,
}

/// In the background: what is lost of it comes again, and the inbox knows it.
pub(super) fn commit_offsets(consumer: &StreamConsumer<Rebalances>, batch: &[RawRecord]) {
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
