//! A list that could not be read says so above it, at every desk.

use ratatui::{Frame, layout::Rect};

use crate::{books::Part, cx::Show, keys, text, widgets::frames};

/// A line that says so if a list could not be read, or not all of it is kept; what is left is given back.
pub fn unread(frame: &mut Frame<'_>, area: Rect, part: &Part, what: &str, show: &Show<'_>) -> Rect {
    let theme = show.theme;
    let (told, style) = match part {
        Part::Failed { why, read_at } => {
            let as_of = read_at.map(|at| format!(", as of {}", text::clock(at))).unwrap_or_default();
            let key = show.keys.key_in(keys::EVERYWHERE, keys::REFRESH);
            let again = key.map(|key| format!("; {key} tries again")).unwrap_or_default();
            (format!("✗ {what} cannot be read{as_of}: {}{again}", why), theme.bad)
        }
        Part::Read { more: true, .. } => (format!(" only the newest {what} are shown"), theme.muted),
        Part::Read { more: false, .. } | Part::Loading => return area,
    };
    frames::told(frame, area, &told, style)
}
