//! Starts and supervises a local OrderFlow cluster: PostgreSQL, broker, services, on **one machine, for one person**.
//!
//! ```text
//!   client ──cluster.json──▶ control socket
//!                                 │
//!   Supervisor ─┬─ keeper ──▶ sh ─▶ postgres
//!               ├─ keeper ──▶ <exe> serve broker --data-dir … --port …
//!               ├─ keeper ──▶ <exe> serve orders --config …      (psp, inventory, payments, console likewise)
//!               └─ proxies between services and broker, PostgreSQL, provider, which can be cut
//! ```
//!
//! - [`Spec`] says what is wanted; [`Supervisor::start`] gives it, [`Supervisor::run`] keeps it.
//! - [`control`] asks and tells a supervisor from another process; [`attach`] finds and removes clusters.
//! - [`proxy`] is what a service is cut off with.
//! - [`postgres`] is the private database server, which tests of other crates use, too.
//! - [`doctor`] looks at whether all this could work here.
//!
//! Nothing outlives its supervisor, however that ends: each child has a pipe to it and goes when the pipe is closed.
//! No secret is in an argument, an environment or a log; files with secrets are for their owner alone; everything
//! listens on loopback.

pub mod attach;
mod config_files;
pub mod control;
pub mod doctor;
mod files;
mod health;
mod keeper;
mod layout;
mod leftovers;
mod lines;
mod logs;
mod ports;
pub mod postgres;
mod process;
pub mod proxy;
mod secrets;
mod signals;
mod spec;
mod supervisor;
mod tallies;

use std::{error::Error, iter};

pub use self::{
    keeper::{Action, State},
    layout::{ClusterFile, Endpoints, default_root},
    lines::{LinePorts, Need},
    ports::{Ports, Taken},
    spec::{BROKER, DEFAULT_NAME, POSTGRES, SERVICES, Spec},
    supervisor::{Progress, StartError, Supervisor, TaskDied},
};

/// An error and its causes in one line.
fn report(error: &dyn Error) -> String {
    let causes = iter::successors(Some(error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
