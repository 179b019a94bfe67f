//! What the inventory service decides about the stock of one order. Pure: no database, no broker, no clock.
//!
//! ```text
//!                reserve                paid                 fulfilled
//!   Unknown ──────────────▶ Held ──────────────▶ Allocated ──────────────▶ Committed
//!      │  └─ too little ─▶ Refused  │ expired        ▲  │
//!      │                     ▲      ▼      paid, and │  │
//!      │                     │   Expired ─there still┘  │
//!      │ cancelled           │      └─ paid, and gone ─▶ Lost
//!      └────────────────▶ Released ◀────────────────────┘ cancelled
//! ```
//!
//! `Released` before anything was reserved is the tombstone of race 6: a reserve that comes late finds it and is
//! refused. Stock moves only by the [`Movement`]s of a decision; the shell carries them out under the CHECK constraint
//! and the row locks, in the same transaction.

mod decide;
#[cfg(test)]
mod tests;

pub use self::decide::{Decision, Input, Lines, Movement, Reservation, Stock, decide, wanted};
