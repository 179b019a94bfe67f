//! Dead letters: records that cannot be applied and never will be as they are. They are kept in a table and published
//! on a topic of their own, in the transaction that passes them over.

use orderflow_contracts::{
    api::ops::{DeadLetter as Letter, EditLetter, LetterStatus},
    timestamp::Timestamp,
    words::{read, word},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::{
    consumer::RawRecord,
    outbox::{Row, append_rows},
};

/// What ids of dead letters are derived from.
const DEAD_LETTER_IDS: Uuid = Uuid::from_u128(0x6465_6164_5f6c_6574_7465_7273_0000_0000);

/// Longest value and longest headers, in bytes, that are published as they are: a topic takes records of a megabyte, and
/// one that it does not take would hold up the relay for ever. The table keeps all of it.
const PUBLISHED_VALUE_MAX: usize = 512 * 1024;
const PUBLISHED_HEADERS_MAX: usize = 64 * 1024;
/// Longest key that is published, in bytes. It stands in an index of the outbox, where a row has at most a third of a
/// page. Keys of ours are ids; the table keeps all of it.
const PUBLISHED_KEY_MAX: usize = 500;
/// Longest reason, in characters. It may quote what it is about.
const REASON_MAX: usize = 1_000;

/// A record and why it cannot be applied.
#[derive(Debug)]
pub struct DeadLetter<'a> {
    /// The record, as it came.
    pub record: &'a RawRecord,
    /// Why.
    pub reason: String,
}

/// Keeps them, and publishes them on `topic`. Coming again at the same offset, they are kept once.
pub async fn keep(conn: &mut PgConnection, topic: &str, letters: &[DeadLetter<'_>]) -> Result<(), sqlx::Error> {
    for letter in letters {
        let record = letter.record;
        let id = id_of(record);
        let kept = sqlx::query(
            "insert into dead_letters (id, topic, partition, \"offset\", key, headers, payload, reason, event_id, subject)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (id) do nothing",
        )
        .bind(id)
        .bind(&record.topic)
        .bind(record.partition)
        .bind(record.offset)
        .bind(record.key.as_deref())
        .bind(headers_json(record))
        .bind(record.payload.as_deref())
        .bind(reason_of(&letter.reason))
        .bind(header(record, "ce_id").and_then(|id| id.parse::<Uuid>().ok()))
        .bind(header(record, "ce_subject"))
        .execute(&mut *conn)
        .await?;
        if kept.rows_affected() > 0 {
            append_rows(conn, vec![to_publish(topic, id, letter)]).await?;
        }
    }
    Ok(())
}

/// From where it was and what it is: a broker that starts anew counts its offsets from zero again.
fn id_of(record: &RawRecord) -> Uuid {
    let place = format!("{}/{}/{}/", record.topic, record.partition, record.offset);
    let content = Sha256::digest(record.payload.as_deref().unwrap_or_default());
    Uuid::new_v5(&DEAD_LETTER_IDS, &[place.as_bytes(), &content[..]].concat())
}

fn text(bytes: &[u8]) -> String {
    // Postgres has no NUL in its texts.
    String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}")
}

fn headers_json(record: &RawRecord) -> Value {
    record.headers.iter().map(|(name, value)| json!([text(name.as_bytes()), text(value)])).collect()
}

fn header(record: &RawRecord, name: &str) -> Option<String> {
    record.headers.iter().find(|(found, _)| found == name).map(|(_, value)| text(value))
}

fn reason_of(reason: &str) -> String {
    text(reason.as_bytes()).chars().take(REASON_MAX).collect()
}

fn to_publish(topic: &str, id: Uuid, letter: &DeadLetter<'_>) -> Row {
    let record = letter.record;
    let mut left = PUBLISHED_HEADERS_MAX;
    let mut fits = |header: &(String, String)| {
        // A header without anything in it takes room as well.
        let length = header.0.len() + header.1.len() + 8;
        left.checked_sub(length).inspect(|rest| left = *rest).is_some()
    };
    let mut headers: Vec<_> = record
        .headers
        .iter()
        .map(|(name, value)| (text(name.as_bytes()), text(value)))
        .filter(|header| fits(header))
        .collect();
    let value = record.payload.as_deref().unwrap_or_default();
    let published = &value[..value.len().min(PUBLISHED_VALUE_MAX)];
    if headers.len() < record.headers.len() || published.len() < value.len() {
        headers.push(("dead-letter-truncated".to_owned(), "true".to_owned()));
    }
    headers.push(("dead-letter-reason".to_owned(), reason_of(&letter.reason)));
    headers.push(("dead-letter-topic".to_owned(), record.topic.clone()));
    headers.push(("dead-letter-partition".to_owned(), record.partition.to_string()));
    headers.push(("dead-letter-offset".to_owned(), record.offset.to_string()));
    let mut key = record.key.as_deref().map(text).unwrap_or_default();
    key.truncate(key.floor_char_boundary(PUBLISHED_KEY_MAX));
    Row { event_id: id, topic: topic.to_owned(), key, headers, payload: published.to_vec() }
}

type LetterRow = (Uuid, String, String, String, i32, i64, Option<Vec<u8>>, Value, Option<Vec<u8>>, i64);

const COLUMNS: &str = "id, status, reason, topic, partition, \"offset\", key, headers, payload, created_ms";

