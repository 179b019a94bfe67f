//! `orderflow down`

use std::time::Duration;

use clap::Args;
use orderflow_cluster::{
    attach,
    control::{self, ControlError, Request},
};

use crate::{
    cli::Named,
    context::Context,
    exit::{Exit, Failure, Outcome},
};

/// How long everything may take to stop: a process is killed after ten seconds, and they stop in three groups.
const STOP_MAX: Duration = Duration::from_secs(90);

/// Stop the cluster; its data stay
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow down\n  orderflow down --name two\n")]
pub struct Down {
    #[command(flatten)]
    pub named: Named,
}

impl Down {
    /// Stops it.
    pub async fn run(self, context: &Context) -> Outcome {
        let cluster = &context.settings.cluster;
        if stop(context).await? {
            context.out.note(&format!(
                "cluster {cluster} is stopped; its data are in {}",
                context.settings.data_dir.display()
            ));
        } else {
            context.out.note(&format!("cluster {cluster} is not running"));
        }
        Ok(())
    }
}

/// Stops what runs; whether anything did.
pub async fn stop(context: &Context) -> Outcome<bool> {
    let data_dir = &context.settings.data_dir;
    match control::request(data_dir, Request::Stop).await {
        Ok(_) => {}
        Err(ControlError::NotRunning(_)) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    context.out.note(&format!("stopping cluster {}", context.settings.cluster));
    let within = context.settings.timeout.unwrap_or(STOP_MAX);
    if attach::wait_stopped(data_dir, within).await {
        return Ok(true);
    }
    let message = format!("the cluster has not stopped within {within:?}");
    Err(Failure::with(Exit::TimedOut, message).hint("`orderflow status` says what still runs"))
}
