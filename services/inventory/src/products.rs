//! The catalogue: what sellers add and change, checked, saved, and told on the topic `catalog`.

use orderflow_contracts::{
    api::inventory::{CreateProduct, EditProduct, Product},
    events::{CatalogEvent, TimestampMs, topics},
    ids::{AccountId, ProductId},
    money::Money,
    problem::Code,
    timestamp::Timestamp,
};
use orderflow_platform::{
    clock,
    context::Context,
    http::ApiError,
    outbox::{self, Happened, Writer},
    text::is_unseen,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::{self, Entry};

const WRITER: Writer = Writer { source: "/orderflow/inventory", topic: topics::CATALOG };
/// Longest name, in characters.
const NAME_MAX: usize = 200;
/// Highest price, in minor units: a million.
const PRICE_MINOR_MAX: i64 = 100_000_000;
/// Most pieces of a product.
const STOCK_MAX: u32 = 1_000_000;

/// Adds a product.
pub async fn create(
    conn: &mut PgConnection,
    seller_id: AccountId,
    new: CreateProduct,
    context: &Context,
) -> Result<Product, ApiError> {
    let name = checked_name(&new.name)?;
    check_price(new.price)?;
    check_stock(new.stock)?;
    let now = clock::now_ms(conn).await?;
    let product = Product {
        id: Uuid::now_v7().into(),
        seller_id,
        name,
        price: new.price,
        on_hand: new.stock,
        reserved: 0,
        available: new.stock,
        version: 1,
        created_at: Timestamp(now),
    };
    store::save_product(conn, &product).await?;
    receive(conn, product.id, new.stock, now).await?;
    tell(conn, &product, now, context).await?;
    Ok(product)
}

/// Changes name or price of a seller's product.
pub async fn edit(
    conn: &mut PgConnection,
    seller_id: AccountId,
    id: ProductId,
    edit: EditProduct,
    context: &Context,
) -> Result<Product, ApiError> {
    let mut product = own(conn, seller_id, id).await?;
    if edit.expected_version.is_some_and(|expected| expected != product.version) {
        let detail = format!("the product is at version {}; look at it again", product.version);
        return Err(ApiError::new(Code::VersionConflict, detail).with("version", product.version));
    }
    let before = (product.name.clone(), product.price);
    if let Some(name) = edit.name {
        product.name = checked_name(&name)?;
    }
    if let Some(price) = edit.price {
        check_price(price)?;
        product.price = price;
    }
    if before == (product.name.clone(), product.price) {
        return Ok(product);
    }
    product.version += 1;
    store::save_product(conn, &product).await?;
    let now = clock::now_ms(conn).await?;
    tell(conn, &product, now, context).await?;
    Ok(product)
}

/// More pieces of a seller's product have arrived.
pub async fn restock(
    conn: &mut PgConnection,
    seller_id: AccountId,
    id: ProductId,
    quantity: u32,
) -> Result<Product, ApiError> {
    if quantity == 0 {
        return Err(ApiError::new(Code::ValidationFailed, "quantity is at least 1"));
    }
    let mut product = own(conn, seller_id, id).await?;
    product.on_hand = product.on_hand.saturating_add(quantity);
    check_stock(product.on_hand)?;
    product.available = product.on_hand.saturating_sub(product.reserved);
    store::save_product(conn, &product).await?;
    let now = clock::now_ms(conn).await?;
    receive(conn, id, quantity, now).await?;
    Ok(product)
}

/// The seller's product, locked.
async fn own(conn: &mut PgConnection, seller_id: AccountId, id: ProductId) -> Result<Product, ApiError> {
    let product = store::product(conn, id, true).await?.filter(|product| product.seller_id == seller_id);
    product.ok_or_else(|| ApiError::not_found(format_args!("product {id}")))
}

async fn receive(conn: &mut PgConnection, id: ProductId, quantity: u32, now: TimestampMs) -> Result<(), sqlx::Error> {
    if quantity == 0 {
        return Ok(());
    }
    let entry = Entry { product_id: id, order_id: None, kind: "received", quantity };
    store::append_ledger(conn, &[entry], now).await
}

async fn tell(
    conn: &mut PgConnection,
    product: &Product,
    now: TimestampMs,
    context: &Context,
) -> Result<(), sqlx::Error> {
    let changed =
        CatalogEvent::ProductChanged { seller_id: product.seller_id, name: product.name.clone(), price: product.price };
    let (subject, sequence) = (product.id.to_string(), product.version.unsigned_abs());
    let event = WRITER.event(Happened { subject, sequence, time_ms: now, context, event: &changed });
    outbox::append(conn, &[event]).await
}

fn checked_name(name: &str) -> Result<String, ApiError> {
    let name = name.trim();
    if (1..=NAME_MAX).contains(&name.chars().count()) && !name.contains(is_unseen) {
        return Ok(name.to_owned());
    }
    let detail = format!("name has 1 to {NAME_MAX} characters, each of which is seen: no control or format characters");
    Err(ApiError::new(Code::ValidationFailed, detail).with("field", "name"))
}

fn check_price(price: Money) -> Result<(), ApiError> {
    if (1..=PRICE_MINOR_MAX).contains(&price.minor) {
        return Ok(());
    }
    let most = Money::new(PRICE_MINOR_MAX, price.currency);
    Err(ApiError::new(Code::ValidationFailed, format!("price is more than nothing and at most {most}, not {price}")))
}

fn check_stock(stock: u32) -> Result<(), ApiError> {
    if stock <= STOCK_MAX {
        return Ok(());
    }
    Err(ApiError::new(
        Code::ValidationFailed,
        format!("there are at most {STOCK_MAX} pieces of a product, not {stock}"),
    ))
}
