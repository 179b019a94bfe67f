//! The screen: head, lanes, the chosen event in a line, and where the order stands.

use orderflow_client::why::span;
use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use super::{
    Placed, Reading, Timeline,
    detail::Event,
    head,
    lanes::{self, Columns, Lanes},
    rail, standing,
};
use crate::{cx::Show, text, widgets::frames};

/// From this height on there is room for everything.
const HIGH_FROM: u16 = 14;
/// From this width on an open event stands beside the lanes.
const BESIDE_FROM: u16 = 130;
/// From so many spare rows on the chosen event is shown without being opened.
const PREVIEW_FROM: u16 = 16;
/// Two of its parts stand side by side from this width on.
const PREVIEW_BESIDE_FROM: u16 = 110;
/// Columns of an open event there: two fifths, but as many as an id needs, and no more than are read with ease.
const BESIDE_WIDTH: (u16, u16) = (62, 84);

pub(super) fn draw(timeline: &mut Timeline, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
    timeline.placed = Placed { first: timeline.placed.first, ..Placed::default() };
    let (top, rest) = frames::head(area, if area.height >= HIGH_FROM { 2 } else { 1 });
    let order = timeline.order(show.books);
    let known = timeline.asking.known().filter(|known| order.is_some_and(|it| it.status == known.facts.order.status));
    let stands = known.map(|known| known.explanation.stands.as_str());
    head::draw(frame, top, &head::Head { id: timeline.id, order, stands }, show.now, show.theme);
    if timeline.view.rows.is_empty() {
        draw_nothing(timeline, frame, rest, show);
        return;
    }
    if timeline.event.is_some() && area.width < BESIDE_FROM {
        timeline.placed.is_event_alone = true;
        draw_rule(frame, frames::head(rest, 1).0, "event", &position(timeline), show);
        draw_event(timeline, frame, frames::head(rest, 1).1, show);
        return;
    }
    let (left, right) = beside(timeline, rest);
    if let Some(right) = right {
        for y in right.y..right.bottom() {
            frame.buffer_mut().set_string(right.x, y, "│", show.theme.border);
        }
        let inside = Rect { x: right.x + 2, width: right.width.saturating_sub(2), ..right };
        draw_event(timeline, frame, inside, show);
    }
    draw_story(timeline, frame, left, show);
}

/// The lanes' place, and beside it that of an open event.
fn beside(timeline: &Timeline, area: Rect) -> (Rect, Option<Rect>) {
    if timeline.event.is_none() {
        return (area, None);
    }
    let wanted = (area.width / 5 * 2).clamp(BESIDE_WIDTH.0, BESIDE_WIDTH.1);
    let width = area.width.saturating_sub(wanted);
    let right = Rect { x: area.x + width, width: wanted.min(area.width), ..area };
    (Rect { width: width.saturating_sub(1), ..area }, Some(right))
}

/// Lanes above, where it stands below.
fn draw_story(timeline: &mut Timeline, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
    let order = timeline.order(show.books);
    let is_high = area.height + 2 >= HIGH_FROM;
    let most = if is_high { (area.height / 3).max(3) } else { area.height / 3 };
    let titles = u16::from(is_high);
    let room = (area.width, most.saturating_sub(titles));
    let lines = standing::lines(&timeline.asking, order, show.now, room, show.theme);
    let wanted = u16::try_from(lines.len()).unwrap_or(most).saturating_add(titles).min(most);
    let (above, below) = frames::foot(area, wanted);
    let (above, chosen) = frames::foot(above, under_lanes(timeline, above, is_high));
    draw_lanes(timeline, frame, above, show);
    if chosen.height > 1 {
        draw_preview(timeline, frame, chosen, show);
    } else {
        draw_chosen(timeline, frame, chosen, show);
    }
    let (title, below) = frames::head(below, titles);
    let as_of = timeline.asking.as_of().map(|at| format!("as of {} UTC", text::clock(at)));
    draw_rule(frame, title, "why", &as_of.unwrap_or_default(), show);
    draw_lines(frame, below, lines);
}

