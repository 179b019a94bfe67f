//! What a check finds.

use serde::Serialize;

/// Violations of one check that are told one by one. A thousand say what is wrong; the others are counted.
pub const VIOLATIONS_MAX: usize = 1_000;
/// The kind of a violation where nothing could be looked at: a check that could not run has not passed.
pub const COULD_NOT_BE_CHECKED: &str = "could not be checked";

/// One check and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name, as `stock.on_hand`.
    pub name: &'static str,
    /// What it makes sure of.
    pub says: &'static str,
    /// Whether it has found nothing.
    pub ok: bool,
    /// How many things it has looked at.
    pub looked_at: u64,
    /// What it has found.
    pub violations: Vec<Violation>,
    /// So many more were found, and are not told one by one.
    pub more: u64,
}

impl Check {
    /// How many violations it has found.
    pub fn violation_count(&self) -> u64 {
        count(self.violations.len()).saturating_add(self.more)
    }
}

/// Something that must always hold and does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The check's name, or [`COULD_NOT_BE_CHECKED`].
    pub kind: &'static str,
    /// What it is about.
    pub subject: String,
    /// What is.
    pub is: String,
    /// What should be.
    pub should_be: String,
}

/// Collects what one check finds.
pub(super) struct Findings {
    name: &'static str,
    looked_at: u64,
    violations: Vec<Violation>,
    more: u64,
}

impl Findings {
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, looked_at: 0, violations: Vec::new(), more: 0 }
    }

    /// One more thing is looked at.
    pub(super) const fn look(&mut self) {
        self.looked_at += 1;
    }

    /// Something is not as it should be.
    pub(super) fn add(&mut self, subject: impl Into<String>, is: impl Into<String>, should_be: impl Into<String>) {
        self.push(self.name, subject.into(), is.into(), should_be.into());
    }

    /// Something could not be looked at.
    pub(super) fn not_checked(&mut self, subject: String, is: String, should_be: &str) {
        self.push(COULD_NOT_BE_CHECKED, subject, is, should_be.to_owned());
    }

    /// The same, if it does not hold.
    pub(super) fn unless(&mut self, holds: bool, subject: &str, is: impl FnOnce() -> String, should_be: &str) {
        if !holds {
            self.add(subject, is(), should_be);
        }
    }

    fn push(&mut self, kind: &'static str, subject: String, is: String, should_be: String) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(Violation { kind, subject, is, should_be });
        } else {
            self.more += 1;
        }
    }

    pub(super) fn check(self, says: &'static str) -> Check {
        let Self { name, looked_at, violations, more } = self;
        Check { name, says, ok: violations.is_empty(), looked_at, violations, more }
    }
}

/// A length as a number that is the same everywhere.
pub(super) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
