//! The loop: batch after batch until it is told to stop, each as the faults that are set have it, and however often it
//! takes.

use std::{sync::Arc, time::Duration};

use orderflow_contracts::api::chaos::{CrashPoint, FaultName};
use rdkafka::consumer::Consumer as _;

use super::{
    Apply, Assigned, BACKOFF_MIN, Consumer, ConsumerError, RawRecord,
    apply::commit_offsets,
    batch::{next_batch, records},
    member::{Member, Rebalances},
};
use crate::{kafka::Kafka, tasks::Stop};

/// How often a consumer that is paused on purpose looks whether it still is.
const PAUSE: Duration = Duration::from_millis(100);
/// Longest that a batch waits after an error until it is tried again.
const BACKOFF_MAX: Duration = Duration::from_secs(5);

impl<A: Apply> Consumer<A> {
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
}
