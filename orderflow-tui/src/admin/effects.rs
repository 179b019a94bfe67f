//! What the admin wants done, and how it is done.

use std::path::PathBuf;

use futures_util::future::join_all;
use orderflow_client::{AuditQuery, Client, ClientError, ListQuery, Service, metrics::Metrics};
use orderflow_cluster::control::{self, Status};
use orderflow_contracts::api::{
    Page, Readiness,
    ops::{AuditCheck, AuditEntry, DeadLetter, EditLetter},
};
use uuid::Uuid;

use super::{
    letters::effects::{self as letters, Act, Acted, Found},
    logs::tail::{self, At, Tail},
    procfs::{self, Reading},
};
use crate::{blocking::blocking, links::Kit};

/// Entries of the audit log that are read at once.
const AUDIT_PAGE: u32 = 100;

/// What is wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum Do {
    /// How every process is.
    Status,
    /// The numbers of all services.
    Metrics,
    /// The dead letters of all services.
    Letters,
    /// Something done to dead letters, one after the other.
    Act(Act, Vec<(Service, Uuid)>),
    /// A dead letter mended.
    Mend(Service, Uuid, Box<EditLetter>),
    /// A part of the audit log.
    Audit(AuditPart),
    /// Whether the audit log is whole.
    CheckAudit,
    /// What a log has that was not read yet.
    Tail(PathBuf, Option<At>),
}

/// Which part of the audit log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditPart {
    /// Counts searches: the answer to an earlier one is of no use.
    pub search: u64,
    /// Only by those whose names begin so.
    pub actor: Option<String>,
    /// Only what begins so.
    pub action: Option<String>,
    /// Only about this.
    pub subject: Option<String>,
    /// Where it goes on; from the newest without it.
    pub cursor: Option<String>,
}

/// How the parts of the cluster are.
#[derive(Debug)]
pub enum Seen {
    /// By the supervisor of this machine, and what the processes take of it.
    Processes(Box<Status>, Option<Reading>),
    /// By each service; why no supervisor could be asked.
    Services(Vec<(Service, Result<Readiness, String>)>, String),
}

/// What came of it.
#[derive(Debug)]
pub enum Done {
    /// Of asking how every process is.
    Status(Seen),
    /// Of asking for numbers.
    Metrics(Vec<(Service, Result<Metrics, String>)>),
    /// Of asking for dead letters.
    Letters(Vec<(Service, Result<Found, String>)>),
    /// Something was done to one dead letter of several.
    Acted(Acted),
    /// It was done to all of them.
    ActedAll(Act),
    /// Of mending a dead letter.
    Mended(Service, Uuid, Box<Result<DeadLetter, ClientError>>),
    /// Of asking for a part of the audit log.
    Audit(AuditPart, Result<Page<AuditEntry>, String>),
    /// Of asking whether it is whole.
    AuditChecked(Result<AuditCheck, String>),
    /// Of reading a log.
    Tail(PathBuf, Result<Tail, String>),
}

/// Does it.
pub async fn carry_out(wanted: Do, kit: &Kit) -> Done {
    let client = &kit.client;
    match wanted {
        Do::Status => Done::Status(status(kit).await),
        Do::Metrics => Done::Metrics(of_each(&Service::WITH_CLOCK, |service| metrics(client, service)).await),
        Do::Letters => Done::Letters(of_each(&Service::WITH_CLOCK, |service| letters::read(client, service)).await),
        Do::Act(act, which) => letters::act(act, which, kit).await,
        Do::Mend(service, id, edit) => {
            let mended = client.edit_dead_letter(service, id, &edit).await;
            Done::Mended(service, id, Box::new(mended))
        }
        Do::Audit(part) => {
            let page = audit(client, &part).await.map_err(|error| error.to_string());
            Done::Audit(part, page)
        }
        Do::CheckAudit => Done::AuditChecked(client.check_audit().await.map_err(|error| error.to_string())),
        Do::Tail(path, from) => {
            let file = path.clone();
            let read = blocking(move || tail::read(&file, from)).await;
            Done::Tail(path, read.map_err(|error| error.to_string()))
        }
    }
}

/// Asks all services at once: one that is slow makes no other late.
async fn of_each<T, F>(services: &[Service], ask: impl Fn(Service) -> F) -> Vec<(Service, Result<T, String>)>
where
    F: Future<Output = Result<T, ClientError>>,
{
    let asked = join_all(services.iter().map(|service| ask(*service))).await;
    let told = asked.into_iter().map(|answer| answer.map_err(|error| error.to_string()));
    services.iter().copied().zip(told).collect()
}

/// By the supervisor, if it is on this machine; otherwise by the services themselves.
async fn status(kit: &Kit) -> Seen {
    match control::status(&kit.place.data_dir).await {
        Ok(status) => {
            let mut pids: Vec<u32> = status.processes.iter().filter_map(|process| process.pid).collect();
            pids.push(status.supervisor_pid);
            let usage = blocking(move || procfs::read(&pids)).await;
            Seen::Processes(Box::new(status), usage)
        }
        Err(why) => {
            let services = of_each(&Service::ALL, |service| readiness(&kit.client, service)).await;
            Seen::Services(services, why.to_string())
        }
    }
}

async fn metrics(client: &Client, service: Service) -> Result<Metrics, ClientError> {
    client.metrics(service).await
}

async fn readiness(client: &Client, service: Service) -> Result<Readiness, ClientError> {
    client.readiness(service).await
}

async fn audit(client: &Client, part: &AuditPart) -> Result<Page<AuditEntry>, ClientError> {
    let page = ListQuery { limit: Some(AUDIT_PAGE), cursor: part.cursor.clone(), ..ListQuery::default() };
    let (actor, action, subject) = (part.actor.clone(), part.action.clone(), part.subject.clone());
    client.audit(&AuditQuery { actor, action, subject, page }).await
}
