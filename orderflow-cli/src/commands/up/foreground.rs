//! The supervisor in this process, until it is told to stop.

use std::cell::Cell;

use orderflow_cluster::{Spec, StartError, Supervisor};
use tracing::Level;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use super::{Up, already, ready, told};
use crate::{
    context::Context,
    exit::{Failure, Outcome},
    interrupt::{Signals, Told},
};

/// Starts the cluster and keeps it.
pub async fn run(up: &Up, spec: Spec, context: &Context) -> Outcome {
    if up.detached {
        // A session of its own: the terminal's end and its Ctrl-C are not for us. Fails only for who has one already.
        let _ = rustix::process::setsid();
    }
    log(if up.detached { Level::INFO } else { Level::WARN });
    let mut signals = Signals::new()?;
    let mut start = Box::pin(Supervisor::start(spec, |progress| context.out.note(&told(&progress))));
    let started = tokio::select! {
        started = &mut start => Ok(started),
        told = signals.told() => Err(told),
    };
    let supervisor = match started {
        Ok(Ok(supervisor)) => supervisor,
        Ok(Err(StartError::Running(_))) => return already(up, context).await,
        Ok(Err(error)) => return Err(error.into()),
        Err(told) => {
            say_stopping(context);
            signals.force_on_next();
            drop(start);
            return ended(told);
        }
    };
    if !up.detached {
        ready(context, &supervisor.status())?;
        context.out.note("\nCtrl-C stops the cluster; its data stay");
    }
    keep(supervisor, signals, context).await
}

/// Keeps the cluster until a signal, or until `orderflow down`.
async fn keep(supervisor: Supervisor, mut signals: Signals, context: &Context) -> Outcome {
    let told = Cell::new(None);
    let stop = async {
        told.set(Some(signals.told().await));
        say_stopping(context);
        signals.force_on_next();
    };
    supervisor.run(stop).await?;
    match told.get() {
        Some(told) => ended(told),
        None => Ok(()),
    }
}

fn say_stopping(context: &Context) {
    context.out.note("stopping; once more forces it");
}

fn ended(told: Told) -> Outcome {
    match told {
        Told::Interrupt => Err(Failure::interrupted()),
        Told::Terminate => Ok(()),
    }
}

/// The supervisor's own lines, on standard error.
fn log(level: Level) {
    let filter = std::env::var("RUST_LOG").ok().and_then(|filter| filter.parse().ok());
    let filter: Targets = filter.unwrap_or_else(|| Targets::new().with_default(level));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    // Fails only if something else has started it, which is as well.
    let _ = tracing_subscriber::registry().with(lines).with(filter).try_init();
}
