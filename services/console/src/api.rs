//! HTTP in; accounts, timelines and events out.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response, Sse, sse::KeepAlive},
};
use orderflow_contracts::{
    api::{
        IDEMPOTENCY_REPLAYED, Page,
        console::{Account, EventRecord, Login, Refresh, Role, Session, SignUp, Timeline},
        ops::{AuditEntry, AuditNote, AuditPart, AuditPlace},
    },
    ids::{AccountId, OrderId},
    problem::{Code, Problem},
    timestamp::Timestamp,
};
use orderflow_platform::db::Db;
use orderflow_platform::{
    auth::{Principal, Signer, TOKEN_LIFE},
    clock,
    http::{ApiError, Json, PageQuery, Path, Query, RateLimiter, checked_text, commit, page_of, without_nul},
    idempotency::Keyed,
    tasks::Stop,
};
use serde::Deserialize;
use serde_json::Value;
use sqlx::PgConnection;
use tokio::sync::watch;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    accounts::{self, NewAccount, Shown},
    audit::{self, Done},
    events::{self, Filter},
    passwords,
    stream::{Places, Reader},
    timeline,
};

/// Between two signs of life on a stream.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Events of one order that a timeline is made of. An order has a dozen.
const TIMELINE_MAX: i64 = 500;
/// Passwords that may be tried for one address: in the long run, and at once.
const LOGINS_PER_SECOND: f64 = 0.2;
const LOGINS_BURST: f64 = 20.0;
/// Accounts that may be opened, or passwords tried for whatever account, from one address.
const HASHES_PER_SECOND: f64 = 20.0;
const HASHES_BURST: f64 = 300.0;

/// What the handlers need.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    db: Db,
    signer: Signer,
    news: Arc<watch::Sender<u64>>,
    stop: Stop,
    streams: Places,
    logins: RateLimiter<String>,
    hashes: RateLimiter<IpAddr>,
}

impl Api {
    /// On this database; `news` says when there are new events, `stop` when the streams are to end.
    pub fn new(db: Db, signer: Signer, news: Arc<watch::Sender<u64>>, stop: Stop) -> Self {
        let streams = Places::default();
        let logins = RateLimiter::new(LOGINS_PER_SECOND, LOGINS_BURST);
        let hashes = RateLimiter::new(HASHES_PER_SECOND, HASHES_BURST);
        Self(Arc::new(Inner { db, signer, news, stop, streams, logins, hashes }))
    }
}

impl Inner {
    /// A session for the account: a token, and one for the next.
    async fn session(&self, conn: &mut PgConnection, account: Account, family: Uuid) -> Result<Session, ApiError> {
        let principal = Principal::new(account.id, account.role);
        let signed = self.signer.sign(principal, TOKEN_LIFE);
        let (token, expires) = signed.map_err(|error| ApiError::internal("no token could be signed", error))?;
        let expires_at = Timestamp(i64::try_from(expires).unwrap_or(i64::MAX / 1000).saturating_mul(1000));
        let refresh_token = accounts::issue_refresh_token(conn, account.id, family).await?;
        Ok(Session { token, expires_at, refresh_token, account })
    }

    /// A session for somebody who has opened the account already and has lost the answer; none for anybody else.
    async fn sign_up_again(
        &self,
        address: IpAddr,
        new: &NewAccount,
        password: String,
    ) -> Result<Option<Response>, ApiError> {
        let found = accounts::opened_before(&mut *self.db.acquire().await?, new).await?;
        let Some((account, hash)) = found else { return Ok(None) };
        // It tells whether the password is right, as logging in does.
        self.check_rate(address, Some(account.email.clone()))?;
        if !passwords::verify(password, Some(hash)).await? {
            return Ok(None);
        }
        let mut tx = self.db.begin().await?;
        told(&mut tx, &account, "session.opened").await?;
        let session = self.session(&mut tx, account, Uuid::new_v4()).await?;
        commit(tx).await?;
        let replayed = [(IDEMPOTENCY_REPLAYED, "true")];
        Ok(Some((StatusCode::CREATED, replayed, Json(session)).into_response()))
    }

    fn check_rate(&self, address: IpAddr, email: Option<String>) -> Result<(), ApiError> {
        let now = Instant::now();
        // The address first: what is refused to it must not use up what is for the accounts.
        if self.hashes.allows(address, now) && email.is_none_or(|email| self.logins.allows(email, now)) {
            return Ok(());
        }
        Err(ApiError::new(Code::RateLimited, "too many passwords were tried; wait a minute"))
    }
}

