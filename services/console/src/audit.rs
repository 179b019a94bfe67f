//! The audit log: who did what to what. Entries are chained: the hash of each covers the one before, so one that is
//! altered or missing is found; the last one is written down beside them, so that one finds it missing too.

use orderflow_contracts::{
    api::ops::{AuditCheck, AuditEntry, AuditPart, AuditPlace},
    events::TimestampMs,
    timestamp::Timestamp,
};
use orderflow_platform::http::ApiError;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, Postgres, QueryBuilder};

/// Held while entries are chained: the number and the hash of each follow from the one before.
const CHAIN_LOCK: i64 = 0x6175_6469_745f_6c6f;
/// Entries that are read at once when they are checked.
const BATCH_MAX: i64 = 1_000;
/// Entries that are checked by one request: about a tenth of a second, of the 30 that a request may take.
pub const CHECK_MAX: i64 = 20_000;
/// Bytes of a SHA-256.
const HASH_BYTES: usize = 32;

/// Something that was done.
#[derive(Debug, Clone)]
pub struct Done {
    /// When.
    pub at_ms: TimestampMs,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// More about it.
    pub detail: Value,
}

/// The hash of an entry. Over JSON, so that no two entries have the same text; the names of objects are in their order.
/// `detail` is that of the entry, as the database gives it.
fn hash_of(before: &[u8], number: i64, done: &Done, detail: &Value) -> Vec<u8> {
    let text = json!([number, done.at_ms, done.actor, done.action, done.subject, detail]).to_string();
    Sha256::new_with_prefix(before).chain_update(text).finalize().to_vec()
}

/// The details as they will be read when the chain is checked. The database keeps numbers as decimals: -0.0 comes back
/// as 0.0, and 1e16 as an integer. So it is asked what becomes of them, where one of them is no integer.
async fn details_as_kept(conn: &mut PgConnection, done: &[Done]) -> Result<Vec<Value>, sqlx::Error> {
    let details: Vec<_> = done.iter().map(|done| done.detail.clone()).collect();
    if !details.iter().any(has_float) {
        return Ok(details);
    }
    let kept =
        sqlx::query_scalar("select detail from unnest($1::jsonb[]) with ordinality as new (detail, at) order by at");
    kept.bind(details).fetch_all(conn).await
}

fn has_float(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_float),
        Value::Object(fields) => fields.values().any(has_float),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

/// Appends entries, in this order, in the caller's transaction.
pub async fn append(conn: &mut PgConnection, done: &[Done]) -> Result<(), sqlx::Error> {
    if done.is_empty() {
        return Ok(());
    }
    let details = details_as_kept(&mut *conn, done).await?;
    sqlx::query("select pg_advisory_xact_lock($1)").bind(CHAIN_LOCK).execute(&mut *conn).await?;
    let (mut number, mut hash) = head(&mut *conn).await?.unwrap_or_default();
    let (mut numbers, mut hashes) = (Vec::with_capacity(done.len()), Vec::with_capacity(done.len()));
    for (done, detail) in done.iter().zip(&details) {
        number += 1;
        hash = hash_of(&hash, number, done, detail);
        numbers.push(number);
        hashes.push(hash.clone());
    }
    sqlx::query(
        "insert into audit (number, at_ms, actor, action, subject, detail, hash)
         select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::bytea[])",
    )
    .bind(numbers)
    .bind(done.iter().map(|done| done.at_ms).collect::<Vec<_>>())
    .bind(done.iter().map(|done| done.actor.as_str()).collect::<Vec<_>>())
    .bind(done.iter().map(|done| done.action.as_str()).collect::<Vec<_>>())
    .bind(done.iter().map(|done| done.subject.as_str()).collect::<Vec<_>>())
    .bind(done.iter().map(|done| &done.detail).collect::<Vec<_>>())
    .bind(hashes)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "insert into audit_head (number, hash) values ($1, $2)
         on conflict (only_row) do update set number = excluded.number, hash = excluded.hash",
    )
    .bind(number)
    .bind(hash)
    .execute(conn)
    .await
    .map(drop)
}

/// Number and hash of the last entry, as they were written down beside the log.
async fn head(conn: &mut PgConnection) -> Result<Option<(i64, Vec<u8>)>, sqlx::Error> {
    sqlx::query_as("select number, hash from audit_head").fetch_optional(conn).await
}

type Row = (i64, i64, String, String, String, Value, Vec<u8>);

fn done_of((_, at_ms, actor, action, subject, detail, _): Row) -> Done {
    Done { at_ms, actor, action, subject, detail }
}

