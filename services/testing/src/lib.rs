//! What the tests of the services stand on: a real PostgreSQL with a database for each test, a real broker, real
//! tokens, real HTTP. Nothing here sleeps to be lucky: [`eventually`] waits for a condition, within a limit.

#![expect(clippy::panic, reason = "a test that cannot go on ends")]

mod caller;
mod database;
mod kafka;
mod nonsense;
mod tokens;

use std::{net::SocketAddr, time::Duration};

use orderflow_platform::{app::App, config::ServiceConfig};
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep},
};

pub use self::{
    caller::{Answer, Caller},
    database::{Database, Role},
    kafka::{Kafka, Record},
    tokens::{Keys, new_account},
};

/// How long a condition may take to be met. Long, since two cores may have a lot to do; a test that passes never waits
/// for it.
const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until `check` gives something.
pub async fn eventually<T>(what: &str, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = Duration::from_millis(2);
    loop {
        if let Some(found) = check().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited too long for this: {what}");
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// A service that runs in this process.
pub struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Running {
    /// Runs a service.
    pub fn start(app: App) -> Self {
        let address = app.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let ended = app.run(async { drop(stopped.await) }).await;
            assert!(ended.is_ok(), "{ended:?}");
        });
        Self { address, stop: Some(stop), task }
    }

    /// `http://host:port`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops it, and waits until it has.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        (&mut self.task).await.expect("the service ends without a panic");
    }

    /// Drops it in the middle of whatever it does, as near to a kill as it gets within one process.
    pub async fn kill(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a service is told in a test: a free port, its database, and whatever else it is given.
pub fn config(database: &Database, kafka: Option<&Kafka>, keys: Option<&Keys>) -> ServiceConfig {
    ServiceConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        database_url: database.url().to_owned(),
        kafka: kafka.map(|kafka| kafka.bootstrap().to_owned()),
        instance: None,
        kafka_properties: Default::default(),
        token_public_key: keys.map(|keys| keys.public().to_owned()),
        local: true,
        lab: false,
    }
}
