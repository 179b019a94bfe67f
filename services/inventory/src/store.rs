//! SQL, and nothing else.

use std::collections::BTreeMap;

use orderflow_contracts::{
    api::{
        inventory::{Product, ProductSort, ReservationStatus},
        ops::LedgerSum,
    },
    events::TimestampMs,
    ids::{AccountId, OrderId, ProductId},
    money::{Currency, Money},
    timestamp::Timestamp,
};
use orderflow_platform::{
    db::{unknown, word_of},
    listing::Listing,
};
use serde_json::Value;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _, postgres::PgRow};
use uuid::Uuid;

use crate::domain::{Lines, Reservation};

/// A reservation and what stands around it.
#[derive(Debug, Clone)]
pub struct Row {
    /// For which order.
    pub order_id: OrderId,
    /// Who pays, where it is known.
    pub customer_id: Option<AccountId>,
    /// Who delivers, where it is known.
    pub seller_id: Option<AccountId>,
    /// How far it is.
    pub reservation: Reservation,
    /// What was asked for, also when it is over.
    pub lines: Lines,
    /// The command that all this follows from.
    pub correlation_id: String,
    /// How often it has changed; 0 if there is no row yet.
    pub version: i64,
    /// The number of its last event.
    pub sequence: i64,
    /// When it was asked for.
    pub created_ms: TimestampMs,
    /// When it changed last.
    pub updated_ms: TimestampMs,
}

/// The status as the API has it, and the end of a hold; none while nothing was heard of the order.
pub const fn parts_of(reservation: &Reservation) -> Option<(ReservationStatus, Option<TimestampMs>)> {
    Some(match reservation {
        Reservation::Unknown => return None,
        Reservation::Held { expires_at, .. } => (ReservationStatus::Held, Some(*expires_at)),
        Reservation::Refused => (ReservationStatus::Refused, None),
        Reservation::Expired { .. } => (ReservationStatus::Expired, None),
        Reservation::Allocated { .. } => (ReservationStatus::Allocated, None),
        Reservation::Lost => (ReservationStatus::Lost, None),
        Reservation::Committed => (ReservationStatus::Committed, None),
        Reservation::Released => (ReservationStatus::Released, None),
    })
}

fn reservation_of(row: &PgRow) -> Result<Row, sqlx::Error> {
    let lines: Lines = serde_json::from_value(row.try_get::<Value, _>("lines")?).map_err(|_| unknown("lines"))?;
    let reservation = match word_of(row, "status")? {
        ReservationStatus::Held => Reservation::Held { lines: lines.clone(), expires_at: row.try_get("expires_ms")? },
        ReservationStatus::Refused => Reservation::Refused,
        ReservationStatus::Expired => Reservation::Expired { lines: lines.clone() },
        ReservationStatus::Allocated => Reservation::Allocated { lines: lines.clone() },
        ReservationStatus::Lost => Reservation::Lost,
        ReservationStatus::Committed => Reservation::Committed,
        ReservationStatus::Released => Reservation::Released,
    };
    Ok(Row {
        order_id: row.try_get::<Uuid, _>("order_id")?.into(),
        customer_id: row.try_get::<Option<Uuid>, _>("customer_id")?.map(Into::into),
        seller_id: row.try_get::<Option<Uuid>, _>("seller_id")?.map(Into::into),
        reservation,
        lines,
        correlation_id: row.try_get("correlation_id")?,
        version: row.try_get("version")?,
        sequence: row.try_get("sequence")?,
        created_ms: row.try_get("created_ms")?,
        updated_ms: row.try_get("updated_ms")?,
    })
}

const RESERVATION: &str = "order_id, customer_id, seller_id, status, lines, expires_ms, correlation_id, version, \
                           sequence, created_ms, updated_ms";

/// These reservations, locked until the transaction ends, unless the guard was taken out in a laboratory; in the order of
/// the ids.
pub async fn load_for_update(
    conn: &mut PgConnection,
    ids: &[OrderId],
    is_guarded: bool,
) -> Result<Vec<Row>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| (*id).into()).collect();
    let mut query = QueryBuilder::<Postgres>::new("select ");
    query.push(RESERVATION).push(" from reservations where order_id = any(").push_bind(ids);
    query.push(") order by order_id").push(if is_guarded { " for update" } else { "" });
    query.build().fetch_all(conn).await?.iter().map(reservation_of).collect()
}

