//! What stands beside a step's text: what to press, what is waited for, and what was heard of the order.

use orderflow_client::view;
use orderflow_contracts::api::console::Role;
use ratatui::{
    style::Style,
    text::{Line, Span},
};

use super::{
    HELP, NEXT, TOUR,
    course::{Help, Look, Press, TIMELINE, Until},
    draw::{key_of, life, named},
    tour::{Note, Tour},
    words::{signed, wrap},
};
use crate::{
    desk::Screens,
    keys::{self, KeyMap},
    text,
    theme::Theme,
};

/// All of it. Where there are too few rows, what is waited for comes first. `more`: the text has more than is seen.
pub fn aside(tour: &Tour, columns: usize, rows: usize, more: bool, theme: &Theme, keys: &KeyMap) -> Vec<Line<'static>> {
    let presses = presses(tour, columns, more, theme, keys);
    let mut state = state(tour, columns, theme, keys);
    state.extend(note(tour, columns, theme, keys));
    state.extend(warnings(tour, columns, theme));
    let order = tour.heard.mine().map_or_else(Vec::new, |order| {
        let mut lines = vec![Line::styled(format!("your order {}", text::short(order)), theme.muted)];
        lines.extend(life(tour, columns, theme));
        lines
    });
    if presses.len() + state.len() + order.len() + 2 <= rows {
        return joined([presses, state, order], true);
    }
    joined([state, presses, order], false)
}

fn joined(parts: [Vec<Line<'static>>; 3], with_gaps: bool) -> Vec<Line<'static>> {
    let mut lines: Vec<Line<'static>> = Vec::new();
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        if with_gaps && !lines.is_empty() {
            lines.push(Line::raw(""));
        }
        lines.extend(part);
    }
    lines
}

/// Which desk, and its keys; then the lesson's own.
fn presses(tour: &Tour, columns: usize, more: bool, theme: &Theme, keys: &KeyMap) -> Vec<Line<'static>> {
    let step = tour.step();
    let mut lines = Vec::new();
    // What was to be done is done, and the one key that is left goes on.
    let is_over = tour.is_done() && step.until != Until::Read;
    let row = |key: &str, does: &str, style| signed(&format!("{key:<7}"), theme.accent, does, columns, style, theme);
    if let Some(place) = step.at.filter(|_| !is_over) {
        let desk = match place.role {
            Role::Customer => keys::CUSTOMER,
            Role::Seller => keys::SELLER,
            Role::Admin => keys::ADMIN,
        };
        let mut key = key_of(keys::EVERYWHERE, desk, keys);
        let screen = Screens::names(place.role).iter().position(|title| *title == place.screen);
        if let Some(screen) = screen.and_then(|screen| keys::SCREENS.get(screen)) {
            key = format!("{key} {}", key_of(keys::EVERYWHERE, *screen, keys));
        }
        let words = format!("{}'s desk, {}", place.role.as_str(), place.screen);
        lines.extend(row(&key, &words, theme.role(place.role)));
    }
    let pressed = step
        .press
        .iter()
        .filter(|_| !is_over || step.press == [TIMELINE])
        .flat_map(|press| row(&key_for(press, keys), press.does, theme.text));
    // Where the lesson has to do it, that comes first.
    let does = matches!(step.help, Some(Help::Break(_) | Help::MoveClock(_) | Help::Mend));
    let (above, below): (Vec<_>, Vec<_>) =
        if does { (Vec::new(), pressed.collect()) } else { (pressed.collect(), Vec::new()) };
    lines.extend(above);
    let (help, next) = (key_of(TOUR, HELP, keys), key_of(TOUR, NEXT, keys));
    match step.help {
        _ if more => lines.extend(row(&next, "reads on", theme.text)),
        _ if tour.is_learnt() => lines.extend(row(&next, "goes to the list", theme.text)),
        _ if tour.busy.is_some() => {}
        Some(_) if tour.is_failed() => lines.extend(row(&help, "tries again", theme.text)),
        _ if tour.is_done() => lines.extend(row(&next, "goes on", theme.text)),
        Some(_) if tour.is_helped() => {}
        Some(_) if does => lines.extend(row(&help, "does it", theme.text)),
        Some(_) => lines.extend(row(&help, "does it for you", theme.muted)),
        None => {}
    }
    lines.extend(below);
    lines
}

/// The key of the first of the actions that there is.
fn key_for(press: &Press, keys: &KeyMap) -> String {
    let bindings = press.actions.iter().flat_map(|name| keys::all().filter(move |binding| binding.action.0 == *name));
    let key = bindings.filter_map(|binding| keys.key_of(binding)).next();
    key.map_or_else(|| "·".to_owned(), |key| key.to_string())
}

