//! The inventory service: owns the catalogue, stock and reservations.
//!
//! ```text
//!   api ──▶ products ──┐
//!   consume ──┐        ├─▶ store: rows, ledger, outbox
//!             ├─▶ handle: one transaction ─▶ domain: what comes of it
//!   expiry ───┘
//! ```

#[expect(unused_qualifications, reason = "the derive of IntoParams qualifies what it need not")]
mod api;
mod consume;
pub mod domain;
mod expiry;
mod handle;
mod products;
mod store;

use std::sync::Arc;

use orderflow_contracts::{
    api::chaos::FaultName,
    events::{TimestampMs, topics},
};
use orderflow_platform::{
    app::{App, AppBuilder, BuildError},
    config::ServiceConfig,
    db::MigrationFile,
    kafka::Topic,
};
use serde::Deserialize;

use self::expiry::Expiry;

const MIGRATIONS: &[MigrationFile] = &[
    (
        20_261_122_100_000,
        "create inventory",
        include_str!("../../../migrations/inventory/20261122100000_create_inventory.sql"),
    ),
    (
        20_261_122_180_500,
        "index ledger by order",
        include_str!("../../../migrations/inventory/20261122180500_index_ledger_by_order.sql"),
    ),
];

const DEAD_LETTERS: &str = "inventory.dead-letters";
/// What it writes and what it reads.
const TOPICS: &[Topic] = &[
    Topic { name: topics::ORDERS, compacted: false },
    Topic { name: topics::INVENTORY, compacted: false },
    Topic { name: topics::CATALOG, compacted: true },
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
    pub inventory: Settings,
}

/// Settings of the inventory service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// How long stock is held for an order that is not paid, in milliseconds.
    pub hold_ms: TimestampMs,
    /// How long after that it is really given back, in milliseconds. Longer than the longest attempt to pay, so that
    /// one that began in time finds the stock still there.
    pub expiry_grace_ms: TimestampMs,
}

impl Default for Settings {
    fn default() -> Self {
        Self { hold_ms: 30 * 60 * 1000, expiry_grace_ms: 15 * 1000 }
    }
}

/// Opens the database and binds the port.
pub async fn build(config: Config) -> Result<App, BuildError> {
    let mut app = AppBuilder::new("inventory", config.service, MIGRATIONS, FaultName::OF_EVERY_SERVICE).await?;
    app.relay(TOPICS)?;
    let reservations = Arc::new(consume::Reservations::new(config.inventory.hold_ms, app.db.chaos().clone()));
    app.consume(TOPICS, READ, DEAD_LETTERS, Arc::clone(&reservations))?;
    let expiry = Expiry::new(&app, config.inventory);
    app.tasks.spawn("expiry", expiry.run(app.tasks.stop()));
    let (router, openapi) = api::router(api::Api::new(app.db.clone(), app.outbox.clone()));
    app.serve(router, openapi).await
}
