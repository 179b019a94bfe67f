//! `orderflow serve …`: one process of a cluster.

mod broker;

use std::{io::Read, path::PathBuf};

use clap::{Args, Subcommand};
use orderflow_platform::{
    app::{App, BuildError},
    config, telemetry,
};
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use crate::{
    cli::Global,
    exit::{Failure, Outcome, chain},
    interrupt::Signals,
};

/// Be one process of a cluster
#[derive(Subcommand)]
pub enum Serve {
    /// The orders service
    Orders(Service),
    /// The inventory service
    Inventory(Service),
    /// The payments service
    Payments(Service),
    /// The console
    Console(Service),
    /// The payment provider
    Psp(Service),
    /// The embedded broker
    Broker(broker::Broker),
}

/// What every service is told.
#[derive(Args)]
#[command(before_help = "\
Examples:
  orderflow serve orders --config orders.toml
  RUST_LOG=orderflow_orders=debug,info orderflow serve orders --config orders.toml
")]
pub struct Service {
    /// Its settings; they have secrets, so they are a file for its owner alone
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    end: End,
}

/// When to end.
#[derive(Args, Clone, Copy)]
struct End {
    /// End when standard input does: with whoever started this
    #[arg(long)]
    stop_on_eof: bool,
}

impl Serve {
    /// Runs until SIGTERM, SIGINT, or the end of standard input.
    pub async fn run(self, global: &Global) -> Outcome {
        telemetry::init();
        match self {
            Self::Orders(service) => Box::pin(service.run(orderflow_orders::build)).await,
            Self::Inventory(service) => Box::pin(service.run(orderflow_inventory::build)).await,
            Self::Payments(service) => Box::pin(service.run(orderflow_payments::build)).await,
            Self::Console(service) => Box::pin(service.run(orderflow_console::build)).await,
            Self::Psp(service) => Box::pin(service.run(orderflow_psp::build)).await,
            Self::Broker(broker) => Box::pin(broker.run(global)).await,
        }
    }
}

impl Service {
    async fn run<C, F>(self, build: impl FnOnce(C) -> F) -> Outcome
    where
        C: DeserializeOwned,
        F: Future<Output = Result<App, BuildError>>,
    {
        let stop = self.end.stop()?;
        let config = config::load(&self.config).map_err(|error| Failure::usage(chain(&error)))?;
        let app = build(config).await.map_err(|error| Failure::new(chain(&error)))?;
        app.run(stop).await.map_err(|error| Failure::new(chain(&error)))
    }
}

impl End {
    /// What tells the process to end.
    fn stop(self) -> Outcome<impl Future<Output = ()>> {
        let mut signals = Signals::new()?;
        let end_of_input = self.stop_on_eof.then(end_of_input);
        Ok(async move {
            let eof = async {
                match end_of_input {
                    // An error means that the thread is gone, and with it whoever watches over the input.
                    Some(end) => drop(end.await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                told = signals.told() => tracing::info!(signal = ?told, "stopping"),
                () = eof => tracing::info!("stopping with who started this"),
            }
        })
    }
}

/// Done when standard input ends. A thread of its own: it waits in a read that cannot be cancelled.
fn end_of_input() -> oneshot::Receiver<()> {
    let (done, end) = oneshot::channel();
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut nothing = [0; 256];
        while matches!(input.read(&mut nothing), Ok(length) if length > 0) {}
        // Nobody waits any more if the process is ending anyway.
        let _ = done.send(());
    });
    end
}
