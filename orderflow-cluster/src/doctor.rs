//! Looks at whether a cluster could be started here, and says what to do where it could not.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use rustix::process::{Resource, getrlimit};

use crate::{
    attach,
    control::{self, Request, Response},
    layout::Layout,
    ports::Taken,
    postgres::{Account, BINARIES_VARIABLE, PostgresError, find_binaries},
    spec::Spec,
};

/// Least free space, in bytes: a new database server, the broker's segments, and logs.
const FREE_BYTES_MIN: u64 = 500 << 20;
/// Fewest open files: connections and log segments.
const OPEN_FILES_MIN: u64 = 1024;

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// Whether it is as it has to be. What is for information only is always so.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What to do, if something is.
    pub remedy: Option<String>,
}

impl Check {
    fn good(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, ok: true, detail: detail.into(), remedy: None }
    }

    fn bad(name: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, ok: false, detail: detail.into(), remedy: Some(remedy.into()) }
    }
}

/// Looks at everything a cluster needs. Starts, downloads and changes nothing.
pub async fn checks(spec: &Spec) -> Vec<Check> {
    let runs = attach::running(&spec.data_dir).is_some();
    vec![
        postgres(spec),
        compiler(),
        data_dir(&spec.data_dir),
        ports(spec, runs),
        disk_space(&spec.data_dir),
        open_files(),
        supervisor(&spec.data_dir, runs).await,
    ]
}

fn postgres(spec: &Spec) -> Check {
    const NAME: &str = "PostgreSQL";
    if spec.postgres.is_some() {
        return Check::good(NAME, "somebody else's server is used");
    }
    match find_binaries() {
        Ok(bin) => Check::good(NAME, bin.display().to_string()),
        Err(PostgresError::NoBinaries) => Check::good(NAME, "not installed; it is downloaded at the first start"),
        Err(error) => Check::bad(NAME, error.to_string(), format!("correct {BINARIES_VARIABLE}, or unset it")),
    }
}

fn compiler() -> Check {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|dir| dir.join("cc")).find(|cc| cc.is_file());
    let missing = || "there is no cc; it is needed to build, not to run".to_owned();
    Check::good("C compiler", found.map_or_else(missing, |cc| cc.display().to_string()))
}

fn data_dir(dir: &Path) -> Check {
    const NAME: &str = "data directory";
    let existing = nearest_existing(dir);
    if let Err(error) = rustix::fs::access(&existing, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK) {
        let detail = format!("{} cannot be written to: {error}", existing.display());
        return Check::bad(NAME, detail, "choose another place (--data-dir)");
    }
    match Account::for_postgres() {
        Err(error) => Check::bad(NAME, error.to_string(), "add an account 'postgres', or do not run as root"),
        Ok(Some(account)) if let Some(barred) = account.barred_at(&existing) => {
            let detail = format!("PostgreSQL runs as '{}', who may not enter {}", account.name, barred.display());
            Check::bad(NAME, detail, format!("choose another place (--data-dir), or chmod o+x {}", barred.display()))
        }
        Ok(_) => Check::good(NAME, dir.display().to_string()),
    }
}

fn ports(spec: &Spec, runs: bool) -> Check {
    const NAME: &str = "ports";
    if runs {
        return Check::good(NAME, "in use by this cluster, which is running");
    }
    if spec.any_port {
        return Check::good(NAME, "free ones are chosen");
    }
    let taken: Vec<_> = spec.ports.taken(|process| spec.is_ours(process)).iter().map(Taken::to_string).collect();
    if taken.is_empty() {
        Check::good(NAME, "all are free")
    } else {
        let detail = format!("taken: {}", taken.join(", "));
        Check::bad(NAME, detail, "free them, choose others, or let free ones be chosen (--any-port)")
    }
}

fn disk_space(dir: &Path) -> Check {
    const NAME: &str = "disk space";
    let existing = nearest_existing(dir);
    match rustix::fs::statvfs(&existing).map_err(io::Error::from) {
        Ok(found) => {
            let free = found.f_bavail.saturating_mul(found.f_frsize);
            let detail = format!("{} MiB are free", free >> 20);
            if free >= FREE_BYTES_MIN {
                Check::good(NAME, detail)
            } else {
                Check::bad(NAME, detail, format!("make room: {} MiB are needed", FREE_BYTES_MIN >> 20))
            }
        }
        Err(error) => Check::bad(NAME, format!("{}: {error}", existing.display()), "choose another place (--data-dir)"),
    }
}

fn open_files() -> Check {
    const NAME: &str = "open files";
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < OPEN_FILES_MIN => {
            let remedy = format!("raise the limit (ulimit -n {OPEN_FILES_MIN})");
            Check::bad(NAME, format!("at most {limit} for a process"), remedy)
        }
        Some(limit) => Check::good(NAME, format!("at most {limit} for a process")),
        None => Check::good(NAME, "no limit"),
    }
}

async fn supervisor(dir: &Path, runs: bool) -> Check {
    const NAME: &str = "supervisor";
    if !runs {
        return Check::good(NAME, "none is running here");
    }
    match control::request(dir, Request::Status).await {
        Ok(Response::Status(status)) if status.healthy => Check::good(NAME, "it answers, and everything is ready"),
        Ok(Response::Status(status)) => {
            let not_ready = status.processes.iter().filter(|process| process.state != crate::State::Ready);
            let names: Vec<_> = not_ready.map(|process| process.name.as_str()).collect();
            let logs = Layout::at(dir).dir().join("logs");
            Check::bad(NAME, format!("not ready: {}", names.join(", ")), format!("see {}", logs.display()))
        }
        Ok(_) => Check::bad(NAME, "it answers something else", "stop it with the version that started it"),
        Err(error) => Check::bad(NAME, crate::report(&error), "stop it and start the cluster again"),
    }
}

/// The directory itself, or what of the way to it there is.
fn nearest_existing(dir: &Path) -> PathBuf {
    let absolute = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let existing = absolute.ancestors().find(|path| fs::metadata(path).is_ok());
    existing.unwrap_or(Path::new("/")).to_owned()
}
