//! A broker for a test, and a look at what goes over it.

use std::{
    collections::{BTreeMap, HashSet},
    net::SocketAddr,
    time::Duration,
};

use orderflow_broker::{Broker, Config, Handle};
use orderflow_contracts::{envelope::Envelope, events::encode, ids::EventId};
use orderflow_platform::kafka::{Kafka as Client, Topic};
use rdkafka::{
    ClientConfig, Message,
    consumer::{BaseConsumer, Consumer},
    message::{Header, Headers, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
};
use serde::Serialize;
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

/// An embedded broker that ends with the test.
pub struct Kafka {
    bootstrap: String,
    producer: FutureProducer,
    broker: Handle,
    _dir: TempDir,
}

/// A record that was read.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its key.
    pub key: String,
    /// Its headers.
    pub headers: BTreeMap<String, String>,
    /// Its value, if it is JSON.
    pub value: Value,
}

impl Record {
    /// The type of the event.
    pub fn event_type(&self) -> &str {
        self.headers.get("ce_type").map_or("", String::as_str)
    }
}

impl Kafka {
    /// A new one.
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let config = Config::new(dir.path().to_owned());
        Self::start_with(dir, config).await
    }

    /// A new one that is reached through something else: it tells its clients to come to this address.
    pub async fn start_behind(address: SocketAddr) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let config = Config::new(dir.path().to_owned());
        let advertised = Some((address.ip().to_string(), address.port()));
        Self::start_with(dir, Config { advertised, ..config }).await
    }

    async fn start_with(dir: TempDir, config: Config) -> Self {
        let broker = Broker::start(config).await.expect("the broker starts");
        let bootstrap = broker.bootstrap_servers();
        let producer = Client::new(bootstrap.clone(), BTreeMap::new()).producer().expect("a producer");
        Self { bootstrap, producer, broker, _dir: dir }
    }

    /// Another broker in the place of this one, as after the loss of its disk. There is nothing in it but these topics,
    /// which somebody has made before anyone else could look.
    #[must_use]
    pub async fn replaced(self, topics: &[Topic]) -> Self {
        let new = Self::start().await;
        if !topics.is_empty() {
            let made = Client::new(new.bootstrap, BTreeMap::new()).ensure_topics(topics).await;
            made.expect("the topics are made");
        }
        new.broker.shutdown().await;
        self.broker.shutdown().await;
        let mut config = Config::new(new._dir.path().to_owned());
        config.listen = self.bootstrap.parse().expect("an address");
        Self::start_with(new._dir, config).await
    }

    /// For a service's settings.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// The broker itself, for its faults.
    pub const fn broker(&self) -> &Handle {
        &self.broker
    }

    /// Sends a record as it is.
    pub async fn send(&self, topic: &str, key: &str, headers: &[(&str, &str)], value: &[u8]) {
        let named = headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value.as_bytes()) })
        });
        let record = FutureRecord::to(topic).key(key).payload(value).headers(named);
        self.producer.send(record, Duration::from_secs(10)).await.expect("the broker takes a record");
    }

    /// Sends an event about something, as a service would; its id.
    pub async fn tell<E: Serialize>(&self, topic: &str, subject: impl ToString, sequence: u64, event: &E) -> EventId {
        let id = EventId::from(Uuid::new_v4());
        self.tell_as(id, topic, subject, sequence, event).await;
        id
    }

    /// Sends an event with this id.
    pub async fn tell_as<E: Serialize>(
        &self,
        id: EventId,
        topic: &str,
        subject: impl ToString,
        sequence: u64,
        event: &E,
    ) {
        let (event_type, data) = encode(event);
        let envelope = Envelope {
            id,
            source: "/orderflow/test".to_owned(),
            event_type,
            subject: subject.to_string(),
            time_ms: 1_700_000_000_000,
            correlation_id: "test".to_owned(),
            causation_id: None,
            sequence,
            traceparent: None,
            actor: None,
        };
        let headers = envelope.to_headers();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.send(topic, &envelope.subject, &headers, &data).await;
    }

    /// The events of a topic, each once: a relay that was killed before it could mark them has sent them again.
    pub async fn read_once(&self, topic: &'static str) -> Vec<Record> {
        let mut seen = HashSet::new();
        let mut records = self.read(topic).await;
        records.retain(|record| seen.insert(record.headers.get("ce_id").cloned()));
        records
    }

    /// All that is in a topic, partition by partition.
    pub async fn read(&self, topic: &'static str) -> Vec<Record> {
        let bootstrap = self.bootstrap.clone();
        tokio::task::spawn_blocking(move || read_all(&bootstrap, topic)).await.expect("a reader")
    }
}

fn read_all(bootstrap: &str, topic: &str) -> Vec<Record> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", Uuid::new_v4().to_string())
        .set("enable.auto.commit", "false")
        .create()
        .expect("a consumer");
    let limit = Duration::from_secs(10);
    let metadata = consumer.fetch_metadata(Some(topic), limit).expect("metadata");
    let mut partitions = rdkafka::TopicPartitionList::new();
    let mut left = 0;
    for partition in metadata.topics().iter().flat_map(rdkafka::metadata::MetadataTopic::partitions) {
        let (low, high) = consumer.fetch_watermarks(topic, partition.id(), limit).expect("watermarks");
        left += high - low;
        let offset = rdkafka::Offset::Offset(low);
        partitions.add_partition_offset(topic, partition.id(), offset).expect("a partition");
    }
    consumer.assign(&partitions).expect("an assignment");
    let mut records = Vec::new();
    while left > 0 {
        let message = consumer.poll(limit).expect("a record in time").expect("a record");
        let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        let headers = message.headers().into_iter().flat_map(Headers::iter);
        records.push(Record {
            key: text(message.key()),
            headers: headers.map(|header| (header.key.to_owned(), text(header.value))).collect(),
            value: serde_json::from_slice(message.payload().unwrap_or_default()).unwrap_or_default(),
        });
        left -= 1;
    }
    records
}
