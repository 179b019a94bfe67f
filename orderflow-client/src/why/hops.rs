//! What has happened to an order, event by event, and how long each was on its way.

use std::collections::{BTreeMap, HashMap};

use orderflow_contracts::{
    api::{console::EventRecord, ops::OutboxRow},
    ids::EventId,
    timestamp::Timestamp,
};
use serde::Serialize;

use super::facts::Facts;
use crate::{
    endpoints::Service,
    saga_view::causes_first,
    verify::Topic,
    view::{self, Tone},
};

/// One event: committed, published, applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// The event's id.
    pub event_id: EventId,
    /// Its type.
    pub event: String,
    /// One word for it.
    pub word: &'static str,
    /// What has happened, for people.
    pub text: String,
    /// Who has said so.
    pub service: &'static str,
    /// When it was committed, by the clock of that service.
    pub at: Timestamp,
    /// Since the order's first event.
    pub elapsed_ms: i64,
    /// The event that led to it; none where a person, the clock or the provider did, or where it is not known.
    pub caused_by: Option<EventId>,
    /// The person who did it, where one did.
    pub by: Option<&'static str>,
    /// How many events led to it, one by the other.
    pub depth: usize,
    /// It gives something back.
    pub compensation: bool,
    /// Whether it is published.
    pub published: bool,
    /// From commit to publication. None if it is not published, or the clock was moved in between.
    pub outbox_ms: Option<i64>,
    /// From its cause's arrival at the service to this decision; with what the provider took for it, if it was asked.
    pub handler_ms: Option<i64>,
    /// Everybody who wants it; empty if one may not see that, or if it is so long ago that nobody knows.
    pub consumers: Vec<Consumed>,
    /// How often it came again, to all of them, and was passed over.
    pub duplicates: u32,
}

/// How an event has come to somebody who wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Consumed {
    /// Who.
    pub service: &'static str,
    /// When they have applied it, by the machine's clock.
    pub applied_at: Option<Timestamp>,
    /// From publication to there: the time in Kafka, and in the consumer's queue.
    pub kafka_ms: Option<i64>,
    /// How often it came again.
    pub duplicates: u32,
}

/// Inboxes forget after 30 days, the console's list of events never: of what is older than this, a day early, nobody
/// knows any more who has applied it.
const INBOX_KEPT_MS: i64 = 29 * 24 * 3600 * 1000;

/// An event, as the console and the outbox of its service have it.
struct Known<'a> {
    id: EventId,
    service: Service,
    topic: Topic,
    event_type: &'a str,
    at: Timestamp,
    record: Option<&'a EventRecord>,
    row: Option<&'a OutboxRow>,
}

/// In the order in which they happened, what led to an event before it.
pub(super) fn of(facts: &Facts) -> Vec<Hop> {
    let events = in_order(known(facts));
    let begun_at = events.first().map_or(facts.order.created_at, |event| event.at);
    let causes: HashMap<EventId, EventId> =
        events.iter().filter_map(|event| Some((event.id, event.record?.causation_id?))).collect();
    events.iter().map(|event| hop(facts, event, begun_at, &causes)).collect()
}

fn known(facts: &Facts) -> Vec<Known<'_>> {
    let mut known: BTreeMap<EventId, Known<'_>> = BTreeMap::new();
    for record in &facts.events {
        let Some(service) = service_of(&record.source) else { continue };
        let (id, event_type, at) = (record.id, record.event_type.as_str(), record.at);
        let topic = topic_of(event_type);
        known.insert(id, Known { id, service, topic, event_type, at, record: Some(record), row: None });
    }
    for (service, rows) in &facts.outboxes {
        for row in rows.iter().filter(|row| Topic::named(&row.topic).is_numbered()) {
            let (service, topic) = (*service, Topic::named(&row.topic));
            let (id, event_type, at) = (row.event_id, row.event_type.as_str(), facts.at(service, row.created_at));
            let new = || Known { id, service, topic, event_type, at, record: None, row: None };
            known.entry(id).or_insert_with(new).row = Some(row);
        }
    }
    known.into_values().collect()
}

