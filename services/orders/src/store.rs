//! SQL, and nothing else.

use std::collections::BTreeMap;

use orderflow_contracts::{
    api::orders::{CatalogEntry, OrderStatus},
    events::{CancelReason, TimestampMs},
    ids::{OrderId, ProductId},
    money::{Currency, Money},
    words::word,
};
use orderflow_platform::{
    db::{unknown, word_of},
    listing::Listing,
};
use serde_json::Value;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _, postgres::PgRow};
use uuid::Uuid;

use crate::domain::{Order, Status};

/// An order and what stands around it.
#[derive(Debug, Clone)]
pub struct Row {
    /// The order.
    pub order: Order,
    /// How often it has changed.
    pub version: i64,
    /// The number of its last event.
    pub sequence: i64,
    /// When it was created.
    pub created_ms: TimestampMs,
    /// When it changed last.
    pub updated_ms: TimestampMs,
}

const COLUMNS: &str = "id, customer_id, seller_id, lines, total_minor, currency, status, pay_until_ms, cancel_reason, \
                       reservation, payment, version, sequence, created_ms, updated_ms";

fn money_of(row: &PgRow, minor: &str) -> Result<Money, sqlx::Error> {
    Ok(Money::new(row.try_get(minor)?, word_of::<Currency>(row, "currency")?))
}

fn status_of(row: &PgRow) -> Result<Status, sqlx::Error> {
    Ok(match word_of(row, "status")? {
        OrderStatus::Pending => Status::Pending,
        OrderStatus::Confirming => Status::Confirming,
        OrderStatus::Confirmed => Status::Confirmed { pay_until: row.try_get("pay_until_ms")? },
        OrderStatus::Paid => Status::Paid,
        OrderStatus::Fulfilled => Status::Fulfilled,
        OrderStatus::Cancelled => Status::Cancelled { reason: word_of(row, "cancel_reason")? },
    })
}

fn row_of(row: &PgRow) -> Result<Row, sqlx::Error> {
    let lines: Value = row.try_get("lines")?;
    let order = Order {
        id: row.try_get::<Uuid, _>("id")?.into(),
        customer_id: row.try_get::<Uuid, _>("customer_id")?.into(),
        seller_id: row.try_get::<Uuid, _>("seller_id")?.into(),
        lines: serde_json::from_value(lines).map_err(|_| unknown("lines"))?,
        total: money_of(row, "total_minor")?,
        status: status_of(row)?,
        reservation: word_of(row, "reservation")?,
        payment: word_of(row, "payment")?,
    };
    Ok(Row {
        order,
        version: row.try_get("version")?,
        sequence: row.try_get("sequence")?,
        created_ms: row.try_get("created_ms")?,
        updated_ms: row.try_get("updated_ms")?,
    })
}

/// The status as the API has it, and what goes with it.
pub const fn parts_of(status: Status) -> (OrderStatus, Option<TimestampMs>, Option<CancelReason>) {
    match status {
        Status::Pending => (OrderStatus::Pending, None, None),
        Status::Confirming => (OrderStatus::Confirming, None, None),
        Status::Confirmed { pay_until } => (OrderStatus::Confirmed, Some(pay_until), None),
        Status::Paid => (OrderStatus::Paid, None, None),
        Status::Fulfilled => (OrderStatus::Fulfilled, None, None),
        Status::Cancelled { reason } => (OrderStatus::Cancelled, None, Some(reason)),
    }
}

/// These orders, locked until the transaction ends, unless the guard was taken out in a laboratory. In the order of the ids, so that nobody waits in a circle.
pub async fn load_for_update(
    conn: &mut PgConnection,
    ids: &[OrderId],
    is_guarded: bool,
) -> Result<BTreeMap<OrderId, Row>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| (*id).into()).collect();
    let mut query = QueryBuilder::<Postgres>::new("select ");
    query.push(COLUMNS).push(" from orders where id = any(").push_bind(ids).push(") order by id");
    query.push(if is_guarded { " for update" } else { "" });
    let rows = query.build().fetch_all(conn).await?;
    rows.iter().map(|row| row_of(row).map(|row| (row.order.id, row))).collect()
}

/// One order, as it is now.
pub async fn load(conn: &mut PgConnection, id: OrderId) -> Result<Option<Row>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("select ");
    query.push(COLUMNS).push(" from orders where id = ").push_bind(Uuid::from(id));
    query.build().fetch_optional(conn).await?.as_ref().map(row_of).transpose()
}

/// Orders, the newest first; one more than the page has if there are more.
pub async fn list(conn: &mut PgConnection, listing: &Listing) -> Result<Vec<Row>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("select ");
    query.push(COLUMNS).push(" from orders where true");
    listing.end(&mut query, "id");
    query.build().fetch_all(conn).await?.iter().map(row_of).collect()
}

