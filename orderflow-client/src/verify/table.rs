//! The checks: what each is called, what it makes sure of, and what it reads.

use super::{
    events,
    findings::Findings,
    money, orders,
    snapshot::{
        Part::{
            self, Charges, Clock, DeadLetters, Inbox, Ledger, Orders, Outbox, Payments, Products, Refunds,
            Reservations, Unreadable,
        },
        Snapshot,
    },
    stock,
};
use crate::endpoints::Service;

/// One check: its name, what it says in one line, what it reads, and how.
pub(super) struct Checked {
    pub(super) name: &'static str,
    pub(super) says: &'static str,
    pub(super) needs: &'static [Part],
    pub(super) run: fn(&Snapshot, &mut Findings),
}

const OUTBOXES: &[Part] =
    &[Outbox(Service::Orders), Outbox(Service::Inventory), Outbox(Service::Payments), Outbox(Service::Console)];
const EVENTS: &[Part] = &[
    Outbox(Service::Orders),
    Outbox(Service::Inventory),
    Outbox(Service::Payments),
    Outbox(Service::Console),
    Inbox(Service::Orders),
    Inbox(Service::Inventory),
    Inbox(Service::Payments),
    Inbox(Service::Console),
    DeadLetters(Service::Orders),
    DeadLetters(Service::Inventory),
    DeadLetters(Service::Payments),
    DeadLetters(Service::Console),
];

/// In the order in which they are told.
pub(super) const CHECKS: &[Checked] = &[
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
        needs: &[
            Orders,
            Products,
            Outbox(Service::Orders),
            Outbox(Service::Inventory),
            Outbox(Service::Payments),
            Outbox(Service::Console),
        ],
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
            Outbox(Service::Orders),
            Outbox(Service::Inventory),
            Outbox(Service::Payments),
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
        name: "rows.readable",
        says: "no service meets a row that it cannot read",
        needs: &[
            Unreadable(Service::Orders),
            Unreadable(Service::Inventory),
            Unreadable(Service::Payments),
            Unreadable(Service::Console),
        ],
        run: orders::rows_are_readable,
    },
    Checked {
        name: "orders.exist",
        says: "every order that was told of exists, and every order was told of",
        needs: &[Orders, Reservations, Payments, Outbox(Service::Orders)],
        run: orders::exist,
    },
    Checked {
        name: "orders.not_stuck",
        says: "every order is over, or waits for somebody",
        needs: &[Orders, Reservations, Payments, Clock],
        run: orders::not_stuck,
    },
];
