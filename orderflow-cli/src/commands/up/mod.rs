//! `orderflow up`

mod background;
mod foreground;

use std::{io::Read, time::Duration};

use clap::Args;
use orderflow_cluster::{Ports, Progress, Spec, attach, control};
use tokio::time::{Instant, sleep};

use super::status;
use crate::{
    cli::Named,
    context::Context,
    exit::{Exit, Failure, Outcome},
    output::Paint,
};

/// Where the database's URL can be given without being an argument.
const POSTGRES_URL: &str = "ORDERFLOW_POSTGRES_URL";
/// Longest URL that is read from a file, in bytes.
const URL_BYTES_MAX: u64 = 4096;
/// What listens, by the names of `--port`.
const PORTS: [&str; 7] = ["console", "orders", "inventory", "payments", "provider", "broker", "postgres"];
/// How long a cluster that runs already may take to be ready, where nothing is said.
const READY_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

/// Start a local cluster, or see that it runs
///
/// PostgreSQL, broker and services, each a process of its own that is started again when it dies. Stays in the
/// foreground until Ctrl-C, unless --detach. Every port is looked at before anything starts.
#[derive(Args)]
#[command(before_help = "\
Examples:
  orderflow up --detach                    in the background; returns when everything is ready
  orderflow up --name two --any-port       a second cluster, on free ports
  orderflow up --broker 127.0.0.1:9092     with an Apache Kafka of your own
  orderflow up --postgres-url-file url.txt with a PostgreSQL of your own
")]
pub struct Up {
    #[command(flatten)]
    pub named: Named,
    /// Run in the background, and return when everything is ready
    #[arg(short, long)]
    detach: bool,
    /// Take free ports; the same ones as the last time, if they are free
    #[arg(long)]
    any_port: bool,
    /// Let a process listen there, as orders=4001; may be given several times
    #[arg(long = "port", value_name = "PROCESS=PORT", value_parser = port, conflicts_with = "any_port")]
    ports: Vec<(&'static str, u16)>,
    /// Use this Kafka instead of the embedded broker
    #[arg(long, value_name = "HOST:PORT")]
    broker: Option<String>,
    /// Use this PostgreSQL instead of a private one: its administrator's URL
    ///
    /// A password in an argument can be read by other users of the machine: give it in the environment, as
    /// ORDERFLOW_POSTGRES_URL, or with --postgres-url-file.
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// The same, from a file, or from standard input for `-`
    #[arg(long, value_name = "FILE", conflicts_with = "postgres")]
    postgres_url_file: Option<String>,
    /// Let patterns be taken out of the services, to see what they are for; not for what you want to keep
    #[arg(long)]
    lab: bool,
    /// Return when everything is ready; it is what is done anyway
    #[arg(long, conflicts_with = "no_wait")]
    wait: bool,
    /// With --detach: return at once
    #[arg(long, requires = "detach")]
    no_wait: bool,
    /// What --detach starts.
    #[arg(long, hide = true)]
    detached: bool,
}

impl Up {
    /// Starts it.
    pub async fn run(self, context: &Context) -> Outcome {
        if attach::running(&context.settings.data_dir).is_some() {
            return already(&self, context).await;
        }
        let spec = self.spec(context)?;
        if self.detach {
            background::start(&self, spec, context).await
        } else {
            foreground::run(&self, spec, context).await
        }
    }