/// Orders whose reservations were to end before this moment; those that cannot be read, and why not. Those that someone
/// else has locked are passed over: they are being decided about.
pub async fn expired(
    conn: &mut PgConnection,
    before: TimestampMs,
    limit: i64,
) -> Result<Vec<Result<OrderId, (String, sqlx::Error)>>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("select ");
    query.push(RESERVATION).push(" from reservations where status = 'HELD' and expires_ms <= ").push_bind(before);
    query.push(" order by expires_ms limit ").push_bind(limit).push(" for update skip locked");
    let rows = query.build().fetch_all(conn).await?;
    let key = |row: &PgRow| row.try_get::<Uuid, _>("order_id").unwrap_or_default().to_string();
    let id = |row| reservation_of(row).map(|row| row.order_id).map_err(|error| (key(row), error));
    Ok(rows.iter().map(id).collect())
}

/// When the next reservation ends.
pub async fn next_expiry(conn: &mut PgConnection) -> Result<Option<TimestampMs>, sqlx::Error> {
    sqlx::query_scalar("select min(expires_ms) from reservations where status = 'HELD'").fetch_one(conn).await
}

/// One reservation, as it is now.
pub async fn load(conn: &mut PgConnection, id: OrderId) -> Result<Option<Row>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("select ");
    query.push(RESERVATION).push(" from reservations where order_id = ").push_bind(Uuid::from(id));
    query.build().fetch_optional(conn).await?.as_ref().map(reservation_of).transpose()
}

/// Reservations, those of the newest orders first; one more than the page has if there are more.
pub async fn list(conn: &mut PgConnection, listing: &Listing) -> Result<Vec<Row>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("select ");
    query.push(RESERVATION).push(" from reservations where true");
    listing.end(&mut query, "order_id");
    query.build().fetch_all(conn).await?.iter().map(reservation_of).collect()
}

/// Saves reservations that were loaded with these versions, new ones (version 0) too, in one round trip. The version
/// check is for a writer that has lost its lock with its connection and does not know yet.
pub async fn save(conn: &mut PgConnection, rows: &[(i64, &Row)], is_guarded: bool) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let parts: Vec<_> = rows.iter().filter_map(|(_, row)| parts_of(&row.reservation)).collect();
    let account = |id: Option<AccountId>| id.map(Uuid::from);
    let saved = sqlx::query(
        "insert into reservations as old (order_id, customer_id, seller_id, status, lines, expires_ms, correlation_id,
             version, sequence, created_ms, updated_ms)
         select order_id, customer_id, seller_id, status, lines, expires_ms, correlation_id, version, sequence,
             created_ms, updated_ms
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::jsonb[], $6::bigint[], $7::text[],
                     $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[])
             as new (order_id, customer_id, seller_id, status, lines, expires_ms, correlation_id, version, sequence,
                     created_ms, updated_ms)
         on conflict (order_id) do update set customer_id = excluded.customer_id, seller_id = excluded.seller_id,
             status = excluded.status, lines = excluded.lines, expires_ms = excluded.expires_ms,
             version = excluded.version, sequence = excluded.sequence, updated_ms = excluded.updated_ms
         where (old.order_id, old.version) in (
             select * from unnest($1::uuid[], $12::bigint[])) or not $13",
    )
    .bind(rows.iter().map(|(_, row)| row.order_id.into()).collect::<Vec<Uuid>>())
    .bind(rows.iter().map(|(_, row)| account(row.customer_id)).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| account(row.seller_id)).collect::<Vec<_>>())
    .bind(parts.iter().map(|(status, _)| status.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| serde_json::to_value(&row.lines).unwrap_or_default()).collect::<Vec<_>>())
    .bind(parts.iter().map(|(_, expires)| *expires).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| row.correlation_id.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| row.version).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| row.sequence).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| row.created_ms).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| row.updated_ms).collect::<Vec<_>>())
    .bind(rows.iter().map(|(loaded, _)| *loaded).collect::<Vec<_>>())
    .bind(is_guarded)
    .execute(conn)
    .await?;
    if usize::try_from(saved.rows_affected()) == Ok(rows.len()) {
        return Ok(());
    }
    Err(sqlx::Error::Protocol("a reservation was changed by someone else though it was locked".to_owned()))
}

