//! Money that is given back: never more than was taken, however many ask at once.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use orderflow_contracts::{
    api::{
        Page,
        psp::{CreateRefund, Refund},
    },
    money::{Currency, Money},
    problem::{Code, Problem},
    timestamp::Timestamp,
};
use orderflow_platform::http::{ApiError, Json, PageQuery, Query, commit, page_of};
use sqlx::PgConnection;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    Filter, Psp,
    access::Merchant,
    check_amount,
    faults::TestFaults,
    ids::{ChargeId, RefundId},
    keys::{Claim, RequestKey, replayed},
    unreadable,
};

/// The routes of refunds.
pub fn routes() -> OpenApiRouter<Arc<Psp>> {
    OpenApiRouter::new().routes(routes!(create, list))
}

/// Gives back a charge's money, or a part of it. The same key never gives twice.
#[utoipa::path(
    post,
    path = "/v1/refunds",
    tag = "refunds",
    request_body = CreateRefund,
    params(("Idempotency-Key" = String, Header, description = "1 to 100 printable characters")),
    responses(
        (status = CREATED, body = Refund),
        (status = UNAUTHORIZED, body = Problem),
        (status = UNPROCESSABLE_ENTITY, description = "The charge has not so much left to give back", body = Problem),
    ),
    security(("secret_key" = []))
)]
async fn create(
    State(psp): State<Arc<Psp>>,
    _: Merchant,
    key: RequestKey,
    faults: TestFaults,
    Json(asked): Json<CreateRefund>,
) -> Result<Response, ApiError> {
    faults.strike_before_refund(&psp.stop).await?;
    check_amount(asked.amount.minor)?;
    let key = key.with("refund", &asked)?;
    let mut tx = psp.db.begin().await?;
    if let Claim::Done(refund) = key.claim::<Refund>(&mut tx).await? {
        return Ok(replayed(StatusCode::CREATED, refund));
    }
    let (charge_id, reference) = take_back(&mut tx, &asked).await?;
    let refund = insert(&mut tx, charge_id, asked.amount, reference).await?;
    key.record(&mut tx, &refund).await?;
    commit(tx).await?;
    tracing::info!(refund_id = refund.id, charge_id = refund.charge_id, reference = refund.reference, "a refund");
    if faults.hang {
        psp.withhold().await;
    }
    Ok((StatusCode::CREATED, Json(refund)).into_response())
}

/// Locks the charge, and writes down that so much of it is given back; its id and reference.
async fn take_back(conn: &mut PgConnection, asked: &CreateRefund) -> Result<(ChargeId, String), ApiError> {
    let refused = |detail: &str| ApiError::new(Code::ValidationFailed, detail);
    let unknown = || refused("charge_id: there is no such charge");
    let id: ChargeId = asked.charge_id.parse().map_err(|_| unknown())?;
    let row: Option<(String, i64, String, String)> = sqlx::query_as(
        "select status, amount_minor - refunded_minor, currency, reference from charges where id = $1 for update",
    )
    .bind(id.0)
    .fetch_optional(&mut *conn)
    .await?;
    let (status, left_minor, currency, reference) = row.ok_or_else(unknown)?;
    if status != "succeeded" {
        return Err(refused("charge_id: the charge was declined, there is nothing to give back"));
    }
    if currency != asked.amount.currency.code() {
        return Err(refused("amount: the charge is in another currency"));
    }
    if asked.amount.minor > left_minor {
        return Err(refused("amount: more than is left of the charge").with("left_minor", left_minor));
    }
    sqlx::query("update charges set refunded_minor = refunded_minor + $2 where id = $1")
        .bind(id.0)
        .bind(asked.amount.minor)
        .execute(conn)
        .await?;
    Ok((id, reference))
}

async fn insert(
    conn: &mut PgConnection,
    charge_id: ChargeId,
    amount: Money,
    reference: String,
) -> Result<Refund, ApiError> {
    let id = RefundId::next();
    let created_ms = sqlx::query_scalar(
        "insert into refunds (id, charge_id, amount_minor, currency, reference) values ($1, $2, $3, $4, $5)
         returning created_ms",
    )
    .bind(id.0)
    .bind(charge_id.0)
    .bind(amount.minor)
    .bind(amount.currency.code())
    .bind(&reference)
    .fetch_one(conn)
    .await?;
    let (id, charge_id, created_at) = (id.to_string(), charge_id.to_string(), Timestamp(created_ms));
    Ok(Refund { id, charge_id, amount, reference, created_at })
}

/// The refunds, the newest first.
#[utoipa::path(
    get,
    path = "/v1/refunds",
    tag = "refunds",
    params(Filter, PageQuery),
    responses((status = OK, body = Page<Refund>), (status = UNAUTHORIZED, body = Problem)),
    security(("secret_key" = []))
)]
async fn list(
    State(psp): State<Arc<Psp>>,
    _: Merchant,
    Query(filter): Query<Filter>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Refund>>, ApiError> {
    let (limit, before) = (page.limit()?, page.cursor::<RefundId>()?);
    let rows: Vec<RefundRow> = sqlx::query_as(
        "select id, charge_id, amount_minor, currency, reference, created_ms
         from refunds where ($1::text is null or reference = $1) and ($2::uuid is null or id < $2)
         order by id desc limit $3",
    )
    .bind(filter.reference()?)
    .bind(before.map(|id| id.0))
    .bind(limit + 1)
    .fetch_all(psp.db.pool())
    .await?;
    let refunds = rows.into_iter().map(refund_of).collect::<Result<_, _>>()?;
    Ok(Json(page_of(refunds, limit, |refund: &Refund| refund.id.clone())))
}

type RefundRow = (Uuid, Uuid, i64, String, String, i64);

fn refund_of((id, charge_id, minor, currency, reference, created_ms): RefundRow) -> Result<Refund, ApiError> {
    Ok(Refund {
        id: RefundId(id).to_string(),
        charge_id: ChargeId(charge_id).to_string(),
        amount: Money::new(minor, currency.parse::<Currency>().map_err(unreadable)?),
        reference,
        created_at: Timestamp(created_ms),
    })
}
