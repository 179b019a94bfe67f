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
        .bind(&letter.reason)
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

fn to_publish(topic: &str, id: Uuid, letter: &DeadLetter<'_>) -> Row {
    let record = letter.record;
    let mut headers: Vec<_> = record.headers.iter().map(|(name, value)| (text(name.as_bytes()), text(value))).collect();
    headers.push(("dead-letter-reason".to_owned(), letter.reason.clone()));
    headers.push(("dead-letter-topic".to_owned(), record.topic.clone()));
    headers.push(("dead-letter-partition".to_owned(), record.partition.to_string()));
    headers.push(("dead-letter-offset".to_owned(), record.offset.to_string()));
    Row {
        event_id: id,
        topic: topic.to_owned(),
        key: record.key.as_deref().map(text).unwrap_or_default(),
        headers,
        payload: record.payload.clone().unwrap_or_default(),
    }
}
