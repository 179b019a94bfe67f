//! An order's story as a sequence diagram, in the language of Mermaid.

use super::{
    Explanation,
    hops::{Consumed, Hop},
    span,
};
use crate::{
    endpoints::Service,
    view::{self, is_unseen},
};

/// The diagram. What gives something back has dotted lines.
pub fn mermaid(explanation: &Explanation) -> String {
    let mut text = "sequenceDiagram\n    autonumber\n".to_owned();
    for (name, sort) in [
        ("customer", "actor"),
        ("seller", "actor"),
        ("orders", "participant"),
        ("inventory", "participant"),
        ("payments", "participant"),
    ] {
        text.push_str(&format!("    {sort} {name}\n"));
    }
    for hop in &explanation.hops {
        text.push_str(&told(hop, explanation));
    }
    for block in &explanation.blocked_by {
        text.push_str(&note(&block.who, &format!("blocked: {}", block.what)));
    }
    for next in explanation.next.iter().filter(|_| !explanation.over) {
        text.push_str(&note(&next.who, &format!("still to come: {}", next.what)));
    }
    let stands = format!("{}: {}", explanation.status, explanation.stands);
    text.push_str(&note("orders", &stands));
    text
}

/// The arrows of one event: from whoever has made it happen, and to whoever has made something of it.
fn told(hop: &Hop, explanation: &Explanation) -> String {
    let mut text = String::new();
    let (solid, name) = (if hop.compensation { "-->>" } else { "->>" }, escape(&hop.event));
    if let Some(who) = hop.by {
        text.push_str(&format!("    {who}->>{}: {}\n", hop.service, view::wish(&hop.event)));
    }
    let followed: Vec<&Hop> = explanation.hops.iter().filter(|other| other.caused_by == Some(hop.event_id)).collect();
    let mut to: Vec<&str> = followed.iter().map(|other| other.service).filter(|to| *to != hop.service).collect();
    // What has changed nothing elsewhere was heard all the same, by the orders service above all.
    if to.is_empty() && hop.service != Service::Orders.name() {
        to.push(Service::Orders.name());
    }
    to.dedup();
    if to.is_empty() {
        text.push_str(&note(hop.service, &format!("{}{}", hop.event, times(hop, None))));
    }
    for to in to {
        let consumed = hop.consumers.iter().find(|consumed| consumed.service == to);
        let lost = consumed.is_some_and(|consumed| consumed.applied_at.is_none()) || !hop.published;
        let arrow = if lost { "-x" } else { solid };
        text.push_str(&format!("    {}{arrow}{to}: {name}{}\n", hop.service, times(hop, consumed)));
    }
    text
}

fn times(hop: &Hop, consumed: Option<&Consumed>) -> String {
    let mut times = Vec::new();
    times.extend(hop.outbox_ms.map(|ms| format!("outbox {}", span(ms))));
    times.extend(consumed.and_then(|consumed| consumed.kafka_ms).map(|ms| format!("Kafka {}", span(ms))));
    times.extend((hop.duplicates > 0).then(|| format!("{} duplicates passed over", hop.duplicates)));
    if times.is_empty() { String::new() } else { format!(" ({})", times.join(", ")) }
}

fn note(who: &str, text: &str) -> String {
    let known = ["customer", "seller", "orders", "inventory", "payments"];
    let who = if known.contains(&who) { who } else { "payments" };
    format!("    Note over {who}: {}\n", escape(text))
}

/// Text that ends no statement and begins none.
fn escape(text: &str) -> String {
    text.chars().map(|c| if is_unseen(c) || matches!(c, ';' | '#' | '`' | '<' | '>') { ' ' } else { c }).collect()
}
