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

const COLUMNS: &str = "event_id, source, event_type, subject, sequence, correlation_id, causation_id, at_ms, \
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

/// Where an event stands for the account, as SQL: for an admin when it was heard, for the others when they could first
/// see it.
const fn place(principal: &Principal) -> &'static str {
    match principal.role {
        Role::Admin => "position",
        Role::Customer | Role::Seller => "coalesce(late_position, position)",
    }
}

/// An admin sees everything, the others the events of their orders, and those of products: a customer of all that are
/// sold, as in the catalogue, a seller of their own.
fn only_visible(query: &mut QueryBuilder<Postgres>, principal: &Principal) {
    let account = Uuid::from(principal.account_id);
    match principal.role {
        Role::Admin => {}
        Role::Customer => {
            // What is about a product has the seller whose it is.
            query.push(" and (seller_id is not null or order_id in (select order_id from participants ");
            query.push("where customer_id = ").push_bind(account).push("))");
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
    let place = place(principal);
    query.push(place).push(" as position, ").push(COLUMNS).push(" from events where true");
    if let Some(id) = filter.order_id {
        query.push(" and order_id = ").push_bind(Uuid::from(id));
    }
    if let Some(position) = filter.after {
        query.push(" and ").push(place).push(" > ").push_bind(position);
    }
    if let Some(position) = filter.before {
        query.push(" and ").push(place).push(" < ").push_bind(position);
    }
    only_visible(&mut query, principal);
    query.push(" order by ").push(place).push(if filter.newest_first { " desc limit " } else { " limit " });
    query.push_bind(limit);
    query.build().fetch_all(conn).await?.iter().map(record_of).collect()
}

/// The last position, whoever asks.
pub async fn last_position(conn: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("select coalesce(max(coalesce(late_position, position)), 0) from events").fetch_one(conn).await
}
