//! What keys do: one registry that drives the keys themselves, the footer, the help, the palette and docs/CONSOLE.md.
//!
//! ```text
//!   BINDINGS of every part ──▶ KeyMap (with the user's own keys) ──▶ a chord, in the scopes that have the focus ──▶ Action
//!                          ├─▶ footer: those with a hint    ├─▶ help: all of the scopes    └─▶ palette: by their words
//! ```

mod chord;
mod map;

pub use self::{
    chord::Chord,
    map::{BadKeys, KeyMap},
};

/// Something that can be done, by a name that stays: the configuration's key map uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Action(pub &'static str);

/// Where a binding works, by the name that help and docs show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope(pub &'static str);

/// One thing that can be done in one scope.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Where.
    pub scope: Scope,
    /// What.
    pub action: Action,
    /// By which keys; the first one is shown. None: by the palette alone.
    pub keys: &'static [&'static str],
    /// One word for the footer; empty if it is not to stand there.
    pub hint: &'static str,
    /// What it does, for help, palette and docs: a few words, beginning with a small letter.
    pub help: &'static str,
}

impl Binding {
    /// A binding.
    pub const fn new(
        scope: Scope,
        action: Action,
        keys: &'static [&'static str],
        hint: &'static str,
        help: &'static str,
    ) -> Self {
        Self { scope, action, keys, hint, help }
    }
}

/// What works everywhere.
pub const EVERYWHERE: Scope = Scope("everywhere");
/// What works in whatever has rows.
pub const LIST: Scope = Scope("lists");
/// What works in a form.
pub const FORM: Scope = Scope("forms");
/// What works in a question that has to be answered.
pub const DIALOG: Scope = Scope("questions");

/// Leaves the console.
pub const QUIT: Action = Action("quit");
/// Shows the keys that work here.
pub const HELP: Action = Action("help");
/// Opens the command palette.
pub const PALETTE: Action = Action("palette");
/// Moves to the next desk.
pub const NEXT_DESK: Action = Action("desk.next");
/// Moves to the desk before.
pub const PREVIOUS_DESK: Action = Action("desk.previous");
/// Works as the customer.
pub const CUSTOMER: Action = Action("desk.customer");
/// Works as the seller.
pub const SELLER: Action = Action("desk.seller");
/// Works as the admin.
pub const ADMIN: Action = Action("desk.admin");
/// Shows all open desks side by side, or one alone.
pub const SPLIT: Action = Action("desk.split");
/// Logs out of a desk.
pub const LOGOUT: Action = Action("desk.logout");
/// Moves to the next screen of a desk.
pub const NEXT_SCREEN: Action = Action("screen.next");
/// Moves to the screen before.
pub const PREVIOUS_SCREEN: Action = Action("screen.previous");
/// Moves to a screen by its number.
pub const SCREENS: [Action; 9] = [
    Action("screen.1"),
    Action("screen.2"),
    Action("screen.3"),
    Action("screen.4"),
    Action("screen.5"),
    Action("screen.6"),
    Action("screen.7"),
    Action("screen.8"),
    Action("screen.9"),
];
/// Opens the lessons.
pub const LESSONS: Action = Action("lessons");
/// Takes the next theme.
pub const THEME: Action = Action("theme.next");
/// Switches the mouse on or off.
pub const MOUSE: Action = Action("mouse");
/// Asks the services again for what is shown.
pub const REFRESH: Action = Action("refresh");
/// Draws everything anew.
pub const REDRAW: Action = Action("redraw");
/// Stops the console in the shell, as other programs do.
pub const SUSPEND: Action = Action("suspend");
/// Takes the oldest notice away.
pub const DISMISS: Action = Action("notice.dismiss");

/// One row up.
pub const UP: Action = Action("list.up");
/// One row down.
pub const DOWN: Action = Action("list.down");
/// One page up.
pub const PAGE_UP: Action = Action("list.page_up");
/// One page down.
pub const PAGE_DOWN: Action = Action("list.page_down");
/// The first row.
pub const TOP: Action = Action("list.top");
/// The last row.
pub const BOTTOM: Action = Action("list.bottom");
/// Opens what is chosen.
pub const OPEN: Action = Action("list.open");
/// Searches in the list, as you type.
pub const SEARCH: Action = Action("list.search");
/// Takes the next order of rows.
pub const SORT: Action = Action("list.sort");
/// Takes the next filter.
pub const FILTER: Action = Action("list.filter");
/// Marks a row, for what is done to several.
pub const MARK: Action = Action("list.mark");
/// Copies the id of what is chosen to the clipboard.
pub const COPY: Action = Action("list.copy");
/// Goes back, or closes what is open.
pub const BACK: Action = Action("back");

/// The next field.
pub const NEXT_FIELD: Action = Action("form.next");
/// The field before.
pub const PREVIOUS_FIELD: Action = Action("form.previous");
/// Sends the form.
pub const SUBMIT: Action = Action("form.submit");
/// Answers yes.
pub const YES: Action = Action("answer.yes");
/// Answers no.
pub const NO: Action = Action("answer.no");