/// Rows below the lanes: none, one for the chosen event in words, or what the lanes do not need, for all of it.
fn under_lanes(timeline: &Timeline, area: Rect, is_high: bool) -> u16 {
    let rows = timeline.view.rows.len() + timeline.view.ahead.len() + 2;
    let spare = area.height.saturating_sub(u16::try_from(rows).unwrap_or(u16::MAX));
    if timeline.event.is_none() && spare >= PREVIEW_FROM { spare } else { u16::from(is_high) }
}

fn draw_rule(frame: &mut Frame<'_>, line: Rect, name: &str, right: &str, show: &Show<'_>) {
    let theme = show.theme;
    let rule = usize::from(line.width).saturating_sub(name.len() + right.len() + 4);
    frame.render_widget(
        Line::from(vec![
            Span::styled("─ ", theme.border),
            Span::styled(name.to_owned(), theme.accent),
            Span::styled(format!(" {} ", "─".repeat(rule)), theme.border),
            Span::styled(right.to_owned(), theme.muted),
        ]),
        line,
    );
}

fn position(timeline: &Timeline) -> String {
    format!("{} of {}", timeline.chosen + 1, timeline.view.rows.len())
}

fn draw_lanes(timeline: &mut Timeline, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
    let has_lanes = area.width >= lanes::WIDTH_MIN;
    let (title, body) = frames::head(area, u16::from(has_lanes && area.height > 2));
    let theme = show.theme;
    let lanes = Lanes { columns: Columns::of(area.width), theme };
    if !title.is_empty() {
        lanes.head(frame.buffer_mut(), title);
        if timeline.follows && !timeline.view.ahead.is_empty() {
            head::sides(frame, title, Line::default(), Line::styled("following", theme.muted));
        }
    }
    let first = scrolled(timeline, usize::from(body.height));
    (timeline.placed.rows, timeline.placed.first) = (body, first);
    let rails = rail::of(&timeline.view.rows);
    let count = timeline.view.rows.len();
    for (index, y) in (first..count + timeline.view.ahead.len()).zip(body.y..body.bottom()) {
        let line = Rect { y, height: 1, ..body };
        let buffer = frame.buffer_mut();
        match (timeline.view.rows.get(index), timeline.view.ahead.get(index.wrapping_sub(count))) {
            (Some(row), _) => {
                let is_new = timeline.is_new(row.event_id, show.now);
                if has_lanes {
                    lanes.row(buffer, line, row, rails[index], is_new);
                } else {
                    lanes::plain_row(buffer, line, row, rails[index], is_new, theme);
                }
            }
            (None, Some(ahead)) if has_lanes => lanes.ahead(buffer, line, ahead),
            (None, Some(ahead)) => lanes::plain_ahead(buffer, line, ahead, theme),
            (None, None) => {}
        }
        if index == timeline.chosen {
            frame.buffer_mut().set_style(line, theme.bar_of(show.focused));
        }
    }
}

/// The first line that is seen: the chosen row is, and some of what is still to come below the last one.
fn scrolled(timeline: &Timeline, height: usize) -> usize {
    let (rows, ahead) = (timeline.view.rows.len(), timeline.view.ahead.len());
    let height = height.max(1);
    let last = (rows + ahead).saturating_sub(height);
    let first = timeline.placed.first.min(last);
    let below = if timeline.chosen + 1 == rows { ahead.min(height / 3) } else { 0 };
    let lowest = timeline.chosen.saturating_add(below + 1).saturating_sub(height);
    first.max(lowest).min(timeline.chosen)
}

