//! The user's own: theme, keys, mouse, and the layout that is remembered.
//!
//! `~/.config/orderflow/console.toml` is what people write; `console.state.toml` beside it is what the console remembers.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use orderflow_contracts::api::console::Role;
use serde::{Deserialize, Serialize};

use crate::{
    keys::{BadKeys, KeyMap},
    theme::ThemeName,
};

/// Largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// What people write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Which theme; that which was taken last if none is named.
    pub theme: Option<ThemeName>,
    /// Whether the mouse is on from the start.
    pub mouse: bool,
    /// Other keys: the name of an action, and its keys.
    pub keys: BTreeMap<String, Vec<String>>,
}

/// What the console remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// The theme that was taken last.
    pub theme: ThemeName,
    /// Whether all desks were side by side.
    pub split: bool,
    /// The desks that were open.
    pub desks: Vec<Role>,
    /// The lessons that are done, by their names.
    pub lessons_done: Vec<String>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{path} cannot be read: {why}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Its keys cannot be used.
    #[error("{path}: {source}")]
    Keys {
        /// The file.
        path: PathBuf,
        /// Why.
        source: BadKeys,
    },
}

impl Config {
    /// From a file; the defaults if there is none.
    pub fn load(path: &Path) -> Result<(Self, KeyMap), ConfigError> {
        let unreadable = |why: String| ConfigError::Unreadable { path: path.to_owned(), why };
        let config: Self = match read(path) {
            Ok(Some(text)) => toml::from_str(&text).map_err(|error| unreadable(error.message().to_owned()))?,
            Ok(None) => Self::default(),
            Err(error) => return Err(unreadable(error.to_string())),
        };
        let keys = KeyMap::new(&config.keys).map_err(|source| ConfigError::Keys { path: path.to_owned(), source })?;
        Ok((config, keys))
    }
}

impl Remembered {
    /// What was remembered; nothing if it cannot be read.
    pub fn load(path: &Path) -> Self {
        read(path).ok().flatten().and_then(|text| toml::from_str(&text).ok()).unwrap_or_default()
    }

    /// Remembers it, whole or not at all.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir)?;
        }
        let making = path.with_extension(format!("{}.tmp", std::process::id()));
        fs::write(&making, text)?;
        fs::rename(making, path)
    }
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        Ok(found) if found.len() > FILE_BYTES_MAX => Err(io::Error::other("it is too large")),
        Ok(_) => fs::read_to_string(path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_wrong_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("console.toml");
        assert_eq!(Config::load(&path).unwrap().0, Config::default());
        fs::write(&path, "theme = \"dark\"\n[keys]\nhelp = [\"f12\"]\n").unwrap();
        assert_eq!(Config::load(&path).unwrap().0.theme, Some(ThemeName::Dark));
        for (text, word) in
            [("themes = 1", "themes"), ("[keys]\nfly = [\"x\"]", "fly"), ("[keys]\nhelp = [\"xx\"]", "xx")]
        {
            fs::write(&path, text).unwrap();
            assert!(Config::load(&path).unwrap_err().to_string().contains(word), "{text}");
        }
    }

    #[test]
    fn the_layout_is_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/console.state.toml");
        assert_eq!(Remembered::load(&path), Remembered::default());
        let remembered = Remembered { split: true, desks: vec![Role::Seller], ..Remembered::default() };
        remembered.save(&path).unwrap();
        assert_eq!(Remembered::load(&path), remembered);
    }
}
