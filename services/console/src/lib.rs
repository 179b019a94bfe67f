//! The server half of the console: accounts and tokens, timelines, the stream of everything that happens. It listens
//! and tells; if it is down, every saga still completes.

mod accounts;
#[expect(unused_qualifications, reason = "the derive of IntoParams qualifies what it need not")]
mod api;
mod audit;
mod consume;
mod events;
mod passwords;
mod stream;
pub mod timeline;

use std::sync::Arc;

use orderflow_contracts::{api::chaos::FaultName, events::topics};
use orderflow_platform::{
    app::{App, AppBuilder, BuildError},
    auth::Signer,
    config::ServiceConfig,
    db::MigrationFile,
    kafka::Topic,
};
use serde::Deserialize;
use tokio::sync::watch;

const MIGRATIONS: &[MigrationFile] = &[
    (
        20_261_122_100_000,
        "create console",
        include_str!("../../../migrations/console/20261122100000_create_console.sql"),
    ),
    (
        20_261_122_130_000,
        "place late events",
        include_str!("../../../migrations/console/20261122130000_place_late_events.sql"),
    ),
    (20_261_122_140_000, "create audit", include_str!("../../../migrations/console/20261122140000_create_audit.sql")),
    (
        20_261_122_152_100,
        "create audit head",
        include_str!("../../../migrations/console/20261122152100_create_audit_head.sql"),
    ),
    (
        20_261_122_181_000,
        "add sign up key",
        include_str!("../../../migrations/console/20261122181000_add_sign_up_key.sql"),
    ),
];

const DEAD_LETTERS: &str = "console.dead-letters";
/// What it reads, and its dead letters.
const TOPICS: &[Topic] = &[
    Topic { name: topics::ORDERS, compacted: false },
    Topic { name: topics::INVENTORY, compacted: false },
    Topic { name: topics::PAYMENTS, compacted: false },
    Topic { name: topics::CATALOG, compacted: true },
    Topic { name: topics::AUDIT, compacted: false },
    Topic { name: DEAD_LETTERS, compacted: false },
];
const READ: &[&str] = &[topics::ORDERS, topics::INVENTORY, topics::PAYMENTS, topics::CATALOG, topics::AUDIT];

/// The settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What every service is told.
    pub service: ServiceConfig,
    /// What only this one is.
    pub console: Settings,
}

/// Settings of the console.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Base64 of the PKCS#8 document of the Ed25519 key that tokens are signed with.
    pub token_private_key: String,
    /// Whether the accounts exist whose passwords everybody knows. For clusters on one machine only.
    #[serde(default)]
    pub seed_test_accounts: bool,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("seed_test_accounts", &self.seed_test_accounts).finish_non_exhaustive()
    }
}

/// Opens the database and binds the port.
pub async fn build(config: Config) -> Result<App, BuildError> {
    let mut app = AppBuilder::new("console", config.service, MIGRATIONS, FaultName::OF_EVERY_SERVICE).await?;
    let signer = Signer::new(&config.console.token_private_key)?;
    if config.console.seed_test_accounts {
        let seeded = accounts::seed(&app.db).await;
        seeded.map_err(|error| BuildError::Other(format!("the test accounts could not be made: {error:?}")))?;
    }
    app.relay(TOPICS)?;
    let news = Arc::new(watch::Sender::new(0));
    app.consume(TOPICS, READ, DEAD_LETTERS, Arc::new(consume::Events::new(Arc::clone(&news))))?;
    let (router, openapi) = api::router(api::Api::new(app.db.clone(), signer, news, app.tasks.stop()));
    app.serve(router, openapi).await
}
