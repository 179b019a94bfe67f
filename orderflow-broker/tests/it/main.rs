//! The broker's integration tests, one binary.
//!
//! - `conformance`: what a client sees, one set of tests with two targets: this broker and Apache Kafka.
//! - `clients`: foreign clients (kcat, Python, Kafka's own Java tools) as processes.
//!
//! `target` starts or finds the broker under test, `raw` speaks the protocol one request at a time.

mod clients;
mod conformance;
mod faults;
mod process;
mod raw;
mod target;
mod torture;
