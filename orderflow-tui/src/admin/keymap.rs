//! The keys of the admin's screens.

use crate::keys::{self, Action, Binding, Scope};

/// The health of every process.
pub const HEALTH: Scope = Scope("health");
/// The flow.
pub const FLOW: Scope = Scope("flow");
/// All orders.
pub const ORDERS: Scope = Scope("all orders");
/// The stream of events.
pub const EVENTS: Scope = Scope("event stream");
/// Dead letters.
pub const LETTERS: Scope = Scope("dead letters");
/// One dead letter, open in detail.
pub const LETTER: Scope = Scope("one dead letter");
/// One event, open in detail.
pub const EVENT: Scope = Scope("one event");
/// A dead letter's fields.
pub const MENDING: Scope = Scope("mending a letter");
/// One of those fields.
pub const MENDING_ONE: Scope = Scope("mending a field");
/// The audit log.
pub const AUDIT: Scope = Scope("audit log");
/// Logs of processes.
pub const LOGS: Scope = Scope("logs");
/// A detail beside its list.
pub const DETAIL: Scope = Scope("a detail");

/// Stops the list from changing, or lets it.
pub const PAUSE: Action = Action("admin.pause");
/// Opens the timeline of what is chosen.
pub const TIMELINE: Action = Action("admin.timeline");
/// The one before.
pub const PREVIOUS: Action = Action("admin.previous");
/// The one after.
pub const NEXT: Action = Action("admin.next");
/// Applies dead letters after all.
pub const REPLAY: Action = Action("admin.letters.replay");
/// Gives dead letters up.
pub const DISCARD: Action = Action("admin.letters.discard");
/// Mends a dead letter.
pub const EDIT: Action = Action("admin.letters.edit");
/// Marks all that are shown, or none.
pub const MARK_ALL: Action = Action("admin.letters.mark_all");
/// Adds a field.
pub const ADD: Action = Action("admin.letters.add_field");
/// Takes a field away.
pub const REMOVE: Action = Action("admin.letters.remove_field");
/// Saves what was mended.
pub const SAVE: Action = Action("admin.letters.save");
/// Checks the chain of the audit log.
pub const VERIFY: Action = Action("admin.audit.verify");

