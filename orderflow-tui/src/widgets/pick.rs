//! The chosen row of a list that changes by itself. It stays on what was chosen, not on a number; and a key acts on what
//! the last frame has shown as chosen, not on what has come into its place since: nobody has seen that.

use orderflow_contracts::timestamp::Timestamp;
use ratatui::{
    Frame,
    layout::{Position, Rect},
    text::Line,
};

use super::list::{ListState, Table, is_double};
use crate::keys::Action;

/// What is chosen.
#[derive(Debug, Clone)]
pub struct Pick<K> {
    /// The rows on the screen.
    list: ListState,
    /// On what somebody stands; nothing at the top, where that is whatever comes first.
    key: Option<K>,
    /// It is to be chosen as soon as it is there.
    awaited: Option<K>,
    /// Somebody stands on the first row as on any other.
    is_firm: bool,
    /// The rows that the last frame has shown.
    seen: Vec<K>,
    /// Which of them as the chosen one, until somebody chooses.
    shown: Option<K>,
    /// What was clicked at last, and when, if nothing else was chosen since.
    clicked: Option<(K, Timestamp)>,
}

impl<K> Default for Pick<K> {
    fn default() -> Self {
        let list = ListState::default();
        Self { list, key: None, awaited: None, is_firm: false, seen: Vec::new(), shown: None, clicked: None }
    }
}

impl<K: Copy + PartialEq> Pick<K> {
    /// One that stays on the first row's item too, as soon as there is one.
    pub fn firm() -> Self {
        Self { is_firm: true, ..Self::default() }
    }

    /// The rows have changed.
    pub fn settle(&mut self, rows: &[K]) {
        if let Some(key) = self.awaited.take_if(|key| rows.contains(key)) {
            (self.key, self.shown) = (Some(key), None);
        }
        match self.key.map(|key| rows.iter().position(|row| *row == key)) {
            Some(Some(row)) => self.list.follow(row),
            // It is gone, and whatever stands there now is chosen; or there has been nothing yet.
            Some(None) => self.keep(rows),
            None if self.is_firm => self.keep(rows),
            None => self.list.choose(0),
        }
    }

    /// Moves as a key of lists says. Whether it was one.
    pub fn act(&mut self, action: Action, rows: &[K]) -> bool {
        // From where it was seen.
        let from = self.shown.and_then(|shown| rows.iter().position(|row| *row == shown));
        let before = self.list;
        from.into_iter().for_each(|row| self.list.follow(row));
        let moved = self.list.act(action, rows.len());
        if moved {
            self.chose();
            self.keep(rows);
        } else {
            self.list = before;
        }
        moved
    }

    /// Chooses the row that was clicked at, as it was seen. Whether it is the second click of two at what stands there.
    pub fn click(&mut self, at: Position, rows: &[K], now: Timestamp) -> bool {
        let Some(key) = self.list.line_at(at).and_then(|line| self.seen.get(line)).copied() else { return false };
        let Some(row) = rows.iter().position(|row| *row == key) else { return false };
        let first = self.clicked.take_if(|(clicked, _)| *clicked == key);
        let again = first.is_some_and(|(_, then)| is_double(then, now));
        self.chose();
        self.list.choose(row);
        self.keep(rows);
        self.clicked = (!again).then_some((key, now));
        again
    }

    /// Chooses this as soon as it is among the rows.
    pub fn choose(&mut self, key: K) {
        self.chose();
        self.awaited = Some(key);
    }

    /// Chooses the first row, whatever that will be.
    pub fn choose_first(&mut self) {
        self.chose();
        self.key = None;
        self.list.choose(0);
    }

    /// Somebody wants other rows than those that were shown: what was chosen among them does not count any more.
    pub const fn anew(&mut self) {
        self.shown = None;
    }

    /// From now on somebody stands on what is chosen, at the top as well; the rows are to be settled then.
    pub fn hold(&mut self, rows: &[K]) {
        self.key = self.chosen(rows);
    }

    /// What keys act on.
    pub fn chosen(&self, rows: &[K]) -> Option<K> {
        self.shown.or_else(|| self.row(rows).map(|row| rows[row]))
    }

    /// On what somebody stands; nothing as long as that is whatever comes first.
    pub const fn held(&self) -> Option<K> {
        self.key
    }

    /// The number of the chosen row.
    pub fn row(&self, rows: &[K]) -> Option<usize> {
        self.list.chosen(rows.len())
    }

    /// Draws the rows that are seen: keys act on these from now on. `row` gives a cell for each column.
    pub fn draw(
        &mut self,
        frame: &mut Frame<'_>,
        area: Rect,
        table: &Table<'_>,
        rows: &[K],
        mut row: impl FnMut(usize) -> Vec<Line<'static>>,
    ) {
        let seen = &mut self.seen;
        seen.clear();
        table.draw(frame, area, &mut self.list, |index| {
            seen.push(rows[index]);
            row(index)
        });
        self.shown = self.row(rows).map(|row| rows[row]);
    }

