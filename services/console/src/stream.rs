//! The live stream: each connection reads on from its own position, so a slow one holds up nobody and misses nothing.

use std::{convert::Infallible, time::Duration};

use axum::response::sse::Event;
use futures_util::{Stream, stream};
use orderflow_contracts::{api::console::EventRecord, ids::OrderId};
use orderflow_platform::auth::{Principal, TOKEN_LIFE};
use sqlx::PgPool;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::Instant,
};

use crate::events::{self, Filter};

/// Events that are read at once.
const BATCH_MAX: i64 = 200;
/// Without news: finds what other replicas have written down.
const POLL: Duration = Duration::from_secs(1);
/// Events that wait for their order's creation to be heard of.
const WAITING_MAX: usize = 1_000;

/// Where one connection is.
pub struct Reader {
    pool: PgPool,
    principal: Principal,
    order_id: Option<OrderId>,
    position: i64,
    /// Positions that were passed though nobody knew whose they are.
    waiting: Vec<i64>,
    ready: std::collections::VecDeque<EventRecord>,
    news: watch::Receiver<u64>,
    until: Instant,
    _place: OwnedSemaphorePermit,
}

impl Reader {
    /// Of what the account may see, of one order or of all, after this position. It ends when a token would.
    pub fn new(
        pool: PgPool,
        principal: Principal,
        order_id: Option<OrderId>,
        position: i64,
        news: watch::Receiver<u64>,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let until = Instant::now() + TOKEN_LIFE;
        let (waiting, ready) = (Vec::new(), std::collections::VecDeque::new());
        Self { pool, principal, order_id, position, waiting, ready, news, until, _place: place }
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
                }
            }
        }
    }

    async fn read(&mut self) -> Result<(), sqlx::Error> {
        let mut conn = self.pool.acquire().await?;
        if !self.waiting.is_empty() {
            let known = events::at(&mut conn, &self.principal, &self.waiting).await?;
            let oldest = self.waiting.first().copied().unwrap_or(0) - 1;
            let newest = self.waiting.last().copied().unwrap_or(0);
            self.waiting = events::ownerless(&mut conn, oldest, newest, BATCH_MAX).await?;
            self.ready.extend(known);
        }
        let last = events::last_position(&mut conn).await?;
        let filter = Filter { order_id: self.order_id, after: Some(self.position), ..Filter::default() };
        let records = events::list(&mut conn, &self.principal, &filter, BATCH_MAX).await?;
        let is_all = i64::try_from(records.len()).is_ok_and(|count| count < BATCH_MAX);
        let reached = if is_all { last.max(self.position) } else { records.last().map_or(last, |r| r.position) };
        if self.principal.role != orderflow_contracts::api::console::Role::Admin {
            let ownerless = events::ownerless(&mut conn, self.position, reached, BATCH_MAX).await?;
            let shown = |position: &i64| !records.iter().any(|record| record.position == *position);
            self.waiting.extend(ownerless.into_iter().filter(shown));
            self.waiting.truncate(WAITING_MAX);
        }
        self.position = records.last().map_or(reached, |record| record.position.max(reached));
        self.ready.extend(
            records.into_iter().filter(|record| self.order_id.is_none_or(|id| record.subject == id.to_string())),
        );
        Ok(())
    }
}
