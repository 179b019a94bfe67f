//! `orderflow chaos run`

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use clap::Args;
use orderflow_client::verify;
use orderflow_contracts::{api::chaos::SetFault, words::word};
use serde::Serialize;
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until},
};

use super::{
    Hand, Situation,
    scenario::{Scenario, Step},
    settled, settled_judge, settled_text,
    words::{Place, text},
};
use crate::{
    commands::load::{Engine, Live, Summary},
    context::Context,
    exit::{Failure, Outcome},
    interrupt::{Signals, or_interrupted},
    output::{
        Align::{Left, Right},
        Output, Paint, Table,
    },
};

/// How long orders may take to end once everything is mended.
const DRAIN: Duration = Duration::from_secs(90);
/// Between two looks at how often the faults have struck.
const COUNT_EVERY: Duration = Duration::from_millis(500);
/// How long mending may take in all: services that were killed have to be back first.
const MEND_MAX: Duration = Duration::from_secs(60);
const MEND_PAUSE: Duration = Duration::from_millis(500);

/// Play a scenario: faults and load by the clock
///
/// At the end everything is mended, and the cluster is checked once it has come to rest: exit code 7 says that something
/// that must always hold does not.
#[derive(Args)]
#[command(before_help = "\
Examples:
  orderflow chaos run examples/chaos/payment-failures-50.toml
  orderflow chaos run examples/chaos/lost-broker.toml --seed 7
