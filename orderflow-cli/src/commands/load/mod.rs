//! `orderflow load`: keeps orders coming, so that there is something to break.

mod engine;
mod histogram;
mod life;
mod live;
mod plan;
mod shop;
mod summary;

use std::time::Duration;

use clap::Args;

pub use self::{
    engine::Load as Engine,
    live::{LOOK_EVERY, Live},
    plan::{Mix, Plan},
    shop::{GaveUp, Shop, fresh_key},
    summary::Summary,
};
use crate::{
    context::Context,
    exit::{Failure, Outcome},
    interrupt::{Signals, or_interrupted},
    parse, prompt,
};

/// How long orders may take to end after Ctrl-C, where nothing is said.
const DRAIN_STOPPED: Duration = Duration::from_secs(10);
/// How long they may take when the load has ended by itself, where nothing is said.
const DRAIN: Duration = Duration::from_secs(60);

/// Keep orders coming, until stopped
///
/// What is refused for the moment is tried again with the same idempotency key. When its time is up, or after Ctrl-C,
/// what it has begun is driven on to its end for as long as --drain says; then there is a summary, with what could not
/// be finished and why: exit code 1. Every order that was acknowledged has to exist: exit code 7 if one does not.
#[derive(Args)]
#[command(before_help = "\
Examples:
  orderflow load --rate 20
  orderflow load --rate 50 --mix happy=70,decline=10,cancel=10,abandon=10 --for 1m --seed 7
  orderflow load --rate 20 --for 10s -o json | jq .endings
")]
pub struct Load {
    /// New orders a second
    #[arg(long, value_name = "N", default_value_t = 10.0)]
    rate: f64,
    /// What becomes of them, by weight: happy, decline, cancel, abandon
    #[arg(long, value_name = "MIX", value_parser = Mix::read, default_value_t = Mix::default())]
    mix: Mix,
    /// For how long, as 1m [default: until it is stopped]
    #[arg(long = "for", value_name = "TIME", value_parser = parse::duration)]
    lasts: Option<Duration>,
    /// The same seed makes the same orders
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How long what was begun may take to end [default: 1m; 10s after Ctrl-C]
    #[arg(long, value_name = "TIME", value_parser = parse::duration)]
    drain: Option<Duration>,
    /// Orders under way at once; a further one waits
    #[arg(long, value_name = "N", default_value_t = Plan::CONCURRENCY)]
    concurrency: usize,
}

impl Load {
    /// Keeps them coming.
    pub async fn run(self, context: &Context) -> Outcome {
        let Self { rate, mix, lasts, seed, drain, concurrency } = self;
        let plan = Plan { rate, mix, lasts, seed, concurrency };
        plan.check().map_err(Failure::usage)?;
        let engine = or_interrupted(Box::pin(Engine::prepare(context, plan))).await?;
        let mut live = Live::new(context.out);
        let mut signals = Signals::new()?;
        let (tell, told) = tokio::sync::oneshot::channel();
        let out = context.out;
        let listening = tokio::spawn(async move {
            signals.told().await;
            prompt::restore_terminal();
            out.note("\nno more orders; what is under way may come to its end; once more forces it");
            let _ = tell.send(());
            signals.force_on_next();
        });
        let stop = async {
            if told.await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let drain = drain.unwrap_or(if lasts.is_some() { DRAIN } else { DRAIN_STOPPED });
        let summary = Box::pin(engine.run(stop, drain, &mut live)).await?;
        listening.abort();
        context.out.document(&summary, |paint| summary.text(paint))?;
        summary.judge()
    }
}