/// All of them.
pub const BINDINGS: &[Binding] = &[
    Binding::new(HEALTH, keys::UP, &["up", "k"], "", "the process above"),
    Binding::new(HEALTH, keys::DOWN, &["down", "j"], "", "the process below"),
    Binding::new(HEALTH, keys::OPEN, &["enter"], "log", "show the process's log"),
    Binding::new(HEALTH, keys::COPY, &["y"], "", "copy the process's name"),
    Binding::new(FLOW, keys::UP, &["up", "k"], "", "scroll up"),
    Binding::new(FLOW, keys::DOWN, &["down", "j"], "scroll", "scroll down"),
    Binding::new(FLOW, keys::PAGE_UP, &["pageup"], "", "scroll a page up"),
    Binding::new(FLOW, keys::PAGE_DOWN, &["pagedown"], "", "scroll a page down"),
    Binding::new(FLOW, keys::TOP, &["home", "g"], "", "to the beginning"),
    Binding::new(FLOW, keys::BOTTOM, &["end", "G"], "", "to the end"),
    Binding::new(ORDERS, keys::OPEN, &["enter", "t"], "timeline", "open the order's timeline"),
    Binding::new(ORDERS, keys::FILTER, &["f"], "status", "show the orders of the next status alone"),
    Binding::new(ORDERS, keys::SORT, &["s"], "sort", "the newest first, or what has changed last"),
    Binding::new(EVENTS, keys::OPEN, &["enter"], "detail", "show envelope and payload"),
    Binding::new(EVENTS, TIMELINE, &["t"], "timeline", "open the timeline of the event's order"),
    Binding::new(EVENTS, PAUSE, &["p"], "pause", "hold the list still, or let it go on"),
    Binding::new(LETTERS, keys::OPEN, &["enter"], "detail", "show reason, headers and payload"),
    Binding::new(LETTERS, REPLAY, &["r"], "replay", "apply the marked ones after all, or the chosen one"),
    Binding::new(LETTERS, EDIT, &["e"], "edit", "mend the chosen one"),
    Binding::new(LETTERS, DISCARD, &["d"], "discard", "give the marked ones up, or the chosen one"),
    Binding::new(LETTERS, keys::MARK, &["space"], "mark", "mark it, for what is done to several"),
    Binding::new(LETTERS, MARK_ALL, &["a"], "", "mark all that are shown, or none"),
    Binding::new(LETTERS, keys::FILTER, &["f"], "", "show open, replayed, discarded or all letters"),
    Binding::new(LETTERS, TIMELINE, &["t"], "", "open the timeline of the letter's order"),
    Binding::new(LETTER, REPLAY, &["r"], "replay", "apply it after all"),
    Binding::new(LETTER, EDIT, &["e"], "edit", "mend it"),
    Binding::new(LETTER, DISCARD, &["d"], "discard", "give it up"),
    Binding::new(LETTER, TIMELINE, &["t"], "", "open the timeline of its order"),
    Binding::new(EVENT, TIMELINE, &["t"], "timeline", "open the timeline of its order"),
    Binding::new(EVENT, PAUSE, &["p"], "", "hold the list still, or let it go on"),
    Binding::new(MENDING, keys::OPEN, &["enter"], "change", "change this value"),
    Binding::new(MENDING, ADD, &["a"], "add", "add a field here"),
    Binding::new(MENDING, REMOVE, &["x"], "remove", "take this field away"),
    Binding::new(MENDING, SAVE, &["s", "ctrl-s"], "save", "save the letter; replay it then"),
    Binding::new(MENDING, keys::BACK, &["esc"], "leave", "leave it as it was"),
    Binding::new(MENDING, keys::UP, &["up", "k"], "", "the field above"),
    Binding::new(MENDING, keys::DOWN, &["down", "j"], "", "the field below"),
    Binding::new(MENDING, keys::PAGE_UP, &["pageup"], "", "a page up"),
    Binding::new(MENDING, keys::PAGE_DOWN, &["pagedown"], "", "a page down"),
    Binding::new(MENDING, keys::TOP, &["home", "g"], "", "the first field"),
    Binding::new(MENDING, keys::BOTTOM, &["end", "G"], "", "the last field"),
    Binding::new(MENDING_ONE, keys::OPEN, &["enter"], "take", "take this value"),
    Binding::new(MENDING_ONE, keys::BACK, &["esc"], "leave", "leave the value as it was"),
    Binding::new(AUDIT, keys::OPEN, &["enter"], "detail", "show all of the entry"),
    Binding::new(AUDIT, VERIFY, &["v"], "verify", "check that no entry was altered or taken away"),
    Binding::new(LOGS, PREVIOUS, &["left", "h"], "", "the process before"),
    Binding::new(LOGS, NEXT, &["right", "l"], "process", "the next process"),
    Binding::new(LOGS, keys::FILTER, &["f"], "level", "all lines, or warnings and errors alone"),
    Binding::new(LOGS, PAUSE, &["p"], "pause", "hold the log still, or let it go on"),
    Binding::new(LOGS, keys::OPEN, &["enter"], "line", "show the whole line"),
    Binding::new(DETAIL, keys::BACK, &["esc", "enter"], "close", "close the detail"),
    Binding::new(DETAIL, keys::UP, &["up", "k"], "", "scroll up"),
    Binding::new(DETAIL, keys::DOWN, &["down", "j"], "", "scroll down"),
    Binding::new(DETAIL, keys::PAGE_UP, &["pageup", "ctrl-b"], "", "scroll a page up"),
    Binding::new(DETAIL, keys::PAGE_DOWN, &["pagedown", "ctrl-f"], "", "scroll a page down"),
    Binding::new(DETAIL, keys::TOP, &["home", "g"], "", "to the beginning"),
    Binding::new(DETAIL, keys::BOTTOM, &["end", "G"], "", "to the end"),
    Binding::new(DETAIL, PREVIOUS, &["left", "h"], "", "the one above it in the list"),
    Binding::new(DETAIL, NEXT, &["right", "l"], "next", "the one below it in the list"),
    Binding::new(DETAIL, keys::COPY, &["y"], "copy", "copy the id"),
];
