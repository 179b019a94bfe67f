//! `orderflow chaos …`: faults that are made on purpose.

mod clear;
mod cut;
mod hand;
mod list;
mod process;
mod run;
mod scenario;
mod set;
mod situation;
mod steps;
mod words;

use std::time::Duration;

use clap::Subcommand;
use orderflow_client::{
    Client,
    verify::{Report, settle},
};
use tokio::time::sleep;

pub use self::{hand::Hand, situation::Situation};
use crate::{
    context::Context,
    exit::{Exit, Failure, Outcome},
    interrupt::{Signals, or_interrupted},
    output::Paint,
};

/// How long the cluster may take to come to rest: a payment whose answer was lost takes half a minute.
const REST_MAX: Duration = Duration::from_secs(120);

/// Break something on purpose, and mend it
///
/// Faults strike in the services themselves, of a local cluster only; whoever sets them is an admin, and the audit log
/// has it.
#[derive(Subcommand)]
pub enum Chaos {
    /// What is broken on purpose, and how often it has struck
    List(list::List),
    /// Set a fault
    Set(set::Set),
    /// Take a fault back, or everything
    Clear(clear::Clear),
    /// Kill a process; it is started again, at once or after a while
    Kill(process::Kill),
    /// Stop a process in its tracks; its connections stay
    Pause(process::Pause),
    /// Let a paused process go on, or bring back one that is held down
    Resume(process::Resume),
    /// Stop a process gently; it is started again
    Restart(process::Restart),
    /// Cut a service off from the broker, its database or the provider
    Cut(cut::Cut),
    /// Play a scenario: faults and load by the clock
    Run(run::Run),
}

impl Chaos {
    /// Does what was asked for.
    pub async fn run(self, context: &Context) -> Outcome {
        let limit = context.settings.timeout;
        let at_once = |work| or_interrupted(super::within(limit, work));
        match self {
            Self::List(command) => at_once(Box::pin(command.run(context)) as Work<'_>).await,
            Self::Clear(command) => at_once(Box::pin(command.run(context))).await,
            Self::Resume(command) => at_once(Box::pin(command.run(context))).await,
            Self::Restart(command) => at_once(Box::pin(command.run(context))).await,
            // These mend what they have broken when they are interrupted.
            Self::Set(command) => command.run(context).await,
            Self::Kill(command) => command.run(context).await,
            Self::Pause(command) => command.run(context).await,
            Self::Cut(command) => command.run(context).await,
            Self::Run(command) => Box::pin(command.run(context)).await,
        }
    }
}

type Work<'a> = std::pin::Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// What is to be mended again after so long, or at once if the command is interrupted.
async fn for_so_long(context: &Context, lasts: Duration, mend: impl Future<Output = Outcome>) -> Outcome {
    let mut signals = Signals::new()?;
    let told = tokio::select! {
        () = sleep(lasts) => false,
        _ = signals.told() => {
            context.out.note("\nmending it; once more forces it");
            true
        }
    };
    signals.force_on_next();
    mend.await?;
    if told { Err(Failure::interrupted()) } else { Ok(()) }
}

/// Whether everything that must always hold does, once the cluster has come to rest.
pub async fn settled(context: &Context, client: &Client) -> Outcome<Report> {
    let mut said = String::new();
    let report = settle(client, context.settings.timeout.unwrap_or(REST_MAX), |what| {
        if what != said {
            context.out.note(&format!("waiting for rest: {what}"));
            what.clone_into(&mut said);
        }
    });
    Ok(report.await?)
}

/// The report in a line.
pub fn settled_text(report: &Report, paint: Paint) -> String {
    if report.ok {
        return paint.good(&format!("✓ verify: {} checks hold", report.checks.len()));
    }
    paint.bad(&format!("✗ verify: {}", report.verdict()))
}

/// An error if something that must always hold does not.
pub fn settled_judge(report: &Report) -> Outcome {
    if report.ok {
        return Ok(());
    }
    Err(Failure::with(Exit::Violation, report.verdict()).hint("`orderflow verify` names each of them"))
}
