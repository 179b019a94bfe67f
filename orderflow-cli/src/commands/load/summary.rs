//! What came of a load.

use std::time::Duration;

use orderflow_contracts::ids::OrderId;
use serde::Serialize;

use super::{
    histogram::Percentiles,
    life::Noted,
    plan::{Kind, Mix, Plan},
};
use crate::{
    exit::{Exit, Failure, Outcome},
    output::{
        Align::{Left, Right},
        Paint, Table,
    },
    parse,
};

/// Ids that are told in a message; all are in the JSON.
const TOLD_MAX: usize = 5;

/// The summary.
#[derive(Debug, Serialize)]
pub struct Summary {
    seed: u64,
    mix: Mix,
    seconds: f64,
    /// Orders that were acknowledged.
    pub orders: usize,
    retries: u64,
    endings: Vec<Ending>,
    steps: Vec<Step>,
    /// Orders that have not come to an end.
    pub unfinished: Vec<OrderId>,
    /// Orders that were cut short when the load was stopped.
    cut_short: usize,
    /// Orders that were acknowledged and do not exist.
    pub missing: Vec<OrderId>,
}

#[derive(Debug, Serialize)]
struct Ending {
    kind: Kind,
    ending: String,
    orders: u64,
}

#[derive(Debug, Serialize)]
struct Step {
    step: &'static str,
    #[serde(flatten)]
    took: Percentiles,
}

impl Summary {
    /// From what was noted.
    pub fn new(
        plan: &Plan,
        took: Duration,
        noted: Noted,
        cut_short: usize,
        retries: u64,
        missing: Vec<OrderId>,
    ) -> Self {
        let endings = noted.endings.into_iter().map(|((kind, ending), orders)| Ending { kind, ending, orders });
        // In the order of an order's life.
        let mut steps: Vec<Step> =
            noted.steps.into_iter().map(|(step, times)| Step { step, took: times.percentiles() }).collect();
        steps.sort_by_key(|step| {
            ["create", "confirm", "pay", "ship", "cancel", "compensate"].iter().position(|name| *name == step.step)
        });
        Self {
            seed: plan.seed,
            mix: plan.mix,
            seconds: took.as_secs_f64(),
            orders: noted.acknowledged.len(),
            retries,
            endings: endings.collect(),
            steps,
            unfinished: noted.unfinished,
            cut_short,
            missing,
        }
    }

    /// For people.
    pub fn text(&self, paint: Paint) -> String {
        let mut endings = Table::new([("KIND", Left), ("ENDING", Left), ("ORDERS", Right)]);
        for ending in &self.endings {
            endings.row([ending.kind.name().to_owned(), ending.ending.clone(), ending.orders.to_string()]);
        }
        if self.cut_short > 0 {
            endings.row(["any".to_owned(), "under way when it was stopped".to_owned(), self.cut_short.to_string()]);
        }
        let columns =
            [("STEP", Left), ("COUNT", Right), ("P50", Right), ("P95", Right), ("P99", Right), ("LONGEST", Right)];
        let mut steps = Table::new(columns);
        for Step { step, took } in &self.steps {
            let [p50, p95, p99, max] = [took.p50_ms, took.p95_ms, took.p99_ms, took.max_ms].map(parse::duration_text);
            steps.row([(*step).to_owned(), took.count.to_string(), p50, p95, p99, max]);
        }
        let (orders, seconds, seed) = (self.orders, self.seconds, self.seed);
        let known = match self.missing.len() {
            0 => paint.good(&format!("✓ all {orders} acknowledged orders exist")),
            missing => paint.bad(&format!("✗ {missing} of {orders} acknowledged orders do not exist")),
        };
        let (endings, steps) = (endings.render(paint), steps.render(paint));
        format!(
            "{orders} orders in {seconds:.1} s, {} retries; {}, seed {seed}\n\n{endings}\n{steps}\n{known}\n",
            self.retries, self.mix,
        )
    }

    /// An error if something was lost, or does not end.
    pub fn judge(&self) -> Outcome {
        let told = |ids: &[OrderId]| {
            let ids: Vec<_> = ids.iter().take(TOLD_MAX).map(ToString::to_string).collect();
            ids.join(", ")
        };
        if !self.missing.is_empty() {
            let message =
                format!("{} orders were acknowledged and do not exist, as {}", self.missing.len(), told(&self.missing));
            return Err(Failure::with(Exit::Violation, message));
        }
        if !self.unfinished.is_empty() {
            let first = self.unfinished.first().map(ToString::to_string).unwrap_or_default();
            let message =
                format!("{} orders have not come to an end, as {}", self.unfinished.len(), told(&self.unfinished));
            return Err(Failure::new(message).hint(format!("`orderflow order show {first} --as customer`")));
        }
        Ok(())
    }
}
