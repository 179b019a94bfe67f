//! An order's life in lanes: what the console draws as a timeline, and `orderflow order watch` and `order timeline`
//! print. Pure.
//!
//! ```text
//!   events, as they were heard ──┐
//!   Explanation, if asked for ───┼──▶ SagaView: rows, each in its lane, with what led to it ──▶ lanes, or lines
//!   what comes next ─────────────┘                                └── ahead: what is still to come
//! ```

mod ahead;
mod marks;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

use orderflow_contracts::{
    api::console::{EventRecord, NextStep},
    ids::EventId,
    timestamp::Timestamp,
};

pub use self::{ahead::Ahead, marks::Mark};
use crate::{
    view::{self, Line, Tone},
    why::{Explanation, Hop},
};

/// Where something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// With the customer or the seller.
    People,
    /// In the orders service.
    Orders,
    /// In the inventory service.
    Inventory,
    /// In the payments service, or at its provider.
    Payments,
}

impl Lane {
    /// All of them, from left to right.
    pub const ALL: [Self; 4] = [Self::People, Self::Orders, Self::Inventory, Self::Payments];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Orders => "orders",
            Self::Inventory => "inventory",
            Self::Payments => "payments",
        }
    }

    /// Of whoever has this name. What is nobody's of a saga is shown where orders are.
    pub fn of(who: &str) -> Self {
        match who {
            "customer" | "seller" => Self::People,
            "inventory" => Self::Inventory,
            "payments" | "provider" => Self::Payments,
            _ => Self::Orders,
        }
    }
}

/// One event of an order's life.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The event's id.
    pub event_id: EventId,
    /// When, where, and in which words.
    pub line: Line,
    /// Where it has happened.
    pub lane: Lane,
    /// From where it came: the lane of the event that led to it, or people. None if that is not known.
    pub from: Option<Lane>,
    /// The person who wanted it, if one did.
    pub by: Option<&'static str>,
    /// The row of the event that led to it.
    pub cause: Option<usize>,
    /// Since that event, in milliseconds. None if there is none, or a clock was moved in between.
    pub hop_ms: Option<i64>,
    /// It belongs to what has gone wrong, or is given back.
    pub in_branch: bool,
    /// What was survived here, or is in the way.
    pub marks: Vec<Mark>,
}

/// An order's life.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SagaView {
    /// What has happened; what led to an event stands before it.
    pub rows: Vec<Row>,
    /// What is still to come; empty if the order is over.
    pub ahead: Vec<Ahead>,
}

impl SagaView {
    /// From what was heard of an order, what comes next, and what is known beyond that.
    pub fn of(records: &[EventRecord], next: &[NextStep], explanation: Option<&Explanation>) -> Self {
        let events = known(records, explanation);
        let begun_at = events.first().map_or(Timestamp(0), Known::at);
        let places: HashMap<EventId, usize> =
            events.iter().enumerate().map(|(index, event)| (event.id(), index)).collect();
        let mut rows: Vec<Row> = Vec::with_capacity(events.len());
        for event in &events {
            // A circle of causes, which no service writes, leaves one before its cause: then there is no row yet.
            let cause = event.cause().and_then(|id| places.get(&id).copied()).filter(|index| *index < rows.len());
            let row = row(event, begun_at, cause.map(|index| (index, &rows[index])));
            rows.push(row);
        }
        if let Some(explanation) = explanation {
            marks::put(&mut rows, records, explanation);
        }
        let ahead = if rows.is_empty() { Vec::new() } else { ahead::of(&rows, next) };
        Self { rows, ahead }
    }

    /// The row of an event.
    pub fn find(&self, id: EventId) -> Option<usize> {
        self.rows.iter().position(|row| row.event_id == id)
    }

    /// What a row has led to.
    pub fn led_to(&self, index: usize) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.cause == Some(index))
    }
}

/// An event that was heard, or one that is committed and was not heard yet.
enum Known<'a> {
    Heard(&'a EventRecord),
    Committed(&'a Hop),
}

impl Known<'_> {
    const fn id(&self) -> EventId {
        match self {
            Self::Heard(record) => record.id,
            Self::Committed(hop) => hop.event_id,
        }
    }

    const fn at(&self) -> Timestamp {
        match self {
            Self::Heard(record) => record.at,
            Self::Committed(hop) => hop.at,
        }
    }

    const fn cause(&self) -> Option<EventId> {
        match self {
            Self::Heard(record) => record.causation_id,
            Self::Committed(hop) => hop.caused_by,
        }
    }

    fn by(&self) -> Option<&'static str> {
        match self {
            Self::Heard(record) => view::person(&record.event_type, Some(&record.data)),
            Self::Committed(hop) => hop.by,
        }
    }

    fn line(&self, begun_at: Timestamp) -> Line {
        match self {
            Self::Heard(record) => view::line_of_event(record, begun_at),
            Self::Committed(hop) => Line {
                at: hop.at,
                elapsed_ms: hop.at.0.saturating_sub(begun_at.0),
                service: hop.service.to_owned(),
                event: hop.event.clone(),
                what: view::what(&hop.event),
                text: hop.text.clone(),
            },
        }
    }
}

fn known<'a>(records: &'a [EventRecord], explanation: Option<&'a Explanation>) -> Vec<Known<'a>> {
    let heard: BTreeMap<EventId, &EventRecord> = records.iter().map(|record| (record.id, record)).collect();
    let hops = explanation.map(|explanation| explanation.hops.as_slice()).unwrap_or_default();
    let mut in_time: Vec<&EventRecord> = heard.values().copied().collect();
    in_time.sort_by_key(|record| (record.at, service_rank(&record.source), record.sequence));
    let mut events: Vec<Known<'a>> = in_time.into_iter().map(Known::Heard).collect();
    events.extend(hops.iter().filter(|hop| !heard.contains_key(&hop.event_id)).map(Known::Committed));
    events.sort_by_key(Known::at);
    causes_first(events, Known::id, Known::cause)
}

/// Of two events of the same moment the orders service's comes first: it begins every saga.
fn service_rank(source: &str) -> Lane {
    Lane::of(view::service_of(source))
}

/// In the order given; but what led to an event stands before it, though another service's clock may be behind.
pub(crate) fn causes_first<T>(
    mut waiting: Vec<T>,
    id: impl Fn(&T) -> EventId,
    cause: impl Fn(&T) -> Option<EventId>,
) -> Vec<T> {
    let mut missing: HashSet<EventId> = waiting.iter().map(&id).collect();
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let may_come = |event: &T| cause(event).is_none_or(|cause| !missing.contains(&cause));
        let event = waiting.remove(waiting.iter().position(may_come).unwrap_or(0));
        missing.remove(&id(&event));
        ordered.push(event);
    }
    ordered
}

fn row(event: &Known<'_>, begun_at: Timestamp, cause: Option<(usize, &Row)>) -> Row {
    let line = event.line(begun_at);
    let by = if event.cause().is_none() { event.by() } else { None };
    let hop_ms = cause.map(|(_, cause)| line.at.0.saturating_sub(cause.line.at.0)).filter(|ms| *ms >= 0);
    let is_turn = matches!(line.what.tone, Tone::Failure | Tone::Compensation);
    Row {
        event_id: event.id(),
        lane: Lane::of(&line.service),
        from: cause.map(|(_, cause)| cause.lane).or(by.map(|_| Lane::People)),
        by,
        cause: cause.map(|(index, _)| index),
        hop_ms,
        in_branch: is_turn || cause.is_some_and(|(_, cause)| cause.in_branch),
        marks: Vec::new(),
        line,
    }
}
