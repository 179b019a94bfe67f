//! Settings, in this order: flags, environment, `./orderflow.toml`, `~/.config/orderflow/config.toml`.
//!
//! Whoever names a cluster means all of it: URLs of a weaker source do not apply to it.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use orderflow_client::{Endpoints, Service};
use orderflow_cluster::{ClusterFile, DEFAULT_NAME, Spec};
use serde::{Deserialize, Deserializer, de::Error};

use crate::{
    cli::Global,
    exit::{Failure, Outcome},
    output::Format,
    parse::{self, Role},
};

/// The file of a project, in the directory where a command is given.
const PROJECT_FILE: &str = "orderflow.toml";
/// Longest settings file, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// What one source says; it may say nothing. Secrets have no place here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Layer {
    cluster: Option<String>,
    data_dir: Option<PathBuf>,
    console_url: Option<String>,
    orders_url: Option<String>,
    inventory_url: Option<String>,
    payments_url: Option<String>,
    provider_url: Option<String>,
    #[serde(rename = "as")]
    role: Option<Role>,
    output: Option<Format>,
    #[serde(deserialize_with = "humane")]
    timeout: Option<Duration>,
}

fn humane<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse::duration(&text).map(Some).map_err(D::Error::custom)
}

/// What all sources together say.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The cluster's name.
    pub cluster: String,
    /// Where the cluster is kept.
    pub data_dir: PathBuf,
    /// Where its services are.
    pub endpoints: Endpoints,
    /// A cluster was named, and there is none: the endpoints are nobody's.
    pub is_nowhere: bool,
    /// As which test account to ask, if as one.
    pub role: Option<Role>,
    /// How data are written.
    pub format: Format,
    /// How long to wait.
    pub timeout: Option<Duration>,
}

impl Settings {
    /// Reads all sources.
    pub fn load(global: &Global) -> Outcome<Self> {
        let mut layer = Layer::default();
        let files = [user_dir().map(|dir| dir.join("config.toml")), Some(PROJECT_FILE.into())];
        for file in files.into_iter().flatten() {
            layer = layer.under(read(&file)?);
        }
        let environment = of_environment(|name| env::var(name).ok())?;
        Ok(Self::of(layer.under(environment).under(of_flags(global))))
    }

    fn of(layer: Layer) -> Self {
        let cluster = layer.cluster.clone().unwrap_or_else(|| DEFAULT_NAME.to_owned());
        let data_dir = layer.data_dir.clone().unwrap_or_else(|| Spec::new(cluster.as_str(), "").data_dir);
        let is_named = layer.cluster.is_some() || layer.data_dir.is_some();
        let has_urls = Service::ALL.iter().any(|service| layer.url(*service).is_some());
        let is_nowhere = is_named && !has_urls && started_last(&data_dir).is_none();
        let endpoints = endpoints(&layer, &data_dir);
        Self {
            cluster,
            data_dir,
            endpoints,
            is_nowhere,
            role: layer.role,
            format: layer.output.unwrap_or_default(),
            timeout: layer.timeout,
        }
    }

    /// Where sessions are kept: with the cluster, or under the user's settings for one that is elsewhere.
    pub fn state_dir(&self) -> PathBuf {
        if self.data_dir.join("cluster.json").exists() {
            return self.data_dir.clone();
        }
        user_dir().map_or_else(|| self.data_dir.clone(), |dir| dir.join("clusters").join(&self.cluster))
    }
}

impl Layer {
    /// This source under a stronger one.
    fn under(self, stronger: Self) -> Self {
        let names_a_cluster = stronger.cluster.is_some() || stronger.data_dir.is_some();
        let url = |weak: Option<String>, strong: Option<String>| strong.or(weak.filter(|_| !names_a_cluster));
        Self {
            data_dir: stronger.data_dir.or(self.data_dir.filter(|_| stronger.cluster.is_none())),
            cluster: stronger.cluster.or(self.cluster),
            console_url: url(self.console_url, stronger.console_url),
            orders_url: url(self.orders_url, stronger.orders_url),
            inventory_url: url(self.inventory_url, stronger.inventory_url),
            payments_url: url(self.payments_url, stronger.payments_url),
            provider_url: url(self.provider_url, stronger.provider_url),
            role: stronger.role.or(self.role),
            output: stronger.output.or(self.output),
            timeout: stronger.timeout.or(self.timeout),
        }
    }

    fn url(&self, service: Service) -> Option<&String> {
        match service {
            Service::Console => self.console_url.as_ref(),
            Service::Orders => self.orders_url.as_ref(),
            Service::Inventory => self.inventory_url.as_ref(),
            Service::Payments => self.payments_url.as_ref(),
            Service::Provider => self.provider_url.as_ref(),
        }
    }
}

/// `ORDERFLOW_CLUSTER` and its like, read as the same members of a file are. What is empty says nothing.
fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Outcome<Layer> {
    const MEMBERS: [&str; 10] = [
        "cluster",
        "data_dir",
        "console_url",
        "orders_url",
        "inventory_url",
        "payments_url",
        "provider_url",
        "as",
        "output",
        "timeout",
    ];
    let mut table = toml::Table::new();
    for member in MEMBERS {
        let name = format!("ORDERFLOW_{}", member.to_ascii_uppercase());
        if let Some(value) = variable(&name).filter(|value| !value.is_empty()) {
            let one = toml::Table::from_iter([(member.to_owned(), value.clone().into())]);
            let checked: Result<Layer, _> = one.try_into();
            checked.map_err(|error| Failure::usage(format!("{name} is {value:?}: {}", error.message())))?;
            table.insert(member.to_owned(), value.into());
        }
    }
    table.try_into().map_err(|error: toml::de::Error| Failure::usage(error.message().to_owned()))
}

