//! Group commit: many waiters, one `fdatasync`.

use std::{fs::File, io, sync::Arc};

use tokio::sync::Mutex;

/// How far a file has been forced to the disk, in the caller's own measure (an offset, a number of changes).
#[derive(Debug, Default)]
pub(crate) struct GroupCommit {
    progress: Mutex<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    done: u64,
    /// After a failed sync the kernel takes the pages for clean, and the next sync would succeed without them. So
    /// nothing is believed any more until the file is read anew, at the next start.
    failed: bool,
}

impl GroupCommit {
    /// Returns once everything up to `until` is on the disk. `written` tells which file to sync and how far it
    /// reaches; it is asked only by the one who syncs, who takes all others along that wait by then.
    pub async fn wait(&self, until: u64, written: impl FnOnce() -> (Arc<File>, u64)) -> io::Result<()> {
        let mut progress = self.progress.lock().await;
        if progress.failed {
            return Err(io::Error::other("an earlier flush has failed; restart the broker"));
        }
        if progress.done >= until {
            return Ok(());
        }
        let (file, reaches) = written();
        let synced = tokio::task::spawn_blocking(move || file.sync_data()).await.map_err(io::Error::other).flatten();
        match synced {
            Ok(()) => progress.done = reaches,
            Err(_) => progress.failed = true,
        }
        synced
    }
}
