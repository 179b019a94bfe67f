//! Starts and supervises a local OrderFlow cluster: PostgreSQL, broker, services.

mod logs;
pub mod postgres;
mod secrets;
mod signals;
