//! SQL, and nothing else.

use std::time::Duration;

use orderflow_contracts::{
    api::payments::{Card, PaymentStatus, ProviderCall},
    events::TimestampMs,
    ids::{AccountId, OrderId},
    money::{Currency, Money},
    timestamp::Timestamp,
    words::read,
};
use orderflow_platform::{
    context::Context,
    db::{unknown, word_of},
    listing::Listing,
};
use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _, postgres::PgRow};
use uuid::Uuid;

use crate::domain::{Call, Intent, State};

/// A payment and what stands around it.
#[derive(Debug, Clone)]
pub struct Row {
    /// For which order.
    pub order_id: OrderId,
    /// How far it is.
    pub state: State,
    /// Who pays, where it is known.
    pub customer_id: Option<AccountId>,
    /// Who delivers, where it is known.
    pub seller_id: Option<AccountId>,
    /// What is or was due.
    pub amount: Option<Money>,
    /// No charge is started from this moment on.
    pub pay_until: Option<TimestampMs>,
    /// The provider's id of the charge.
    pub charge_id: Option<String>,
    /// The provider's id of the refund.
    pub refund_id: Option<String>,
    /// Why the card was declined.
    pub decline_code: Option<String>,
    /// The card.
    pub card: Option<Card>,
    /// How often it has changed; 0 if there is no row yet.
    pub version: i64,
    /// The number of its last event.
    pub sequence: i64,
    /// When it was first heard of.
    pub created_ms: TimestampMs,
    /// When it changed last.
    pub updated_ms: TimestampMs,
}

impl Row {
    /// Of an order that nothing was heard of yet.
    pub const fn new(order_id: OrderId, now: TimestampMs) -> Self {
        Self {
            order_id,
            state: State::Unknown,
            customer_id: None,
            seller_id: None,
            amount: None,
            pay_until: None,
            charge_id: None,
            refund_id: None,
            decline_code: None,
            card: None,
            version: 0,
            sequence: 0,
            created_ms: now,
            updated_ms: now,
        }
    }

    /// The status as the API has it; none while nothing was heard of the order.
    pub const fn status(&self) -> Option<PaymentStatus> {
        Some(match self.state {
            State::Unknown => return None,
            State::Open(_) => PaymentStatus::Open,
            State::InFlight { .. } => PaymentStatus::Processing,
            State::Succeeded { .. } => PaymentStatus::Succeeded,
            State::Failed => PaymentStatus::Failed,
            State::Voided => PaymentStatus::Voided,
            State::Refunding { .. } => PaymentStatus::Refunding,
            State::Refunded => PaymentStatus::Refunded,
        })
    }
}

const COLUMNS: &str = "order_id, customer_id, seller_id, amount_minor, currency, pay_until_ms, status, cancelled, \
                       charge_id, refund_id, decline_code, card_brand, card_last4, version, sequence, created_ms, \
                       updated_ms";

fn money_of(row: &PgRow) -> Result<Option<Money>, sqlx::Error> {
    let (minor, currency): (Option<i64>, Option<&str>) = (row.try_get("amount_minor")?, row.try_get("currency")?);
    let (Some(minor), Some(currency)) = (minor, currency) else { return Ok(None) };
    Ok(Some(Money::new(minor, read::<Currency>(currency).ok_or_else(|| unknown("currency"))?)))
}

fn row_of(row: &PgRow) -> Result<Row, sqlx::Error> {
    let brand: Option<String> = row.try_get("card_brand")?;
    let last4: Option<String> = row.try_get("card_last4")?;
    let mut read = Row {
        order_id: row.try_get::<Uuid, _>("order_id")?.into(),
        state: State::Unknown,
        customer_id: row.try_get::<Option<Uuid>, _>("customer_id")?.map(Into::into),
        seller_id: row.try_get::<Option<Uuid>, _>("seller_id")?.map(Into::into),
        amount: money_of(row)?,
        pay_until: row.try_get("pay_until_ms")?,
        charge_id: row.try_get("charge_id")?,
        refund_id: row.try_get("refund_id")?,
        decline_code: row.try_get("decline_code")?,
        card: brand.zip(last4).map(|(brand, last4)| Card { brand, last4 }),
        version: row.try_get("version")?,
        sequence: row.try_get("sequence")?,
        created_ms: row.try_get("created_ms")?,
        updated_ms: row.try_get("updated_ms")?,
    };
    read.state = state_of(row, &read)?;
    Ok(read)
}

