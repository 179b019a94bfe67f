//! Numbers for `/metrics`, in the text format of OpenMetrics.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

use crate::{lag::Behind, unreadable::Unreadable};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Partition {
    topic: String,
    partition: i32,
}

/// A service's numbers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    requests: Family<Request, Counter>,
    request_seconds: Histogram,
    published: Counter,
    relay_failures: Counter,
    applied: Counter,
    duplicates: Counter,
    dead_letters: Counter,
    consumer_failures: Counter,
    outbox_pending: Gauge<i64, std::sync::atomic::AtomicI64>,
    consumer_lag: Family<Partition, Gauge<i64, std::sync::atomic::AtomicI64>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Arc::default(),
            requests: Family::default(),
            // From half a millisecond to four seconds.
            request_seconds: Histogram::new(exponential_buckets(0.0005, 2.0, 14)),
            published: Counter::default(),
            relay_failures: Counter::default(),
            applied: Counter::default(),
            duplicates: Counter::default(),
            dead_letters: Counter::default(),
            consumer_failures: Counter::default(),
            outbox_pending: Gauge::default(),
            consumer_lag: Family::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&self) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register("orderflow_http_requests", "Requests answered", self.requests.clone());
        let seconds = "Time from a request to its answer, in seconds";
        registry.register("orderflow_http_request_seconds", seconds, self.request_seconds.clone());
        registry.register("orderflow_outbox_published", "Records published", self.published.clone());
        let pending = "Records committed and not published yet";
        registry.register("orderflow_outbox_pending", pending, self.outbox_pending.clone());
        let failures = "Batches that the relay had to try again";
        registry.register("orderflow_relay_failures", failures, self.relay_failures.clone());
        registry.register("orderflow_inbox_applied", "Events applied", self.applied.clone());
        let duplicates = "Events that came again and were passed over";
        registry.register("orderflow_inbox_duplicates", duplicates, self.duplicates.clone());
        registry.register("orderflow_dead_letters", "Records dead-lettered", self.dead_letters.clone());
        let failures = "Batches that the consumer had to try again";
        registry.register("orderflow_consumer_failures", failures, self.consumer_failures.clone());
        let lag = "Records in a partition that the service has not committed yet";
        registry.register("orderflow_consumer_lag", lag, self.consumer_lag.clone());
    }

    /// A counter of the service's own.
    pub fn counter(&self, name: &str, help: &str) -> Counter<u64, AtomicU64> {
        let counter = Counter::default();
        self.registry.lock().unwrap_or_else(PoisonError::into_inner).register(name, help, counter.clone());
        counter
    }

    /// Tells of the rows that cannot be read.
    pub(crate) fn tell_of(&self, unreadable: &Unreadable) {
        let (passed_over, rows) = unreadable.numbers();
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let help = "Times that a row was passed over since it cannot be read";
        registry.register("orderflow_unreadable_rows_passed_over", help, passed_over);
        registry.register("orderflow_unreadable_rows", "Rows that cannot be read", rows);
    }

    /// All of it, as text.
    pub fn text(&self, outbox_pending: i64) -> String {
        self.outbox_pending.set(outbox_pending);
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = encode(&mut text, &self.registry.lock().unwrap_or_else(PoisonError::into_inner));
        text
    }

    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let request = Request { method: method.to_owned(), route: route.to_owned(), status };
        self.requests.get_or_create(&request).inc();
        self.request_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn published(&self, records: usize) {
        self.published.inc_by(count(records));
    }

    pub(crate) fn relay_failed(&self) {
        self.relay_failures.inc();
    }

    pub(crate) fn consumed(&self, applied: usize, duplicates: usize, dead_letters: usize) {
        self.applied.inc_by(count(applied));
        self.duplicates.inc_by(count(duplicates));
        self.dead_letters.inc_by(count(dead_letters));
    }

    /// How far the consumer is behind in each partition; what is not named is not known.
    pub(crate) fn behind(&self, all: &[Behind]) {
        self.consumer_lag.clear();
        for behind in all {
            let partition = Partition { topic: behind.topic.clone(), partition: behind.partition };
            self.consumer_lag.get_or_create(&partition).set(behind.records);
        }
    }

    pub(crate) fn consumer_failed(&self) {
        self.consumer_failures.inc();
    }
}

fn count(records: usize) -> u64 {
    u64::try_from(records).unwrap_or(u64::MAX)
}
