//! What is broken on purpose, as services and supervisor tell it. Whoever does not answer hides nothing of the others.

use orderflow_client::{Service, chaos::Faults};
use orderflow_cluster::{
    Need, State,
    control::{CutStatus, ProcessStatus, Status},
};
use orderflow_contracts::api::{
    chaos::{Fault, FaultName},
    ops::Pattern,
};

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

/// What one service tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct There {
    /// The faults that are set in it.
    pub faults: Faults,
    /// By how much its clock is ahead of the machine's, in milliseconds; nothing while its database is not there.
    pub offset_ms: Option<i64>,
    /// The patterns that are out.
    pub out: Vec<Pattern>,
}

/// What everybody tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Situation {
    /// Each service, or why it says nothing.
    pub services: Vec<(Service, Result<There, String>)>,
    /// The supervisor, or why it says nothing.
    pub status: Option<Result<Status, String>>,
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

impl Situation {
    fn there(&self) -> impl Iterator<Item = (Service, &There)> {
        self.services.iter().filter_map(|(service, there)| Some((*service, there.as_ref().ok()?)))
    }

    /// Why a service says nothing.
    pub fn silent(&self, service: Service) -> Option<&str> {
        let found = self.services.iter().find(|(known, _)| *known == service)?;
        found.1.as_ref().err().map(String::as_str)
    }

    /// Those that say nothing.
    pub fn all_silent(&self) -> impl Iterator<Item = Service> {
        self.services.iter().filter(|(_, there)| there.is_err()).map(|(service, _)| *service)
    }

    /// Where a fault is set, and how.
    pub fn fault(&self, name: FaultName) -> Vec<(Service, &Fault)> {
        let found = |there: &'_ There| there.faults.known.iter().position(|fault| fault.name == name);
        let set = self.there().filter_map(|(service, there)| Some((service, &there.faults.known[found(there)?])));
        set.collect()
    }

    /// Faults that are not known here.
    pub fn unknown(&self) -> Vec<(Service, &str)> {
        self.there()
            .flat_map(|(service, there)| there.faults.unknown.iter().map(move |name| (service, &**name)))
            .collect()
    }

    /// The supervisor's word.
    pub fn supervised(&self) -> Option<&Status> {
        self.status.as_ref()?.as_ref().ok()
    }

    /// A process.
    pub fn process(&self, name: &str) -> Option<&ProcessStatus> {
        self.supervised()?.processes.iter().find(|process| process.name == name)
    }

    /// A line that is cut.
    pub fn cut(&self, service: Service, from: Need) -> Option<&CutStatus> {
        self.supervised()?.cuts.iter().find(|cut| cut.service == service.name() && cut.from == from)
    }

    /// By how much a clock is ahead of the machine's.
    pub fn offset_ms(&self, service: Service) -> Option<i64> {
        self.there().find(|(known, _)| *known == service)?.1.offset_ms
    }

    /// What most clocks have.
    pub fn common_ms(&self) -> i64 {
        let offsets: Vec<i64> = self.there().filter_map(|(_, there)| there.offset_ms).collect();
        common_offset(&offsets)
    }

    /// The services in which a pattern is out.
    pub fn out_in(&self, pattern: Pattern) -> Vec<Service> {
        self.there().filter(|(_, there)| there.out.contains(&pattern)).map(|(service, _)| service).collect()
    }

    /// The patterns that are out anywhere.
    pub fn out(&self) -> Vec<Pattern> {
        let all = orderflow_client::PATTERNS.into_iter();
        all.filter(|pattern| !self.out_in(*pattern).is_empty()).collect()
    }

    /// Whether patterns can be taken out here.
    pub fn is_lab(&self) -> bool {
        self.supervised().is_some_and(|status| status.lab)
    }

    /// How much is broken.
    pub fn counts(&self) -> Counts {
        let known = orderflow_client::chaos::FAULTS.into_iter().filter(|name| !self.fault(*name).is_empty()).count();
        let common = self.common_ms();
        let skewed = self.there().filter(|(_, there)| there.offset_ms.is_some_and(|ms| ms != common));
        Counts {
            faults: known + self.unknown().len(),
            cuts: self.supervised().map_or(0, |status| status.cuts.len()),
            paused: self.supervised().map_or(0, |status| {
                status
                    .processes
                    .iter()
                    .filter(|process| matches!(process.state, State::Paused | State::HeldDown))
                    .count()
            }),
            skews: skewed.count(),
        }
    }
}

impl Counts {
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

/// What most clocks have; of several that as many have, the one that is nearest to the machine's.
pub fn common_offset(offsets: &[i64]) -> i64 {
    let count = |offset: i64| offsets.iter().filter(|other| **other == offset).count();
    let best = |offset: &&i64| (count(**offset), std::cmp::Reverse(offset.unsigned_abs()));
    offsets.iter().max_by_key(best).copied().unwrap_or(0)
}
