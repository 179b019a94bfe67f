//! How often something was broken on purpose since the cluster's data began: what a cut, a pause or a kill leaves behind
//! when it is over.
//!
//! ```text
//!   keeper, proxy ── one more ──▶ Tally ──▶ a task of its own, a moment later ──▶ struck.json
//!                                   └── status: how many
//! ```
//!
//! Counting waits for nothing and cannot fail. A supervisor that is killed takes its last moment with it.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{sync::Notify, task::spawn_blocking, time::sleep};

use crate::{control::Struck, files::write_private};

/// Between two times of writing: a cut may end connections by the hundred.
const WRITE_PAUSE: Duration = Duration::from_millis(200);
/// Longest file that is read, in bytes. There are some thirty numbers.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// A number that only grows. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    count: Arc<AtomicU64>,
    changed: Arc<Notify>,
}

/// Those of a process: how often a signal was delivered to it because somebody wanted so.
#[derive(Debug, Clone)]
pub(crate) struct OfProcess {
    pub(crate) kills: Tally,
    pub(crate) pauses: Tally,
    pub(crate) restarts: Tally,
}

/// All of them by their names, and the file that keeps them.
#[derive(Debug)]
pub(crate) struct Tallies {
    path: PathBuf,
    all: BTreeMap<String, Tally>,
    changed: Arc<Notify>,
    writing: Mutex<()>,
}

impl Tally {
    pub(crate) fn add(&self) {
        self.count.fetch_add(1, Relaxed);
        self.changed.notify_one();
    }

    pub(crate) fn get(&self) -> u64 {
        self.count.load(Relaxed)
    }
}

impl OfProcess {
    pub(crate) fn counts(&self) -> Struck {
        Struck { kills: self.kills.get(), pauses: self.pauses.get(), restarts: self.restarts.get() }
    }
}

impl Tallies {
    /// Goes on with what stands in the file; with nothing, if it is not there or damaged.
    pub(crate) fn read(path: PathBuf) -> Self {
        let counted = numbers(&path).unwrap_or_else(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                tracing::info!(path = %path.display(), "nothing was counted yet: all begins at zero");
            } else {
                tracing::warn!(path = %path.display(), %error, "the numbers are damaged: all begins at zero");
            }
            BTreeMap::new()
        });
        let mut tallies = Self { path, all: BTreeMap::new(), changed: Arc::default(), writing: Mutex::default() };
        for (name, count) in counted {
            tallies.of(&name).count.store(count, Relaxed);
        }
        tallies
    }

    /// The one of this name; a new one begins at zero.
    pub(crate) fn of(&mut self, name: &str) -> Tally {
        let new = || Tally { count: Arc::default(), changed: Arc::clone(&self.changed) };
        self.all.entry(name.to_owned()).or_insert_with(new).clone()
    }

    pub(crate) fn of_process(&mut self, process: &str) -> OfProcess {
        let mut of = |what: &str| self.of(&format!("{process} {what}"));
        OfProcess { kills: of("kills"), pauses: of("pauses"), restarts: of("restarts") }
    }

    /// Writes them down whenever one has grown, until the future is dropped.
    pub(crate) async fn keep(self: Arc<Self>) {
        loop {
            self.changed.notified().await;
            let tallies = Arc::clone(&self);
            if let Err(error) = spawn_blocking(move || tallies.write()).await {
                tracing::error!(%error, "the numbers could not be written down");
            }
            sleep(WRITE_PAUSE).await;
        }
    }

    /// Writes them down now. What cannot be written is said, and tried again when one has grown.
    pub(crate) fn write(&self) {
        // Whoever comes later has the later numbers.
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let numbers: BTreeMap<_, _> = self.all.iter().map(|(name, tally)| (name, tally.get())).collect();
        let written = serde_json::to_vec_pretty(&numbers).map_err(io::Error::from);
        if let Err(error) = written.and_then(|json| write_private(&self.path, &json)) {
            tracing::warn!(path = %self.path.display(), %error, "the numbers could not be written down");
        }
    }
}

fn numbers(path: &Path) -> io::Result<BTreeMap<String, u64>> {
    let mut json = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX).read_to_end(&mut json)?;
    Ok(serde_json::from_slice(&json)?)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn numbers_are_kept_and_what_is_damaged_begins_at_zero() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("struck.json");
        let mut tallies = Tallies::read(path.clone());
        let orders = tallies.of_process("orders");
        let keeping = tokio::spawn(Arc::new(tallies).keep());
        orders.kills.add();
        orders.kills.add();
        let until = tokio::time::Instant::now() + Duration::from_secs(30);
        while Tallies::read(path.clone()).of("orders kills").get() < 2 {
            assert!(tokio::time::Instant::now() < until, "it is not written down");
            sleep(Duration::from_millis(10)).await;
        }
        keeping.abort();

        let again = Tallies::read(path.clone()).of_process("orders");
        assert_eq!((again.kills.get(), again.pauses.get(), again.restarts.get()), (2, 0, 0));
        for damaged in ["", "{\"orders kills\": -1}", "[]", "{\"orders kills\": 2"] {
            fs::write(&path, damaged).unwrap();
            assert_eq!(Tallies::read(path.clone()).of("orders kills").get(), 0, "{damaged}");
        }
    }

    #[test]
    fn a_place_where_nothing_can_be_written_is_no_reason_to_fail() {
        let mut tallies = Tallies::read("/nowhere/at/all/struck.json".into());
        let tally = tallies.of("payments cut from broker");
        tally.add();
        tallies.write();
        assert_eq!(tally.get(), 1);
    }
}
