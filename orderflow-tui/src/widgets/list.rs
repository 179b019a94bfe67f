//! A table of which only the rows that are seen are made: ten thousand cost what thirty do.

use orderflow_contracts::timestamp::Timestamp;
use ratatui::{
    Frame,
    layout::{Alignment, Position, Rect},
    style::Style,
    text::{Line, Span},
};

use crate::{
    keys::{self, Action},
    theme::Theme,
};

/// A column: its title, its width, and how much it is worth when there is not room for all.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// What stands above it.
    pub title: &'static str,
    /// Columns of the terminal.
    pub width: u16,
    /// Takes what is left over.
    pub grows: bool,
    /// To the right.
    pub right: bool,
    /// The smallest goes first where it is narrow; 9 stays.
    pub worth: u8,
}

impl Column {
    /// A column of a fixed width.
    pub const fn new(title: &'static str, width: u16, worth: u8) -> Self {
        Self { title, width, grows: false, right: false, worth }
    }

    /// The same, taking what is left over.
    #[must_use]
    pub const fn grows(mut self) -> Self {
        self.grows = true;
        self
    }

    /// The same, to the right: for numbers.
    #[must_use]
    pub const fn right(mut self) -> Self {
        self.right = true;
        self
    }
}

/// Which row is chosen, and which is the first that is seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListState {
    chosen: usize,
    first: usize,
    /// Where the rows were drawn, for clicks.
    rows: Rect,
    /// The row that was clicked at last, and when, if nothing else was chosen since.
    clicked: Option<(usize, Timestamp)>,
}

/// A second click so soon after the first one is meant for the same thing, in milliseconds.
const DOUBLE_CLICK_MS: i64 = 500;

/// Whether a click is the second one of two.
pub fn is_double(first: Timestamp, second: Timestamp) -> bool {
    (0..=DOUBLE_CLICK_MS).contains(&second.0.saturating_sub(first.0))
}

impl ListState {
    /// The chosen row, of so many; nothing if there is none.
    pub fn chosen(&self, len: usize) -> Option<usize> {
        (len > 0).then(|| self.chosen.min(len - 1))
    }

    /// Chooses a row.
    pub const fn choose(&mut self, row: usize) {
        if self.chosen != row {
            self.clicked = None;
        }
        self.chosen = row;
    }

    /// Chooses a row and shows it as high as can be, so that what belongs to it is seen below.
    pub const fn choose_at_top(&mut self, row: usize) {
        (self.chosen, self.first, self.clicked) = (row, row, None);
    }

    /// The chosen row is another one because rows were added or taken away: what is seen stays where it is.
    pub const fn follow(&mut self, row: usize) {
        self.first = (self.first + row).saturating_sub(self.chosen);
        self.choose(row);
    }

    /// Moves as a key of lists says. Whether it was one.
    pub fn act(&mut self, action: Action, len: usize) -> bool {
        let page = usize::from(self.rows.height.max(2)) - 1;
        let last = len.saturating_sub(1);
        let at = self.chosen.min(last);
        self.chosen = match action {
            keys::UP => at.saturating_sub(1),
            keys::DOWN => (at + 1).min(last),
            keys::PAGE_UP => at.saturating_sub(page),
            keys::PAGE_DOWN => (at + page).min(last),
            keys::TOP => 0,
            keys::BOTTOM => last,
            _ => return false,
        };
        self.clicked = None;
        true
    }

    /// Chooses the row that was clicked at; nothing if it is none. Whether it is the second click of two at this row:
    /// only that does what a key does, since whoever clicks once wants to look.
    pub fn click(&mut self, at: Position, len: usize, now: Timestamp) -> Option<bool> {
        let row = self.first + self.line_at(at)?;
        (row < len).then(|| {
            let first = self.clicked.take_if(|(clicked, _)| *clicked == row);
            let again = first.is_some_and(|(_, then)| is_double(then, now));
            self.chosen = row;
            self.clicked = (!again).then_some((row, now));
            again
        })
    }

    /// Which of the lines with rows was clicked at, from the first one that is seen.
    pub fn line_at(&self, at: Position) -> Option<usize> {
        self.rows.contains(at).then(|| usize::from(at.y - self.rows.y))
    }