/// The routes and their OpenAPI document.
pub fn router(api: Api) -> (Router, String) {
    let (router, openapi) = OpenApiRouter::new()
        .routes(routes!(sign_up))
        .routes(routes!(log_in))
        .routes(routes!(refresh))
        .routes(routes!(log_out))
        .routes(routes!(me))
        .routes(routes!(show_timeline))
        .routes(routes!(list_events))
        .routes(routes!(stream))
        .routes(routes!(list_audit, note_audit))
        .routes(routes!(check_audit))
        .with_state(api)
        .split_for_parts();
    (router, orderflow_platform::http::describe(openapi, "OrderFlow console", "Accounts, timelines, events"))
}

/// Opens an account and a session. With the same key, address, role and password it is the same account again, with
/// another session: tokens are kept nowhere, so that they cannot be given out twice.
#[utoipa::path(post, path = "/v1/accounts", request_body = SignUp,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes the request safe to repeat")),
    responses((status = 201, body = Session), (status = "4XX", body = Problem)))]
async fn sign_up(
    State(Api(api)): State<Api>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Keyed { body, key }: Keyed<SignUp>,
) -> Result<Response, ApiError> {
    api.check_rate(peer.ip(), None)?;
    let password = body.password.clone();
    let new = accounts::checked(body, key.hash()).await?;
    let mut tx = api.db.begin().await?;
    let account = match accounts::open(&mut tx, &new).await {
        Err(taken) if taken.code() == Code::EmailTaken => {
            drop(tx);
            return api.sign_up_again(peer.ip(), &new, password).await?.ok_or(taken);
        }
        opened => opened?,
    };
    told(&mut tx, &account, "account.opened").await?;
    tracing::info!(account_id = %account.id, role = account.role.as_str(), "account opened");
    let session = api.session(&mut tx, account, Uuid::new_v4()).await?;
    commit(tx).await?;
    Ok((StatusCode::CREATED, Json(session)).into_response())
}

/// Opens a session. Faults spare this and the other ways of a session: whoever takes them back has to log in.
#[utoipa::path(post, path = "/v1/sessions", request_body = Login,
    responses((status = 201, body = Session), (status = "4XX", body = Problem)))]
async fn log_in(
    State(Api(api)): State<Api>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Json(login): Json<Login>,
) -> Result<Response, ApiError> {
    let email = accounts::email_of(&login.email);
    let known = accounts::known(&mut *api.db.begin_spared().await?, email.as_deref()).await?;
    // Counted once there is something to compare the password with: of a database that is away, nobody tries passwords.
    api.check_rate(peer.ip(), email)?;
    // What is refused changes nothing, and is not in the audit log: that is kept for ever, and anybody can be refused.
    let account = accounts::log_in(known, login.password).await?;
    let mut tx = api.db.begin_spared().await?;
    told(&mut tx, &account, "session.opened").await?;
    let session = api.session(&mut tx, account, Uuid::new_v4()).await?;
    commit(tx).await?;
    Ok((StatusCode::CREATED, Json(session)).into_response())
}

/// Continues a session: a new token, and a new refresh token in place of the one that is shown.
#[utoipa::path(post, path = "/v1/sessions/refresh", request_body = Refresh,
    responses((status = 200, body = Session), (status = "4XX", body = Problem)))]
async fn refresh(State(Api(api)): State<Api>, Json(shown): Json<Refresh>) -> Result<Json<Session>, ApiError> {
    let mut tx = api.db.begin_spared().await?;
    match accounts::use_refresh_token(&mut tx, &shown.refresh_token).await? {
        Shown::Good(account, family) => {
            let session = api.session(&mut tx, account, family).await?;
            commit(tx).await?;
            Ok(Json(session))
        }
        Shown::Stolen(account_id) => {
            // Nobody knows who has shown it.
            append(&mut tx, "console".to_owned(), "session.stolen", account_id).await?;
            commit(tx).await?;
            tracing::warn!(%account_id, "a refresh token was used twice; its session is over");
            Err(accounts::stolen())
        }
    }
}

