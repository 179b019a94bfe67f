//! When everybody is asked about the order: after each of its events, one question at a time, and now and then while
//! something other than a person is in its way, since nobody tells when that has gone.

use std::time::Duration;

use orderflow_client::{
    ClientError,
    why::{BlockKind, Explanation},
};
use orderflow_contracts::{ids::OrderId, timestamp::Timestamp};

use super::effects::{Do, Explained};

/// Events come in bursts: the question waits for their end, and is not asked more often than this.
const AFTER: Duration = Duration::from_millis(500);
/// While something is in the way it is asked again so often.
const AGAIN_MS: i64 = 3_000;

/// What was answered, and whether an answer is on its way.
#[derive(Default)]
pub struct Asking {
    known: Option<Box<Explained>>,
    /// When that was, by the services' clock.
    as_of: Option<Timestamp>,
    failed: Option<String>,
    may_come: bool,
    is_on_its_way: bool,
    is_late: bool,
}

impl Asking {
    /// The first question.
    pub fn begin(&mut self, id: OrderId) -> Do {
        self.is_on_its_way = true;
        Do::Explain { id, after: Duration::ZERO }
    }

    /// Something has happened: what is known is not the newest any more.
    pub fn again(&mut self, id: OrderId) -> Option<Do> {
        self.is_late = true;
        self.ask(id)
    }

    fn ask(&mut self, id: OrderId) -> Option<Do> {
        if self.is_on_its_way {
            return None;
        }
        (self.is_on_its_way, self.is_late) = (true, false);
        Some(Do::Explain { id, after: AFTER })
    }

    /// An answer has come.
    pub fn came(&mut self, id: OrderId, answer: Result<Box<Explained>, ClientError>, now: Timestamp) -> Option<Do> {
        self.is_on_its_way = false;
        self.as_of = Some(now);
        match answer {
            Ok(known) => (self.known, self.failed) = (Some(known), None),
            Err(error) => (self.failed, self.may_come) = (Some(error.to_string()), error.is_transient()),
        }
        if self.is_late { self.ask(id) } else { None }
    }

    /// A second has passed.
    pub fn second(&mut self, id: OrderId, now: Timestamp) -> Option<Do> {
        let is_old = self.as_of.is_none_or(|at| (now.0 - at.0).abs() >= AGAIN_MS);
        if is_old && self.goes_on() { self.ask(id) } else { None }
    }

    /// Whether the answer may change without an event of the order.
    pub fn goes_on(&self) -> bool {
        if self.failed.is_some() {
            return self.may_come;
        }
        let Some(known) = self.explanation() else { return false };
        let by_itself = |kind| kind != BlockKind::Person && kind != BlockKind::Unexplained;
        let person = |who: &str| matches!(who, "customer" | "seller");
        known.blocked_by.iter().any(|block| by_itself(block.kind)) || known.turns.iter().any(|turn| !person(turn.who))
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
        !self.is_late && !self.is_on_its_way
    }
}
