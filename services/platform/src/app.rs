//! A service as a process part: built, then run until it is told to stop.

use std::{net::SocketAddr, sync::Arc};

use axum::Router;
use orderflow_contracts::api::chaos::FaultName;
use rdkafka::error::KafkaError;
use tokio::sync::Notify;

use crate::{
    auth::{BadKey, Verifier},
    chaos::Chaos,
    config::ServiceConfig,
    consumer::{Apply, Assigned, Consumer, TryAgain},
    db::{self, Db, MigrationFile, OpenError},
    http::{Health, Ops, Server, Status, harden},
    janitor,
    kafka::{Kafka, Topic},
    lag::Lag,
    metrics::Metrics,
    outbox::Outbox,
    relay::Relay,
    tasks::{Stop, TaskDied, Tasks},
    unreadable::Unreadable,
};

/// Between two tries to make the topics while Kafka is not there.
const TOPICS_RETRY: std::time::Duration = std::time::Duration::from_millis(500);

/// What a service is and does, before its own parts are added.
pub struct AppBuilder {
    /// The service's name: `orders`.
    pub name: &'static str,
    /// Its settings.
    pub config: ServiceConfig,
    /// Its database, up to date.
    pub db: Db,
    /// Wakes its relay.
    pub outbox: Outbox,
    /// Its numbers.
    pub metrics: Metrics,
    /// The rows that it cannot read.
    pub unreadable: Unreadable,
    /// Told when the clock was moved.
    pub clock_moved: Arc<Notify>,
    /// Its background tasks.
    pub tasks: Tasks,
    health: Health,
    consumer: Option<Arc<dyn TryAgain>>,
    lag: Option<Lag>,
}

/// A service that listens, and runs once [`App::run`] is called.
pub struct App {
    name: &'static str,
    address: SocketAddr,
    tasks: Tasks,
}

/// Why a service cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Its database.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// Its port.
    #[error("{address} cannot be listened on")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Its keys.
    #[error(transparent)]
    Key(#[from] BadKey),
    /// A setting is missing.
    #[error("the setting {0} is missing")]
    Missing(&'static str),
    /// Something of the service's own.
    #[error("{0}")]
    Other(String),
}

impl AppBuilder {
    /// Opens the database. `faults` are those that the service knows how to make.
    pub async fn new(
        name: &'static str,
        config: ServiceConfig,
        migrations: &[MigrationFile],
        faults: &'static [FaultName],
    ) -> Result<Self, BuildError> {
        let pool = db::open(&config.database_url, name, migrations).await?;
        let chaos = Chaos::load(pool.clone(), faults).await.map_err(OpenError::Connect)?;
        let mut tasks = Tasks::default();
        tasks.spawn("chaos", chaos.clone().keep_bites(tasks.stop()));
        let db = Db::new(pool, chaos);
        Ok(Self {
            name,
            config,
            db,
            outbox: Outbox::default(),
            metrics: Metrics::default(),
            unreadable: Unreadable::default(),
            clock_moved: Arc::default(),
            tasks,
            health: Health::default(),
            consumer: None,
            lag: None,
        })
    }

    /// Kafka, as the settings have it.
    pub fn kafka(&self) -> Result<Kafka, BuildError> {
        let bootstrap = self.config.kafka.clone().ok_or(BuildError::Missing("service.kafka"))?;
        let kafka = Kafka::new(bootstrap, self.config.kafka_properties.clone());
        Ok(kafka.as_instance(self.config.instance.clone()))
    }

    /// Publishes the outbox on these topics, and throws away what is old.
    pub fn relay(&mut self, topics: &'static [Topic]) -> Result<(), BuildError> {
        let (db, outbox, metrics) = (self.db.clone(), self.outbox.clone(), self.metrics.clone());
        let relay = Relay::new(db, self.kafka()?, outbox, metrics, topics);
        self.tasks.spawn("relay", relay.run(self.tasks.stop()));
        self.tasks.spawn("janitor", janitor::run(self.db.pool().clone(), self.tasks.stop()));
        Ok(())
    }

    /// Makes the topics that the service writes or reads, then consumes those that it reads.
    pub fn consume<A: Apply>(
        &mut self,
        made: &'static [Topic],
        read: &'static [&'static str],
        dead_letter_topic: &'static str,
        apply: Arc<A>,
    ) -> Result<(), BuildError> {
        let (db, outbox, metrics) = (self.db.clone(), self.outbox.clone(), self.metrics.clone());
        let consumer = Arc::new(Consumer::new(db, outbox, metrics, self.name, dead_letter_topic, apply));
        self.consumer = Some(Arc::clone(&consumer) as Arc<dyn TryAgain>);
        let assigned = self.health.assigned.insert(Assigned::default()).clone();
        let (kafka, stop) = (self.kafka()?, self.tasks.stop());
        self.lag = Some(Lag::new(kafka.clone(), self.name, read, self.metrics.clone()));
        self.tasks.spawn("consumer", async move {
            if ensure_topics(&kafka, made, stop.clone()).await {
                consumer.run(kafka, read, assigned, stop).await?;
            }
            Ok::<_, crate::consumer::ConsumerError>(())
        });
        Ok(())
    }

    /// Binds the port and puts the service's routes there, with those that every service has.
    pub async fn serve(mut self, api: Router, openapi: String) -> Result<App, BuildError> {
        let verifier = self.config.token_public_key.as_deref().map(Verifier::new).transpose()?;
        self.metrics.tell_of(&self.unreadable);
        let ops = Ops {
            service: self.name,
            db: self.db.clone(),
            outbox: self.outbox.clone(),
            unreadable: self.unreadable.clone(),
            consumer: self.consumer,
            local: self.config.local,
            lab: self.config.local && self.config.lab,
        };
        let status = Status {
            service: self.name,
            outbox: self.outbox,
            db: self.db.clone(),
            metrics: self.metrics.clone(),
            unreadable: self.unreadable,
            lag: self.lag,
            health: self.health,
            local: self.config.local,
            clock_moved: self.clock_moved,
            openapi,
        };
        let router =
            harden(api.merge(status.router()).merge(ops.router()), verifier, self.metrics, self.db.chaos().clone());
        let listen = |source| BuildError::Listen { address: self.config.listen, source };
        let server = Server::bind(self.config.listen, router).await.map_err(listen)?;
        let address = server.address().map_err(listen)?;
        self.tasks.spawn("http", server.run(self.tasks.stop()));
        Ok(App { name: self.name, address, tasks: self.tasks })
    }
}

/// Makes the topics, however long it takes until Kafka is there; false if it was told to stop before.
async fn ensure_topics(kafka: &Kafka, topics: &[Topic], mut stop: Stop) -> bool {
    loop {
        let made: Result<(), KafkaError> = tokio::select! {
            made = kafka.ensure_topics(topics) => made,
            () = stop.wait() => return false,
        };
        match made {
            Ok(()) => return true,
            Err(error) => tracing::warn!(%error, "waiting for Kafka"),
        }
        if !stop.sleep(TOPICS_RETRY).await {
            return false;
        }
    }
}

impl App {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Runs until `stop`, then drains within a limit. An error if a part of it died.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), TaskDied> {
        tracing::info!(service = self.name, address = %self.address, "listening");
        let ended = tokio::select! {
            died = self.tasks.died() => Err(died),
            () = stop => Ok(()),
        };
        self.tasks.shutdown().await;
        tracing::info!(service = self.name, "stopped");
        ended
    }
}
