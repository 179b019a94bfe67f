//! What breaks things and mends them: faults and clocks at the services, processes and lines at the supervisor. What is
//! done outside of the services is written into the audit log from here; the services write the rest themselves.

use std::time::Duration;

use futures_util::future::join_all;
use orderflow_client::{Client, ClientError, Service};
use orderflow_cluster::{
    Action, State,
    control::{self, Request, Response, Status},
};
use orderflow_contracts::{
    api::ops::{AuditNote, SetPattern},
    problem::Code,
    words::word,
};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{
    effects::Change,
    situation::{Counts, Situation, There},
};
use crate::links::Kit;

/// How long a service may take to say what is set in it. One that is paused says nothing.
const ANSWER_MAX: Duration = Duration::from_secs(3);
/// How long it may take to change something.
const CHANGE_MAX: Duration = Duration::from_secs(10);
/// How long the audit log may take to write something down; what it does not write is done all the same, and told.
const NOTE_MAX: Duration = Duration::from_secs(5);
const NOTE_PAUSE: Duration = Duration::from_millis(200);

/// Asks everybody at once.
pub async fn look(kit: &Kit) -> Situation {
    let asked =
        join_all(Service::WITH_CLOCK.map(|service| async move { (service, there(&kit.client, service).await) }));
    let (services, status) = tokio::join!(asked, status(kit));
    Situation { services, status: Some(status) }
}

async fn there(client: &Client, service: Service) -> Result<There, String> {
    let (faults, clock, out) = tokio::join!(
        timeout(ANSWER_MAX, client.faults_of_any_version(service)),
        timeout(ANSWER_MAX, client.clock(service)),
        timeout(ANSWER_MAX, client.patterns_out(service)),
    );
    let faults = match faults {
        Ok(faults) => faults.map_err(|error| error.to_string())?,
        Err(_) => return Err(format!("no answer for {} s", ANSWER_MAX.as_secs())),
    };
    let offset_ms = clock.ok().and_then(Result::ok).map(|clock| clock.offset_ms);
    Ok(There { faults, offset_ms, out: out.ok().and_then(Result::ok).unwrap_or_default() })
}

