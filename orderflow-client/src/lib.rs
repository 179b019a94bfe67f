//! A typed client of OrderFlow's services, and the view of an order's life that the command line and the terminal
//! console share.
//!
//! ```text
//!   Client ── http: bounded time, bounded answers, bounded retries ──▶ orders, inventory, payments, console, provider
//!     └── EventStream ── sse ──▶ the console's stream
//!   saga: has this order come as far as was asked for?      view: what has happened, in words for people
//!   why: where it stands, and what is in its way            saga_view: its life in lanes
//! ```
//!
//! Only what is safe to repeat is sent twice: reading, and writing with an idempotency key.

mod auth;
pub mod chaos;
mod console;
mod endpoints;
mod error;
mod http;
mod inventory;
pub mod metrics;
mod ops;
mod ops_admin;
mod orders;
mod payments;
mod provider;
pub mod saga;
pub mod saga_view;
pub mod sse;
mod status;
mod stream;
#[cfg(test)]
mod tests;
pub mod verify;
pub mod view;
pub mod why;

pub use self::{
    auth::{FixedToken, TokenFuture, TokenSource},
    endpoints::{Endpoints, Service},
    error::ClientError,
    http::{Client, ListQuery, Written},
    inventory::ProductQuery,
    ops_admin::AuditQuery,
    stream::{EventStream, Next},
};