fn entry_of(row: Row) -> AuditEntry {
    let (number, hash) = (row.0, hex(&row.6));
    let Done { at_ms, actor, action, subject, detail } = done_of(row);
    AuditEntry { number, at: Timestamp(at_ms), actor, action, subject, detail, hash }
}

/// Which entries.
#[derive(Debug, Default)]
pub struct Filter {
    /// Only of this one, or of all whose names begin so: `admin/`.
    pub actor: Option<String>,
    /// Only this, or all that begin so: `chaos.`.
    pub action: Option<String>,
    /// Only to this.
    pub subject: Option<String>,
    /// Only those before this number.
    pub before: Option<i64>,
}

/// Entries, the newest first; one more than `limit` if there are more.
pub async fn list(conn: &mut PgConnection, filter: &Filter, limit: i64) -> Result<Vec<AuditEntry>, sqlx::Error> {
    let mut query =
        QueryBuilder::<Postgres>::new("select number, at_ms, actor, action, subject, detail, hash from audit");
    query.push(" where true");
    if let Some(actor) = &filter.actor {
        query.push(" and starts_with(actor, ").push_bind(actor).push(")");
    }
    if let Some(action) = &filter.action {
        query.push(" and starts_with(action, ").push_bind(action).push(")");
    }
    if let Some(subject) = &filter.subject {
        query.push(" and subject = ").push_bind(subject);
    }
    if let Some(number) = filter.before {
        query.push(" and number < ").push_bind(number);
    }
    query.push(" order by number desc limit ").push_bind(limit + 1);
    let rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    Ok(rows.into_iter().map(entry_of).collect())
}

/// Where a part of the log begins: number and hash of the entry before it.
#[derive(Debug, Default)]
pub struct Place {
    after: i64,
    hash: Vec<u8>,
}

impl Place {
    /// Reads it; none if it is no place.
    pub fn read(place: &AuditPlace) -> Option<Self> {
        let digits = place.hash.as_bytes().chunks(2);
        let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
        let hash = digits.map(byte).collect::<Option<Vec<_>>>()?;
        (place.after > 0 && hash.len() == HASH_BYTES).then_some(Self { after: place.after, hash })
    }

    fn told(&self) -> AuditPlace {
        AuditPlace { after: self.after, hash: hex(&self.hash) }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Goes through the entries from a place on, at most `limit` of them. The transaction has to be one that sees the log and
/// its head as they were at one moment.
pub async fn check(conn: &mut PgConnection, mut place: Place, limit: i64) -> Result<AuditPart, ApiError> {
    let broken = |entries| {
        let check = AuditCheck { intact: false, entries, first_broken: Some(entries + 1) };
        Ok(AuditPart { check, next: None })
    };
    let whole = |entries| AuditCheck { intact: true, entries, first_broken: None };
    let mut left = limit;
    while left > 0 {
        let rows: Vec<Row> = sqlx::query_as(
            "select number, at_ms, actor, action, subject, detail, hash from audit where number > $1
             order by number limit $2",
        )
        .bind(place.after)
        .bind(left.min(BATCH_MAX))
        .fetch_all(&mut *conn)
        .await?;
        if rows.is_empty() {
            let is_whole = is_end(conn, &place).await?;
            return if is_whole {
                Ok(AuditPart { check: whole(place.after), next: None })
            } else {
                broken(place.after)
            };
        }
        for row in rows {
            let (number, kept) = (row.0, row.6.clone());
            let done = done_of(row);
            let expected = hash_of(&place.hash, place.after + 1, &done, &done.detail);
            if number != place.after + 1 || kept != expected {
                return broken(place.after);
            }
            place = Place { after: number, hash: kept };
            left -= 1;
        }
    }
    Ok(AuditPart { check: whole(place.after), next: Some(place.told()) })
}

/// Whether this is where the log ends, by what was written down beside it. Where nothing was, nothing may have been heard
/// that is written down: what was applied, and is no dead letter.
async fn is_end(conn: &mut PgConnection, place: &Place) -> Result<bool, sqlx::Error> {
    if let Some(head) = head(&mut *conn).await? {
        return Ok(head == (place.after, place.hash.clone()));
    }
    let has_heard = sqlx::query_scalar(
        "select exists (select from inbox where not exists (
             select from dead_letters letter where letter.event_id = inbox.event_id and letter.status <> 'replayed'))",
    );
    Ok(place.after == 0 && !has_heard.fetch_one(conn).await?)
}
