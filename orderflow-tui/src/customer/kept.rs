//! What was asked for and has no certain outcome, kept beyond the session and the console's end. Without its key nobody
//! could ask again for the same thing, only for one more.
//!
//! ```text
//!   console.open/<key>.json      written before the request is sent, gone with its certain outcome
//!   console.open/<key>.damaged   what could not be read, set aside
//! ```
//!
//! It lies beside the console's state and not in a cluster's directory: it is the person's, and a cluster may be another
//! machine's or another account's. Each thing has a file of its own, since several consoles of one person may run, and
//! none must write over what another one keeps. A session's tokens, a card and what stands for one are never in it.

#[cfg(test)]
mod tests;

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use orderflow_client::Endpoints;
use orderflow_contracts::{
    ids::{AccountId, OrderId},
    money::Money,
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use tokio::{task::spawn_blocking, time::timeout};
use uuid::Uuid;

use super::cart::Line;

/// The services remember a key for a week (`platform/src/janitor.rs`). A day before that ends, asking again could do
/// it twice, so it is not asked any more. In milliseconds.
pub const ASKED_MS_MAX: i64 = 6 * 24 * 3600 * 1000;
/// Files of one directory. Whoever has so many open questions has another problem.
const FILES_MAX: usize = 64;
/// Largest file, in bytes: fifty lines of an order with the longest names are a third of it.
const FILE_BYTES_MAX: u64 = 64 << 10;
/// A disk that takes longer keeps nothing: the person waits for their order.
const DISK_MAX: Duration = Duration::from_secs(2);

/// Something that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Makes it safe to ask again.
    pub key: Uuid,
    /// In which cluster.
    cluster: String,
    /// Whose it is.
    account: AccountId,
    /// When it was asked for first, by our clock.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// An order.
    Order {
        /// What is ordered.
        lines: Vec<Line>,
        /// For how much, as far as it was known.
        total: Option<Money>,
    },
    /// The payment of an order.
    Payment {
        /// Which order.
        order: OrderId,
        /// With it the provider gives the same token for the same card: a request that is repeated as a whole is the
        /// same one.
        token_key: Uuid,
    },
}

/// What was found again.
#[derive(Debug, Default, PartialEq)]
pub struct Recalled {
    /// What can be asked for again, the oldest first.
    pub open: Vec<Kept>,
    /// What is too old for that. It is kept no longer.
    pub late: Vec<Kept>,
    /// What went wrong, for people.
    pub troubles: Vec<String>,
}

/// Where it is kept.
#[derive(Debug, Clone, Default)]
pub struct Store {
    /// Nowhere, if there is none.
    dir: Option<Arc<Path>>,
    cluster: Arc<str>,
}

impl Store {
    /// In a directory, which is made when it is needed. Two clusters of one name are told apart by where they are.
    pub fn at(dir: PathBuf, name: &str, data_dir: &Path, endpoints: Option<&Endpoints>) -> Self {
        let cluster = match endpoints {
            Some(endpoints) if !endpoints.are_local() => format!("{name} at {}", endpoints.orders),
            _ => format!("{name} in {}", data_dir.display()),
        };
        Self { dir: Some(dir.into()), cluster: cluster.into() }
    }

    /// Keeps something that is about to be asked for.
    pub async fn keep(&self, account: AccountId, key: Uuid, at: Timestamp, what: What) -> io::Result<()> {
        let kept = Kept { key, cluster: self.cluster.to_string(), account, at, what };
        self.on_disk(move |dir| write(dir, &kept)).await
    }

    /// Its outcome is certain.
    pub async fn forget(&self, key: Uuid) -> io::Result<()> {
        self.on_disk(move |dir| gone(fs::remove_file(file_of(dir, key)))).await
    }

    /// What is kept of an account.
    pub async fn recall(&self, account: AccountId, now: Timestamp) -> Recalled {
        let cluster = Arc::clone(&self.cluster);
        let found = self.on_disk(move |dir| read_all(dir, &cluster, account, now)).await;
        found.unwrap_or_else(|error| {
            let trouble = format!("what is not known from last time cannot be read: {error}");
            Recalled { troubles: vec![trouble], ..Recalled::default() }
        })
    }