/// What has moved of each product for each order, in all; one more than `limit` if there are more.
pub async fn ledger_sums(
    conn: &mut PgConnection,
    after: Option<(ProductId, Uuid)>,
    limit: i64,
) -> Result<Vec<LedgerSum>, sqlx::Error> {
    // What was received has no order; nil stands for none, and comes first. As the index has it, or it would not be used.
    const ORDER: &str = "coalesce(order_id, '00000000-0000-0000-0000-000000000000')";
    let mut query = QueryBuilder::<Postgres>::new("select product_id, ");
    query.push(ORDER).push(
        ", coalesce(sum(quantity) filter (where kind = 'received'), 0)::bigint,
           coalesce(sum(quantity) filter (where kind = 'reserved'), 0)::bigint,
           coalesce(sum(quantity) filter (where kind = 'released'), 0)::bigint,
           coalesce(sum(quantity) filter (where kind = 'shipped'), 0)::bigint
         from stock_ledger",
    );
    if let Some((product_id, order_id)) = after {
        query.push(" where (product_id, ").push(ORDER).push(") > (").push_bind(Uuid::from(product_id));
        query.push(", ").push_bind(order_id).push(")");
    }
    query.push(" group by 1, 2 order by 1, 2 limit ").push_bind(limit + 1);
    let rows: Vec<(Uuid, Uuid, i64, i64, i64, i64)> = query.build_query_as().fetch_all(conn).await?;
    let sum = |(product_id, order_id, received, reserved, released, shipped): (Uuid, Uuid, i64, i64, i64, i64)| {
        let order_id = Some(order_id).filter(|id| !id.is_nil()).map(Into::into);
        LedgerSum { product_id: product_id.into(), order_id, received, reserved, released, shipped }
    };
    Ok(rows.into_iter().map(sum).collect())
}

/// How much there is of a product, and how much of that is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// In the house.
    pub on_hand: u32,
    /// Held or allocated.
    pub reserved: u32,
}

/// The levels of these products, locked until the transaction ends, unless the guard was taken out in a laboratory; in
/// the order of the ids (race 4).
pub async fn levels_for_update(
    conn: &mut PgConnection,
    ids: &[ProductId],
    is_guarded: bool,
) -> Result<BTreeMap<ProductId, Level>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| (*id).into()).collect();
    let mut query = QueryBuilder::<Postgres>::new("select id, on_hand, reserved from products where id = any(");
    query.push_bind(ids).push(") order by id").push(if is_guarded { " for update" } else { "" });
    let rows: Vec<(Uuid, i32, i32)> = query.build_query_as().fetch_all(conn).await?;
    // The CHECK constraints keep both from being negative.
    let level = |(id, on_hand, reserved): (Uuid, i32, i32)| {
        (id.into(), Level { on_hand: on_hand.unsigned_abs(), reserved: reserved.unsigned_abs() })
    };
    Ok(rows.into_iter().map(level).collect())
}

/// Saves levels that were locked, in one round trip.
pub async fn save_levels(conn: &mut PgConnection, levels: &[(ProductId, Level)]) -> Result<(), sqlx::Error> {
    if levels.is_empty() {
        return Ok(());
    }
    let column = |of: fn(&Level) -> u32| levels.iter().map(|(_, level)| i64::from(of(level))).collect::<Vec<i64>>();
    sqlx::query(
        "update products set on_hand = new.on_hand, reserved = new.reserved
         from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as new (id, on_hand, reserved) where products.id = new.id",
    )
    .bind(levels.iter().map(|(id, _)| (*id).into()).collect::<Vec<Uuid>>())
    .bind(column(|level| level.on_hand))
    .bind(column(|level| level.reserved))
    .execute(conn)
    .await
    .map(drop)
}

/// A movement of stock, for the ledger.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Of which product.
    pub product_id: ProductId,
    /// For which order; none where stock was received.
    pub order_id: Option<OrderId>,
    /// `received`, `reserved`, `released` or `shipped`.
    pub kind: &'static str,
    /// How many.
    pub quantity: u32,
}

/// Writes movements into the ledger, in one round trip.
pub async fn append_ledger(conn: &mut PgConnection, entries: &[Entry], now: TimestampMs) -> Result<(), sqlx::Error> {
    if entries.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into stock_ledger (product_id, order_id, kind, quantity, at_ms)
         select *, $5 from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[])",
    )
    .bind(entries.iter().map(|entry| entry.product_id.into()).collect::<Vec<Uuid>>())
    .bind(entries.iter().map(|entry| entry.order_id.map(Uuid::from)).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.kind).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| i64::from(entry.quantity)).collect::<Vec<_>>())
    .bind(now)
    .execute(conn)
    .await
    .map(drop)
}

