//! The payments service from outside: over HTTP and over Kafka, on a real database, with the provider's simulator.

mod cancelling;
mod paying;
mod poison;
mod provider;
mod refusals;
mod restarts;
mod world;
