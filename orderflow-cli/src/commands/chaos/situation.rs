//! What is broken on purpose right now, in the whole cluster, as lines, as a table and as a document.

use orderflow_client::Service;
use orderflow_cluster::{
    Need, State,
    control::{CutStatus, LineStatus, ProcessStatus, Status, Struck},
};
use orderflow_contracts::{
    api::{chaos::Fault, ops::Pattern},
    timestamp::Timestamp,
    words::word,
};
use serde::Serialize;

use super::words::{so_often, text};
use crate::{
    output::{
        Align::{Left, Right},
        Paint, Table,
    },
    parse,
};

/// How often a clock that is skewed strikes: each time somebody asks for the time, in SQL too, where nobody counts.
const ALWAYS: &str = "always";

/// How a fault is set that is not known here.
const OF_ANOTHER_VERSION: &str = "of another version";

/// What is broken.
#[derive(Debug, Default, Serialize)]
pub struct Situation {
    /// The faults of each service.
    pub faults: Vec<FaultThere>,
    /// Faults of services that are newer than we are.
    pub unknown_faults: Vec<UnknownFault>,
    /// Clocks that are not those of the others.
    pub clock_skews: Vec<Skew>,
    /// Processes that are paused.
    pub paused: Vec<Paused>,
    /// Processes that were killed and are not to be started again yet.
    pub held_down: Vec<Paused>,
    /// Connections that are cut.
    pub cuts: Vec<CutThere>,
    /// Patterns that are out.
    pub patterns_out: Vec<PatternOut>,
    /// How often each fault has struck since the data of the cluster began, and kills, pauses, restarts and cuts too:
    /// also what has ended or was taken back.
    pub bites: Vec<BitesThere>,
    /// Services that do not say what is set in them.
    pub silent: Vec<Silent>,
}

/// A fault of a service.
#[derive(Debug, Clone, Serialize)]
pub struct FaultThere {
    /// Whose.
    pub service: &'static str,
    /// How it is.
    #[serde(flatten)]
    pub fault: Fault,
}

/// A fault that is not known here.
#[derive(Debug, Clone, Serialize)]
pub struct UnknownFault {
    /// Whose.
    pub service: &'static str,
    /// Its name.
    pub name: String,
}

/// How often something has struck, in all.
#[derive(Debug, Clone, Serialize)]
pub struct BitesThere {
    /// Which service or process.
    pub service: String,
    /// A fault, or `kill`, `pause`, `restart`, `cut-from-broker`, …
    pub name: String,
    /// How often; for a cut: how many connections it has ended or not let begin.
    pub bites: u64,
}

/// A clock that is not that of the others.
#[derive(Debug, Clone, Serialize)]
pub struct Skew {
    /// Whose.
    pub service: &'static str,
    /// By how much it is ahead of the others, in milliseconds.
    pub ahead_ms: i64,
    /// How often it has struck: always. It is not counted, since every reading of this clock is wrong.
    pub struck: &'static str,
}

/// A process that is paused or held down.
#[derive(Debug, Clone, Serialize)]
pub struct Paused {
    /// Which.
    pub process: String,
    /// When it goes on, or is started again, by itself.
    pub ends_at: Option<Timestamp>,
}

/// A connection that is cut.
#[derive(Debug, Clone, Serialize)]
pub struct CutThere {
    /// Whose.
    pub service: String,
    /// From what.
    pub from: Need,
    /// When it heals by itself.
    pub ends_at: Option<Timestamp>,
    /// Connections that it has ended or not let begin.
    pub struck: u64,
}

/// A pattern that is out.
#[derive(Debug, Clone, Serialize)]
pub struct PatternOut {
    /// Where.
    pub service: &'static str,
    /// Which.
    pub pattern: Pattern,
}

/// A service that says nothing.
#[derive(Debug, Clone, Serialize)]
pub struct Silent {
    /// Which.
    pub service: &'static str,
    /// Why.
    pub reason: String,
}

impl FaultThere {
    /// Of a service.
    pub const fn new(service: Service, fault: Fault) -> Self {
        Self { service: service.name(), fault }
    }
}

impl Situation {
    /// Of what everybody tells.
    pub fn of(seen: &orderflow_chaos::Situation) -> Self {
        let mut situation = Self::default();
        for (service, there) in seen.there() {
            let name = service.name();
            situation.faults.extend(there.faults.known.iter().map(|fault| FaultThere::new(service, fault.clone())));
            situation.patterns_out.extend(there.out.iter().map(|out| PatternOut { service: name, pattern: *out }));
            let bites = there.bites.iter().map(|bites| BitesThere::new(name, word(bites.name), bites.bites));
            situation.bites.extend(bites);
        }
        situation.faults.sort_by_key(|there| (there.service, there.fault.name));
        situation.bites.extend(seen.supervised().into_iter().flat_map(BitesThere::of_the_supervisor));
        situation.bites.sort_by(|a, b| (&a.service, &a.name).cmp(&(&b.service, &b.name)));
        let unknown = seen.unknown().into_iter();
        situation.unknown_faults =
            unknown.map(|(service, name)| UnknownFault { service: service.name(), name: name.to_owned() }).collect();
        let skew = |(service, ahead_ms): (Service, _)| Skew { service: service.name(), ahead_ms, struck: ALWAYS };
        situation.clock_skews = seen.skews().map(skew).collect();
        let silent = |(service, reason): (Service, &str)| Silent { service: service.name(), reason: reason.to_owned() };
        situation.silent = seen.silent().map(silent).collect();
        let kept = |state| seen.kept().filter(move |process| process.state == state).map(Paused::of).collect();
        (situation.paused, situation.held_down) = (kept(State::Paused), kept(State::HeldDown));
        situation.cuts = seen.cuts().iter().map(CutThere::of).collect();
        situation
    }

