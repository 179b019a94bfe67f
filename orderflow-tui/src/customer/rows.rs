//! Rows that were filtered and sorted once, and are again only when what they come from has changed. What is chosen
//! stays chosen wherever it moves.

use ratatui::layout::Position;

use crate::{keys::Action, widgets::ListState};

/// Rows, made anew for each other `K`.
pub struct Rows<K, I> {
    made_of: Option<K>,
    rows: Vec<I>,
    chosen: Option<I>,
    /// Where they are drawn.
    state: ListState,
}

impl<K, I> Default for Rows<K, I> {
    fn default() -> Self {
        Self { made_of: None, rows: Vec::new(), chosen: None, state: ListState::default() }
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
        let at = self.chosen.and_then(|chosen| self.rows.iter().position(|row| *row == chosen));
        if let Some(at) = at {
            self.state.choose(at);
        }
        self.remember();
    }

    fn remember(&mut self) {
        self.chosen = self.state.chosen(self.rows.len()).and_then(|at| self.rows.get(at)).copied();
    }

    /// All of them.
    pub fn all(&self) -> &[I] {
        &self.rows
    }

    /// The rows, and where they are drawn.
    pub fn parts(&mut self) -> (&[I], &mut ListState) {
        (&self.rows, &mut self.state)
    }

    /// What is chosen.
    pub const fn chosen(&self) -> Option<I> {
        self.chosen
    }

    /// Chooses this, as soon as it is among the rows.
    pub fn choose(&mut self, item: I) {
        self.chosen = Some(item);
        self.made_of = None;
    }

    /// Chooses the first.
    pub fn choose_first(&mut self) {
        self.state.choose(0);
        self.chosen = None;
        self.made_of = None;
    }

    /// Moves as a key of lists says. Whether it was one.
    pub fn act(&mut self, action: Action) -> bool {
        let moved = self.state.act(action, self.rows.len());
        if moved {
            self.remember();
        }
        moved
    }

    /// Chooses the row that was clicked at. Whether it was chosen already.
    pub fn click(&mut self, at: Position) -> bool {
        let again = self.state.click(at, self.rows.len());
        self.remember();
        again == Some(true)
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
        assert_eq!((rows.chosen(), rows.state.chosen(3)), (Some('b'), Some(2)));
        rows.sync(3, || vec!['x']);
        assert_eq!(rows.chosen(), Some('x'));
        rows.choose('n');
        rows.sync(3, || vec!['m', 'n']);
        assert_eq!(rows.chosen(), Some('n'));
        rows.sync(4, Vec::new);
        assert_eq!(rows.chosen(), None);
    }
}
