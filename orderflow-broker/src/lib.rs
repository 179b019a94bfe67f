//! An embedded broker that speaks Kafka's wire protocol: for **one machine and for tests, never for production**.
//! Beyond one machine use Apache Kafka; clients need no change.
//!
//! ```text
//!                 ┌───────────────────────── State ─────────────────────────┐
//!   client ─▶ wire ─▶ handlers ─▶ topics ─▶ log ─▶ segment files            │
//!                 │          ├──▶ groups ─┬▶ store ─▶ state.log             │
//!                 │          └──▶ offsets ┘                                 │
//!                 │  faults ◀── control (Unix socket)                       │
//!                 └─────────────────────────────────────────────────────────┘
//! ```
//!
//! - [`Config`] says what can be chosen; [`Broker::start`] gives a [`Handle`].
//! - [`faults`] makes it fail on purpose.
//! - The crate's README has the protocol table, the differences from Apache Kafka and the file format.
//!
//! Nothing in here knows of orders. Nothing here replicates, compacts or does transactions.

mod budget;
mod config;
pub mod control;
pub mod faults;
mod flush;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod groups;
mod handlers;
mod lifecycle;
mod log;
mod producers;
mod store;
mod topic_config;
mod topics;
mod wire;

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::json;
use tokio::sync::Semaphore;
use uuid::Uuid;

use self::{
    budget::Budget,
    faults::Faults,
    flush::GroupCommit,
    groups::Coordinator,
    store::{Key, Store},
    topics::Topics,
};
pub use self::{
    config::{Config, Flush, Listener},
    lifecycle::{Broker, Handle, StartError, TaskDied},
};

/// How many producer ids are reserved in the store at a time; a restart skips what is left of them.
const PRODUCER_IDS_RESERVED: i64 = 1000;

/// All that a broker is while it runs.
#[derive(Debug)]
struct State {
    config: Config,
    cluster_id: String,
    topics: Topics,
    groups: Coordinator,
    faults: Arc<Faults>,
    store: Mutex<Store>,
    store_flushed: GroupCommit,
    /// Producer ids: the next one, and the first that is not reserved.
    producer_ids: Mutex<(i64, i64)>,
    /// Memory for requests. It is another one than that for answers, or requests that wait for room for their answers
    /// could use up what they wait for.
    requests: Budget,
    /// Memory for large requests, which only produce has: slow ones hold up each other and nobody else.
    large_requests: Budget,
    /// Memory for answers to fetches.
    answers: Budget,
    /// Places for connections.
    places: Arc<Semaphore>,
}

impl State {
    /// Opens everything in the data directory.
    fn open(config: Config, faults: Arc<Faults>) -> io::Result<Self> {
        let (mut store, cut) = Store::open(&config.data_dir)?;
        if cut > 0 {
            tracing::warn!(bytes = cut, "a torn tail was cut off the state file");
        }
        let cluster_id = match store.get(&Key::Cluster) {
            Some(id) => id.as_str().unwrap_or_default().to_owned(),
            None => {
                let id = random_uuid().simple().to_string();
                store.apply(vec![(Key::Cluster, Some(json!(id)))])?;
                id
            }
        };
        let next_id = store.get(&Key::ProducerIds).and_then(serde_json::Value::as_i64).unwrap_or(1);
        Ok(Self {
            topics: Topics::open(&config, &store)?,
            groups: Coordinator::open(&config, &store, Instant::now())?,
            store: Mutex::new(store),
            store_flushed: GroupCommit::default(),
            producer_ids: Mutex::new((next_id, next_id)),
            requests: Budget::new(config.memory_bytes_max / 4),
            large_requests: Budget::new(config.memory_bytes_max / 4),
            answers: Budget::new(config.memory_bytes_max / 2),
            places: Arc::new(Semaphore::new(config.connections_max.min(Semaphore::MAX_PERMITS))),
            config,
            cluster_id,
            faults,
        })
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forces the state file to the disk.
    async fn flush_store(&self) -> io::Result<()> {
        let (_, until) = self.store().written();
        self.store_flushed.wait(until, || self.store().written()).await
    }

    /// An id that no producer had before, not even before a restart.
    fn next_producer_id(&self) -> io::Result<i64> {
        let mut ids = self.producer_ids.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, reserved) = *ids;
        if next == reserved {
            let reserved = next + PRODUCER_IDS_RESERVED;
            self.store().apply_durably(vec![(Key::ProducerIds, Some(json!(reserved)))])?;
            ids.1 = reserved;
        }
        ids.0 += 1;
        Ok(next)
    }
}

/// Milliseconds since 1970, by the machine's clock: what producers write into records.
fn now_ms() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
}

/// A random (version 4) UUID from the operating system.
fn random_uuid() -> Uuid {
    let mut bytes = [0; 16];
    // Without a file, so that it works when descriptors run out. So few bytes come whole, or the kernel has none at all.
    let filled = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    assert_eq!(filled, Ok(bytes.len()), "the kernel gives random numbers");
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
