//! What breaks things and mends them: faults and clocks at the services, processes and connections at the supervisor.
//! The commands and the scenarios have it in common.

use std::{path::PathBuf, time::Duration};

use orderflow_client::{Client, ClientError, Service};
use orderflow_cluster::{
    Action, Need, State,
    control::{self, ProcessStatus, Request, Response},
};
use orderflow_contracts::{
    api::{chaos::Fault, ops::AuditNote},
    problem::Code,
    words::word,
};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{
    situation::{common_offset, offsets},
    words::{Name, Place, Wanted, milliseconds},
};
use crate::{
    context::Context,
    exit::{Exit, Failure, Outcome},
    output::Output,
};

/// How long a service may take to change its faults.
const SERVICE_MAX: Duration = Duration::from_secs(10);
/// How long the audit log may take to write something down: a database that was killed is back within it. What it does
/// not write is said, and done all the same.
const NOTE_MAX: Duration = Duration::from_secs(10);
const NOTE_PAUSE: Duration = Duration::from_millis(200);

/// Whoever breaks things and mends them.
#[derive(Clone)]
pub struct Hand {
    /// As an admin.
    pub client: Client,
    data_dir: PathBuf,
    out: Output,
}

/// A fault that was set in a service.
#[derive(Debug, Clone, Serialize)]
pub struct SetThere {
    /// In which.
    pub service: &'static str,
    /// How it is now.
    #[serde(flatten)]
    pub fault: Fault,
}

impl Hand {
    /// An admin's.
    pub fn new(context: &Context) -> Outcome<Self> {
        let data_dir = context.settings.data_dir.clone();
        Ok(Self { client: context.admin_client()?, data_dir, out: context.out })
    }

    /// Sets a fault in its services; one that fails does not keep the others from being set.
    pub async fn set(&self, wanted: &Wanted) -> Outcome<Vec<SetThere>> {
        let (name, set, services) = match wanted {
            Wanted::Fault { name, set, services } => (*name, set, services),
            Wanted::ClockSkew { service, by_ms, .. } => {
                self.skew(*service, *by_ms).await?;
                return Ok(Vec::new());
            }
        };
        let mut there = Vec::new();
        let mut failed = Vec::new();
        for service in services {
            match timely(*service, self.client.set_fault(*service, name, set)).await {
                Ok(fault) => there.push(SetThere { service: service.name(), fault }),
                Err(failure) => failed.push(failure),
            }
        }
        all_done(failed, || there)
    }

    /// Sets one clock ahead of the others, or behind.
    async fn skew(&self, service: Service, by_ms: i64) -> Outcome {
        let others = offsets(&self.client).await;
        let others: Vec<i64> = others.into_iter().filter(|(other, _)| *other != service).map(|(_, ms)| ms).collect();
        let offset_ms = common_offset(&others).saturating_add(by_ms);
        timely(service, self.client.set_clock(service, offset_ms)).await?;
        Ok(())
    }

    /// Takes back what was set: one fault or all, in one service or in all.
    pub async fn clear(&self, name: Option<Name>, place: Place) -> Outcome {
        let services = match place {
            Place::All => Service::WITH_CLOCK.to_vec(),
            Place::One(service) => vec![service],
        };
        let mut failed = Vec::new();
        if name.is_none() && place == Place::All {
            // First, or the services cannot be reached.
            self.heal_all().await.unwrap_or_else(|failure| failed.push(failure));
        }
        for service in &services {
            let cleared = match name {
                None => timely(*service, self.client.clear_faults(*service)).await,
                Some(Name::Fault(name)) => timely(*service, self.client.clear_fault(*service, name)).await,
                Some(Name::ClockSkew) => Ok(()),
            };
            failed.extend(cleared.err());
        }
        if matches!(name, None | Some(Name::ClockSkew)) {
            self.clear_skew(&services).await.unwrap_or_else(|failure| failed.push(failure));
        }
        all_done(failed, || ())
    }

    /// Gives the clocks the time that most of them have.
    async fn clear_skew(&self, services: &[Service]) -> Outcome {
        let offsets = offsets(&self.client).await;
        let common = common_offset(&offsets.iter().map(|(_, ms)| *ms).collect::<Vec<_>>());
        for (service, offset_ms) in offsets {
            if services.contains(&service) && offset_ms != common {
                timely(service, self.client.set_clock(service, common)).await?;
            }
        }
        Ok(())
    }

