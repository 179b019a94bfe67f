//! The lines between services and what they need, each by a proxy of its own, so that each can be cut.
//!
//! ```text
//!   orders ─┬─▶ proxy ─▶ broker's listener for orders, which tells its clients the proxy's address
//!           └─▶ proxy ─▶ PostgreSQL             (inventory and console likewise)
//!   payments ── the same two, and ─▶ proxy ─▶ provider
//! ```
//!
//! A Kafka of somebody else tells its clients its own addresses, past any proxy: lines to it cannot be cut.

use std::{fmt, io, str::FromStr};

use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::{
    control::{CutStatus, LineStatus},
    ports::{Ports, Reserved},
    proxy::{Cable, Proxy},
    spec::{BROKER, POSTGRES, Spec},
    tallies::Tallies,
};

/// The services whose lines can be cut. The provider is somebody else, and has nothing but its database.
const SERVICES_WITH_LINES: [&str; 4] = ["orders", "inventory", "payments", "console"];
/// Attempts to find a port that no process of ours is going to want.
const ATTEMPTS_MAX: usize = 100;
const LOOPBACK: &str = "127.0.0.1";

/// What a service needs, and can be cut off from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// The embedded broker.
    Broker,
    /// The database server.
    Postgres,
    /// The payment provider.
    Provider,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Broker => BROKER,
            Self::Postgres => POSTGRES,
            Self::Provider => "provider",
        })
    }
}

/// A line, as it is remembered in `cluster.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinePorts {
    /// Whose line.
    pub service: String,
    /// To what.
    pub to: Need,
    /// The proxy's port on 127.0.0.1.
    pub proxy: u16,
    /// The broker's port behind it, for a line to the broker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener: Option<u16>,
}

/// A line that can be cut.
#[derive(Debug)]
pub(crate) struct Line {
    service: &'static str,
    to: Need,
    cable: Cable,
}

/// All lines, and why there is none where there could be one.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    lines: Vec<Line>,
    without: Vec<(Need, &'static str)>,
}

/// Lines with their ports, before anything listens.
#[derive(Debug, Default)]
pub(crate) struct Planned {
    pub(crate) ports: Vec<LinePorts>,
    /// Keep the ports ours.
    pub(crate) reserved: Vec<Reserved>,
}

/// Each line that there could be.
fn possible() -> impl Iterator<Item = (&'static str, Need)> {
    let each = SERVICES_WITH_LINES.into_iter().flat_map(|name| [(name, Need::Broker), (name, Need::Postgres)]);
    each.chain([("payments", Need::Provider)])
}

/// Why there is no line to something, where there is none.
fn hindrance(spec: &Spec, to: Need) -> Option<&'static str> {
    match to {
        Need::Broker if spec.broker.is_some() => {
            Some("it is somebody else's Kafka, which tells clients its own address")
        }
        Need::Postgres => spec.postgres.as_deref().and_then(|url| server(url).err()),
        _ => None,
    }
}

/// Host and port of somebody else's server, if a proxy can stand in for it.
fn server(admin_url: &str) -> Result<(String, u16), &'static str> {
    let options = PgConnectOptions::from_str(admin_url).map_err(|_| "its URL is not understood")?;
    let query = admin_url.split_once('?').map_or("", |(_, query)| query);
    let parameters = query.split('&').filter_map(|pair| pair.split('=').next());
    if options.get_socket().is_some() || parameters.into_iter().any(|name| ["host", "hostaddr", "port"].contains(&name))
    {
        return Err("its URL has the server's address elsewhere than after the @");
    }
    if matches!(options.get_ssl_mode(), PgSslMode::VerifyFull) {
        return Err("its certificate is checked against its name (sslmode=verify-full), which a proxy does not have");
    }
    let host = options.get_host().trim_start_matches('[').trim_end_matches(']');
    Ok((host.to_owned(), options.get_port()))
}

