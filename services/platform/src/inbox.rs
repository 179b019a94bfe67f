//! The inbox: which events were applied. Claiming an event and applying it is one transaction, so it is applied once,
//! however often it comes, and at whatever offset.

use std::collections::{BTreeMap, HashSet};

use orderflow_contracts::{api::ops::InboxRow, ids::EventId, timestamp::Timestamp};
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::consumer::Received;

/// Claims events; those that come for the first time. One that comes again is counted and passed over.
pub async fn claim(conn: &mut PgConnection, events: &[Received]) -> Result<HashSet<EventId>, sqlx::Error> {
    // The same id twice in one batch is a duplicate as well, and Postgres takes a row only once in one statement. In
    // the order of the ids, so that two replicas do not wait for each other.
    let mut first: BTreeMap<EventId, (&Received, i32)> = BTreeMap::new();
    for event in events {
        first.entry(event.envelope.id).and_modify(|(_, again)| *again += 1).or_insert((event, 0));
    }
    let ids: Vec<Uuid> = first.keys().map(|id| (*id).into()).collect();
    let topics: Vec<&str> = first.values().map(|(event, _)| event.topic.as_str()).collect();
    let partitions: Vec<i32> = first.values().map(|(event, _)| event.partition).collect();
    let offsets: Vec<i64> = first.values().map(|(event, _)| event.offset).collect();
    let subjects: Vec<&str> = first.values().map(|(event, _)| event.envelope.subject.as_str()).collect();
    let again: Vec<i32> = first.values().map(|(_, again)| *again).collect();
    let claimed: Vec<(Uuid, bool)> = sqlx::query_as(
        // `xmax` is 0 in a row that was inserted, and the locker's in one that was there.
        "insert into inbox (event_id, topic, partition, \"offset\", duplicates, subject)
         select * from unnest($1::uuid[], $2::text[], $3::int[], $4::bigint[], $5::int[], $6::text[])
         on conflict (event_id) do update set duplicates = inbox.duplicates + excluded.duplicates + 1
         returning event_id, xmax = 0",
    )
    .bind(ids)
    .bind(topics)
    .bind(partitions)
    .bind(offsets)
    .bind(again)
    .bind(subjects)
    .fetch_all(conn)
    .await?;
    Ok(claimed.into_iter().filter(|(_, is_new)| *is_new).map(|(id, _)| id.into()).collect())
}

/// Forgets that an event was claimed when it was dead-lettered, so that it can be applied after all. One that was
/// applied came from another place, and stays.
pub async fn forget(conn: &mut PgConnection, event: &Received) -> Result<(), sqlx::Error> {
    sqlx::query("delete from inbox where event_id = $1 and topic = $2 and partition = $3 and \"offset\" = $4")
        .bind(Uuid::from(event.envelope.id))
        .bind(&event.topic)
        .bind(event.partition)
        .bind(event.offset)
        .execute(conn)
        .await
        .map(drop)
}

/// Which rows.
#[derive(Debug, Default)]
pub struct Filter {
    /// Only those of these events.
    pub event_ids: Option<Vec<EventId>>,
    /// Only those after this event's.
    pub after: Option<EventId>,
}

/// Rows, in the order of the ids; one more than `limit` if there are more.
pub async fn list(conn: &mut PgConnection, filter: &Filter, limit: i64) -> Result<Vec<InboxRow>, sqlx::Error> {
    let mut query =
        QueryBuilder::<Postgres>::new("select event_id, topic, subject, applied_ms, duplicates from inbox where true");
    if let Some(ids) = &filter.event_ids {
        let ids: Vec<Uuid> = ids.iter().map(|id| (*id).into()).collect();
        query.push(" and event_id = any(").push_bind(ids).push(")");
    }
    if let Some(after) = filter.after {
        query.push(" and event_id > ").push_bind(Uuid::from(after));
    }
    query.push(" order by event_id limit ").push_bind(limit + 1);
    let rows: Vec<(Uuid, String, String, i64, i32)> = query.build_query_as().fetch_all(conn).await?;
    let row = |(event_id, topic, subject, applied_ms, duplicates): (Uuid, String, String, i64, i32)| {
        let (applied_at, duplicates) = (Timestamp(applied_ms), duplicates.unsigned_abs());
        InboxRow { event_id: event_id.into(), topic, subject, applied_at, duplicates }
    };
    Ok(rows.into_iter().map(row).collect())
}
