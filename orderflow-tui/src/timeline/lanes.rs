//! The lanes: each event a node in the lane of its service, with an arrow from where it came.
//!
//! ```text
//!   since    hop   people     orders       inventory   payments
//!  +12.3s          seller ───▶▸ confirming │           │         the seller will deliver 2 × Widget
//!  +12.4s   87ms              ├───────────▶✓ reserved  │         held until 10:56:10 UTC
//! ```

use orderflow_client::{
    saga_view::{Ahead, Lane, Mark, Row},
    view::{self, Tone},
    why::span,
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::rail::Rail;
use crate::{text, theme::Theme};

/// Narrower places have a list in their stead.
pub const WIDTH_MIN: u16 = 70;
/// From here on a person's wish has a word.
const PEOPLE_WITH_WISH: u16 = 20;

/// `+59.9s`, and the time since what led to it: `29m12s`.
const SINCE: u16 = 7;
const HOP: u16 = 6;
/// What stands beside the rows of a branch, and where the first lane begins behind it.
const RAIL: u16 = SINCE + HOP + 2;
const FIRST_LANE: u16 = RAIL + 2;
/// The least that each lane needs, and the most that it gets: its longest word with its sign, and room for an arrow.
const LANES: [(u16, u16); 4] = [(11, 22), (13, 20), (12, 18), (11, 14)];
/// Columns that the text has before lanes get wider.
const TEXT_FIRST: u16 = 34;
/// Less text beside marks says nothing.
const TEXT_BESIDE_MARKS: usize = 14;

/// Where everything stands in a line, from the left side of the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    lanes: [u16; 4],
    text: u16,
    width: u16,
}

impl Columns {
    /// For a place of this width.
    pub fn of(width: u16) -> Self {
        let least: u16 = FIRST_LANE + LANES.iter().map(|(least, _)| least).sum::<u16>();
        let mut spare = width.saturating_sub(least + TEXT_FIRST);
        let mut x = FIRST_LANE;
        let mut lanes = [0; 4];
        for (index, (place, (least, most))) in lanes.iter_mut().zip(LANES).enumerate() {
            *place = x;
            let left = u16::try_from(LANES.len() - index).unwrap_or(1);
            let more = (spare / left / 2).min(most - least);
            spare -= more;
            x += least + more;
        }
        Self { lanes, text: x, width }
    }

    const fn lane(&self, lane: Lane) -> u16 {
        let [people, orders, inventory, payments] = self.lanes;
        match lane {
            Lane::People => people,
            Lane::Orders => orders,
            Lane::Inventory => inventory,
            Lane::Payments => payments,
        }
    }
}

/// Draws lines of lanes at one place.
pub struct Lanes<'a> {
    /// Where everything stands.
    pub columns: Columns,
    /// The styles.
    pub theme: &'a Theme,
}

