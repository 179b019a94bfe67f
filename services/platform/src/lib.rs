//! What every service runs on. No business noun stands in here, but the roles that a token can have.
//!
//! ```text
//!   HTTP ─▶ http ─▶ the service's api ──┐
//!                                       ├─▶ its handle: one transaction ─▶ outbox ─▶ relay ─▶ Kafka
//!   Kafka ─▶ consumer ─▶ inbox ─────────┘
//! ```
//!
//! - [`outbox`], [`relay`]: what is committed is published, in order, at least once.
//! - [`inbox`], [`consumer`], [`reading`]: what is published is applied, once. [`dead_letters`] keeps what cannot be.
//! - [`http`], [`auth`], [`idempotency`], [`listing`]: a request with a token, within limits, safe to repeat; what it may
//!   see.
//! - [`chaos`]: faults that are made on purpose, in a local cluster.
//! - [`db`], [`clock`], [`kafka`], [`config`], [`telemetry`], [`metrics`], [`tasks`], [`text`], [`app`]: the rest of a process.

pub mod app;
pub mod auth;
pub mod chaos;
pub mod clock;
pub mod config;
pub mod consumer;
pub mod context;
pub mod db;
pub mod dead_letters;
mod elsewhere;
pub mod http;
pub mod idempotency;
pub mod inbox;
mod janitor;
pub mod kafka;
pub mod lag;
pub mod listing;
pub mod metrics;
pub mod outbox;
pub mod reading;
pub mod relay;
pub mod tasks;
pub mod telemetry;
pub mod text;
pub mod unreadable;
