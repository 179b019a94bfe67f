//! HTTP in, payments out.

use std::{collections::HashMap, sync::Arc};

use axum::{Router, extract::State, http::StatusCode};
use orderflow_contracts::{
    api::{
        Page,
        console::Role,
        payments::{Pay, Payment, PaymentStatus, ProviderCall},
        psp::{Charge, Refund},
    },
    ids::OrderId,
    problem::{Code, Problem},
    timestamp::Timestamp,
};
use orderflow_platform::db::Db;
use orderflow_platform::{
    auth::Principal,
    http::{ApiError, Json, PageQuery, Path, Query, RequestContext},
    idempotency::{Done, Keyed},
    listing::Listing,
    outbox::{self, Outbox},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;
use sqlx::PgConnection;
use tokio::sync::Notify;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::{Input, Rejection},
    handle::Batch,
    provider::{Provider, Unknown},
    store::{self, Row},
};

/// Longest token, in characters.
const TOKEN_MAX: usize = 100;

/// What the handlers need.
#[derive(Clone)]
pub struct Api {
    db: Db,
    outbox: Outbox,
    calls: Arc<Notify>,
    provider: Provider,
}

impl Api {
    /// On this database; `calls` is told when the provider has to be asked.
    pub const fn new(db: Db, outbox: Outbox, calls: Arc<Notify>, provider: Provider) -> Self {
        Self { db, outbox, calls, provider }
    }
}

/// The routes and their OpenAPI document.
pub fn router(api: Api) -> (Router, String) {
    let (router, openapi) = OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(pay))
        .routes(routes!(provider_charges))
        .routes(routes!(provider_refunds))
        .with_state(api)
        .split_for_parts();
    (router, orderflow_platform::http::describe(openapi, "OrderFlow payments", "Intents, charges, refunds"))
}

/// Pays what is due, with a token that the provider has given for a card. The answer says that the provider is being
/// asked; what comes of it is on the payment, and on the order.
#[utoipa::path(post, path = "/v1/payments/{order_id}/pay", request_body = Pay, security(("token" = [])),
    params(("order_id" = OrderId, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes the request safe to repeat")),
    responses((status = 202, body = Payment), (status = "4XX", body = Problem)))]
async fn pay(
    State(api): State<Api>,
    principal: Principal,
    RequestContext(context): RequestContext,
    Path(id): Path<OrderId>,
    Keyed { body, key }: Keyed<Pay>,
) -> Result<Done<Option<Payment>>, ApiError> {
    principal.require(Role::Customer)?;
    check_token(&body.token)?;
    // A typing mistake must not end the payment as a declined card does.
    if !api.provider.may_know(&body.token).await {
        return Err(ApiError::new(Code::ValidationFailed, "the payment provider does not know this token"));
    }
    let pay = async |tx: &mut PgConnection| {
        let mut batch = Batch::load(tx, &[id]).await?;
        // Whoever may not see a payment does not learn that there is one, nor that there is such an order. Without a
        // customer it was never due: the order was cancelled before.
        let is_own = |row: &Row| row.customer_id == Some(principal.account_id);
        if !batch.get(id).is_some_and(is_own) {
            let detail =
                format!("there is no payment for order {id}: its seller has not confirmed it yet, or it is not yours");
            return Err(ApiError::new(Code::NotFound, detail));
        }
        batch.apply(id, Input::Pay, Some(&body.token), &context).map_err(reject)?;
        batch.save(tx).await?;
        let calls = open_calls(tx, &principal, &[id]).await?;
        let payment = batch.get(id).and_then(|row| view(row, &calls));
        // No event tells of it: what comes of it is the provider's doing.
        let detail = json!({ "amount": payment.as_ref().and_then(|payment| payment.amount) });
        outbox::audit(tx, "payments", &principal, "payment.pay", id, detail).await?;
        Ok((StatusCode::ACCEPTED, payment))
    };
    let done = key.once(&api.db, &api.outbox, &principal, pay).await?;
    if done.now().is_some() {
        api.calls.notify_one();
        tracing::info!(order_id = %id, correlation_id = context.correlation_id, "payment under way");
    }
    Ok(done)
}

/// A token is a word; a card's number is refused before it is anywhere.
fn check_token(token: &str) -> Result<(), ApiError> {
    let is_word = (1..=TOKEN_MAX).contains(&token.len())
        && token.starts_with("tok_")
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_word {
        return Ok(());
    }
    let detail = "token is what the payment provider gives for a card, as tok_…; a card's number must not be sent here";
    Err(ApiError::new(Code::ValidationFailed, detail))
}

fn reject(rejection: Rejection) -> ApiError {
    match rejection {
        Rejection::NothingDue => {
            ApiError::new(Code::NothingDue, "nothing is due for this order: its seller has not confirmed it yet")
        }
        Rejection::TooLate { pay_until } => {
            let pay_until = Timestamp(pay_until);
            ApiError::new(Code::PaymentDeadlinePassed, format!("the order could be paid until {pay_until}"))
        }
        Rejection::UnderWay => {
            let detail = "a payment is under way; wait for its outcome, it is not tried twice";
            ApiError::new(Code::PaymentInProgress, detail)
        }
        Rejection::AlreadyPaid => ApiError::new(Code::AlreadyPaid, "the order is paid already"),
        Rejection::Over => ApiError::new(Code::PaymentOver, "the payment was declined, voided or refunded"),
    }
}

