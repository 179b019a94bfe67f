//! What can be broken outside of the services, and how much is broken in all.

use orderflow_chaos::Situation;
use orderflow_client::Service;
use orderflow_cluster::Need;
use orderflow_contracts::api::chaos::FaultName;

use super::{Board, Part};

/// The processes of a cluster, in the order in which they are shown.
pub const PROCESSES: [&str; 7] = ["orders", "inventory", "payments", "console", "psp", "broker", "postgres"];

/// The lines that can be cut.
pub const LINES: [(Service, Need); 9] = [
    (Service::Orders, Need::Broker),
    (Service::Orders, Need::Postgres),
    (Service::Inventory, Need::Broker),
    (Service::Inventory, Need::Postgres),
    (Service::Payments, Need::Broker),
    (Service::Payments, Need::Postgres),
    (Service::Payments, Need::Provider),
    (Service::Console, Need::Broker),
    (Service::Console, Need::Postgres),
];

impl Board {
    /// What is to be said of what is still broken when the console is left: it stays. `mends` says that somebody takes a
    /// part of it back, as a scenario that plays does; which part is not known here.
    pub fn stays(&self, mends: bool) -> Option<String> {
        let counts = Counts::of(&self.seen);
        let what = match counts.sum() {
            0 => return None,
            _ if mends || self.plays(Part::Scenario) => "what was broken by hand stays".to_owned(),
            1 => format!("{} stays", counts.words().join(", ")),
            _ => format!("{} stay", counts.words().join(", ")),
        };
        Some(format!("{what}; `orderflow chaos clear` takes back what is broken on purpose"))
    }
}

/// How much is broken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Names of faults.
    pub faults: usize,
    /// Lines.
    pub cuts: usize,
    /// Processes.
    pub paused: usize,
    /// Clocks that differ from most others.
    pub skews: usize,
}

impl Counts {
    /// Of what everybody tells.
    pub fn of(seen: &Situation) -> Self {
        let known = FaultName::ALL.into_iter().filter(|name| !seen.fault(*name).is_empty()).count();
        Self {
            faults: known + seen.unknown().len(),
            cuts: seen.cuts().len(),
            paused: seen.kept().count(),
            skews: seen.skews().count(),
        }
    }

    /// How much it is in all.
    pub const fn sum(&self) -> usize {
        self.faults + self.cuts + self.paused + self.skews
    }

    /// Whether nothing is broken.
    pub const fn is_none(&self) -> bool {
        self.sum() == 0
    }

    /// `3 faults`, `1 cut`, … of what there is.
    pub fn words(&self) -> Vec<String> {
        let count = |count: usize, one: &str, many: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {many}")),
        };
        let words = [
            count(self.faults, "fault", "faults"),
            count(self.cuts, "cut", "cuts"),
            count(self.paused, "paused", "paused"),
            count(self.skews, "clock off", "clocks off"),
        ];
        words.into_iter().flatten().collect()
    }
}
