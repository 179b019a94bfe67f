//! Asks again every so often, and never twice at one time.

use orderflow_contracts::timestamp::Timestamp;

/// An answer that has not come after so long, in milliseconds, does not come any more.
const PATIENCE_MS: i64 = 15_000;
/// A tick comes a little before or after its second.
const SLACK_MS: i64 = 150;

/// When something was asked, and whether its answer is still to come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Every {
    asked_at: Option<Timestamp>,
    is_waiting: bool,
}

impl Every {
    /// Whether it is time to ask; then it counts as asked. `now` is this machine's clock.
    pub fn is_due(&mut self, now: Timestamp, every_ms: i64) -> bool {
        let since = self.asked_at.map(|at| now.0 - at.0);
        let is_due = match since {
            // A clock that was turned back says nothing.
            None | Some(..0) => true,
            Some(since) if self.is_waiting => since >= PATIENCE_MS,
            Some(since) => since + SLACK_MS >= every_ms,
        };
        if is_due {
            (self.asked_at, self.is_waiting) = (Some(now), true);
        }
        is_due
    }

    /// The answer has come.
    pub const fn answered(&mut self) {
        self.is_waiting = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_asked_every_so_often_and_once_at_a_time() {
        let mut every = Every::default();
        let due = |every: &mut Every, at: i64| every.is_due(Timestamp(at), 2000);
        assert!(due(&mut every, 0) && !due(&mut every, 5000), "no answer yet");
        every.answered();
        assert!(due(&mut every, 1990), "a tick may be early");
        every.answered();
        assert!(!due(&mut every, 3000) && due(&mut every, 4000));
        assert!(due(&mut every, 4000 + PATIENCE_MS), "an answer that was lost");
    }
}