fn state_of(row: &PgRow, read: &Row) -> Result<State, sqlx::Error> {
    let amount = || read.amount.ok_or_else(|| unknown("amount_minor"));
    let charge_id = || read.charge_id.clone().ok_or_else(|| unknown("charge_id"));
    let intent = || -> Result<Intent, sqlx::Error> {
        let customer_id = read.customer_id.ok_or_else(|| unknown("customer_id"))?;
        let pay_until = read.pay_until.ok_or_else(|| unknown("pay_until_ms"))?;
        Ok(Intent { customer_id, amount: amount()?, pay_until })
    };
    Ok(match word_of(row, "status")? {
        PaymentStatus::Open => State::Open(intent()?),
        PaymentStatus::Processing => State::InFlight { intent: intent()?, cancelled: row.try_get("cancelled")? },
        PaymentStatus::Succeeded => State::Succeeded { charge_id: charge_id()?, amount: amount()? },
        PaymentStatus::Failed => State::Failed,
        PaymentStatus::Voided => State::Voided,
        PaymentStatus::Refunding => State::Refunding { charge_id: charge_id()?, amount: amount()? },
        PaymentStatus::Refunded => State::Refunded,
    })
}

/// The payments of these orders, locked until the transaction ends; in the order of the ids.
pub async fn load_for_update(conn: &mut PgConnection, ids: &[OrderId]) -> Result<Vec<Row>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| (*id).into()).collect();
    let mut query = QueryBuilder::<Postgres>::new("select ");
    query.push(COLUMNS).push(" from payments where order_id = any(").push_bind(ids);
    query.push(") order by order_id for update");
    query.build().fetch_all(conn).await?.iter().map(row_of).collect()
}

/// One payment, as it is now.
pub async fn load(conn: &mut PgConnection, id: OrderId) -> Result<Option<Row>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("select ");
    query.push(COLUMNS).push(" from payments where order_id = ").push_bind(Uuid::from(id));
    query.build().fetch_optional(conn).await?.as_ref().map(row_of).transpose()
}

/// Payments, those of the newest orders first; one more than the page has if there are more.
pub async fn list(conn: &mut PgConnection, listing: &Listing) -> Result<Vec<Row>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("select ");
    query.push(COLUMNS).push(" from payments where true");
    listing.end(&mut query, "order_id");
    query.build().fetch_all(conn).await?.iter().map(row_of).collect()
}

