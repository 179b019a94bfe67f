//! HTTP in, products and reservations out.

use axum::{Router, extract::State, http::StatusCode};
use orderflow_contracts::{
    api::{
        Page,
        console::Role,
        inventory::{
            CreateProduct, EditProduct, Product, ProductSort, Reservation, ReservationLine, ReservationStatus, Restock,
        },
        ops::LedgerSum,
    },
    ids::{AccountId, NotAnId, OrderId, ProductId},
    problem::{Code, Problem},
    timestamp::Timestamp,
};
use orderflow_platform::db::Db;
use orderflow_platform::{
    auth::Principal,
    http::{ApiError, Json, PageQuery, Path, Query, RequestContext, page_of},
    idempotency::{Done, Keyed},
    listing::Listing,
    outbox::{self, Outbox},
};
use serde::Deserialize;
use serde_json::json;
use sqlx::PgConnection;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    products,
    store::{self, ProductCursor, ProductFilter, Row},
};

/// Longest text to search for, in characters.
const SEARCH_MAX: usize = 100;

/// What the handlers need.
#[derive(Debug, Clone)]
pub struct Api {
    db: Db,
    outbox: Outbox,
}

impl Api {
    /// On this database.
    pub const fn new(db: Db, outbox: Outbox) -> Self {
        Self { db, outbox }
    }
}

/// The routes and their OpenAPI document.
pub fn router(api: Api) -> (Router, String) {
    let (router, openapi) = OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(show, edit))
        .routes(routes!(restock))
        .routes(routes!(list_reservations))
        .routes(routes!(show_reservation))
        .routes(routes!(list_ledger))
        .with_state(api)
        .split_for_parts();
    (router, orderflow_platform::http::describe(openapi, "OrderFlow inventory", "Catalogue, stock, reservations"))
}

/// Adds a product.
#[utoipa::path(post, path = "/v1/products", request_body = CreateProduct, security(("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes the request safe to repeat")),
    responses((status = 201, body = Product), (status = "4XX", body = Problem)))]
async fn create(
    State(api): State<Api>,
    principal: Principal,
    RequestContext(context): RequestContext,
    Keyed { body, key }: Keyed<CreateProduct>,
) -> Result<Done<Product>, ApiError> {
    principal.require(Role::Seller)?;
    let create = async |tx: &mut PgConnection| {
        let product = products::create(tx, principal.account_id, body, &context).await?;
        Ok((StatusCode::CREATED, product))
    };
    let done = key.once(&api.db, &api.outbox, &principal, create).await?;
    if let Some(product) = done.now() {
        tracing::info!(product_id = %product.id, "product added");
    }
    Ok(done)
}

/// Changes a product's name or price.
#[utoipa::path(patch, path = "/v1/products/{id}", request_body = EditProduct, security(("token" = [])),
    params(("id" = ProductId, Path)), responses((status = 200, body = Product), (status = "4XX", body = Problem)))]
async fn edit(
    State(api): State<Api>,
    principal: Principal,
    RequestContext(context): RequestContext,
    Path(id): Path<ProductId>,
    Keyed { body, key }: Keyed<EditProduct>,
) -> Result<Done<Product>, ApiError> {
    principal.require(Role::Seller)?;
    let edit = async |tx: &mut PgConnection| {
        let product = products::edit(tx, principal.account_id, id, body, &context).await?;
        Ok((StatusCode::OK, product))
    };
    key.once(&api.db, &api.outbox, &principal, edit).await
}

/// More pieces have arrived.
#[utoipa::path(post, path = "/v1/products/{id}/restock", request_body = Restock, security(("token" = [])),
    params(("id" = ProductId, Path)), responses((status = 200, body = Product), (status = "4XX", body = Problem)))]
async fn restock(
    State(api): State<Api>,
    principal: Principal,
    Path(id): Path<ProductId>,
    Keyed { body, key }: Keyed<Restock>,
) -> Result<Done<Product>, ApiError> {
    principal.require(Role::Seller)?;
    let restock = async |tx: &mut PgConnection| {
        let product = products::restock(tx, principal.account_id, id, body.quantity).await?;
        let detail = json!({ "quantity": body.quantity });
        outbox::audit(tx, "inventory", &principal, "product.restock", id, detail).await?;
        Ok((StatusCode::OK, product))
    };
    let done = key.once(&api.db, &api.outbox, &principal, restock).await?;
    if done.now().is_some() {
        tracing::info!(product_id = %id, quantity = body.quantity, "restocked");
    }
    Ok(done)
}

/// Which products.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ProductQuery {
    /// Only those with this in their names.
    search: Option<String>,
    /// Only those that can be had.
    #[serde(default)]
    in_stock: bool,
    /// Only this seller's.
    seller_id: Option<AccountId>,
    /// In which order.
    #[serde(default)]
    sort: ProductSort,
    /// Most items of the page; 50 if nothing is said, at most 200.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Products.
#[utoipa::path(get, path = "/v1/products", params(ProductQuery), security(("token" = [])),
    responses((status = 200, body = Page<Product>), (status = "4XX", body = Problem)))]
