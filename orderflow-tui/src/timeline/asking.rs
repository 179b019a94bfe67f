//! When everybody is asked about the order: after each of its events, one question at a time, and now and then until it
//! is over. No event tells of what is stuck: of one that waits in an outbox least of all.

use std::time::Duration;

use orderflow_client::{ClientError, why::Explanation};
use orderflow_contracts::{ids::OrderId, timestamp::Timestamp};

use super::effects::{Do, Explained};

/// Events come in bursts: the question waits for their end, and is not asked more often than this.
const AFTER: Duration = Duration::from_millis(500);
/// While nothing happens it is asked again so often.
const AGAIN_MS: i64 = 3_000;
/// But no more than every so many times as long as an answer takes: a long outbox takes long to be searched.
const REST: i64 = 5;

/// No answer takes longer than this, each of its parts having a limit.
const TOOK_MAX_MS: i64 = 120_000;

/// What was answered, and whether an answer is on its way.
#[derive(Default)]
pub struct Asking {
    known: Option<Box<Explained>>,
    /// When that was, by the services' clock.
    as_of: Option<Timestamp>,
    failed: Option<String>,
    may_come: bool,
    /// When the question was asked that is on its way, or was the last one.
    asked_at: Option<Timestamp>,
    took_ms: i64,
    is_on_its_way: bool,
    is_late: bool,
    /// Something has happened since it was answered.
    is_old: bool,
}

impl Asking {
    /// The first question.
    pub fn begin(&mut self, id: OrderId) -> Do {
        self.is_on_its_way = true;
        Do::Explain { id, after: Duration::ZERO }
    }

    /// Something has happened: what is known is not the newest any more.
    pub fn again(&mut self, id: OrderId, now: Timestamp) -> Option<Do> {
        (self.is_late, self.is_old) = (true, true);
        self.ask(id, now)
    }

    fn ask(&mut self, id: OrderId, now: Timestamp) -> Option<Do> {
        if self.is_on_its_way {
            return None;
        }
        (self.is_on_its_way, self.is_late, self.asked_at) = (true, false, Some(now));
        let rest = Duration::from_millis(u64::try_from(self.took_ms).unwrap_or_default());
        Some(Do::Explain { id, after: AFTER.max(rest) })
    }

    /// An answer has come.
    pub fn came(&mut self, id: OrderId, answer: Result<Box<Explained>, ClientError>, now: Timestamp) -> Option<Do> {
        self.is_on_its_way = false;
        self.as_of = Some(now);
        // About half of it was the pause before. A clock that was moved takes no time.
        let took = self.asked_at.map_or(0, |at| now.0.saturating_sub(at.0));
        self.took_ms = if (0..TOOK_MAX_MS).contains(&took) { took / 2 } else { 0 };
        match answer {
            Ok(known) => (self.known, self.failed) = (Some(known), None),
            Err(error) => (self.failed, self.may_come) = (Some(error.to_string()), error.is_transient()),
        }
        self.is_old = self.is_late;
        if self.is_late { self.ask(id, now) } else { None }
    }

    /// A second has passed.
    pub fn second(&mut self, id: OrderId, now: Timestamp) -> Option<Do> {
        let rest = AGAIN_MS.max(self.took_ms.saturating_mul(REST));
        let is_old = self.as_of.is_none_or(|at| (now.0 - at.0).abs() >= rest);
        if is_old && self.goes_on() { self.ask(id, now) } else { None }
    }

    /// Whether the answer may change without an event of the order.
    pub fn goes_on(&self) -> bool {
        match &self.failed {
            Some(_) => self.may_come,
            None => self.explanation().is_some_and(|known| !known.over),
        }
    }

    /// What was answered.
    pub fn known(&self) -> Option<&Explained> {
        self.known.as_deref()
    }

    /// The explanation of that.
    pub fn explanation(&self) -> Option<&Explanation> {
        self.known().map(|known| &known.explanation)
    }

    /// When that was.
    pub const fn as_of(&self) -> Option<Timestamp> {
        self.as_of
    }

    /// Why there is no newer answer.
    pub fn failed(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// Whether nothing has happened since.
    pub const fn is_newest(&self) -> bool {
        !self.is_old
    }
}
