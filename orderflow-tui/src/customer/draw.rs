//! What the customer's screens have in common.

use ratatui::{
    Frame,
    layout::{Alignment, Rect},
    text::Line,
    widgets::{Paragraph, Wrap},
};

use crate::{books::Part, cx::Show, text, widgets::frames};

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

/// A line that says so where a list could not be read again; what is left comes back.
pub fn trouble(frame: &mut Frame<'_>, area: Rect, part: &Part, show: &Show<'_>) -> Rect {
    let Part::Failed { why, read_at } = part else { return area };
    let (line, rest) = frames::head(area, 1);
    let as_of = read_at.map(|at| format!(", this is as of {}", text::clock(at))).unwrap_or_default();
    let words = format!("✗ could not be read{as_of}: {} · ctrl-r tries again", text::plain(why));
    frame.render_widget(Line::styled(words, show.theme.bad), line);
    rest
}