    /// Lets paused processes go on, brings back what is held down, and makes cut connections whole. Nothing to do where
    /// no supervisor is ours.
    async fn heal_all(&self) -> Outcome {
        let Some(status) = self.supervised().await else { return Ok(()) };
        self.tell(Request::Heal { service: None, from: None }).await?;
        let is_kept = |process: &ProcessStatus| matches!(process.state, State::Paused | State::HeldDown);
        if !status.cuts.is_empty() || status.processes.iter().any(is_kept) {
            self.note("cluster.heal", &status.name, Value::Null).await;
        }
        Ok(())
    }

    /// The supervisor's word, if there is one.
    pub async fn supervised(&self) -> Option<control::Status> {
        match control::request(&self.data_dir, Request::Status).await {
            Ok(Response::Status(status)) => Some(status),
            _ => None,
        }
    }

    /// Does something to a process, a pause or a kill for so long, and writes it down.
    pub async fn act(&self, process: &str, action: Action, lasts: Option<Duration>) -> Outcome {
        let (process, for_ms) = (process_name(process), lasts.map(milliseconds).transpose()?);
        let (name, detail) = (format!("process.{}", word(action)), json!({ "for_ms": for_ms }));
        let request = Request::Signal { process: process.to_owned(), action, for_ms };
        // What may not be there to write it down afterwards, writes it down before; and what was away, afterwards.
        if action == Action::Resume {
            self.tell(request).await?;
            self.note(&name, process, detail).await;
            return Ok(());
        }
        self.note(&name, process, detail).await;
        self.tell(request).await
    }

    /// Cuts a service off, and writes it down.
    pub async fn cut(&self, service: &str, from: Need, lasts: Option<Duration>) -> Outcome {
        let for_ms = lasts.map(milliseconds).transpose()?;
        self.note("cluster.cut", service, json!({ "from": from, "for_ms": for_ms })).await;
        self.tell(Request::Cut { service: service.to_owned(), from, for_ms }).await
    }

    async fn tell(&self, request: Request) -> Outcome {
        match control::request(&self.data_dir, request).await? {
            Response::Refused { reason } => Err(Failure::new(reason)),
            _ => Ok(()),
        }
    }

    /// Writes down in the audit log what was done outside of the services.
    async fn note(&self, action: &str, subject: &str, detail: Value) {
        let note = AuditNote { action: action.to_owned(), subject: subject.to_owned(), detail };
        let mut why = "no answer".to_owned();
        let noted = async {
            while let Err(error) = self.client.note_audit(&note).await {
                let again = surely_not_noted(&error);
                why = Failure::from(error).message;
                if !again {
                    return false;
                }
                sleep(NOTE_PAUSE).await;
            }
            true
        };
        if timeout(NOTE_MAX, noted).await.unwrap_or(false) {
            return;
        }
        self.out.note(&format!("{action} {subject} is not in the audit log: {why}"));
    }
}

/// Whether it can be tried again without standing there twice.
fn surely_not_noted(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { source, .. } => source.is_connect(),
        error => matches!(error.code(), Some(Code::Unavailable | Code::Overloaded | Code::RateLimited)),
    }
}

/// The provider is known under two names.
fn process_name(process: &str) -> &str {
    if process == "provider" { "psp" } else { process }
}

/// What a service answers in time.
async fn timely<T>(service: Service, answer: impl Future<Output = Result<T, ClientError>>) -> Outcome<T> {
    match timeout(SERVICE_MAX, answer).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            let failure = Failure::from(error);
            Err(Failure { message: format!("{}: {}", service.name(), failure.message), ..failure })
        }
        Err(_) => {
            let message = format!("{}: no answer for {} s", service.name(), SERVICE_MAX.as_secs());
            Err(Failure::with(Exit::Unreachable, message))
        }
    }
}

/// What was done, if nothing failed; otherwise all that failed, under the first one's exit code.
fn all_done<T>(failed: Vec<Failure>, done: impl FnOnce() -> T) -> Outcome<T> {
    let messages: Vec<_> = failed.iter().map(|failure| failure.message.clone()).collect();
    match failed.into_iter().next() {
        None => Ok(done()),
        Some(first) => Err(Failure { message: messages.join("\n"), ..first }),
    }
}
