//! One line of text that a person writes.

use ratatui::{
    Frame,
    layout::{Position, Rect},
    style::Style,
    text::Line,
};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::{input::Edit, theme::Theme};

/// Longest text, in letters.
const LETTERS_MAX: usize = 200;

/// One line of text and its cursor. It may be a password: it has no `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Field {
    /// As people see letters: one that takes several code points is one.
    letters: Vec<String>,
    cursor: usize,
    masked: bool,
    letters_max: Option<usize>,
}

impl Field {
    /// A field with this text in it, and the cursor behind it.
    pub fn with(text: &str) -> Self {
        let mut field = Self::default();
        field.set(text);
        field
    }

    /// A field that shows dots.
    pub fn masked() -> Self {
        Self { masked: true, ..Self::default() }
    }

    /// The same field, which takes no more than so many letters.
    #[must_use]
    pub const fn at_most(mut self, letters: usize) -> Self {
        self.letters_max = Some(letters);
        self
    }

    /// What stands in it.
    pub fn text(&self) -> String {
        self.letters.concat()
    }

    /// Whether nothing stands in it.
    pub const fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    /// Other text, with the cursor behind it.
    pub fn set(&mut self, text: &str) {
        self.letters.clear();
        self.cursor = 0;
        self.insert(text);
    }

    /// What a person does to it. Whether it was changed.
    pub fn edit(&mut self, edit: &Edit) -> bool {
        let before = (self.letters.len(), self.cursor);
        match edit {
            Edit::Insert(c) => self.insert(c.encode_utf8(&mut [0; 4])),
            Edit::Paste(text) => self.insert(text),
            Edit::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.letters.remove(self.cursor);
            }
            Edit::Delete if self.cursor < self.letters.len() => drop(self.letters.remove(self.cursor)),
            Edit::DeleteWord => self.delete_word(),
            Edit::Clear => {
                self.letters.clear();
                self.cursor = 0;
            }
            Edit::Left => self.cursor = self.cursor.saturating_sub(1),
            Edit::Right => self.cursor = (self.cursor + 1).min(self.letters.len()),
            Edit::Home => self.cursor = 0,
            Edit::End => self.cursor = self.letters.len(),
            Edit::Backspace | Edit::Delete => {}
        }
        before != (self.letters.len(), self.cursor)
    }

    /// Line breaks and other control characters become blanks: pasted text is text and nothing else.
    fn insert(&mut self, text: &str) {
        let text = crate::text::plain(text.trim_end_matches(['\r', '\n']));
        let room = self.letters_max.unwrap_or(LETTERS_MAX).saturating_sub(self.letters.len());
        let new: Vec<String> = text.graphemes(true).take(room).map(str::to_owned).collect();
        let count = new.len();
        self.letters.splice(self.cursor..self.cursor, new);
        self.cursor += count;
    }

    fn delete_word(&mut self) {
        let is_blank = |letter: &String| letter.trim().is_empty();
        let end = self.cursor;
        while self.cursor > 0 && is_blank(&self.letters[self.cursor - 1]) {
            self.cursor -= 1;
        }
        while self.cursor > 0 && !is_blank(&self.letters[self.cursor - 1]) {
            self.cursor -= 1;
        }
        self.letters.drain(self.cursor..end);
    }

    /// As it is shown: dots if it is masked.
    fn shown(&self, letters: &[String]) -> String {
        if self.masked { "•".repeat(letters.len()) } else { letters.concat() }
    }

    /// Draws it in one line; with the focus, the terminal's cursor stands in it.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, focused: bool, theme: &Theme) {
        let style = if focused { theme.field_focus } else { theme.field };
        self.draw_styled(frame, area, focused, style);
    }

    /// The same in another style.
    pub fn draw_styled(&self, frame: &mut Frame<'_>, area: Rect, focused: bool, style: Style) {
        let area = Rect { height: area.height.min(1), ..area };
        if area.is_empty() {
            return;
        }
        let room = usize::from(area.width);
        // Scrolled so that the cursor is seen.
        let mut first = 0;
        while self.shown(&self.letters[first..self.cursor]).width() >= room && first < self.cursor {
            first += 1;
        }
        let mut last = self.letters.len();
        while self.shown(&self.letters[first..last]).width() > room {
            last -= 1;
        }
        frame.buffer_mut().set_style(area, style);
        frame.render_widget(Line::from(self.shown(&self.letters[first..last])), area);
        if focused {
            let column = self.shown(&self.letters[first..self.cursor]).width();
            let x = area.x.saturating_add(u16::try_from(column).unwrap_or(u16::MAX)).min(area.right() - 1);
            frame.set_cursor_position(Position::new(x, area.y));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_written_and_mended() {
        let mut field = Field::with("red widget");
        field.edit(&Edit::DeleteWord);
        assert_eq!(field.text(), "red ");
        for edit in [Edit::Home, Edit::Right, Edit::Delete, Edit::Insert('u'), Edit::End, Edit::Backspace] {
            assert!(field.edit(&edit));
        }
        assert_eq!(field.text(), "rud");
        assert!(!field.edit(&Edit::End) && !field.edit(&Edit::Delete));
        field.edit(&Edit::Clear);
        assert!(field.is_empty());
    }

    #[test]
    fn what_is_pasted_is_text_and_has_an_end() {
        let mut field = Field::default().at_most(6);
        field.edit(&Edit::Paste("ab\ncd\r\n".into()));
        assert_eq!(field.text(), "ab cd");
        field.edit(&Edit::Paste("xyz".into()));
        assert_eq!(field.text(), "ab cdx");
    }

    #[test]
    fn one_letter_is_what_people_see_as_one() {
        let mut field = Field::with("e\u{301}🇨🇭");
        field.edit(&Edit::Backspace);
        assert_eq!(field.text(), "e\u{301}");
        field.edit(&Edit::Backspace);
        assert!(field.is_empty());
    }
}