const COMMON: &[Binding] = &[
    Binding::new(EVERYWHERE, HELP, &["?", "f1"], "help", "show the keys that work here"),
    Binding::new(EVERYWHERE, PALETTE, &["ctrl-p", ":"], "commands", "find a command by its words"),
    Binding::new(EVERYWHERE, NEXT_DESK, &["tab"], "", "move to the next desk"),
    Binding::new(EVERYWHERE, PREVIOUS_DESK, &["shift-tab"], "", "move to the desk before"),
    Binding::new(EVERYWHERE, CUSTOMER, &["f2"], "", "work as the customer"),
    Binding::new(EVERYWHERE, SELLER, &["f3"], "", "work as the seller"),
    Binding::new(EVERYWHERE, ADMIN, &["f4"], "", "work as the admin"),
    Binding::new(EVERYWHERE, SPLIT, &["f5", "|"], "", "show all desks side by side, or one alone"),
    Binding::new(EVERYWHERE, LESSONS, &["f6"], "", "open the lessons"),
    Binding::new(EVERYWHERE, NEXT_SCREEN, &["]", "ctrl-right"], "", "move to the next screen of the desk"),
    Binding::new(EVERYWHERE, PREVIOUS_SCREEN, &["[", "ctrl-left"], "", "move to the screen before"),
    Binding::new(EVERYWHERE, SCREENS[0], &["1"], "", "move to the desk's first screen"),
    Binding::new(EVERYWHERE, SCREENS[1], &["2"], "", "move to its second screen"),
    Binding::new(EVERYWHERE, SCREENS[2], &["3"], "", "move to its third screen"),
    Binding::new(EVERYWHERE, SCREENS[3], &["4"], "", "move to its fourth screen"),
    Binding::new(EVERYWHERE, SCREENS[4], &["5"], "", "move to its fifth screen"),
    Binding::new(EVERYWHERE, SCREENS[5], &["6"], "", "move to its sixth screen"),
    Binding::new(EVERYWHERE, SCREENS[6], &["7"], "", "move to its seventh screen"),
    Binding::new(EVERYWHERE, SCREENS[7], &["8"], "", "move to its eighth screen"),
    Binding::new(EVERYWHERE, SCREENS[8], &["9"], "", "move to its ninth screen"),
    Binding::new(EVERYWHERE, REFRESH, &["ctrl-r"], "", "ask the services again for what is shown"),
    Binding::new(EVERYWHERE, THEME, &["f9"], "", "take the next theme"),
    Binding::new(EVERYWHERE, MOUSE, &["f10"], "", "switch the mouse on or off"),
    Binding::new(EVERYWHERE, DISMISS, &["ctrl-x"], "", "take the oldest notice away"),
    Binding::new(EVERYWHERE, LOGOUT, &[], "", "log out of this desk"),
    Binding::new(EVERYWHERE, REDRAW, &["ctrl-l"], "", "draw everything anew"),
    Binding::new(EVERYWHERE, SUSPEND, &["ctrl-z"], "", "stop the console in the shell; `fg` brings it back"),
    Binding::new(EVERYWHERE, QUIT, &["q", "ctrl-c"], "quit", "leave the console"),
    Binding::new(LIST, UP, &["up", "k"], "", "one row up"),
    Binding::new(LIST, DOWN, &["down", "j"], "", "one row down"),
    Binding::new(LIST, PAGE_UP, &["pageup", "ctrl-b"], "", "one page up"),
    Binding::new(LIST, PAGE_DOWN, &["pagedown", "ctrl-f"], "", "one page down"),
    Binding::new(LIST, TOP, &["home", "g"], "", "the first row"),
    Binding::new(LIST, BOTTOM, &["end", "G"], "", "the last row"),
    Binding::new(LIST, SEARCH, &["/"], "search", "search as you type"),
    Binding::new(LIST, COPY, &["y"], "", "copy the id to the clipboard"),
    Binding::new(LIST, BACK, &["esc"], "", "close what is open, or take the search away"),
    Binding::new(FORM, NEXT_FIELD, &["tab", "down"], "next field", "the next field"),
    Binding::new(FORM, PREVIOUS_FIELD, &["shift-tab", "up"], "", "the field before"),
    Binding::new(FORM, SUBMIT, &["enter"], "send", "send the form"),
    Binding::new(FORM, BACK, &["esc"], "close", "close the form"),
    Binding::new(DIALOG, YES, &["y", "Y"], "yes", "yes, do it"),
    Binding::new(DIALOG, NO, &["n", "N", "esc", "q"], "no", "no, leave it"),
];

/// What a binding does, where these screens are: they are called by their names. Nothing, if it leads to none of them.
pub fn help_of(binding: &Binding, screens: &[&str]) -> Option<String> {
    match SCREENS.iter().position(|screen| *screen == binding.action) {
        Some(index) => screens.get(index).map(|name| format!("go to {}", name.to_lowercase())),
        None => Some(binding.help.to_owned()),
    }
}

/// Every binding there is, in the order in which help and docs show them.
pub fn all() -> impl Iterator<Item = &'static Binding> {
    let parts: [&[Binding]; 9] = [
        COMMON,
        crate::widgets::search::BINDINGS,
        crate::login::BINDINGS,
        crate::customer::BINDINGS,
        crate::seller::BINDINGS,
        crate::admin::BINDINGS,
        crate::chaos::BINDINGS,
        crate::timeline::BINDINGS,
        crate::lessons::BINDINGS,
    ];
    parts.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::*;

    #[test]
    fn a_key_does_one_thing_in_a_scope_and_an_action_has_one_binding_there() {
        let mut keys = HashMap::new();
        let mut actions = BTreeMap::new();
        for binding in all() {
            assert!(!binding.help.is_empty(), "{binding:?}");
            assert!(actions.insert((binding.scope, binding.action), binding).is_none(), "{binding:?} stands twice");
            for key in binding.keys {
                let chord: Chord = key.parse().unwrap_or_else(|error| panic!("{binding:?}: {error}"));
                let before = keys.insert((binding.scope, chord), binding.action);
                assert_eq!(before, None, "{key} in {:?}", binding.scope);
            }
        }
    }
}