/// Ends a session. Tokens that were given out stay good until they expire.
#[utoipa::path(post, path = "/v1/sessions/logout", request_body = Refresh,
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn log_out(State(Api(api)): State<Api>, Json(shown): Json<Refresh>) -> Result<StatusCode, ApiError> {
    let mut tx = api.db.begin_spared().await?;
    if let Some(account) = accounts::log_out(&mut tx, &shown.refresh_token).await? {
        told(&mut tx, &account, "session.closed").await?;
    }
    commit(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whose token this is.
#[utoipa::path(get, path = "/v1/accounts/me", security(("token" = [])),
    responses((status = 200, body = Account), (status = "4XX", body = Problem)))]
async fn me(State(Api(api)): State<Api>, principal: Principal) -> Result<Json<Account>, ApiError> {
    let account = accounts::by_id(&mut *api.db.acquire().await?, principal.account_id).await?;
    account.map(Json).ok_or_else(|| ApiError::not_found("account of this token"))
}

/// What has happened to an order, and what comes next.
#[utoipa::path(get, path = "/v1/orders/{id}/timeline", params(("id" = OrderId, Path)), security(("token" = [])),
    responses((status = 200, body = Timeline), (status = "4XX", body = Problem)))]
async fn show_timeline(
    State(Api(api)): State<Api>,
    principal: Principal,
    Path(id): Path<OrderId>,
) -> Result<Json<Timeline>, ApiError> {
    let filter = Filter { order_id: Some(id), ..Filter::default() };
    let events = events::list(&mut *api.db.acquire().await?, &principal, &filter, TIMELINE_MAX).await?;
    if events.is_empty() {
        return Err(ApiError::not_found(format_args!("order {id} that the console has heard of")));
    }
    Ok(Json(timeline::of(id, &events)))
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EventsQuery {
    /// Only those about this order, the oldest first; without it, the newest first.
    order_id: Option<OrderId>,
    /// Most items of the page; 50 if nothing is said, at most 200.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Events that the account may see.
#[utoipa::path(get, path = "/v1/events", params(EventsQuery), security(("token" = [])),
    responses((status = 200, body = Page<EventRecord>), (status = "4XX", body = Problem)))]
async fn list_events(
    State(Api(api)): State<Api>,
    principal: Principal,
    Query(query): Query<EventsQuery>,
) -> Result<Json<Page<EventRecord>>, ApiError> {
    let newest_first = query.order_id.is_none();
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let (limit, cursor) = (page.limit()?, page.cursor()?);
    let (after, before) = if newest_first { (None, cursor) } else { (cursor, None) };
    let filter = Filter { order_id: query.order_id, after, before, newest_first };
    let found = events::list(&mut *api.db.acquire().await?, &principal, &filter, limit + 1).await?;
    Ok(Json(page_of(found, limit, |event| event.position.to_string())))
}

/// Where a stream begins.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StreamQuery {
    /// Only events about this order.
    order_id: Option<OrderId>,
    /// After this position; from now on if nothing is said. The header `Last-Event-ID` goes before.
    after: Option<i64>,
}

/// Events as they happen, as server-sent events; `id` is the position, `event` the type, `data` a record.
#[utoipa::path(get, path = "/v1/stream", params(StreamQuery), security(("token" = [])),
    responses((status = 200, content_type = "text/event-stream", body = EventRecord), (status = "4XX", body = Problem)))]
async fn stream(
    State(Api(api)): State<Api>,
    principal: Principal,
    headers: HeaderMap,
    Query(query): Query<StreamQuery>,
) -> Result<Response, ApiError> {
    let place = api.streams.take(principal.account_id)?;
    let last_seen = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    // Nobody has seen what is not there yet: a position beyond the last is of another database.
    let last = events::last_position(&mut *api.db.acquire().await?).await?;
    let position = last_seen.or(query.after).map_or(last, |position: i64| position.min(last));
    let (news, stop) = (api.news.subscribe(), api.stop.clone());
    let reader = Reader::new(api.db.clone(), principal, query.order_id, position, news, stop, place);
    Ok(Sse::new(reader.stream()).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

/// Which entries of the audit log.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// Only of this one, or of all whose names begin so: `admin/`.
    actor: Option<String>,
    /// Only this, or all that begin so: `chaos.`.
    action: Option<String>,
    /// Only to this.
    subject: Option<String>,
    /// Most items of the page; 50 if nothing is said, at most 200.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Who did what to what, the newest first.
#[utoipa::path(get, path = "/v1/audit", params(AuditQuery), security(("token" = [])),
    responses((status = 200, body = Page<AuditEntry>), (status = "4XX", body = Problem)))]
