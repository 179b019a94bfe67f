//! What the seller's screens draw alike.

use orderflow_contracts::timestamp::Timestamp;
use ratatui::{layout::Rect, text::Line};

use crate::{cx::Show, text, theme::Theme};

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

/// How many a search has found, beside it.
pub fn found(many: usize, theme: &Theme) -> Line<'static> {
    Line::styled(format!("{many} found"), theme.muted)
}
