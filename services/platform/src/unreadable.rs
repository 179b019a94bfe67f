//! Rows that a service meets again and again and cannot read: another version has written them, or a hand has. Whoever
//! works through many rows passes over such a one, so that the others go on, and notes it here, loudly.
//!
//! They are remembered by this process, for as long as they are met: a row that was mended is forgotten by itself.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use orderflow_contracts::{api::ops::UnreadableRow, timestamp::Timestamp};
use prometheus_client::metrics::{counter::Counter, gauge::Gauge};

/// Most rows that are remembered. What is beyond them is counted and logged.
pub const ROWS_MAX: usize = 100;
/// A row that was not met for so long was mended. Longer than any lease or back-off, after which it is met again.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

/// The rows of one service. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Unreadable(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    rows: Mutex<BTreeMap<(&'static str, String), Met>>,
    /// How often one was passed over.
    passed_over: Counter,
    /// How many there are.
    now: Gauge,
}

#[derive(Debug)]
struct Met {
    reason: String,
    at: Instant,
    at_ms: i64,
}

impl Unreadable {
    /// Notes a row, by its table and its key, and why it cannot be read.
    pub fn note(&self, table: &'static str, key: String, reason: String) {
        self.note_at(Instant::now(), table, key, reason);
    }

    fn note_at(&self, at: Instant, table: &'static str, key: String, reason: String) {
        self.0.passed_over.inc();
        let mut rows = self.rows(at);
        let is_known = rows.contains_key(&(table, key.clone()));
        if !is_known {
            tracing::error!(table, key, reason, "A ROW CANNOT BE READ; it is passed over until it is mended");
        }
        if is_known || rows.len() < ROWS_MAX {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let at_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
            rows.insert((table, key), Met { reason, at, at_ms });
        }
    }

    /// The rows that were met of late.
    pub fn list(&self) -> Vec<UnreadableRow> {
        self.list_at(Instant::now())
    }

    fn list_at(&self, now: Instant) -> Vec<UnreadableRow> {
        let rows = self.rows(now);
        let row = |((table, key), met): (&(&'static str, String), &Met)| UnreadableRow {
            table: (*table).to_owned(),
            key: key.clone(),
            reason: met.reason.clone(),
            met_at: Timestamp(met.at_ms),
        };
        rows.iter().map(row).collect()
    }

    /// For `/metrics`: how often one was passed over, and how many there are.
    pub(crate) fn numbers(&self) -> (Counter, Gauge) {
        (self.0.passed_over.clone(), self.0.now.clone())
    }

    /// Brings the number of rows up to date.
    pub(crate) fn count(&self) {
        self.0.now.set(i64::try_from(self.rows(Instant::now()).len()).unwrap_or(i64::MAX));
    }

    fn rows(&self, now: Instant) -> MutexGuard<'_, BTreeMap<(&'static str, String), Met>> {
        let mut rows = self.0.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.retain(|_, met| now.saturating_duration_since(met.at) < FORGOTTEN_AFTER);
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_remembered_while_they_are_met_and_no_more_than_so_many() {
        let (unreadable, began) = (Unreadable::default(), Instant::now());
        let note = |at, key: &str| unreadable.note_at(at, "orders", key.to_owned(), "no".to_owned());
        let keys = |at| unreadable.list_at(at).into_iter().map(|row| row.key).collect::<Vec<_>>();
        note(began, "a");
        note(began, "b");
        assert_eq!(keys(began), ["a", "b"]);
        note(began + FORGOTTEN_AFTER / 2, "b");
        let later = began + FORGOTTEN_AFTER;
        assert_eq!(keys(later), ["b"]);
        (0..2 * ROWS_MAX).for_each(|number| note(later, &number.to_string()));
        assert_eq!(keys(later).len(), ROWS_MAX);
        assert_eq!(unreadable.numbers().0.get(), 3 + 2 * ROWS_MAX as u64);
    }
}