    async fn on_disk<T, F>(&self, work: F) -> io::Result<T>
    where
        T: Default + Send + 'static,
        F: FnOnce(&Path) -> io::Result<T> + Send + 'static,
    {
        let Some(dir) = self.dir.clone() else { return Ok(T::default()) };
        let work = spawn_blocking(move || work(&dir));
        match timeout(DISK_MAX, work).await {
            Ok(done) => done.map_err(io::Error::other)?,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the disk takes too long")),
        }
    }
}

fn file_of(dir: &Path, key: Uuid) -> PathBuf {
    dir.join(format!("{key}.json"))
}

/// Who is gone already is gone.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// Whole or not at all, and on the disk when this returns.
fn write(dir: &Path, kept: &Kept) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let path = file_of(dir, kept.key);
    if !path.exists() && fs::read_dir(dir)?.take(FILES_MAX).count() >= FILES_MAX {
        return Err(io::Error::other(format!("{} has {FILES_MAX} files already", dir.display())));
    }
    let making = path.with_extension(format!("{}.tmp", std::process::id()));
    gone(fs::remove_file(&making))?; // left over, perhaps with other permissions
    let mut file = File::options().create_new(true).write(true).mode(0o600).open(&making)?;
    let written = file.write_all(&serde_json::to_vec_pretty(kept)?).and_then(|()| file.sync_all());
    written.and_then(|()| fs::rename(&making, path)).inspect_err(|_| drop(fs::remove_file(&making)))
}

fn read_all(dir: &Path, cluster: &str, account: AccountId, now: Timestamp) -> io::Result<Recalled> {
    let mut recalled = Recalled::default();
    let files = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(recalled),
        files => files?,
    };
    for path in files.take(FILES_MAX).filter_map(Result::ok).map(|entry| entry.path()) {
        if path.extension().is_none_or(|extension| extension != "json") {
            sweep(&path, now);
            continue;
        }
        match read(&path) {
            Ok(Some(kept)) if now.0.saturating_sub(kept.at.0) > ASKED_MS_MAX => {
                let _ = fs::remove_file(&path);
                if kept.account == account && kept.cluster == cluster {
                    recalled.late.push(kept);
                }
            }
            Ok(Some(kept)) if kept.account == account && kept.cluster == cluster => recalled.open.push(kept),
            Ok(_) => {}
            Err(why) => recalled.troubles.push(set_aside(&path, &why)),
        }
    }
    recalled.open.sort_by_key(|kept| (kept.at, kept.key));
    Ok(recalled)
}

/// Nothing if it is gone meanwhile: another console has heard its outcome.
fn read(path: &Path) -> Result<Option<Kept>, String> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(|error| error.to_string())?,
    };
    let mut text = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut text).map_err(|error| error.to_string())?;
    let kept: Kept = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    let is_its_own = path.file_stem().is_some_and(|stem| stem.to_str() == Some(kept.key.to_string().as_str()));
    if is_its_own { Ok(Some(kept)) } else { Err("it has another one's name".to_owned()) }
}

fn set_aside(path: &Path, why: &str) -> String {
    let aside = path.with_extension("damaged");
    let words = format!("an order or payment whose outcome is not known cannot be read ({why})");
    match fs::rename(path, &aside) {
        Ok(()) => format!("{words}; see {}", aside.display()),
        Err(error) => format!("{words}, nor set aside ({error}): {}", path.display()),
    }
}

/// What was set aside, or left half written, is of no use for ever.
fn sweep(path: &Path, now: Timestamp) {
    let changed = fs::metadata(path).and_then(|found| found.modified());
    let since = changed.ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let at = since.and_then(|since| i64::try_from(since.as_millis()).ok());
    if at.is_some_and(|at| now.0.saturating_sub(at) > ASKED_MS_MAX) {
        let _ = fs::remove_file(path);
    }
}
