//! Whether everything has come to rest, so that it can be counted.

use std::collections::BTreeMap;

use orderflow_contracts::api::inventory::ReservationStatus;

use super::{
    events,
    findings::{Check, Findings},
    snapshot::{Event, Part, Snapshot, Unread},
};
use crate::endpoints::Service;

/// The name of the check that everything has come to rest.
pub const REST: &str = "rest";

/// What is still on its way; nothing if the check passes.
pub fn unrest(snapshot: &Snapshot) -> Check {
    let mut findings = Findings::new(REST);
    let mut add = |subject: String, is: String| {
        findings.look();
        findings.not_checked(subject, is, "at rest");
    };
    for Unread { part, why } in snapshot.unread.iter().filter(|unread| moves(unread.part)) {
        add(part.to_string(), format!("could not be read: {why}"));
    }
    if snapshot.moved > 0 {
        add(
            "the system".to_owned(),
            format!("it goes on: {} new events since it was begun to be read", snapshot.moved),
        );
    }
    let pending = snapshot.events().filter(|(_, event)| !event.published);
    for (service, (count, first)) in first_of_each(pending) {
        let is = format!("committed and not published: {count}, the first at {}", first.created_at);
        add(format!("the outbox of {}", service.name()), is);
    }
    let applied = events::applied(snapshot);
    // Of an inbox that could not be read nothing is known.
    let is_read = |by| snapshot.unread.iter().all(|unread| unread.part != Part::Inbox(by));
    let has = |consumer, event: &Event| applied.get(consumer).is_some_and(|inbox| inbox.contains_key(&event.id));
    let wanted =
        events::wanted(snapshot).flat_map(|(_, event)| event.topic.consumers().iter().map(move |by| (by, event)));
    let behind =
        wanted.filter(|(by, event)| is_read(**by) && !has(by, event)).map(|(consumer, event)| (*consumer, event));
    for (consumer, (count, first)) in first_of_each(behind) {
        let is = format!("published and not applied: {count}, the first {} of {}", first.event_type, first.subject);
        add(format!("the inbox of {}", consumer.name()), is);
    }
    for (id, payment) in &snapshot.payments {
        if let Some(call) = &payment.call {
            let error = call.last_error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
            let is = format!("the provider is being asked for the {}, {} times so far{error}", call.kind, call.tries);
            add(format!("payment of order {id}"), is);
        }
    }
    for (id, reservation) in &snapshot.reservations {
        let is_over = reservation.expires_at.is_some_and(|at| at < snapshot.inventory_now);
        if reservation.status == ReservationStatus::Held && is_over {
            add(format!("reservation of order {id}"), "its time is over, and it is about to end".to_owned());
        }
    }
    findings.check("nothing is on its way any more")
}

/// Whether a part says what is on its way.
const fn moves(part: Part) -> bool {
    matches!(part, Part::Outbox(_) | Part::Inbox(_) | Part::Payments | Part::Reservations | Part::Clock)
}

/// How many each service has, and the first.
fn first_of_each<'a>(events: impl Iterator<Item = (Service, &'a Event)>) -> BTreeMap<Service, (u64, &'a Event)> {
    let mut of: BTreeMap<Service, (u64, &Event)> = BTreeMap::new();
    for (service, event) in events {
        of.entry(service).and_modify(|(count, _)| *count += 1).or_insert((1, event));
    }
    of
}
