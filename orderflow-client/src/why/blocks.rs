//! What keeps an order from going on.

use std::collections::BTreeSet;

use orderflow_contracts::{
    api::{inventory::ReservationStatus, orders::OrderStatus},
    ids::EventId,
    timestamp::Timestamp,
};
use serde::Serialize;

use super::{
    facts::Facts,
    hops::Hop,
    span,
    turn::{Turn, Who},
};
use crate::endpoints::Service;

/// What is younger than this is on its way rather than stuck, in milliseconds.
const FRESH_MS: i64 = 2_000;

/// Something in the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Block {
    /// What kind of thing it is.
    pub kind: BlockKind,
    /// Whose it is: a person, a service, a process.
    pub who: String,
    /// What it is, in a sentence without a full stop.
    pub what: String,
    /// For how long, as far as it is known.
    pub for_ms: Option<i64>,
    /// The event that it is about.
    pub event_id: Option<EventId>,
}

impl Block {
    /// Whether it is so young that it is on its way rather than in the way.
    pub fn is_fresh(&self) -> bool {
        let passes = matches!(self.kind, BlockKind::Unpublished | BlockKind::NotApplied);
        passes && self.for_ms.is_some_and(|ms| ms < FRESH_MS)
    }
}

/// What can be in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// A process that is needed does not work.
    ServiceDown,
    /// A service that is needed is cut off.
    CutOff,
    /// An event about the order is committed and not published.
    Unpublished,
    /// A published event about the order was not applied yet by somebody who wants it.
    NotApplied,
    /// A record about the order could not be applied.
    DeadLetter,
    /// The provider is being asked, and has not answered for certain.
    ProviderCall,
    /// A time is over, and what follows from that has not happened yet.
    Deadline,
    /// Somebody has to want something.
    Person,
    /// Nothing is in the way, and nothing happens.
    Unexplained,
}

pub(super) fn of(facts: &Facts, turns: &[Turn], hops: &[Hop]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut needed: BTreeSet<Service> = BTreeSet::new();
    unpublished(facts, &mut blocks, &mut needed);
    not_applied(facts, hops, turns, &mut blocks, &mut needed);
    letters(facts, &mut blocks);
    provider_call(facts, &mut blocks, &mut needed);
    deadline(facts, turns, &mut blocks);
    for turn in turns {
        needed.insert(service_of(turn));
        if turn.who.is_person() {
            blocks.push(person(facts, turn));
        }
    }
    down(facts, &needed, !turns.is_empty(), &mut blocks);
    if blocks.is_empty() && !turns.is_empty() {
        blocks.extend(unexplained(facts, turns, hops));
    }
    blocks.sort_by_key(|block| block.kind);
    blocks
}

/// Where whoever's turn it is does it.
const fn service_of(turn: &Turn) -> Service {
    match turn.who {
        Who::Customer => Service::Payments,
        Who::Seller => Service::Orders,
        Who::Service(service) => service,
    }
}

fn unpublished(facts: &Facts, blocks: &mut Vec<Block>, needed: &mut BTreeSet<Service>) {
    for (service, rows) in &facts.outboxes {
        for row in rows.iter().filter(|row| !row.published) {
            needed.insert(*service);
            let age = facts.machine_now.0.saturating_sub(row.created_at.0);
            blocks.push(Block {
                kind: BlockKind::Unpublished,
                who: service.name().to_owned(),
                what: format!("{} waits in the outbox of {} for {} now", row.event_type, service.name(), span(age)),
                for_ms: Some(age),
                event_id: Some(row.event_id),
            });
        }
    }
}

/// The console is not needed by any saga: what it has not heard yet is no block.
fn not_applied(facts: &Facts, hops: &[Hop], turns: &[Turn], blocks: &mut Vec<Block>, needed: &mut BTreeSet<Service>) {
    for hop in hops.iter().filter(|hop| hop.published) {
        for consumed in hop.consumers.iter().filter(|consumed| consumed.applied_at.is_none()) {
            let Some(service) = named(consumed.service).filter(|service| *service != Service::Console) else {
                continue;
            };
            // Of an order that is over what is not heard of any more changes nothing, but is worth to be told.
            if !turns.is_empty() {
                needed.insert(service);
            }
            let source = named(hop.service).unwrap_or(Service::Orders);
            let age = facts.now_at(source).0.saturating_sub(hop.at.0);
            blocks.push(Block {
                kind: BlockKind::NotApplied,
                who: consumed.service.to_owned(),
                what: format!(
                    "{} ({} ago) is published and not yet applied by {}",
                    hop.event,
                    span(age),
                    consumed.service
                ),
                for_ms: Some(age),
                event_id: Some(hop.event_id),
            });
        }
    }
}

fn named(name: &str) -> Option<Service> {
    Service::ALL.into_iter().find(|service| service.name() == name)
}

fn letters(facts: &Facts, blocks: &mut Vec<Block>) {
    for (service, letter) in &facts.letters {
        let header = |name: &str| letter.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str());
        let what = header("ce_type").unwrap_or("a record");
        let age = facts.machine_now.0.saturating_sub(letter.created_at.0);
        blocks.push(Block {
            kind: BlockKind::DeadLetter,
            who: service.name().to_owned(),
            what: format!("{what} is a dead letter of {} ({}): {}", service.name(), letter.id, letter.reason),
            for_ms: Some(age),
            event_id: header("ce_id").and_then(|id| id.parse().ok()),
        });
    }
}

