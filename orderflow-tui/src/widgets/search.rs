//! A search that narrows a list while it is written: one line above the list, and the same keys everywhere.

use ratatui::{
    Frame,
    layout::{Alignment, Rect},
    text::{Line, Span},
};

use super::{Field, Pick};
use crate::{
    input::Edit,
    keys::{self, Action, Binding, Scope},
    theme::Theme,
};

/// The keys while one types. Those of lists come behind it.
pub const SEARCHING: Scope = Scope("search");

/// What they do.
pub const BINDINGS: &[Binding] = &[
    Binding::new(SEARCHING, keys::OPEN, &["enter"], "keep", "keep what was found, and go on in the list"),
    Binding::new(SEARCHING, keys::BACK, &["esc"], "clear", "take the search away"),
];

/// Columns that one types in at least; what stands beside it goes before.
const FIELD_MIN: u16 = 16;
/// Columns that one types in at most.
const FIELD_MAX: u16 = 40;

/// What is searched for, and whether it is being written.
#[derive(Clone, Default)]
pub struct Search {
    field: Field,
    is_open: bool,
    needle: String,
}

impl Search {
    /// Whether letters go here.
    pub const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether something is searched for, or about to be.
    pub const fn is_shown(&self) -> bool {
        self.is_open || !self.field.is_empty()
    }

    /// What is searched for, in small letters; empty if nothing is.
    pub fn needle(&self) -> &str {
        &self.needle
    }

    /// The words that all have to be there, in small letters.
    pub fn words(&self) -> Vec<String> {
        self.needle.split_whitespace().map(str::to_owned).collect()
    }

    /// What was typed, as it was.
    pub fn text(&self) -> String {
        self.field.text()
    }

    /// Somebody types. Whether what is searched for has changed.
    pub fn edit(&mut self, edit: &Edit) -> bool {
        let changed = self.field.edit(edit);
        if changed {
            self.needle = self.field.text().trim().to_lowercase();
        }
        changed
    }

    /// Searches for nothing. Whether that is another thing than before.
    pub fn clear(&mut self) -> bool {
        let changed = !self.needle.is_empty();
        *self = Self::default();
        changed
    }

    /// What a key does to it; nothing if it is no key of a search. `Some(true)` if what is searched for has changed.
    pub fn act(&mut self, action: Action) -> Option<bool> {
        match action {
            keys::SEARCH => self.is_open = true,
            keys::OPEN if self.is_open => self.is_open = false,
            keys::BACK if self.is_shown() => return Some(self.clear()),
            _ => return None,
        }
        Some(false)
    }

    /// The same over a list: what was found stays chosen when the search is taken away.
    pub fn act_over<I: Copy + PartialEq>(&mut self, action: Action, pick: &mut Pick<I>, rows: &[I]) -> Option<bool> {
        let changed = self.act(action)?;
        if changed {
            pick.hold(rows);
        }
        Some(changed)
    }

    /// Draws it in one line: `/ text`, or how to begin, with something at its right end if there is room.
    pub fn draw(&self, frame: &mut Frame<'_>, line: Rect, right: Line<'static>, focused: bool, theme: &Theme) {
        let long = u16::try_from(right.width()).unwrap_or(u16::MAX);
        let long = if long == 0 { 0 } else { long.saturating_add(1) };
        let long = if line.width > long.saturating_add(FIELD_MIN) { long } else { 0 };
        let [sign, field, end] = [
            Rect { width: line.width.min(2), ..line },
            Rect { x: line.x + line.width.min(2), width: line.width.saturating_sub(2 + long).min(FIELD_MAX), ..line },
            Rect { x: line.right() - long, width: long, ..line },
        ];
        frame.render_widget(Span::styled("/ ", theme.accent), sign);
        if self.is_shown() {
            self.field.draw(frame, field, focused && self.is_open, theme);
        } else {
            frame.render_widget(Span::styled("search", theme.muted), field);
        }
        frame.render_widget(right.alignment(Alignment::Right), end);
    }
}

/// Whether a text, in small letters, has all words in it.
pub fn has_all(text: &str, words: &[String]) -> bool {
    words.iter().all(|word| text.contains(word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_opened_kept_and_taken_away() {
        let mut search = Search::default();
        assert_eq!((search.act(keys::OPEN), search.act(keys::BACK)), (None, None), "they are the list's");
        assert_eq!(search.act(keys::SEARCH), Some(false));
        assert!(search.edit(&Edit::Paste(" Red  Mug ".into())) && search.is_open());
        assert_eq!((search.needle(), search.words()), ("red  mug", vec!["red".to_owned(), "mug".to_owned()]));
        assert!(has_all("a mug, red", &search.words()) && !has_all("a mug", &search.words()));
        assert_eq!(search.act(keys::OPEN), Some(false));
        assert!(search.is_shown() && !search.is_open());
        assert_eq!((search.act(keys::BACK), search.act(keys::BACK)), (Some(true), None));
        assert!(!search.is_shown() && search.words().is_empty());
    }
}
