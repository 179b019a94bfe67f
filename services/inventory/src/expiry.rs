//! Ends reservations that nobody has paid for in time. This service alone decides that, by its database's clock.

use std::{sync::Arc, time::Duration};

use orderflow_platform::{
    app::AppBuilder, clock, context::Context, db::Db, outbox::Outbox, tasks::Stop, unreadable::Unreadable,
};
use tokio::sync::Notify;

use crate::{Settings, domain::Input, handle::Batch, store};

/// Reservations of one transaction.
const BATCH_MAX: i64 = 100;
/// Those that cannot be read are met each time, before the others.
const UNREADABLE_MAX: i64 = 100;
/// Longest sleep. New reservations end later than those that are slept for, so this is for a clock that another
/// replica has moved.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// While somebody else decides about what is over.
const LOCKED_RETRY: Duration = Duration::from_millis(20);
/// After an error.
const RETRY: Duration = Duration::from_millis(500);

/// Ends reservations.
pub struct Expiry {
    db: Db,
    outbox: Outbox,
    settings: Settings,
    clock_moved: Arc<Notify>,
    unreadable: Unreadable,
}

impl Expiry {
    /// For the reservations in this database.
    pub fn new(app: &AppBuilder, settings: Settings) -> Self {
        let (db, outbox) = (app.db.clone(), app.outbox.clone());
        let (clock_moved, unreadable) = (Arc::clone(&app.clock_moved), app.unreadable.clone());
        Self { db, outbox, settings, clock_moved, unreadable }
    }

    /// Goes on until it is told to stop; an error is a reason to try again.
    pub async fn run(self, mut stop: Stop) -> Result<(), sqlx::Error> {
        while !stop.is_now() {
            let moved = self.clock_moved.notified();
            let sleep = match self.expire_once().await {
                Ok(0) => self.until_next().await.unwrap_or(RETRY),
                Ok(_) => continue,
                Err(error) => {
                    tracing::warn!(%error, "reservations could not be ended");
                    RETRY
                }
            };
            tokio::select! {
                () = moved => {}
                _ = stop.sleep(sleep) => {}
            }
        }
        Ok(())
    }

    /// Ends those that are over; how many that were.
    pub async fn expire_once(&self) -> Result<usize, sqlx::Error> {
        let mut tx = self.db.begin().await?;
        let over = clock::now_ms(&mut tx).await?.saturating_sub(self.settings.expiry_grace_ms);
        let mut ids = Vec::new();
        for reservation in store::expired(&mut tx, over, BATCH_MAX + UNREADABLE_MAX).await? {
            match reservation {
                Ok(id) => ids.push(id),
                Err((id, error)) => self.unreadable.note("reservations", id, error.to_string()),
            }
        }
        if ids.is_empty() {
            return Ok(0);
        }
        let mut batch = Batch::load(&mut tx, self.db.chaos(), &ids, std::iter::empty()).await?;
        for id in &ids {
            let correlation_id = batch.correlation_id(*id).unwrap_or_default().to_owned();
            let context = Context::of_timer(correlation_id);
            batch.apply(*id, Input::Expire, over, self.settings.hold_ms, &context);
        }
        batch.save(&mut tx).await?;
        tx.commit().await?;
        self.outbox.wake();
        tracing::info!(reservations = ids.len(), "expired");
        Ok(ids.len())
    }

    /// How long nothing is over.
    async fn until_next(&self) -> Result<Duration, sqlx::Error> {
        let mut conn = self.db.acquire().await?;
        let Some(next) = store::next_expiry(&mut conn).await? else { return Ok(SLEEP_MAX) };
        let wait_ms = next.saturating_add(self.settings.expiry_grace_ms) - clock::now_ms(&mut conn).await?;
        // Locked by someone else, if it is over already: that is decided in a moment. Or it cannot be read.
        let least = if self.unreadable.list().is_empty() { LOCKED_RETRY } else { RETRY };
        Ok(Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0)).clamp(least, SLEEP_MAX))
    }
}
