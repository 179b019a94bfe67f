//! The panel: the list of lessons, or the step that is at hand.
//!
//! ```text
//!   narrow: text                    wide: text     │ keys
//!           keys                                   │ what is waited for
//!           what is waited for                     │ the order
//!           the order
//! ```

use orderflow_client::view;
use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use super::{
    LESSONS, LIST, Lessons, TOUR,
    aside::aside,
    tour::Tour,
    words::{signed, wrap},
};
use crate::{
    keys::{self, Action, KeyMap, Scope},
    login, text,
    theme::Theme,
    widgets::{
        frames,
        list::{Column, Table},
    },
};

/// From this width on, text and keys stand side by side.
const WIDE_FROM: u16 = 66;
/// What is beside the text, there.
const ASIDE_WIDTH: u16 = 32;
/// Fewer rows have no room for more than the text, and no border.
const HEIGHT_TIGHT: u16 = 6;
/// From this width on, the key that scrolls stands where there is more to read.
const MORE_WITH_KEY_FROM: u16 = 30;
/// From this width on, the lesson's keys stand in its border.
const WITH_KEYS_FROM: u16 = 36;

const COLUMNS: [Column; 4] = [
    Column::new("", 1, 9),
    Column::new("", 1, 9),
    Column::new("lesson", 34, 9),
    Column::new("what it is about", 35, 1).grows(),
];

