//! What people write on the command line, made into what the services take.

mod amount;
mod duration;
mod words;

pub use self::{
    amount::{Amount, amount},
    duration::{duration, text as duration_text},
    words::{Role, Sort, idempotency_key, item, order_status, payment_status, reservation_status},
};
