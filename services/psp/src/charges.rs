//! Money that is taken, or not: either is recorded, together with the key it was asked for with.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use orderflow_contracts::{
    api::{
        Page,
        payments::Card,
        psp::{Charge, ChargeStatus, CreateCharge},
    },
    money::{Currency, Money},
    problem::{Code, Problem},
    timestamp::Timestamp,
};
use orderflow_platform::http::{ApiError, Json, PageQuery, Path, Query, commit, page_of};
use sqlx::PgConnection;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    Filter, Psp,
    access::Merchant,
    check_amount, check_reference,
    faults::TestFaults,
    ids::ChargeId,
    keys::{Claim, RequestKey, replayed},
    test_cards::{Behaviour, ERRORS},
    tokens, unreadable,
};

/// The routes of charges.
pub fn routes() -> OpenApiRouter<Arc<Psp>> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(show))
}

/// Charges a card. The same key never charges twice: it gets the same answer again.
#[utoipa::path(
    post,
    path = "/v1/charges",
    tag = "charges",
    request_body = CreateCharge,
    params(("Idempotency-Key" = String, Header, description = "1 to 100 printable characters")),
    responses(
        (status = CREATED, description = "The money was taken", body = Charge),
        (status = PAYMENT_REQUIRED, description = "It was not, and will not be", body = Charge),
        (status = UNAUTHORIZED, body = Problem),
        (status = UNPROCESSABLE_ENTITY, description = "Something is wrong with the request or its key", body = Problem),
    ),
    security(("secret_key" = []))
)]
async fn create(
    State(psp): State<Arc<Psp>>,
    _: Merchant,
    key: RequestKey,
    faults: TestFaults,
    Json(asked): Json<CreateCharge>,
) -> Result<Response, ApiError> {
    faults.strike_before(&psp.stop).await?;
    check_amount(asked.amount.minor)?;
    check_reference(&asked.reference)?;
    let key = key.with("charge", &asked)?;
    let mut tx = psp.db.begin().await?;
    let failures = match key.claim::<Charge>(&mut tx).await? {
        Claim::Done(charge) => return Ok(replayed(status_of(&charge), charge)),
        Claim::Open { failures } => failures,
    };
    let (card, behaviour) = tokens::find(&mut tx, &asked.token).await?;
    if behaviour == Behaviour::FailsAtFirst && failures < ERRORS {
        key.failed(&mut tx).await?;
        commit(tx).await?;
        return Err(ApiError::new(Code::Internal, "this card's first charges fail on purpose; nothing was taken"));
    }
    let declined = faults.decline.or_else(|| match behaviour {
        Behaviour::Declines(code) => Some(code.to_owned()),
        _ => None,
    });
    let charge = insert(&mut tx, asked, card, declined).await?;
    key.record(&mut tx, &charge).await?;
    commit(tx).await?;
    tracing::info!(charge_id = charge.id, reference = charge.reference, status = ?charge.status, "a charge");
    if behaviour == Behaviour::TimesOutAfterCharge || faults.hang {
        psp.withhold().await;
    }
    Ok((status_of(&charge), Json(charge)).into_response())
}

fn status_of(charge: &Charge) -> StatusCode {
    match charge.status {
        ChargeStatus::Succeeded => StatusCode::CREATED,
        ChargeStatus::Declined => StatusCode::PAYMENT_REQUIRED,
    }
}

async fn insert(
    conn: &mut PgConnection,
    asked: CreateCharge,
    card: Card,
    decline_code: Option<String>,
) -> Result<Charge, ApiError> {
    let id = ChargeId::next();
    let status = if decline_code.is_some() { ChargeStatus::Declined } else { ChargeStatus::Succeeded };
    let created_ms = sqlx::query_scalar(
        "insert into charges (id, amount_minor, currency, status, decline_code, brand, last4, reference)
         values ($1, $2, $3, $4, $5, $6, $7, $8) returning created_ms",
    )
    .bind(id.0)
    .bind(asked.amount.minor)
    .bind(asked.amount.currency.code())
    .bind(status_text(status))
    .bind(&decline_code)
    .bind(&card.brand)
    .bind(&card.last4)
    .bind(&asked.reference)
    .fetch_one(conn)
    .await?;
    let (id, amount, created_at) = (id.to_string(), asked.amount, Timestamp(created_ms));
    Ok(Charge { id, amount, status, decline_code, card, reference: asked.reference, refunded_minor: 0, created_at })
}

/// The charges, the newest first.
#[utoipa::path(
    get,
    path = "/v1/charges",
    tag = "charges",
    params(Filter, PageQuery),
    responses((status = OK, body = Page<Charge>), (status = UNAUTHORIZED, body = Problem)),
    security(("secret_key" = []))
)]
async fn list(
    State(psp): State<Arc<Psp>>,
    _: Merchant,
    Query(filter): Query<Filter>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Charge>>, ApiError> {
    let (limit, before) = (page.limit()?, page.cursor::<ChargeId>()?);
    let rows: Vec<ChargeRow> = sqlx::query_as(
        "select id, amount_minor, currency, status, decline_code, brand, last4, reference, refunded_minor, created_ms
         from charges where ($1::text is null or reference = $1) and ($2::uuid is null or id < $2)
         order by id desc limit $3",
    )
    .bind(filter.reference()?)
    .bind(before.map(|id| id.0))
    .bind(limit + 1)
    .fetch_all(psp.db.pool())
    .await?;
    let charges = rows.into_iter().map(charge_of).collect::<Result<_, _>>()?;
    Ok(Json(page_of(charges, limit, |charge: &Charge| charge.id.clone())))
}

/// One charge, as it is now.
#[utoipa::path(
    get,
    path = "/v1/charges/{id}",
    tag = "charges",
    params(("id" = String, Path, description = "`ch_…`")),
    responses(
        (status = OK, body = Charge),
        (status = UNAUTHORIZED, body = Problem),
        (status = NOT_FOUND, body = Problem),
    ),
    security(("secret_key" = []))
)]
async fn show(State(psp): State<Arc<Psp>>, _: Merchant, Path(id): Path<String>) -> Result<Json<Charge>, ApiError> {
    let unknown = || ApiError::not_found("charge with this id");
    let id: ChargeId = id.parse().map_err(|_| unknown())?;
    let row: Option<ChargeRow> = sqlx::query_as(
        "select id, amount_minor, currency, status, decline_code, brand, last4, reference, refunded_minor, created_ms
         from charges where id = $1",
    )
    .bind(id.0)
    .fetch_optional(psp.db.pool())
    .await?;
    charge_of(row.ok_or_else(unknown)?).map(Json)
}

type ChargeRow = (Uuid, i64, String, String, Option<String>, String, String, String, i64, i64);

fn charge_of(row: ChargeRow) -> Result<Charge, ApiError> {
    let (id, minor, currency, status, decline_code, brand, last4, reference, refunded_minor, created_ms) = row;
    Ok(Charge {
        id: ChargeId(id).to_string(),
        amount: Money::new(minor, currency.parse::<Currency>().map_err(unreadable)?),
        status: if status == status_text(ChargeStatus::Succeeded) {
            ChargeStatus::Succeeded
        } else {
            ChargeStatus::Declined
        },
        decline_code,
        card: Card { brand, last4 },
        reference,
        refunded_minor,
        created_at: Timestamp(created_ms),
    })
}

const fn status_text(status: ChargeStatus) -> &'static str {
    match status {
        ChargeStatus::Succeeded => "succeeded",
        ChargeStatus::Declined => "declined",
    }
}