impl Lessons {
    /// Draws it.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, theme: &Theme, keys: &KeyMap) {
        match self.tour.take() {
            Some(tour) => {
                self.draw_tour(&tour, frame, area, theme, keys);
                self.tour = Some(tour);
            }
            None => self.draw_list(frame, area, theme, keys),
        }
    }

    fn draw_list(&mut self, frame: &mut Frame<'_>, area: Rect, theme: &Theme, keys: &KeyMap) {
        let done = LESSONS.iter().filter(|lesson| self.is_learnt(lesson.name)).count();
        let title = vec![
            Span::styled(" lessons ", theme.accent),
            Span::styled(format!("{done} of {} done ", LESSONS.len()), theme.muted),
        ];
        let inside = padded(frames::framed(frame, area, Line::from(title), true, theme));
        if !self.can_play {
            let words = nowhere(keys);
            frame.render_widget(text_of(wrap(&words, usize::from(inside.width), theme.warn, theme)), inside);
            return;
        }
        let wide = inside.width >= WIDE_FROM;
        let below = self.below_list(inside.width, wide, theme, keys);
        // A row for the titles of columns, and one for each lesson.
        let (table, foot) = frames::head(inside, u16::try_from(LESSONS.len() + 1).unwrap_or(u16::MAX));
        let learnt: Vec<bool> = LESSONS.iter().map(|lesson| self.is_learnt(lesson.name)).collect();
        let list = Table { columns: &COLUMNS, len: LESSONS.len(), focused: true, empty: "", theme };
        list.draw(frame, table, &mut self.list, |row| {
            let lesson = LESSONS[row];
            let mark = if learnt[row] { Span::styled("✓", theme.good) } else { Span::raw(" ") };
            vec![
                Line::from(mark),
                Line::styled((row + 1).to_string(), theme.muted),
                Line::raw(lesson.title),
                Line::styled(lesson.learns, theme.muted),
            ]
        });
        frame.render_widget(text_of(below), foot);
    }

    fn is_learnt(&self, name: &str) -> bool {
        self.learnt.iter().any(|done| done == name)
    }

    /// What there is to say about the chosen lesson, where the list has no room for it.
    fn below_list(&self, width: u16, wide: bool, theme: &Theme, keys: &KeyMap) -> Vec<Line<'static>> {
        let Some(lesson) = self.list.chosen(LESSONS.len()).map(|chosen| LESSONS[chosen]) else { return Vec::new() };
        let columns = usize::from(width);
        let mut lines = vec![Line::raw("")];
        if !wide {
            lines.extend(wrap(&format!("About: {}.", lesson.learns), columns, theme.text, theme));
        }
        let minutes = if self.is_learnt(lesson.name) { "Done before. " } else { "" };
        let lab = if lesson.lab { "Needs a laboratory: `orderflow up --lab`. " } else { "" };
        let key = key_of(LIST, super::BEGIN, keys);
        lines.extend(wrap(&format!("{minutes}{lab}*{key}* begins it."), columns, theme.muted, theme));
        lines
    }

    fn draw_tour(&mut self, tour: &Tour, frame: &mut Frame<'_>, area: Rect, theme: &Theme, keys: &KeyMap) {
        let body = padded(frames::framed(frame, area, head(tour, area.width, theme), false, theme));
        if body.is_empty() {
            return;
        }
        self.draw_step(tour, frame, area.height, body, theme, keys);
        draw_keys(tour, self.has_more_of(tour), frame, area, theme, keys);
    }

    /// The text, and what is beside it or below it. `height` is the whole panel's.
    fn draw_step(&mut self, tour: &Tour, frame: &mut Frame<'_>, height: u16, body: Rect, theme: &Theme, keys: &KeyMap) {
        // Where every row counts, the step goes without its title.
        let skipped = usize::from(height < HEIGHT_TIGHT);
        self.skipped = skipped;
        if body.width >= WIDE_FROM {
            let aside_width = ASIDE_WIDTH.max(body.width / 3).min(body.width / 2);
            let left = Rect { width: body.width - aside_width - 2, ..body };
            let right = Rect { x: left.right() + 2, width: aside_width, ..body };
            self.draw_text(tour, frame, left, theme, keys);
            let (columns, rows) = (usize::from(right.width), usize::from(right.height));
            let beside = aside(tour, columns, rows, self.has_more_of(tour), theme, keys);
            frame.render_widget(text_of(beside), right);
            return;
        }
        // The text has half of the room at least, and what is not needed.
        let needed = text_lines(tour, usize::from(body.width), theme).len().saturating_sub(skipped);
        let most = usize::from(body.height).saturating_sub(needed + 1).max(usize::from(body.height / 2));
        let mut beside = aside(tour, usize::from(body.width), most, false, theme, keys);
        beside.truncate(most);
        let rows = u16::try_from(beside.len()).unwrap_or(0);
        let gap = u16::from(body.height >= HEIGHT_TIGHT + 2);
        let room = body.height.saturating_sub(rows + gap);
        let height = room.min(u16::try_from(needed).unwrap_or(u16::MAX));
        self.draw_text(tour, frame, Rect { height, ..body }, theme, keys);
        if self.has_more_of(tour) {
            // The same rows with other words: only now is it known how much of the text is seen.
            beside = aside(tour, usize::from(body.width), most, true, theme, keys);
            beside.truncate(usize::from(rows));
        }
        let y = body.y + height + gap.min(body.height - height);
        let place = Rect { y, height: (body.bottom() - y).min(rows), ..body };
        frame.render_widget(text_of(beside), place);
    }

    fn has_more_of(&self, tour: &Tour) -> bool {
        tour.has_found() && self.scroll < self.scroll_max
    }

    fn draw_text(&mut self, tour: &Tour, frame: &mut Frame<'_>, area: Rect, theme: &Theme, keys: &KeyMap) {
        let lines: Vec<Line<'static>> =
            text_lines(tour, usize::from(area.width), theme).into_iter().skip(self.skipped).collect();
        let height = usize::from(area.height);
        self.scroll_max = lines.len().saturating_sub(height);
        self.page = height.saturating_sub(1).max(1);
        let first = self.scroll.min(self.scroll_max);
        let rest = lines.len().saturating_sub(first + height);
        frame.render_widget(text_of(lines.into_iter().skip(first).take(height).collect()), area);
        if rest > 0 && area.height > 1 && area.width > 20 {
            let key = key_of(TOUR, super::DOWN, keys);
            let more = if area.width >= MORE_WITH_KEY_FROM { format!(" ▼ {key}") } else { "▼".to_owned() };
            let wide = u16::try_from(text::width(&more)).unwrap_or(area.width).min(area.width);
            let place = Rect { x: area.right() - wide, y: area.bottom() - 1, width: wide, height: 1 };
            frame.render_widget(Line::styled(more, theme.accent), place);
        }
    }
}

/// What there is to do where no lesson can be played. The desk behind the lessons offers it, if it can be done from here.
fn nowhere(keys: &KeyMap) -> String {
    let close = key_of(LIST, super::LEAVE, keys);
    let start = key_of(login::NO_CLUSTER, login::START, keys);
    let lab = key_of(login::NO_CLUSTER, login::START_LAB, keys);
    format!(
        "Lessons play with test accounts on a cluster of this machine, and none runs here. *{close}* closes the lessons; \
         where the desk offers it, *{start}* starts a cluster, and *{lab}* a laboratory, which lesson 8 needs. In a \
         shell: orderflow up --detach"
    )
}

/// Text does not stick to a border, where there is room.
fn padded(area: Rect) -> Rect {
    let by = u16::from(area.width >= WITH_KEYS_FROM);
    Rect { x: area.x + by, width: area.width - 2 * by, ..area }
}

