//! The inventory service from outside: over HTTP and over Kafka, on a real database.

mod battery;
mod expiry;
mod poison;
mod products;
mod refusals;
mod reservations;
mod world;
