//! Searching as you type: one field above a list.

use ratatui::{
    Frame,
    layout::{Alignment, Rect},
    text::{Line, Span},
};

use crate::{
    input::Edit,
    keys::{self, Action, Scope},
    theme::Theme,
    widgets::Field,
};

/// The keys while one types.
pub const SEARCHING: Scope = Scope("search");

/// What is searched for.
#[derive(Clone, Default)]
pub struct Search {
    field: Field,
    is_open: bool,
    needle: String,
}

impl Search {
    /// Whether one types in it.
    pub const fn is_open(&self) -> bool {
        self.is_open
    }

    /// What is searched for, in small letters; empty if nothing is.
    pub fn needle(&self) -> &str {
        &self.needle
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

    /// What a key does to it; nothing if it is no key of a search. `Some(true)` if what is searched for has changed.
    pub fn act(&mut self, action: Action) -> Option<bool> {
        match action {
            keys::SEARCH => self.is_open = true,
            keys::OPEN if self.is_open => self.is_open = false,
            keys::BACK if self.is_open || !self.field.is_empty() => {
                self.is_open = false;
                let changed = !self.needle.is_empty();
                self.field.set("");
                self.needle.clear();
                return Some(changed);
            }
            _ => return None,
        }
        Some(false)
    }

    /// Whether something is searched for, or about to be.
    pub fn is_shown(&self) -> bool {
        self.is_open || !self.field.is_empty()
    }

    /// Draws it in one line: `/ text`, with something at its right end if there is room.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, right: Line<'static>, focused: bool, theme: &Theme) {
        let long = u16::try_from(right.width()).unwrap_or(u16::MAX).saturating_add(1);
        let long = if area.width > long.saturating_add(FIELD_MIN) { long } else { 0 };
        let [sign, field, end] = [
            Rect { width: area.width.min(2), ..area },
            Rect { x: area.x + area.width.min(2), width: area.width.saturating_sub(2 + long), ..area },
            Rect { x: area.right() - long, width: long, ..area },
        ];
        frame.render_widget(Span::styled("/ ", theme.accent), sign);
        if self.is_open {
            self.field.draw(frame, field, focused, theme);
        } else {
            frame.render_widget(Line::styled(self.field.text(), theme.text), field);
        }
        frame.render_widget(right.alignment(Alignment::Right), end);
    }
}

/// Columns that one types in at least; what stands beside it goes before.
const FIELD_MIN: u16 = 16;
