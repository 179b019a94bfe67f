//! Patterns that can be taken out in a laboratory, and which of them are.

use std::{sync::atomic::Ordering, time::Duration};

use orderflow_contracts::api::ops::Pattern;

use super::Chaos;

/// How long nobody is kept from what is being decided about, in a laboratory without the guard.
const UNGUARDED_PAUSE: Duration = Duration::from_millis(300);

/// What stands before the name of a pattern that is out, among the names of faults.
pub(super) const PATTERN: &str = "lab:";

pub(super) fn bit(pattern: Pattern) -> u32 {
    1 << Pattern::ALL.iter().position(|known| *known == pattern).unwrap_or(31)
}

impl Chaos {
    /// Whether a pattern is taken out, in a laboratory.
    pub fn is_out(&self, pattern: Pattern) -> bool {
        self.0.out.load(Ordering::Relaxed) & bit(pattern) != 0
    }

    /// Waits while a pattern is taken out: what it would have prevented needs time to happen.
    pub async fn linger_without(&self, pattern: Pattern) {
        if self.is_out(pattern) {
            tokio::time::sleep(UNGUARDED_PAUSE).await;
        }
    }

    /// The patterns that are out.
    pub fn patterns_out(&self) -> Vec<Pattern> {
        Pattern::ALL.into_iter().filter(|pattern| self.is_out(*pattern)).collect()
    }
}