/// Saves payments that were loaded with these versions, new ones (version 0) too, in one round trip. The version check is
/// for a writer that has lost its lock with its connection and does not know yet.
pub async fn save(conn: &mut PgConnection, rows: &[(i64, &Row)], is_guarded: bool) -> Result<(), sqlx::Error> {
    // Of one that nothing was heard of yet there is nothing to save.
    let rows: Vec<_> = rows.iter().filter_map(|(loaded, row)| Some((*loaded, *row, row.status()?))).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let query = sqlx::query(
        "insert into payments as old (order_id, customer_id, seller_id, amount_minor, currency, pay_until_ms, status,
             cancelled, charge_id, refund_id, decline_code, card_brand, card_last4, version, sequence, created_ms,
             updated_ms)
         select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::bigint[], $7::text[],
             $8::boolean[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bigint[],
             $15::bigint[], $16::bigint[], $17::bigint[])
         on conflict (order_id) do update set customer_id = excluded.customer_id, seller_id = excluded.seller_id,
             amount_minor = excluded.amount_minor, currency = excluded.currency, pay_until_ms = excluded.pay_until_ms,
             status = excluded.status, cancelled = excluded.cancelled, charge_id = excluded.charge_id,
             refund_id = excluded.refund_id, decline_code = excluded.decline_code, card_brand = excluded.card_brand,
             card_last4 = excluded.card_last4, version = excluded.version, sequence = excluded.sequence,
             updated_ms = excluded.updated_ms
         where (old.order_id, old.version) in (select * from unnest($1::uuid[], $18::bigint[])) or not $19",
    );
    let saved = query
        .bind(column(&rows, |row| Uuid::from(row.order_id)))
        .bind(column(&rows, |row| row.customer_id.map(Uuid::from)))
        .bind(column(&rows, |row| row.seller_id.map(Uuid::from)))
        .bind(column(&rows, |row| row.amount.map(|amount| amount.minor)))
        .bind(column(&rows, |row| row.amount.map(|amount| amount.currency.code())))
        .bind(column(&rows, |row| row.pay_until))
        .bind(rows.iter().map(|(_, _, status)| status.as_str()).collect::<Vec<_>>())
        .bind(column(&rows, |row| matches!(row.state, State::InFlight { cancelled: true, .. })))
        .bind(column(&rows, |row| row.charge_id.as_deref()))
        .bind(column(&rows, |row| row.refund_id.as_deref()))
        .bind(column(&rows, |row| row.decline_code.as_deref()))
        .bind(column(&rows, |row| row.card.as_ref().map(|card| card.brand.as_str())))
        .bind(column(&rows, |row| row.card.as_ref().map(|card| card.last4.as_str())))
        .bind(column(&rows, |row| row.version))
        .bind(column(&rows, |row| row.sequence))
        .bind(column(&rows, |row| row.created_ms))
        .bind(column(&rows, |row| row.updated_ms))
        .bind(rows.iter().map(|(loaded, ..)| *loaded).collect::<Vec<_>>())
        .bind(is_guarded)
        .execute(conn)
        .await?;
    if usize::try_from(saved.rows_affected()) == Ok(rows.len()) {
        return Ok(());
    }
    Err(sqlx::Error::Protocol("a payment was changed by someone else though it was locked".to_owned()))
}

/// One column of what is saved.
fn column<'a, T>(rows: &[(i64, &'a Row, PaymentStatus)], of: impl Fn(&'a Row) -> T) -> Vec<T> {
    rows.iter().map(|(_, row, _)| of(row)).collect()
}

/// The words for a call: its kind, and the key under which the provider knows it. Derived from the order, so that
/// whoever makes the call again makes the same.
pub fn names_of(call: &Call, order_id: OrderId) -> (&'static str, String) {
    match call {
        Call::Charge(_) => ("charge", format!("order-{order_id}-charge")),
        Call::Refund { .. } => ("refund", format!("order-{order_id}-refund")),
    }
}

/// What the provider is to be asked for, once that is committed.
#[derive(Debug, Clone)]
pub struct NewCall {
    /// For which order.
    pub order_id: OrderId,
    /// For what.
    pub call: Call,
    /// What stands for the card, for a charge.
    pub token: Option<String>,
    /// Where it comes from.
    pub context: Context,
}

/// Writes down what the provider is to be asked for, in one round trip.
pub async fn insert_calls(conn: &mut PgConnection, calls: &[NewCall]) -> Result<(), sqlx::Error> {
    if calls.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = calls.iter().map(|new| names_of(&new.call, new.order_id)).collect();
    let amounts: Vec<_> = calls.iter().map(|new| amount_of(&new.call)).collect();
    sqlx::query(
        "insert into provider_calls (order_id, kind, idempotency_key, token, charge_id, amount_minor, currency,
             correlation_id, causation_id, traceparent)
         select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[],
             $8::text[], $9::uuid[], $10::text[])",
    )
    .bind(calls.iter().map(|new| new.order_id.into()).collect::<Vec<Uuid>>())
    .bind(names.iter().map(|(kind, _)| *kind).collect::<Vec<_>>())
    .bind(names.iter().map(|(_, key)| key.as_str()).collect::<Vec<_>>())
    .bind(calls.iter().map(|new| new.token.as_deref()).collect::<Vec<_>>())
    .bind(calls.iter().map(|new| charge_of(&new.call)).collect::<Vec<_>>())
    .bind(amounts.iter().map(|amount| amount.minor).collect::<Vec<_>>())
    .bind(amounts.iter().map(|amount| amount.currency.code()).collect::<Vec<_>>())
    .bind(calls.iter().map(|new| new.context.correlation_id.as_str()).collect::<Vec<_>>())
    .bind(calls.iter().map(|new| new.context.causation_id.map(Uuid::from)).collect::<Vec<_>>())
    .bind(calls.iter().map(|new| new.context.traceparent.as_deref()).collect::<Vec<_>>())
    .execute(conn)
    .await
    .map(drop)
}

