//! The last events, in the order in which they came.

use std::collections::VecDeque;

use orderflow_contracts::api::console::EventRecord;

/// Events that are kept: about 2 MB.
pub const EVENTS_MAX: usize = 2_000;

/// The last events; the oldest are dropped, and counted.
#[derive(Debug, Default)]
pub struct EventLog {
    events: VecDeque<EventRecord>,
    dropped: u64,
}

impl EventLog {
    /// One more. One that is there already is not added again.
    pub fn push(&mut self, record: EventRecord) {
        if self.events.back().is_some_and(|last| last.position >= record.position) {
            return;
        }
        if self.events.len() == EVENTS_MAX {
            self.events.pop_front();
            self.dropped += 1;
        }
        self.events.push_back(record);
    }

    /// They, the newest first.
    pub fn newest(&self) -> impl ExactSizeIterator<Item = &EventRecord> + DoubleEndedIterator {
        self.events.iter().rev()
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// How many were dropped.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}
