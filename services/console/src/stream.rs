//! The live stream: each connection reads on from its own position, so a slow one holds up nobody and misses nothing.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::response::sse::Event;
use futures_util::{Stream, stream};
use orderflow_contracts::{
    api::console::EventRecord,
    ids::{AccountId, OrderId},
    problem::Code,
};
use orderflow_platform::{
    auth::{Principal, TOKEN_LIFE},
    tasks::Stop,
};
use orderflow_platform::{db::Db, http::ApiError};
use tokio::{sync::watch, time::Instant};

use crate::events::{self, Filter};

/// Streams at once.
const STREAMS_MAX: usize = 100;
/// Of these, those of one account: several consoles and a watched order in each terminal, and room for the others.
const STREAMS_OF_ACCOUNT_MAX: usize = 16;
/// Events that are read at once.
const BATCH_MAX: i64 = 200;
/// Without news: finds what other replicas have written down.
const POLL: Duration = Duration::from_secs(1);

/// How many streams each account has open. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Places(Arc<Mutex<HashMap<AccountId, usize>>>);

/// A stream's place; dropped, it is free for another.
#[derive(Debug)]
pub struct Place {
    places: Places,
    account_id: AccountId,
}

impl Places {
    /// A place for one more stream of this account, if neither it nor all together have too many.
    pub fn take(&self, account_id: AccountId) -> Result<Place, ApiError> {
        let mut open = self.open();
        if open.get(&account_id).is_some_and(|count| *count >= STREAMS_OF_ACCOUNT_MAX) {
            let detail = format!("this account has {STREAMS_OF_ACCOUNT_MAX} streams open; close one of them");
            return Err(ApiError::new(Code::RateLimited, detail));
        }
        if open.values().sum::<usize>() >= STREAMS_MAX {
            return Err(ApiError::new(Code::Overloaded, "too many streams are open"));
        }
        *open.entry(account_id).or_default() += 1;
        Ok(Place { places: self.clone(), account_id })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<AccountId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.open();
        // An account without a stream leaves nothing behind.
        if let Some(count) = open.get_mut(&self.account_id) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.account_id);
            }
        }
    }
}

/// How long a token is good for. Whatever it says, not for longer than one that is given out now.
fn left_of(principal: &Principal) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let left = principal.exp.map(|exp| Duration::from_secs(exp).saturating_sub(now));
    left.unwrap_or(TOKEN_LIFE).min(TOKEN_LIFE)
}

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
    _place: Place,
}

impl Reader {
    /// Of what the account may see, of one order or of all, after this position. It ends with its token, and when the
    /// service stops.
    pub fn new(
        db: Db,
        principal: Principal,
        order_id: Option<OrderId>,
        position: i64,
        news: watch::Receiver<u64>,
        stop: Stop,
        place: Place,
    ) -> Self {
        let until = Instant::now() + left_of(&principal);
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
