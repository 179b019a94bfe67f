//! The broker's integration tests, one binary.
//!
//! - `conformance`: what a client sees, one set of tests with two targets: this broker and Apache Kafka.
//! - `clients`: foreign clients (kcat, Python, Kafka's own Java tools) as processes.
//! - `process`, `restart`, `faults`, `limits`, `torture`: what only ours has to show.
//!
//! `target` starts or finds the broker under test, `raw` speaks the protocol one request at a time.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that finds something wrong ends there")]

mod clients;
mod conformance;
mod faults;
mod limits;
mod listeners;
mod process;
mod raw;
mod restart;
mod target;
mod torture;
