//! What breaks things and mends them: faults, clocks and patterns at the services, processes and lines at the supervisor.
//! What is done outside of the services is written into the audit log from here; the services write the rest themselves.

use std::{path::PathBuf, time::Duration};

use futures_util::future::join_all;
use orderflow_client::{Client, ClientError, Service};
use orderflow_cluster::{
    Action, Need, State,
    control::{self, ControlError, ProcessStatus, Request},
};
use orderflow_contracts::{
    api::{
        chaos::{Fault, FaultName, SetFault},
        ops::{AuditNote, Pattern, SetPattern},
    },
    words::word,
};
use serde_json::{Value, json};
use tokio::time::{Instant, error::Elapsed, sleep, timeout, timeout_at};

use crate::{
    Situation, Trouble, Troubles, ask_services, common_offset,
    situation::offsets,
    trouble::{surely_not_done, why_not_noted},
};

/// How long a service may take to change something.
const CHANGE_MAX: Duration = Duration::from_secs(10);
const BUSY_PAUSE: Duration = Duration::from_millis(300);
/// How long the audit log may take to write something down: a database that was killed is back within it. What it does
/// not write is said, and done all the same.
const NOTE_MAX: Duration = Duration::from_secs(10);
const NOTE_PAUSE: Duration = Duration::from_millis(200);

/// Whoever breaks things and mends them.
#[derive(Clone)]
pub struct Hand {
    client: Client,
    data_dir: PathBuf,
}

impl Hand {
    /// An admin's, for the cluster that is kept there.
    pub const fn new(client: Client, data_dir: PathBuf) -> Self {
        Self { client, data_dir }
    }

    /// What it asks the services with.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Asks everybody at once what is broken.
    pub async fn look(&self) -> Situation {
        let (services, status) = tokio::join!(ask_services(&self.client), control::status(&self.data_dir));
        Situation { services, status: Some(status.map_err(|error| error.to_string())) }
    }

    /// Sets a fault in some services.
    pub async fn set(
        &self,
        name: FaultName,
        set: &SetFault,
        services: &[Service],
    ) -> Result<Vec<(Service, Fault)>, Troubles> {
        each(services, |service| self.client.set_fault(service, name, set)).await
    }

    /// Takes a fault back in some services, or all faults.
    pub async fn clear(&self, name: Option<FaultName>, services: &[Service]) -> Result<(), Troubles> {
        let cleared = each(services, |service| async move {
            match name {
                Some(name) => self.client.clear_fault(service, name).await,
                None => self.client.clear_faults(service).await,
            }
        });
        cleared.await.map(drop)
    }

    /// Takes everything back: cuts, pauses, what is held down, faults, and clocks that differ from most.
    pub async fn clear_all(&self) -> Result<(), Troubles> {
        let mut failed = Vec::new();
        // First, or the services cannot be reached.
        failed.extend(self.heal_all().await.err());
        failed.extend(self.clear(None, &Service::WITH_CLOCK).await.err().into_iter().flatten());
        failed.extend(self.clear_skew(&Service::WITH_CLOCK).await.err().into_iter().flatten());
        Troubles::if_any(failed)
    }

    /// Sets clocks so far ahead of the machine's.
    pub async fn set_clocks(&self, services: &[Service], offset_ms: i64) -> Result<(), Troubles> {
        each(services, |service| self.client.set_clock(service, offset_ms)).await.map(drop)
    }

    /// Lets all clocks jump.
    pub async fn advance(&self, by_ms: i64) -> Result<(), Troubles> {
        let moved = each(&Service::WITH_CLOCK, |service| async move {
            let now = self.client.clock(service).await?;
            self.client.set_clock(service, now.offset_ms.saturating_add(by_ms)).await
        });
        moved.await.map(drop)
    }

    /// Sets one clock ahead of the others, or behind.
    pub async fn skew(&self, service: Service, by_ms: i64) -> Result<(), Troubles> {
        let others = offsets(&self.client).await.into_iter().filter(|(other, _)| *other != service);
        let offset_ms = common_offset(others.map(|(_, ms)| ms)).saturating_add(by_ms);
        self.set_clocks(&[service], offset_ms).await
    }

    /// Gives the clocks of some services the time that most of all have.
    pub async fn clear_skew(&self, services: &[Service]) -> Result<(), Troubles> {
        let offsets = offsets(&self.client).await;
        let common = common_offset(offsets.iter().map(|(_, ms)| *ms));
        let skewed = offsets.into_iter().filter(|(service, ms)| services.contains(service) && *ms != common);
        self.set_clocks(&skewed.map(|(service, _)| service).collect::<Vec<_>>(), common).await
    }

    /// Takes a pattern out everywhere, or puts it back.
    pub async fn set_pattern(&self, pattern: Pattern, out: bool) -> Result<(), Troubles> {
        let set = SetPattern { disabled: out };
        each(&Service::WITH_CLOCK, |service| self.client.set_pattern(service, pattern, set)).await.map(drop)
    }

