//! Events: each is published, and applied once by everybody who wants it; none is missing, none came from nowhere.

use std::collections::{HashMap, HashSet};

use orderflow_contracts::{
    api::{inventory::ReservationStatus, ops::LetterStatus, orders::OrderStatus, payments::PaymentStatus},
    ids::EventId,
};

use super::{
    findings::Findings,
    snapshot::{Event, Snapshot, Topic},
};
use crate::endpoints::Service;

/// An event, for people.
pub(super) fn told(service: Service, event: &Event) -> String {
    format!("{} {} of {} ({})", event.event_type, event.sequence, event.subject, service.name())
}

pub(super) fn published(snapshot: &Snapshot, findings: &mut Findings) {
    for (service, event) in snapshot.events() {
        findings.look();
        if !event.published {
            let is = format!("not published, committed at {}", event.created_at);
            findings.add(told(service, event), is, "published");
        }
    }
}

/// The events that each consumer has to have applied: those that are published. The catalogue's topic is compacted: of
/// each product a consumer has to have the last one only, if it was away.
pub(super) fn wanted(snapshot: &Snapshot) -> impl Iterator<Item = (Service, &Event)> {
    let mut last: HashMap<&str, i64> = HashMap::new();
    for (_, event) in snapshot.events().filter(|(_, event)| event.topic == Topic::Catalog) {
        let last = last.entry(&event.subject).or_default();
        *last = event.sequence.max(*last);
    }
    let is_compacted =
        move |event: &Event| event.topic == Topic::Catalog && last.get(&*event.subject) != Some(&event.sequence);
    snapshot.events().filter(move |(_, event)| event.published && !is_compacted(event))
}

/// Who has applied which events, and how often that stands in the inbox.
pub(super) fn applied(snapshot: &Snapshot) -> HashMap<Service, HashMap<EventId, u32>> {
    let mut applied: HashMap<Service, HashMap<EventId, u32>> = HashMap::new();
    for (service, inbox) in &snapshot.inboxes {
        let of_service = applied.entry(*service).or_default();
        for row in inbox {
            *of_service.entry(row.id).or_default() += 1;
        }
    }
    applied
}

pub(super) fn applied_once(snapshot: &Snapshot, findings: &mut Findings) {
    let applied = applied(snapshot);
    for (service, event) in wanted(snapshot) {
        findings.look();
        for consumer in event.topic.consumers() {
            match applied.get(consumer).and_then(|inbox| inbox.get(&event.id)) {
                Some(1) => {}
                times => {
                    let (name, times) = (consumer.name(), times.copied().unwrap_or(0));
                    let is = if times == 0 {
                        format!("not applied by {name}")
                    } else {
                        format!("applied {times} times by {name}")
                    };
                    findings.add(told(service, event), is, format!("applied once by {name}"));
                }
            }
        }
    }
}

/// An event that somebody has applied and nobody has committed is what publishing beside the transaction makes.
pub(super) fn committed(snapshot: &Snapshot, findings: &mut Findings) {
    let committed: HashSet<EventId> = snapshot.events().map(|(_, event)| event.id).collect();
    // Records of others, which could not be applied, are known too: as dead letters.
    let letters: HashSet<(Service, EventId)> =
        snapshot.dead_letters.iter().filter_map(|letter| Some((letter.service, letter.event_id?))).collect();
    for (service, inbox) in &snapshot.inboxes {
        for row in inbox {
            findings.look();
            let is_known = committed.contains(&row.id) || letters.contains(&(*service, row.id));
            // One that was away applies an event long after it was committed.
            let may_be_gone = row.subject_began.unwrap_or(row.at).min(row.at);
            if !is_known && !snapshot.is_long_ago(may_be_gone) {
                let is = format!("applied by {} at {}, and in no outbox", service.name(), row.at);
                findings.add(format!("event {}", row.id), is, "committed by the service that says so");
            }
        }
    }
}

pub(super) fn sequence(snapshot: &Snapshot, findings: &mut Findings) {
    let mut numbers: HashMap<(Service, Topic, &str), Vec<i64>> = HashMap::new();
    for (service, event) in snapshot.events().filter(|(_, event)| event.topic.is_numbered()) {
        numbers.entry((service, event.topic, &event.subject)).or_default().push(event.sequence);
    }
    let mut numbers: Vec<_> = numbers.into_iter().collect();
    numbers.sort_unstable_by_key(|(of, _)| *of);
    for ((service, _, subject), mut numbers) in numbers {
        findings.look();
        numbers.sort_unstable();
        let first = if snapshot.is_old(subject) { numbers.first().copied().unwrap_or(1) } else { 1 };
        let whole = (first..).zip(&numbers).all(|(expected, number)| expected == *number);
        if !whole {
            let text = numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let last = first.saturating_add(i64::try_from(numbers.len()).unwrap_or(i64::MAX)).saturating_sub(1);
            let subject = format!("{subject} ({})", service.name());
            findings.add(subject, format!("events numbered {text}"), format!("{first} to {last} or more, each once"));
        }
    }
}

