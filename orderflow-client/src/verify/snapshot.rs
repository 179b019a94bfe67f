//! Everything that the checks look at, as small as it can be kept.

use std::{collections::BTreeMap, fmt};

use orderflow_contracts::{
    api::{
        inventory::{Product, Reservation},
        ops::{DeadLetter, InboxRow, LedgerSum, LetterStatus, OutboxRow, UnreadableRow},
        orders::Order,
        payments::Payment,
        psp::{Charge, Refund},
    },
    events::topics,
    ids::{EventId, OrderId, ProductId},
    timestamp::Timestamp,
};
use uuid::Uuid;

use crate::endpoints::Service;

const DAY_MS: i64 = 24 * 3600 * 1000;
/// Outboxes keep what is published for 14 days. What is older than this may be gone, a day early for clocks that differ.
const KEPT_MS: i64 = 13 * DAY_MS;

/// Everything, at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// When it was begun, by this machine's clock.
    pub at: Timestamp,
    /// What time it was then at inventory, which decides what is over.
    pub inventory_now: Timestamp,
    /// The orders service's orders.
    pub orders: BTreeMap<OrderId, Order>,
    /// Inventory's products.
    pub products: BTreeMap<ProductId, Product>,
    /// Inventory's reservations.
    pub reservations: BTreeMap<OrderId, Reservation>,
    /// Inventory's ledger.
    pub ledger: Vec<LedgerSum>,
    /// The payments service's payments.
    pub payments: BTreeMap<OrderId, Payment>,
    /// The provider's charges.
    pub charges: Vec<Charge>,
    /// The provider's refunds.
    pub refunds: Vec<Refund>,
    /// What each service has committed.
    pub outboxes: BTreeMap<Service, Vec<Event>>,
    /// What each service has applied.
    pub inboxes: BTreeMap<Service, Vec<Applied>>,
    /// What could not be applied, by whom.
    pub dead_letters: Vec<Letter>,
    /// Rows that services meet and cannot read themselves.
    pub unreadable: Vec<(Service, UnreadableRow)>,
    /// What could not be read, and why.
    pub unread: Vec<Unread>,
    /// Events that were committed while it was taken.
    pub moved: u64,
}

/// A part that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Which.
    pub part: Part,
    /// Why.
    pub why: String,
}

/// A part of a snapshot: what one list of a service says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The orders.
    Orders,
    /// The products.
    Products,
    /// The reservations.
    Reservations,
    /// The stock ledger.
    Ledger,
    /// The payments.
    Payments,
    /// The provider's charges.
    Charges,
    /// The provider's refunds.
    Refunds,
    /// Inventory's clock.
    Clock,
    /// What a service has committed.
    Outbox(Service),
    /// What a service has applied.
    Inbox(Service),
    /// What a service could not apply.
    DeadLetters(Service),
    /// What a service cannot read.
    Unreadable(Service),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Orders => f.write_str("the orders"),
            Self::Products => f.write_str("the products"),
            Self::Reservations => f.write_str("the reservations"),
            Self::Ledger => f.write_str("the stock ledger"),
            Self::Payments => f.write_str("the payments"),
            Self::Charges => f.write_str("the provider's charges"),
            Self::Refunds => f.write_str("the provider's refunds"),
            Self::Clock => f.write_str("inventory's clock"),
            Self::Outbox(service) => write!(f, "the outbox of {}", service.name()),
            Self::Inbox(service) => write!(f, "the inbox of {}", service.name()),
            Self::DeadLetters(service) => write!(f, "the dead letters of {}", service.name()),
            Self::Unreadable(service) => write!(f, "what {} cannot read", service.name()),
        }
    }
}

/// Where an event goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// What orders says.
    Orders,
    /// What inventory says.
    Inventory,
    /// What payments says.
    Payments,
    /// What inventory says of products.
    Catalog,
    /// What people have done beside the saga.
    Audit,
    /// Dead letters, which nobody applies.
    Other,
}

impl Topic {
    /// From its name.
    pub fn named(name: &str) -> Self {
        match name {
            topics::ORDERS => Self::Orders,
            topics::INVENTORY => Self::Inventory,
            topics::PAYMENTS => Self::Payments,
            topics::CATALOG => Self::Catalog,
            topics::AUDIT => Self::Audit,
            _ => Self::Other,
        }
    }

