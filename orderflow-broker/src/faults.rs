//! Faults on demand: what a network, a disk or a careless broker does, when it is told to.
//!
//! Off by default. A rule says what happens, where, how often; it has its own random numbers from its own seed, so the
//! same seed decides the same way for the same sequence of requests, and it counts how often it was asked and how
//! often it struck. Nothing here knows the handlers: they ask, and do what the answer says.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// Rules that may be set at one time.
const RULES_MAX: usize = 100;
/// Longest delay that a rule may ask for.
const DELAY_MS_MAX: u64 = 60_000;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Fault {
    /// The connection is closed and nothing is appended.
    DropBeforeAppend,
    /// The connection is closed after the append: the acknowledgement is lost.
    DropAfterAppend,
    /// The batch is appended twice, as by a broker without idempotence.
    AppendTwice,
    /// A produce request waits before it is handled.
    DelayProduce {
        /// How long, in milliseconds.
        ms: u64,
    },
    /// A fetch waits before it is handled.
    DelayFetch {
        /// How long, in milliseconds.
        ms: u64,
    },
    /// A request is answered with a Kafka error code and not carried out.
    Error {
        /// Which requests.
        request: Request,
        /// Kafka's number of the error.
        code: i16,
    },
    /// Appends and commits find the disk full.
    DiskFull,
}

/// The requests that [`Fault::Error`] can strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// A producer's batches; each partition's part is struck on its own.
    Produce,
    /// A consumer's reads; each partition's part is struck on its own.
    Fetch,
    /// A consumer's commits.
    OffsetCommit,
    /// A consumer's joining of its group.
    JoinGroup,
    /// A consumer's sign of life.
    Heartbeat,
    /// An idempotent producer's start.
    InitProducerId,
}

/// When a [`Fault`] strikes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// What happens.
    pub fault: Fault,
    /// Only for this topic. Requests that are not about one topic are not struck by such a rule.
    #[serde(default)]
    pub topic: Option<String>,
    /// How likely it strikes each time, in percent.
    #[serde(default = "always")]
    pub percent: f64,
    /// It strikes this often and no more.
    #[serde(default)]
    pub times: Option<u64>,
    /// Of the rule's random numbers.
    #[serde(default)]
    pub seed: u64,
}

fn always() -> f64 {
    100.0
}

impl Rule {
    /// Strikes always.
    pub fn new(fault: Fault) -> Self {
        Self { fault, topic: None, percent: always(), times: None, seed: 0 }
    }

    /// Strikes `times` times.
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Strikes in `percent` of the cases, by the random numbers of `seed`.
    pub fn percent(self, percent: f64, seed: u64) -> Self {
        Self { percent, seed, ..self }
    }

    /// Strikes this topic only.
    pub fn topic(self, topic: impl Into<String>) -> Self {
        Self { topic: Some(topic.into()), ..self }
    }
}

/// A rule that is set, and its counters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Active {
    /// By which it can be cleared.
    pub id: u64,
    /// What was set.
    #[serde(flatten)]
    pub rule: Rule,
    /// How often the fault could have struck.
    pub asked: u64,
    /// How often it did.
    pub struck: u64,
}

/// Why a rule is not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    #[error("percent must be between 0 and 100")]
    /// [`Rule::percent`].
    Percent,
    #[error("a delay may be at most {DELAY_MS_MAX} ms")]
    /// A delay that would outlive every client.
    Delay,
    #[error("{RULES_MAX} rules are set already; clear some first")]
    /// The list of rules is full.
    TooMany,
}

/// The rules of one broker.
#[derive(Debug, Default)]
pub struct Faults {
    /// Spares the requests the lock while nothing is set.
    any: AtomicBool,
    rules: Mutex<Rules>,
}

#[derive(Debug, Default)]
struct Rules {
    last_id: u64,
    active: Vec<(Active, SplitMix64)>,
}

/// What shall happen to one partition's part of a produce request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProduceFault {
    DropBefore,
    DropAfter,
    Twice,
    DiskFull,
    Error(i16),
}

impl Faults {
    /// Sets a rule. Returns its id.
    pub fn set(&self, rule: Rule) -> Result<u64, RuleError> {
        if !(0.0..=100.0).contains(&rule.percent) {
            return Err(RuleError::Percent);
        }
        if let Fault::DelayProduce { ms } | Fault::DelayFetch { ms } = rule.fault
            && ms > DELAY_MS_MAX
        {
            return Err(RuleError::Delay);
        }
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        if rules.active.len() >= RULES_MAX {
            return Err(RuleError::TooMany);
        }
        rules.last_id += 1;
        let (id, random) = (rules.last_id, SplitMix64(rule.seed));
        rules.active.push((Active { id, rule, asked: 0, struck: 0 }, random));
        self.any.store(true, Ordering::Release);
        Ok(id)
    }