    fn scroll(&mut self, len: usize, height: usize) {
        self.chosen = self.chosen.min(len.saturating_sub(1));
        if self.chosen < self.first {
            self.first = self.chosen;
        }
        if self.chosen >= self.first + height {
            self.first = self.chosen + 1 - height;
        }
        self.first = self.first.min(len.saturating_sub(height));
    }
}

/// What there is to draw.
pub struct Table<'a> {
    /// The columns, from left to right.
    pub columns: &'a [Column],
    /// How many rows there are.
    pub len: usize,
    /// Whether keys go here.
    pub focused: bool,
    /// What stands there when there are no rows.
    pub empty: &'a str,
    /// The styles.
    pub theme: &'a Theme,
}

impl Table<'_> {
    /// Draws the rows that are seen; `row` gives a cell for each column.
    pub fn draw(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        state: &mut ListState,
        mut row: impl FnMut(usize) -> Vec<Line<'static>>,
    ) {
        let [head, body] = [
            Rect { height: area.height.min(1), ..area },
            Rect { y: area.y + area.height.min(1), height: area.height.saturating_sub(1), ..area },
        ];
        // The mark of the position has a column of its own, or it would hide what stands there.
        let has_mark = self.has_mark(body);
        let widths = widths(self.columns, area.width - u16::from(has_mark));
        state.rows = body;
        if self.len == 0 {
            frame.render_widget(Line::styled(self.empty.to_owned(), self.theme.muted), body);
            return;
        }
        let titles = self.columns.iter().map(|column| Line::from(column.title)).collect();
        self.draw_row(frame, head, &widths, titles, self.theme.muted);
        let height = usize::from(body.height);
        state.scroll(self.len, height.max(1));
        for (y, index) in (body.y..body.bottom()).zip(state.first..self.len) {
            let line = Rect { y, height: 1, ..body };
            let is_chosen = index == state.chosen;
            self.draw_row(frame, line, &widths, row(index), Style::new());
            if is_chosen {
                frame.buffer_mut().set_style(line, self.theme.bar_of(self.focused));
            }
        }
        if has_mark {
            self.draw_position(frame, body, state);
        }
    }

    fn draw_row(&self, frame: &mut Frame<'_>, line: Rect, widths: &[u16], cells: Vec<Line<'static>>, style: Style) {
        let mut x = line.x;
        for ((column, width), cell) in self.columns.iter().zip(widths).zip(cells) {
            if *width == 0 {
                continue;
            }
            let place = Rect { x, width: (*width).min(line.right().saturating_sub(x)), ..line };
            let cell = fit(cell, usize::from(place.width));
            let alignment = if column.right { Alignment::Right } else { Alignment::Left };
            frame.render_widget(cell.alignment(alignment).patch_style(style), place);
            x = x.saturating_add(*width + GAP);
        }
    }

    /// Whether there are more rows than are seen, and room to say where one is.
    fn has_mark(&self, body: Rect) -> bool {
        self.len > usize::from(body.height) && body.width >= 3 && body.height >= 2
    }

    /// Where in the list one is: a mark at the right side.
    fn draw_position(&self, frame: &mut Frame<'_>, body: Rect, state: &ListState) {
        let height = usize::from(body.height);
        let scrolled = state.first * (height - 1) / (self.len - height);
        let y = body.y + u16::try_from(scrolled).unwrap_or(0).min(body.height - 1);
        let place = Rect { x: body.right() - 1, y, width: 1, height: 1 };
        frame.render_widget(Span::styled("▐", self.theme.muted), place);
    }
}

const GAP: u16 = 1;

