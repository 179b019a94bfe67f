//! What came of a load.

use std::{collections::BTreeMap, time::Duration};

use orderflow_contracts::ids::OrderId;
use serde::Serialize;

use super::{
    histogram::Percentiles,
    life::{Noted, UnderWay},
    plan::{Kind, Mix, Plan},
    shop::GaveUp,
};
use crate::{
    exit::{Exit, Failure, Outcome},
    output::{
        Align::{Left, Right},
        Paint, Table, safe,
    },
    parse,
};

/// The steps of an order, as it lives.
const STAGES: [&str; 6] = ["create", "confirm", "pay", "ship", "cancel", "compensate"];
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
    /// Beyond those that the client makes by itself.
    retries: u64,
    endings: Vec<Ending>,
    steps: Vec<Step>,
    /// Orders that have not come to an end, by where they stand and what is in the way.
    not_finished: Vec<NotFinished>,
    /// The same, one by one; those aside of which no id is known.
    unfinished: Vec<OrderId>,
    /// Orders that were acknowledged and do not exist.
    missing: Vec<OrderId>,
    /// Why it is not known whether all that were acknowledged exist.
    not_looked_up: Option<String>,
}

#[derive(Debug, Serialize)]
struct NotFinished {
    stage: &'static str,
    why: String,
    orders: u64,
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
        mut noted: Noted,
        retries: u64,
        missing: Result<Vec<OrderId>, GaveUp>,
    ) -> Self {
        let left = noted.unfinished();
        let unfinished = left.iter().filter_map(|order| order.id).collect();
        let (missing, not_looked_up) = match missing {
            Ok(missing) => (missing, None),
            Err(GaveUp::TooLate) => (Vec::new(), Some("the orders service does not say so".to_owned())),
            Err(gave_up) => (Vec::new(), Some(gave_up.text())),
        };
        let endings = noted.endings.into_iter().map(|((kind, ending), orders)| Ending { kind, ending, orders });
        // In the order of an order's life.
        let mut steps: Vec<Step> =
            noted.steps.into_iter().map(|(step, times)| Step { step, took: times.percentiles() }).collect();
        steps.sort_by_key(|step| STAGES.iter().position(|name| *name == step.step));
        Self {
            seed: plan.seed,
            mix: plan.mix,
            seconds: took.as_secs_f64(),
            orders: noted.acknowledged.len(),
            retries,
            endings: endings.collect(),
            steps,
            not_finished: counted(left),
            unfinished,
            missing,
            not_looked_up,
        }
    }

    /// For people.
    pub fn text(&self, paint: Paint) -> String {
        let mut endings = Table::new([("KIND", Left), ("ENDING", Left), ("ORDERS", Right)]);
        for ending in &self.endings {
            endings.row([ending.kind.name().to_owned(), ending.ending.clone(), ending.orders.to_string()]);
        }
        let columns =
            [("STEP", Left), ("COUNT", Right), ("P50", Right), ("P95", Right), ("P99", Right), ("LONGEST", Right)];
        let mut steps = Table::new(columns);
        for Step { step, took } in &self.steps {
            let [p50, p95, p99, max] = [took.p50_ms, took.p95_ms, took.p99_ms, took.max_ms].map(parse::duration_text);
            steps.row([(*step).to_owned(), took.count.to_string(), p50, p95, p99, max]);
        }
        let (orders, seconds, seed) = (self.orders, self.seconds, self.seed);
        let known = match (self.missing.len(), &self.not_looked_up) {
            (_, Some(why)) => {
                paint.bad(&format!("✗ whether all {orders} acknowledged orders exist is not known: {why}"))
            }
            (0, _) => paint.good(&format!("✓ all {orders} acknowledged orders exist")),
            (missing, _) => paint.bad(&format!("✗ {missing} of {orders} acknowledged orders do not exist")),
        };
        let (endings, steps) = (endings.render(paint), steps.render(paint));
        format!(
            "{orders} orders in {seconds:.1} s, {} retries beyond the client's own; {}, seed {seed}\n\n{endings}\n{steps}\n{}{known}\n",
            self.retries,
            self.mix,
            self.not_finished_text(paint),
        )
    }

    fn not_finished_text(&self, paint: Paint) -> String {
        if self.not_finished.is_empty() {
            return String::new();
        }
        let mut table = Table::new([("NOT FINISHED, AT", Left), ("WHAT IS IN THE WAY", Left), ("ORDERS", Right)]);
        for NotFinished { stage, why, orders } in &self.not_finished {
            table.row([(*stage).to_owned(), safe(why), orders.to_string()]);
        }
        format!("{}\n", table.render(paint))
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
        if let Some(why) = &self.not_looked_up {
            let message = format!("whether all acknowledged orders exist is not known: {why}");
            return Err(Failure::with(Exit::Unreachable, message));
        }
        if !self.not_finished.is_empty() {
            let left: u64 = self.not_finished.iter().map(|group| group.orders).sum();
            let failure = Failure::new(format!("{left} orders have not come to an end, as {}", told(&self.unfinished)));
            let first = self.unfinished.first();
            return Err(match first {
                Some(first) => failure.hint(format!("`orderflow why {first}` says what blocks it")),
                None => failure,
            });
        }
        Ok(())
    }
}

/// How many orders stand where, for which reason; in the order of an order's life.
fn counted(left: Vec<UnderWay>) -> Vec<NotFinished> {
    let mut counts: BTreeMap<(Option<usize>, &'static str, String), u64> = BTreeMap::new();
    for UnderWay { stage, why, .. } in left {
        let place = STAGES.iter().position(|name| *name == stage);
        *counts.entry((place, stage, why)).or_default() += 1;
    }
    counts.into_iter().map(|((_, stage, why), orders)| NotFinished { stage, why, orders }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(stage: &'static str, why: &str) -> UnderWay {
        UnderWay { stage, why: why.to_owned(), id: None }
    }

    #[test]
    fn what_is_not_finished_is_counted_by_its_stage_and_its_reason() {
        let all = ["unavailable", "unavailable", "overloaded"].map(|why| left("pay", why));
        let counts = counted(all.into_iter().chain([left("create", "unavailable")]).collect());
        let told: Vec<_> = counts.iter().map(|group| (group.stage, group.why.as_str(), group.orders)).collect();
        assert_eq!(told, [("create", "unavailable", 1), ("pay", "overloaded", 1), ("pay", "unavailable", 2)]);
    }
}
