//! `orderflow lab list`

use clap::Args;
use orderflow_client::Service;
use orderflow_contracts::{api::ops::Pattern, words::word};
use serde::Serialize;

use super::consequence;
use crate::{
    context::Context,
    exit::Outcome,
    output::{Align::Left, Paint, Table},
};

/// Every pattern, and whether it is out
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow lab list\n")]
pub struct List {}

#[derive(Serialize)]
struct Row {
    pattern: Pattern,
    /// The services in which it is out.
    out_in: Vec<&'static str>,
}

impl List {
    /// Asks every service.
    pub async fn run(self, context: &Context) -> Outcome {
        let client = context.admin_client()?;
        let mut rows: Vec<Row> =
            Pattern::ALL.iter().map(|pattern| Row { pattern: *pattern, out_in: Vec::new() }).collect();
        for service in Service::WITH_CLOCK {
            let out = client.patterns_out(service).await?;
            for row in rows.iter_mut().filter(|row| out.contains(&row.pattern)) {
                row.out_in.push(service.name());
            }
        }
        context.out.document(&rows, |paint| text(&rows, paint))
    }
}

fn text(rows: &[Row], paint: Paint) -> String {
    let mut table = Table::new([("PATTERN", Left), ("STATE", Left), ("WITHOUT IT", Left)]);
    for row in rows {
        let state = if row.out_in.is_empty() { "in".to_owned() } else { format!("OUT: {}", row.out_in.join(", ")) };
        table.row([word(row.pattern), state, consequence(row.pattern).to_owned()]);
    }
    table.render(paint)
}
