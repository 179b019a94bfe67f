//! The palette: every command that can be given here, found by its words, and the screens of the other desks. What acts
//! there is not among them: it would act on what nobody sees.

use orderflow_contracts::api::console::Role;
use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    desk::Screens,
    input::Edit,
    keys::{self, Action, Binding, KeyMap, Scope},
    theme::Theme,
    widgets::{Field, ListState, frames},
};

/// What a command of the palette must not be: it moves within what the palette covers.
const NOT_HERE: [Scope; 2] = [keys::FORM, keys::DIALOG];

/// What a line of the palette does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Something here.
    Do(Action),
    /// Goes to a screen of another desk.
    Go(Role, usize),
}

/// A line of the palette.
#[derive(Clone)]
struct Entry {
    command: Command,
    /// By which key it is done without the palette.
    binding: Option<&'static Binding>,
    words: String,
    /// Where it is done.
    place: &'static str,
}

/// Commands, and what was typed to find one.
pub struct Palette {
    query: Field,
    entries: Vec<Entry>,
    state: ListState,
}

impl Palette {
    /// Of what can be done in these scopes, on a role's desk with these screens.
    pub fn of(scopes: &[Scope], role: Role, screens: &[&str]) -> Self {
        let here = |binding: &&Binding| scopes.contains(&binding.scope) && !NOT_HERE.contains(&binding.scope);
        let mut bindings: Vec<_> = keys::all().filter(here).filter(|known| known.action != keys::PALETTE).collect();
        // What can be done just here comes before what can be done everywhere, and that before what is elsewhere.
        bindings.sort_by_key(|binding| scopes.iter().position(|scope| *scope == binding.scope));
        let here = bindings.into_iter().filter_map(|binding| {
            let (command, words) = (Command::Do(binding.action), keys::help_of(binding, screens)?);
            Some(Entry { command, binding: Some(binding), words, place: binding.scope.0 })
        });
        let others = [Role::Customer, Role::Seller, Role::Admin].into_iter().filter(|other| *other != role);
        let entries = here.chain(others.flat_map(screens_of)).collect();
        Self { query: Field::default(), entries, state: ListState::default() }
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
    pub fn chosen(&self) -> Option<Command> {
        let found = self.found();
        self.state.chosen(found.len()).map(|index| found[index].command)
    }

    /// The best first.
    fn found(&self) -> Vec<&Entry> {
        let query = self.query.text();
        let scored = self.entries.iter().filter_map(|entry| {
            let name = entry.binding.map_or("", |binding| binding.action.0);
            score(&query, &format!("{} {name}", entry.words)).map(|score| (score, entry))
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
            let Entry { binding, words, place, .. } = &found[index];
            let key = binding.and_then(|binding| keys.key_of(binding));
            let key = key.map(|key| key.to_string()).unwrap_or_default();
            vec![Line::from(vec![
                Span::styled(format!("{key:<10} "), theme.accent),
                Span::raw(words.clone()),
                Span::styled(format!("  {place}"), theme.muted),
            ])]
        });
    }
}

/// The screens of another desk.
fn screens_of(role: Role) -> impl Iterator<Item = Entry> {
    let names = Screens::names(role).iter().enumerate();
    names.map(move |(screen, name)| {
        let words = format!("go to the {}'s {}", role.as_str(), name.to_lowercase());
        Entry { command: Command::Go(role, screen), binding: None, words, place: "another desk" }
    })
}

/// How well the words of the query stand in the text; nothing if one of them does not.
fn score(query: &str, text: &str) -> Option<i32> {
    let (query, text) = (query.to_lowercase(), text.to_lowercase());
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let sum = query.split_whitespace().try_fold(0, |sum, wanted| Some(sum + score_of_one(wanted, &words)?))?;
    Some(sum + if text.contains(query.trim()) { 5 } else { 0 })
}

/// A word begins so (`conf`), has this in it, has these letters after its first one (`vrfy`: verify), or words begin with
/// them (`nt`: next theme). Letters that are strewn over many words find nothing: whoever types a word and presses
/// Enter means that word, and Enter carries it out.
fn score_of_one(wanted: &str, words: &[&str]) -> Option<i32> {
    let in_order = |word: &&str| {
        let mut letters = word.chars();
        word.chars().next() == wanted.chars().next() && wanted.chars().all(|c| letters.any(|letter| letter == c))
    };
    let beginnings: String = words.iter().filter_map(|word| word.chars().next()).collect();
    if words.iter().any(|word| word.starts_with(wanted)) {
        Some(10)
    } else if words.iter().any(|word| word.contains(wanted)) {
        Some(4)
    } else if wanted.len() > 1 && beginnings.contains(wanted) {
        Some(2)
    } else {
        words.iter().any(in_order).then_some(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_beginnings_find_and_the_best_comes_first() {
        assert!(score("vrfy", "count every piece chaos.verify") > score("vrfy", "very few"));
        assert!(score("nt", "take the next theme").is_some());
        assert!(score("the nex", "take the next theme").is_some());
        assert!(score("xyz", "take the next theme").is_none());
        assert!(score("next", "take the next theme") > score("ext", "take the next theme"));
        for (typed, another) in [
            ("dark", "mark all orders seller.mark"),
            ("chaos", "close what is open back"),
            ("restock", "show the orders of the status before"),
        ] {
            assert_eq!(score(typed, another), None, "{typed} is not {another}");
        }
        let mut palette = Palette::of(&[keys::EVERYWHERE], Role::Customer, &[]);
        for c in "theme".chars() {
            palette.edit(&Edit::Insert(c));
        }
        assert_eq!(palette.chosen(), Some(Command::Do(keys::THEME)));
    }

    #[test]
    fn a_screen_is_found_by_its_name() {
        let mut palette = Palette::of(&[keys::EVERYWHERE], Role::Customer, &["Shop", "Cart"]);
        palette.edit(&Edit::Paste("cart".to_owned()));
        assert_eq!(palette.chosen(), Some(Command::Do(keys::SCREENS[1])));
        assert!(
            palette.entries.iter().all(|entry| entry.command != Command::Do(keys::SCREENS[2])),
            "there is no third one"
        );
    }
}
