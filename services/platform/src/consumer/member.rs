//! The member of the group: librdkafka's consumer, whether it has its partitions, and how it leaves.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use rdkafka::{
    ClientContext,
    consumer::{BaseConsumer, ConsumerContext, Rebalance, StreamConsumer},
    error::KafkaError,
};
use tokio::sync::oneshot;

use crate::elsewhere;

/// Whether the consumer has its partitions.
#[derive(Debug, Clone, Default)]
pub struct Assigned(Arc<AtomicBool>);

impl Assigned {
    /// Whether it has.
    pub fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

pub(super) struct Rebalances {
    pub(super) assigned: Assigned,
}

impl ClientContext for Rebalances {}

impl ConsumerContext for Rebalances {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        self.assigned.0.store(matches!(rebalance, Rebalance::Assign(_)), Ordering::Relaxed);
    }
}

/// A member of the group. Leaving it waits for the broker's answer, on a thread of its own: where the broker is down
/// that takes long, and nothing else is to wait for it.
pub(super) struct Member(pub(super) Option<StreamConsumer<Rebalances>>);

impl Member {
    /// Leaves the group, so that others take over at once. A member with a name of its own stays in it, and is waited
    /// for: it comes back, or its session ends.
    pub(super) async fn leave(&mut self) {
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