fn letter_of(row: LetterRow) -> Letter {
    let (id, status, reason, topic, partition, offset, key, headers, payload, created_ms) = row;
    let payload = payload.unwrap_or_default();
    Letter {
        id,
        status: read(&status).unwrap_or(LetterStatus::Open),
        reason,
        topic,
        partition,
        offset,
        key: key.as_deref().map(text),
        headers: serde_json::from_value(headers).unwrap_or_default(),
        payload: serde_json::from_slice(&payload).unwrap_or_else(|_| Value::from(text(&payload))),
        created_at: Timestamp(created_ms),
    }
}

/// Which dead letters.
#[derive(Debug, Default)]
pub struct Filter {
    /// Only this one.
    pub id: Option<Uuid>,
    /// Only those that this became of.
    pub status: Option<LetterStatus>,
    /// Only those about this order or product, by their key or their header.
    pub subject: Option<String>,
    /// Only those that are older than this one.
    pub before: Option<Uuid>,
}

/// Dead letters, the newest first; one more than `limit` if there are more.
pub async fn list(conn: &mut PgConnection, filter: &Filter, limit: i64) -> Result<Vec<Letter>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("select ");
    query.push(COLUMNS).push(" from dead_letters where true");
    if let Some(id) = filter.id {
        query.push(" and id = ").push_bind(id);
    }
    if let Some(status) = filter.status {
        query.push(" and status = ").push_bind(word(status));
    }
    if let Some(subject) = &filter.subject {
        query.push(" and (key = ").push_bind(subject.as_bytes());
        query.push(" or headers @> ").push_bind(json!([["ce_subject", subject]])).push(")");
    }
    if let Some(id) = filter.before {
        query.push(" and (created_ms, id) < (select created_ms, id from dead_letters where id = ");
        query.push_bind(id).push(")");
    }
    query.push(" order by created_ms desc, id desc limit ").push_bind(limit + 1);
    let rows: Vec<LetterRow> = query.build_query_as().fetch_all(conn).await?;
    Ok(rows.into_iter().map(letter_of).collect())
}

type RecordRow = (String, i32, i64, Option<Vec<u8>>, Value, Option<Vec<u8>>, i64);

/// The record of an open dead letter, which is locked until the transaction ends.
pub async fn open_for_update(conn: &mut PgConnection, id: Uuid) -> Result<Option<RawRecord>, sqlx::Error> {
    let row: Option<RecordRow> = sqlx::query_as(
        "select topic, partition, \"offset\", key, headers, payload, created_ms from dead_letters
         where id = $1 and status = 'open' for update",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|(topic, partition, offset, key, headers, payload, timestamp_ms)| {
        let headers: Vec<(String, String)> = serde_json::from_value(headers).unwrap_or_default();
        let headers = headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
        RawRecord { topic, partition, offset, timestamp_ms, key, headers, payload }
    }))
}

/// Why it could not be applied, the last time.
pub async fn set_reason(conn: &mut PgConnection, id: Uuid, reason: &str) -> Result<(), sqlx::Error> {
    let update = sqlx::query("update dead_letters set reason = $2 where id = $1").bind(id).bind(reason_of(reason));
    update.execute(conn).await.map(drop)
}

/// Says what became of an open dead letter; false if there is none of this id.
pub async fn close(conn: &mut PgConnection, id: Uuid, status: LetterStatus) -> Result<bool, sqlx::Error> {
    let closed = sqlx::query("update dead_letters set status = $2 where id = $1 and status = 'open'")
        .bind(id)
        .bind(word(status))
        .execute(conn)
        .await?;
    Ok(closed.rows_affected() == 1)
}

/// Mends an open dead letter; false if there is none of this id.
pub async fn edit(conn: &mut PgConnection, id: Uuid, edit: &EditLetter) -> Result<bool, sqlx::Error> {
    let headers = edit.headers.as_ref().map(|headers| headers.iter().map(|(n, v)| json!([n, v])).collect::<Value>());
    let payload = edit.payload.as_ref().map(|payload| payload.to_string().into_bytes());
    let edited = sqlx::query(
        "update dead_letters set key = coalesce($2, key), headers = coalesce($3, headers),
             payload = coalesce($4, payload) where id = $1 and status = 'open'",
    )
    .bind(id)
    .bind(edit.key.as_ref().map(String::as_bytes))
    .bind(headers)
    .bind(payload)
    .execute(conn)
    .await?;
    Ok(edited.rows_affected() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_comes_what_is_published_is_taken() {
        let record = RawRecord {
            topic: "orders".into(),
            partition: 0,
            offset: 7,
            timestamp_ms: 0,
            key: Some(vec![0xff; 900_000]),
            headers: (0..100).map(|n| (format!("h{n}"), vec![b'\0'; 10_000])).collect(),
            payload: Some(vec![b'x'; 900_000]),
        };
        let letter = DeadLetter { record: &record, reason: "\0".repeat(5_000) };
        let row = to_publish("dead", Uuid::nil(), &letter);
        let headers: usize = row.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(row.payload.len() + headers < 700_000);
        assert_eq!(row.key, "\u{fffd}".repeat(166), "cut between two characters");
        assert!(row.headers.contains(&("dead-letter-truncated".into(), "true".into())));
        assert!(row.headers.iter().all(|(_, value)| !value.contains('\0')), "Postgres has no NUL in its texts");
    }
}