    /// Does something to a process; a pause or a kill may last for a while.
    pub async fn signal(&self, process: &str, action: Action, for_ms: Option<u64>) -> Result<(), Troubles> {
        let (name, detail) = (format!("process.{}", word(action)), json!({ "for_ms": for_ms }));
        let request = Request::Signal { process: process.to_owned(), action, for_ms };
        // What may not be there to write it down afterwards, writes it down before; and what was away, afterwards.
        if action == Action::Resume {
            self.tell(request).await?;
            return Ok(self.note(&name, process, detail).await?);
        }
        let noted = self.note(&name, process, detail).await;
        self.tell(request).await?;
        Ok(noted?)
    }

    /// Cuts a service off, for a while or until it is healed.
    pub async fn cut(&self, service: &str, from: Need, for_ms: Option<u64>) -> Result<(), Troubles> {
        let noted = self.note("cluster.cut", service, json!({ "from": from, "for_ms": for_ms })).await;
        self.tell(Request::Cut { service: service.to_owned(), from, for_ms }).await?;
        Ok(noted?)
    }

    /// Makes a line whole.
    pub async fn heal(&self, service: &str, from: Need) -> Result<(), Troubles> {
        self.tell(Request::Heal { service: Some(service.to_owned()), from: Some(from) }).await?;
        Ok(self.note("cluster.heal", service, json!({ "from": from })).await?)
    }

    /// Lets paused processes go on, brings back what is held down, and makes lines whole. Nothing to do where no
    /// supervisor is ours.
    async fn heal_all(&self) -> Result<(), Trouble> {
        let status = match control::status(&self.data_dir).await {
            Err(ControlError::NotRunning(_)) => return Ok(()),
            status => status?,
        };
        self.tell(Request::Heal { service: None, from: None }).await?;
        let is_kept = |process: &ProcessStatus| matches!(process.state, State::Paused | State::HeldDown);
        if status.cuts.is_empty() && !status.processes.iter().any(is_kept) {
            return Ok(());
        }
        self.note("cluster.heal", &status.name, Value::Null).await
    }

    async fn tell(&self, request: Request) -> Result<(), Trouble> {
        Ok(control::tell(&self.data_dir, request).await?)
    }

    /// Writes down what was done outside of the services; the error says that it is done, and not written down.
    async fn note(&self, action: &str, subject: &str, detail: Value) -> Result<(), Trouble> {
        let (action, subject) = (action.to_owned(), subject.to_owned());
        let note = AuditNote { action, subject, detail };
        let mut why = "no answer".to_owned();
        let noted = async {
            while let Err(error) = self.client.note_audit(&note).await {
                why = why_not_noted(&error);
                // Otherwise it might stand there twice.
                if !surely_not_done(&error) {
                    return false;
                }
                sleep(NOTE_PAUSE).await;
            }
            true
        };
        if timeout(NOTE_MAX, noted).await.unwrap_or(false) {
            return Ok(());
        }
        Err(Trouble::NotNoted { action: note.action, subject: note.subject, why })
    }
}

/// The same in several services at once; one that fails does not keep the others from it.
async fn each<T, F: Future<Output = Result<T, ClientError>>>(
    services: &[Service],
    act: impl Fn(Service) -> F,
) -> Result<Vec<(Service, T)>, Troubles> {
    let act = &act;
    let acted = services.iter().map(|service| async move { (*service, patiently(|| act(*service)).await) });
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for (service, came) in join_all(acted).await {
        match came {
            Ok(Ok(value)) => done.push((service, value)),
            Ok(Err(error)) => failed.push(Trouble::Service { service, error }),
            Err(_) => failed.push(Trouble::Late { service, within: CHANGE_MAX }),
        }
    }
    Troubles::if_any(failed).map(|()| done)
}

/// Asks again, within [`CHANGE_MAX`], while the service answers that it can do nothing just now: its database may be cut
/// off for some seconds more, by whoever asks. Nobody waits for one that is down.
async fn patiently<T, F: Future<Output = Result<T, ClientError>>>(
    act: impl Fn() -> F,
) -> Result<Result<T, ClientError>, Elapsed> {
    let until = Instant::now() + CHANGE_MAX;
    loop {
        let came = timeout_at(until, act()).await;
        let is_busy = matches!(&came, Ok(Err(error @ ClientError::Problem(_))) if surely_not_done(error));
        if !is_busy || Instant::now() + BUSY_PAUSE >= until {
            return came;
        }
        sleep(BUSY_PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use orderflow_contracts::problem::{Code, Problem};

    use super::*;

    fn says(code: Code) -> ClientError {
        ClientError::Problem(Box::new(Problem::new(code, "not now")))
    }

    #[tokio::test]
    async fn a_service_that_is_busy_is_asked_again_for_a_while_and_one_that_refuses_is_not() {
        let asked = Cell::new(0);
        let came = patiently(async || {
            asked.set(asked.get() + 1);
            if asked.get() < 3 { Err(says(Code::Unavailable)) } else { Ok(asked.get()) }
        });
        assert_eq!(came.await.expect("in time").expect("it is done"), 3);
        asked.set(0);
        let refused = patiently(async || {
            asked.set(asked.get() + 1);
            Err::<(), _>(says(Code::OutcomeUnknown))
        });
        assert_eq!(refused.await.expect("its own answer").expect_err("no").code(), Some(Code::OutcomeUnknown));
        assert_eq!(asked.get(), 1, "it may have been done");
    }
}
