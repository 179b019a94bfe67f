//! Clusters seen from outside: what runs, what there is, and how it is done away with.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use crate::{
    layout::{ClusterFile, Layout},
    leftovers,
    postgres::{drop_database, drop_role},
    secrets::Secrets,
    spec::{SERVICES, Spec},
};

const POLL: Duration = Duration::from_millis(50);

/// A cluster that was started once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Where it is kept.
    pub data_dir: PathBuf,
    /// What was started last.
    pub cluster: ClusterFile,
    /// Whether it runs now.
    pub running: bool,
}

/// Why a cluster's data were not removed.
#[derive(Debug, thiserror::Error)]
pub enum DestroyError {
    /// It runs.
    #[error("the cluster in {0} is running: stop it first")]
    Running(PathBuf),
    /// There is no `cluster.json` of ours, so that it may be anything.
    #[error("{0} is not the data directory of a cluster; nothing was removed")]
    NotACluster(PathBuf),
    /// The databases on somebody else's server could not be dropped. Nothing was removed.
    #[error("the cluster's databases on its external server could not be dropped; nothing else was removed")]
    Databases(#[source] sqlx::Error),
    /// A file could not be read or removed.
    #[error("{0} could not be removed")]
    Files(PathBuf, #[source] io::Error),
}

/// What runs in a directory, if anything does.
pub fn running(data_dir: &Path) -> Option<ClusterFile> {
    let layout = Layout::at(data_dir);
    layout.is_locked().then(|| layout.read_cluster()).flatten()
}

/// The clusters under a root (see [`default_root`](crate::default_root)), by their directories' names.
pub fn list(root: &Path) -> Vec<Known> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let known = entries.filter_map(|entry| {
        let layout = Layout::at(&entry.path());
        let cluster = layout.read_cluster()?;
        Some(Known { data_dir: entry.path(), cluster, running: layout.is_locked() })
    });
    let mut known: Vec<_> = known.collect();
    known.sort_by(|a, b| a.data_dir.cmp(&b.data_dir));
    known
}

/// Waits until nothing runs in a directory; returns whether that was so in time.
pub async fn wait_stopped(data_dir: &Path, within: Duration) -> bool {
    let layout = Layout::at(data_dir);
    let until = Instant::now() + within;
    while layout.is_locked() {
        if Instant::now() > until {
            return false;
        }
        sleep(POLL).await;
    }
    true
}

/// Removes everything a cluster keeps, its databases on somebody else's server included. For good.
pub async fn destroy(data_dir: &Path) -> Result<(), DestroyError> {
    let layout = Layout::at(data_dir);
    let cluster = layout.read_cluster().ok_or_else(|| DestroyError::NotACluster(data_dir.to_owned()))?;
    let bad = |source| DestroyError::Files(data_dir.to_owned(), source);
    let lock = layout.lock().await.map_err(bad)?;
    let _lock = lock.ok_or_else(|| DestroyError::Running(data_dir.to_owned()))?;
    leftovers::stop(&layout).await;
    let external = Secrets::read(&layout.secrets()).map_err(bad)?.and_then(|secrets| secrets.external_postgres);
    if let Some(admin_url) = external {
        drop_all(&cluster.name, admin_url).await.map_err(DestroyError::Databases)?;
    }
    fs::remove_dir_all(layout.dir()).map_err(bad)
}

async fn drop_all(name: &str, admin_url: String) -> Result<(), sqlx::Error> {
    let spec = Spec { postgres: Some(admin_url.clone()), ..Spec::new(name, "") };
    for service in SERVICES {
        let database = spec.database(service);
        drop_database(&admin_url, &database).await?;
        drop_role(&admin_url, &database).await?;
    }
    Ok(())
}
