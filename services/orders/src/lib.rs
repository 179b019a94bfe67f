//! The orders service: owns the life of an order, from creation to its explained end.
//!
//! ```text
//!   api ──────┐                        ┌─▶ domain: what comes of it
//!             ├─▶ handle: one transaction
//!   consume ──┘                        └─▶ store: rows, outbox
//! ```

mod api;
mod consume;
pub mod domain;
mod handle;
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

const MIGRATIONS: &[MigrationFile] = &[(
    20_261_122_100_000,
    "create orders",
    include_str!("../../../migrations/orders/20261122100000_create_orders.sql"),
)];

const DEAD_LETTERS: &str = "orders.dead-letters";
/// What it writes and what it reads.
const TOPICS: &[Topic] = &[
    Topic { name: topics::ORDERS, compacted: false },
    Topic { name: topics::INVENTORY, compacted: false },
    Topic { name: topics::PAYMENTS, compacted: false },
    Topic { name: topics::CATALOG, compacted: true },
    Topic { name: topics::AUDIT, compacted: false },
    Topic { name: DEAD_LETTERS, compacted: false },
];
const READ: &[&str] = &[topics::INVENTORY, topics::PAYMENTS, topics::CATALOG];

/// The settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What every service is told.
    pub service: ServiceConfig,
    /// What only this one is.
    pub orders: Settings,
}

/// Settings of the orders service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where an order can be paid; `{order_id}` stands for its id. For people and programs to follow; this service
    /// never does.
    pub payment_link: String,
}

/// Opens the database and binds the port.
pub async fn build(config: Config) -> Result<App, BuildError> {
    let mut app = AppBuilder::new("orders", config.service, MIGRATIONS, FaultName::OF_EVERY_SERVICE).await?;
    app.relay(TOPICS)?;
    app.consume(TOPICS, READ, DEAD_LETTERS, Arc::new(consume::Orders { chaos: app.db.chaos().clone() }))?;
    let state = api::Api::new(app.db.clone(), app.outbox.clone(), config.orders.payment_link);
    let (router, openapi) = api::router(state);
    app.serve(router, openapi).await
}
