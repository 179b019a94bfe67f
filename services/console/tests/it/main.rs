//! The console's service from outside: over HTTP and over Kafka, on a real database.

mod accounts;
mod audit;
mod poison;
mod stream;
mod timeline;
mod world;