async fn list_audit(
    State(Api(api)): State<Api>,
    principal: Principal,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Page<AuditEntry>>, ApiError> {
    principal.require(Role::Admin)?;
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = page.limit()?;
    let AuditQuery { actor, action, subject, .. } = query;
    for (name, text) in [("actor", &actor), ("action", &action), ("subject", &subject)] {
        // An empty one is of nobody and of nothing, and finds nothing.
        text.as_ref().filter(|text| !text.is_empty()).map(|text| checked_text(name, text)).transpose()?;
    }
    let filter = audit::Filter { actor, action, subject, before: page.cursor()? };
    let entries = audit::list(&mut *api.db.acquire().await?, &filter, limit).await?;
    Ok(Json(page_of(entries, limit, |entry| entry.number.to_string())))
}

/// Writes down what an admin has done outside of the services.
#[utoipa::path(post, path = "/v1/audit", request_body = AuditNote, security(("token" = [])),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn note_audit(
    State(Api(api)): State<Api>,
    principal: Principal,
    Json(note): Json<AuditNote>,
) -> Result<StatusCode, ApiError> {
    principal.require(Role::Admin)?;
    let AuditNote { action, subject, detail } = note;
    let (action, subject) = (checked_text("action", action)?, checked_text("subject", subject)?);
    without_nul("detail", &detail)?;
    let mut tx = api.db.begin().await?;
    let at_ms = clock::now_ms(&mut tx).await?;
    audit::append(&mut tx, &[Done { at_ms, actor: principal.actor(), action, subject, detail }]).await?;
    commit(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which part of the audit log is checked.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AuditPartQuery {
    /// From the entry behind this one on, whose `hash` has to be said too; from the first one if nothing is said.
    after: Option<i64>,
    /// The hash of that entry, in hexadecimal digits.
    hash: Option<String>,
    /// Most entries that are looked at; 20,000 if nothing is said, which is the most.
    limit: Option<i64>,
}

impl AuditPartQuery {
    fn read(self) -> Result<(audit::Place, i64), ApiError> {
        let refused = |detail: String| ApiError::new(Code::ValidationFailed, detail);
        let place = match (self.after, self.hash) {
            (None, None) => Some(audit::Place::default()),
            (Some(after), Some(hash)) => audit::Place::read(&AuditPlace { after, hash }),
            _ => None,
        };
        let place = place.ok_or_else(|| refused("after and hash are those of one entry, or left out".to_owned()))?;
        let limit = self.limit.unwrap_or(audit::CHECK_MAX);
        if (1..=audit::CHECK_MAX).contains(&limit) {
            return Ok((place, limit));
        }
        Err(refused(format!("limit is between 1 and {}, not {limit}", audit::CHECK_MAX)))
    }
}

/// Whether a part of the audit log is whole: every entry fits to the one before. `next` says where the next part begins;
/// without it, this is all of it.
#[utoipa::path(get, path = "/v1/audit/verify", params(AuditPartQuery), security(("token" = [])),
    responses((status = 200, body = AuditPart), (status = "4XX", body = Problem)))]
async fn check_audit(
    State(Api(api)): State<Api>,
    principal: Principal,
    Query(query): Query<AuditPartQuery>,
) -> Result<Json<AuditPart>, ApiError> {
    principal.require(Role::Admin)?;
    let (place, limit) = query.read()?;
    let mut tx = api.db.begin().await?;
    sqlx::query("set transaction isolation level repeatable read, read only").execute(&mut *tx).await?;
    audit::check(&mut tx, place, limit).await.map(Json)
}

/// Tells the audit log of what an account has done here.
async fn told(conn: &mut PgConnection, account: &Account, action: &str) -> Result<(), ApiError> {
    let actor = Principal::new(account.id, account.role).actor();
    append(conn, actor, action, account.id).await
}

/// Tells the audit log of what was done to an account.
async fn append(conn: &mut PgConnection, actor: String, action: &str, account_id: AccountId) -> Result<(), ApiError> {
    let at_ms = clock::now_ms(&mut *conn).await?;
    let (action, subject, detail) = (action.to_owned(), account_id.to_string(), Value::Null);
    Ok(audit::append(conn, &[Done { at_ms, actor, action, subject, detail }]).await?)
}
