//! The orders service from outside: over HTTP and over Kafka, on a real database.

mod commands;
mod events;
mod ops;
mod refusals;
mod world;
