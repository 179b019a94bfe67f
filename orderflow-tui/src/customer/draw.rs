//! What the customer's screens have in common.

use ratatui::{
    Frame,
    layout::{Alignment, Rect},
    text::Line,
    widgets::{Paragraph, Wrap},
};

use crate::{cx::Show, text, widgets::frames};

/// What stands where nothing is: what that means, and what to do.
pub fn empty(frame: &mut Frame<'_>, area: Rect, show: &Show<'_>, words: &[&str; 2]) {
    let lines = vec![
        Line::styled(text::plain(words[0]), show.theme.accent),
        Line::raw(""),
        Line::styled(text::plain(words[1]), show.theme.muted),
    ];
    let place = frames::centred(area, area.width.saturating_sub(4).min(64), 5);
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: true }).alignment(Alignment::Center), place);
}
