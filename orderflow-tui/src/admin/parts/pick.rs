//! The chosen row of a list that changes by itself: it stays on what was chosen, not on a number.

use ratatui::layout::Position;

use crate::{keys::Action, widgets::ListState};

/// What is chosen. At the top, that is whatever comes newest.
#[derive(Debug, Clone, Copy)]
pub struct Pick<K> {
    /// The rows on the screen.
    pub list: ListState,
    key: Option<K>,
}

impl<K> Default for Pick<K> {
    fn default() -> Self {
        Self { list: ListState::default(), key: None }
    }
}

impl<K: Copy + PartialEq> Pick<K> {
    /// The rows have changed.
    pub fn settle(&mut self, rows: &[K]) {
        if let Some(key) = self.key {
            match rows.iter().position(|row| *row == key) {
                Some(row) => self.list.follow(row),
                // It is gone; whatever stands there now is chosen.
                None => self.keep(rows),
            }
        }
    }

    /// Moves as a key of lists says. Whether it was one.
    pub fn act(&mut self, action: Action, rows: &[K]) -> bool {
        let moved = self.list.act(action, rows.len());
        if moved {
            self.keep(rows);
        }
        moved
    }

    /// Chooses the row that was clicked at. Whether it was chosen already.
    pub fn click(&mut self, at: Position, rows: &[K]) -> bool {
        let again = self.list.click(at, rows.len());
        if again.is_some() {
            self.keep(rows);
        }
        again == Some(true)
    }

    /// Chooses a row by its number.
    pub fn choose(&mut self, row: usize, rows: &[K]) {
        self.list.choose(row);
        self.keep(rows);
    }

    /// What is chosen.
    pub fn chosen(&self, rows: &[K]) -> Option<K> {
        self.row(rows).map(|row| rows[row])
    }

    /// The number of the chosen row.
    pub fn row(&self, rows: &[K]) -> Option<usize> {
        self.list.chosen(rows.len())
    }

    fn keep(&mut self, rows: &[K]) {
        self.key = self.row(rows).filter(|row| *row > 0).map(|row| rows[row]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys;

    #[test]
    fn it_stays_on_what_was_chosen_and_at_the_top_on_what_is_newest() {
        let mut pick = Pick::default();
        assert_eq!(pick.chosen(&[3, 2, 1]), Some(3));
        pick.settle(&[4, 3, 2, 1]);
        assert_eq!(pick.chosen(&[4, 3, 2, 1]), Some(4));
        pick.act(keys::DOWN, &[4, 3, 2, 1]);
        pick.settle(&[6, 5, 4, 3, 2, 1]);
        assert_eq!(pick.chosen(&[6, 5, 4, 3, 2, 1]), Some(3));
        pick.settle(&[6, 5, 2]);
        assert_eq!(pick.chosen(&[6, 5, 2]), Some(2), "what is left");
        pick.act(keys::TOP, &[6, 5, 2]);
        pick.settle(&[7, 6, 5, 2]);
        assert_eq!(pick.chosen(&[7, 6, 5, 2]), Some(7));
        assert_eq!(pick.chosen(&[]), None);
    }
}
