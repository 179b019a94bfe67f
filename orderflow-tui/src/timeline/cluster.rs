//! What the supervisor of a local cluster knows beyond what the services say: who is down and why, who was started
//! again, and who is cut off from what.

use std::path::Path;

use orderflow_client::{
    Endpoints,
    why::{Cut, Facts, Process},
};
use orderflow_cluster::{
    State,
    control::{self, ProcessStatus, Request, Response, Status},
};
use orderflow_contracts::words::word;

/// Adds it to what is known of an order. Nothing, if there is no supervisor, or if it is another cluster's.
pub async fn see(endpoints: &Endpoints, data_dir: &Path, facts: &mut Facts) {
    if !endpoints.are_local() {
        return;
    }
    let Ok(Response::Status(status)) = control::request(data_dir, Request::Status).await else { return };
    if endpoints.orders.ends_with(address_of(&status, "orders")) {
        facts.processes = status.processes.iter().map(process).collect();
        let cut = |cut: &control::CutStatus| Cut { service: cut.service.clone(), from: cut.from.to_string() };
        facts.cuts = status.cuts.iter().map(cut).collect();
    }
}

fn process(process: &ProcessStatus) -> Process {
    Process {
        name: process.name.clone(),
        state: word(process.state),
        is_ready: process.state == State::Ready,
        reason: process.reason.clone().filter(|_| process.state != State::Ready),
        restarts: process.restarts,
        uptime_ms: process.uptime_ms,
    }
}

fn address_of<'a>(status: &'a Status, name: &str) -> &'a str {
    status.processes.iter().find(|process| process.name == name).map_or("", |process| &process.address)
}
