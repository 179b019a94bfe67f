//! How orders have ended, of late: paid, or cancelled and why.

use std::collections::VecDeque;

use orderflow_contracts::{
    api::console::EventRecord,
    events::{CancelReason, OrderEvent, decode},
};

/// Ends that are kept.
const ENDS_MAX: usize = 4_096;
/// For how long an end is kept, in milliseconds.
pub const KEPT_MS: i64 = 10 * 60 * 1000;

/// How an order went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The money is there.
    Paid,
    /// It was cancelled.
    Cancelled(CancelReason),
}

/// Every reason, those that somebody wanted last.
pub const REASONS: [CancelReason; 6] = [
    CancelReason::OutOfStock,
    CancelReason::PaymentFailed,
    CancelReason::StockLost,
    CancelReason::Expired,
    CancelReason::ByCustomer,
    CancelReason::BySeller,
];

/// The last ends.
#[derive(Debug, Default)]
pub struct Outcomes(VecDeque<(i64, Outcome)>);

impl Outcomes {
    /// An event has come, at this moment of this machine's clock.
    pub fn hear(&mut self, record: &EventRecord, now_ms: i64) {
        let outcome = match record.event_type.as_str() {
            "order.paid" => Outcome::Paid,
            "order.cancelled" => match decode(&record.event_type, record.data.to_string().as_bytes()) {
                Ok(OrderEvent::Cancelled { reason }) => Outcome::Cancelled(reason),
                _ => return,
            },
            _ => return,
        };
        if self.0.len() == ENDS_MAX {
            self.0.pop_front();
        }
        self.0.push_back((now_ms, outcome));
    }

    /// How many there were of this, in the last ten minutes.
    pub fn count(&self, of: Outcome, now_ms: i64) -> usize {
        self.late(now_ms).filter(|outcome| *outcome == of).count()
    }

    /// How many there were in all.
    pub fn all(&self, now_ms: i64) -> usize {
        self.late(now_ms).count()
    }

    fn late(&self, now_ms: i64) -> impl Iterator<Item = Outcome> {
        self.0.iter().filter(move |(at, _)| now_ms - at < KEPT_MS).map(|(_, outcome)| *outcome)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::admin::tests::record_at;

    #[test]
    fn ends_are_counted_by_their_reason_and_forgotten() {
        let mut outcomes = Outcomes::default();
        outcomes.hear(&record_at(1, "order.paid", 0), 0);
        let mut cancelled = record_at(2, "order.cancelled", 0);
        cancelled.data = json!({ "reason": "expired" });
        outcomes.hear(&cancelled, KEPT_MS - 1);
        outcomes.hear(&record_at(3, "order.confirmed", 0), 0);
        let expired = Outcome::Cancelled(CancelReason::Expired);
        assert_eq!((outcomes.all(0), outcomes.count(expired, 0)), (2, 1));
        assert_eq!((outcomes.all(KEPT_MS), outcomes.count(Outcome::Paid, KEPT_MS)), (1, 0));
    }
}
