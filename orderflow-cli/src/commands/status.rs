//! `orderflow status`

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use orderflow_cluster::{
    State,
    control::{self, ProcessStatus, Request, Response},
};
use orderflow_contracts::words::word;
use serde::Serialize;

use super::chaos::Situation;
use crate::{
    cli::Named,
    context::Context,
    exit::{Failure, Outcome},
    output::{
        Align::{Left, Right},
        Paint, Table, safe,
    },
    parse,
};

/// How the cluster is
///
/// Exit code 0 if everything is ready, 1 if something is not, 4 if nothing runs.
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow status\n  orderflow status -o json | jq .healthy\n")]
pub struct Status {
    #[command(flatten)]
    pub named: Named,
}

impl Status {
    /// Asks the supervisor.
    pub async fn run(self, context: &Context) -> Outcome {
        let status = ask(context).await?;
        // What cannot be asked for says so above, by its state.
        let broken = match context.admin_client() {
            Ok(client) => Situation::gather(&client, Some(&status)).await,
            Err(_) => Situation::default(),
        };
        let all = WithFaults { status: &status, broken: &broken };
        context.out.document(&all, |paint| format!("{}{}", text(&status, paint), faults(&broken, paint)))?;
        if status.healthy {
            return Ok(());
        }
        let unready = status.processes.iter().filter(|process| process.state != State::Ready);
        let names: Vec<_> = unready.map(|process| process.name.as_str()).collect();
        let first = names.first().copied().unwrap_or("supervisor");
        Err(Failure::new(format!("not ready: {}", names.join(", "))).hint(format!("`orderflow logs {first}` says why")))
    }
}

/// The supervisor's word, and what is broken on purpose.
#[derive(Serialize)]
struct WithFaults<'a> {
    #[serde(flatten)]
    status: &'a control::Status,
    broken: &'a Situation,
}

/// A line for each thing that is broken on purpose.
fn faults(broken: &Situation, paint: Paint) -> String {
    let lines = broken.lines();
    let lines = lines.iter().map(|line| format!("{}\n", paint.warn(&format!("⚡ {}", safe(line)))));
    let lines: String = lines.collect();
    if lines.is_empty() {
        lines
    } else {
        format!("\nbroken on purpose; `chaos clear` mends it, `lab enable` puts a pattern back:\n{lines}")
    }
}

/// The supervisor's word.
pub async fn ask(context: &Context) -> Outcome<control::Status> {
    match control::request(&context.settings.data_dir, Request::Status).await? {
        Response::Status(status) => Ok(status),
        other => Err(Failure::new(format!("the supervisor answers something else: {other:?}"))),
    }
}

/// How each process is, and where clients find the cluster.
pub fn text(status: &control::Status, paint: Paint) -> String {
    let word_for_all = if status.healthy { paint.good("✓ healthy") } else { paint.bad("✗ not healthy") };
    let mut text = format!("cluster {}: {word_for_all} (supervisor {})\n\n", safe(&status.name), status.supervisor_pid);
    let columns = [
        ("PROCESS", Left),
        ("STATE", Left),
        ("PID", Right),
        ("RESTARTS", Right),
        ("UPTIME", Right),
        ("ADDRESS", Left),
        ("", Left),
    ];
    let mut table = Table::new(columns);
    for process in &status.processes {
        table.row(row(process));
    }
    text.push_str(&table.render(paint));
    text
}

/// How long it is until then, for people.
fn left(at_ms: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    parse::duration_text(at_ms.saturating_sub(u64::try_from(now.as_millis()).unwrap_or(u64::MAX)))
}

fn row(process: &ProcessStatus) -> [String; 7] {
    let reason = process.reason.clone().unwrap_or_default();
    [
        process.name.clone(),
        word(process.state),
        process.pid.map(|pid| pid.to_string()).unwrap_or_default(),
        process.restarts.to_string(),
        parse::duration_text(process.uptime_ms),
        process.address.clone(),
        match process.resumes_at_ms {
            Some(at_ms) => format!("{reason}{}for another {}", if reason.is_empty() { "" } else { " " }, left(at_ms)),
            None => reason,
        },
    ]
}
