//! What was survived at an event, or is in its way.

use std::collections::HashMap;

use orderflow_contracts::{api::console::EventRecord, ids::EventId, timestamp::Timestamp};

use super::Row;
use crate::{
    view::Tone,
    why::{BlockKind, Explanation},
};

/// What is said beside an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// It came again so often, and was passed over.
    Suppressed(u32),
    /// This process was started again before it.
    Restarted(String),
    /// It is committed, and nobody has published it.
    Unpublished,
    /// This service wants it, and has not applied it.
    NotApplied(String),
    /// This service could not apply it.
    DeadLetter(String),
}

impl Mark {
    /// In a few words, with a sign.
    pub fn words(&self) -> String {
        match self {
            Self::Suppressed(times) => format!("×{times} suppressed"),
            Self::Restarted(process) => format!("↻ {process} restarted"),
            Self::Unpublished => "… in the outbox, not published".to_owned(),
            Self::NotApplied(service) => format!("… not applied by {service}"),
            Self::DeadLetter(service) => format!("✗ dead letter of {service}"),
        }
    }

    /// In hardly any room.
    pub fn short(&self) -> String {
        match self {
            Self::Suppressed(times) => format!("×{times}"),
            Self::Restarted(process) => format!("↻ {process}"),
            Self::Unpublished => "… in outbox".to_owned(),
            Self::NotApplied(service) => format!("… {service}"),
            Self::DeadLetter(_) => "✗ dead letter".to_owned(),
        }
    }

    /// What kind of thing it is: survived, or in the way.
    pub const fn tone(&self) -> Tone {
        match self {
            Self::Suppressed(_) | Self::Restarted(_) => Tone::Good,
            Self::Unpublished | Self::NotApplied(_) => Tone::Note,
            Self::DeadLetter(_) => Tone::Failure,
        }
    }
}

/// Says beside each row what is known of it.
pub(super) fn put(rows: &mut [Row], records: &[EventRecord], explanation: &Explanation) {
    for hop in explanation.hops.iter().filter(|hop| hop.duplicates > 0) {
        mark(rows, hop.event_id, Mark::Suppressed(hop.duplicates));
    }
    for block in explanation.blocked_by.iter().filter(|block| !block.is_fresh()) {
        let Some(id) = block.event_id else { continue };
        match block.kind {
            BlockKind::Unpublished => mark(rows, id, Mark::Unpublished),
            BlockKind::NotApplied => mark(rows, id, Mark::NotApplied(block.who.clone())),
            BlockKind::DeadLetter => mark(rows, id, Mark::DeadLetter(block.who.clone())),
            _ => {}
        }
    }
    let published: HashMap<EventId, Timestamp> =
        records.iter().map(|record| (record.id, record.published_at)).collect();
    for (process, at) in &explanation.restarted_at {
        restarted(rows, &published, process, *at, explanation.over);
    }
}

fn mark(rows: &mut [Row], id: EventId, mark: Mark) {
    if let Some(row) = rows.iter_mut().find(|row| row.event_id == id) {
        row.marks.push(mark);
    }
}

/// At the first event that was published after it. What has happened before the order began, or after it was over, is
/// none of its story.
fn restarted(rows: &mut [Row], published: &HashMap<EventId, Timestamp>, process: &str, at: Timestamp, over: bool) {
    let moment = |row: &Row| published.get(&row.event_id).copied();
    if process == "console" || rows.first().and_then(moment).is_none_or(|begun| at < begun) {
        return;
    }
    let after = rows.iter().position(|row| moment(row).is_some_and(|published| published >= at));
    let last = rows.len().checked_sub(1).filter(|_| !over);
    if let Some(row) = after.or(last).and_then(|index| rows.get_mut(index)) {
        row.marks.push(Mark::Restarted(process.to_owned()));
    }
}