impl Lanes<'_> {
    /// The names above the lanes.
    pub fn head(&self, buffer: &mut Buffer, line: Rect) {
        let style = self.theme.muted;
        put(buffer, line, SINCE - 5, "since", style);
        put(buffer, line, SINCE + 1 + HOP - 3, "hop", style);
        for lane in Lane::ALL {
            put(buffer, line, self.columns.lane(lane), lane.name(), style);
        }
    }

    /// An event. `rail` is what stands beside the rows of a branch.
    pub fn row(&self, buffer: &mut Buffer, line: Rect, row: &Row, rail: Rail, is_new: bool) {
        let theme = self.theme;
        let since = format!("+{}", span(row.line.elapsed_ms));
        put_right(buffer, line, 0, SINCE, &since, theme.muted);
        if let Some(ms) = row.hop_ms {
            let style = if ms >= 1_000 { theme.warn } else { on_any_ground(theme.text) };
            put_right(buffer, line, SINCE + 1, HOP, &span(ms), style);
        }
        put(buffer, line, RAIL, rail.sign(), theme.back);
        self.lifelines(buffer, line, row.lane);
        self.arrow(buffer, line, row);
        let style = bold_if(on_any_ground(theme.tone(row.line.what.tone)), is_new);
        let node = format!("{} {}", row.line.what.tone.glyph(), row.line.what.word);
        put(buffer, line, self.columns.lane(row.lane), &node, style);
        self.words(buffer, line, row, is_new);
    }

    /// A step that is still to come.
    pub fn ahead(&self, buffer: &mut Buffer, line: Rect, ahead: &Ahead) {
        let theme = self.theme;
        self.lifelines(buffer, line, ahead.lane);
        let style = if ahead.due { theme.warn } else { theme.muted };
        if ahead.due {
            put_right(buffer, line, 0, SINCE, "next", style);
        }
        if Lane::of(&ahead.who) == Lane::People && ahead.lane != Lane::People {
            put(buffer, line, self.columns.lane(Lane::People), &ahead.who, style);
        }
        let word = ahead.what.map_or("", |what| what.word);
        put(buffer, line, self.columns.lane(ahead.lane), format!("○ {word}").trim_end(), style);
        put(buffer, line, self.columns.text, &text::cut(&text::plain(&ahead.text), self.room(line)), style);
    }

    fn room(&self, line: Rect) -> usize {
        usize::from(self.columns.width.min(line.width).saturating_sub(self.columns.text))
    }

    /// Where there is no node.
    fn lifelines(&self, buffer: &mut Buffer, line: Rect, node: Lane) {
        for lane in [Lane::Orders, Lane::Inventory, Lane::Payments].into_iter().filter(|lane| *lane != node) {
            put(buffer, line, self.columns.lane(lane), "│", self.theme.border);
        }
    }

    /// From what led to the event to its node.
    fn arrow(&self, buffer: &mut Buffer, line: Rect, row: &Row) {
        let Some(from) = row.from else { return };
        let (theme, to) = (self.theme, self.columns.lane(row.lane));
        let style = if row.in_branch { theme.back } else { theme.muted };
        let dash = if row.in_branch { "╌" } else { "─" };
        let mut begin = self.columns.lane(from);
        if let Some(who) = row.by {
            let who = self.person(row, who);
            put(buffer, line, begin, &who, person_style(row, theme));
            begin += u16::try_from(text::width(&who)).unwrap_or(0) + 1;
        } else if from != row.lane {
            put(buffer, line, begin, if begin < to { "├" } else { "┤" }, style);
        }
        if begin < to {
            let begin = if row.by.is_some() { begin } else { begin + 1 };
            (begin..to - 1).for_each(|x| put(buffer, line, x, dash, style));
            put(buffer, line, to - 1, "▶", style);
        } else if begin > to {
            let node = 2 + u16::try_from(row.line.what.word.len()).unwrap_or(0);
            let head = to + node + 1;
            put(buffer, line, head, "◀", style);
            (head + 1..begin).for_each(|x| put(buffer, line, x, dash, style));
        }
    }

    /// `customer`, and where there is room what they did: `customer pays`.
    fn person(&self, row: &Row, who: &str) -> String {
        let room = self.columns.lane(Lane::Orders) - self.columns.lane(Lane::People);
        let wish = view::wish(&row.line.event);
        if room >= PEOPLE_WITH_WISH && wish.len() < 9 { format!("{who} {wish}") } else { who.to_owned() }
    }

    /// What there is to say about it, and at the right side what was survived or is in the way: that is worth more.
    fn words(&self, buffer: &mut Buffer, line: Rect, row: &Row, is_new: bool) {
        let room = self.room(line);
        let marks = fitting(&row.marks, is_new, room, self.theme);
        let wide: usize = marks.iter().map(|(words, _)| text::width(words) + 1).sum();
        let left = room.saturating_sub(wide);
        if marks.is_empty() || left >= TEXT_BESIDE_MARKS {
            let words = text::cut(&text::plain(&row.line.text), left);
            put(buffer, line, self.columns.text, &words, bold_if(on_any_ground(self.theme.text), is_new));
        }
        let is_alone = left < TEXT_BESIDE_MARKS;
        let mut x = self.columns.text + u16::try_from(if is_alone { 0 } else { left + 1 }).unwrap_or(0);
        for (words, style) in marks {
            put(buffer, line, x, &words, style);
            x += u16::try_from(text::width(&words)).unwrap_or(0) + 1;
        }
    }
}

/// Marks in words where there is room for words, and as many as there is room for.
fn fitting(marks: &[Mark], is_new: bool, room: usize, theme: &Theme) -> Vec<(String, Style)> {
    let of = |is_tight: bool| {
        let mut all: Vec<(String, Style)> = marks.iter().map(|mark| mark_text(mark, is_tight, theme)).collect();
        if is_new {
            all.push(("◂ new".to_owned(), theme.accent));
        }
        all
    };
    let wide = |all: &[(String, Style)]| all.iter().map(|(words, _)| text::width(words) + 1).sum::<usize>();
    let mut fitting = of(false);
    if wide(&fitting) > room + 1 {
        fitting = of(true);
    }
    while wide(&fitting) > room + 1 {
        fitting.remove(0);
    }
    fitting
}

