//! Makes a data directory: whole or not at all, so that a start that was killed is simply done again.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::{
        fs::{DirBuilderExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{process::Command, time::timeout};

use super::{Account, PostgresError, beside, clear_environment};
use crate::{
    files::{make_dirs, write_private},
    secrets,
};

/// Longest time for initdb, which takes a second or two where disks are not to blame.
const INITDB_MAX: Duration = Duration::from_secs(120);
/// Sorted by bytes, with Unicode's letters; not every system knows it, and then by bytes alone.
const LOCALES: [&str; 2] = ["C.UTF-8", "C"];

/// Makes the directory above the data, and returns the data's path without links, as the server is going to show it.
pub(super) fn prepare_parent(data_dir: &Path, account: Option<&Account>) -> Result<PathBuf, PostgresError> {
    let bad = |source| PostgresError::DataDir(data_dir.to_owned(), source);
    let parent = data_dir.parent().ok_or_else(|| bad(io::ErrorKind::InvalidInput.into()))?;
    let name = data_dir.file_name().ok_or_else(|| bad(io::ErrorKind::InvalidInput.into()))?;
    make_dirs(parent, if account.is_some() { 0o711 } else { 0o700 }).map_err(bad)?;
    let parent = parent.canonicalize().map_err(bad)?;
    if let Some(account) = account
        && let Some(dir) = account.barred_at(&parent)
    {
        return Err(PostgresError::Barred { account: account.name.clone(), dir });
    }
    Ok(parent.join(name))
}

/// Fills the data directory unless it is full, and returns the superuser's password.
pub(super) async fn ensure_data(
    bin: &Path,
    data_dir: &Path,
    account: Option<&Account>,
    durable: bool,
) -> Result<String, PostgresError> {
    let password_file = beside(data_dir, "password");
    let bad_password = |source| PostgresError::DataDir(password_file.clone(), source);
    if data_dir.join("PG_VERSION").exists() {
        return match fs::read_to_string(&password_file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(PostgresError::PasswordLost(password_file)),
            read => read.map_err(bad_password),
        };
    }
    let password = secrets::random_hex().map_err(bad_password)?;
    write_private(&password_file, password.as_bytes()).map_err(bad_password)?;
    let making = beside(data_dir, "making");
    let bad = |source| PostgresError::DataDir(making.clone(), source);
    remove_dir(&making).map_err(bad)?;
    DirBuilder::new().mode(0o700).create(&making).map_err(bad)?;
    let given = beside(data_dir, "password.initdb");
    let made = async {
        write_private(&given, password.as_bytes()).map_err(bad)?;
        if let Some(account) = account {
            chown(&making, Some(account.uid), Some(account.gid)).map_err(bad)?;
            chown(&given, Some(account.uid), Some(account.gid)).map_err(bad)?;
        }
        initdb(bin, &making, &given, account, durable).await
    };
    let made = made.await;
    let _ = fs::remove_file(&given);
    made?;
    fs::set_permissions(&making, Permissions::from_mode(0o700)).map_err(bad)?;
    // Over an empty directory this works, over anything else it does not.
    fs::rename(&making, data_dir).map_err(|source| PostgresError::DataDir(data_dir.to_owned(), source))?;
    Ok(password)
}

fn remove_dir(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

async fn initdb(
    bin: &Path,
    dir: &Path,
    password_file: &Path,
    account: Option<&Account>,
    durable: bool,
) -> Result<(), PostgresError> {
    let mut said = String::new();
    for locale in LOCALES {
        let mut command = std::process::Command::new(bin.join("initdb"));
        clear_environment(&mut command);
        command.current_dir("/").process_group(0).stdin(Stdio::null());
        if let Some(account) = account {
            command.uid(account.uid).gid(account.gid);
        }
        command.arg("-D").arg(dir).arg("--pwfile").arg(password_file);
        command.args(["-U", "postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale", locale]);
        if !durable {
            command.arg("--no-sync");
        }
        let mut command = Command::from(command);
        let failed = |error: io::Error| PostgresError::Initdb(error.to_string());
        let output = timeout(INITDB_MAX, command.kill_on_drop(true).output()).await;
        let output = output.map_err(|_| failed(io::ErrorKind::TimedOut.into()))?.map_err(failed)?;
        if output.status.success() {
            return Ok(());
        }
        said = format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Err(PostgresError::Initdb(said))
}
