//! `orderflow serve broker`

use std::net::{Ipv4Addr, SocketAddr};

use clap::Args;
use orderflow_broker::{Broker as Embedded, Config, Listener};
use rustix::process::{Resource, getrlimit, setrlimit};

use super::End;
use crate::{
    cli::Global,
    exit::{Failure, Outcome, chain},
};

/// The embedded broker: Kafka's protocol for one machine
///
/// Everything is kept in --data-dir. It has no authentication, so it listens on 127.0.0.1 alone.
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow serve broker --data-dir /tmp/broker --port 9092\n")]
pub struct Broker {
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 9092)]
    port: u16,
    /// One more port, and the address that clients who come there are told to use; may be given several times
    #[arg(long = "listener", value_name = "PORT=HOST:PORT")]
    listeners: Vec<Listener>,
    #[command(flatten)]
    end: End,
}

impl Broker {
    /// Runs it.
    pub async fn run(self, global: &Global) -> Outcome {
        let stop = self.end.stop()?;
        let data_dir = global.data_dir.clone().ok_or_else(|| Failure::usage("--data-dir is needed"))?;
        raise_file_limit();
        let config = Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)),
            more_listeners: self.listeners,
            control: Some(data_dir.join("control.sock")),
            ..Config::new(data_dir)
        };
        let mut broker = Embedded::start(config).await.map_err(|error| Failure::new(chain(&error)))?;
        tracing::info!(bootstrap = broker.bootstrap_servers(), "listening");
        tokio::select! {
            died = broker.died() => return Err(Failure::new(chain(&died))),
            () = stop => {}
        }
        broker.shutdown().await;
        Ok(())
    }
}

/// Every segment is an open file, and so is every connection; the usual limit of 1,024 is soon reached.
fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}