    /// Who wants what is on it.
    pub const fn consumers(self) -> &'static [Service] {
        match self {
            Self::Orders => &[Service::Inventory, Service::Payments, Service::Console],
            Self::Inventory | Self::Payments | Self::Catalog => &[Service::Orders, Service::Console],
            Self::Audit => &[Service::Console],
            Self::Other => &[],
        }
    }

    /// Whether its events are numbered within the life of what they are about.
    pub const fn is_numbered(self) -> bool {
        !matches!(self, Self::Audit | Self::Other)
    }
}

/// An event that was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Where it goes.
    pub topic: Topic,
    /// What it is about.
    pub subject: Box<str>,
    /// Its type.
    pub event_type: Box<str>,
    /// Its number in the life of its subject.
    pub sequence: i64,
    /// When it was committed.
    pub created_at: Timestamp,
    /// Whether it is published.
    pub published: bool,
}

impl From<OutboxRow> for Event {
    fn from(row: OutboxRow) -> Self {
        Self {
            id: row.event_id,
            topic: Topic::named(&row.topic),
            subject: row.subject.into(),
            event_type: row.event_type.into(),
            sequence: row.sequence,
            created_at: row.created_at,
            published: row.published,
        }
    }
}

/// An event that was applied, or dead-lettered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// Its id.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// When what it is about began, where its id says so.
    pub subject_began: Option<Timestamp>,
    /// How often it came again and was passed over.
    pub duplicates: u32,
}

impl From<InboxRow> for Applied {
    fn from(row: InboxRow) -> Self {
        Self { id: row.event_id, at: row.applied_at, subject_began: began(&row.subject), duplicates: row.duplicates }
    }
}

/// A record that could not be applied; without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Who could not apply it.
    pub service: Service,
    /// Its id.
    pub id: String,
    /// What became of it.
    pub status: LetterStatus,
    /// Why.
    pub reason: String,
    /// The event, if it is one.
    pub event_id: Option<EventId>,
}

impl Letter {
    /// Of a service.
    pub fn of(service: Service, letter: &DeadLetter) -> Self {
        let id = letter.headers.iter().find(|(name, _)| name == "ce_id");
        Self {
            service,
            id: letter.id.to_string(),
            status: letter.status,
            reason: letter.reason.clone(),
            event_id: id.and_then(|(_, value)| value.parse().ok()),
        }
    }
}

impl Snapshot {
    /// With nothing in it yet.
    pub const fn empty(at: Timestamp) -> Self {
        Self {
            at,
            inventory_now: at,
            orders: BTreeMap::new(),
            products: BTreeMap::new(),
            reservations: BTreeMap::new(),
            ledger: Vec::new(),
            payments: BTreeMap::new(),
            charges: Vec::new(),
            refunds: Vec::new(),
            outboxes: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            dead_letters: Vec::new(),
            unreadable: Vec::new(),
            unread: Vec::new(),
            moved: 0,
        }
    }

    /// Every event with who has committed it.
    pub fn events(&self) -> impl Iterator<Item = (Service, &Event)> {
        self.outboxes.iter().flat_map(|(service, events)| events.iter().map(|event| (*service, event)))
    }

    /// Whether an event of then may have been thrown away.
    pub(super) const fn is_long_ago(&self, then: Timestamp) -> bool {
        then.0.saturating_add(KEPT_MS) < self.at.0
    }

    /// Whether the events about this order or product may have been thrown away.
    pub(super) fn is_old(&self, subject: &str) -> bool {
        began(subject).is_some_and(|then| self.is_long_ago(then))
    }
}

/// When an order or a product began, by the clock of its service's machine: its id is a UUID of version 7. (The time in
/// its row is of the clock that people move, and an outbox throws away by the machine's.)
pub(super) fn began(subject: &str) -> Option<Timestamp> {
    let id: Uuid = subject.parse().ok()?;
    let (seconds, nanos) = id.get_timestamp().filter(|_| id.get_version_num() == 7)?.to_unix();
    Some(Timestamp(i64::try_from(seconds).ok()?.checked_mul(1000)?.checked_add(i64::from(nanos / 1_000_000))?))
}