    /// One line for each thing that is broken.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for FaultThere { service, fault } in &self.faults {
            let ends = fault.ends_at.map(|at| format!(", until {at}")).unwrap_or_default();
            let (name, set) = (word(fault.name), text(&fault.set));
            lines.push(format!("{service}: {name} ({set}), has struck {}{ends}", so_often(fault.struck)));
        }
        for fault in &self.unknown_faults {
            lines.push(format!("{}: {} ({OF_ANOTHER_VERSION})", fault.service, fault.name));
        }
        for skew in &self.clock_skews {
            lines.push(format!("{}: clock-skew ({})", skew.service, signed(skew.ahead_ms)));
        }
        let until = |at: Option<Timestamp>| at.map(|at| format!(", until {at}")).unwrap_or_default();
        lines.extend(self.paused.iter().map(|one| format!("{}: paused{}", one.process, until(one.ends_at))));
        lines.extend(self.held_down.iter().map(|one| format!("{}: held down{}", one.process, until(one.ends_at))));
        for cut in &self.cuts {
            lines.push(format!("{}: cut off from {}{}", cut.service, cut.from, until(cut.ends_at)));
        }
        for out in &self.patterns_out {
            lines.push(format!("{}: the pattern {} is OUT", out.service, word(out.pattern)));
        }
        lines
    }

    /// The table of all.
    pub fn text(&self, paint: Paint) -> String {
        let mut table =
            Table::new([("WHERE", Left), ("WHAT", Left), ("HOW", Left), ("STRUCK", Right), ("UNTIL", Left)]);
        let until = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        for FaultThere { service, fault } in &self.faults {
            let (name, struck) = (word(fault.name), fault.struck.to_string());
            table.row([(*service).to_owned(), name, text(&fault.set), struck, until(fault.ends_at)]);
        }
        let other = |place: &str, what: &str, how: String, ends| {
            [place.to_owned(), what.to_owned(), how, String::new(), until(ends)]
        };
        for fault in &self.unknown_faults {
            table.row(other(fault.service, &fault.name, OF_ANOTHER_VERSION.to_owned(), None));
        }
        for skew in &self.clock_skews {
            let (how, struck) = (signed(skew.ahead_ms), skew.struck.to_owned());
            table.row([skew.service.to_owned(), "clock-skew".to_owned(), how, struck, String::new()]);
        }
        for one in &self.paused {
            table.row(other(&one.process, "paused", String::new(), one.ends_at));
        }
        for one in &self.held_down {
            table.row(other(&one.process, "held down", String::new(), one.ends_at));
        }
        for cut in &self.cuts {
            let (from, struck) = (format!("from {}", cut.from), cut.struck.to_string());
            table.row([cut.service.clone(), "cut".to_owned(), from, struck, until(cut.ends_at)]);
        }
        for out in &self.patterns_out {
            table.row(other(out.service, "pattern out", word(out.pattern), None));
        }
        let now =
            if self.lines().is_empty() { "nothing is broken on purpose\n".to_owned() } else { table.render(paint) };
        format!("{now}{}", self.bites_text(paint))
    }

    /// The table of what has struck so far; nothing if nothing has.
    fn bites_text(&self, paint: Paint) -> String {
        if self.bites.is_empty() {
            return String::new();
        }
        let mut table = Table::new([("WHERE", Left), ("SO FAR", Left), ("STRUCK", Right)]);
        for BitesThere { service, name, bites } in &self.bites {
            table.row([service.clone(), name.clone(), bites.to_string()]);
        }
        format!("\n{}", table.render(paint))
    }
}

impl BitesThere {
    fn new(service: &str, name: impl Into<String>, bites: u64) -> Self {
        Self { service: service.to_owned(), name: name.into(), bites }
    }

    /// What the supervisor has counted, where there is something to count.
    fn of_the_supervisor(status: &Status) -> Vec<Self> {
        let processes = status.processes.iter().flat_map(|process| {
            let Struck { kills, pauses, restarts } = process.struck;
            let each = [("kill", kills), ("pause", pauses), ("restart", restarts)];
            each.map(|(name, times)| Self::new(&process.name, name, times))
        });
        let cut = |line: &LineStatus| Self::new(&line.service, format!("cut-from-{}", line.to), line.dropped);
        processes.chain(status.lines.iter().map(cut)).filter(|there| there.bites > 0).collect()
    }
}

impl Paused {
    fn of(process: &ProcessStatus) -> Self {
        Self { process: process.name.clone(), ends_at: moment(process.resumes_at_ms) }
    }
}

impl CutThere {
    fn of(cut: &CutStatus) -> Self {
        Self { service: cut.service.clone(), from: cut.from, ends_at: moment(cut.ends_at_ms), struck: cut.dropped }
    }
}

fn moment(at_ms: Option<u64>) -> Option<Timestamp> {
    at_ms.and_then(|ms| i64::try_from(ms).ok()).map(Timestamp)
}

fn signed(ms: i64) -> String {
    format!("{}{}", if ms < 0 { "-" } else { "+" }, parse::duration_text(ms.unsigned_abs()))
}
