//! Outbox, relay, inbox and consumer, each rule of DESIGN section 4 with its test: a toy service on a real database and
//! a real broker.

mod chaos;
mod consumer;
mod http;
mod lag;
mod nameless;
mod relay;
mod toy;
mod transactions;
