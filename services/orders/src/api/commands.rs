//! What people want of orders.

use axum::{extract::State, http::StatusCode};
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
    http::{ApiError, Path, RequestContext},
    idempotency::{Done, Keyed, Nothing},
};
use sqlx::PgConnection;

use super::{Api, is_visible_to, refuse, reject};
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
) -> Result<Done<Order>, ApiError> {
    principal.require(Role::Customer)?;
    let create = async |tx: &mut PgConnection| {
        let lines = priced(tx, &body.lines).await?;
        let row = handle::create(tx, principal.account_id, &lines, &context).await.map_err(refuse)?;
        Ok((StatusCode::CREATED, api.show(&row)))
    };
    let done = key.once(&api.db, &api.outbox, &principal, create).await?;
    if let Some(order) = done.now() {
        let correlation_id = context.correlation_id;
        tracing::info!(order_id = %order.id, correlation_id, total = %order.total, "order created");
    }
    Ok(done)
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
) -> Result<Done<Option<Order>>, ApiError> {
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
) -> Result<Done<Option<Order>>, ApiError> {
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
) -> Result<Done<Option<Order>>, ApiError> {
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
) -> Result<Done<Option<Order>>, ApiError> {
    principal.require(role_for(command))?;
    let apply = async |tx: &mut PgConnection| {
        let mut batch = Batch::load(tx, api.db.chaos(), &[id]).await?;
        if !batch.get(id).is_some_and(|row| is_visible_to(row, principal)) {
            return Err(ApiError::not_found(format_args!("order {id}")));
        }
        batch.apply(id, &Input::Command(command), &context).map_err(reject)?;
        batch.save(tx).await?;
        Ok((StatusCode::ACCEPTED, batch.get(id).map(|row| api.show(row))))
    };
    let done = key.once(&api.db, &api.outbox, principal, apply).await?;
    if done.now().is_some() {
        tracing::info!(order_id = %id, correlation_id = context.correlation_id, ?command, "command taken");
    }
    Ok(done)
}