/// The same event where there is no room for lanes: time, service, sign and word, text.
pub fn plain_row(buffer: &mut Buffer, line: Rect, row: &Row, rail: Rail, is_new: bool, theme: &Theme) {
    put_right(buffer, line, 0, SINCE, &format!("+{}", span(row.line.elapsed_ms)), theme.muted);
    put(buffer, line, SINCE, rail.sign(), theme.back);
    put(buffer, line, SINCE + 1, &text::plain(&row.line.service), theme.muted);
    let tone = row.line.what.tone;
    let style = bold_if(on_any_ground(theme.tone(tone)), is_new);
    put(buffer, line, PLAIN_NODE, &format!("{} {}", tone.glyph(), row.line.what.word), style);
    let room = usize::from(line.width.saturating_sub(PLAIN_TEXT));
    let mark = row.marks.first().map(|mark| mark_text(mark, true, theme));
    let (words, style) = match mark {
        _ if is_new => ("◂ new".to_owned(), theme.accent),
        Some(mark) => mark,
        None => (text::plain(&row.line.text), on_any_ground(theme.text)),
    };
    if room >= 3 {
        put(buffer, line, PLAIN_TEXT, &text::cut(&words, room), style);
    }
}

/// The same for a step that is still to come.
pub fn plain_ahead(buffer: &mut Buffer, line: Rect, ahead: &Ahead, theme: &Theme) {
    let style = if ahead.due { theme.warn } else { theme.muted };
    if ahead.due {
        put_right(buffer, line, 0, SINCE, "next", style);
    }
    put(buffer, line, SINCE + 1, &text::plain(&ahead.who), style);
    let word = ahead.what.map_or("", |what| what.word);
    put(buffer, line, PLAIN_NODE, format!("○ {word}").trim_end(), style);
    let room = usize::from(line.width.saturating_sub(PLAIN_TEXT));
    if room >= 3 {
        put(buffer, line, PLAIN_TEXT, &text::cut(&text::plain(&ahead.text), room), style);
    }
}

const PLAIN_NODE: u16 = SINCE + 1 + 10;
const PLAIN_TEXT: u16 = PLAIN_NODE + 13;

fn mark_text(mark: &Mark, is_tight: bool, theme: &Theme) -> (String, Style) {
    let style = match mark {
        Mark::Unpublished | Mark::NotApplied(_) => theme.warn,
        mark => theme.tone(mark.tone()),
    };
    (text::plain(&if is_tight { mark.short() } else { mark.words() }), style)
}

fn person_style(row: &Row, theme: &Theme) -> Style {
    match row.by {
        Some("customer") => theme.customer,
        Some(_) => theme.seller,
        None if row.line.what.tone == Tone::Compensation => theme.back,
        None => theme.muted,
    }
}

/// The chosen row has a ground of its own.
fn on_any_ground(style: Style) -> Style {
    Style { bg: None, ..style }
}

fn bold_if(style: Style, it_is: bool) -> Style {
    if it_is { style.add_modifier(ratatui::style::Modifier::BOLD) } else { style }
}

/// Letters at a column of the line, as far as it goes.
fn put(buffer: &mut Buffer, line: Rect, x: u16, letters: &str, style: Style) {
    if x < line.width && line.height > 0 {
        buffer.set_stringn(line.x + x, line.y, letters, usize::from(line.width - x), style);
    }
}

fn put_right(buffer: &mut Buffer, line: Rect, x: u16, width: u16, letters: &str, style: Style) {
    let wide = u16::try_from(text::width(letters)).unwrap_or(width);
    put(buffer, line, x + width.saturating_sub(wide), letters, style);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_get_wider_with_the_place_and_leave_room_for_the_text() {
        for width in WIDTH_MIN..220 {
            let columns = Columns::of(width);
            assert!(columns.text < width, "{width}: {columns:?}");
            for (index, (least, most)) in LANES.iter().enumerate() {
                let end = columns.lanes.get(index + 1).copied().unwrap_or(columns.text);
                let wide = end - columns.lanes[index];
                assert!((*least..=*most).contains(&wide), "{width}: {columns:?}");
            }
        }
        assert!(200 - Columns::of(200).text > 100);
    }
}