/// Whether it is done, is being done, has come to nothing, or what it waits for.
fn state(tour: &Tour, columns: usize, theme: &Theme, keys: &KeyMap) -> Vec<Line<'static>> {
    if let Some(busy) = &tour.busy {
        return signed("…", theme.warn, &busy.said, columns, theme.warn, theme);
    }
    if let Some(trouble) = &tour.trouble {
        let mut lines = signed("✗", theme.bad, &trouble.why, columns, theme.bad, theme);
        if trouble.is_unknown {
            let help = key_of(TOUR, HELP, keys);
            let words = format!("Whether it was done is not known: *{help}* asks again, with the same key.");
            lines.extend(wrap(&words, columns, theme.text, theme));
        }
        return lines;
    }
    if tour.is_learnt() {
        return signed("✓", theme.good, "Lesson done.", columns, theme.good, theme);
    }
    if !tour.found.is_empty() && !tour.is_done() {
        return signed("✗", theme.bad, "Not all is as it must be.", columns, theme.bad, theme);
    }
    waits_for(tour, columns, theme)
}

/// A mark for each thing that has to happen.
fn waits_for(tour: &Tour, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mark = |is_there: bool, words: &str| {
        let (sign, style, said) = marked(is_there, theme);
        signed(sign, style, words, columns, said, theme)
    };
    match tour.step().until {
        Until::Read => Vec::new(),
        Until::Heard(events) => {
            events.iter().map(|event| with_type(tour.heard.has(event), event, columns, theme)).collect()
        }
        Until::Decided => mark(tour.is_done(), "both orders confirmed or cancelled"),
        Until::Helped => {
            if tour.is_done() && !tour.is_learnt() {
                mark(true, "done")
            } else {
                Vec::new()
            }
        }
        Until::Seen(look) => match &tour.seen[tour.at] {
            Some(seen) => mark(true, seen),
            None => mark(false, looks_for(look)),
        },
    }
}

/// The sign of what has happened or has not yet, and the styles of sign and words.
const fn marked(is_there: bool, theme: &Theme) -> (&'static str, Style, Style) {
    if is_there { ("✓", theme.good, theme.text) } else { ("○", theme.warn, theme.warn) }
}

/// An event by its word in the timeline, and its type where there is room: the texts of the lessons name some.
fn with_type(is_there: bool, event: &str, columns: usize, theme: &Theme) -> Line<'static> {
    let (sign, style, said) = marked(is_there, theme);
    let mut spans = vec![Span::styled(format!("{sign} "), style), Span::styled(view::what(event).word, said)];
    let beside = format!("  {event}");
    if spans.iter().map(Span::width).sum::<usize>() + text::width(&beside) <= columns {
        spans.push(Span::styled(beside, theme.muted));
    }
    Line::from(spans)
}

const fn looks_for(look: Look) -> &'static str {
    match look {
        Look::Restarted => "orders started again",
        Look::Waits => "an event that waits in the outbox",
        Look::CameTwice => "an event that came twice",
        Look::BeingPaid => "a payment without an answer",
        Look::Stuck => "orders dead and back, the order CONFIRMING",
        Look::Wasted => "the trap sprung by something else",
    }
}

fn note(tour: &Tour, columns: usize, theme: &Theme, keys: &KeyMap) -> Vec<Line<'static>> {
    let words = match tour.note() {
        None => return Vec::new(),
        Some(Note::OneMoment) => "One moment, please.".to_owned(),
        Some(Note::NotDone) => {
            format!("This step is not done yet. *{}* once more skips it.", key_of(TOUR, NEXT, keys))
        }
        Some(Note::NoOrder) => "There is no order in this lesson yet.".to_owned(),
        Some(Note::OtherOrder) => {
            let order = tour.heard.mine().map(text::short).unwrap_or_default();
            let help = key_of(TOUR, HELP, keys);
            format!("The trap has struck, but not at your order {order}: that was another. *{help}* sets it again.")
        }
        Some(Note::OtherProduct) => {
            format!("That was something else: what this lesson wants is called {}.", named("{product}", tour))
        }
    };
    signed("!", theme.warn, &words, columns, theme.warn, theme)
}

/// At the begin: what may make the lesson go another way.
fn warnings(tour: &Tour, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let Some(scene) = tour.scene.as_ref().filter(|_| tour.at == 0) else { return Vec::new() };
    let mut lines = Vec::new();
    for warning in &scene.warnings {
        lines.extend(signed("!", theme.warn, warning, columns, theme.warn, theme));
    }
    if !scene.known.is_empty() {
        let words = format!("verify finds {} things that are wrong already; they do not count here", scene.known.len());
        lines.extend(signed("!", theme.warn, &words, columns, theme.warn, theme));
    }
    lines
}