")]
pub struct Run {
    /// The scenario's file
    #[arg(value_name = "SCENARIO.toml")]
    file: PathBuf,
    /// Another seed than the file's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

#[derive(Serialize)]
struct Report {
    about: String,
    seed: u64,
    steps: Vec<Done>,
    /// How often each fault has struck, as far as it was seen.
    struck: BTreeMap<String, u64>,
    load: Option<Summary>,
    /// Whether everything that must always hold does, at the end.
    verify: Option<verify::Report>,
}

#[derive(Serialize)]
struct Done {
    at_ms: u128,
    step: String,
    failed: Option<String>,
}

impl Run {
    /// Plays it.
    pub async fn run(self, context: &Context) -> Outcome {
        let text = std::fs::read_to_string(&self.file)
            .map_err(|error| Failure::usage(format!("{}: {error}", self.file.display())))?;
        let scenario = Scenario::read(&text, self.seed)
            .map_err(|error| Failure::usage(format!("{}: {error}", self.file.display())))?;
        let hand = Hand::new(context)?;
        context.out.note(&format!("{} (seed {})", scenario.about, scenario.seed));
        let mut signals = Signals::new()?;
        let played = tokio::select! {
            played = Box::pin(play(context, &hand, scenario)) => played,
            _ = signals.told() => {
                context.out.note("\nmending everything; once more forces it");
                Err(Failure::interrupted())
            }
        };
        signals.force_on_next();
        let mended = mend(&hand).await;
        let mut report = played?;
        mended?;
        report.verify = Some(or_interrupted(Box::pin(settled(context, hand.client()))).await?);
        context.out.document(&report, |paint| report.text(paint))?;
        report.judge()
    }
}

async fn play(context: &Context, hand: &Hand, scenario: Scenario) -> Outcome<Report> {
    let length = scenario.length();
    let Scenario { about, seed, load, steps } = scenario;
    let drain = DRAIN + length.saturating_sub(load.as_ref().and_then(|plan| plan.lasts).unwrap_or_default());
    let engine = match load {
        Some(plan) => Some(or_interrupted(Box::pin(Engine::prepare(context, plan))).await?),
        None => None,
    };
    let (began, mut live) = (Instant::now(), Live::new(context.out));
    let loading = async {
        match engine {
            Some(engine) => Box::pin(engine.run(std::future::pending(), drain, &mut live)).await.map(Some),
            None => Ok(None),
        }
    };
    let breaking = async {
        let counted = count(hand, began + length);
        let (steps, struck) = tokio::join!(act(hand, steps, began, context.out), counted);
        sleep_until(began + length).await;
        say(context.out, began, "clear");
        mend(hand).await?;
        Outcome::Ok((steps, struck))
    };
    let (load, broken) = tokio::join!(loading, breaking);
    let (steps, struck) = broken?;
    Ok(Report { about, seed, steps, struck, load: load?, verify: None })
}

/// Does the steps, each at its time. One that goes on, or cannot be done yet, does not hold up the next.
async fn act(hand: &Hand, steps: Vec<Step>, began: Instant, out: Output) -> Vec<Done> {
    let mut acting = JoinSet::new();
    for Step { at, text, act } in steps {
        sleep_until(began + at).await;
        say(out, began, &text);
        let hand = hand.clone();
        acting.spawn(async move {
            let failed = Box::pin(act.perform(hand)).await.err().map(|failure| failure.message);
            if let Some(message) = &failed {
                out.note(&format!("could not be done: {text}: {message}"));
            }
            Done { at_ms: at.as_millis(), step: text, failed }
        });
    }
    let mut done = acting.join_all().await;
    done.sort_by_key(|step| step.at_ms);
    done
}

fn say(out: Output, began: Instant, text: &str) {
    out.note(&format!("{:6.1}s  ⚡ {text}", began.elapsed().as_secs_f64()));
}

/// Counts how often the faults strike. A counter that has gone down is that of a fault that was set anew.
async fn count(hand: &Hand, until: Instant) -> BTreeMap<String, u64> {
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    let mut total: BTreeMap<String, u64> = BTreeMap::new();
    let mut looks = interval(COUNT_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while Instant::now() < until {
        looks.tick().await;
        let situation = Situation::of(&hand.look().await);
        let faults = situation.faults.iter().map(|there| {
            // The scenario's seed says nothing about one of them.
            let how = text(&SetFault { seed: None, ..there.fault.set.clone() });
            (format!("{}: {} ({how})", there.service, word(there.fault.name)), there.fault.struck)
        });
        let cuts = situation.cuts.iter().map(|cut| (format!("{}: cut off from {}", cut.service, cut.from), cut.struck));
        for (name, struck) in faults.chain(cuts) {
            let before = last.insert(name.clone(), struck).filter(|before| *before <= struck).unwrap_or(0);
            *total.entry(name).or_default() += struck - before;
        }
    }
    total
}

/// Takes everything back, once everybody is there to be told.
async fn mend(hand: &Hand) -> Outcome {
    let until = Instant::now() + MEND_MAX;
    loop {
        match hand.clear(None, Place::All).await {
            Err(_) if Instant::now() < until => sleep(MEND_PAUSE).await,
            cleared => return cleared,
        }
    }
}

impl Report {
    fn text(&self, paint: Paint) -> String {
        let mut table = Table::new([("FAULT", Left), ("STRUCK", Right)]);
        for (name, struck) in &self.struck {
            table.row([name.clone(), struck.to_string()]);
        }
        let struck = if self.struck.is_empty() { String::new() } else { format!("\n{}", table.render(paint)) };
        let load = self.load.as_ref().map(|load| load.text(paint)).unwrap_or_default();
        let verify = self.verify.as_ref().map(|report| settled_text(report, paint)).unwrap_or_default();
        format!("{load}{struck}\n{verify}\n")
    }

    /// An error if a step could not be done, or the load is not as it should be.
    fn judge(&self) -> Outcome {
        // What is wrong weighs more than what was not done.
        if let Some(report) = &self.verify {
            settled_judge(report)?;
        }
        if let Some(load) = &self.load {
            load.judge()?;
        }
        let failed = |step: &Done| step.failed.as_ref().map(|why| format!("{}: {why}", step.step));
        let failed: Vec<_> = self.steps.iter().filter_map(failed).collect();
        if failed.is_empty() { Ok(()) } else { Err(Failure::new(failed.join("\n"))) }
    }
}
