//! Dead letters: records that cannot be applied and never will be as they are. They are kept in a table and published
//! on a topic of their own, in the transaction that passes them over.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
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
            "insert into dead_letters (id, topic, partition, \"offset\", key, headers, payload, reason)
             values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do nothing",
        )
        .bind(id)
        .bind(&record.topic)
        .bind(record.partition)
        .bind(record.offset)
        .bind(record.key.as_deref())
        .bind(headers_json(record))
        .bind(record.payload.as_deref())
        .bind(reason_of(letter))
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

fn reason_of(letter: &DeadLetter<'_>) -> String {
    text(letter.reason.as_bytes()).chars().take(REASON_MAX).collect()
}

fn to_publish(topic: &str, id: Uuid, letter: &DeadLetter<'_>) -> Row {
    let record = letter.record;
    let mut left = PUBLISHED_HEADERS_MAX;
    let mut fits = |header: &(String, String)| {
        let length = header.0.len() + header.1.len();
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
    headers.push(("dead-letter-reason".to_owned(), reason_of(letter)));
    headers.push(("dead-letter-topic".to_owned(), record.topic.clone()));
    headers.push(("dead-letter-partition".to_owned(), record.partition.to_string()));
    headers.push(("dead-letter-offset".to_owned(), record.offset.to_string()));
    let key = record.key.as_deref().map(text).unwrap_or_default().chars().take(REASON_MAX).collect();
    Row { event_id: id, topic: topic.to_owned(), key, headers, payload: published.to_vec() }
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
        assert!(row.payload.len() + headers + row.key.len() < 700_000);
        assert!(row.headers.contains(&("dead-letter-truncated".into(), "true".into())));
        assert!(row.headers.iter().all(|(_, value)| !value.contains('\0')), "Postgres has no NUL in its texts");
    }
}
