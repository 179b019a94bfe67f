//! What is broken on purpose, as services and supervisor tell it. Whoever does not answer hides nothing of the others.

use std::time::Duration;

use futures_util::future::join_all;
use orderflow_client::{Client, Service, chaos::Faults};
use orderflow_cluster::{
    Need, State,
    control::{CutStatus, ProcessStatus, Status},
};
use orderflow_contracts::api::{
    chaos::{Bites, Fault, FaultName},
    ops::Pattern,
};
use tokio::time::timeout;

/// How long a service may take to say what is set in it. One that is paused says nothing.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// What one service tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct There {
    /// The faults that are set in it.
    pub faults: Faults,
    /// By how much its clock is ahead of the machine's, in milliseconds; nothing while its database is not there.
    pub offset_ms: Option<i64>,
    /// The patterns that are out.
    pub out: Vec<Pattern>,
    /// How often each fault has struck since its data began: also what has ended or was taken back.
    pub bites: Vec<Bites>,
}

/// What everybody tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Situation {
    /// Each service, or why it says nothing.
    pub services: Vec<(Service, Result<There, String>)>,
    /// The supervisor, or why it says nothing.
    pub status: Option<Result<Status, String>>,
}

/// Asks all services at once.
pub async fn ask_services(client: &Client) -> Vec<(Service, Result<There, String>)> {
    join_all(Service::WITH_CLOCK.map(|service| async move { (service, ask(client, service).await) })).await
}

async fn ask(client: &Client, service: Service) -> Result<There, String> {
    let (faults, clock, out, bites) = tokio::join!(
        timeout(ANSWER_MAX, client.faults_of_any_version(service)),
        timeout(ANSWER_MAX, client.clock(service)),
        // Only a laboratory has an answer.
        timeout(ANSWER_MAX, client.patterns_out(service)),
        timeout(ANSWER_MAX, client.bites(service)),
    );
    let faults = match faults {
        Ok(faults) => faults.map_err(|error| error.to_string())?,
        Err(_) => return Err(format!("no answer for {} s", ANSWER_MAX.as_secs())),
    };
    Ok(There {
        faults,
        offset_ms: clock.ok().and_then(Result::ok).map(|clock| clock.offset_ms),
        out: out.ok().and_then(Result::ok).unwrap_or_default(),
        bites: bites.ok().and_then(Result::ok).unwrap_or_default(),
    })
}

/// By how much the clock of each service that answers is ahead of the machine's.
pub(crate) async fn offsets(client: &Client) -> Vec<(Service, i64)> {
    let asked =
        Service::WITH_CLOCK.map(|service| async move { (service, timeout(ANSWER_MAX, client.clock(service)).await) });
    let answers = join_all(asked).await.into_iter();
    answers.filter_map(|(service, clock)| Some((service, clock.ok()?.ok()?.offset_ms))).collect()
}

/// What most clocks have; of several that as many have, the one that is nearest to the machine's.
pub fn common_offset(offsets: impl IntoIterator<Item = i64>) -> i64 {
    let offsets: Vec<i64> = offsets.into_iter().collect();
    let count = |offset: i64| offsets.iter().filter(|other| **other == offset).count();
    let best = |offset: &i64| (count(*offset), std::cmp::Reverse(offset.unsigned_abs()));
    offsets.iter().copied().max_by_key(best).unwrap_or(0)
}

impl Situation {
    /// The services that say something.
    pub fn there(&self) -> impl Iterator<Item = (Service, &There)> {
        self.services.iter().filter_map(|(service, there)| Some((*service, there.as_ref().ok()?)))
    }

    /// Those that say nothing, and why.
    pub fn silent(&self) -> impl Iterator<Item = (Service, &str)> {
        self.services.iter().filter_map(|(service, there)| Some((*service, there.as_ref().err()?.as_str())))
    }

