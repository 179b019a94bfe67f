//! A question before something is done that cannot be undone.

use ratatui::{
    Frame,
    layout::Rect,
    text::Line,
    widgets::{Paragraph, Wrap},
};

use crate::{msg::Effect, theme::Theme, widgets::frames};

/// A question, and what is done if the answer is yes.
#[derive(Clone)]
pub struct Confirm {
    /// What is asked, as `Cancel this order?`
    pub title: String,
    /// What will happen.
    pub text: String,
    /// What yes does.
    pub effects: Vec<Effect>,
}

impl Confirm {
    /// A question.
    pub fn new(title: impl Into<String>, text: impl Into<String>, effect: Effect) -> Self {
        Self { title: title.into(), text: text.into(), effects: vec![effect] }
    }

    /// Draws it in the middle.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let inside = frames::popup(frame, area, (56, 9), &self.title, theme);
        let (text, keys) = frames::foot(inside, 1);
        frame.render_widget(Paragraph::new(self.text.as_str()).wrap(Wrap { trim: true }), text);
        frame.render_widget(Line::styled("y yes · n no", theme.accent), keys);
    }
}
