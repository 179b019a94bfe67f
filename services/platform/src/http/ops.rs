//! What an admin can look at and do beside a service's business: faults, outbox, inbox, dead letters, laboratory.
//! Everything that changes something is told to the audit log: in the same transaction, or right after where what was done
//! is a fault, a pattern or another try of a dead letter, which have transactions of their own.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    routing::{get, post, put},
};
use orderflow_contracts::{
    api::{
        Page,
        chaos::{Fault, FaultName, SetFault},
        console::Role,
        ops::{DeadLetter, EditLetter, InboxRow, LetterStatus, OutboxRow, Pattern, ReplayOutbox, Replayed, SetPattern},
    },
    problem::Code,
    words::word,
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{ApiError, Json, PageQuery, Path, Query, commit, page_of};
use crate::{
    auth::Principal,
    consumer::TryAgain,
    db::Db,
    dead_letters, inbox,
    outbox::{self, Outbox},
};

/// What the routes of this file need.
#[derive(Clone)]
pub struct Ops {
    /// The service's name.
    pub service: &'static str,
    /// Its database.
    pub db: Db,
    /// Wakes its relay.
    pub outbox: Outbox,
    /// Tries its dead letters again; none for a service that consumes nothing.
    pub consumer: Option<Arc<dyn TryAgain>>,
    /// Whether faults can be made: in a local cluster only.
    pub local: bool,
    /// Whether patterns can be taken out: in a laboratory only.
    pub lab: bool,
}

impl Ops {
    /// The routes.
    pub fn router(self) -> Router {
        Router::new()
            .route("/v1/chaos", get(list_faults).delete(clear_faults))
            .route("/v1/chaos/{name}", put(set_fault).delete(clear_fault))
            .route("/v1/lab", get(list_patterns))
            .route("/v1/lab/{pattern}", put(set_pattern))
            .route("/v1/outbox", get(list_outbox))
            .route("/v1/outbox/replay", post(replay_outbox))
            .route("/v1/inbox", get(list_inbox))
            .route("/v1/dead-letters", get(list_letters))
            .route("/v1/dead-letters/{id}", get(show_letter).patch(edit_letter))
            .route("/v1/dead-letters/{id}/replay", post(replay_letter))
            .route("/v1/dead-letters/{id}/discard", post(discard_letter))
            .with_state(self)
    }

    fn may_break(&self, principal: &Principal) -> Result<(), ApiError> {
        principal.require(Role::Admin)?;
        if self.local {
            return Ok(());
        }
        Err(ApiError::new(Code::NotLocal, "faults are made in a local cluster only"))
    }

    /// Tells the audit log of something that needed no transaction.
    async fn note(
        &self,
        principal: &Principal,
        action: &str,
        subject: String,
        detail: serde_json::Value,
    ) -> Result<(), ApiError> {
        let mut conn = self.db.pool().acquire().await?;
        outbox::audit(&mut conn, self.service, principal, action, subject, detail).await?;
        self.outbox.wake();
        Ok(())
    }
}

async fn list_faults(State(ops): State<Ops>, principal: Principal) -> Result<Json<Vec<Fault>>, ApiError> {
    principal.require(Role::Admin)?;
    Ok(Json(ops.db.chaos().list()))
}

async fn set_fault(
    State(ops): State<Ops>,
    principal: Principal,
    Path(name): Path<FaultName>,
    Json(set): Json<SetFault>,
) -> Result<Json<Fault>, ApiError> {
    ops.may_break(&principal)?;
    let fault = ops.db.chaos().set(name, set).await?;
    let subject = format!("{}/{}", ops.service, word(name));
    ops.note(&principal, "chaos.set", subject, json!(fault)).await?;
    Ok(Json(fault))
}

async fn clear_fault(
    State(ops): State<Ops>,
    principal: Principal,
    Path(name): Path<FaultName>,
) -> Result<StatusCode, ApiError> {
    ops.may_break(&principal)?;
    ops.db.chaos().clear(Some(name)).await?;
    ops.note(&principal, "chaos.clear", format!("{}/{}", ops.service, word(name)), json!({})).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn clear_faults(State(ops): State<Ops>, principal: Principal) -> Result<StatusCode, ApiError> {
    ops.may_break(&principal)?;
    ops.db.chaos().clear(None).await?;
    ops.note(&principal, "chaos.clear", ops.service.to_owned(), json!({})).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_patterns(State(ops): State<Ops>, principal: Principal) -> Result<Json<Vec<Pattern>>, ApiError> {
    principal.require(Role::Admin)?;
    Ok(Json(ops.db.chaos().patterns_out()))
}

async fn set_pattern(
    State(ops): State<Ops>,
    principal: Principal,
    Path(pattern): Path<Pattern>,
    Json(set): Json<SetPattern>,
) -> Result<StatusCode, ApiError> {
    ops.may_break(&principal)?;
    if !ops.lab {
        return Err(ApiError::new(Code::NotLocal, "patterns are taken out in a laboratory only: `orderflow up --lab`"));
    }
    ops.db.chaos().set_pattern(pattern, set.disabled).await?;
    let subject = format!("{}/{}", ops.service, word(pattern));
    ops.note(&principal, "lab.set", subject, json!({ "disabled": set.disabled })).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_outbox(
    State(ops): State<Ops>,
    principal: Principal,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<OutboxRow>>, ApiError> {
    principal.require(Role::Admin)?;
    let limit = page.limit()?;
    let rows = outbox::list(&mut *ops.db.pool().acquire().await?, page.cursor()?, limit).await?;
    Ok(Json(page_of(rows, limit, |row| row.id.to_string())))
}

async fn replay_outbox(
    State(ops): State<Ops>,
    principal: Principal,
    Json(replay): Json<ReplayOutbox>,
) -> Result<Json<Replayed>, ApiError> {
    principal.require(Role::Admin)?;
    let mut tx = ops.db.begin().await?;
    let events = outbox::replay(&mut tx, replay.subject.as_deref()).await?;
    let subject = replay.subject.unwrap_or_else(|| ops.service.to_owned());
    outbox::audit(&mut tx, ops.service, &principal, "outbox.replay", subject, json!({ "events": events })).await?;
    commit(tx).await?;
    ops.outbox.wake();
    Ok(Json(Replayed { events }))
}

async fn list_inbox(
    State(ops): State<Ops>,
    principal: Principal,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<InboxRow>>, ApiError> {
    principal.require(Role::Admin)?;
    let limit = page.limit()?;
    let rows = inbox::list(&mut *ops.db.pool().acquire().await?, page.cursor()?, limit).await?;
    Ok(Json(page_of(rows, limit, |row| row.event_id.to_string())))
}

#[derive(Debug, Deserialize)]
struct LetterQuery {
    status: Option<LetterStatus>,
    limit: Option<u32>,
    cursor: Option<String>,
}

async fn list_letters(
    State(ops): State<Ops>,
    principal: Principal,
    Query(query): Query<LetterQuery>,
) -> Result<Json<Page<DeadLetter>>, ApiError> {
    principal.require(Role::Admin)?;
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = page.limit()?;
    let filter = dead_letters::Filter { status: query.status, before: page.cursor()?, id: None };
    let letters = dead_letters::list(&mut *ops.db.pool().acquire().await?, &filter, limit).await?;
    Ok(Json(page_of(letters, limit, |letter| letter.id.to_string())))
}

async fn letter(ops: &Ops, id: Uuid) -> Result<DeadLetter, ApiError> {
    let filter = dead_letters::Filter { id: Some(id), ..dead_letters::Filter::default() };
    let found = dead_letters::list(&mut *ops.db.pool().acquire().await?, &filter, 1).await?;
    found.into_iter().next().ok_or_else(|| ApiError::not_found(format_args!("dead letter {id}")))
}

fn closed(id: Uuid) -> ApiError {
    ApiError::new(Code::IllegalTransition, format!("the dead letter {id} does not exist, or was replayed or discarded"))
}

async fn show_letter(
    State(ops): State<Ops>,
    principal: Principal,
    Path(id): Path<Uuid>,
) -> Result<Json<DeadLetter>, ApiError> {
    principal.require(Role::Admin)?;
    letter(&ops, id).await.map(Json)
}

async fn edit_letter(
    State(ops): State<Ops>,
    principal: Principal,
    Path(id): Path<Uuid>,
    Json(edit): Json<EditLetter>,
) -> Result<Json<DeadLetter>, ApiError> {
    principal.require(Role::Admin)?;
    let mut tx = ops.db.begin().await?;
    if !dead_letters::edit(&mut tx, id, &edit).await? {
        return Err(closed(id));
    }
    outbox::audit(&mut tx, ops.service, &principal, "dead-letter.edit", id, json!(edit)).await?;
    commit(tx).await?;
    ops.outbox.wake();
    letter(&ops, id).await.map(Json)
}

async fn replay_letter(
    State(ops): State<Ops>,
    principal: Principal,
    Path(id): Path<Uuid>,
) -> Result<Json<DeadLetter>, ApiError> {
    principal.require(Role::Admin)?;
    let consumer = ops.consumer.as_ref().ok_or_else(|| closed(id))?;
    let tried = consumer.try_again(id).await?.ok_or_else(|| closed(id))?;
    let detail = json!({ "applied": tried.is_ok(), "reason": tried.err() });
    ops.note(&principal, "dead-letter.replay", id.to_string(), detail).await?;
    letter(&ops, id).await.map(Json)
}

async fn discard_letter(
    State(ops): State<Ops>,
    principal: Principal,
    Path(id): Path<Uuid>,
) -> Result<Json<DeadLetter>, ApiError> {
    principal.require(Role::Admin)?;
    let mut tx = ops.db.begin().await?;
    if !dead_letters::close(&mut tx, id, LetterStatus::Discarded).await? {
        return Err(closed(id));
    }
    outbox::audit(&mut tx, ops.service, &principal, "dead-letter.discard", id, json!({})).await?;
    commit(tx).await?;
    ops.outbox.wake();
    letter(&ops, id).await.map(Json)
}
