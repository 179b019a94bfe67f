//! Faults that a service of a local cluster makes on purpose.

use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;

/// What can be made to go wrong. Each acts in the service that runs, at one place of its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FaultName {
    /// Requests wait before they are handled (`ms`).
    HttpLatency,
    /// The database refuses a transaction.
    DbRefused,
    /// The database takes its time (`ms`) to begin a transaction.
    DbSlow,
    /// The connection breaks during a commit; one time it was done, the other time it was not.
    CommitLost,
    /// The relay publishes nothing.
    RelayPaused,
    /// The relay publishes a record twice.
    RelayTwice,
    /// The consumer reads nothing.
    ConsumerPaused,
    /// The consumer takes its time (`ms`) for a batch.
    ConsumerSlow,
    /// A record is handled twice.
    DeliverTwice,
    /// A record, and those of the same key behind it, are handled later (`ms`).
    DeliverLate,
    /// The process kills itself at a point (`point`).
    Crash,
    /// The provider declines a charge (`decline`).
    PaymentFailure,
    /// The provider takes its time (`ms`).
    ProviderLatency,
    /// The provider charges or gives back, and its answer is lost.
    ProviderTimeout,
    /// The provider answers 500 and does nothing.
    ProviderError,
}

impl FaultName {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 15] = [
        Self::HttpLatency,
        Self::DbRefused,
        Self::DbSlow,
        Self::CommitLost,
        Self::RelayPaused,
        Self::RelayTwice,
        Self::ConsumerPaused,
        Self::ConsumerSlow,
        Self::DeliverTwice,
        Self::DeliverLate,
        Self::Crash,
        Self::PaymentFailure,
        Self::ProviderLatency,
        Self::ProviderTimeout,
        Self::ProviderError,
    ];
    /// Those that every service knows how to make: all but the last four, which strike where the payment provider is
    /// asked.
    pub const OF_EVERY_SERVICE: &'static [Self] = Self::ALL.split_at(Self::ALL.len() - 4).0;
}

/// Where a process can be made to kill itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CrashPoint {
    /// A transaction is ready to be committed.
    BeforeCommit,
    /// It is committed, and nothing is published yet.
    AfterCommit,
    /// A batch is published, and not marked yet.
    AfterPublish,
    /// A batch is handled, and its offsets are not committed yet.
    AfterHandling,
    /// The provider has answered, and the answer is not recorded yet.
    AfterAnswer,
}

/// Sets a fault.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SetFault {
    /// How likely it strikes each time; always if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<f64>,
    /// How long, for what takes its time, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// Where, for a crash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point: Option<CrashPoint>,
    /// As what, for a decline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decline: Option<String>,
    /// It strikes so often and no more; a crash once, if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// It ends by itself after so long, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
    /// Of its random numbers: the same seed makes the same decisions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// A fault that is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Fault {
    /// Which.
    pub name: FaultName,
    /// How it was set.
    #[serde(flatten)]
    pub set: SetFault,
    /// How often it has struck.
    pub struck: u64,
    /// When it ends by itself.
    pub ends_at: Option<Timestamp>,
}

/// How often a fault has struck in a service since its data began, also one that has ended or was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Bites {
    /// Which.
    pub name: FaultName,
    /// How often, in all.
    pub bites: u64,
}
