//! What crosses a wire between the services: ids, money, events and the envelope they travel in.
//!
//! Shapes only. What an event *does* is the business of the service that reads it.

pub mod envelope;
pub mod events;
pub mod ids;
pub mod money;