async fn status(kit: &Kit) -> Result<Status, String> {
    match control::request(&kit.place.data_dir, Request::Status).await {
        Ok(Response::Status(status)) => Ok(status),
        Ok(Response::Refused { reason }) => Err(reason),
        Ok(Response::Done) => Err("the supervisor does not say how it is".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Changes something; the error is for people.
pub async fn change(change: Change, kit: &Kit) -> Result<(), String> {
    let client = &kit.client;
    match change {
        Change::Set { name, set, services } => {
            let set = &set;
            each(&services, |service| async move { client.set_fault(service, name, set).await.map(drop) }).await
        }
        Change::Unset { name, services } => each(&services, |service| client.clear_fault(service, name)).await,
        Change::Signal { process, action, for_ms } => signal(kit, process, action, for_ms).await,
        Change::Cut { service, from, for_ms } => {
            let noted = note(kit, "cluster.cut", service.name(), json!({ "from": from, "for_ms": for_ms })).await;
            tell(kit, Request::Cut { service: service.name().to_owned(), from, for_ms }).await?;
            noted
        }
        Change::Heal { service, from } => {
            tell(kit, Request::Heal { service: Some(service.name().to_owned()), from: Some(from) }).await?;
            note(kit, "cluster.heal", service.name(), json!({ "from": from })).await
        }
        Change::Advance { by_ms } => {
            each(&Service::WITH_CLOCK, |service| async move {
                let now = client.clock(service).await?;
                client.set_clock(service, now.offset_ms.saturating_add(by_ms)).await.map(drop)
            })
            .await
        }
        Change::Clocks { services, offset_ms } => {
            each(&services, |service| async move { client.set_clock(service, offset_ms).await.map(drop) }).await
        }
        Change::Pattern { pattern, out } => {
            let set = SetPattern { disabled: out };
            each(&Service::WITH_CLOCK, |service| client.set_pattern(service, pattern, set)).await
        }
    }
}

/// The same in several services at once; one that fails does not keep the others from it.
async fn each<F: Future<Output = Result<(), ClientError>>>(
    services: &[Service],
    act: impl Fn(Service) -> F,
) -> Result<(), String> {
    let done = services.iter().map(|service| async { (*service, timeout(CHANGE_MAX, act(*service)).await) });
    let failed: Vec<String> = join_all(done)
        .await
        .into_iter()
        .filter_map(|(service, done)| match done {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(format!("{}: {}", service.name(), told(&error))),
            Err(_) => {
                Some(format!("{}: no answer for {} s; it may have been done", service.name(), CHANGE_MAX.as_secs()))
            }
        })
        .collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
}

/// What has come of it, where it has not gone well: after a lost answer nobody knows.
fn told(error: &ClientError) -> String {
    match error {
        ClientError::Unreachable { source, .. } if source.is_connect() => error.to_string(),
        error if error.is_transient() => format!("{error}; it may have been done"),
        error => error.to_string(),
    }
}

async fn signal(kit: &Kit, process: &str, action: Action, for_ms: Option<u64>) -> Result<(), String> {
    let (name, detail) = (format!("process.{}", word(action)), json!({ "for_ms": for_ms }));
    let request = Request::Signal { process: process.to_owned(), action, for_ms };
    // What may not be there to write it down afterwards, writes it down before; and what was away, afterwards.
    if action == Action::Resume {
        tell(kit, request).await?;
        return note(kit, &name, process, detail).await;
    }
    let noted = note(kit, &name, process, detail).await;
    tell(kit, request).await?;
    noted
}

async fn tell(kit: &Kit, request: Request) -> Result<(), String> {
    match control::request(&kit.place.data_dir, request).await {
        Ok(Response::Refused { reason }) => Err(reason),
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Writes down what was done outside of the services; the error says that it was done, and is not written down.
async fn note(kit: &Kit, action: &str, subject: &str, detail: Value) -> Result<(), String> {
    let note = AuditNote { action: action.to_owned(), subject: subject.to_owned(), detail };
    let mut why = "no answer".to_owned();
    let noted = async {
        while let Err(error) = kit.client.note_audit(&note).await {
            why = error.to_string();
            if !surely_not_noted(&error) {
                return false;
            }
            sleep(NOTE_PAUSE).await;
        }
        true
    };
    if timeout(NOTE_MAX, noted).await.unwrap_or(false) {
        return Ok(());
    }
    Err(format!("done, and not in the audit log: {why}"))
}

/// Whether it can be tried again without standing there twice.
fn surely_not_noted(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { source, .. } => source.is_connect(),
        error => matches!(error.code(), Some(Code::Unavailable | Code::Overloaded | Code::RateLimited)),
    }
}

/// Takes everything back: faults, cuts, pauses, and clocks that differ from most. How much it was, and what failed.
pub async fn clear(kit: &Kit) -> (Counts, Vec<String>) {
    let before = look(kit).await;
    let mut failed = Vec::new();
    // First, or the services cannot be reached.
    failed.extend(heal_all(kit, &before).await.err());
    failed.extend(each(&Service::WITH_CLOCK, |service| kit.client.clear_faults(service)).await.err());
    // One that was silent before may say what its clock is now.
    let after = look(kit).await;
    let common = after.common_ms();
    let differs = |service: &Service| after.offset_ms(*service).is_some_and(|ms| ms != common);
    let skewed: Vec<Service> = Service::WITH_CLOCK.into_iter().filter(differs).collect();
    let set = each(&skewed, |service| async move { kit.client.set_clock(service, common).await.map(drop) });
    failed.extend(set.await.err());
    (before.counts(), failed)
}

async fn heal_all(kit: &Kit, before: &Situation) -> Result<(), String> {
    let Some(status) = before.supervised() else { return Ok(()) };
    tell(kit, Request::Heal { service: None, from: None }).await?;
    if status.cuts.is_empty()
        && status.processes.iter().all(|process| !matches!(process.state, State::Paused | State::HeldDown))
    {
        return Ok(());
    }
    note(kit, "cluster.heal", &status.name, Value::Null).await
}