fn of_flags(global: &Global) -> Layer {
    let Global { cluster, data_dir, role, output, timeout, urls, .. } = global.clone();
    Layer {
        cluster,
        data_dir,
        console_url: urls.console_url,
        orders_url: urls.orders_url,
        inventory_url: urls.inventory_url,
        payments_url: urls.payments_url,
        provider_url: urls.provider_url,
        role,
        output,
        timeout,
    }
}

/// The URLs that were given, else those of the cluster that was started last, else the default ports.
fn endpoints(layer: &Layer, data_dir: &Path) -> Endpoints {
    let known = started_last(data_dir).map(|cluster| cluster.endpoints);
    let known = known.map_or_else(Endpoints::default, |known| Endpoints {
        console: known.console,
        orders: known.orders,
        inventory: known.inventory,
        payments: known.payments,
        provider: known.provider,
    });
    let url = |service| layer.url(service).cloned().unwrap_or_else(|| known.of(service).to_owned());
    Endpoints {
        console: url(Service::Console),
        orders: url(Service::Orders),
        inventory: url(Service::Inventory),
        payments: url(Service::Payments),
        provider: url(Service::Provider),
    }
}

fn started_last(data_dir: &Path) -> Option<ClusterFile> {
    serde_json::from_slice(&fs::read(data_dir.join("cluster.json")).ok()?).ok()
}

fn read(file: &Path) -> Outcome<Layer> {
    let too_large = fs::metadata(file).is_ok_and(|found| found.len() > FILE_BYTES_MAX);
    if too_large {
        return Err(Failure::usage(format!("{} is too large for a file of settings", file.display())));
    }
    match fs::read_to_string(file) {
        Ok(text) => toml::from_str(&text)
            .map_err(|error| Failure::usage(format!("{} cannot be read: {}", file.display(), error.message()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Layer::default()),
        // A home that is not ours to read has no settings for us.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(Layer::default()),
        Err(error) => Err(Failure::usage(format!("{} cannot be read: {error}", file.display()))),
    }
}

/// `~/.config/orderflow`.
pub fn user_dir() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let config = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(config.join("orderflow"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(text: &str) -> Layer {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn the_stronger_source_wins() {
        let weak = layer("orders_url = 'http://a'\nas = 'seller'\noutput = 'json'\ntimeout = '2m'");
        let strong = layer("orders_url = 'http://b'\nas = 'customer'");
        let both = weak.under(strong);
        assert_eq!((both.orders_url.as_deref(), both.role), (Some("http://b"), Some(Role::Customer)));
        assert_eq!((both.output, both.timeout), (Some(Format::Json), Some(Duration::from_secs(120))));
    }

    #[test]
    fn who_names_a_cluster_means_all_of_it() {
        let weak = layer("data_dir = '/a'\norders_url = 'http://a'");
        let both = weak.clone().under(layer("cluster = 'two'\nconsole_url = 'http://c'"));
        assert_eq!((both.data_dir, both.orders_url, both.console_url.as_deref()), (None, None, Some("http://c")));
        let both = weak.under(layer("data_dir = '/b'"));
        assert_eq!((both.data_dir, both.orders_url), (Some("/b".into()), None));
    }

    #[test]
    fn the_environment_is_read_as_a_file_is() {
        let set = |name: &str| match name {
            "ORDERFLOW_AS" => Some("seller".to_owned()),
            "ORDERFLOW_TIMEOUT" => Some("2m".to_owned()),
            "ORDERFLOW_DATA_DIR" => Some(String::new()),
            _ => None,
        };
        assert_eq!(of_environment(set).unwrap(), layer("as = 'seller'\ntimeout = '2m'"));
        let wrong = of_environment(|name| (name == "ORDERFLOW_OUTPUT").then(|| "xml".to_owned())).unwrap_err();
        assert!(wrong.message.starts_with("ORDERFLOW_OUTPUT is \"xml\""), "{}", wrong.message);
    }

    #[test]
    fn urls_that_are_not_given_are_those_of_the_default_ports() {
        let dir = tempfile::tempdir().unwrap();
        let found = endpoints(&layer("orders_url = 'http://o:1'"), dir.path());
        assert_eq!((found.orders.as_str(), found.console.as_str()), ("http://o:1", "http://127.0.0.1:3000"));
    }

    #[test]
    fn a_named_cluster_that_does_not_exist_is_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let named = Layer { data_dir: Some(dir.path().into()), ..Layer::default() };
        assert!(Settings::of(named.clone()).is_nowhere);
        assert!(!Settings::of(Layer { orders_url: Some("http://o:1".into()), ..named }).is_nowhere);
        assert!(!Settings::of(Layer::default()).is_nowhere);
    }

    #[test]
    fn nonsense_in_a_file_is_refused() {
        for text in ["password = 'x'", "output = 'xml'", "timeout = 'soon'", "as = 'root'"] {
            assert!(toml::from_str::<Layer>(text).is_err(), "{text}");
        }
    }
}
