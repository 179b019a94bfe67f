//! What is still to come: the rest of the way to a shipped order, or back from where it turned.

use orderflow_contracts::api::console::NextStep;

use super::{Lane, Row};
use crate::view::{self, What};

/// A step that has not happened yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// Who does it: `customer`, `seller`, or a service.
    pub who: String,
    /// Where its event will happen.
    pub lane: Lane,
    /// Its event; none for what no event will tell of.
    pub what: Option<What>,
    /// What there is to say about it.
    pub text: String,
    /// It is the next one.
    pub due: bool,
}

/// The way of an order on which nothing goes wrong: each event, and who makes it happen.
const WAY: [(&str, &str); 9] = [
    ("order.confirmation_requested", "seller"),
    ("inventory.reserved", "inventory"),
    ("order.confirmed", "orders"),
    ("payment.opened", "payments"),
    ("payment.succeeded", "customer"),
    ("order.paid", "orders"),
    ("inventory.allocated", "inventory"),
    ("order.fulfilled", "seller"),
    ("inventory.committed", "inventory"),
];

/// Events after which an order only has its way back.
const TURNS: [&str; 4] =
    ["order.cancelled", "payment.failed", "inventory.reservation_failed", "inventory.allocation_failed"];

pub(super) fn of(rows: &[Row], next: &[NextStep]) -> Vec<Ahead> {
    let has = |event: &str| rows.iter().any(|row| row.line.event == event);
    // Of stock that has expired some may be left for who has paid all the same.
    let is_too_late = has("inventory.reservation_expired") && !has("payment.succeeded");
    let mut ahead: Vec<Ahead> = if is_too_late || TURNS.into_iter().any(has) {
        way_back(&has).into_iter().map(|(event, who)| step(event, who)).collect()
    } else {
        WAY.into_iter().filter(|(event, _)| !has(event)).map(|(event, who)| step(event, who)).collect()
    };
    for (place, next) in next.iter().enumerate() {
        match ahead.iter_mut().find(|ahead| !ahead.due && does(ahead, &next.who)) {
            Some(ahead) => (ahead.due, ahead.text) = (true, next.what.clone()),
            None => ahead.insert(place.min(ahead.len()), told(next)),
        }
    }
    ahead.sort_by_key(|ahead| !ahead.due);
    ahead
}

fn step(event: &str, who: &str) -> Ahead {
    let what = view::what(event);
    let lane = Lane::of(match event.split('.').next() {
        Some("payment") => "payments",
        Some("order") => "orders",
        _ => "inventory",
    });
    Ahead { who: who.to_owned(), lane, what: Some(what), text: what.title.to_owned(), due: false }
}

fn told(next: &NextStep) -> Ahead {
    Ahead { who: next.who.clone(), lane: Lane::of(&next.who), what: None, text: next.what.clone(), due: true }
}

/// The provider's answer is an event of the payments service, whoever has asked for it.
fn does(ahead: &Ahead, who: &str) -> bool {
    ahead.who == who || (who == "provider" && ahead.lane == Lane::Payments)
}

fn way_back(has: &dyn Fn(&str) -> bool) -> Vec<(&'static str, &'static str)> {
    let mut way = Vec::new();
    if !has("order.cancelled") {
        way.push(("order.cancelled", "orders"));
    }
    let was_held = has("inventory.reserved") || has("inventory.allocated");
    if was_held && !has("inventory.released") && !has("inventory.allocation_failed") {
        way.push(("inventory.released", "inventory"));
    }
    let money_is_settled = ["payment.failed", "payment.voided", "payment.refunded"].into_iter().any(has);
    if has("payment.succeeded") && !money_is_settled {
        way.push(("payment.refunded", "payments"));
    } else if has("payment.opened") && !money_is_settled {
        way.push(("payment.voided", "payments"));
    }
    way
}
