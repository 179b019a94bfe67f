//! What is broken on purpose right now, in the whole cluster.

use std::time::Duration;

use orderflow_client::{Client, Service};
use orderflow_cluster::{Need, State, control};
use orderflow_contracts::{
    api::{
        chaos::{Bites, Fault},
        ops::Pattern,
    },
    timestamp::Timestamp,
    words::word,
};
use serde::Serialize;
use tokio::{task::JoinSet, time::timeout};

use super::words::{so_often, text};
use crate::{
    exit::Failure,
    output::{
        Align::{Left, Right},
        Paint, Table,
    },
    parse,
};

/// How long a service may take to say what is set in it. One that is paused says nothing.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// How often a clock that is skewed strikes: each time somebody asks for the time, in SQL too, where nobody counts.
const ALWAYS: &str = "always";

/// What is broken.
#[derive(Debug, Default, Serialize)]
pub struct Situation {
    /// The faults of each service.
    pub faults: Vec<FaultThere>,
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
    /// How often each fault has struck since the data of the cluster began: also what has ended or was taken back.
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

/// How often a fault has struck in a service, in all.
#[derive(Debug, Clone, Serialize)]
pub struct BitesThere {
    /// In which.
    pub service: &'static str,
    /// What, and how often.
    #[serde(flatten)]
    pub bites: Bites,
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

impl Situation {
    /// Asks everybody at once.
    pub async fn gather(client: &Client, status: Option<&control::Status>) -> Self {
        let mut asked = JoinSet::new();
        for service in Service::WITH_CLOCK {
            let client = client.clone();
            asked.spawn(async move {
                // Only a laboratory has an answer to the second one.
                let (faults, patterns, bites) = tokio::join!(
                    timeout(ANSWER_MAX, client.faults(service)),
                    timeout(ANSWER_MAX, client.patterns_out(service)),
                    timeout(ANSWER_MAX, client.bites(service)),
                );
                let patterns = patterns.ok().and_then(Result::ok).unwrap_or_default();
                (service, faults, patterns, bites.ok().and_then(Result::ok).unwrap_or_default())
            });
        }
        let (answers, offsets) = tokio::join!(asked.join_all(), offsets(client));
        let mut situation = Self::default();
        for (service, faults, patterns, bites) in answers {
            let service = service.name();
            situation.bites.extend(bites.into_iter().map(|bites| BitesThere { service, bites }));
            match faults {
                Ok(Ok(faults)) => {
                    situation.faults.extend(faults.into_iter().map(|fault| FaultThere { service, fault }));
                }
                Ok(Err(error)) => {
                    let reason = Failure::from(error).message;
                    situation.silent.push(Silent { service, reason });
                }
                Err(_) => {
                    let reason = format!("no answer for {} s", ANSWER_MAX.as_secs());
                    situation.silent.push(Silent { service, reason });
                }
            }
            situation.patterns_out.extend(patterns.into_iter().map(|pattern| PatternOut { service, pattern }));
        }
        let common = common_offset(&offsets.iter().map(|(_, ms)| *ms).collect::<Vec<_>>());
        let skewed = offsets.into_iter().filter(|(_, ms)| *ms != common);
        situation.clock_skews.extend(skewed.map(|(service, ms)| Skew {
            service: service.name(),
            ahead_ms: ms - common,
            struck: ALWAYS,
        }));
        if let Some(status) = status {
            situation.paused = kept(status, State::Paused);
            situation.held_down = kept(status, State::HeldDown);
            situation.cuts.extend(status.cuts.iter().map(|cut| CutThere {
                service: cut.service.clone(),
                from: cut.from,
                ends_at: moment(cut.ends_at_ms),
                struck: cut.dropped,
            }));
        }
        situation.faults.sort_by_key(|there| (there.service, there.fault.name));
        situation.bites.sort_by_key(|there| (there.service, there.bites.name));
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
        for BitesThere { service, bites } in &self.bites {
            table.row([(*service).to_owned(), word(bites.name), bites.bites.to_string()]);
        }
        format!("\n{}", table.render(paint))
    }
}

/// The processes that somebody keeps in this state.
fn kept(status: &control::Status, state: State) -> Vec<Paused> {
    let there = status.processes.iter().filter(|process| process.state == state);
    there.map(|one| Paused { process: one.name.clone(), ends_at: moment(one.resumes_at_ms) }).collect()
}

fn moment(at_ms: Option<u64>) -> Option<Timestamp> {
    at_ms.and_then(|ms| i64::try_from(ms).ok()).map(Timestamp)
}

/// By how much the clock of each service that answers is ahead of the machine's.
pub async fn offsets(client: &Client) -> Vec<(Service, i64)> {
    let mut asked = JoinSet::new();
    for service in Service::WITH_CLOCK {
        let client = client.clone();
        asked.spawn(async move { (service, timeout(ANSWER_MAX, client.clock(service)).await) });
    }
    let answers = asked.join_all().await.into_iter();
    answers.filter_map(|(service, clock)| Some((service, clock.ok()?.ok()?.offset_ms))).collect()
}

/// What most clocks have; of several that as many have, the one that is nearest to the machine's.
pub fn common_offset(offsets: &[i64]) -> i64 {
    let count = |offset: i64| offsets.iter().filter(|other| **other == offset).count();
    let best = |offset: &&i64| (count(**offset), std::cmp::Reverse(offset.unsigned_abs()));
    offsets.iter().max_by_key(best).copied().unwrap_or(0)
}

fn signed(ms: i64) -> String {
    format!("{}{}", if ms < 0 { "-" } else { "+" }, parse::duration_text(ms.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_most_have_is_the_clusters() {
        assert_eq!(common_offset(&[]), 0);
        assert_eq!(common_offset(&[0, 300_000, 0, 0]), 0);
        assert_eq!(common_offset(&[1_860_000, 1_860_000, 2_160_000, 1_860_000]), 1_860_000);
        assert_eq!(common_offset(&[0, 5]), 0);
        assert_eq!(common_offset(&[-5, 60]), -5);
    }
}
