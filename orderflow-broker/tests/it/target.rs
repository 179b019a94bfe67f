//! The two brokers that one set of tests runs against, and the macro that makes two tests of each.
//!
//! ```text
//!   conformance! { keeps_order, }      ->  ours::keeps_order     a fresh broker in this process, for this test alone
//!   async fn keeps_order(&Target)          apache::keeps_order   Apache Kafka at $ORDERFLOW_APACHE_KAFKA, shared by all
//! ```

use std::{
    future::Future,
    io::Write as _,
    pin::Pin,
    process,
    sync::{
        Once,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};

use orderflow_broker::{Broker, Config};

/// Where Apache Kafka listens, `host:port`; set by `.ci/run` from what `docker/kafka-local/kafka.sh start` prints.
const APACHE_ENV: &str = "ORDERFLOW_APACHE_KAFKA";
/// A test that takes longer than this has hung: the slowest ones take a few seconds.
const DEADLINE: Duration = Duration::from_secs(60);
/// Lets the tests of session expiry be short. `docker/kafka-local` sets Apache Kafka to the same.
const SESSION_TIMEOUT_MIN: Duration = Duration::from_millis(100);

/// A broker under test.
pub struct Target {
    bootstrap: String,
    apache: bool,
}

impl Target {
    /// `host:port`.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// For the rare test that compares the two brokers. Never to expect another outcome from one of them.
    /// A broker that the test itself has started.
    pub fn at(bootstrap: String) -> Self {
        Self { bootstrap, apache: false }
    }

    pub fn is_apache(&self) -> bool {
        self.apache
    }

    /// Apache Kafka's address where one is running.
    pub fn apache() -> Option<Self> {
        let bootstrap = std::env::var(APACHE_ENV).ok().filter(|address| !address.is_empty())?;
        Some(Self { bootstrap, apache: true })
    }
}

/// A name no other test and no earlier run used, since Apache Kafka keeps what earlier runs left.
pub fn unique(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock is past 1970").as_millis();
    format!("{prefix}-{started}-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

type Test = for<'a> fn(&'a Target) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Runs a test against a broker of its own.
pub fn run_ours(name: &str, test: Test) {
    within_deadline(&format!("ours::{name}"), async {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let config = Config { session_timeout_min: SESSION_TIMEOUT_MIN, ..Config::new(dir.path()) };
        let broker = Broker::start(config).await.expect("the broker starts");
        test(&Target { bootstrap: broker.bootstrap_servers(), apache: false }).await;
        broker.shutdown().await;
    });
}

/// Runs a test against Apache Kafka, or says loudly that it did not.
pub fn run_apache(name: &str, test: Test) {
    let Some(target) = Target::apache() else {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let line = format!(
                "SKIPPED all tests named apache::*: {APACHE_ENV} is not set; `docker/kafka-local/kafka.sh start` prints an address\n"
            );
            std::io::stderr()
                .write_all(line.as_bytes())
                .expect("stderr takes a line");
        });
        return;
    };
    within_deadline(&format!("apache::{name}"), async { test(&target).await });
}

fn within_deadline(name: &str, test: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let finished = runtime.block_on(async { tokio::time::timeout(DEADLINE, test).await });
    // A client's thread that still blocks must not keep a failed test from being reported.
    runtime.shutdown_background();
    assert!(finished.is_ok(), "{name} did not finish within {DEADLINE:?}");
}

/// Makes of each `async fn name(target: &Target)` of the module the tests `ours::name` and `apache::name`.
macro_rules! conformance {
    ($($name:ident),+ $(,)?) => {
        mod ours {
            $(
                #[test]
                fn $name() {
                    $crate::target::run_ours(stringify!($name), |target| Box::pin(super::$name(target)));
                }
            )+
        }
        mod apache {
            $(
                #[test]
                fn $name() {
                    $crate::target::run_apache(stringify!($name), |target| Box::pin(super::$name(target)));
                }
            )+
        }
    };
}
pub(crate) use conformance;