const PRODUCT: &str = "id, seller_id, name, price_minor, currency, on_hand, reserved, version, created_ms";

fn product_of(row: &PgRow) -> Result<Product, sqlx::Error> {
    let currency = word_of::<Currency>(row, "currency")?;
    let on_hand = row.try_get::<i32, _>("on_hand")?.unsigned_abs();
    let reserved = row.try_get::<i32, _>("reserved")?.unsigned_abs();
    Ok(Product {
        id: row.try_get::<Uuid, _>("id")?.into(),
        seller_id: row.try_get::<Uuid, _>("seller_id")?.into(),
        name: row.try_get("name")?,
        price: Money::new(row.try_get("price_minor")?, currency),
        on_hand,
        reserved,
        available: on_hand.saturating_sub(reserved),
        version: row.try_get("version")?,
        created_at: Timestamp(row.try_get("created_ms")?),
    })
}

/// A product; locked until the transaction ends if `lock`.
pub async fn product(conn: &mut PgConnection, id: ProductId, lock: bool) -> Result<Option<Product>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("select ");
    query.push(PRODUCT).push(" from products where id = ").push_bind(Uuid::from(id));
    query.push(if lock { " for update" } else { "" });
    query.build().fetch_optional(conn).await?.as_ref().map(product_of).transpose()
}

/// Saves a product, new or locked.
pub async fn save_product(conn: &mut PgConnection, product: &Product) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into products (id, seller_id, name, price_minor, currency, on_hand, reserved, version, created_ms)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (id) do update set name = excluded.name, price_minor = excluded.price_minor,
             currency = excluded.currency, on_hand = excluded.on_hand, version = excluded.version",
    )
    .bind(Uuid::from(product.id))
    .bind(Uuid::from(product.seller_id))
    .bind(&product.name)
    .bind(product.price.minor)
    .bind(product.price.currency.code())
    .bind(i64::from(product.on_hand))
    .bind(i64::from(product.reserved))
    .bind(product.version)
    .bind(product.created_at.0)
    .execute(conn)
    .await
    .map(drop)
}

/// Which products, in which order, after which one.
#[derive(Debug, Default)]
pub struct ProductFilter {
    /// Only those with this in their names.
    pub search: Option<String>,
    /// Only those that can be had.
    pub in_stock: bool,
    /// Only this seller's.
    pub seller_id: Option<AccountId>,
    /// In which order.
    pub sort: ProductSort,
    /// Only those after this one.
    pub after: Option<ProductCursor>,
}

/// The place of a product in a sorted list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductCursor {
    /// Its id.
    pub id: ProductId,
    /// What is sorted by; nothing if by the id alone.
    pub value: String,
}

/// What is sorted by, as SQL; and whether upwards.
const fn sorted_by(sort: ProductSort) -> (Option<&'static str>, &'static str) {
    match sort {
        ProductSort::Newest => (None, "id desc"),
        ProductSort::Name => (Some("name"), "name, id"),
        ProductSort::Price => (Some("price_minor"), "price_minor, id"),
        ProductSort::Available => (Some("(on_hand - reserved)::bigint"), "on_hand - reserved, id"),
    }
}

/// Products; one more than `limit` if there are more.
pub async fn products(
    conn: &mut PgConnection,
    filter: &ProductFilter,
    limit: i64,
) -> Result<Vec<Product>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("select ");
    query.push(PRODUCT).push(" from products where true");
    if let Some(search) = &filter.search {
        let escaped = search.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        query.push(" and name ilike ").push_bind(format!("%{escaped}%"));
    }
    if filter.in_stock {
        query.push(" and on_hand > reserved");
    }
    if let Some(id) = filter.seller_id {
        query.push(" and seller_id = ").push_bind(Uuid::from(id));
    }
    let (column, order) = sorted_by(filter.sort);
    match (&filter.after, column) {
        (None, _) => {}
        (Some(after), None) => {
            query.push(" and id < ").push_bind(Uuid::from(after.id));
        }
        (Some(after), Some(column)) => {
            query.push(" and (").push(column).push(", id) > (");
            match filter.sort {
                ProductSort::Name => query.push_bind(after.value.clone()),
                _ => query.push_bind(after.value.parse::<i64>().unwrap_or(i64::MAX)),
            };
            query.push(", ").push_bind(Uuid::from(after.id)).push(")");
        }
    }
    query.push(" order by ").push(order).push(" limit ").push_bind(limit + 1);
    query.build().fetch_all(conn).await?.iter().map(product_of).collect()
}
