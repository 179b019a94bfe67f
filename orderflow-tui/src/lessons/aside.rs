//! What stands beside a step's text: what to press, what is waited for, and what was heard of the order.

use orderflow_contracts::api::console::Role;
use ratatui::text::{Line, Span};

use super::{
    HELP, NEXT, TOUR,
    course::{Look, Press, Until},
    draw::{key_of, life},
    tour::{Note, Tour},
    words::{signed, wrap},
};
use crate::{
    keys::{self, KeyMap},
    text,
    theme::Theme,
};

/// All of it, the most important first.
pub fn aside(tour: &Tour, columns: usize, theme: &Theme, keys: &KeyMap) -> Vec<Line<'static>> {
    let mut lines = state(tour, columns, theme, keys);
    lines.extend(note(tour, columns, theme, keys));
    lines.extend(warnings(tour, columns, theme));
    let presses = presses(tour, columns, theme, keys);
    if !presses.is_empty() && !lines.is_empty() {
        lines.push(Line::raw(""));
    }
    lines.extend(presses);
    if let Some(order) = tour.heard.mine() {
        lines.push(Line::raw(""));
        lines.push(Line::styled(format!("your order {}", text::short(order)), theme.muted));
        lines.extend(life(tour, columns, theme));
    }
    lines
}

/// Which desk, and its keys.
fn presses(tour: &Tour, columns: usize, theme: &Theme, keys: &KeyMap) -> Vec<Line<'static>> {
    let step = tour.step();
    let mut lines = Vec::new();
    if let Some(place) = step.at {
        let desk = match place.role {
            Role::Customer => keys::CUSTOMER,
            Role::Seller => keys::SELLER,
            Role::Admin => keys::ADMIN,
        };
        let key = key_of(keys::EVERYWHERE, desk, keys);
        lines.push(Line::from(vec![
            Span::styled(format!("{key:<8}"), theme.accent),
            Span::styled(format!("the {}'s desk", place.role.as_str()), theme.role(place.role)),
            Span::styled(format!(": {}", place.screen), theme.muted),
        ]));
    }
    for press in step.press {
        let key = key_for(press, keys);
        lines.extend(signed(&format!("{key:<7}"), theme.accent, press.does, columns, theme.text, theme));
    }
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
    let help = key_of(TOUR, HELP, keys);
    if let Some(busy) = &tour.busy {
        return signed("…", theme.warn, &format!("{} …", busy.said), columns, theme.warn, theme);
    }
    if let Some(trouble) = &tour.trouble {
        let mut lines = signed("✗", theme.bad, &trouble.why, columns, theme.bad, theme);
        let again = if trouble.is_unknown {
            format!("Whether it was done is not known. *{help}* asks again, with the same key.")
        } else {
            format!("*{help}* tries again.")
        };
        lines.extend(wrap(&again, columns, theme.muted, theme));
        return lines;
    }
    let mut lines = waits_for(tour, columns, theme);
    let next = key_of(TOUR, NEXT, keys);
    if tour.is_learnt() {
        lines.extend(signed("✓", theme.good, "Lesson done.", columns, theme.good, theme));
        lines.extend(wrap(&format!("*{next}* goes to the list."), columns, theme.muted, theme));
    } else if !tour.found.is_empty() && !tour.is_done() {
        let words = format!("Not all is as it must be. *{help}* looks again.");
        lines.extend(signed("✗", theme.bad, &words, columns, theme.text, theme));
    } else if tour.is_done() {
        lines.extend(wrap(&format!("*{next}* goes on."), columns, theme.muted, theme));
    } else if let Some(help_of_step) = tour.step().help {
        let words = if matches!(help_of_step, super::course::Help::Break(_) | super::course::Help::MoveClock(_)) {
            format!("*{help}* does it.")
        } else {
            format!("*{help}* does it for you.")
        };
        lines.extend(wrap(&words, columns, theme.muted, theme));
    }
    lines
}

/// A mark for each thing that has to happen.
fn waits_for(tour: &Tour, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mark = |is_there: bool, words: &str| {
        let (sign, style) = if is_there { ("✓", theme.good) } else { ("○", theme.warn) };
        signed(sign, style, words, columns, if is_there { theme.text } else { theme.warn }, theme)
    };
    match tour.step().until {
        Until::Read => Vec::new(),
        Until::Heard(events) => events.iter().flat_map(|event| mark(tour.heard.has(event), event)).collect(),
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

const fn looks_for(look: Look) -> &'static str {
    match look {
        Look::Restarted => "orders started again",
        Look::Waits => "an event that waits in the outbox",
        Look::CameTwice => "an event that came twice",
        Look::BeingPaid => "a payment without an answer",
        Look::Stuck => "orders dead and back, the order CONFIRMING",
    }
}

fn note(tour: &Tour, columns: usize, theme: &Theme, keys: &KeyMap) -> Vec<Line<'static>> {
    let words = match tour.note {
        None => return Vec::new(),
        Some(Note::OneMoment) => "One moment, please.".to_owned(),
        Some(Note::NotDone) => {
            format!("This step is not done yet. *{}* once more skips it.", key_of(TOUR, NEXT, keys))
        }
        Some(Note::NoOrder) => "There is no order in this lesson yet.".to_owned(),
        Some(Note::OtherProduct) => {
            format!("That was something else: this lesson is about {}.", tour.lesson.piece.name)
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
