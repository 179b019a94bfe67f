//! How far a service's consumer is behind, partition by partition: what is in the topics and not committed yet.
//!
//! Measured when somebody asks for the numbers and at no other time, by a client and on a thread of its own: it costs
//! those who consume nothing, and it goes on while they are paused, stuck or gone.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
    metadata::MetadataTopic,
};
use tokio::sync::Mutex;

use crate::{elsewhere, kafka::Kafka, metrics::Metrics};

/// What was measured is good for so long.
const FRESH: Duration = Duration::from_secs(1);
/// Longest time for one measurement: a request for each partition, and two more.
const MEASURE_MAX: Duration = Duration::from_secs(2);
/// Whoever asks for the numbers waits no longer for a measurement; its outcome is there the next time.
const WAIT_MAX: Duration = Duration::from_millis(500);

/// How far a partition's consumer is behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// Of which topic.
    pub topic: String,
    /// Which partition.
    pub partition: i32,
    /// Records that are there and not committed.
    pub records: i64,
}

/// Measures how far a consumer group is behind. Cheap to clone.
#[derive(Clone)]
pub struct Lag(Arc<Mutex<Gauge>>);

struct Gauge {
    kafka: Kafka,
    group: &'static str,
    topics: &'static [&'static str],
    metrics: Metrics,
    /// Made when it is needed for the first time. It never joins the group, it only asks.
    client: Option<BaseConsumer>,
    measured_at: Option<Instant>,
}

impl Lag {
    /// Of a group that reads these topics. What is measured goes into the metrics.
    pub fn new(kafka: Kafka, group: &'static str, topics: &'static [&'static str], metrics: Metrics) -> Self {
        Self(Arc::new(Mutex::new(Gauge { kafka, group, topics, metrics, client: None, measured_at: None })))
    }

    /// Measures anew, unless it was done just now or is being done.
    pub async fn refresh(&self) {
        let Ok(mut gauge) = Arc::clone(&self.0).try_lock_owned() else { return };
        if gauge.measured_at.is_some_and(|at| at.elapsed() < FRESH) {
            return;
        }
        let measuring = tokio::task::spawn_blocking(move || gauge.measure());
        let _ = tokio::time::timeout(WAIT_MAX, measuring).await;
    }
}

impl Gauge {
    /// What cannot be measured is not shown: an old number would be a wrong one.
    fn measure(&mut self) {
        let behind = self.read().unwrap_or_else(|error| {
            tracing::debug!(%error, "the consumer's lag cannot be measured");
            Vec::new()
        });
        self.metrics.behind(&behind);
        self.measured_at = Some(Instant::now());
    }

    fn read(&mut self) -> Result<Vec<Behind>, KafkaError> {
        let until = Instant::now() + MEASURE_MAX;
        let left = || until.saturating_duration_since(Instant::now());
        let client = match &mut self.client {
            Some(client) => client,
            none => none.insert(self.kafka.consumer(self.group).create()?),
        };
        let mut asked = TopicPartitionList::new();
        for topic in self.topics {
            let metadata = client.fetch_metadata(Some(topic), left())?;
            let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
            for partition in partitions {
                asked.add_partition(topic, partition.id());
            }
        }
        let committed = client.committed_offsets(asked, left())?;
        let behind = committed.elements().into_iter().map(|place| {
            let (topic, partition) = (place.topic().to_owned(), place.partition());
            let (low, high) = client.fetch_watermarks(&topic, partition, left())?;
            let next = match place.offset() {
                Offset::Offset(next) => next.max(low),
                _ => low,
            };
            Ok(Behind { topic, partition, records: (high - next).max(0) })
        });
        behind.collect()
    }
}

impl Drop for Gauge {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            drop(elsewhere::drop_later(client));
        }
    }
}
