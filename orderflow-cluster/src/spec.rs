//! What somebody wants to have started.

use std::{fmt, path::PathBuf, time::Duration};

use crate::{layout, ports::Ports};

/// The private database server, under this name in logs, status and signals.
pub const POSTGRES: &str = "postgres";
/// The broker.
pub const BROKER: &str = "broker";
/// The services, each a process and a database. The provider comes first, as others call it.
pub const SERVICES: [&str; 5] = ["psp", "orders", "inventory", "payments", "console"];
/// The name of a cluster that was given none.
pub const DEFAULT_NAME: &str = "default";

/// Longest name: it goes into names of databases, which PostgreSQL cuts at 63 bytes.
const NAME_BYTES_MAX: usize = 32;
/// Until everything is ready. A machine under load initialises PostgreSQL in ten seconds or so.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A cluster to start. [`Spec::new`] gives the defaults.
#[derive(Clone)]
pub struct Spec {
    /// Small letters, digits and dashes, beginning with a letter.
    pub name: String,
    /// Everything the cluster keeps.
    pub data_dir: PathBuf,
    /// Where to listen, on 127.0.0.1.
    pub ports: Ports,
    /// Take free ports instead; the same ones as the last time, if they are free.
    pub any_port: bool,
    /// Bootstrap servers of a Kafka to use instead of a broker of our own.
    pub broker: Option<String>,
    /// Administrator's URL of a PostgreSQL to use instead of a private one.
    pub postgres: Option<String>,
    /// Whether what is committed survives a loss of power.
    pub durable: bool,
    /// Whether patterns can be taken out of the services, to see what they are for.
    pub lab: bool,
    /// The program that is every process: `<exe> serve orders --config FILE`.
    pub exe: PathBuf,
    /// How long a start may take once the database server is up.
    pub ready_within: Duration,
}

impl Spec {
    /// A cluster with default ports, in the default place for its name.
    ///
    /// The place is relative to the working directory where there is no home directory.
    pub fn new(name: impl Into<String>, exe: impl Into<PathBuf>) -> Self {
        let name = name.into();
        Self {
            data_dir: layout::default_root().unwrap_or_else(|| ".orderflow".into()).join(&name),
            name,
            ports: Ports::default(),
            any_port: false,
            broker: None,
            postgres: None,
            durable: true,
            lab: false,
            exe: exe.into(),
            ready_within: READY_WITHIN,
        }
    }

    pub(crate) fn has_good_name(&self) -> bool {
        self.name.starts_with(|c: char| c.is_ascii_lowercase())
            && self.name.len() <= NAME_BYTES_MAX
            && self.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    }

    /// The processes whose ports are ours to take.
    pub(crate) fn is_ours(&self, process: &str) -> bool {
        match process {
            POSTGRES => self.postgres.is_none(),
            BROKER => self.broker.is_none(),
            _ => true,
        }
    }

    /// The name of a service's database, and of its role. On a server of somebody else there may be other clusters'.
    pub(crate) fn database(&self, service: &str) -> String {
        if self.postgres.is_none() || self.name == DEFAULT_NAME {
            format!("orderflow_{service}")
        } else {
            format!("orderflow_{}_{service}", self.name)
        }
    }
}

/// Without the administrator's URL: there is a password in it.
impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec")
            .field("name", &self.name)
            .field("data_dir", &self.data_dir)
            .field("ports", &self.ports)
            .field("any_port", &self.any_port)
            .field("broker", &self.broker)
            .field("external_postgres", &self.postgres.is_some())
            .field("durable", &self.durable)
            .field("lab", &self.lab)
            .field("exe", &self.exe)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_into_names_of_databases() {
        for (name, good) in [("default", true), ("a-1", true), ("", false), ("A", false), ("1a", false), ("a/b", false)]
        {
            assert_eq!(Spec::new(name, "x").has_good_name(), good, "{name}");
        }
        assert!(!Spec::new("a".repeat(33), "x").has_good_name());
    }

    #[test]
    fn databases_of_a_foreign_server_carry_the_clusters_name() {
        let mut spec = Spec::new("two", "x");
        assert_eq!(spec.database("orders"), "orderflow_orders");
        spec.postgres = Some("postgres://a:secret@h/d".into());
        assert_eq!(spec.database("orders"), "orderflow_two_orders");
        assert!(!format!("{spec:?}").contains("secret"));
        spec.name = DEFAULT_NAME.into();
        assert_eq!(spec.database("orders"), "orderflow_orders");
    }
}
