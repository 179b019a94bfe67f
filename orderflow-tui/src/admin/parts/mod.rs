//! What several of the admin's screens are made of.

mod every;
mod sheet;

pub use self::{
    every::Every,
    sheet::{Row, Sheet, Tint, json_rows},
};

use orderflow_contracts::timestamp::Timestamp;
use ratatui::{Frame, layout::Rect, text::Line};

use crate::{
    books::Books,
    keys::{self, Scope},
    text,
    widgets::{Search, search::SEARCHING},
};

/// From this width on, a detail stands beside its list; in its place otherwise.
const BESIDE_FROM: u16 = 110;

/// What time it is on this machine: the services' clock may have been moved.
pub fn wall(now: Timestamp, books: &Books) -> Timestamp {
    Timestamp(now.0.saturating_sub(books.clock_ahead_ms))
}

/// Places for a list and, if it is open, the detail of one of its rows; the list has none where there is not room for
/// both.
pub fn beside(area: Rect, is_open: bool) -> (Option<Rect>, Option<Rect>) {
    if !is_open {
        return (Some(area), None);
    }
    if area.width < BESIDE_FROM {
        return (None, Some(area));
    }
    let list = Rect { width: area.width / 2, ..area };
    (Some(list), Some(Rect { x: list.right() + 1, width: area.width - list.width - 1, ..area }))
}

/// Where keys are looked up over a list with a search, of which a row may be open.
pub fn scopes(open: Option<&[Scope]>, search: &Search, list: Scope) -> Vec<Scope> {
    match open {
        Some(open) => open.to_vec(),
        None if search.is_open() => vec![SEARCHING, keys::LIST],
        None => vec![list, keys::LIST],
    }
}

/// A line with something at its right end, of which what has room is shown.
pub fn both_ends(frame: &mut Frame<'_>, area: Rect, left: Line<'static>, right: Line<'static>) {
    let left = text::cut_line(left, usize::from(area.width));
    let taken = u16::try_from(left.width()).unwrap_or(u16::MAX).saturating_add(2);
    frame.render_widget(left, area);
    let room = area.width.saturating_sub(taken);
    let wide = u16::try_from(right.width()).unwrap_or(u16::MAX).min(room);
    // A few letters say nothing.
    if wide >= u16::try_from(right.width()).unwrap_or(u16::MAX).min(WORTH_SHOWING) {
        let right = text::cut_line(right, usize::from(wide));
        frame.render_widget(right, Rect { x: area.right() - wide, width: wide, ..area });
    }
}

/// Columns below which what does not have room is left out.
const WORTH_SHOWING: u16 = 16;

/// `12 MB`.
pub fn bytes(bytes: u64) -> String {
    match bytes {
        ..1_048_576 => format!("{} kB", bytes / 1024),
        1_048_576..1_073_741_824 => format!("{} MB", bytes / 1_048_576),
        _ => format!("{}.{} GB", bytes >> 30, (bytes % (1 << 30)) * 10 / (1 << 30)),
    }
}
