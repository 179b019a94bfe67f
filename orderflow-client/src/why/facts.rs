//! What is known when an order is to be explained.

use std::collections::BTreeMap;

use orderflow_contracts::{
    api::{
        console::{EventRecord, NextStep},
        inventory::Reservation,
        ops::{DeadLetter, InboxRow, OutboxRow},
        orders::Order,
        payments::Payment,
    },
    ids::EventId,
    timestamp::Timestamp,
};

use super::turn::Known;
use crate::endpoints::Service;

/// Everything that is known of one order.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What time it is at inventory, which decides what is over.
    pub now: Timestamp,
    /// What time it is on this machine.
    pub machine_now: Timestamp,
    /// By how much the clock of each service is ahead of the machine's, in milliseconds.
    pub offsets: BTreeMap<Service, i64>,
    /// Whether the account sees outboxes, inboxes and dead letters.
    pub sees_all: bool,
    /// The order; as its events tell it, where the orders service does not answer.
    pub order: Order,
    /// Its stock.
    pub reservation: Known<Reservation>,
    /// Its money.
    pub payment: Known<Payment>,
    /// What the console has heard of it.
    pub events: Vec<EventRecord>,
    /// What comes next, by the console.
    pub next: Vec<NextStep>,
    /// What each service has committed about it, by the machine's clock; only of those that could be asked.
    pub outboxes: BTreeMap<Service, Vec<OutboxRow>>,
    /// What each service has applied of that, by the machine's clock; only of those that could be asked.
    pub inboxes: BTreeMap<Service, BTreeMap<EventId, InboxRow>>,
    /// Open dead letters about it, and whose they are.
    pub letters: Vec<(Service, DeadLetter)>,
    /// Services that do not answer or are not ready, and why.
    pub down: BTreeMap<Service, String>,
    /// The processes of a local cluster, as their supervisor sees them.
    pub processes: Vec<Process>,
    /// Connections of a local cluster that are cut.
    pub cuts: Vec<Cut>,
    /// What could not be read, in sentences.
    pub unread: Vec<String>,
}

/// A process of a local cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// `orders`, `broker`, `postgres`, `psp`, …
    pub name: String,
    /// How it is, in one word.
    pub state: String,
    /// Whether that is as it should be.
    pub is_ready: bool,
    /// Why it is not, if that is known.
    pub reason: Option<String>,
    /// How often it was started again.
    pub restarts: u32,
    /// How long it has been running, in milliseconds.
    pub uptime_ms: u64,
}

impl Process {
    /// When it was started again for the last time, if it was.
    pub(super) fn restarted_at(&self, machine_now: Timestamp) -> Option<Timestamp> {
        let ago = i64::try_from(self.uptime_ms).ok().filter(|_| self.restarts > 0 && self.is_ready)?;
        Some(Timestamp(machine_now.0.saturating_sub(ago)))
    }
}

/// A connection that is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Whose.
    pub service: String,
    /// From what.
    pub from: String,
}

impl Facts {
    /// What time it is at a service.
    pub(super) fn now_at(&self, service: Service) -> Timestamp {
        self.at(service, self.machine_now)
    }

    /// What time it was at a service, as its clock goes now.
    pub(super) fn at(&self, service: Service, machine: Timestamp) -> Timestamp {
        Timestamp(machine.0.saturating_add(self.offsets.get(&service).copied().unwrap_or(0)))
    }

    /// From a moment by the clock of a service to one by the machine's. None if they do not fit together: the service's
    /// clock was moved in between. Outbox, inbox and dead letters have the machine's time themselves.
    pub(super) fn since_at(&self, service: Service, from: Timestamp, to: Timestamp) -> Option<i64> {
        let offset = self.offsets.get(&service).copied().unwrap_or(0);
        let plain = to.0.saturating_sub(from.0);
        [plain, plain.saturating_add(offset)].into_iter().find(|ms| *ms >= 0)
    }
}
