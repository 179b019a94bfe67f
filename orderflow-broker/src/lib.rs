//! Skeleton.
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Settings of a broker.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    pub session_timeout_min: Duration,
}

impl Config {
    /// Loopback, a free port, defaults for the rest.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { listen: ([127, 0, 0, 1], 0).into(), data_dir: data_dir.into(), session_timeout_min: Duration::from_secs(6) }
    }
}

pub struct Broker;
pub struct Handle;
#[derive(Debug, thiserror::Error)]
#[error("not yet")]
pub struct StartError;

impl Broker {
    pub async fn start(_config: Config) -> Result<Handle, StartError> {
        Err(StartError)
    }
}

impl Handle {
    pub fn bootstrap_servers(&self) -> String {
        String::new()
    }
    pub async fn shutdown(self) {}
}