/// Chooses a port for each line: the one of the last time where it is free.
pub(crate) async fn plan(spec: &Spec, ports: &Ports, last: &[LinePorts]) -> io::Result<Planned> {
    let mut planned = Planned::default();
    for (service, to) in possible().filter(|(_, to)| hindrance(spec, *to).is_none()) {
        let before = last.iter().find(|line| line.service == service && line.to == to);
        let proxy = planned.reserve(ports, before.map(|line| line.proxy)).await?;
        let listener = match to {
            Need::Broker => Some(planned.reserve(ports, before.and_then(|line| line.listener)).await?),
            Need::Postgres | Need::Provider => None,
        };
        planned.ports.push(LinePorts { service: service.to_owned(), to, proxy, listener });
    }
    Ok(planned)
}

impl Planned {
    /// A port of our own, which none of the processes is going to listen on.
    async fn reserve(&mut self, ports: &Ports, before: Option<u16>) -> io::Result<u16> {
        let again = match before.filter(|port| !ports.contain(*port)) {
            Some(port) => Reserved::again(port).await,
            None => None,
        };
        let others = (0..ATTEMPTS_MAX).map(|_| Reserved::choose()).filter_map(Result::ok);
        let mut others = others.filter(|reserved| !ports.contain(reserved.port));
        let none = || io::Error::new(io::ErrorKind::AddrInUse, "no free port was found");
        let reserved = again.or_else(|| others.next()).ok_or_else(none)?;
        let port = reserved.port;
        self.reserved.push(reserved);
        Ok(port)
    }
}

/// The port of a service's proxy.
pub(crate) fn proxy(lines: &[LinePorts], service: &str, to: Need) -> Option<u16> {
    lines.iter().find(|line| line.service == service && line.to == to).map(|line| line.proxy)
}

/// What the broker is told about its listeners: `4001=127.0.0.1:4002`.
pub(crate) fn listeners(lines: &[LinePorts]) -> Vec<String> {
    let each = lines.iter().filter_map(|line| Some(format!("{}={LOOPBACK}:{}", line.listener?, line.proxy)));
    each.collect()
}

impl Lines {
    /// Lets each proxy listen; they are to be served by the caller. The tallies count what cuts cost.
    pub(crate) async fn open(
        spec: &Spec,
        ports: &Ports,
        planned: &[LinePorts],
        tallies: &mut Tallies,
    ) -> io::Result<(Self, Vec<Proxy>)> {
        let (mut lines, mut proxies) = (Self::default(), Vec::new());
        for (service, to) in possible() {
            let Some(line) = planned.iter().find(|line| line.service == service && line.to == to) else {
                lines.without.extend(hindrance(spec, to).map(|why| (to, why)));
                continue;
            };
            let dropped = tallies.of(&format!("{service} cut from {to}"));
            let proxy = Proxy::bind(line.proxy, target(spec, ports, line)).await?.counted_by(dropped);
            lines.lines.push(Line { service, to, cable: proxy.cable() });
            proxies.push(proxy);
        }
        Ok((lines, proxies))
    }

    /// A line that can be cut; the reason if it cannot.
    pub(crate) fn find(&self, service: &str, to: Need) -> Result<&Cable, String> {
        if let Some(line) = self.lines.iter().find(|line| line.service == service && line.to == to) {
            return Ok(&line.cable);
        }
        let why = self.without.iter().find(|(need, _)| *need == to && SERVICES_WITH_LINES.contains(&service));
        Err(match why {
            Some((need, why)) => format!("{service} cannot be cut off from {need}: {why}"),
            None => format!("there is no line from '{service}' to {to}; there are: {}", self.listed()),
        })
    }

    /// Whether a service has a line.
    pub(crate) fn know(&self, service: &str) -> bool {
        SERVICES_WITH_LINES.contains(&service)
    }

    /// Heals the lines of a service, or of all, to something, or to everything.
    pub(crate) fn heal(&self, service: Option<&str>, to: Option<Need>) {
        let meant = |line: &&Line| service.is_none_or(|name| name == line.service) && to.is_none_or(|to| to == line.to);
        for line in self.lines.iter().filter(meant) {
            if line.cable.heal() {
                tracing::info!(service = line.service, to = %line.to, "a line is healed");
            }
        }
    }

