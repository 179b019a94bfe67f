//! `orderflow demo`: every ending of an order, played on a throwaway cluster and checked.

mod play;
mod stage;
mod summary;

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use clap::Args;
use orderflow_client::{Client, Endpoints};
use orderflow_cluster::{Spec, Supervisor};

use self::{stage::Stage, summary::Summary};
use super::up::told;
use crate::{
    context::Context,
    exit::{Failure, Outcome},
    interrupt::Signals,
};

/// Play every ending of an order on a throwaway cluster, and check each
///
/// A sale; a declined card; a paid order that is called off; an order for more than there is. Whatever is expected is
/// checked: exit code 1 says that something was not so. Nothing is left behind.
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow demo\n  orderflow demo -o json | jq .stock\n")]
pub struct Demo {}

impl Demo {
    /// Plays it.
    pub async fn run(self, context: &Context) -> Outcome {
        let mut signals = Signals::new()?;
        let dir = tempfile::Builder::new().prefix("orderflow-demo-").tempdir()?;
        open_to_postgres(dir.path())?;
        let exe = std::env::current_exe()?;
        let data_dir = dir.path().join("cluster");
        // What is thrown away need not survive a loss of power.
        let spec = Spec { data_dir, any_port: true, durable: false, ..Spec::new("demo", exe) };
        stage::say(context.out, "OrderFlow: a throwaway cluster on free ports\n");

        let mut start =
            Box::pin(Supervisor::start(spec, |progress| context.out.note(&format!("  {}", told(&progress)))));
        let started = tokio::select! {
            started = &mut start => started?,
            _ = signals.told() => {
                say_stopping(context);
                signals.force_on_next();
                drop(start);
                return Err(Failure::interrupted());
            }
        };
        let outcome = tokio::select! {
            outcome = Box::pin(play(context, &started)) => outcome,
            _ = signals.told() => {
                say_stopping(context);
                Err(Failure::interrupted())
            }
        };
        signals.force_on_next();
        started.shutdown().await;
        dir.close()?;
        conclude(context, outcome?)
    }
}

/// As root PostgreSQL runs as another account, which has to go through the directory.
fn open_to_postgres(dir: &Path) -> Outcome {
    if rustix::process::geteuid().is_root() {
        fs::set_permissions(dir, Permissions::from_mode(0o711))?;
    }
    Ok(())
}

fn say_stopping(context: &Context) {
    context.out.note("\nstopping and tidying up; once more forces it");
}

async fn play(context: &Context, cluster: &Supervisor) -> Outcome<Summary> {
    let found = cluster.endpoints();
    let endpoints = Endpoints {
        console: found.console.clone(),
        orders: found.orders.clone(),
        inventory: found.inventory.clone(),
        payments: found.payments.clone(),
        provider: found.provider.clone(),
    };
    let mut stage = Stage::open(Client::anonymous(endpoints)?, context.wait_limit(), context.out).await?;
    play::all(&mut stage).await
}

/// The table at the end, and whether all was as expected.
fn conclude(context: &Context, summary: Summary) -> Outcome {
    context.out.document(&summary, |paint| summary.text(paint))?;
    if summary.wrong.is_empty() {
        context.out.note("\nNothing is left running. A cluster that stays: orderflow up --detach");
        return Ok(());
    }
    Err(Failure::new(format!("not as expected:\n  {}", summary.wrong.join("\n  "))))
}
