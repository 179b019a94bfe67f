//! Log lines on standard error. `RUST_LOG` says how much: `info`, `orderflow_platform=debug,warn`, …

use tracing::Level;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts logging. To be called once, by the process.
pub fn init() {
    let filter = std::env::var("RUST_LOG").ok().and_then(|filter| filter.parse().ok());
    let filter: Targets = filter.unwrap_or_else(|| {
        // sqlx logs every statement, hyper every connection; rdkafka's own lines repeat what is logged here.
        Targets::new()
            .with_default(Level::INFO)
            .with_target("sqlx", Level::WARN)
            .with_target("librdkafka", Level::ERROR)
    });
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    // Fails only if something else has started it, which is as well.
    let _ = tracing_subscriber::registry().with(lines).with(filter).try_init();
}
