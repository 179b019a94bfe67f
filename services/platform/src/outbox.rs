//! The outbox: events that are committed together with what they tell of, and published afterwards by the
//! [relay](crate::relay).
//!
//! Rules for whoever appends: the row of the aggregate is locked before, so that the events of one aggregate get their
//! ids in order; and after the commit the relay is [woken](Outbox::wake).

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use orderflow_contracts::{
    api::ops::OutboxRow,
    envelope::Envelope,
    events::{AuditEvent, TimestampMs, topics},
    ids::EventId,
    timestamp::Timestamp,
};
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgConnection, Postgres, QueryBuilder};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{auth::Principal, clock, context::Context};

/// What ids of events are derived from, with the source, the subject and the sequence.
const EVENT_IDS: Uuid = Uuid::from_u128(0x6f72_6465_7266_6c6f_775f_6576_656e_7473);

/// An event that is to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// On which topic.
    pub topic: &'static str,
    /// Its attributes; the subject is the record's key.
    pub envelope: Envelope,
    /// Its data, as JSON.
    pub data: Vec<u8>,
}

/// What happened to an aggregate, and the number of it in the aggregate's life.
#[derive(Debug, Clone)]
pub struct Happened<'a, E> {
    /// The aggregate's id.
    pub subject: String,
    /// From 1 on, without a gap.
    pub sequence: u64,
    /// When.
    pub time_ms: TimestampMs,
    /// Where it comes from.
    pub context: &'a Context,
    /// What.
    pub event: &'a E,
}

/// Writes events for one topic.
#[derive(Debug, Clone, Copy)]
pub struct Writer {
    /// `/orderflow/<service>`
    pub source: &'static str,
    /// Where they are published.
    pub topic: &'static str,
}

impl Writer {
    /// An event. Its id is derived from the aggregate and the sequence: whoever makes it again makes the same.
    pub fn event<E: Serialize>(&self, happened: Happened<'_, E>) -> NewEvent {
        let Happened { subject, sequence, time_ms, context, event } = happened;
        let id = event_id(self.source, &subject, sequence);
        let (event_type, data) = orderflow_contracts::events::encode(event);
        let envelope = Envelope {
            id,
            source: self.source.to_owned(),
            event_type,
            subject,
            time_ms,
            correlation_id: context.correlation_id.clone(),
            causation_id: context.causation_id,
            sequence,
            traceparent: context.traceparent.clone(),
            actor: context.actor.clone(),
        };
        NewEvent { topic: self.topic, envelope, data }
    }
}

/// Tells the audit log that somebody has done something, in the transaction of what was done.
pub async fn audit(
    conn: &mut PgConnection,
    service: &str,
    principal: &Principal,
    action: &str,
    subject: impl ToString + Send,
    detail: Value,
) -> Result<(), sqlx::Error> {
    let done = AuditEvent::Done { action: action.to_owned(), detail };
    let (event_type, data) = orderflow_contracts::events::encode(&done);
    let envelope = Envelope {
        // Nobody makes it again; it happens once.
        id: Uuid::now_v7().into(),
        source: format!("/orderflow/{service}"),
        event_type,
        subject: subject.to_string(),
        time_ms: clock::now_ms(&mut *conn).await?,
        correlation_id: Uuid::now_v7().to_string(),
        causation_id: None,
        sequence: 1,
        traceparent: None,
        actor: Some(principal.actor()),
    };
    append(conn, &[NewEvent { topic: topics::AUDIT, envelope, data }]).await
}

/// The id of an aggregate's event.
pub fn event_id(source: &str, subject: &str, sequence: u64) -> EventId {
    Uuid::new_v5(&EVENT_IDS, format!("{source}/{subject}/{sequence}").as_bytes()).into()
}

/// Appends events, in this order, in the transaction of the change that they tell of.
pub async fn append(conn: &mut PgConnection, events: &[NewEvent]) -> Result<(), sqlx::Error> {
    let rows = events.iter().map(|event| Row {
        event_id: event.envelope.id.into(),
        topic: event.topic.to_owned(),
        key: event.envelope.subject.clone(),
        headers: event.envelope.to_headers().into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        payload: event.data.clone(),
    });
    append_rows(conn, rows.collect()).await
}

/// A record as it is to be published.
#[derive(Debug)]
pub(crate) struct Row {
    pub event_id: Uuid,
    pub topic: String,
    pub key: String,
    pub headers: Vec<(String, String)>,
    pub payload: Vec<u8>,
}

/// In one round trip. Ids are drawn in the order of the rows.
pub(crate) async fn append_rows(conn: &mut PgConnection, rows: Vec<Row>) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let (mut ids, mut topics, mut keys, mut headers, mut payloads) = (vec![], vec![], vec![], vec![], vec![]);
    for row in rows {
        ids.push(row.event_id);
        topics.push(row.topic);
        keys.push(row.key);
        headers.push(Value::from(row.headers.into_iter().map(|(n, v)| Value::from(vec![n, v])).collect::<Vec<_>>()));
        payloads.push(row.payload);
    }
    sqlx::query(
        "with appended as (
             insert into outbox (event_id, topic, key, headers, payload)
             select event_id, topic, key, headers, payload
             from unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[], $5::bytea[])
                 with ordinality as new (event_id, topic, key, headers, payload, at)
             order by at
             returning id
         )
         insert into outbox_pending (id) select id from appended",
    )
    .bind(ids)
    .bind(topics)
    .bind(keys)
    .bind(headers)
    .bind(payloads)
    .execute(conn)
    .await
    .map(drop)
}

