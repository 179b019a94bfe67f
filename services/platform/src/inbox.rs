//! The inbox: which events were applied. Claiming an event and applying it is one transaction, so it is applied once,
//! however often it comes, and at whatever offset.

use std::collections::{BTreeMap, HashSet};

use orderflow_contracts::ids::EventId;
use sqlx::PgConnection;
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
    let again: Vec<i32> = first.values().map(|(_, again)| *again).collect();
    let claimed: Vec<(Uuid, bool)> = sqlx::query_as(
        // `xmax` is 0 in a row that was inserted, and the locker's in one that was there.
        "insert into inbox (event_id, topic, partition, \"offset\", duplicates)
         select * from unnest($1::uuid[], $2::text[], $3::int[], $4::bigint[], $5::int[])
         on conflict (event_id) do update set duplicates = inbox.duplicates + excluded.duplicates + 1
         returning event_id, xmax = 0",
    )
    .bind(ids)
    .bind(topics)
    .bind(partitions)
    .bind(offsets)
    .bind(again)
    .fetch_all(conn)
    .await?;
    Ok(claimed.into_iter().filter(|(_, is_new)| *is_new).map(|(id, _)| id.into()).collect())
}
