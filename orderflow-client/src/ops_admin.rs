//! What an admin looks at and does beside the business: outbox, dead letters, audit log, the laboratory.

use orderflow_contracts::{
    api::{
        Page,
        ops::{
            AuditCheck, AuditEntry, AuditNote, AuditPart, AuditPlace, DeadLetter, EditLetter, OutboxRow, Pattern,
            ReplayOutbox, Replayed, SetPattern, UnreadableRow,
        },
    },
    words::word,
};
use uuid::Uuid;

use crate::{
    endpoints::Service,
    error::ClientError,
    http::{Call, Client, ListQuery},
};

/// Which entries of the audit log.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// Only by this one.
    pub actor: Option<String>,
    /// Only this.
    pub action: Option<String>,
    /// Only about this.
    pub subject: Option<String>,
    /// Which part of the list.
    pub page: ListQuery,
}

fn about(subject: &str, query: &ListQuery) -> Vec<(&'static str, String)> {
    let mut pairs = query.pairs();
    pairs.push(("subject", subject.to_owned()));
    pairs
}

impl Client {
    /// What a service has committed to be published.
    pub async fn outbox(&self, service: Service, query: &ListQuery) -> Result<Page<OutboxRow>, ClientError> {
        self.ask(Call::get(service, "/v1/outbox").query(query.pairs())).await
    }

    /// Of that, what is about one order or product.
    pub async fn outbox_about(
        &self,
        service: Service,
        subject: &str,
        query: &ListQuery,
    ) -> Result<Page<OutboxRow>, ClientError> {
        self.ask(Call::get(service, "/v1/outbox").query(about(subject, query))).await
    }

    /// Publishes again what a service has published. Safe to repeat: consumers know what they have applied.
    pub async fn replay_outbox(&self, service: Service, what: &ReplayOutbox) -> Result<Replayed, ClientError> {
        self.ask(Call::post(service, "/v1/outbox/replay").body(what)?.repeatable()).await
    }

    /// What a service could not apply.
    pub async fn dead_letters(&self, service: Service, query: &ListQuery) -> Result<Page<DeadLetter>, ClientError> {
        self.ask(Call::get(service, "/v1/dead-letters").query(query.pairs())).await
    }

    /// Of that, what is about one order or product.
    pub async fn dead_letters_about(
        &self,
        service: Service,
        subject: &str,
        query: &ListQuery,
    ) -> Result<Page<DeadLetter>, ClientError> {
        self.ask(Call::get(service, "/v1/dead-letters").query(about(subject, query))).await
    }

    /// One of those.
    pub async fn dead_letter(&self, service: Service, id: Uuid) -> Result<DeadLetter, ClientError> {
        self.ask(Call::get(service, format!("/v1/dead-letters/{id}"))).await
    }

    /// Mends one.
    pub async fn edit_dead_letter(
        &self,
        service: Service,
        id: Uuid,
        edit: &EditLetter,
    ) -> Result<DeadLetter, ClientError> {
        self.ask(Call::patch(service, format!("/v1/dead-letters/{id}")).body(edit)?.repeatable()).await
    }

    /// Applies one after all; it is still open if that was not possible. Safe to repeat: it is applied once.
    pub async fn replay_dead_letter(&self, service: Service, id: Uuid) -> Result<DeadLetter, ClientError> {
        self.ask(Call::post(service, format!("/v1/dead-letters/{id}/replay")).repeatable()).await
    }

    /// Gives one up.
    pub async fn discard_dead_letter(&self, service: Service, id: Uuid) -> Result<DeadLetter, ClientError> {
        self.ask(Call::post(service, format!("/v1/dead-letters/{id}/discard")).repeatable()).await
    }

    /// Who did what, the newest first.
    pub async fn audit(&self, query: &AuditQuery) -> Result<Page<AuditEntry>, ClientError> {
        let mut pairs = query.page.pairs();
        pairs.extend(query.actor.clone().map(|actor| ("actor", actor)));
        pairs.extend(query.action.clone().map(|action| ("action", action)));
        pairs.extend(query.subject.clone().map(|subject| ("subject", subject)));
        self.ask(Call::get(Service::Console, "/v1/audit").query(pairs)).await
    }

    /// Whether the audit log is whole: all of it, part by part.
    pub async fn check_audit(&self) -> Result<AuditCheck, ClientError> {
        let mut part = self.check_audit_from(None).await?;
        while let Some(place) = part.next {
            part = self.check_audit_from(Some(&place)).await?;
            if part.next.as_ref().is_some_and(|next| next.after <= place.after) {
                let url = self.endpoints().of(Service::Console).to_owned();
                return Err(ClientError::BadAnswer {
                    url,
                    what: "the audit log goes on where it was before".to_owned(),
                });
            }
        }
        Ok(part.check)
    }

    /// Whether a part of the audit log is whole: from its beginning, or from a place that another part has led to.
    pub async fn check_audit_from(&self, place: Option<&AuditPlace>) -> Result<AuditPart, ClientError> {
        let mut pairs = Vec::new();
        pairs.extend(place.map(|place| ("after", place.after.to_string())));
        pairs.extend(place.map(|place| ("hash", place.hash.clone())));
        self.ask(Call::get(Service::Console, "/v1/audit/verify").query(pairs)).await
    }

    /// Writes down what was done outside of the services. Not to be repeated: it would stand there twice.
    pub async fn note_audit(&self, note: &AuditNote) -> Result<(), ClientError> {
        self.ask(Call::post(Service::Console, "/v1/audit").body(note)?).await
    }

    /// The rows that a service meets and cannot read.
    pub async fn unreadable(&self, service: Service) -> Result<Vec<UnreadableRow>, ClientError> {
        self.ask(Call::get(service, "/v1/unreadable")).await
    }

    /// The patterns that are out in a service.
    pub async fn patterns_out(&self, service: Service) -> Result<Vec<Pattern>, ClientError> {
        self.ask(Call::get(service, "/v1/lab")).await
    }

    /// Takes a pattern of a service out, or puts it back.
    pub async fn set_pattern(&self, service: Service, pattern: Pattern, set: SetPattern) -> Result<(), ClientError> {
        self.ask(Call::put(service, format!("/v1/lab/{}", word(pattern))).body(&set)?).await
    }
}
