//! What crosses a wire between the services and to their clients: ids, money, events and the envelope they travel in,
//! API types and problem codes.
//!
//! Shapes, and the rules for what is in them. What an event *does* is the business of the service that reads it.

pub mod api;
pub mod cards;
pub mod envelope;
pub mod events;
pub mod ids;
pub mod money;
pub mod problem;
pub mod timestamp;
pub mod words;