    /// Where a fault is set, and how.
    pub fn fault(&self, name: FaultName) -> Vec<(Service, &Fault)> {
        let all =
            self.there().flat_map(|(service, there)| there.faults.known.iter().map(move |fault| (service, fault)));
        all.filter(|(_, fault)| fault.name == name).collect()
    }

    /// How often a fault has struck in each service since its data began.
    pub fn bites(&self, name: FaultName) -> impl Iterator<Item = (Service, u64)> {
        let all = self.there().flat_map(|(service, there)| there.bites.iter().map(move |bites| (service, bites)));
        all.filter(move |(_, bites)| bites.name == name).map(|(service, bites)| (service, bites.bites))
    }

    /// Faults that are not known here.
    pub fn unknown(&self) -> Vec<(Service, &str)> {
        let all =
            self.there().flat_map(|(service, there)| there.faults.unknown.iter().map(move |name| (service, &**name)));
        all.collect()
    }

    /// The supervisor's word.
    pub fn supervised(&self) -> Option<&Status> {
        self.status.as_ref()?.as_ref().ok()
    }

    /// A process.
    pub fn process(&self, name: &str) -> Option<&ProcessStatus> {
        self.supervised()?.processes.iter().find(|process| process.name == name)
    }

    /// The processes that do nothing because somebody wants it so.
    pub fn kept(&self) -> impl Iterator<Item = &ProcessStatus> {
        let all = self.supervised().into_iter().flat_map(|status| &status.processes);
        all.filter(|process| matches!(process.state, State::Paused | State::HeldDown))
    }

    /// The lines that are cut.
    pub fn cuts(&self) -> &[CutStatus] {
        self.supervised().map_or(&[], |status| &status.cuts)
    }

    /// A line that is cut.
    pub fn cut(&self, service: Service, from: Need) -> Option<&CutStatus> {
        self.cuts().iter().find(|cut| cut.service == service.name() && cut.from == from)
    }

    /// How many connections the cuts of a line have ended or not let begin since the cluster's data began.
    pub fn dropped_so_far(&self, service: Service, to: Need) -> u64 {
        let lines = self.supervised().into_iter().flat_map(|status| &status.lines);
        lines.filter(|line| line.service == service.name() && line.to == to).map(|line| line.dropped).sum()
    }

    /// By how much a clock is ahead of the machine's.
    pub fn offset_ms(&self, service: Service) -> Option<i64> {
        self.there().find(|(known, _)| *known == service)?.1.offset_ms
    }

    /// What most clocks have.
    pub fn common_ms(&self) -> i64 {
        common_offset(self.there().filter_map(|(_, there)| there.offset_ms))
    }

    /// The clocks that differ from that, and by how much they are ahead of it.
    pub fn skews(&self) -> impl Iterator<Item = (Service, i64)> {
        let common = self.common_ms();
        let ahead = self.there().filter_map(move |(service, there)| Some((service, there.offset_ms? - common)));
        ahead.filter(|(_, ms)| *ms != 0)
    }

    /// The services in which a pattern is out.
    pub fn out_in(&self, pattern: Pattern) -> Vec<Service> {
        self.there().filter(|(_, there)| there.out.contains(&pattern)).map(|(service, _)| service).collect()
    }

    /// The patterns that are out anywhere.
    pub fn out(&self) -> Vec<Pattern> {
        let all = Pattern::ALL.into_iter();
        all.filter(|pattern| !self.out_in(*pattern).is_empty()).collect()
    }

    /// Whether patterns can be taken out here.
    pub fn is_lab(&self) -> bool {
        self.supervised().is_some_and(|status| status.lab)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_most_have_is_the_clusters() {
        assert_eq!(common_offset([]), 0);
        assert_eq!(common_offset([0, 300_000, 0, 0]), 0);
        assert_eq!(common_offset([1_860_000, 1_860_000, 2_160_000, 1_860_000]), 1_860_000);
        assert_eq!(common_offset([0, 5]), 0);
        assert_eq!(common_offset([-5, 60]), -5);
    }
}
