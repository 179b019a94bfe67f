//! Kafka's clients, set as the outbox and the inbox need them, and the topics.

use std::{collections::BTreeMap, time::Duration};

use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    error::KafkaError,
    producer::FutureProducer,
    types::RDKafkaErrorCode,
};

/// How long making topics may take.
const ADMIN_MAX: Duration = Duration::from_secs(10);
/// Partitions of a topic that we make: how many replicas of a service can share its work.
const PARTITIONS: i32 = 6;

/// Where Kafka is, and what else librdkafka is told. There may be a password in it, so it has no `Debug`.
#[derive(Clone)]
pub struct Kafka {
    bootstrap: String,
    instance: Option<String>,
    properties: BTreeMap<String, String>,
}

/// A topic that has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: &'static str,
    /// Whether only the newest record of a key is kept.
    pub compacted: bool,
}

impl Kafka {
    /// A cluster that can be reached there.
    pub const fn new(bootstrap: String, properties: BTreeMap<String, String>) -> Self {
        Self { bootstrap, instance: None, properties }
    }

    /// The same, for a replica of this name.
    #[must_use]
    pub fn as_instance(self, instance: Option<String>) -> Self {
        Self { instance, ..self }
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap);
        // A broker that comes back is found soon; by default that can take ten seconds.
        config.set("reconnect.backoff.ms", "20").set("reconnect.backoff.max.ms", "500");
        // A topic that was made a moment ago is seen soon.
        config.set("topic.metadata.refresh.fast.interval.ms", "50");
        config.set("topic.metadata.propagation.max.ms", "1000");
        config.set("client.id", "orderflow");
        // A topic that a client makes has one partition and the broker's settings; ours are made on purpose.
        config.set("allow.auto.create.topics", "false");
        for (name, value) in &self.properties {
            config.set(name, value);
        }
        config
    }

    /// A producer that neither reorders nor doubles what it sends, as long as it lives.
    pub fn producer(&self) -> Result<FutureProducer, KafkaError> {
        let mut config = self.client();
        config.set("enable.idempotence", "true").set("acks", "all").set("max.in.flight.requests.per.connection", "5");
        // A record that fails in the middle fails all behind it: the relay starts again from the first that failed.
        config.set("enable.gapless.guarantee", "true");
        // The relay has a limit of its own.
        config.set("message.timeout.ms", "0");
        // The relay hands over a batch at once; there is nothing to wait for.
        config.set("linger.ms", "0");
        config.create()
    }

    /// The settings of a member of a consumer group.
    pub(crate) fn consumer(&self, group: &str) -> ClientConfig {
        let mut config = self.client();
        config.set("group.id", group).set("auto.offset.reset", "earliest");
        // Offsets are committed once the database has committed, and by nothing else: even closing a consumer would
        // store those of messages that nobody has handled.
        config.set("enable.auto.commit", "false").set("enable.auto.offset.store", "false");
        config
            .set("max.poll.interval.ms", "60000")
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "1500");
        config.set("fetch.wait.max.ms", "500").set("fetch.queue.backoff.ms", "10");
        config.set("queued.max.messages.kbytes", "8192").set("fetch.error.backoff.ms", "50");
        // A topic that was not there when the group was formed, since the broker is a new one, is found soon; by default
        // that takes five minutes.
        config.set("topic.metadata.refresh.interval.ms", "2000");
        config.set("partition.assignment.strategy", "range");
        if let Some(instance) = &self.instance {
            config.set("group.instance.id", instance);
        }
        config
    }

    /// Makes the topics that are missing. Several services may do so at once.
    pub async fn ensure_topics(&self, topics: &[Topic]) -> Result<(), KafkaError> {
        let admin: AdminClient<DefaultClientContext> = self.client().create()?;
        let new: Vec<NewTopic<'_>> = topics.iter().map(new_topic).collect();
        let options = AdminOptions::new().request_timeout(Some(ADMIN_MAX)).operation_timeout(Some(ADMIN_MAX));
        for made in admin.create_topics(&new, &options).await? {
            match made {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((_, code)) => return Err(KafkaError::AdminOp(code)),
            }
        }
        Ok(())
    }
}

/// Replicated as the cluster is set to: three times on a cluster of three.
fn new_topic(topic: &Topic) -> NewTopic<'static> {
    let new = NewTopic::new(topic.name, PARTITIONS, TopicReplication::Fixed(-1));
    if topic.compacted { new.set("cleanup.policy", "compact") } else { new }
}
