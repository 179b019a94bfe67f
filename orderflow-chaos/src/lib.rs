//! What breaks a local cluster on purpose and mends it, and what is seen of it. The command line and the terminal console
//! have it in common; their words and tables are their own.
//!
//! ```text
//!   Hand ──┬─▶ services:   faults, clocks, patterns
//!          ├─▶ supervisor: processes and lines; told to the audit log as well
//!          └── look ──▶ Situation: what is broken, as all of them tell it
//!   see_the_cluster ──▶ what the supervisor adds to why an order stands where it stands
//! ```

mod cluster;
mod hand;
mod situation;
mod trouble;

pub use self::{
    cluster::see_the_cluster,
    hand::Hand,
    situation::{Situation, There, ask_services, common_offset},
    trouble::{Trouble, Troubles},
};
