//! What an admin can look at and do beside a service's business: faults, outbox, inbox, dead letters, laboratory.
//! Everything that changes something is told to the audit log in the same transaction.

use std::sync::Arc;

use axum::{Router, extract::State, http::StatusCode};
use orderflow_contracts::{
    api::{
        Page,
        chaos::{Bites, Fault, FaultName, SetFault},
        console::Role,
        ops::{
            DeadLetter, EditLetter, InboxRow, LetterStatus, OutboxRow, Pattern, ReplayOutbox, Replayed, SetPattern,
            UnreadableRow,
        },
    },
    ids::EventId,
    problem::{Code, Problem},
    words::word,
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, openapi::OpenApi};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{ApiError, Json, PageQuery, Path, Query, checked_text, commit, page_of, without_nul};
use crate::{
    auth::Principal,
    chaos::Change,
    consumer::TryAgain,
    db::{Db, Tx},
    dead_letters, inbox,
    outbox::{self, Outbox},
    unreadable::Unreadable,
};

/// Ids in one question for rows of the inbox: a page of them.
const EVENT_IDS_MAX: usize = 200;

/// What the routes of this file need.
#[derive(Clone)]
pub struct Ops {
    /// The service's name.
    pub service: &'static str,
    /// Its database.
    pub db: Db,
    /// Wakes its relay.
    pub outbox: Outbox,
    /// The rows that it cannot read.
    pub unreadable: Unreadable,
    /// Tries its dead letters again; none for a service that consumes nothing.
    pub consumer: Option<Arc<dyn TryAgain>>,
    /// Whether faults can be made: in a local cluster only.
    pub local: bool,
    /// Whether patterns can be taken out: in a laboratory only.
    pub lab: bool,
}

/// The routes and what is to be said of them.
fn routes() -> OpenApiRouter<Ops> {
    OpenApiRouter::new()
        .routes(routes!(list_faults, clear_faults))
        .routes(routes!(list_bites))
        .routes(routes!(set_fault, clear_fault))
        .routes(routes!(list_patterns))
        .routes(routes!(set_pattern))
        .routes(routes!(list_unreadable))
        .routes(routes!(list_outbox))
        .routes(routes!(replay_outbox))
        .routes(routes!(list_inbox))
        .routes(routes!(list_letters))
        .routes(routes!(show_letter, edit_letter))
        .routes(routes!(replay_letter))
        .routes(routes!(discard_letter))
}

/// Their part of a service's OpenAPI document.
pub(super) fn document() -> OpenApi {
    routes().into_openapi()
}

impl Ops {
    /// The routes.
    pub fn router(self) -> Router {
        routes().with_state(self).into()
    }

    fn may_break(&self, principal: &Principal) -> Result<(), ApiError> {
        principal.require(Role::Admin)?;
        if self.local {
            return Ok(());
        }
        Err(ApiError::new(Code::NotLocal, "faults are made in a local cluster only"))
    }

    /// Tells the audit log of a change of the faults in its transaction, commits it, and makes it then.
    async fn make(
        &self,
        mut tx: Tx,
        change: Change,
        principal: &Principal,
        (action, subject, detail): (&str, String, Value),
    ) -> Result<(), ApiError> {
        outbox::audit(&mut tx, self.service, principal, action, subject, detail).await?;
        commit(tx).await?;
        change.make();
        self.outbox.wake();
        Ok(())
    }
}

/// The rows that this service meets and cannot read, and passes over until they are mended.
#[utoipa::path(get, path = "/v1/unreadable", tag = "admin", security(("token" = [])),
    responses((status = 200, body = Vec<UnreadableRow>), (status = "4XX", body = Problem)))]
async fn list_unreadable(State(ops): State<Ops>, principal: Principal) -> Result<Json<Vec<UnreadableRow>>, ApiError> {
    principal.require(Role::Admin)?;
    Ok(Json(ops.unreadable.list()))
}

/// The faults that are set in this service.
#[utoipa::path(get, path = "/v1/chaos", tag = "admin", security(("token" = [])),
    responses((status = 200, body = Vec<Fault>), (status = "4XX", body = Problem)))]
async fn list_faults(State(ops): State<Ops>, principal: Principal) -> Result<Json<Vec<Fault>>, ApiError> {
    principal.require(Role::Admin)?;
    Ok(Json(ops.db.chaos().list()))
}