/// The chosen event in words, with its way: the lanes have no room for that.
fn draw_chosen(timeline: &Timeline, frame: &mut Frame<'_>, line: Rect, show: &Show<'_>) {
    let Some(row) = timeline.view.rows.get(timeline.chosen) else { return };
    let theme = show.theme;
    let what = row.line.what;
    let hop = timeline.asking.explanation().and_then(|it| it.hops.iter().find(|hop| hop.event_id == row.event_id));
    let mut way = Vec::new();
    if let Some(hop) = hop {
        way.extend(hop.handler_ms.map(|ms| format!("decided in {}", span(ms))));
        way.extend(hop.outbox_ms.map(|ms| format!("outbox {}", span(ms))));
        let applied = hop.consumers.iter().filter_map(|it| Some(format!("{} {}", it.service, span(it.kafka_ms?))));
        let applied: Vec<String> = applied.collect();
        way.extend((!applied.is_empty()).then(|| format!("Kafka → {}", applied.join(", "))));
    }
    let words = if row.line.text.is_empty() { what.title.to_owned() } else { text::plain(&row.line.text) };
    frame.render_widget(
        Line::from(vec![
            Span::styled(format!("{} ", what.tone.glyph()), theme.tone(what.tone)),
            Span::raw(words),
            Span::styled(way.into_iter().map(|way| format!(" · {way}")).collect::<String>(), theme.muted),
        ]),
        line,
    );
}

fn draw_event(timeline: &mut Timeline, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
    let Some(event) = chosen(timeline) else { return };
    let lines = event.lines(area.width.saturating_sub(1), show.theme);
    let Some(scroll) = &mut timeline.event else { return };
    (scroll.rows, scroll.height) = (lines.len(), usize::from(area.height));
    let last = scroll.rows.saturating_sub(scroll.height);
    scroll.first = scroll.first.min(last);
    draw_lines(frame, area, lines.into_iter().skip(scroll.first));
    if last > 0 && area.height > 1 {
        let down = scroll.first * usize::from(area.height - 1) / last;
        let y = area.y + u16::try_from(down).unwrap_or(0);
        frame.render_widget(
            Span::styled("▐", show.theme.muted),
            Rect { x: area.right().saturating_sub(1), y, width: area.width.min(1), height: 1 },
        );
    }
}

fn chosen(timeline: &Timeline) -> Option<Event<'_>> {
    let row = timeline.view.rows.get(timeline.chosen)?;
    let explanation = timeline.asking.explanation();
    Some(Event {
        view: &timeline.view,
        row,
        record: timeline.records.iter().find(|record| record.id == row.event_id),
        hop: explanation.and_then(|known| known.hops.iter().find(|hop| hop.event_id == row.event_id)),
    })
}

/// The chosen event, where there is room for it that nothing else needs.
fn draw_preview(timeline: &Timeline, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
    let Some(event) = chosen(timeline) else { return };
    let (line, area) = frames::head(area, 1);
    draw_rule(frame, line, "event", &position(timeline), show);
    if area.width < PREVIEW_BESIDE_FROM {
        draw_lines(frame, area, event.lines(area.width, show.theme));
        return;
    }
    let half = area.width / 2;
    let right = Rect { x: area.x + half + 1, width: area.width - half - 1, ..area };
    draw_lines(frame, Rect { width: half - 1, ..area }, event.facts(half - 1, show.theme));
    draw_lines(frame, right, event.content(right.width, show.theme));
}

fn draw_lines(frame: &mut Frame<'_>, area: Rect, lines: impl IntoIterator<Item = Line<'static>>) {
    for (line, y) in lines.into_iter().zip(area.y..area.bottom()) {
        frame.render_widget(line, Rect { y, height: 1, ..area });
    }
}

/// Why there are no rows.
fn draw_nothing(timeline: &Timeline, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
    let theme = show.theme;
    let failed = match &timeline.read {
        Reading::Failed(why) => Some(why),
        _ => timeline.order_failed.as_ref(),
    };
    let lines = match (failed, &timeline.read) {
        (Some(why), _) => vec![
            (format!("✗ {}", text::plain(why)), theme.bad),
            ("ctrl-r asks again, esc goes back".to_owned(), theme.muted),
        ],
        (None, Reading::OnItsWay) => vec![("… reading what has happened".to_owned(), theme.muted)],
        (None, _) => vec![("… nothing was heard of this order yet".to_owned(), theme.muted)],
    };
    let (_, area) = frames::head(area, u16::from(area.height > 4));
    let wrapped = lines.into_iter().flat_map(|(words, style)| {
        text::wrap(&words, usize::from(area.width)).into_iter().map(move |words| Line::styled(words, style))
    });
    draw_lines(frame, area, wrapped);
}
