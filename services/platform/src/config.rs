//! A service's settings: one TOML file, readable by its owner only, since the database's password is in it. Secrets
//! come neither by argument nor by environment, where other users and crash reports could see them.

use std::{collections::BTreeMap, fmt, net::SocketAddr, path::Path};

use serde::{Deserialize, de::DeserializeOwned};

/// What every service is told.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    /// Where it listens; port 0 takes a free one. Think before you leave loopback.
    pub listen: SocketAddr,
    /// `postgres://role:password@host:port/database`
    pub database_url: String,
    /// Kafka's bootstrap servers; a service without it neither publishes nor consumes.
    pub kafka: Option<String>,
    /// The name of this replica in its consumer group, different for each. With it a replica that was killed and comes
    /// back has its partitions at once; without it the group waits until its session has ended.
    pub instance: Option<String>,
    /// More settings of librdkafka, as for a cluster that asks for a password.
    #[serde(default)]
    pub kafka_properties: BTreeMap<String, String>,
    /// Base64 of the 32 bytes of the Ed25519 key that tokens are checked with; a service without it takes no tokens.
    pub token_public_key: Option<String>,
    /// A cluster on one machine, to be played with: its clock can be moved, and faults can be made.
    #[serde(default)]
    pub local: bool,
    /// A laboratory: patterns can be taken out, to see what they were for. It loses stock and money then.
    #[serde(default)]
    pub lab: bool,
}

impl fmt::Debug for ServiceConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceConfig")
            .field("listen", &self.listen)
            .field("kafka", &self.kafka)
            .finish_non_exhaustive()
    }
}

/// Why a file of settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{path} cannot be read")]
    Read {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what the service needs. The message has no value of the file in it.
    #[error("{path} is not a configuration of this service: {message}")]
    Parse {
        /// Which file.
        path: String,
        /// What is wrong.
        message: String,
    },
}

/// Reads the settings of a service.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let name = || path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: name(), source })?;
    toml::from_str(&text).map_err(|error| ConfigError::Parse { path: name(), message: error.message().to_owned() })
}
