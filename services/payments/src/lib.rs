//! The payments service: owns payment intents, charges and refunds; talks to the payment provider.
//!
//! ```text
//!   api ───────┐                        ┌─▶ domain: what comes of it, and what the provider is asked for
//!   consume ───┼─▶ handle: one transaction
//!   collector ─┘        └─▶ store: rows, calls, outbox
//!       └─▶ provider: asked after the commit, with the same key until the answer is definite
//! ```

#[expect(unused_qualifications, reason = "the derive of IntoParams qualifies what it need not")]
mod api;
mod collector;
mod consume;
pub mod domain;
mod handle;
mod provider;
mod store;

use std::sync::Arc;

use orderflow_contracts::{api::chaos::FaultName, events::topics};
use orderflow_platform::{
    app::{App, AppBuilder, BuildError},
    config::ServiceConfig,
    db::MigrationFile,
    kafka::Topic,
};
use serde::Deserialize;
use tokio::sync::Notify;

use self::{collector::Collector, provider::Provider};

const MIGRATIONS: &[MigrationFile] = &[
    (
        20_261_122_100_000,
        "create payments",
        include_str!("../../../migrations/payments/20261122100000_create_payments.sql"),
    ),
    (
        20_261_122_153_000,
        "add leased by",
        include_str!("../../../migrations/payments/20261122153000_add_leased_by.sql"),
    ),
    (20_261_122_175_000, "add refused", include_str!("../../../migrations/payments/20261122175000_add_refused.sql")),
];

const DEAD_LETTERS: &str = "payments.dead-letters";
/// What it writes and what it reads.
const TOPICS: &[Topic] = &[
    Topic { name: topics::ORDERS, compacted: false },
    Topic { name: topics::PAYMENTS, compacted: false },
    Topic { name: topics::AUDIT, compacted: false },
    Topic { name: DEAD_LETTERS, compacted: false },
];
const READ: &[&str] = &[topics::ORDERS];

/// The settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What every service is told.
    pub service: ServiceConfig,
    /// What only this one is.
    pub payments: Settings,
}

/// Settings of the payments service.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the payment provider is.
    pub provider_url: String,
    /// The secret that the provider knows us by.
    pub provider_key: String,
    /// How long the provider may take to answer, in milliseconds; then the outcome is unknown and it is asked again.
    #[serde(default = "provider_timeout_ms")]
    pub provider_timeout_ms: u64,
}

const fn provider_timeout_ms() -> u64 {
    5_000
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("provider_url", &self.provider_url).finish_non_exhaustive()
    }
}

/// Opens the database and binds the port.
pub async fn build(config: Config) -> Result<App, BuildError> {
    let mut app = AppBuilder::new("payments", config.service, MIGRATIONS, &FaultName::ALL).await?;
    app.relay(TOPICS)?;
    let calls = Arc::new(Notify::new());
    let payments = consume::Payments::new(Arc::clone(&calls), app.db.chaos().clone());
    app.consume(TOPICS, READ, DEAD_LETTERS, Arc::new(payments))?;
    let provider = Provider::new(&config.payments, app.db.chaos().clone())
        .map_err(|error| BuildError::Other(error.to_string()))?;
    let collector = Collector::new(&app, Arc::clone(&calls), provider.clone());
    app.tasks.spawn("collector", collector.run(app.tasks.stop()));
    let (router, openapi) = api::router(api::Api::new(app.db.clone(), app.outbox.clone(), calls, provider));
    app.serve(router, openapi).await
}
