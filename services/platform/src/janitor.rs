//! Throws away what nobody will ask for again, a little at a time.

use std::time::Duration;

use sqlx::PgPool;

use crate::tasks::Stop;

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(600);
/// Rows of one statement: short enough that nobody waits for its locks.
const BATCH_MAX: i64 = 2_000;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// What is thrown away, after how long. Published events stay so long that a broker that has lost its data can be fed
/// again. The inbox remembers for longer than Kafka keeps (a week) and than the outbox could be replayed: an event
/// that comes after that would be taken for a new one, and then only the state tables would stop it.
const OLD: [(&str, i64); 3] = [
    (
        "delete from outbox where id in (
             select id from outbox where created_ms < machine_ms() - $1
             and not exists (select from outbox_pending pending where pending.id = outbox.id) order by id limit $2)",
        14 * DAY_MS,
    ),
    (
        "delete from inbox where event_id in (select event_id from inbox where applied_ms < machine_ms() - $1 limit $2)",
        30 * DAY_MS,
    ),
    (
        "delete from idempotency_keys where (account_id, key) in (
             select account_id, key from idempotency_keys where created_ms < machine_ms() - $1 limit $2)",
        7 * DAY_MS,
    ),
];

/// Goes round until it is told to stop. What fails is tried again in the next round.
pub(crate) async fn run(pool: PgPool, mut stop: Stop) -> Result<(), sqlx::Error> {
    while stop.sleep(EVERY).await {
        for (statement, age_ms) in OLD {
            if let Err(error) = throw_away(&pool, statement, age_ms, &stop).await {
                tracing::warn!(%error, "old rows were not thrown away");
            }
        }
    }
    Ok(())
}

async fn throw_away(pool: &PgPool, statement: &'static str, age_ms: i64, stop: &Stop) -> Result<(), sqlx::Error> {
    while !stop.is_now() {
        let done = sqlx::query(statement).bind(age_ms).bind(BATCH_MAX).execute(pool).await?;
        if done.rows_affected() < BATCH_MAX.unsigned_abs() {
            break;
        }
    }
    Ok(())
}
