//! The cluster's integration tests, one binary.
//!
//! - `postgres`: the private server alone. `supervisor`: everything, with a stand-in for the services.
//! - `proxy`: the proxy alone. `lines`: what is cut, healed, paused for a while, by the control socket.
//! - `struck`: what is counted of it for good.
//! - `stand_in`: what is started instead of broker and services.
//! - `processes`: looks at processes from outside, and runs a part of this very binary as another process.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that finds something wrong ends there")]

mod lines;
mod postgres;
mod processes;
mod proxy;
mod stand_in;
mod struck;
mod supervisor;
