//! `/health/live`, `/health/ready`, `/metrics`, `/openapi.json` and `/v1/clock`: what every service has.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use orderflow_contracts::{
    api::{Clock, NotReady, Readiness, SetClock, console::Role},
    problem::{Code, Problem},
    timestamp::Timestamp,
};
use serde_json::json;
use sqlx::PgPool;
use tokio::sync::Notify;
use utoipa::openapi::{
    InfoBuilder, OpenApi,
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{ApiError, Json, commit, ops};
use crate::{
    auth::Principal,
    clock,
    consumer::Assigned,
    db::{self, Db},
    lag::Lag,
    metrics::Metrics,
    outbox::{self, Outbox},
    unreadable::Unreadable,
};

/// How long a part may take to say that it is well.
const PROBE_MAX: Duration = Duration::from_secs(2);

/// What a service's health hangs on.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// Whether the consumer has its partitions; none for a service that consumes nothing.
    pub assigned: Option<Assigned>,
}

/// What the routes of this file need.
pub struct Status {
    /// The service's name.
    pub service: &'static str,
    /// Wakes its relay.
    pub outbox: Outbox,
    /// The service's database.
    pub db: Db,
    /// Its numbers.
    pub metrics: Metrics,
    /// The rows that it cannot read.
    pub unreadable: Unreadable,
    /// How far its consumer is behind; none for a service that consumes nothing.
    pub lag: Option<Lag>,
    /// What it needs to be ready.
    pub health: Health,
    /// Whether its clock can be moved: in a local cluster only.
    pub local: bool,
    /// Told when the clock was moved.
    pub clock_moved: Arc<Notify>,
    /// The OpenAPI document.
    pub openapi: String,
}

/// The routes that stand in the OpenAPI document.
fn clock_routes() -> OpenApiRouter<Arc<Status>> {
    OpenApiRouter::new().routes(routes!(show_clock, set_clock))
}

impl Status {
    /// The routes.
    pub fn router(self) -> Router {
        Router::new()
            .route("/health/live", get(async || StatusCode::OK))
            .route("/health/ready", get(ready))
            .route("/metrics", get(metrics))
            .route("/openapi.json", get(openapi))
            .merge(clock_routes())
            .with_state(Arc::new(self))
    }
}

async fn ready(State(status): State<Arc<Status>>) -> Response {
    let mut not_ready = Vec::new();
    if let Err(reason) = probe_database(status.db.pool()).await {
        not_ready.push(NotReady { part: "database".to_owned(), reason });
    }
    if status.health.assigned.as_ref().is_some_and(|assigned| !assigned.is_so()) {
        let reason = "no partitions yet: Kafka is not there, or the group is being formed".to_owned();
        not_ready.push(NotReady { part: "consumer".to_owned(), reason });
    }
    if status.outbox.is_failing() {
        let reason = "what is committed cannot be published: Kafka is not there".to_owned();
        not_ready.push(NotReady { part: "relay".to_owned(), reason });
    }
    let code = if not_ready.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(Readiness { ready: not_ready.is_empty(), not_ready })).into_response()
}

async fn probe_database(pool: &PgPool) -> Result<(), String> {
    let probe = async { db::ping(&mut *pool.acquire().await?).await };
    match tokio::time::timeout(PROBE_MAX, probe).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer for {} s", PROBE_MAX.as_secs())),
    }
}

async fn metrics(State(status): State<Arc<Status>>) -> Result<Response, ApiError> {
    status.unreadable.count();
    let pending = sqlx::query_scalar("select count(*) from outbox_pending").fetch_one(status.db.pool()).await?;
    if let Some(lag) = &status.lag {
        lag.refresh().await;
    }
    let content_type = [(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    Ok((content_type, status.metrics.text(pending)).into_response())
}

async fn openapi(State(status): State<Arc<Status>>) -> Response {
    ([(CONTENT_TYPE, "application/json")], status.openapi.clone()).into_response()
}

/// What time it is at this service.
#[utoipa::path(get, path = "/v1/clock", tag = "admin", security(("token" = [])),
    responses((status = 200, body = Clock), (status = "4XX", body = Problem)))]
async fn show_clock(State(status): State<Arc<Status>>, _: Principal) -> Result<Json<Clock>, ApiError> {
    let mut conn = status.db.pool().acquire().await?;
    let now = Timestamp(clock::now_ms(&mut conn).await?);
    Ok(Json(Clock { now, offset_ms: clock::offset_ms(&mut conn).await? }))
}

/// Moves the clock of this service. In a local cluster only.
#[utoipa::path(put, path = "/v1/clock", tag = "admin", request_body = SetClock, security(("token" = [])),
    responses((status = 200, body = Clock), (status = "4XX", body = Problem)))]
async fn set_clock(
    State(status): State<Arc<Status>>,
    principal: Principal,
    Json(set): Json<SetClock>,
) -> Result<Json<Clock>, ApiError> {
    principal.require(Role::Admin)?;
    if !status.local {
        return Err(ApiError::new(Code::ClockFixed, "only the clock of a local cluster can be moved"));
    }
    if set.offset_ms.unsigned_abs() > clock::OFFSET_MS_MAX.unsigned_abs() {
        return Err(ApiError::new(Code::ValidationFailed, "the clock can be moved by ten years at most"));
    }
    let mut tx = status.db.begin_spared().await?;
    clock::set_offset_ms(&mut tx, set.offset_ms).await?;
    let detail = json!({ "offset_ms": set.offset_ms });
    outbox::audit(&mut tx, status.service, &principal, "clock.set", status.service, detail).await?;
    let now = Timestamp(clock::now_ms(&mut tx).await?);
    commit(tx).await?;
    status.outbox.wake();
    status.clock_moved.notify_waiters();
    tracing::info!(offset_ms = set.offset_ms, account_id = %principal.account_id, "the clock was moved");
    Ok(Json(Clock { now, offset_ms: set.offset_ms }))
}

/// A service's OpenAPI document as JSON, with its name, the way in, and what every service has for admins.
pub fn describe(mut openapi: OpenApi, title: &str, description: &str) -> String {
    openapi.merge(ops::document());
    openapi.merge(clock_routes().into_openapi());
    openapi.info =
        InfoBuilder::new().title(title).description(Some(description)).version(env!("CARGO_PKG_VERSION")).build();
    let token = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build());
    let components = openapi.components.get_or_insert_default();
    components.add_security_scheme("token", token);
    openapi.to_pretty_json().unwrap_or_default()
}