/// How wide each column is, 0 for those for which there is no room.
fn widths(columns: &[Column], room: u16) -> Vec<u16> {
    let mut widths: Vec<u16> = columns.iter().map(|column| column.width).collect();
    let needed = |widths: &[u16]| -> u16 {
        let shown = widths.iter().filter(|width| **width > 0);
        shown.map(|width| width + GAP).sum::<u16>().saturating_sub(GAP)
    };
    while needed(&widths) > room {
        let least = (0..columns.len()).filter(|index| widths[*index] > 0).min_by_key(|index| columns[*index].worth);
        match least.filter(|index| columns[*index].worth < 9) {
            Some(index) => widths[index] = 0,
            None => break,
        }
    }
    let left = room.saturating_sub(needed(&widths));
    let growing: Vec<usize> = (0..columns.len()).filter(|index| widths[*index] > 0 && columns[*index].grows).collect();
    if let Ok(count @ 1..) = u16::try_from(growing.len()) {
        for index in &growing {
            widths[*index] += left / count;
        }
        widths[growing[0]] += left % count;
    }
    widths
}

/// The cell in its width, with `…` for what is left out.
fn fit(line: Line<'static>, columns: usize) -> Line<'static> {
    if line.width() <= columns {
        return line;
    }
    let mut left = columns;
    let style = line.style;
    let mut spans = Vec::new();
    for span in line.spans {
        if span.width() < left {
            left -= span.width();
            spans.push(span);
        } else {
            spans.push(Span::styled(crate::text::cut(&span.content, left), span.style));
            break;
        }
    }
    Line::from(spans).style(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] =
        [Column::new("id", 8, 9), Column::new("what", 10, 5).grows(), Column::new("ago", 4, 2).right()];

    #[test]
    fn what_is_worth_least_goes_first() {
        assert_eq!(widths(&COLUMNS, 40), [8, 26, 4]);
        assert_eq!(widths(&COLUMNS, 24), [8, 10, 4]);
        assert_eq!(widths(&COLUMNS, 23), [8, 14, 0]);
        assert_eq!(widths(&COLUMNS, 10), [8, 0, 0]);
        assert_eq!(widths(&COLUMNS, 1), [8, 0, 0]);
    }

    #[test]
    fn keys_move_within_the_rows() {
        let mut state = ListState::default();
        assert!(state.act(keys::DOWN, 3) && state.chosen(3) == Some(1));
        assert!(state.act(keys::BOTTOM, 3) && state.chosen(3) == Some(2));
        assert!(state.act(keys::DOWN, 3) && state.chosen(3) == Some(2));
        assert_eq!((state.chosen(1), state.chosen(0)), (Some(0), None));
        assert!(state.act(keys::UP, 0) && !state.act(keys::HELP, 3));
    }

    #[test]
    fn rows_that_are_added_do_not_move_what_is_seen() {
        let mut state = ListState { chosen: 5, first: 3, ..ListState::default() };
        state.follow(8);
        assert_eq!((state.first, state.chosen), (6, 8));
        state.follow(1);
        assert_eq!((state.first, state.chosen), (0, 1));
    }

    #[test]
    fn only_a_double_click_is_one() {
        let mut state = ListState { rows: Rect::new(0, 1, 9, 5), ..ListState::default() };
        let click = |state: &mut ListState, y: u16, ms: i64| state.click(Position::new(2, y), 3, Timestamp(ms));
        assert_eq!(click(&mut state, 1, 0), Some(false), "it was chosen, and nobody has clicked at it");
        assert_eq!(click(&mut state, 1, 400), Some(true));
        assert_eq!(click(&mut state, 1, 500), Some(false), "a third one begins anew");
        assert_eq!(click(&mut state, 1, 1_100), Some(false), "too late");
        assert_eq!(click(&mut state, 2, 1_200), Some(false), "another row");
        state.act(keys::UP, 3);
        assert_eq!(click(&mut state, 2, 1_300), Some(false), "a key came in between");
        state.follow(2);
        assert_eq!(click(&mut state, 2, 1_400), Some(false), "the row has moved");
        assert_eq!((click(&mut state, 5, 1_500), state.chosen(3)), (None, Some(2)));
    }

    #[test]
    fn the_chosen_row_is_seen() {
        let mut state = ListState { chosen: 50, ..ListState::default() };
        state.scroll(100, 10);
        assert_eq!(state.first, 41);
        state.choose(3);
        state.scroll(100, 10);
        assert_eq!(state.first, 3);
        state.scroll(2, 10);
        assert_eq!((state.first, state.chosen), (0, 1));
    }
}