pub(super) fn not_dead(snapshot: &Snapshot, findings: &mut Findings) {
    let ours: HashMap<EventId, (Service, &Event)> =
        snapshot.events().map(|(service, event)| (event.id, (service, event))).collect();
    for letter in snapshot.dead_letters.iter().filter(|letter| letter.status == LetterStatus::Open) {
        findings.look();
        if let Some((service, event)) = letter.event_id.and_then(|id| ours.get(&id)) {
            let is = format!("dead letter {} of {}: {}", letter.id, letter.service.name(), letter.reason);
            findings.add(told(*service, event), is, format!("applied by {}", letter.service.name()));
        }
    }
}

/// Which events each subject has, by their types; of one service.
fn types(snapshot: &Snapshot, service: Service) -> HashMap<&str, HashSet<&str>> {
    let mut types: HashMap<&str, HashSet<&str>> = HashMap::new();
    let events = snapshot.outboxes.get(&service).into_iter().flatten();
    for event in events.filter(|event| event.topic.is_numbered()) {
        types.entry(&event.subject).or_default().insert(&event.event_type);
    }
    types
}

/// A state that nobody was told of is what a commit without its outbox makes.
pub(super) fn told_of(snapshot: &Snapshot, findings: &mut Findings) {
    let mut look = |types: &HashMap<&str, HashSet<&str>>, id: String, what: &str, status: &str, event: Option<&str>| {
        findings.look();
        let has = |event: &str| types.get(id.as_str()).is_some_and(|types| types.contains(event));
        if let Some(event) = event.filter(|event| !has(event) && !snapshot.is_old(&id)) {
            findings.add(format!("{what} {id}"), format!("{status} without {event}"), format!("{event} in the outbox"));
        }
    };
    let orders = types(snapshot, Service::Orders);
    for (id, order) in &snapshot.orders {
        look(&orders, id.to_string(), "order", order.status.as_str(), of_order(order.status));
    }
    let inventory = types(snapshot, Service::Inventory);
    for (id, reservation) in &snapshot.reservations {
        // What was cancelled before anything was asked for leaves a stone and says nothing.
        let event = of_reservation(reservation.status)
            .filter(|_| !reservation.lines.is_empty() || is_refused(reservation.status));
        look(&inventory, id.to_string(), "reservation of order", reservation.status.as_str(), event);
    }
    let payments = types(snapshot, Service::Payments);
    for (id, payment) in &snapshot.payments {
        let event = of_payment(payment.status).filter(|_| payment.amount.is_some());
        look(&payments, id.to_string(), "payment of order", payment.status.as_str(), event);
    }
    let mut versions: HashMap<&str, i64> = HashMap::new();
    for (_, event) in snapshot.events().filter(|(_, event)| event.topic == Topic::Catalog) {
        let last = versions.entry(&event.subject).or_default();
        *last = event.sequence.max(*last);
    }
    for (id, product) in snapshot.products.iter().filter(|(id, _)| !snapshot.is_old(&id.to_string())) {
        findings.look();
        let told = versions.get(id.to_string().as_str()).copied().unwrap_or(0);
        if told != product.version {
            let is = format!("version {}, and version {told} is the last that was told of", product.version);
            findings.add(format!("product {id}"), is, "each version in the outbox");
        }
    }
}

const fn of_order(status: OrderStatus) -> Option<&'static str> {
    match status {
        // That every order was told of is another check's.
        OrderStatus::Pending => None,
        OrderStatus::Confirming => Some("order.confirmation_requested"),
        OrderStatus::Confirmed => Some("order.confirmed"),
        OrderStatus::Paid => Some("order.paid"),
        OrderStatus::Fulfilled => Some("order.fulfilled"),
        OrderStatus::Cancelled => Some("order.cancelled"),
    }
}

const fn is_refused(status: ReservationStatus) -> bool {
    matches!(status, ReservationStatus::Refused)
}

const fn of_reservation(status: ReservationStatus) -> Option<&'static str> {
    Some(match status {
        ReservationStatus::Held => "inventory.reserved",
        ReservationStatus::Refused => "inventory.reservation_failed",
        ReservationStatus::Expired => "inventory.reservation_expired",
        ReservationStatus::Allocated => "inventory.allocated",
        ReservationStatus::Lost => "inventory.allocation_failed",
        ReservationStatus::Committed => "inventory.committed",
        ReservationStatus::Released => "inventory.released",
    })
}

const fn of_payment(status: PaymentStatus) -> Option<&'static str> {
    Some(match status {
        PaymentStatus::Open | PaymentStatus::Processing => "payment.opened",
        PaymentStatus::Succeeded | PaymentStatus::Refunding => "payment.succeeded",
        PaymentStatus::Failed => "payment.failed",
        PaymentStatus::Voided => "payment.voided",
        PaymentStatus::Refunded => "payment.refunded",
    })
}
