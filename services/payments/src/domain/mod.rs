//! What the payments service decides about the money of one order. Pure: no database, no broker, no provider, no clock.
//!
//! ```text
//!             confirmed          pay               charged              cancelled
//!   Unknown ─────────────▶ Open ──────▶ InFlight ──────────▶ Succeeded ──────────▶ Refunding ──▶ Refunded
//!      │                    │              ├─ declined ─▶ Failed                      ▲
//!      │ cancelled          │ cancelled    └─ cancelled meanwhile, then charged ──────┘
//!      └──────▶ Voided ◀────┴───────────────── cancelled meanwhile, then declined
//! ```
//!
//! A call to the provider is a [`Call`]: data, carried out after the decision is committed, and again with the same
//! key until the answer is definite (race 3). No answer is no input: an attempt whose outcome is unknown stays
//! `InFlight`, and nothing else is started for the order.

mod decide;
#[cfg(test)]
mod tests;

pub use self::decide::{Answer, Call, Decision, Input, Intent, Rejection, State, decide};