/// Which payments.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those in this state.
    status: Option<PaymentStatus>,
    /// Most items of the page; 50 if nothing is said, at most 200.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The payments that the account may see, those of the newest orders first.
#[utoipa::path(get, path = "/v1/payments", params(ListQuery), security(("token" = [])),
    responses((status = 200, body = Page<Payment>), (status = "4XX", body = Problem)))]
async fn list(
    State(api): State<Api>,
    principal: Principal,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Payment>>, ApiError> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let listing = Listing::new(&principal, query.status.map(PaymentStatus::as_str), &page)?;
    let mut conn = api.db.acquire().await?;
    let rows = store::list(&mut conn, &listing).await?;
    let ids: Vec<_> = rows.iter().map(|row| row.order_id).collect();
    let calls = open_calls(&mut conn, &principal, &ids).await?;
    let payments = rows.iter().filter_map(|row| view(row, &calls)).collect();
    Ok(Json(listing.page(payments, |payment: &Payment| payment.order_id)))
}

/// An order's payment: what its payment link leads to.
#[utoipa::path(get, path = "/v1/payments/{order_id}", params(("order_id" = OrderId, Path)), security(("token" = [])),
    responses((status = 200, body = Payment), (status = "4XX", body = Problem)))]
async fn show(
    State(api): State<Api>,
    principal: Principal,
    Path(id): Path<OrderId>,
) -> Result<Json<Payment>, ApiError> {
    let mut conn = api.db.acquire().await?;
    let row = store::load(&mut conn, id).await?.filter(|row| principal.may_see(row.customer_id, row.seller_id));
    let calls = open_calls(&mut conn, &principal, &[id]).await?;
    let found = row.and_then(|row| view(&row, &calls)).map(Json);
    found.ok_or_else(|| ApiError::not_found(format_args!("payment for order {id}")))
}

/// What the provider's own ledger says of charges, the newest first: for the checker, which compares it with ours.
#[utoipa::path(get, path = "/v1/provider/charges", params(PageQuery), security(("token" = [])),
    responses((status = 200, body = Page<Charge>), (status = "4XX", body = Problem)))]
async fn provider_charges(
    State(api): State<Api>,
    principal: Principal,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Charge>>, ApiError> {
    ledger(&api, principal, "charges", page).await
}

/// What the provider's own ledger says of refunds, the newest first.
#[utoipa::path(get, path = "/v1/provider/refunds", params(PageQuery), security(("token" = [])),
    responses((status = 200, body = Page<Refund>), (status = "4XX", body = Problem)))]
async fn provider_refunds(
    State(api): State<Api>,
    principal: Principal,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Refund>>, ApiError> {
    ledger(&api, principal, "refunds", page).await
}

async fn ledger<T: DeserializeOwned>(
    api: &Api,
    principal: Principal,
    what: &'static str,
    page: PageQuery,
) -> Result<Json<Page<T>>, ApiError> {
    principal.require(Role::Admin)?;
    let limit = ("limit", page.limit()?.to_string());
    let query: Vec<_> = [limit].into_iter().chain(page.cursor.map(|cursor| ("cursor", cursor))).collect();
    let unavailable = |error: String| ApiError::new(Code::Unavailable, format!("the provider's ledger: {error}"));
    let body = api.provider.ledger(what, &query).await.map_err(|unknown| match unknown {
        // What it does not take, nobody can mend but whoever asked.
        Unknown::Refused(detail) => ApiError::new(Code::ValidationFailed, detail),
        unknown => unavailable(unknown.to_string()),
    })?;
    serde_json::from_slice(&body).map(Json).map_err(|error| unavailable(error.to_string()))
}

/// The calls that are under way. What the provider said of them, as it said it, is for admins.
async fn open_calls(
    conn: &mut PgConnection,
    principal: &Principal,
    ids: &[OrderId],
) -> Result<HashMap<OrderId, ProviderCall>, sqlx::Error> {
    let calls = store::open_calls(conn, ids).await?;
    let said = |call: ProviderCall| match principal.role {
        Role::Admin => call,
        _ => ProviderCall {
            last_error: call.last_error.map(|_| "the provider has not answered for certain".into()),
            ..call
        },
    };
    Ok(calls.into_iter().map(|(id, call)| (id, said(call))).collect())
}

fn view(row: &Row, calls: &HashMap<OrderId, ProviderCall>) -> Option<Payment> {
    Some(Payment {
        order_id: row.order_id,
        status: row.status()?,
        customer_id: row.customer_id,
        amount: row.amount,
        pay_until: row.pay_until.map(Timestamp),
        charge_id: row.charge_id.clone(),
        refund_id: row.refund_id.clone(),
        decline_code: row.decline_code.clone(),
        card: row.card.clone(),
        call: calls.get(&row.order_id).cloned(),
        created_at: Timestamp(row.created_ms),
        updated_at: Timestamp(row.updated_ms),
    })
}
