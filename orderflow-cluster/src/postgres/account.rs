//! As whom PostgreSQL runs. It refuses to run as root, so root starts it as somebody else.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Accounts that may serve, the better one first: the distributions' own, and the one that is everywhere.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// An account of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Account {
    /// The account to run PostgreSQL as; `None` is our own, which will do unless we are root.
    pub(crate) fn for_postgres() -> io::Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let passwd = fs::read_to_string("/etc/passwd")?;
        let found = CANDIDATES.iter().find_map(|name| find(&passwd, name));
        let missing = || io::Error::new(io::ErrorKind::NotFound, "/etc/passwd has neither 'postgres' nor 'nobody'");
        found.ok_or_else(missing).map(Some)
    }

    /// The first directory on the way to `path`, itself included, that this account cannot go through.
    ///
    /// Only the permission bits are looked at, not access lists. What does not exist yet is no hindrance.
    pub(crate) fn barred_at(&self, path: &Path) -> Option<PathBuf> {
        let mut way: Vec<&Path> = path.ancestors().collect();
        way.reverse();
        let barred = way.into_iter().find(|dir| fs::metadata(dir).is_ok_and(|found| !self.may_enter(&found)));
        barred.map(Path::to_owned)
    }

    fn may_enter(&self, dir: &fs::Metadata) -> bool {
        let shift = match () {
            () if dir.uid() == self.uid => 6,
            () if dir.gid() == self.gid => 3,
            () => 0,
        };
        dir.mode() >> shift & 1 == 1
    }
}

fn find(passwd: &str, name: &str) -> Option<Account> {
    let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut numbers = line.split(':').skip(2).map_while(|field| field.parse().ok());
    Some(Account { name: name.to_owned(), uid: numbers.next()?, gid: numbers.next()? })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let passwd = "postgres2:x:1:1::/:/bin/sh\npostgres:x:101:104:PostgreSQL,,,:/var/lib:/bin/sh\nbad:x:y:z\n";
        assert_eq!(find(passwd, "postgres"), Some(Account { name: "postgres".into(), uid: 101, gid: 104 }));
        assert_eq!(find(passwd, "bad"), None);
        assert_eq!(find(passwd, "nobody"), None);
    }

    #[test]
    fn the_barred_directory_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let stranger = Account { name: "stranger".into(), uid: 54_321, gid: 54_321 };
        let inner = dir.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(stranger.barred_at(&inner), Some(dir.path().to_owned()));
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).unwrap();
        assert_eq!(stranger.barred_at(&inner), None);
    }
}
