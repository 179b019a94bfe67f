//! The consumer: takes a batch of records, applies the new ones in one transaction, then commits the offsets.
//!
//! What cannot be read is dead-lettered in the same transaction. A database that is down holds everything up until it
//! is back; nothing is dead-lettered for that.
//!
//! ```text
//!   Kafka ─▶ member ─▶ batch ─▶ run ─▶ apply ─▶ one transaction, then the offsets
//!   a dead letter ─▶ again ──────────────┘
//! ```

mod again;
mod apply;
mod batch;
mod member;
mod run;

use std::{future::Future, sync::Arc, time::Duration};

use orderflow_contracts::{envelope::Envelope, events::TimestampMs};
use sqlx::PgConnection;

use crate::{db::Db, metrics::Metrics, outbox::Outbox};

pub use self::{
    again::TryAgain,
    member::{Assigned, ConsumerError},
};

/// After an error; doubled up to a maximum where a batch is tried again.
const BACKOFF_MIN: Duration = Duration::from_millis(50);

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
}