const fn amount_of(call: &Call) -> Money {
    match call {
        Call::Charge(amount) | Call::Refund { amount, .. } => *amount,
    }
}

const fn charge_of(call: &Call) -> Option<&str> {
    match call {
        Call::Charge(_) => None,
        Call::Refund { charge_id, .. } => Some(charge_id.as_str()),
    }
}

/// A call that is to be made now.
#[derive(Debug, Clone)]
pub struct Due {
    /// For which order.
    pub order_id: OrderId,
    /// `charge` or `refund`.
    pub kind: String,
    /// The provider's idempotency key.
    pub key: String,
    /// What stands for the card, for a charge.
    pub token: Option<String>,
    /// The charge, for a refund.
    pub charge_id: Option<String>,
    /// How much.
    pub amount: Money,
    /// How often it was made, this time included.
    pub tries: u32,
    /// For how long every try before this one was refused by the provider; none if the last one was not.
    pub refused_for: Option<Duration>,
    /// Where it comes from.
    pub context: Context,
}

/// Takes calls that are due, for as long as `lease`: if nothing is heard of them until then, they are made again.
/// `instance` is the name of this replica, which no other one has at the same time.
pub async fn take_due(
    conn: &mut PgConnection,
    lease: Duration,
    instance: Option<&str>,
    limit: i64,
) -> Result<Vec<Taken>, sqlx::Error> {
    let rows = sqlx::query(
        "update provider_calls set tries = tries + 1, leased_by = $3,
             next_try_at = clock_timestamp() + make_interval(secs => $1)
         where (order_id, kind) in (
             select order_id, kind from provider_calls where answered_at is null and next_try_at <= clock_timestamp()
             order by next_try_at limit $2 for update skip locked)
         returning order_id, kind, idempotency_key, token, charge_id, amount_minor, currency, tries, correlation_id,
             causation_id, traceparent, case when refused_try = tries - 1
                 then extract(epoch from clock_timestamp() - refused_since)::double precision end as refused_s",
    )
    .bind(lease.as_secs_f64())
    .bind(limit)
    .bind(instance)
    .fetch_all(conn)
    .await?;
    Ok(rows.iter().map(|row| due_of(row).map_err(|error| (id_of(row), error))).collect())
}

/// A call that was taken; which one it is, and why not, if it cannot be read.
pub type Taken = Result<Due, (String, sqlx::Error)>;

/// Which call a row is about, as far as that can be read.
fn id_of(row: &PgRow) -> String {
    let (order_id, kind) = (row.try_get::<Uuid, _>("order_id"), row.try_get::<String, _>("kind"));
    format!("{} {}", order_id.unwrap_or_default(), kind.unwrap_or_default())
}

/// Makes the calls due that a process of this name had taken when it ended; how many those are. They may have been made,
/// and count as tries.
pub async fn take_over(conn: &mut PgConnection, instance: &str) -> Result<u64, sqlx::Error> {
    let freed = sqlx::query(
        "update provider_calls set next_try_at = clock_timestamp(), leased_by = null
         where leased_by = $1 and answered_at is null",
    );
    Ok(freed.bind(instance).execute(conn).await?.rows_affected())
}