/// How often each fault has struck since the data of this service began: also what has ended or was taken back.
#[utoipa::path(get, path = "/v1/chaos/bites", tag = "admin", security(("token" = [])),
    responses((status = 200, body = Vec<Bites>), (status = "4XX", body = Problem)))]
async fn list_bites(State(ops): State<Ops>, principal: Principal) -> Result<Json<Vec<Bites>>, ApiError> {
    principal.require(Role::Admin)?;
    Ok(Json(ops.db.chaos().bites().await?))
}

/// Sets a fault, in place of one of the same name. In a local cluster only.
#[utoipa::path(put, path = "/v1/chaos/{name}", tag = "admin", params(("name" = FaultName, Path)), request_body = SetFault, security(("token" = [])),
    responses((status = 200, body = Fault), (status = "4XX", body = Problem)))]
async fn set_fault(
    State(ops): State<Ops>,
    principal: Principal,
    Path(name): Path<FaultName>,
    Json(set): Json<SetFault>,
) -> Result<Json<Fault>, ApiError> {
    ops.may_break(&principal)?;
    let mut tx = ops.db.begin_spared().await?;
    let (fault, change) = ops.db.chaos().set(&mut tx, name, set).await?;
    let subject = format!("{}/{}", ops.service, word(name));
    ops.make(tx, change, &principal, ("chaos.set", subject, json!(fault))).await?;
    Ok(Json(fault))
}

/// Takes a fault back.
#[utoipa::path(delete, path = "/v1/chaos/{name}", tag = "admin", params(("name" = FaultName, Path)), security(("token" = [])),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn clear_fault(
    State(ops): State<Ops>,
    principal: Principal,
    Path(name): Path<FaultName>,
) -> Result<StatusCode, ApiError> {
    ops.may_break(&principal)?;
    let mut tx = ops.db.begin_spared().await?;
    let change = ops.db.chaos().clear(&mut tx, Some(name)).await?;
    let subject = format!("{}/{}", ops.service, word(name));
    ops.make(tx, change, &principal, ("chaos.clear", subject, json!({}))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes all faults back.
#[utoipa::path(delete, path = "/v1/chaos", tag = "admin", security(("token" = [])),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn clear_faults(State(ops): State<Ops>, principal: Principal) -> Result<StatusCode, ApiError> {
    ops.may_break(&principal)?;
    let mut tx = ops.db.begin_spared().await?;
    let change = ops.db.chaos().clear(&mut tx, None).await?;
    ops.make(tx, change, &principal, ("chaos.clear", ops.service.to_owned(), json!({}))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The patterns that are out.
#[utoipa::path(get, path = "/v1/lab", tag = "admin", security(("token" = [])),
    responses((status = 200, body = Vec<Pattern>), (status = "4XX", body = Problem)))]
async fn list_patterns(State(ops): State<Ops>, principal: Principal) -> Result<Json<Vec<Pattern>>, ApiError> {
    principal.require(Role::Admin)?;
    Ok(Json(ops.db.chaos().patterns_out()))
}

/// Takes a pattern out, or puts it back. In a laboratory only.
#[utoipa::path(put, path = "/v1/lab/{pattern}", tag = "admin", params(("pattern" = Pattern, Path)), request_body = SetPattern, security(("token" = [])),
    responses((status = 204), (status = "4XX", body = Problem)))]
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
    let mut tx = ops.db.begin_spared().await?;
    let change = ops.db.chaos().set_pattern(&mut tx, pattern, set.disabled).await?;
    let (subject, detail) = (format!("{}/{}", ops.service, word(pattern)), json!({ "disabled": set.disabled }));
    ops.make(tx, change, &principal, ("lab.set", subject, detail)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which order or product; all if nothing is said.
fn checked_subject(subject: Option<String>) -> Result<Option<String>, ApiError> {
    subject.map(|subject| checked_text("subject", subject)).transpose()
}

/// Which rows of the outbox.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OutboxQuery {
    /// Only those about this order or product.
    subject: Option<String>,
    /// Most items of the page; 50 if nothing is said, at most 200.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The events that were committed, the oldest first.
#[utoipa::path(get, path = "/v1/outbox", tag = "admin", params(OutboxQuery), security(("token" = [])),
    responses((status = 200, body = Page<OutboxRow>), (status = "4XX", body = Problem)))]
async fn list_outbox(
    State(ops): State<Ops>,
    principal: Principal,
    Query(query): Query<OutboxQuery>,
) -> Result<Json<Page<OutboxRow>>, ApiError> {
    principal.require(Role::Admin)?;
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = page.limit()?;
    let filter = outbox::Filter { subject: checked_subject(query.subject)?, after: page.cursor()? };
    let rows = outbox::list(&mut *ops.db.pool().acquire().await?, &filter, limit).await?;
    Ok(Json(page_of(rows, limit, |row| row.id.to_string())))
}

