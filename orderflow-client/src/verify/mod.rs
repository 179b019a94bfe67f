//! Whether every piece of stock and every cent is where it has to be, no event was lost or applied twice, and every
//! order is over or waits for somebody.
//!
//! ```text
//!   take: all pages of all services ──▶ Snapshot ──▶ unrest: what is still on its way?    (wait and take another one)
//!                                          └──────▶ check: the checks, one after the other ──▶ Report
//! ```
//!
//! [`check`] is pure: the same snapshot has the same report. A check whose parts could not be read does not pass.

mod events;
mod findings;
mod money;
mod orders;
mod rare;
mod rest;
mod settle;
mod snapshot;
mod stock;
mod take;
#[cfg(test)]
mod tests;

use serde::Serialize;

use self::{findings::Findings, snapshot::Part::*};
pub use self::{
    findings::{COULD_NOT_BE_CHECKED, Check, VIOLATIONS_MAX, Violation},
    rare::{LetterCounts, Rare},
    rest::{REST, unrest},
    settle::settle,
    snapshot::{Applied, Event, Letter, Part, Snapshot, Topic, Unread},
    take::{ROWS_MAX, take},
};
use crate::endpoints::Service::{Console, Inventory, Orders as OrdersService, Payments as PaymentsService};

/// What came of all checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether all of them have passed.
    pub ok: bool,
    /// Each of them.
    pub checks: Vec<Check>,
    /// How often what is rare has happened.
    pub rare: Rare,
    /// What could not be applied.
    pub dead_letters: LetterCounts,
}

impl Report {
    /// The same report of a system that did not come to rest: what was still on its way is a check that has failed.
    #[must_use]
    pub fn not_at_rest(mut self, check: Check) -> Self {
        self.ok = false;
        self.checks.insert(0, check);
        self
    }

    /// A report that says only that nothing could be looked at, and why.
    pub fn nothing(check: Check) -> Self {
        Self { ok: false, checks: vec![check], rare: Rare::default(), dead_letters: LetterCounts::default() }
    }

    /// How many violations there are.
    pub fn violations(&self) -> u64 {
        self.checks.iter().map(Check::violation_count).sum()
    }
}

/// One check: its name, what it says in one line, what it reads, and how.
struct Checked {
    name: &'static str,
    says: &'static str,
    needs: &'static [Part],
    run: fn(&Snapshot, &mut Findings),
}

const OUTBOXES: &[Part] = &[Outbox(OrdersService), Outbox(Inventory), Outbox(PaymentsService), Outbox(Console)];
const EVENTS: &[Part] = &[
    Outbox(OrdersService),
    Outbox(Inventory),
    Outbox(PaymentsService),
    Outbox(Console),
    Inbox(OrdersService),
    Inbox(Inventory),
    Inbox(PaymentsService),
    Inbox(Console),
    DeadLetters(OrdersService),
    DeadLetters(Inventory),
    DeadLetters(PaymentsService),
    DeadLetters(Console),
];

/// In the order in which they are told.
const CHECKS: &[Checked] = &[
    Checked {
        name: "stock.on_hand",
        says: "on hand is what was received less what was shipped",
        needs: &[Products, Ledger],
        run: stock::on_hand,
    },
    Checked {
        name: "stock.reserved",
        says: "reserved is what live reservations hold, and what the ledger says",
        needs: &[Products, Ledger, Reservations],
        run: stock::reserved,
    },
    Checked {
        name: "stock.not_oversold",
        says: "nothing is negative, and nothing is promised that is not there",
        needs: &[Products, Ledger],
        run: stock::not_oversold,
    },
    Checked {
        name: "stock.of_order",
        says: "what has moved for an order is what its reservation says",
        needs: &[Orders, Reservations, Ledger],
        run: stock::of_order,
    },
    Checked {
        name: "money.charged_once",
        says: "no order was charged twice",
        needs: &[Charges],
        run: money::charged_once,
    },
    Checked {
        name: "money.balance",
        says: "taken less given back is the total of a paid order, and nothing otherwise",
        needs: &[Orders, Payments, Charges, Refunds],
        run: money::balance,
    },
    Checked {
        name: "money.ledgers_agree",
        says: "payments and the provider say the same, both ways",
        needs: &[Orders, Payments, Charges, Refunds],
        run: money::ledgers_agree,
    },
    Checked {
        name: "events.published",
        says: "every event that was committed is published",
        needs: OUTBOXES,
        run: events::published,
    },
    Checked {
        name: "events.applied_once",
        says: "every event is applied once by everybody who wants it",
        needs: EVENTS,
        run: events::applied_once,
    },
    Checked {
        name: "events.committed",
        says: "every event that was applied was committed by somebody",
        needs: EVENTS,
        run: events::committed,
    },
    Checked {
        name: "events.sequence",
        says: "the events about one thing are numbered from 1 without a gap",
        needs: &[Orders, Products, Outbox(OrdersService), Outbox(Inventory), Outbox(PaymentsService), Outbox(Console)],
        run: events::sequence,
    },
    Checked {
        name: "events.told",
        says: "every state has the event that told of it",
        needs: &[
            Orders,
            Products,
            Reservations,
            Payments,
            Outbox(OrdersService),
            Outbox(Inventory),
            Outbox(PaymentsService),
        ],
        run: events::told_of,
    },
    Checked {
        name: "events.not_dead",
        says: "no event of ours is an open dead letter",
        needs: EVENTS,
        run: events::not_dead,
    },
    Checked {
        name: "orders.exist",
        says: "every order that was told of exists, and every order was told of",
        needs: &[Orders, Reservations, Payments, Outbox(OrdersService)],
        run: orders::exist,
    },
    Checked {
        name: "orders.not_stuck",
        says: "every order is over, or waits for somebody",
        needs: &[Orders, Reservations, Payments, Clock],
        run: orders::not_stuck,
    },
];

/// Looks whether everything is right.
pub fn check(snapshot: &Snapshot) -> Report {
    let checks: Vec<Check> = CHECKS.iter().map(|checked| run(checked, snapshot)).collect();
    let ok = checks.iter().all(|check| check.ok);
    Report { ok, checks, rare: rare::count(snapshot), dead_letters: rare::letters(snapshot) }
}

fn run(checked: &Checked, snapshot: &Snapshot) -> Check {
    let mut findings = Findings::new(checked.name);
    let unread: Vec<&Unread> = snapshot.unread.iter().filter(|unread| checked.needs.contains(&unread.part)).collect();
    if unread.is_empty() {
        (checked.run)(snapshot, &mut findings);
    }
    for Unread { part, why } in unread {
        findings.not_checked(part.to_string(), format!("could not be read: {why}"), "readable");
    }
    findings.check(checked.says)
}
