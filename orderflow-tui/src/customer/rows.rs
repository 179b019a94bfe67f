//! Rows that were filtered and sorted once, and are again only when what they come from has changed. What is chosen
//! stays chosen wherever it moves.

use orderflow_contracts::timestamp::Timestamp;
use ratatui::{
    Frame,
    layout::{Position, Rect},
    text::Line,
};

use crate::{
    keys::Action,
    widgets::{Pick, list::Table},
};

/// Rows, made anew for each other `K`.
pub struct Rows<K, I> {
    made_of: Option<K>,
    rows: Vec<I>,
    pick: Pick<I>,
}

impl<K, I: Copy + PartialEq> Default for Rows<K, I> {
    fn default() -> Self {
        Self { made_of: None, rows: Vec::new(), pick: Pick::firm() }
    }
}

impl<K: PartialEq, I: Copy + PartialEq> Rows<K, I> {
    /// Makes the rows, unless they are made of this already.
    pub fn sync(&mut self, of: K, make: impl FnOnce() -> Vec<I>) {
        if self.made_of.as_ref() == Some(&of) {
            return;
        }
        self.rows = make();
        self.made_of = Some(of);
        self.pick.settle(&self.rows);
    }

    /// All of them.
    pub fn all(&self) -> &[I] {
        &self.rows
    }

    /// What is chosen.
    pub fn chosen(&self) -> Option<I> {
        self.pick.chosen(&self.rows)
    }

    /// Chooses this, as soon as it is among the rows.
    pub fn choose(&mut self, item: I) {
        self.pick.choose(item);
        self.made_of = None;
    }

    /// Chooses the first.
    pub fn choose_first(&mut self) {
        self.pick.choose_first();
        self.made_of = None;
    }

    /// Somebody wants other rows: what was shown does not count any more.
    pub const fn anew(&mut self) {
        self.pick.anew();
    }

    /// Moves as a key of lists says. Whether it was one.
    pub fn act(&mut self, action: Action) -> bool {
        self.pick.act(action, &self.rows)
    }

    /// Chooses the row that was clicked at. Whether it is the second click of two there.
    pub fn click(&mut self, at: Position, now: Timestamp) -> bool {
        self.pick.click(at, &self.rows, now)
    }

    /// Draws them.
    pub fn draw(
        &mut self,
        frame: &mut Frame<'_>,
        area: Rect,
        table: &Table<'_>,
        row: impl Fn(I) -> Vec<Line<'static>>,
    ) {
        let rows = &self.rows;
        self.pick.draw(frame, area, table, rows, |index| row(rows[index]));
    }

    /// There are none, and something else stands there.
    pub fn draw_none(&mut self) {
        self.pick.draw_none();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys;

    #[test]
    fn what_is_chosen_stays_so_wherever_it_moves() {
        let mut rows: Rows<u8, char> = Rows::default();
        rows.sync(1, || vec!['a', 'b', 'c']);
        rows.act(keys::DOWN);
        rows.sync(1, || panic!("they are made of this already"));
        rows.sync(2, || vec!['x', 'a', 'b']);
        assert_eq!((rows.chosen(), rows.pick.row(rows.all())), (Some('b'), Some(2)));
        rows.sync(3, || vec!['x']);
        assert_eq!(rows.chosen(), Some('x'));
        rows.choose('n');
        rows.sync(3, || vec!['m', 'n']);
        assert_eq!(rows.chosen(), Some('n'));
        rows.sync(4, Vec::new);
        assert_eq!(rows.chosen(), None);
    }
}