/// Which rows.
#[derive(Debug, Default)]
pub struct Filter {
    /// Only those about this order or product.
    pub subject: Option<String>,
    /// Only those after this id.
    pub after: Option<i64>,
}

/// Rows, the oldest first; one more than `limit` if there are more.
pub async fn list(conn: &mut PgConnection, filter: &Filter, limit: i64) -> Result<Vec<OutboxRow>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new(
        "select id, event_id, topic, key, headers, created_ms,
             not exists (select from outbox_pending pending where pending.id = outbox.id)
         from outbox where id > ",
    );
    query.push_bind(filter.after.unwrap_or(0));
    if let Some(subject) = &filter.subject {
        query.push(" and key = ").push_bind(subject);
    }
    query.push(" order by id limit ").push_bind(limit + 1);
    let rows: Vec<(i64, Uuid, String, String, Value, i64, bool)> = query.build_query_as().fetch_all(conn).await?;
    let row = |(id, event_id, topic, subject, headers, created_ms, published)| {
        let header = |name: &str| named(&headers, name).unwrap_or_default().to_owned();
        OutboxRow {
            id,
            event_id: Uuid::into(event_id),
            topic,
            subject,
            event_type: header("ce_type"),
            sequence: header("ce_sequence").parse().unwrap_or(0),
            created_at: Timestamp(created_ms),
            published,
        }
    };
    Ok(rows.into_iter().map(row).collect())
}

fn named<'a>(headers: &'a Value, name: &str) -> Option<&'a str> {
    let pairs = headers.as_array().into_iter().flatten();
    pairs
        .filter_map(|pair| Some((pair.get(0)?.as_str()?, pair.get(1)?.as_str()?)))
        .find(|(n, _)| *n == name)
        .map(|p| p.1)
}

/// Rows of the outbox that are marked in one statement: a few hundred milliseconds, so that an outbox of any size stays
/// below what a statement may take.
pub const REPLAY_ROWS_MAX: i64 = 10_000;

/// A part of an outbox that was marked to be published again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// How many events are published again that would not have been.
    pub events: u64,
    /// After which id the next part begins; none if this was the last one.
    pub next: Option<i64>,
}

/// Marks what comes after this id to be published again, of one subject or all, and no more of it than one statement
/// should. For a broker that has lost its data: Kafka is transport, the database is the truth. Consumers know what they
/// had, so it can be begun again at any time.
pub async fn replay_part(conn: &mut PgConnection, subject: Option<&str>, after: i64) -> Result<Part, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("with part as (select id from outbox where id > ");
    query.push_bind(after);
    if let Some(subject) = subject {
        query.push(" and key = ").push_bind(subject);
    }
    query.push(" order by id limit ").push_bind(REPLAY_ROWS_MAX);
    // Locked, since the janitor may just be throwing the oldest away.
    query.push(
        " for key share), marked as (
             insert into outbox_pending (id) select id from part on conflict do nothing returning id
         )
         select (select count(*) from marked), (select count(*) from part), (select max(id) from part)",
    );
    let (marked, rows, last): (i64, i64, Option<i64>) = query.build_query_as().fetch_one(conn).await?;
    Ok(Part { events: marked.unsigned_abs(), next: last.filter(|_| rows == REPLAY_ROWS_MAX) })
}

/// Marks all of it, part by part; how many events that are. The connection is in no transaction: each part is one of its
/// own, and what is done of them stays.
async fn replay(conn: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let (mut events, mut next) = (0, Some(0));
    while let Some(after) = next {
        let part = replay_part(&mut *conn, None, after).await?;
        (events, next) = (events + part.events, part.next);
    }
    Ok(events)
}

/// If this is another broker than the one that everything was published to, publishes all of it again; how many events
/// that are. The connection is in no transaction.
pub(crate) async fn feed_new_broker(conn: &mut PgConnection, cluster_id: &str) -> Result<Option<u64>, sqlx::Error> {
    let known: Option<String> = sqlx::query_scalar("select cluster_id from broker").fetch_optional(&mut *conn).await?;
    if known.as_deref() == Some(cluster_id) {
        return Ok(None);
    }
    // First what is to be published, then what is known: in between it is begun again, and consumers know what they had.
    let events = if known.is_some() { Some(replay(&mut *conn).await?) } else { None };
    sqlx::query(
        "insert into broker (cluster_id) values ($1) on conflict (only_row) do update set cluster_id = excluded.cluster_id",
    )
    .bind(cluster_id)
    .execute(conn)
    .await?;
    Ok(events)
}

/// Wakes the relay of this process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Outbox {
    wake: Arc<Notify>,
    failing: Arc<AtomicBool>,
}

impl Outbox {
    /// To be called after a commit that has appended something.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Whether the relay could not publish, the last time.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    pub(crate) fn set_failing(&self, failing: bool) {
        self.failing.store(failing, Ordering::Relaxed);
    }

    /// Waits until there may be something to publish.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }
}
