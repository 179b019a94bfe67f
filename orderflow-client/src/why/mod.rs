//! Why an order stands where it stands: whose turn it is, what it waits for, what blocks it, and how it came there.
//!
//! ```text
//!   gather: the order, its stock and money, its events, the outboxes, inboxes and dead letters, who is down ──▶ Facts
//!   explain: Facts ──▶ Explanation ──▶ text, JSON, or mermaid: a sequence diagram
//! ```
//!
//! [`explain`] is pure. What an account may not see is left out, and said to be.

mod blocks;
mod facts;
mod gather;
mod hops;
mod mermaid;
#[cfg(test)]
mod tests;
pub mod turn;

use std::collections::BTreeMap;

use orderflow_contracts::{
    api::{
        console::NextStep,
        orders::{Order, OrderStatus},
    },
    ids::OrderId,
    timestamp::Timestamp,
};
use serde::Serialize;

use self::turn::{Turn, Who, turns};
pub use self::{
    blocks::{Block, BlockKind},
    facts::{Cut, Facts, Process},
    gather::gather,
    hops::{Consumed, Hop},
    mermaid::mermaid,
};
use crate::{endpoints::Service, view};

/// What there is to say about an order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Which order.
    pub order_id: OrderId,
    /// How far it is, as `CONFIRMED`.
    pub status: &'static str,
    /// Where it stands, in words.
    pub stands: String,
    /// Nothing will happen to it any more.
    pub over: bool,
    /// Whose turn it is.
    pub turns: Vec<Told>,
    /// What it waits for, in a sentence without a full stop.
    pub waits_for: String,
    /// What keeps that from happening. Empty if the order is over, or is on its way.
    pub blocked_by: Vec<Block>,
    /// What has happened, each event with the time it took.
    pub hops: Vec<Hop>,
    /// What can or will happen next, as the console sees it.
    pub next: Vec<NextStep>,
    /// How often processes of the local cluster were started again, where they were.
    pub restarts: BTreeMap<String, u32>,
    /// When that was the last time, by the machine's clock.
    pub restarted_at: BTreeMap<String, Timestamp>,
    /// What else there is to know: what could not be read, and what one is not allowed to see.
    pub notes: Vec<String>,
}

/// Whose turn it is, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// `customer`, `seller`, or a service.
    pub who: &'static str,
    /// What they do.
    pub what: String,
    /// The same in a few words that stay true.
    #[serde(skip)]
    pub does: &'static str,
    /// Until when they can.
    pub until: Option<Timestamp>,
}

/// Says why an order stands where it stands.
pub fn explain(facts: &Facts) -> Explanation {
    let order = &facts.order;
    let turns = turns(order, facts.reservation.as_ref(), facts.payment.as_ref(), facts.now);
    let hops = hops::of(facts);
    let over = turns.is_empty();
    let told: Vec<Told> = turns.iter().map(|turn| told(turn, facts)).collect();
    let waits_for = if over {
        "nothing: the order is over".to_owned()
    } else {
        told.iter().map(|told| format!("{} {}", told.who, told.what)).collect::<Vec<_>>().join("; ")
    };
    let restarts = facts.processes.iter().filter(|process| process.restarts > 0);
    Explanation {
        order_id: order.id,
        status: order.status.as_str(),
        stands: stands(order, &turns),
        over,
        turns: told,
        waits_for,
        restarted_at: restarted_at(facts),
        blocked_by: blocks::of(facts, &turns, &hops),
        next: next(facts, &turns),
        restarts: restarts.map(|process| (process.name.clone(), process.restarts)).collect(),
        notes: notes(facts),
        hops,
    }
}

fn restarted_at(facts: &Facts) -> BTreeMap<String, Timestamp> {
    let at = |process: &Process| Some((process.name.clone(), process.restarted_at(facts.machine_now)?));
    facts.processes.iter().filter_map(at).collect()
}

/// Where it stands; the order itself has not heard yet that it is being paid.
fn stands(order: &Order, turns: &[Turn]) -> String {
    let is_being_paid = turns.iter().any(|turn| turn.who == Who::Service(Service::Provider));
    if order.status == OrderStatus::Confirmed && is_being_paid {
        return "is being paid".to_owned();
    }
    view::headline(order)
}

/// What the console thinks comes next; whose turn it is, where the console has not heard of that yet.
fn next(facts: &Facts, turns: &[Turn]) -> Vec<NextStep> {
    let knows = |turn: &Turn| facts.next.iter().any(|next| next.who == turn.who.name());
    if turns.iter().all(knows) {
        return if turns.is_empty() { Vec::new() } else { facts.next.clone() };
    }
    turns.iter().map(|turn| NextStep { who: turn.who.name().to_owned(), what: turn.what.to_owned() }).collect()
}

fn told(turn: &Turn, facts: &Facts) -> Told {
    let until = facts.reservation.as_ref().there().and_then(|it| it.expires_at).or(facts.order.reservation.expires_at);
    let until = until.filter(|_| turn.who == Who::Customer);
    let left = until.map(|at| format!(" until {at} (in {})", span(at.0.saturating_sub(facts.now.0))));
    Told { who: turn.who.name(), what: format!("{}{}", turn.what, left.unwrap_or_default()), does: turn.what, until }
}

fn notes(facts: &Facts) -> Vec<String> {
    let mut notes = facts.unread.clone();
    if !facts.sees_all {
        notes.push("outboxes, inboxes and dead letters are for admins: `--as admin` sees more".to_owned());
    }
    notes
}

/// A span of time for people: `87ms`, `1.2s`, `29m12s`.
pub fn span(ms: i64) -> String {
    let (sign, ms) = (if ms < 0 { "-" } else { "" }, ms.unsigned_abs());
    match ms {
        0..1_000 => format!("{sign}{ms}ms"),
        1_000..60_000 => format!("{sign}{}.{}s", ms / 1000, ms % 1000 / 100),
        60_000..3_600_000 => format!("{sign}{}m{}s", ms / 60_000, ms % 60_000 / 1000),
        _ => format!("{sign}{}h{}m", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}
