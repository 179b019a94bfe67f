//! The console's API: accounts, tokens, timelines, the stream of events.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ids::{AccountId, EventId, OrderId},
    timestamp::Timestamp,
};

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Orders and pays; sees their own orders.
    Customer,
    /// Sells; sees the orders of their own products.
    Seller,
    /// Sees everything, changes no order.
    Admin,
}

impl Role {
    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Seller => "seller",
            Self::Admin => "admin",
        }
    }
}

/// Opens an account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignUp {
    /// E-mail address.
    pub email: String,
    /// 8 to 128 characters.
    pub password: String,
    /// `customer` or `seller`; nobody makes themselves an admin.
    pub role: Role,
}

/// Opens a session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// E-mail address.
    pub email: String,
    /// The password.
    pub password: String,
}

/// Asks for a new token, or ends the session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// What the session's last answer had; each can be used once.
    pub refresh_token: String,
}

/// A session. It has secrets, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Session {
    /// For the header `Authorization: Bearer …`.
    pub token: String,
    /// Until when the token is good.
    pub expires_at: Timestamp,
    /// For the next token.
    pub refresh_token: String,
    /// Whose session it is.
    pub account: Account,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// E-mail address.
    pub email: String,
    /// What it may do.
    pub role: Role,
}

/// The life of an order, as far as it was heard of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Timeline {
    /// Of which order.
    pub order_id: OrderId,
    /// What has happened, in the order in which it happened.
    pub steps: Vec<Step>,
    /// What can or will happen next.
    pub next: Vec<NextStep>,
}

/// One thing that has happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Step {
    /// When, by the clock of the service.
    pub at: Timestamp,
    /// Where: `orders`, `inventory` or `payments`.
    pub service: String,
    /// What, as `order.created`.
    pub event: String,
    /// For people.
    pub detail: String,
    /// Since the order's first step, in milliseconds.
    pub elapsed_ms: i64,
    /// The event's id.
    pub event_id: EventId,
    /// The event that led to it; none for a person's command.
    pub causation_id: Option<EventId>,
}

/// What can or will happen next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NextStep {
    /// Whose turn it is: `customer`, `seller`, or a service.
    pub who: String,
    /// What they do.
    pub what: String,
}

/// One event, as the stream and the list give it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EventRecord {
    /// Its place in the console's list; what `Last-Event-ID` takes.
    pub position: i64,
    /// The event's id.
    pub id: EventId,
    /// The service that wrote it, as `/orderflow/orders`.
    pub source: String,
    /// Its type, as `order.created`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// What it is about: an order, or a product.
    pub subject: String,
    /// The number of the event in the life of what it is about.
    pub sequence: i64,
    /// One for all that follows from one command.
    pub correlation_id: String,
    /// The event that led to it.
    pub causation_id: Option<EventId>,
    /// When it happened.
    pub at: Timestamp,
    /// When the relay published it, by the clock of its machine.
    pub published_at: Timestamp,
    /// When the console had it.
    pub received_at: Timestamp,
    /// The event's data.
    #[schema(value_type = Object)]
    pub data: Value,
}
