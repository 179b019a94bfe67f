//! Group commit: many waiters, one `fdatasync`.

use std::{fs::File, io, sync::Arc};

use tokio::sync::Mutex;

/// How far a file has been forced to the disk, in the caller's own measure (an offset, a size).
#[derive(Debug, Default)]
pub(crate) struct GroupCommit {
    done: Mutex<u64>,
}

impl GroupCommit {
    /// Returns once everything up to `until` is on the disk. `written` tells which file to sync and how far it
    /// reaches; it is asked only by the one who syncs, who takes all others along that wait by then.
    pub async fn wait(&self, until: u64, written: impl FnOnce() -> (Arc<File>, u64)) -> io::Result<()> {
        let mut done = self.done.lock().await;
        if *done >= until {
            return Ok(());
        }
        let (file, reaches) = written();
        tokio::task::spawn_blocking(move || file.sync_data()).await.map_err(io::Error::other)??;
        *done = reaches;
        Ok(())
    }
}
