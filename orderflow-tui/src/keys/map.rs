//! Which chord does what, with the user's own keys in place of ours.

use std::collections::{BTreeMap, HashMap};

use super::{Action, Binding, Chord, Scope, all};

/// The keys as they are now.
#[derive(Debug, Clone)]
pub struct KeyMap {
    by_chord: HashMap<(Scope, Chord), Action>,
    by_action: BTreeMap<(Scope, Action), Vec<Chord>>,
}

/// Keys in the configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadKeys {
    /// No such action.
    #[error("[keys] {0}: there is no such action; docs/CONSOLE.md lists them")]
    Action(String),
    /// Not a key.
    #[error("[keys] {0}: {1}")]
    Chord(String, super::chord::BadChord),
    /// Taken twice.
    #[error("[keys] {key} does {one} and {other} in {scope}")]
    Twice {
        /// The key.
        key: String,
        /// What it does.
        one: String,
        /// And what else.
        other: String,
        /// Where.
        scope: String,
    },
}

impl KeyMap {
    /// Our keys, and the user's own in their place: the name of an action, and its keys.
    pub fn new(own: &BTreeMap<String, Vec<String>>) -> Result<Self, BadKeys> {
        if let Some(name) = own.keys().find(|name| all().all(|binding| binding.action.0 != **name)) {
            return Err(BadKeys::Action(name.clone()));
        }
        let mut map = Self { by_chord: HashMap::new(), by_action: BTreeMap::new() };
        for binding in all() {
            let chords = match own.get(binding.action.0) {
                Some(keys) => parse(binding.action.0, keys.iter().map(String::as_str))?,
                None => parse(binding.action.0, binding.keys.iter().copied())?,
            };
            map.bind(binding, chords)?;
        }
        Ok(map)
    }

    fn bind(&mut self, binding: &Binding, chords: Vec<Chord>) -> Result<(), BadKeys> {
        for chord in &chords {
            if let Some(other) = self.by_chord.insert((binding.scope, *chord), binding.action) {
                let (one, other) = (binding.action.0.to_owned(), other.0.to_owned());
                return Err(BadKeys::Twice { key: chord.to_string(), one, other, scope: binding.scope.0.to_owned() });
            }
        }
        self.by_action.insert((binding.scope, binding.action), chords);
        Ok(())
    }

    /// What a chord does: in the innermost of the scopes in which it does anything.
    pub fn action(&self, scopes: &[Scope], chord: Chord) -> Option<Action> {
        scopes.iter().find_map(|scope| self.by_chord.get(&(*scope, chord)).copied())
    }

    /// The key that is shown for a binding.
    pub fn key_of(&self, binding: &Binding) -> Option<Chord> {
        self.keys_of(binding).first().copied()
    }

    /// The key that is shown for an action in a scope.
    pub fn key_in(&self, scope: Scope, action: Action) -> Option<Chord> {
        self.by_action.get(&(scope, action))?.first().copied()
    }

    /// All keys of a binding.
    pub fn keys_of(&self, binding: &Binding) -> &[Chord] {
        self.by_action.get(&(binding.scope, binding.action)).map_or(&[], Vec::as_slice)
    }
}

impl Default for KeyMap {
    fn default() -> Self {
        // Ours are right: a test looks at each of them.
        Self::new(&BTreeMap::new()).unwrap_or(Self { by_chord: HashMap::new(), by_action: BTreeMap::new() })
    }
}

fn parse<'a>(action: &str, keys: impl Iterator<Item = &'a str>) -> Result<Vec<Chord>, BadKeys> {
    keys.map(|key| key.parse().map_err(|error| BadKeys::Chord(action.to_owned(), error))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{EVERYWHERE, HELP, LIST, QUIT, UP};

    fn own(action: &str, keys: &[&str]) -> BTreeMap<String, Vec<String>> {
        BTreeMap::from([(action.to_owned(), keys.iter().map(|key| (*key).to_owned()).collect())])
    }

    #[test]
    fn the_innermost_scope_wins() {
        let map = KeyMap::new(&BTreeMap::new()).unwrap();
        let (k, q) = ("k".parse().unwrap(), "q".parse().unwrap());
        assert_eq!(map.action(&[LIST, EVERYWHERE], k), Some(UP));
        assert_eq!(map.action(&[EVERYWHERE], k), None);
        assert_eq!(map.action(&[LIST, EVERYWHERE], q), Some(QUIT));
    }

    #[test]
    fn ones_own_keys_take_the_place_of_ours() {
        let map = KeyMap::new(&own("help", &["f12"])).unwrap();
        assert_eq!(map.action(&[EVERYWHERE], "f12".parse().unwrap()), Some(HELP));
        assert_eq!(map.action(&[EVERYWHERE], "?".parse().unwrap()), None);
        assert!(matches!(KeyMap::new(&own("fly", &["x"])), Err(BadKeys::Action(_))));
        assert!(matches!(KeyMap::new(&own("help", &["xx"])), Err(BadKeys::Chord(..))));
        assert!(matches!(KeyMap::new(&own("help", &["q"])), Err(BadKeys::Twice { .. })));
    }
}