async fn list(
    State(api): State<Api>,
    _: Principal,
    Query(query): Query<ProductQuery>,
) -> Result<Json<Page<Product>>, ApiError> {
    let is_text = |text: &String| text.chars().count() <= SEARCH_MAX && !text.contains(char::is_control);
    if query.search.as_ref().is_some_and(|text| !is_text(text)) {
        let detail = format!("search has at most {SEARCH_MAX} characters, none of them a control character");
        return Err(ApiError::new(Code::ValidationFailed, detail));
    }
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let (limit, sort, after) = (page.limit()?, query.sort, page.cursor()?);
    if after.as_ref().is_some_and(|after| !fits(after, sort)) {
        return Err(ApiError::new(Code::ValidationFailed, "the cursor belongs to a list that is sorted otherwise"));
    }
    let filter = ProductFilter {
        search: query.search.filter(|text| !text.is_empty()),
        in_stock: query.in_stock,
        seller_id: query.seller_id,
        sort,
        after,
    };
    let products = store::products(&mut *api.db.acquire().await?, &filter, limit).await?;
    Ok(Json(page_of(products, limit, |product| cursor_of(product, sort))))
}

fn cursor_of(product: &Product, sort: ProductSort) -> String {
    let value = match sort {
        ProductSort::Newest => String::new(),
        ProductSort::Name => product.name.clone(),
        ProductSort::Price => product.price.minor.to_string(),
        ProductSort::Available => product.available.to_string(),
    };
    format!("{}:{value}", product.id)
}

/// Whether a list that is sorted so can go on after it.
fn fits(cursor: &ProductCursor, sort: ProductSort) -> bool {
    match sort {
        ProductSort::Newest => cursor.value.is_empty(),
        ProductSort::Name => !cursor.value.contains(char::is_control),
        ProductSort::Price | ProductSort::Available => cursor.value.parse::<i64>().is_ok(),
    }
}

impl std::str::FromStr for ProductCursor {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (id, value) = text.split_once(':').unwrap_or((text, ""));
        Ok(Self { id: id.parse()?, value: value.to_owned() })
    }
}

/// One product.
#[utoipa::path(get, path = "/v1/products/{id}", params(("id" = ProductId, Path)), security(("token" = [])),
    responses((status = 200, body = Product), (status = "4XX", body = Problem)))]
async fn show(State(api): State<Api>, _: Principal, Path(id): Path<ProductId>) -> Result<Json<Product>, ApiError> {
    let product = store::product(&mut *api.db.acquire().await?, id, false).await?;
    product.map(Json).ok_or_else(|| ApiError::not_found(format_args!("product {id}")))
}

/// Which reservations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ReservationQuery {
    /// Only those in this state.
    status: Option<ReservationStatus>,
    /// Most items of the page; 50 if nothing is said, at most 200.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The reservations that the account may see, those of the newest orders first.
#[utoipa::path(get, path = "/v1/reservations", params(ReservationQuery), security(("token" = [])),
    responses((status = 200, body = Page<Reservation>), (status = "4XX", body = Problem)))]
async fn list_reservations(
    State(api): State<Api>,
    principal: Principal,
    Query(query): Query<ReservationQuery>,
) -> Result<Json<Page<Reservation>>, ApiError> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let listing = Listing::new(&principal, query.status.map(ReservationStatus::as_str), &page)?;
    let rows = store::list(&mut *api.db.acquire().await?, &listing).await?;
    let reservations = rows.iter().filter_map(view).collect();
    Ok(Json(listing.page(reservations, |reservation: &Reservation| reservation.order_id)))
}

/// An order's reservation.
#[utoipa::path(get, path = "/v1/reservations/{order_id}", params(("order_id" = OrderId, Path)),
    security(("token" = [])), responses((status = 200, body = Reservation), (status = "4XX", body = Problem)))]
async fn show_reservation(
    State(api): State<Api>,
    principal: Principal,
    Path(id): Path<OrderId>,
) -> Result<Json<Reservation>, ApiError> {
    let row = store::load(&mut *api.db.acquire().await?, id)
        .await?
        .filter(|row| principal.may_see(row.customer_id, row.seller_id));
    let found = row.as_ref().and_then(view).map(Json);
    found.ok_or_else(|| ApiError::not_found(format_args!("reservation for order {id}")))
}

fn view(row: &Row) -> Option<Reservation> {
    let (status, expires_ms) = store::parts_of(&row.reservation)?;
    let line =
        |(product_id, quantity): (&ProductId, &u32)| ReservationLine { product_id: *product_id, quantity: *quantity };
    Some(Reservation {
        order_id: row.order_id,
        status,
        lines: row.lines.iter().map(line).collect(),
        expires_at: expires_ms.map(Timestamp),
        created_at: Timestamp(row.created_ms),
        updated_at: Timestamp(row.updated_ms),
    })
}

/// The place of a sum in the ledger.
struct LedgerCursor(ProductId, Uuid);

impl std::str::FromStr for LedgerCursor {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (product, order) = text.split_once(':').unwrap_or((text, ""));
        Ok(Self(product.parse()?, order.parse().map_err(|_| NotAnId)?))
    }
}

/// What has moved of each product for each order, in all, by the ledger: for the checker.
#[utoipa::path(get, path = "/v1/ledger", params(PageQuery), security(("token" = [])),
    responses((status = 200, body = Page<LedgerSum>), (status = "4XX", body = Problem)))]
async fn list_ledger(
    State(api): State<Api>,
    principal: Principal,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<LedgerSum>>, ApiError> {
    principal.require(Role::Admin)?;
    let (limit, cursor) = (page.limit()?, page.cursor::<LedgerCursor>()?);
    let after = cursor.map(|LedgerCursor(product, order)| (product, order));
    let sums = store::ledger_sums(&mut *api.db.acquire().await?, after, limit).await?;
    let place = |sum: &LedgerSum| format!("{}:{}", sum.product_id, sum.order_id.map_or_else(Uuid::nil, Uuid::from));
    Ok(Json(page_of(sums, limit, place)))
}
