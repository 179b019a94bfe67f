//! The palette: every command that can be given here, found by its words.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    input::Edit,
    keys::{self, Action, Binding, KeyMap, Scope},
    theme::Theme,
    widgets::{Field, ListState, frames},
};

/// What a command of the palette must not be: it moves within what the palette covers.
const NOT_HERE: [Scope; 2] = [keys::FORM, keys::DIALOG];

/// Commands, and what was typed to find one.
pub struct Palette {
    query: Field,
    /// With the words of each.
    bindings: Vec<(&'static Binding, String)>,
    state: ListState,
}

impl Palette {
    /// Of what can be done in these scopes, on a desk with these screens.
    pub fn of(scopes: &[Scope], screens: &[&str]) -> Self {
        let here = |binding: &&Binding| scopes.contains(&binding.scope) && !NOT_HERE.contains(&binding.scope);
        let bindings = keys::all().filter(here).filter(|binding| binding.action != keys::PALETTE);
        let bindings = bindings.filter_map(|binding| Some((binding, keys::help_of(binding, screens)?))).collect();
        Self { query: Field::default(), bindings, state: ListState::default() }
    }

    /// Somebody types.
    pub fn edit(&mut self, edit: &Edit) {
        self.query.edit(edit);
        self.state.choose(0);
    }

    /// Moves among what was found.
    pub fn act(&mut self, action: Action) {
        let len = self.found().len();
        self.state.act(action, len);
    }

    /// What is chosen.
    pub fn chosen(&self) -> Option<Action> {
        let found = self.found();
        self.state.chosen(found.len()).map(|index| found[index].0.action)
    }

    /// The best first.
    fn found(&self) -> Vec<&(&'static Binding, String)> {
        let query = self.query.text();
        let scored = self.bindings.iter().filter_map(|found| {
            let words = format!("{} {}", found.1, found.0.action.0);
            score(&query, &words).map(|score| (score, found))
        });
        let mut scored: Vec<_> = scored.collect();
        scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        scored.into_iter().map(|(_, found)| found).collect()
    }

    /// Draws it at the top.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, keys: &KeyMap, theme: &Theme) {
        let place = Rect { height: area.height.min(16), ..area };
        let inside = frames::popup(frame, place, (70, 16), "commands", theme);
        let (head, body) = frames::head(inside, 1);
        self.query.draw(frame, head, true, theme);
        let found: Vec<_> = self.found().into_iter().cloned().collect();
        let (columns, empty) = ([crate::widgets::Column::new("", 10, 9).grows()], "nothing of that name");
        let table = crate::widgets::list::Table { columns: &columns, len: found.len(), focused: true, empty, theme };
        table.draw(frame, body, &mut self.state, |index| {
            let (binding, words) = &found[index];
            let key = keys.key_of(binding).map(|key| key.to_string()).unwrap_or_default();
            vec![Line::from(vec![
                Span::styled(format!("{key:<10} "), theme.accent),
                Span::raw(words.clone()),
                Span::styled(format!("  {}", binding.scope.0), theme.muted),
            ])]
        });
    }
}

/// How well the letters of the query stand in the text, in their order; nothing if they do not. Letters that begin a
/// word, and letters side by side, count more.
fn score(query: &str, text: &str) -> Option<i32> {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut at, mut score, mut last) = (0, 0, None);
    for wanted in query.to_lowercase().chars().filter(|c| !c.is_whitespace()) {
        let found = (at..text.len()).find(|index| text[*index] == wanted)?;
        let begins = found == 0 || !text[found - 1].is_alphanumeric();
        let beside = last.is_some_and(|last| last + 1 == found);
        score += 1 + if begins { 8 } else { 0 } + if beside { 5 } else { 0 };
        (at, last) = (found + 1, Some(found));
    }
    let whole: String = text.iter().collect();
    Some(score + if whole.contains(&query.trim().to_lowercase()) { 40 } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_their_order_find_and_the_best_comes_first() {
        assert!(score("nth", "take the next theme").is_some());
        assert!(score("xyz", "take the next theme").is_none());
        assert!(score("next", "take the next theme") > score("next", "an edge of extra text"));
        let mut palette = Palette::of(&[keys::EVERYWHERE], &[]);
        for c in "theme".chars() {
            palette.edit(&Edit::Insert(c));
        }
        assert_eq!(palette.chosen(), Some(keys::THEME));
    }

    #[test]
    fn a_screen_is_found_by_its_name() {
        let mut palette = Palette::of(&[keys::EVERYWHERE], &["Shop", "Cart"]);
        palette.edit(&Edit::Paste("cart".to_owned()));
        assert_eq!(palette.chosen(), Some(keys::SCREENS[1]));
        assert!(
            palette.bindings.iter().all(|(binding, _)| binding.action != keys::SCREENS[2]),
            "there is no third one"
        );
    }
}