    /// Nothing stands where the rows were.
    pub fn draw_none(&mut self) {
        self.seen.clear();
        self.shown = None;
    }

    /// Somebody chooses: what was shown and what was waited for does not count any more.
    fn chose(&mut self) {
        (self.shown, self.awaited, self.clicked) = (None, None, None);
    }

    fn keep(&mut self, rows: &[K]) {
        self.key = self.row(rows).filter(|row| *row > 0 || self.is_firm).map(|row| rows[row]);
    }
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, backend::TestBackend};

    use super::*;
    use crate::{
        keys,
        theme::{Theme, ThemeName},
        widgets::Column,
    };

    fn draw(pick: &mut Pick<u8>, rows: &[u8]) {
        let (columns, theme) = ([Column::new("", 4, 9)], Theme::of(ThemeName::None));
        let table = Table { columns: &columns, len: rows.len(), focused: true, empty: "", theme: &theme };
        let mut terminal = Terminal::new(TestBackend::new(8, 6)).unwrap();
        let drawn = |frame: &mut Frame<'_>| {
            pick.draw(frame, frame.area(), &table, rows, |row| vec![Line::raw(rows[row].to_string())]);
        };
        terminal.draw(drawn).unwrap();
    }

    /// What is chosen once the rows are these.
    fn settled(pick: &mut Pick<u8>, rows: &[u8]) -> Option<u8> {
        pick.settle(rows);
        pick.chosen(rows)
    }

    #[test]
    fn it_stays_on_what_was_chosen_and_at_the_top_on_what_is_newest() {
        let mut pick = Pick::default();
        assert_eq!(pick.chosen(&[3, 2, 1]), Some(3));
        assert_eq!(settled(&mut pick, &[4, 3, 2, 1]), Some(4));
        pick.act(keys::DOWN, &[4, 3, 2, 1]);
        assert_eq!(settled(&mut pick, &[6, 5, 4, 3, 2, 1]), Some(3));
        assert_eq!(settled(&mut pick, &[6, 5, 2]), Some(2), "what is left");
        pick.act(keys::TOP, &[6, 5, 2]);
        assert_eq!(settled(&mut pick, &[7, 6, 5, 2]), Some(7));
        assert_eq!(pick.chosen(&[]), None);
        pick.hold(&[7, 6]);
        assert_eq!(settled(&mut pick, &[8, 7, 6]), Some(7), "somebody stands there");
    }

    #[test]
    fn one_that_is_firm_stays_on_the_first_too() {
        let mut pick = Pick::firm();
        assert_eq!(settled(&mut pick, &[]), None);
        assert_eq!(settled(&mut pick, &[2, 1]), Some(2));
        assert_eq!(settled(&mut pick, &[3, 2, 1]), Some(2));
        pick.choose_first();
        assert_eq!(settled(&mut pick, &[4, 3]), Some(4));
    }

    #[test]
    fn a_key_acts_on_what_was_seen_and_not_on_what_has_come_since() {
        let mut pick = Pick::default();
        draw(&mut pick, &[2, 1]);
        assert_eq!(settled(&mut pick, &[3, 2, 1]), Some(2), "3 was not seen");
        pick.act(keys::DOWN, &[3, 2, 1]);
        assert_eq!(pick.chosen(&[3, 2, 1]), Some(1), "the one below");
        draw(&mut pick, &[3, 2, 1]);
        assert_eq!(settled(&mut pick, &[3, 2]), Some(1), "it is gone, and 2 was not meant");
        draw(&mut pick, &[3, 2]);
        assert_eq!(pick.chosen(&[3, 2]), Some(2));
        pick.draw_none();
        assert_eq!(settled(&mut pick, &[7]), Some(7));
    }

    #[test]
    fn a_click_hits_what_was_seen_there() {
        let mut pick = Pick::default();
        draw(&mut pick, &[3, 2, 1]);
        let third = Position::new(1, 3);
        pick.settle(&[5, 4, 3, 2, 1]);
        assert!(!pick.click(third, &[5, 4, 3, 2, 1], Timestamp(0)));
        assert_eq!(pick.chosen(&[5, 4, 3, 2, 1]), Some(1));
        assert!(!pick.click(third, &[5, 4], Timestamp(1)), "it is gone");
        assert!(pick.click(third, &[3, 2, 1], Timestamp(2)), "two clicks at one thing");
        assert!(!pick.click(third, &[3, 2, 1], Timestamp(3)), "and a third one begins anew");
        draw(&mut pick, &[4, 3, 2, 1]);
        assert!(!pick.click(third, &[4, 3, 2, 1], Timestamp(4)), "the second one hit something else");
    }

    #[test]
    fn what_is_not_there_yet_is_waited_for() {
        let mut pick = Pick::default();
        pick.choose(1);
        assert_eq!(settled(&mut pick, &[3, 2]), Some(3));
        assert_eq!(settled(&mut pick, &[3, 2, 1]), Some(1));
        assert_eq!(settled(&mut pick, &[1, 3, 2]), Some(1));
        assert_eq!(settled(&mut pick, &[4, 1, 3, 2]), Some(1));
    }
}
