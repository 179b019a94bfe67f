//! What the services' HTTP APIs take and give. Field names are those of the JSON; times are RFC 3339.

pub mod chaos;
pub mod console;
pub mod inventory;
pub mod ops;
pub mod orders;
pub mod payments;
pub mod psp;

use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;

/// The header with which a client makes a request safe to repeat.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Longest idempotency key, in bytes.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 100;
/// `true` on an answer that was given before, to the same key.
pub const IDEMPOTENCY_REPLAYED: &str = "idempotency-replayed";
/// One id for everything that follows from a command; made by the service if the client sends none.
pub const CORRELATION_ID: &str = "x-correlation-id";
/// The id of a request, in the answer's headers and in the log.
pub const REQUEST_ID: &str = "x-request-id";
/// Most items of a page.
pub const PAGE_SIZE_MAX: u32 = 200;
/// Items of a page where nothing else is asked for.
pub const PAGE_SIZE: u32 = 50;

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Ask with this `cursor` for what comes next; none at the end.
    pub next_cursor: Option<String>,
}

/// A service's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Clock {
    /// What time it is there.
    pub now: Timestamp,
    /// By how much it is ahead of the machine's, in milliseconds.
    pub offset_ms: i64,
}

/// Moves a service's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetClock {
    /// By how much it is to be ahead of the machine's, in milliseconds.
    pub offset_ms: i64,
}

/// Whether a service can work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Readiness {
    /// Whether all of it is ready.
    pub ready: bool,
    /// What is not, and why.
    pub not_ready: Vec<NotReady>,
}

/// A part of a service that is not ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NotReady {
    /// `database`, `consumer` or `relay`.
    pub part: String,
    /// Why.
    pub reason: String,
}
