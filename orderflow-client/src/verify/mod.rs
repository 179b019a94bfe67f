//! Whether every piece of stock and every cent is where it has to be, no event was lost or applied twice, and every
//! order is over or waits for somebody.
//!
//! ```text
//!   take: all pages of all services ──▶ Snapshot ──▶ unrest: what is still on its way?    (wait and take another one)
//!                                          └──────▶ check: the checks, one after the other ──▶ Report
//! ```
//!
//! [`check`] is pure: the same snapshot has the same report. A check whose parts could not be read does not pass.

mod events;
mod findings;
mod money;
mod orders;
mod rare;
mod rest;
mod settle;
mod snapshot;
mod stock;
mod table;
mod take;
#[cfg(test)]
mod tests;

use serde::Serialize;

use self::{
    findings::Findings,
    table::{CHECKS, Checked},
};
pub use self::{
    findings::{COULD_NOT_BE_CHECKED, Check, VIOLATIONS_MAX, Violation},
    rare::{LetterCounts, Rare},
    rest::{REST, unrest},
    settle::settle,
    snapshot::{Applied, Event, Letter, Part, Snapshot, Topic, Unread},
    take::{ROWS_MAX, take},
};

/// What came of all checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether all of them have passed.
    pub ok: bool,
    /// Each of them.
    pub checks: Vec<Check>,
    /// How often what is rare has happened; not counted if not everything could be read.
    pub rare: Option<Rare>,
    /// What could not be applied; not counted if not everything could be read.
    pub dead_letters: Option<LetterCounts>,
}

impl Report {
    /// The same report, with whether everything had come to rest as its first check.
    #[must_use]
    pub fn with_rest(mut self, rest: Check) -> Self {
        self.ok &= rest.ok;
        self.checks.insert(0, rest);
        self
    }

    /// A report that says only that nothing could be looked at, and why.
    pub fn nothing(check: Check) -> Self {
        Self { ok: false, checks: vec![check], rare: None, dead_letters: None }
    }

    /// How many violations there are.
    pub fn violations(&self) -> u64 {
        self.checks.iter().map(Check::violation_count).sum()
    }

    /// In one line what is wrong. What could not be looked at is not said to be wrong.
    pub fn verdict(&self) -> String {
        let failed = self.checks.iter().filter(|check| !check.ok);
        let names = failed.clone().map(|check| check.name).collect::<Vec<_>>().join(", ");
        let is_known = |violation: &Violation| violation.kind != COULD_NOT_BE_CHECKED;
        match self.violations() {
            0 => "everything holds that must".to_owned(),
            _ if !failed.flat_map(|check| &check.violations).any(is_known) => format!("could not be checked: {names}"),
            1 => format!("1 violation in {names}"),
            count => format!("{count} violations in {names}"),
        }
    }
}

/// Looks whether everything is right.
pub fn check(snapshot: &Snapshot) -> Report {
    let checks: Vec<Check> = CHECKS.iter().map(|checked| run(checked, snapshot)).collect();
    let ok = checks.iter().all(|check| check.ok);
    let is_whole = snapshot.unread.is_empty();
    let rare = is_whole.then(|| rare::count(snapshot));
    Report { ok, checks, rare, dead_letters: is_whole.then(|| rare::letters(snapshot)) }
}

fn run(checked: &Checked, snapshot: &Snapshot) -> Check {
    let mut findings = Findings::new(checked.name);
    let unread: Vec<&Unread> = snapshot.unread.iter().filter(|unread| checked.needs.contains(&unread.part)).collect();
    if unread.is_empty() {
        (checked.run)(snapshot, &mut findings);
    }
    for Unread { part, why } in unread {
        findings.not_checked(part.to_string(), format!("could not be read: {why}"), "readable");
    }
    findings.check(checked.says)
}
