//! A search that narrows a list while it is written.

use ratatui::{Frame, layout::Rect, text::Span};

use crate::{
    input::Edit,
    keys::{self, Action},
    theme::Theme,
    widgets::Field,
};

/// What is searched for, and whether it is being written.
#[derive(Default)]
pub struct Search {
    field: Field,
    open: bool,
}

impl Search {
    /// Whether letters go here.
    pub const fn is_open(&self) -> bool {
        self.open
    }

    /// Whether it takes a line.
    pub const fn is_shown(&self) -> bool {
        self.open || !self.field.is_empty()
    }

    /// A key. Whether it was for the search.
    pub fn act(&mut self, action: Action) -> bool {
        match action {
            keys::SEARCH => self.open = true,
            keys::SUBMIT if self.open => self.open = false,
            keys::BACK if self.is_shown() => *self = Self::default(),
            _ => return false,
        }
        true
    }

    /// Somebody writes.
    pub fn edit(&mut self, edit: &Edit) {
        self.field.edit(edit);
    }

    /// The words that all have to be there, in small letters.
    pub fn words(&self) -> Vec<String> {
        self.field.text().to_lowercase().split_whitespace().map(str::to_owned).collect()
    }

    /// Draws it in one line, with how many were found.
    pub fn draw(&self, frame: &mut Frame<'_>, line: Rect, found: usize, focused: bool, theme: &Theme) {
        let found = format!(" {found} found");
        let wide = u16::try_from(found.len()).unwrap_or(0).min(line.width.saturating_sub(12));
        frame.render_widget(Span::styled("/ ", theme.accent), Rect { width: line.width.min(2), ..line });
        let (x, room) = (line.x + line.width.min(2), line.width.saturating_sub(2 + wide));
        self.field.draw(frame, Rect { x, width: room, ..line }, focused && self.open, theme);
        frame.render_widget(Span::styled(found, theme.muted), Rect { x: x + room, width: wide, ..line });
    }
}

/// Whether a text, in small letters, has all words in it.
pub fn has_all(text: &str, words: &[String]) -> bool {
    words.iter().all(|word| text.contains(word.as_str()))
}
