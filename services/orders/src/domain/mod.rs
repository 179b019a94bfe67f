//! What the orders service decides. Pure: no database, no broker, no clock, no randomness.
//!
//! ```text
//!   Pending ──confirm──▶ Confirming ──reserved──▶ Confirmed ──succeeded──▶ Paid ──allocated, fulfil──▶ Fulfilled
//!      │                     │                        │                      │
//!      └─────────────────────┴────────────┬───────────┴──────────────────────┘
//!                                         ▼
//!                                     Cancelled (by customer or seller; out of stock; payment failed; expired; stock lost)
//! ```
//!
//! One table, [`decide()`]: what happens in a state on an input. What comes late or twice is [`Decision::Ignored`], never
//! an error; what a person may not do now is a [`Rejection`].

mod decide;
mod order;
#[cfg(test)]
mod tests;

pub use orderflow_contracts::api::orders::{OrderPaymentStatus as Payment, OrderReservationStatus as Reservation};

pub use self::{
    decide::{Command, Decision, Input, Rejection, create, decide},
    order::{Order, Status},
};
