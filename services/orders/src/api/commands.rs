//! What people want of orders.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use orderflow_contracts::{
    api::{
        console::Role,
        orders::{CatalogEntry, CreateLine, CreateOrder, Order},
    },
    ids::OrderId,
    problem::{Code, Problem},
};
use orderflow_platform::{
    auth::Principal,
    http::{ApiError, Json, Path, RequestContext, commit},
    idempotency::{Claim, Keyed, Nothing},
};
use sqlx::PgConnection;

use super::{Api, may_see, refuse, reject};
use crate::{
    domain::{Command, Input},
    handle::{self, Batch},
    store,
};

/// Orders products, at the prices that this service knows.
#[utoipa::path(post, path = "/v1/orders", request_body = CreateOrder, security(("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes the request safe to repeat")),
    responses((status = 201, body = Order), (status = "4XX", body = Problem)))]
pub(super) async fn create(
    State(api): State<Api>,
    principal: Principal,
    RequestContext(context): RequestContext,
    Keyed { body, key }: Keyed<CreateOrder>,
) -> Result<Response, ApiError> {
    principal.require(Role::Customer)?;
    let mut tx = api.db.begin().await?;
    if let Claim::Replay(answer) = key.claim(&mut tx, &principal).await? {
        return Ok(answer);
    }
    let lines = priced(&mut tx, &body.lines).await?;
    let row = handle::create(&mut tx, principal.account_id, &lines, &context).await.map_err(refuse)?;
    let order = api.show(&row);
    key.record(&mut tx, &principal, StatusCode::CREATED, &order).await?;
    commit(tx).await?;
    api.outbox.wake();
    tracing::info!(order_id = %order.id, correlation_id = context.correlation_id, total = %order.total, "order created");
    Ok((StatusCode::CREATED, Json(order)).into_response())
}

/// The lines with what the catalogue says of their products.
async fn priced(conn: &mut PgConnection, lines: &[CreateLine]) -> Result<Vec<(CatalogEntry, u32)>, ApiError> {
    let ids: Vec<_> = lines.iter().map(|line| line.product_id).collect();
    let known = store::catalog(conn, &ids).await?;
    let priced = lines.iter().map(|line| {
        let entry = known.iter().find(|entry| entry.product_id == line.product_id);
        entry.map(|entry| (entry.clone(), line.quantity)).ok_or_else(|| {
            let detail = format!(
                "there is no product {}, or the orders service has not heard of it yet; see /v1/catalog/{0}",
                line.product_id
            );
            ApiError::new(Code::ProductUnknown, detail).with("product_id", line.product_id.to_string())
        })
    });
    let priced = priced.collect::<Result<Vec<_>, _>>()?;
    if priced.windows(2).any(|pair| pair[0].0.seller_id != pair[1].0.seller_id) {
        return Err(ApiError::new(Code::SeveralSellers, "the products are of several sellers; make an order for each"));
    }
    Ok(priced)
}

/// The seller will deliver: stock is asked for.
#[utoipa::path(post, path = "/v1/orders/{id}/confirm", security(("token" = [])), params(("id" = OrderId, Path)),
    responses((status = 202, body = Order), (status = "4XX", body = Problem)))]
pub(super) async fn confirm(
    State(api): State<Api>,
    principal: Principal,
    context: RequestContext,
    Path(id): Path<OrderId>,
    keyed: Keyed<Nothing>,
) -> Result<Response, ApiError> {
    command(&api, &principal, context, id, keyed, Command::Confirm).await
}

/// The seller has shipped.
#[utoipa::path(post, path = "/v1/orders/{id}/fulfill", security(("token" = [])), params(("id" = OrderId, Path)),
    responses((status = 202, body = Order), (status = "4XX", body = Problem)))]
pub(super) async fn fulfill(
    State(api): State<Api>,
    principal: Principal,
    context: RequestContext,
    Path(id): Path<OrderId>,
    keyed: Keyed<Nothing>,
) -> Result<Response, ApiError> {
    command(&api, &principal, context, id, keyed, Command::Fulfil).await
}

/// The customer does not want it any more, or the seller will not deliver. What was held or paid goes back.
#[utoipa::path(post, path = "/v1/orders/{id}/cancel", security(("token" = [])), params(("id" = OrderId, Path)),
    responses((status = 202, body = Order), (status = "4XX", body = Problem)))]
pub(super) async fn cancel(
    State(api): State<Api>,
    principal: Principal,
    context: RequestContext,
    Path(id): Path<OrderId>,
    keyed: Keyed<Nothing>,
) -> Result<Response, ApiError> {
    let command = if principal.role == Role::Customer { Command::CancelByCustomer } else { Command::CancelBySeller };
    self::command(&api, &principal, context, id, keyed, command).await
}

/// Who may give a command.
const fn role_for(command: Command) -> Role {
    match command {
        Command::Confirm | Command::Fulfil | Command::CancelBySeller => Role::Seller,
        Command::CancelByCustomer => Role::Customer,
    }
}

async fn command(
    api: &Api,
    principal: &Principal,
    RequestContext(context): RequestContext,
    id: OrderId,
    Keyed { key, .. }: Keyed<Nothing>,
    command: Command,
) -> Result<Response, ApiError> {
    principal.require(role_for(command))?;
    let mut tx = api.db.begin().await?;
    if let Claim::Replay(answer) = key.claim(&mut tx, principal).await? {
        return Ok(answer);
    }
    let mut batch = Batch::load(&mut tx, api.db.chaos(), &[id]).await?;
    let is_visible = |row: &store::Row| may_see(principal, row.order.customer_id, row.order.seller_id);
    if !batch.get(id).is_some_and(is_visible) {
        return Err(ApiError::not_found(format_args!("order {id}")));
    }
    batch.apply(id, &Input::Command(command), &context).map_err(reject)?;
    batch.save(&mut tx).await?;
    let order = batch.get(id).map(|row| api.show(row));
    key.record(&mut tx, principal, StatusCode::ACCEPTED, &order).await?;
    commit(tx).await?;
    api.outbox.wake();
    tracing::info!(order_id = %id, correlation_id = context.correlation_id, ?command, "command taken");
    Ok((StatusCode::ACCEPTED, Json(order)).into_response())
}
