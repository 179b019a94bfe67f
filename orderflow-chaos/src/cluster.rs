//! What the supervisor of a cluster on this machine knows of an order's surroundings, beyond what the services say.

use std::path::Path;

use orderflow_client::{
    Endpoints,
    why::{Cut, Facts, Process},
};
use orderflow_cluster::{
    State,
    control::{self, CutStatus, ProcessStatus},
};
use orderflow_contracts::words::word;

/// Adds to what is known of an order who is down and why, who was started again, and who is cut off from what. Nothing,
/// if there is no supervisor, or if it is another cluster's.
pub async fn see_the_cluster(endpoints: &Endpoints, data_dir: &Path, facts: &mut Facts) {
    if !endpoints.are_local() {
        return;
    }
    let Ok(status) = control::status(data_dir).await else { return };
    let address = status.processes.iter().find(|process| process.name == "orders").map_or("", |orders| &orders.address);
    if endpoints.orders.ends_with(address) {
        let cut = |cut: &CutStatus| Cut { service: cut.service.clone(), from: cut.from.to_string() };
        facts.cuts = status.cuts.iter().map(cut).collect();
        facts.processes = status.processes.into_iter().map(process).collect();
    }
}

fn process(process: ProcessStatus) -> Process {
    let is_ready = process.state == State::Ready;
    Process {
        name: process.name,
        state: word(process.state),
        is_ready,
        reason: process.reason.filter(|_| !is_ready),
        restarts: process.restarts,
        uptime_ms: process.uptime_ms,
    }
}
