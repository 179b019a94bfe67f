//! The live stream: each connection reads on from its own position, so a slow one holds up nobody and misses nothing.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::response::sse::Event;
use futures_util::{Stream, stream};
use orderflow_contracts::{api::console::EventRecord, ids::OrderId};
use orderflow_platform::db::Db;
use orderflow_platform::{
    auth::{Principal, TOKEN_LIFE},
    tasks::Stop,
};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::Instant,
};

use crate::events::{self, Filter};

/// Events that are read at once.
const BATCH_MAX: i64 = 200;
/// Without news: finds what other replicas have written down.
const POLL: Duration = Duration::from_secs(1);

/// Where one connection is.
pub struct Reader {
    db: Db,
    principal: Principal,
    order_id: Option<OrderId>,
    position: i64,
    ready: VecDeque<EventRecord>,
    news: watch::Receiver<u64>,
    until: Instant,
    stop: Stop,
    _place: OwnedSemaphorePermit,
}

impl Reader {
    /// Of what the account may see, of one order or of all, after this position. It ends when a token
    /// would, and when the service stops.
    pub fn new(
        db: Db,
        principal: Principal,
        order_id: Option<OrderId>,
        position: i64,
        news: watch::Receiver<u64>,
        stop: Stop,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let until = Instant::now() + TOKEN_LIFE;
        Self { db, principal, order_id, position, ready: VecDeque::new(), news, until, stop, _place: place }
    }

    /// The events as they come.
    pub fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, async |mut reader| {
            let record = reader.next().await?;
            let event = Event::default().id(record.position.to_string()).event(&record.event_type);
            // A record is always JSON; an event without data would be passed over by the client.
            let event = event.json_data(&record).unwrap_or_default();
            Some((Ok(event), reader))
        })
    }

    async fn next(&mut self) -> Option<EventRecord> {
        loop {
            if self.stop.is_now() || Instant::now() >= self.until {
                return None;
            }
            if let Some(record) = self.ready.pop_front() {
                return Some(record);
            }
            self.news.mark_unchanged();
            if let Err(error) = self.read().await {
                tracing::warn!(%error, "a stream cannot be read; it ends, and its client comes again");
                return None;
            }
            if self.ready.is_empty() {
                tokio::select! {
                    changed = self.news.changed() => changed.ok()?,
                    () = tokio::time::sleep(POLL) => {}
                    () = tokio::time::sleep_until(self.until) => return None,
                    () = self.stop.wait() => return None,
                }
            }
        }
    }

    async fn read(&mut self) -> Result<(), sqlx::Error> {
        let mut conn = self.db.acquire().await?;
        // First how far there is anything, then what there is: what comes in between is read the next time.
        let last = events::last_position(&mut conn).await?;
        let filter = Filter { order_id: self.order_id, after: Some(self.position), ..Filter::default() };
        let records = events::list(&mut conn, &self.principal, &filter, BATCH_MAX).await?;
        let is_all = i64::try_from(records.len()).is_ok_and(|count| count < BATCH_MAX);
        let read = records.last().map_or(self.position, |record| record.position);
        self.position = if is_all { read.max(last) } else { read };
        self.ready.extend(records);
        Ok(())
    }
}