/// Publishes again what was published before. Nobody applies it twice.
#[utoipa::path(post, path = "/v1/outbox/replay", tag = "admin", request_body = ReplayOutbox, security(("token" = [])),
    responses((status = 200, body = Replayed), (status = "4XX", body = Problem)))]
async fn replay_outbox(
    State(ops): State<Ops>,
    principal: Principal,
    Json(replay): Json<ReplayOutbox>,
) -> Result<Json<Replayed>, ApiError> {
    principal.require(Role::Admin)?;
    let subject = checked_subject(replay.subject)?;
    // In a task of its own: a large outbox may take longer than the request, and what is begun is ended all the same.
    let all = tokio::spawn(replay_all(ops, principal, subject)).await;
    let events = all.map_err(|died| ApiError::internal("publishing again has ended before it was done", died))??;
    Ok(Json(Replayed { events }))
}

/// Part by part, each of them told to the audit log in its transaction; how many events that are.
async fn replay_all(ops: Ops, principal: Principal, subject: Option<String>) -> Result<u64, ApiError> {
    let (mut events, mut next) = (0, Some(0));
    while let Some(after) = next {
        let mut tx = ops.db.begin().await?;
        let part = outbox::replay_part(&mut tx, subject.as_deref(), after).await?;
        (events, next) = (events + part.events, part.next);
        if part.events > 0 || next.is_none() {
            let (about, detail) = (subject.as_deref().unwrap_or(ops.service), json!({ "events": part.events }));
            outbox::audit(&mut tx, ops.service, &principal, "outbox.replay", about, detail).await?;
        }
        commit(tx).await?;
        ops.outbox.wake();
    }
    Ok(events)
}

/// Which rows of the inbox.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct InboxQuery {
    /// Only those of these events: ids with commas between them, at most 200.
    event_ids: Option<String>,
    /// Most items of the page; 50 if nothing is said, at most 200.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl InboxQuery {
    fn event_ids(&self) -> Result<Option<Vec<EventId>>, ApiError> {
        let Some(text) = &self.event_ids else { return Ok(None) };
        let ids: Option<Vec<EventId>> = text.split(',').map(|id| id.parse().ok()).collect();
        let ids = ids.filter(|ids| ids.len() <= EVENT_IDS_MAX);
        let refused = || format!("event_ids are at most {EVENT_IDS_MAX} ids with commas between them");
        ids.map(Some).ok_or_else(|| ApiError::new(Code::ValidationFailed, refused()))
    }
}

/// The events that were applied or dead-lettered, in the order of their ids.
#[utoipa::path(get, path = "/v1/inbox", tag = "admin", params(InboxQuery), security(("token" = [])),
    responses((status = 200, body = Page<InboxRow>), (status = "4XX", body = Problem)))]
async fn list_inbox(
    State(ops): State<Ops>,
    principal: Principal,
    Query(query): Query<InboxQuery>,
) -> Result<Json<Page<InboxRow>>, ApiError> {
    principal.require(Role::Admin)?;
    let event_ids = query.event_ids()?;
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = page.limit()?;
    let filter = inbox::Filter { event_ids, after: page.cursor()? };
    let rows = inbox::list(&mut *ops.db.pool().acquire().await?, &filter, limit).await?;
    Ok(Json(page_of(rows, limit, |row| row.event_id.to_string())))
}

/// Which dead letters.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LetterQuery {
    /// Only those that this became of.
    #[param(inline)]
    status: Option<LetterStatus>,
    /// Only those about this order or product.
    subject: Option<String>,
    /// Most items of the page; 50 if nothing is said, at most 200.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What could not be applied, the newest first.
#[utoipa::path(get, path = "/v1/dead-letters", tag = "admin", params(LetterQuery), security(("token" = [])),
    responses((status = 200, body = Page<DeadLetter>), (status = "4XX", body = Problem)))]