/// A new order.
pub async fn insert(conn: &mut PgConnection, row: &Row) -> Result<(), sqlx::Error> {
    let order = &row.order;
    let (status, pay_until_ms, cancel_reason) = parts_of(order.status);
    sqlx::query(
        "insert into orders (id, customer_id, seller_id, lines, total_minor, currency, status, pay_until_ms,
             cancel_reason, reservation, payment, version, sequence, created_ms, updated_ms)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(Uuid::from(order.id))
    .bind(Uuid::from(order.customer_id))
    .bind(Uuid::from(order.seller_id))
    .bind(serde_json::to_value(&order.lines).unwrap_or_default())
    .bind(order.total.minor)
    .bind(order.total.currency.code())
    .bind(status.as_str())
    .bind(pay_until_ms)
    .bind(cancel_reason.map(word))
    .bind(word(order.reservation))
    .bind(word(order.payment))
    .bind(row.version)
    .bind(row.sequence)
    .bind(row.created_ms)
    .bind(row.updated_ms)
    .execute(conn)
    .await
    .map(drop)
}

/// Saves orders that were loaded with these versions, in one round trip. The version check is for a writer that has
/// lost its lock with its connection and does not know yet.
pub async fn save(conn: &mut PgConnection, rows: &[(i64, &Row)], is_guarded: bool) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let parts: Vec<_> = rows.iter().map(|(_, row)| parts_of(row.order.status)).collect();
    let saved = sqlx::query(
        "update orders set status = new.status, pay_until_ms = new.pay_until_ms, cancel_reason = new.cancel_reason,
             reservation = new.reservation, payment = new.payment, version = new.version, sequence = new.sequence,
             updated_ms = new.updated_ms
         from unnest($1::uuid[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                     $8::bigint[], $9::bigint[], $10::bigint[])
             as new (id, loaded, status, pay_until_ms, cancel_reason, reservation, payment, version, sequence,
                     updated_ms)
         where orders.id = new.id and (orders.version = new.loaded or not $11)",
    )
    .bind(rows.iter().map(|(_, row)| row.order.id.into()).collect::<Vec<Uuid>>())
    .bind(rows.iter().map(|(loaded, _)| *loaded).collect::<Vec<_>>())
    .bind(parts.iter().map(|(status, ..)| status.as_str()).collect::<Vec<_>>())
    .bind(parts.iter().map(|(_, pay_until, _)| *pay_until).collect::<Vec<_>>())
    .bind(parts.iter().map(|(.., reason)| reason.map(word)).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| word(row.order.reservation)).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| word(row.order.payment)).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| row.version).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| row.sequence).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| row.updated_ms).collect::<Vec<_>>())
    .bind(is_guarded)
    .execute(conn)
    .await?;
    if usize::try_from(saved.rows_affected()) == Ok(rows.len()) {
        return Ok(());
    }
    Err(sqlx::Error::Protocol("an order was changed by someone else though it was locked".to_owned()))
}

fn entry_of(row: &PgRow) -> Result<CatalogEntry, sqlx::Error> {
    Ok(CatalogEntry {
        product_id: row.try_get::<Uuid, _>("product_id")?.into(),
        seller_id: row.try_get::<Uuid, _>("seller_id")?.into(),
        name: row.try_get("name")?,
        price: money_of(row, "price_minor")?,
        version: row.try_get("version")?,
    })
}

/// What is known of these products.
pub async fn catalog(conn: &mut PgConnection, ids: &[ProductId]) -> Result<Vec<CatalogEntry>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| (*id).into()).collect();
    let rows = sqlx::query(
        "select product_id, seller_id, name, price_minor, currency, version from catalog where product_id = any($1)",
    );
    rows.bind(ids).fetch_all(conn).await?.iter().map(entry_of).collect()
}

/// Takes over what is newer than what is known.
pub async fn update_catalog(conn: &mut PgConnection, entries: &[CatalogEntry]) -> Result<(), sqlx::Error> {
    // Of several versions of a product in one batch the newest one, as Postgres takes a row only once in a statement.
    let mut newest: BTreeMap<ProductId, &CatalogEntry> = BTreeMap::new();
    for entry in entries {
        let known = newest.entry(entry.product_id).or_insert(entry);
        if known.version < entry.version {
            *known = entry;
        }
    }
    sqlx::query(
        "insert into catalog (product_id, seller_id, name, price_minor, currency, version)
         select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::bigint[])
         on conflict (product_id) do update set seller_id = excluded.seller_id, name = excluded.name,
             price_minor = excluded.price_minor, currency = excluded.currency, version = excluded.version
         where catalog.version < excluded.version",
    )
    .bind(newest.keys().map(|id| (*id).into()).collect::<Vec<Uuid>>())
    .bind(newest.values().map(|entry| entry.seller_id.into()).collect::<Vec<Uuid>>())
    .bind(newest.values().map(|entry| entry.name.as_str()).collect::<Vec<_>>())
    .bind(newest.values().map(|entry| entry.price.minor).collect::<Vec<_>>())
    .bind(newest.values().map(|entry| entry.price.currency.code()).collect::<Vec<_>>())
    .bind(newest.values().map(|entry| entry.version).collect::<Vec<_>>())
    .execute(conn)
    .await
    .map(drop)
}
