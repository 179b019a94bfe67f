//! What people may see of orders.

use axum::extract::State;
use orderflow_contracts::{
    api::{
        Page,
        orders::{CatalogEntry, Order, OrderStatus},
    },
    ids::{OrderId, ProductId},
    problem::Problem,
};
use orderflow_platform::{
    auth::Principal,
    http::{ApiError, Json, PageQuery, Path, Query},
    listing::Listing,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Api, is_visible_to};
use crate::store;

/// Which orders.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only those in this state.
    status: Option<OrderStatus>,
    /// Most items of the page; 50 if nothing is said, at most 200.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The orders that the account may see, the newest first.
#[utoipa::path(get, path = "/v1/orders", params(ListQuery), security(("token" = [])),
    responses((status = 200, body = Page<Order>), (status = "4XX", body = Problem)))]
pub(super) async fn list(
    State(api): State<Api>,
    principal: Principal,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Order>>, ApiError> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let listing = Listing::new(&principal, query.status.map(OrderStatus::as_str), &page)?;
    let rows = store::list(&mut *api.db.acquire().await?, &listing).await?;
    let orders = rows.iter().map(|row| api.show(row)).collect();
    Ok(Json(listing.page(orders, |order: &Order| order.id)))
}

/// One order.
#[utoipa::path(get, path = "/v1/orders/{id}", params(("id" = OrderId, Path)), security(("token" = [])),
    responses((status = 200, body = Order), (status = "4XX", body = Problem)))]
pub(super) async fn show(
    State(api): State<Api>,
    principal: Principal,
    Path(id): Path<OrderId>,
) -> Result<Json<Order>, ApiError> {
    let row = store::load(&mut *api.db.acquire().await?, id).await?;
    let row = row.filter(|row| is_visible_to(row, &principal));
    row.map(|row| Json(api.show(&row))).ok_or_else(|| ApiError::not_found(format_args!("order {id}")))
}

/// A product as the orders service knows it. A product that was added a moment ago may take a moment to be here.
#[utoipa::path(get, path = "/v1/catalog/{product_id}", params(("product_id" = ProductId, Path)),
    security(("token" = [])), responses((status = 200, body = CatalogEntry), (status = "4XX", body = Problem)))]
pub(super) async fn catalog(
    State(api): State<Api>,
    _: Principal,
    Path(id): Path<ProductId>,
) -> Result<Json<CatalogEntry>, ApiError> {
    let entries = store::catalog(&mut *api.db.acquire().await?, &[id]).await?;
    entries.into_iter().next().map(Json).ok_or_else(|| ApiError::not_found(format_args!("product {id}")))
}
