//! `orderflow status`

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use orderflow_chaos::ask_services;
use orderflow_client::{Client, Service};
use orderflow_cluster::{
    State,
    control::{self, ProcessStatus},
};
use orderflow_contracts::{api::ops::UnreadableRow, words::word};
use serde::Serialize;
use tokio::{task::JoinSet, time::timeout};

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

/// How long a service may take to say what it cannot read.
const ANSWER_MAX: Duration = Duration::from_secs(3);

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
        let (services, unreadable) = match context.admin_client() {
            Ok(client) => tokio::join!(ask_services(&client), gather_unreadable(&client)),
            Err(_) => Default::default(),
        };
        let broken = Situation::of(&orderflow_chaos::Situation { services, status: Some(Ok(status.clone())) });
        let all = WithFaults { status: &status, broken: &broken, unreadable: &unreadable };
        context.out.document(&all, |paint| {
            format!("{}{}{}", text(&status, paint), rows(&unreadable, paint), faults(&broken, paint))
        })?;
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
    unreadable: &'a [UnreadableThere],
}

/// A row that a service cannot read.
#[derive(Serialize)]
struct UnreadableThere {
    service: &'static str,
    #[serde(flatten)]
    row: UnreadableRow,
}

/// The rows that services meet and cannot read; of those that answer.
async fn gather_unreadable(client: &Client) -> Vec<UnreadableThere> {
    let mut asked = JoinSet::new();
    for service in Service::WITH_CLOCK {
        let client = client.clone();
        asked.spawn(async move { (service.name(), timeout(ANSWER_MAX, client.unreadable(service)).await) });
    }
    let mut there = Vec::new();
    for (service, answer) in asked.join_all().await {
        let rows = answer.ok().and_then(Result::ok).unwrap_or_default();
        there.extend(rows.into_iter().map(|row| UnreadableThere { service, row }));
    }
    there.sort_by_key(|there| (there.service, there.row.table.clone(), there.row.key.clone()));
    there
}

/// A line for each row that cannot be read.
fn rows(unreadable: &[UnreadableThere], paint: Paint) -> String {
    let line = |UnreadableThere { service, row }: &UnreadableThere| {
        let text = format!("✗ {service}: row {} of {} cannot be read: {}", row.key, row.table, row.reason);
        format!("{}\n", paint.bad(&safe(&text)))
    };
    let lines: String = unreadable.iter().map(line).collect();
    if lines.is_empty() { lines } else { format!("\nwhat cannot be read is passed over until it is mended:\n{lines}") }
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
    Ok(control::status(&context.settings.data_dir).await?)
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