fn service_of(source: &str) -> Option<Service> {
    let name = view::service_of(source);
    Service::ALL.into_iter().find(|service| service.name() == name)
}

fn topic_of(event_type: &str) -> Topic {
    match event_type.split('.').next() {
        Some("order") => Topic::Orders,
        Some("inventory") => Topic::Inventory,
        Some("payment") => Topic::Payments,
        _ => Topic::Other,
    }
}

/// By time; but what led to an event stands before it.
fn in_order(mut events: Vec<Known<'_>>) -> Vec<Known<'_>> {
    let sequence = |event: &Known<'_>| event.record.map(|it| it.sequence).or(event.row.map(|row| row.sequence));
    events.sort_by_key(|event| (event.at, event.service, sequence(event)));
    causes_first(events, |event| event.id, |event| event.record.and_then(|record| record.causation_id))
}

fn hop(facts: &Facts, event: &Known<'_>, begun_at: Timestamp, causes: &HashMap<EventId, EventId>) -> Hop {
    let what = view::what(event.event_type);
    let published_at = event.record.map(|record| record.published_at);
    let consumers = consumers(facts, event, published_at);
    let caused_by = causes.get(&event.id).copied();
    let arrived = caused_by.and_then(|cause| facts.inboxes.get(&event.service)?.get(&cause)).map(|row| row.applied_at);
    let person = view::person(event.event_type, event.record.map(|record| &record.data));
    let text = event.record.map(view::detail).filter(|text| !text.is_empty());
    Hop {
        event_id: event.id,
        event: event.event_type.to_owned(),
        word: what.word,
        text: text.unwrap_or_else(|| what.title.to_owned()),
        service: event.service.name(),
        at: event.at,
        elapsed_ms: event.at.0.saturating_sub(begun_at.0),
        caused_by,
        by: if caused_by.is_none() { person } else { None },
        depth: depth(event.id, causes),
        compensation: what.tone == Tone::Compensation,
        // What the console has heard was published once, though it may be on its way again.
        published: event.record.is_some() || event.row.is_some_and(|row| row.published),
        outbox_ms: published_at.and_then(|published| match event.row {
            Some(row) => since(row.created_at, published),
            None => facts.since_at(event.service, event.at, published),
        }),
        handler_ms: arrived.zip(event.row).and_then(|(arrived, row)| since(arrived, row.created_at)),
        duplicates: consumers.iter().map(|consumed| consumed.duplicates).sum(),
        consumers,
    }
}

fn consumers(facts: &Facts, event: &Known<'_>, published_at: Option<Timestamp>) -> Vec<Consumed> {
    let read = event.topic.consumers().iter().filter_map(|service| Some((*service, facts.inboxes.get(service)?)));
    let is_forgotten = published_at.is_some_and(|at| at.0.saturating_add(INBOX_KEPT_MS) < facts.machine_now.0);
    let read = read.filter(|(_, inbox)| !is_forgotten || inbox.contains_key(&event.id));
    let consumed = |(service, inbox): (Service, &BTreeMap<EventId, _>)| {
        let row: Option<&orderflow_contracts::api::ops::InboxRow> = inbox.get(&event.id);
        let applied_at = row.map(|row| row.applied_at);
        let kafka_ms = published_at.zip(applied_at).and_then(|(from, to)| since(from, to));
        Consumed { service: service.name(), applied_at, kafka_ms, duplicates: row.map_or(0, |row| row.duplicates) }
    };
    read.map(consumed).collect()
}

/// Between two moments of the same clock; none if it was set back.
fn since(from: Timestamp, to: Timestamp) -> Option<i64> {
    Some(to.0.saturating_sub(from.0)).filter(|ms| *ms >= 0)
}

/// How many events led to this one. A circle, which no service writes, ends.
fn depth(id: EventId, causes: &HashMap<EventId, EventId>) -> usize {
    let chain = std::iter::successors(causes.get(&id), |cause| causes.get(*cause));
    chain.take(causes.len()).count()
}