async fn list_letters(
    State(ops): State<Ops>,
    principal: Principal,
    Query(query): Query<LetterQuery>,
) -> Result<Json<Page<DeadLetter>>, ApiError> {
    principal.require(Role::Admin)?;
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = page.limit()?;
    let (status, subject) = (query.status, checked_subject(query.subject)?);
    let filter = dead_letters::Filter { id: None, status, subject, before: page.cursor()? };
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

/// The answer to whoever wants what was done already: his first answer may have been lost. An error if something else was
/// done.
async fn decided(ops: &Ops, id: Uuid, status: LetterStatus) -> Result<Json<DeadLetter>, ApiError> {
    match letter(ops, id).await {
        Ok(letter) if letter.status == status => Ok(Json(letter)),
        Err(error) if error.code() != Code::NotFound => Err(error),
        _ => Err(closed(id)),
    }
}

/// One dead letter.
#[utoipa::path(get, path = "/v1/dead-letters/{id}", tag = "admin", params(("id" = String, Path, format = "uuid")), security(("token" = [])),
    responses((status = 200, body = DeadLetter), (status = "4XX", body = Problem)))]
async fn show_letter(
    State(ops): State<Ops>,
    principal: Principal,
    Path(id): Path<Uuid>,
) -> Result<Json<DeadLetter>, ApiError> {
    principal.require(Role::Admin)?;
    letter(&ops, id).await.map(Json)
}

/// An error if it could not be kept. Other headers than ours are passed over by whoever reads them, and stay as they are.
fn check_edit(edit: &EditLetter) -> Result<(), ApiError> {
    edit.key.as_ref().map(|key| checked_text("key", key)).transpose()?;
    for (name, value) in edit.headers.iter().flatten() {
        let field = format!("headers.{}", checked_text("headers", name)?);
        if name.starts_with("ce_") {
            checked_text(&field, value)?;
        } else {
            without_nul(&field, &json!(value))?;
        }
    }
    edit.payload.as_ref().map_or(Ok(()), |payload| without_nul("payload", payload))
}

/// Mends an open dead letter.
#[utoipa::path(patch, path = "/v1/dead-letters/{id}", tag = "admin", params(("id" = String, Path, format = "uuid")), request_body = EditLetter, security(("token" = [])),
    responses((status = 200, body = DeadLetter), (status = "4XX", body = Problem)))]
async fn edit_letter(
    State(ops): State<Ops>,
    principal: Principal,
    Path(id): Path<Uuid>,
    Json(edit): Json<EditLetter>,
) -> Result<Json<DeadLetter>, ApiError> {
    principal.require(Role::Admin)?;
    check_edit(&edit)?;
    let mut tx = ops.db.begin().await?;
    if !dead_letters::edit(&mut tx, id, &edit).await? {
        return Err(closed(id));
    }
    outbox::audit(&mut tx, ops.service, &principal, "dead-letter.edit", id, json!(edit)).await?;
    commit(tx).await?;
    ops.outbox.wake();
    letter(&ops, id).await.map(Json)
}

/// Applies an open dead letter after all; it stays open, with its new reason, if that is not possible. One that was applied
/// already is not applied again.
#[utoipa::path(post, path = "/v1/dead-letters/{id}/replay", tag = "admin", params(("id" = String, Path, format = "uuid")), security(("token" = [])),
    responses((status = 200, body = DeadLetter), (status = "4XX", body = Problem)))]
async fn replay_letter(
    State(ops): State<Ops>,
    principal: Principal,
    Path(id): Path<Uuid>,
) -> Result<Json<DeadLetter>, ApiError> {
    principal.require(Role::Admin)?;
    let consumer = ops.consumer.as_ref().ok_or_else(|| closed(id))?;
    if !consumer.try_again(id, &principal).await? {
        return decided(&ops, id, LetterStatus::Replayed).await;
    }
    letter(&ops, id).await.map(Json)
}

/// Gives an open dead letter up. One that was given up already stays so.
#[utoipa::path(post, path = "/v1/dead-letters/{id}/discard", tag = "admin", params(("id" = String, Path, format = "uuid")), security(("token" = [])),
    responses((status = 200, body = DeadLetter), (status = "4XX", body = Problem)))]
async fn discard_letter(
    State(ops): State<Ops>,
    principal: Principal,
    Path(id): Path<Uuid>,
) -> Result<Json<DeadLetter>, ApiError> {
    principal.require(Role::Admin)?;
    let mut tx = ops.db.begin().await?;
    if !dead_letters::close(&mut tx, id, LetterStatus::Discarded).await? {
        return decided(&ops, id, LetterStatus::Discarded).await;
    }
    outbox::audit(&mut tx, ops.service, &principal, "dead-letter.discard", id, json!({})).await?;
    commit(tx).await?;
    ops.outbox.wake();
    letter(&ops, id).await.map(Json)
}
