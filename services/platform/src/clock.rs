//! The service's clock: its database's, so that all replicas share it, moved by an offset where that is allowed.

use orderflow_contracts::events::TimestampMs;
use sqlx::PgConnection;

/// Most that a clock can be moved, in either direction: ten years.
pub const OFFSET_MS_MAX: i64 = 10 * 365 * 24 * 3600 * 1000;

/// What time it is, in milliseconds since 1970.
pub async fn now_ms(conn: &mut PgConnection) -> Result<TimestampMs, sqlx::Error> {
    sqlx::query_scalar("select now_ms()").fetch_one(conn).await
}

/// By how much it is ahead of the database's, in milliseconds.
pub async fn offset_ms(conn: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("select offset_ms from clock").fetch_one(conn).await
}

/// Moves it.
pub async fn set_offset_ms(conn: &mut PgConnection, offset_ms: i64) -> Result<(), sqlx::Error> {
    sqlx::query("update clock set offset_ms = $1").bind(offset_ms).execute(conn).await.map(drop)
}
