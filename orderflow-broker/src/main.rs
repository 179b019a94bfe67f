//! The broker as a program: `orderflow-broker --data-dir D --port P`.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, ValueEnum};
use orderflow_broker::{Broker, Config, Flush, Listener};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// A broker that speaks Kafka's protocol, for one machine and for tests. Beyond one machine use Apache Kafka.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Where everything is kept; made if it does not exist.
    #[arg(long)]
    data_dir: PathBuf,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 9092)]
    port: u16,
    /// Address to listen on. There is no authentication: think before you leave loopback.
    #[arg(long, default_value = "127.0.0.1")]
    listen: std::net::IpAddr,
    /// HOST:PORT that clients are told to use, where it is not the address they came to.
    #[arg(long, value_parser = host_and_port)]
    advertised: Option<(String, u16)>,
    /// One more port on 127.0.0.1, and the HOST:PORT that clients who come there are told to use; may be repeated.
    #[arg(long = "listener", value_name = "PORT=HOST:PORT")]
    listeners: Vec<Listener>,
    /// When appends are forced to the disk. A killed broker loses nothing either way; this is about losing power.
    #[arg(long, value_enum, default_value_t = FlushPolicy::Os)]
    flush: FlushPolicy,
    /// Milliseconds between two flushes with `--flush interval`.
    #[arg(long, default_value_t = 1000)]
    flush_interval_ms: u64,
    /// Unix socket for faults [default: control.sock in the data directory].
    #[arg(long)]
    control: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FlushPolicy {
    /// The operating system decides.
    Os,
    /// In the background, every so often.
    Interval,
    /// Before each acknowledgement.
    Always,
}

fn host_and_port(text: &str) -> Result<(String, u16), String> {
    let (host, port) = text.rsplit_once(':').ok_or("HOST:PORT is needed")?;
    Ok((host.to_owned(), port.parse().map_err(|_| format!("{port} is no port"))?))
}

impl Args {
    fn config(self) -> Config {
        Config {
            listen: SocketAddr::new(self.listen, self.port),
            advertised: self.advertised,
            more_listeners: self.listeners,
            control: Some(self.control.unwrap_or_else(|| self.data_dir.join("control.sock"))),
            flush: match self.flush {
                FlushPolicy::Os => Flush::Os,
                FlushPolicy::Interval => Flush::Interval(Duration::from_millis(self.flush_interval_ms)),
                FlushPolicy::Always => Flush::Always,
            },
            ..Config::new(self.data_dir)
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = std::env::var("RUST_LOG").ok().and_then(|filter| filter.parse().ok());
    let filter: Targets = filter.unwrap_or_else(|| Targets::new().with_default(tracing::Level::INFO));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines).with(filter).init();
    let config = Args::parse().config();
    raise_file_limit();
    match run(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(error.as_ref());
            ExitCode::FAILURE
        }
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

async fn run(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut broker = Broker::start(config).await?;
    println!("{}", broker.bootstrap_servers());
    tokio::select! {
        died = broker.died() => return Err(died.into()),
        _ = terminate.recv() => tracing::info!("stopping on SIGTERM"),
        _ = interrupt.recv() => tracing::info!("stopping on SIGINT"),
    }
    broker.shutdown().await;
    Ok(())
}

/// The error and its causes, one a line.
fn report(error: &dyn std::error::Error) {
    eprintln!("orderflow-broker: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
}
