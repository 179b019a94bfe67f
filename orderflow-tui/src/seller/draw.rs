//! What the seller's screens draw alike.

use orderflow_contracts::timestamp::Timestamp;
use ratatui::{Frame, layout::Rect, text::Line};

use crate::{books::Part, cx::Show, text, theme::Theme, widgets::frames};

/// With less time left, it is said in another colour.
const SOON_MS: i64 = 5 * 60_000;

/// A place at the right side, if there is room for it; what is left comes first.
pub fn beside(area: Rect, from: u16, width: u16) -> (Rect, Option<Rect>) {
    if area.width < from {
        return (area, None);
    }
    let list = Rect { width: area.width - width - 2, ..area };
    (list, Some(Rect { x: list.right() + 2, width, ..area }))
}

/// How much time is left: soon over, it stands out, and over it says so.
pub fn left(until: Timestamp, show: &Show<'_>) -> Line<'static> {
    match until.0.saturating_sub(show.now.0) {
        ..=0 => Line::styled("over", show.theme.bad),
        1..=SOON_MS => Line::styled(text::countdown(until, show.now), show.theme.warn),
        _ => Line::raw(text::countdown(until, show.now)),
    }
}

/// A line that says so if a list could not be read, or not all of it is kept; what is left is given back.
pub fn unread(frame: &mut Frame<'_>, area: Rect, part: &Part, what: &str, theme: &Theme) -> Rect {
    let told = match part {
        Part::Failed { why, read_at } => {
            let as_of = read_at.map(|at| format!(", as of {}", text::clock(at))).unwrap_or_default();
            Line::styled(format!("✗ {what} cannot be read{as_of}: {}; ctrl-r", text::plain(why)), theme.bad)
        }
        Part::Read { more: true, .. } => Line::styled(format!(" only the newest {what} are shown"), theme.muted),
        Part::Read { more: false, .. } | Part::Loading => return area,
    };
    let (line, rest) = frames::head(area, 1);
    frame.render_widget(told, line);
    rest
}

/// How many a search has found, beside it.
pub fn found(many: usize, theme: &Theme) -> Line<'static> {
    Line::styled(format!("{many} found"), theme.muted)
}