fn provider_call(facts: &Facts, blocks: &mut Vec<Block>, needed: &mut BTreeSet<Service>) {
    let Some(call) = facts.payment.as_ref().there().and_then(|payment| payment.call.as_ref()) else { return };
    needed.extend([Service::Payments, Service::Provider]);
    let error = call.last_error.as_ref().map(|error| format!(", the last time without an answer ({error})"));
    let next = match call.next_try_at.0.saturating_sub(facts.machine_now.0) {
        ms if ms > 0 => format!("again in {}", span(ms)),
        _ => "again now".to_owned(),
    };
    let times = if call.tries == 1 { "once".to_owned() } else { format!("{} times", call.tries) };
    let what = format!(
        "the provider was asked {times} for the {}{}; it is asked {next}, with the same key",
        call.kind,
        error.unwrap_or_default()
    );
    blocks.push(Block {
        kind: BlockKind::ProviderCall,
        who: Service::Provider.name().to_owned(),
        what,
        for_ms: None,
        event_id: None,
    });
}

fn deadline(facts: &Facts, turns: &[Turn], blocks: &mut Vec<Block>) {
    let Some(reservation) = facts.reservation.as_ref().there() else { return };
    let Some(at) = reservation.expires_at.filter(|at| *at < facts.now) else { return };
    let is_inventorys = turns.iter().any(|turn| turn.who == Who::Service(Service::Inventory));
    if reservation.status == ReservationStatus::Held && is_inventorys {
        let over = facts.now.0.saturating_sub(at.0);
        blocks.push(Block {
            kind: BlockKind::Deadline,
            who: Service::Inventory.name().to_owned(),
            what: format!("the time to pay was over {} ago; inventory ends the reservation a little later", span(over)),
            for_ms: Some(over),
            event_id: None,
        });
    }
}

fn person(facts: &Facts, turn: &Turn) -> Block {
    let who = turn.who.name();
    let since = facts.now_at(Service::Orders).0.saturating_sub(facts.order.updated_at.0);
    let until = facts.reservation.as_ref().there().and_then(|reservation| reservation.expires_at);
    let left = |at: Timestamp| format!("; the reservation expires in {}", span(at.0.saturating_sub(facts.now.0)));
    let what = match turn.who {
        Who::Customer => {
            let left = until.or(facts.order.reservation.expires_at).map(left).unwrap_or_default();
            format!("the customer has not paid{left}")
        }
        Who::Seller if facts.order.status == OrderStatus::Paid => "the seller has not shipped".to_owned(),
        _ => "the seller has not confirmed".to_owned(),
    };
    Block { kind: BlockKind::Person, who: who.to_owned(), what, for_ms: Some(since), event_id: None }
}

/// Processes that do not work, among those that are needed. Broker and database are needed by all.
fn down(facts: &Facts, needed: &BTreeSet<Service>, goes_on: bool, blocks: &mut Vec<Block>) {
    let process_of = |service: Service| if service == Service::Provider { "psp" } else { service.name() };
    let mut add = |who: &str, why: String| {
        let (who, what) = (who.to_owned(), format!("{who} {why}"));
        blocks.push(Block { kind: BlockKind::ServiceDown, who, what, for_ms: None, event_id: None });
    };
    for service in needed {
        let process = facts.processes.iter().find(|process| process.name == process_of(*service));
        match (process.filter(|process| !process.is_ready), facts.down.get(service)) {
            (Some(process), _) => {
                let reason = process.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                add(service.name(), format!("is {}{reason}", process.state));
            }
            (None, Some(why)) => add(service.name(), why.clone()),
            (None, None) => {}
        }
    }
    let shared = facts.processes.iter().filter(|it| matches!(it.name.as_str(), "broker" | "postgres"));
    for process in shared.filter(|process| goes_on && !process.is_ready) {
        let reason = process.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        add(&process.name, format!("is {}{reason}", process.state));
    }
    let is_needed = |cut: &&super::Cut| needed.iter().any(|service| process_of(*service) == cut.service);
    for cut in facts.cuts.iter().filter(is_needed) {
        let (who, what) = (cut.service.clone(), format!("{} is cut off from {}", cut.service, cut.from));
        blocks.push(Block { kind: BlockKind::CutOff, who, what, for_ms: None, event_id: None });
    }
}

/// A service's turn, and nothing is in its way: it is about to happen, or it never will.
fn unexplained(facts: &Facts, turns: &[Turn], hops: &[Hop]) -> Option<Block> {
    let turn = turns.first()?;
    let last = hops.iter().map(|hop| facts.now_at(named(hop.service).unwrap_or(Service::Orders)).0 - hop.at.0).min();
    let age = last.unwrap_or(i64::MAX);
    // Without outboxes and inboxes it cannot be told, and right after something has happened it is on its way.
    let is_read = facts.sees_all && facts.unread.is_empty();
    if !is_read || age < FRESH_MS {
        return None;
    }
    Some(Block {
        kind: BlockKind::Unexplained,
        who: turn.who.name().to_owned(),
        what: "nothing is on its way and nothing is down, so nothing will happen: `orderflow verify` counts it"
            .to_owned(),
        for_ms: last,
        event_id: None,
    })
}
