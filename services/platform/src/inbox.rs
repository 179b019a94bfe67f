//! The inbox: which events were applied. Claiming an event and applying it is one transaction, so it is applied once,
//! however often it comes, and at whatever offset.

use std::collections::HashSet;

use orderflow_contracts::ids::EventId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::consumer::Received;

/// Claims events; those that come for the first time. One that comes again is counted and passed over.
pub async fn claim(conn: &mut PgConnection, events: &[Received]) -> Result<HashSet<EventId>, sqlx::Error> {
    // The same id twice in one batch is a duplicate as well, and Postgres takes a row only once in one statement.
    // In the order of the ids, so that two replicas do not wait for each other.
    let mut seen = HashSet::new();
    let mut first: Vec<&Received> = events.iter().filter(|event| seen.insert(event.envelope.id)).collect();
    first.sort_unstable_by_key(|event| event.envelope.id);
    let ids: Vec<Uuid> = first.iter().map(|event| event.envelope.id.into()).collect();
    let topics: Vec<&str> = first.iter().map(|event| event.topic.as_str()).collect();
    let partitions: Vec<i32> = first.iter().map(|event| event.partition).collect();
    let offsets: Vec<i64> = first.iter().map(|event| event.offset).collect();
    let claimed: Vec<(Uuid, bool)> = sqlx::query_as(
        "insert into inbox (event_id, topic, partition, \"offset\")
         select * from unnest($1::uuid[], $2::text[], $3::int[], $4::bigint[])
         on conflict (event_id) do update set duplicates = inbox.duplicates + 1
         returning event_id, duplicates = 0",
    )
    .bind(ids)
    .bind(topics)
    .bind(partitions)
    .bind(offsets)
    .fetch_all(conn)
    .await?;
    Ok(claimed.into_iter().filter(|(_, is_new)| *is_new).map(|(id, _)| id.into()).collect())
}