fn due_of(row: &PgRow) -> Result<Due, sqlx::Error> {
    Ok(Due {
        order_id: row.try_get::<Uuid, _>("order_id")?.into(),
        kind: row.try_get("kind")?,
        key: row.try_get("idempotency_key")?,
        token: row.try_get("token")?,
        charge_id: row.try_get("charge_id")?,
        amount: money_of(row)?.ok_or_else(|| unknown("amount_minor"))?,
        tries: row.try_get::<i32, _>("tries")?.unsigned_abs(),
        refused_for: row.try_get::<Option<f64>, _>("refused_s")?.and_then(|s| Duration::try_from_secs_f64(s).ok()),
        context: Context {
            correlation_id: row.try_get("correlation_id")?,
            causation_id: row.try_get::<Option<Uuid>, _>("causation_id")?.map(Into::into),
            traceparent: row.try_get("traceparent")?,
            actor: None,
        },
    })
}

/// Whether the time to pay is over for a charge that this try alone can ask for: it is locked, not answered, and has not
/// been taken again since.
pub async fn is_late(conn: &mut PgConnection, due: &Due) -> Result<bool, sqlx::Error> {
    let late: Option<bool> = sqlx::query_scalar(
        "select now_ms() >= payments.pay_until_ms
         from provider_calls join payments using (order_id)
         where order_id = $1 and kind = $2 and tries = $3 and answered_at is null for update of provider_calls",
    )
    .bind(Uuid::from(due.order_id))
    .bind(&due.kind)
    .bind(i64::from(due.tries))
    .fetch_optional(conn)
    .await?;
    Ok(late.unwrap_or(false))
}

/// Nothing definite was heard, or it could not be written down: the call is made again after so long. Unless somebody
/// else has taken it meanwhile. `is_refused` if the provider has refused this try.
pub async fn postpone(
    conn: &mut PgConnection,
    due: &Due,
    after: Duration,
    error: &str,
    is_refused: bool,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update provider_calls set next_try_at = clock_timestamp() + make_interval(secs => $3), last_error = $4,
             leased_by = null, refused_try = case when $6 then tries else refused_try end,
             refused_since = case when not $6 or refused_try = tries - 1 then refused_since else clock_timestamp() end
         where order_id = $1 and kind = $2 and answered_at is null and tries = $5",
    )
    .bind(Uuid::from(due.order_id))
    .bind(&due.kind)
    .bind(after.as_secs_f64())
    .bind(error)
    .bind(i64::from(due.tries))
    .bind(is_refused)
    .execute(conn)
    .await
    .map(drop)
}

/// The provider has answered for certain.
pub async fn answered(conn: &mut PgConnection, due: &Due) -> Result<(), sqlx::Error> {
    let answered = sqlx::query(
        "update provider_calls set answered_at = clock_timestamp(), leased_by = null where order_id = $1 and kind = $2",
    );
    answered.bind(Uuid::from(due.order_id)).bind(&due.kind).execute(conn).await.map(drop)
}

/// How long until a call is due, in seconds; less than none if one is overdue.
pub async fn seconds_to_next(conn: &mut PgConnection) -> Result<Option<f64>, sqlx::Error> {
    sqlx::query_scalar(
        "select extract(epoch from min(next_try_at) - clock_timestamp())::double precision from provider_calls
         where answered_at is null",
    )
    .fetch_one(conn)
    .await
}

/// The calls of these orders that the provider has not answered for certain.
pub async fn open_calls(conn: &mut PgConnection, ids: &[OrderId]) -> Result<Vec<(OrderId, ProviderCall)>, sqlx::Error> {
    let rows: Vec<(Uuid, String, i32, i64, Option<String>)> = sqlx::query_as(
        "select order_id, kind, tries, (extract(epoch from next_try_at) * 1000)::bigint, last_error
         from provider_calls where order_id = any($1) and answered_at is null",
    )
    .bind(ids.iter().map(|id| (*id).into()).collect::<Vec<Uuid>>())
    .fetch_all(conn)
    .await?;
    let call = |(id, kind, tries, next_try_ms, last_error): (Uuid, String, i32, i64, Option<String>)| {
        let next_try_at = Timestamp(next_try_ms);
        (id.into(), ProviderCall { kind, tries: tries.unsigned_abs(), next_try_at, last_error })
    };
    Ok(rows.into_iter().map(call).collect())
}