    /// Removes one rule, or all. Returns them with their last counters.
    pub fn clear(&self, id: Option<u64>) -> Vec<Active> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let (cleared, kept) = rules.active.drain(..).partition(|(a, _)| id.is_none_or(|id| a.id == id));
        rules.active = kept;
        self.any.store(!rules.active.is_empty(), Ordering::Release);
        let cleared: Vec<(Active, SplitMix64)> = cleared;
        cleared.into_iter().map(|(active, _)| active).collect()
    }

    /// The rules that are set, with their counters.
    pub fn list(&self) -> Vec<Active> {
        let rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        rules.active.iter().map(|(active, _)| active.clone()).collect()
    }

    /// Asks every rule that is about this; the first one that strikes decides.
    fn strike<T>(&self, topic: Option<&str>, wanted: impl Fn(Fault) -> Option<T>) -> Option<T> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        for (active, random) in &mut rules.active {
            let Some(effect) = wanted(active.rule.fault) else { continue };
            let here = active.rule.topic.is_none() || active.rule.topic.as_deref() == topic;
            if !here || active.rule.times.is_some_and(|times| active.struck >= times) {
                continue;
            }
            active.asked += 1;
            if random.percent() < active.rule.percent {
                active.struck += 1;
                return Some(effect);
            }
        }
        None
    }

    /// What happens to a batch: the first rule that strikes decides, and no other is counted.
    pub(crate) fn produce(&self, topic: &str) -> Option<ProduceFault> {
        self.strike(Some(topic), |fault| match fault {
            Fault::DropBeforeAppend => Some(ProduceFault::DropBefore),
            Fault::DropAfterAppend => Some(ProduceFault::DropAfter),
            Fault::AppendTwice => Some(ProduceFault::Twice),
            Fault::DiskFull => Some(ProduceFault::DiskFull),
            Fault::Error { request: Request::Produce, code } => Some(ProduceFault::Error(code)),
            _ => None,
        })
    }

    pub(crate) fn produce_delay(&self, topic: &str) -> Option<Duration> {
        self.strike(Some(topic), |f| match f {
            Fault::DelayProduce { ms } => Some(Duration::from_millis(ms)),
            _ => None,
        })
    }

    pub(crate) fn fetch_delay(&self, topic: &str) -> Option<Duration> {
        self.strike(Some(topic), |f| match f {
            Fault::DelayFetch { ms } => Some(Duration::from_millis(ms)),
            _ => None,
        })
    }

    pub(crate) fn error(&self, request: Request, topic: Option<&str>) -> Option<i16> {
        self.strike(topic, |f| match f {
            Fault::Error { request: struck, code } if struck == request => Some(code),
            _ => None,
        })
    }

    pub(crate) fn disk_full(&self) -> bool {
        self.strike(None, |f| (f == Fault::DiskFull).then_some(())).is_some()
    }
}

/// A small generator whose numbers are the same on every machine (Steele, Lea, Flood 2014).
#[derive(Debug)]
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to, not including, 100.
    fn percent(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap_or(0)) / 4_294_967_296.0 * 100.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decisions(seed: u64) -> Vec<bool> {
        let faults = Faults::default();
        faults.set(Rule::new(Fault::AppendTwice).percent(30.0, seed)).unwrap();
        (0..1000).map(|_| faults.produce("t").is_some()).collect()
    }

    #[test]
    fn the_same_seed_decides_the_same_way() {
        assert_eq!(decisions(7), decisions(7));
        assert_ne!(decisions(7), decisions(8));
        let struck = decisions(7).iter().filter(|&&d| d).count();
        assert!((250..350).contains(&struck), "{struck} of 1000 at 30 percent");
    }

    #[test]
    fn a_rule_counts_and_ends() {
        let faults = Faults::default();
        let id = faults.set(Rule::new(Fault::DropAfterAppend).times(2).topic("orders")).unwrap();
        assert_eq!(faults.produce("other"), None);
        let struck = (0..5).filter(|_| faults.produce("orders") == Some(ProduceFault::DropAfter)).count();
        assert_eq!(struck, 2);
        let cleared = faults.clear(Some(id));
        assert_eq!((cleared[0].asked, cleared[0].struck), (2, 2));
        assert_eq!(faults.list(), []);
    }

    #[test]
    fn impossible_rules_are_refused() {
        let faults = Faults::default();
        assert_eq!(faults.set(Rule::new(Fault::DiskFull).percent(101.0, 0)), Err(RuleError::Percent));
        assert_eq!(faults.set(Rule::new(Fault::DiskFull).percent(f64::NAN, 0)), Err(RuleError::Percent));
        assert_eq!(faults.set(Rule::new(Fault::DelayFetch { ms: 60_001 })), Err(RuleError::Delay));
    }
}
