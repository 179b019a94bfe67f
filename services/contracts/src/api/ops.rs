//! What an admin of a service can look at and do beside its business: outbox, inbox, dead letters.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ids::EventId, timestamp::Timestamp};

/// A row of the outbox: an event that was committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OutboxRow {
    /// Its place in the outbox.
    pub id: i64,
    /// The event's id.
    pub event_id: EventId,
    /// Where it is published.
    pub topic: String,
    /// What it is about: an order or a product.
    pub subject: String,
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The number of the event in the life of its subject.
    pub sequence: i64,
    /// When it was committed.
    pub created_at: Timestamp,
    /// Whether the relay has published it.
    pub published: bool,
}

/// A row of the inbox: an event that was applied, or dead-lettered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct InboxRow {
    /// The event's id.
    pub event_id: EventId,
    /// Where it came from.
    pub topic: String,
    /// What it is about.
    pub subject: String,
    /// When it was applied.
    pub applied_at: Timestamp,
    /// How often it came again and was passed over.
    pub duplicates: u32,
}

/// Publishes again what was published before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReplayOutbox {
    /// Only what is about this order or product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

/// How much is published again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Replayed {
    /// So many events.
    pub events: u64,
}

/// What became of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LetterStatus {
    /// Nobody has decided yet.
    Open,
    /// It was applied after all.
    Replayed,
    /// It was given up.
    Discarded,
}

/// A record that could not be applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeadLetter {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: uuid::Uuid,
    /// What became of it.
    pub status: LetterStatus,
    /// Why it could not be applied, the last time.
    pub reason: String,
    /// From which topic.
    pub topic: String,
    /// From which partition.
    pub partition: i32,
    /// Where in it.
    pub offset: i64,
    /// The record's key, as far as it is text.
    pub key: Option<String>,
    /// The record's headers, as far as they are text: pairs of name and value.
    pub headers: Vec<(String, String)>,
    /// The record's value: JSON if it is that, otherwise its text.
    #[schema(value_type = Object)]
    pub payload: Value,
    /// When it came.
    pub created_at: Timestamp,
}

/// Mends a dead letter; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EditLetter {
    /// Another key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Other headers, all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Vec<(String, String)>>,
    /// Another value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub payload: Option<Value>,
}

/// A row that a service meets and cannot read. It is passed over, so that the others go on, until it is mended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UnreadableRow {
    /// In which table of the service's database.
    pub table: String,
    /// Which row, by its key.
    pub key: String,
    /// Why it cannot be read.
    pub reason: String,
    /// When it was met the last time, by the machine's clock.
    pub met_at: Timestamp,
}

/// What has moved of a product, in all, by its ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LedgerSum {
    /// Which product.
    pub product_id: crate::ids::ProductId,
    /// For which order; none where stock was received.
    pub order_id: Option<crate::ids::OrderId>,
    /// Pieces that came.
    pub received: i64,
    /// Pieces that were held or taken.
    pub reserved: i64,
    /// Pieces that were given back.
    pub released: i64,
    /// Pieces that left.
    pub shipped: i64,
}

/// An entry of the audit log: who did what to what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditEntry {
    /// Its number, from 1 on, without a gap.
    pub number: i64,
    /// When it happened.
    pub at: Timestamp,
    /// Who: `customer/<account>`, `seller/<account>`, `admin/<account>`, or the service that did it by itself.
    pub actor: String,
    /// What, as `order.confirmed` or `chaos.set`.
    pub action: String,
    /// To what: an order, a product, a fault, a dead letter, an account.
    pub subject: String,
    /// More about it.
    #[schema(value_type = Object)]
    pub detail: Value,
    /// SHA-256 over the entry before and this one, in hexadecimal digits.
    pub hash: String,
}

/// Whether the audit log is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditCheck {
    /// Whether every entry fits to the one before.
    pub intact: bool,
    /// How many entries there are.
    pub entries: i64,
    /// The first number that is missing or was altered.
    pub first_broken: Option<i64>,
}

/// A place in the audit log: everything before it fits together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditPlace {
    /// The number of the entry before it.
    pub after: i64,
    /// The hash of that entry, in hexadecimal digits.
    pub hash: String,
}

/// What a part of the audit log is like: the entries up to its end, and where the next part begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditPart {
    /// Whether it is whole so far.
    #[serde(flatten)]
    pub check: AuditCheck,
    /// Ask with this for the next part; none at the end.
    #[serde(default)]
    pub next: Option<AuditPlace>,
}

/// Something that an admin has done outside of the services, as killing one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditNote {
    /// What, as `process.kill`.
    pub action: String,
    /// To what.
    pub subject: String,
    /// More about it.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub detail: Value,
}

/// A pattern that can be taken out in a laboratory, to see what it was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// Events are published by themselves after the commit, and lost with the process.
    Outbox,
    /// Nobody remembers which events were applied.
    Inbox,
    /// Nobody looks at the stock before it is promised.
    StockGuard,
    /// Every try to charge is a charge of its own.
    IdempotencyKey,
    /// A cancellation that comes before its reservation leaves no trace.
    Tombstone,
    /// Rows are neither locked nor compared before they are saved.
    VersionCheck,
}

impl Pattern {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 6] =
        [Self::Outbox, Self::Inbox, Self::StockGuard, Self::IdempotencyKey, Self::Tombstone, Self::VersionCheck];
}

/// Takes a pattern out, or puts it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPattern {
    /// Whether it is out.
    pub disabled: bool,
}