fn head(tour: &Tour, width: u16, theme: &Theme) -> Line<'static> {
    let number = LESSONS.iter().position(|lesson| lesson.name == tour.lesson.name).unwrap_or(0) + 1;
    let title = format!(" {number} {} ", tour.lesson.title);
    let step = format!("{}/{} ", tour.at + 1, tour.lesson.steps.len());
    let room = usize::from(width).saturating_sub(text::width(&step) + 2);
    Line::from(vec![Span::styled(text::cut(&title, room), theme.accent), Span::styled(step, theme.muted)])
}

/// The step's title and text, and what was found in the end.
pub(super) fn text_lines(tour: &Tour, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let step = tour.step();
    let mut lines = vec![Line::styled(text::cut(step.title, columns), theme.accent)];
    // The text stays: a check can be faster than anybody reads.
    lines.extend(wrap(&named(step.text, tour), columns, theme.text, theme));
    let found = if tour.has_found() { tour.found.as_slice() } else { &[] };
    if !found.is_empty() {
        lines.push(Line::raw(""));
    }
    for finding in found {
        let (sign, style) = if finding.ok { ("✓", theme.good) } else { ("✗", theme.bad) };
        lines.extend(signed(sign, style, &finding.text, columns, theme.text, theme));
    }
    if tour.is_learnt() {
        lines.push(Line::raw(""));
        lines.extend(wrap(tour.lesson.end, columns, theme.good, theme));
    }
    lines
}

/// With the product's name.
pub(super) fn named(words: &str, tour: &Tour) -> String {
    let name = tour.scene.as_ref().map_or(tour.lesson.piece.name, |scene| &scene.product.name);
    words.replace("{product}", name)
}

/// The lesson's own keys stand in the border, if there is one: they always work, and the text needs the room.
fn draw_keys(tour: &Tour, more: bool, frame: &mut Frame<'_>, area: Rect, theme: &Theme, keys: &KeyMap) {
    if area.height < HEIGHT_TIGHT || area.width < WITH_KEYS_FROM {
        return;
    }
    let line = keys_line(tour, more, theme, keys);
    let width = u16::try_from(line.width()).unwrap_or(u16::MAX).min(area.width - 4);
    frame.render_widget(line, Rect { x: area.x + 2, y: area.bottom() - 1, width, height: 1 });
}

fn keys_line(tour: &Tour, more: bool, theme: &Theme, keys: &KeyMap) -> Line<'static> {
    let next = match (more, tour.is_learnt()) {
        (true, _) => "more",
        (false, true) => "lessons",
        (false, false) => "next",
    };
    let back = if tour.at == 0 { "lessons" } else { "back" };
    let shown = [(TOUR, super::BACK, back), (TOUR, super::NEXT, next), (keys::EVERYWHERE, keys::LESSONS, "close")];
    let mut spans = Vec::new();
    let offered = shown.into_iter().filter(|(_, action, _)| *action != super::NEXT || tour.can_go_on());
    for (at, (scope, action, word)) in offered.enumerate() {
        spans.push(Span::styled(if at == 0 { " " } else { "· " }, theme.muted));
        spans.push(Span::styled(key_of(scope, action, keys), theme.accent));
        spans.push(Span::styled(format!(" {word} "), theme.muted));
    }
    Line::from(spans)
}

/// The key of an action, as it is now.
pub(super) fn key_of(scope: Scope, action: Action, keys: &KeyMap) -> String {
    let binding = keys::all().find(|binding| binding.scope == scope && binding.action == action);
    let key = binding.and_then(|binding| keys.key_of(binding));
    key.map_or_else(|| "·".to_owned(), |key| key.to_string())
}

/// What was heard of the order, as a chain of words.
pub(super) fn life(tour: &Tour, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let (mut spans, mut taken) = (Vec::new(), 0);
    for event in tour.heard.events() {
        let what = view::what(&event);
        let word = format!("{} {}", what.tone.glyph(), what.word);
        let wide = text::width(&word) + 2;
        if taken + wide > columns + 2 && taken > 0 {
            lines.push(Line::from(std::mem::take(&mut spans)));
            taken = 0;
        }
        spans.push(Span::styled(format!("{word}  "), theme.tone(what.tone)));
        taken += wide;
    }
    if !spans.is_empty() {
        lines.push(Line::from(spans));
    }
    lines
}

pub(super) fn text_of(lines: Vec<Line<'static>>) -> ratatui::text::Text<'static> {
    ratatui::text::Text::from(lines)
}
