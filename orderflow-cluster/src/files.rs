//! Files and directories with the permissions they are meant to have, whatever the mask.

use std::{
    fs::{self, DirBuilder, File, Permissions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Makes a directory and what is missing above it. What is there stays as it is.
pub(crate) fn make_dirs(dir: &Path, mode: u32) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_dirs(parent, mode)?;
    }
    // Narrow at first, so that nobody sees it wider than it is meant to be.
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.and_then(|()| fs::set_permissions(dir, Permissions::from_mode(mode))),
    }
}

/// Writes a file that only its owner may read: whole or not at all.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    write_whole(path, content, 0o600)
}

/// Writes a file: whole or not at all.
pub(crate) fn write_whole(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let making = path.with_file_name(name);
    let _ = fs::remove_file(&making); // left over, perhaps with other permissions
    let mut file = File::options().create_new(true).write(true).mode(mode).open(&making)?;
    file.write_all(content)?;
    fs::rename(&making, path)
}

/// A lock on a file, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    /// Opens a file, which only its owner may read, and locks it; the file itself is left to the caller's care.
    pub(crate) fn take(path: &Path) -> Result<Self, TryLockError> {
        let opened = File::options().create(true).truncate(false).write(true).mode(0o600).open(path);
        let file = opened.map_err(TryLockError::Error)?;
        file.try_lock()?;
        Ok(Self(file))
    }

    /// The file that was locked, wherever its name leads now.
    pub(crate) fn metadata(&self) -> io::Result<fs::Metadata> {
        self.0.metadata()
    }
}

impl Drop for Lock {
    /// Closing would do, but for a process that another thread is just starting: it has a copy of our files for a
    /// moment (between fork and exec), and with it the lock.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}
