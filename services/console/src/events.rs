//! Reading what was written down, by those who may see it.

use orderflow_contracts::{
    api::console::{EventRecord, Role},
    ids::OrderId,
    timestamp::Timestamp,
};
use orderflow_platform::auth::Principal;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _, postgres::PgRow};
use uuid::Uuid;

/// Which events.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those about this order.
    pub order_id: Option<OrderId>,
    /// Only those after this position.
    pub after: Option<i64>,
    /// Only those before this position.
    pub before: Option<i64>,
    /// The newest first.
    pub newest_first: bool,
}

const COLUMNS: &str = "position, event_id, source, event_type, subject, sequence, correlation_id, causation_id, at_ms, \
                       published_ms, received_ms, data";

fn record_of(row: &PgRow) -> Result<EventRecord, sqlx::Error> {
    Ok(EventRecord {
        position: row.try_get("position")?,
        id: row.try_get::<Uuid, _>("event_id")?.into(),
        source: row.try_get("source")?,
        event_type: row.try_get("event_type")?,
        subject: row.try_get("subject")?,
        sequence: row.try_get("sequence")?,
        correlation_id: row.try_get("correlation_id")?,
        causation_id: row.try_get::<Option<Uuid>, _>("causation_id")?.map(Into::into),
        at: Timestamp(row.try_get("at_ms")?),
        published_at: Timestamp(row.try_get("published_ms")?),
        received_at: Timestamp(row.try_get("received_ms")?),
        data: row.try_get("data")?,
    })
}

/// An admin sees everything, the others the events of their orders, and a seller those of their products.
fn only_visible(query: &mut QueryBuilder<Postgres>, principal: &Principal) {
    let account = Uuid::from(principal.account_id);
    match principal.role {
        Role::Admin => {}
        Role::Customer => {
            query.push(" and order_id in (select order_id from participants where customer_id = ");
            query.push_bind(account).push(")");
        }
        Role::Seller => {
            query.push(" and (seller_id = ").push_bind(account);
            query.push(" or order_id in (select order_id from participants where seller_id = ");
            query.push_bind(account).push("))");
        }
    }
}

/// Events that the account may see, at most `limit`.
pub async fn list(
    conn: &mut PgConnection,
    principal: &Principal,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<EventRecord>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("select ");
    query.push(COLUMNS).push(" from events where true");
    if let Some(id) = filter.order_id {
        query.push(" and order_id = ").push_bind(Uuid::from(id));
    }
    if let Some(position) = filter.after {
        query.push(" and position > ").push_bind(position);
    }
    if let Some(position) = filter.before {
        query.push(" and position < ").push_bind(position);
    }
    only_visible(&mut query, principal);
    query.push(if filter.newest_first { " order by position desc limit " } else { " order by position limit " });
    query.push_bind(limit);
    query.build().fetch_all(conn).await?.iter().map(record_of).collect()
}

/// These events, of those that the account may see.
pub async fn at(
    conn: &mut PgConnection,
    principal: &Principal,
    positions: &[i64],
) -> Result<Vec<EventRecord>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("select ");
    query.push(COLUMNS).push(" from events where position = any(").push_bind(positions.to_vec()).push(")");
    only_visible(&mut query, principal);
    query.push(" order by position");
    query.build().fetch_all(conn).await?.iter().map(record_of).collect()
}

/// Events after this position about orders whose creation was not heard of yet: whose they are will be known soon.
pub async fn ownerless(conn: &mut PgConnection, after: i64, until: i64, limit: i64) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "select position from events where position > $1 and position <= $2 and order_id is not null
             and not exists (select from participants where participants.order_id = events.order_id)
         order by position limit $3",
    )
    .bind(after)
    .bind(until)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// The last position.
pub async fn last_position(conn: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("select coalesce(max(position), 0) from events").fetch_one(conn).await
}
