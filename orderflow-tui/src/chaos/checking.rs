//! Verify: when it runs, what it has found, and how old that is. One at a time, and never while events keep coming.
//!
//! ```text
//!   v ──────────────────────────────▶ Verify ──▶ Verified
//!   V ──▶ an event ──▶ Quiet ──▶ quiet? ──┘ ▲         │ events since? (only while V is on)
//!                        ▲──── not yet ◀────┴─────────┘
//! ```
//!
//! It reads everything that there is. Where that takes long, it is done less often: it pauses four times as long as it
//! took, so that a large cluster has at most a fifth of its time taken.

use orderflow_client::verify::{COULD_NOT_BE_CHECKED, Report, Violation};
use orderflow_contracts::{ids::OrderId, timestamp::Timestamp};

use super::effects::Do;

/// So long nothing is heard before it is verified again.
const QUIET_MS: u64 = 1_500;
/// The longest pause.
const PAUSE_MS_MAX: u64 = 60_000;
/// The pause after what could not be checked.
const AGAIN_MS: u64 = 10_000;
/// How many times as long as it took it pauses.
const PAUSE_TIMES: u64 = 4;

/// Verify, as the board knows it.
#[derive(Default)]
pub struct Checking {
    /// Whether it is verified again whenever something has happened.
    pub keeps: bool,
    run: Option<Run>,
    waits_quiet: bool,
    last: Option<Verdict>,
    /// Events that were heard in all.
    events: u64,
}

struct Run {
    since: Timestamp,
    /// Events that were heard when it last looked.
    events: u64,
    waits: String,
}

/// What came of it the last time.
struct Verdict {
    at: Timestamp,
    took_ms: u64,
    /// Events that were heard when it last looked: whatever came since is not in it.
    events: u64,
    came: Result<Box<Report>, String>,
}

/// What can be said of it in a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It was not done yet.
    Never,
    /// All checks hold.
    Holds,
    /// So many violations were found.
    Broken(u64),
    /// Something could not be checked, and nothing wrong was found; why.
    Unknown(String),
}

impl Checking {
    /// Begins, if it does not run.
    pub fn begin(&mut self, now: Timestamp) -> Option<Do> {
        if self.run.is_some() {
            return None;
        }
        self.run = Some(Run { since: now, events: self.events, waits: String::new() });
        Some(Do::Verify)
    }

    /// Keeps verifying, or no longer.
    pub fn toggle(&mut self, now: Timestamp) -> Option<Do> {
        self.keeps = !self.keeps;
        if self.keeps { self.begin(now) } else { None }
    }

    /// An event has come.
    pub fn hear(&mut self) -> Option<Do> {
        self.events += 1;
        self.wait_if_wanted()
    }

    fn wait_if_wanted(&mut self) -> Option<Do> {
        let wanted = self.keeps && self.run.is_none() && !self.waits_quiet;
        let ms = match self.standing() {
            Standing::Unknown(_) => AGAIN_MS,
            _ if self.since() > 0 => self.pause_ms(),
            _ => return None,
        };
        wanted.then(|| {
            self.waits_quiet = true;
            Do::Quiet { events: self.events, ms }
        })
    }

    fn pause_ms(&self) -> u64 {
        let took_ms = self.last.as_ref().map_or(0, |last| last.took_ms);
        took_ms.saturating_mul(PAUSE_TIMES).clamp(QUIET_MS, PAUSE_MS_MAX)
    }

    /// So long nothing was to be heard, and so many events were heard when that began.
    pub fn quiet(&mut self, events: u64, now: Timestamp) -> Option<Do> {
        self.waits_quiet = false;
        if !self.keeps || self.run.is_some() {
            return None;
        }
        if events != self.events {
            self.waits_quiet = true;
            return Some(Do::Quiet { events: self.events, ms: QUIET_MS });
        }
        self.begin(now)
    }

    /// It looks once more, since something is not at rest.
    pub fn waits(&mut self, what: String) {
        if let Some(run) = &mut self.run {
            (run.events, run.waits) = (self.events, what);
        }
    }

    /// It has come to its end.
    pub fn done(&mut self, came: Result<Box<Report>, String>, now: Timestamp) -> Option<Do> {
        let run = self.run.take();
        let events = run.as_ref().map_or(self.events, |run| run.events);
        let took_ms = run.map_or(0, |run| now.0.saturating_sub(run.since.0).max(0).unsigned_abs());
        self.last = Some(Verdict { at: now, took_ms, events, came });
        self.wait_if_wanted()
    }

    /// What it waits for, while it runs.
    pub fn runs(&self) -> Option<&str> {
        self.run.as_ref().map(|run| &*run.waits)
    }

    /// The report of the last time.
    pub fn report(&self) -> Option<&Report> {
        self.last.as_ref()?.came.as_deref().ok()
    }

    /// When that was.
    pub fn at(&self) -> Option<Timestamp> {
        self.last.as_ref().map(|last| last.at)
    }

    /// Events that have come since.
    pub fn since(&self) -> u64 {
        self.last.as_ref().map_or(self.events, |last| self.events.saturating_sub(last.events))
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        let report = match self.last.as_ref().map(|last| &last.came) {
            None => return Standing::Never,
            Some(Err(why)) => return Standing::Unknown(why.clone()),
            Some(Ok(report)) => report,
        };
        if report.ok {
            return Standing::Holds;
        }
        let all = report.checks.iter().flat_map(|check| &check.violations);
        let (unchecked, found): (Vec<&Violation>, Vec<&Violation>) =
            all.partition(|violation| violation.kind == COULD_NOT_BE_CHECKED);
        let more: u64 = report.checks.iter().map(|check| check.more).sum();
        match (found.len() as u64 + more, unchecked.first()) {
            (0, first) => {
                Standing::Unknown(first.map_or_else(String::new, |one| format!("{}: {}", one.subject, one.is)))
            }
            (count, _) => Standing::Broken(count),
        }
    }
}

/// The order that a violation is about, if it names one: `order 3f…`, `payment of order 3f…`, `order.paid 3 of 3f… (orders)`.
pub fn order_of(violation: &Violation) -> Option<OrderId> {
    let about_others = ["product", "event", "charge", "refund"];
    let is_catalog = violation.subject.starts_with("product.");
    let in_subject = ids(&violation.subject).find(|(before, _)| !about_others.contains(before) && !is_catalog);
    in_subject.or_else(|| ids(&violation.is).find(|(before, _)| *before == "order")).map(|(_, id)| id)
}

/// The ids in a text, each with the word before it.
fn ids(text: &str) -> impl Iterator<Item = (&str, OrderId)> {
    let words = text.split([' ', ',', '(', ')']).filter(|word| !word.is_empty());
    words
        .scan("", |before, word| Some((std::mem::replace(before, word), word)))
        .filter_map(|(before, word)| Some((before, word.parse().ok()?)))
}