    fn spec(&self, context: &Context) -> Outcome<Spec> {
        let mut spec = context.spec()?;
        spec.any_port = self.any_port;
        spec.lab = self.lab;
        self.ports.iter().for_each(|(process, port)| set_port(&mut spec.ports, process, *port));
        spec.broker.clone_from(&self.broker);
        spec.postgres = match &self.postgres_url_file {
            Some(file) => Some(read_url(file)?),
            None => self.postgres.clone().or_else(|| std::env::var(POSTGRES_URL).ok().filter(|url| !url.is_empty())),
        };
        spec.data_dir = std::path::absolute(&spec.data_dir)?;
        if let Some(limit) = context.settings.timeout {
            spec.ready_within = limit;
        }
        Ok(spec)
    }
}

/// Reads `orders=4001`.
fn port(text: &str) -> Result<(&'static str, u16), String> {
    let (process, port) = text.split_once('=').ok_or("a port is given as orders=4001")?;
    let known = PORTS.iter().find(|known| **known == process);
    let known = known.ok_or_else(|| format!("{process:?} is none of {}", PORTS.join(", ")))?;
    Ok((known, port.parse().map_err(|_| format!("{port:?} is no port"))?))
}

fn set_port(ports: &mut Ports, process: &str, port: u16) {
    match process {
        "console" => ports.console = port,
        "orders" => ports.orders = port,
        "inventory" => ports.inventory = port,
        "payments" => ports.payments = port,
        "provider" => ports.provider = port,
        "broker" => ports.broker = port,
        _ => ports.postgres = port,
    }
}

fn read_url(file: &str) -> Outcome<String> {
    let mut url = String::new();
    let read = match file {
        "-" => std::io::stdin().lock().take(URL_BYTES_MAX).read_to_string(&mut url),
        path => std::fs::File::open(path).and_then(|file| file.take(URL_BYTES_MAX).read_to_string(&mut url)),
    };
    read.map_err(|error| Failure::usage(format!("{file}: {error}")))?;
    let url = url.trim();
    if url.is_empty() { Err(Failure::usage(format!("{file}: there is no URL in it"))) } else { Ok(url.to_owned()) }
}

/// It runs: that is what was asked for, once it is ready.
async fn already(up: &Up, context: &Context) -> Outcome {
    context.out.note(&format!("cluster {} is running already", context.settings.cluster));
    let within = context.settings.timeout.unwrap_or(READY_WITHIN);
    let until = Instant::now() + within;
    loop {
        let status = status::ask(context).await?;
        if up.lab && !status.lab {
            return Err(Failure::new("it was started without --lab").hint("`orderflow down`, then `up --lab`"));
        }
        if status.healthy {
            return ready(context, &status);
        }
        if Instant::now() >= until {
            return Err(Failure::with(Exit::TimedOut, format!("it is not ready within {within:?}"))
                .hint("`orderflow status` says what is not"));
        }
        sleep(POLL).await;
    }
}

/// Says where the cluster is and what can be done with it.
fn ready(context: &Context, status: &control::Status) -> Outcome {
    context.out.document(status, |paint| format!("{}\n{}", status::text(status, paint), endpoints(status, paint)))?;
    context.out.note(&next_commands(context));
    Ok(())
}

fn endpoints(status: &control::Status, paint: Paint) -> String {
    let endpoints = &status.endpoints;
    let all = [
        ("console", &endpoints.console),
        ("orders", &endpoints.orders),
        ("inventory", &endpoints.inventory),
        ("payments", &endpoints.payments),
        ("provider", &endpoints.provider),
        ("broker", &endpoints.broker),
    ];
    all.iter().map(|(name, url)| format!("{}  {url}\n", paint.dim(&format!("{name:<9}")))).collect()
}

fn next_commands(context: &Context) -> String {
    // What leads to this cluster and to no other.
    let settings = &context.settings;
    let by_name = Spec::new(settings.cluster.as_str(), "").data_dir == settings.data_dir;
    let which = match (by_name, settings.cluster.as_str()) {
        (true, orderflow_cluster::DEFAULT_NAME) => String::new(),
        (true, name) => format!(" --cluster {name}"),
        (false, _) => format!(" --data-dir {}", settings.data_dir.display()),
    };
    format!(
        "\nnext:\n  orderflow{which} --as seller product add --name \"Test Widget\" --price 29.99 --stock 10\n  \
         orderflow{which} --as customer product list\n  orderflow{which} --as admin events tail\n  orderflow{which} status\n  \
         orderflow{which} down"
    )
}

/// What is being done, in words.
pub fn told(progress: &Progress) -> String {
    match progress {
        Progress::Preparing { data_dir } => format!("preparing a cluster in {}", data_dir.display()),
        Progress::DownloadingPostgres => "downloading PostgreSQL, which is not installed here".to_owned(),
        Progress::InitialisingPostgres => "making PostgreSQL's data, which takes a moment".to_owned(),
        Progress::Starting { process, address } => format!("▸ starting {process:<10} {address}"),
        Progress::Ready { process, after } => format!("✓ ready    {process:<10} after {:.1} s", after.as_secs_f32()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_port_can_be_chosen() {
        let mut ports = Ports::default();
        for (process, number) in PORTS.iter().zip(1..) {
            let (known, number) = port(&format!("{process}={number}")).unwrap();
            set_port(&mut ports, known, number);
        }
        let chosen = Ports { console: 1, orders: 2, inventory: 3, payments: 4, provider: 5, broker: 6, postgres: 7 };
        assert_eq!(ports, chosen);
        for text in ["orders", "orders=", "orders=65536", "nobody=1"] {
            assert!(port(text).is_err(), "{text}");
        }
    }
}
