//! The keys of a timeline, and of an event that is open in it.

use crate::keys::{self, Action, Binding, Scope};

/// What works in a timeline.
pub const TIMELINE: Scope = Scope("timeline");
/// What works while one of its events is open.
pub const EVENT: Scope = Scope("event");

/// Stays at the newest event.
pub const FOLLOW: Action = Action("timeline.follow");
/// Goes to the event that led to the chosen one.
pub const CAUSE: Action = Action("timeline.cause");
/// Copies the order as a diagram.
pub const DIAGRAM: Action = Action("timeline.diagram");
/// Opens the event after.
pub const NEXT_EVENT: Action = Action("timeline.next");
/// Opens the event before.
pub const PREVIOUS_EVENT: Action = Action("timeline.previous");

/// The keys of the timeline.
pub const BINDINGS: &[Binding] = &[
    Binding::new(TIMELINE, keys::OPEN, &["enter"], "open", "open the event: envelope, times, payload, headers"),
    Binding::new(TIMELINE, keys::BACK, &["esc"], "back", "close the timeline"),
    Binding::new(TIMELINE, FOLLOW, &["f"], "follow", "stay at the newest event, or stop it"),
    Binding::new(TIMELINE, CAUSE, &["o"], "cause", "go to the event that led to this one"),
    Binding::new(TIMELINE, DIAGRAM, &["m"], "diagram", "copy the order as a sequence diagram for Mermaid"),
    Binding::new(TIMELINE, keys::COPY, &["y"], "copy id", "copy the order's id"),
    Binding::new(TIMELINE, keys::UP, &["up", "k"], "", "the event before"),
    Binding::new(TIMELINE, keys::DOWN, &["down", "j"], "", "the event after"),
    Binding::new(TIMELINE, keys::PAGE_UP, &["pageup", "ctrl-b"], "", "one page up"),
    Binding::new(TIMELINE, keys::PAGE_DOWN, &["pagedown", "ctrl-f"], "", "one page down"),
    Binding::new(TIMELINE, keys::TOP, &["home", "g"], "", "the first event"),
    Binding::new(TIMELINE, keys::BOTTOM, &["end", "G"], "", "the newest event"),
    Binding::new(EVENT, keys::BACK, &["esc", "enter"], "close", "close the event"),
    Binding::new(EVENT, PREVIOUS_EVENT, &["left", "h"], "before", "the event before"),
    Binding::new(EVENT, NEXT_EVENT, &["right", "l"], "after", "the event after"),
    Binding::new(EVENT, CAUSE, &["o"], "cause", "the event that led to this one"),
    Binding::new(EVENT, keys::COPY, &["y"], "copy id", "copy the event's id"),
    Binding::new(EVENT, DIAGRAM, &["m"], "", "copy the order as a sequence diagram for Mermaid"),
    Binding::new(EVENT, keys::UP, &["up", "k"], "", "up: in the lanes beside it, or in the event"),
    Binding::new(EVENT, keys::DOWN, &["down", "j"], "", "down: in the lanes beside it, or in the event"),
    Binding::new(EVENT, keys::PAGE_UP, &["pageup", "ctrl-b"], "", "one page up in the event"),
    Binding::new(EVENT, keys::PAGE_DOWN, &["pagedown", "ctrl-f", "space"], "", "one page down in the event"),
    Binding::new(EVENT, keys::TOP, &["home", "g"], "", "the event's first line"),
    Binding::new(EVENT, keys::BOTTOM, &["end", "G"], "", "the event's last line"),
];