    /// What is cut now.
    pub(crate) fn cuts(&self) -> Vec<CutStatus> {
        let cut = |line: &Line| {
            let cut = line.cable.is_cut()?;
            let service = line.service.to_owned();
            Some(CutStatus { service, from: line.to, ends_at_ms: cut.ends_at_ms, dropped: cut.dropped })
        };
        self.lines.iter().filter_map(cut).collect()
    }

    /// How much each line was cut so far.
    pub(crate) fn status(&self) -> Vec<LineStatus> {
        let one = |line: &Line| {
            let service = line.service.to_owned();
            LineStatus { service, to: line.to, dropped: line.cable.dropped_so_far() }
        };
        self.lines.iter().map(one).collect()
    }

    fn listed(&self) -> String {
        self.lines.iter().map(|line| format!("{} {}", line.service, line.to)).collect::<Vec<_>>().join(", ")
    }
}

fn target(spec: &Spec, ports: &Ports, line: &LinePorts) -> (String, u16) {
    let here = |port| (LOOPBACK.to_owned(), port);
    match line.to {
        Need::Broker => here(line.listener.unwrap_or(ports.broker)),
        Need::Provider => here(ports.provider),
        Need::Postgres => {
            let elsewhere = spec.postgres.as_deref().and_then(|url| server(url).ok());
            elsewhere.unwrap_or_else(|| here(ports.postgres))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_whose_name_or_place_matters_has_no_proxy() {
        let found = |url: &str| server(url).ok();
        let at = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(found("postgres://a:b@db.example:6543/postgres?sslmode=require"), at("db.example", 6543));
        assert_eq!(found("postgres://a:b@db.example/postgres"), at("db.example", 5432));
        assert_eq!(found("postgres://a:b@[::1]:5433/postgres"), at("::1", 5433));
        for bad in ["host=other", "port=1", "hostaddr=10.0.0.1", "sslmode=verify-full", "host=/run/postgresql"] {
            assert_eq!(found(&format!("postgres://a:b@db.example/postgres?{bad}")), None, "{bad}");
        }
        assert_eq!(found("postgres://a:b@%2Frun%2Fpostgresql/postgres"), None);
        assert_eq!(found("nonsense"), None);
    }

    #[tokio::test]
    async fn ports_stay_the_same_unless_a_process_wants_them() {
        let spec = Spec::new("default", "x");
        let planned = plan(&spec, &Ports::default(), &[]).await.unwrap();
        assert_eq!(planned.ports.len(), 9);
        assert_eq!(planned.reserved.len(), 13);
        assert_eq!(listeners(&planned.ports).len(), 4);
        let elsewhere = plan(&spec, &Ports::default(), &planned.ports).await.unwrap();
        assert!(elsewhere.ports.iter().all(|line| !planned.ports.contains(line)), "all of them are held");
        drop(planned.reserved);
        let again = plan(&spec, &Ports::default(), &planned.ports).await.unwrap();
        assert_eq!(again.ports, planned.ports);
        drop(again);
        let wanted = Ports { orders: planned.ports[0].proxy, ..Ports::default() };
        let moved = plan(&spec, &wanted, &planned.ports).await.unwrap();
        assert_ne!(moved.ports[0].proxy, wanted.orders);
        assert_eq!(moved.ports[1..], planned.ports[1..]);
    }

    #[tokio::test]
    async fn there_are_no_lines_to_a_kafka_of_somebody_else() {
        let spec = Spec { broker: Some("kafka.example:9092".into()), ..Spec::new("default", "x") };
        let planned = plan(&spec, &Ports::default(), &[]).await.unwrap();
        assert_eq!(planned.ports.len(), 5);
        assert!(planned.ports.iter().all(|line| line.to != Need::Broker && line.listener.is_none()));
        assert_eq!(proxy(&planned.ports, "orders", Need::Broker), None);
        assert_eq!(proxy(&planned.ports, "payments", Need::Provider), Some(planned.ports[4].proxy));
    }
}
