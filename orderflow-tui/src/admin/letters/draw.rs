//! Dead letters, drawn.

use orderflow_client::Service;
use orderflow_contracts::{
    api::ops::{DeadLetter, LetterStatus},
    words::word,
};
use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{Letters, SHOWN, effects::Act};
use crate::{
    admin::parts::{Row, Sheet, Tint, beside, both_ends, json_rows},
    cx::Show,
    text,
    theme::Theme,
    widgets::{Column, frames, list::Table},
};

const COLUMNS: [Column; 7] = [
    Column::new("", 1, 9),
    Column::new("service", 9, 8),
    Column::new("status", 11, 4),
    Column::new("reason", 22, 9).grows(),
    Column::new("from", 16, 3),
    Column::new("key", 8, 2),
    Column::new("age", 4, 7).right(),
];

/// The same where the reason needs the room.
const NARROW: [Column; 7] =
    [COLUMNS[0], COLUMNS[1], COLUMNS[2], COLUMNS[3], Column::new("", 0, 0), Column::new("", 0, 0), COLUMNS[6]];
const NARROW_BELOW: u16 = 96;

impl Letters {
    pub(super) fn draw_in(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        if let Some(mending) = &mut self.mending {
            return mending.draw(frame, area, show);
        }
        let (head, body) = frames::head(area, 1);
        self.draw_head(frame, head, show);
        let told = |body, (service, why): (&Service, &String)| {
            frames::told(frame, body, &format!("✗ {}: {why}", service.name()), show.theme.bad)
        };
        let body = self.failed.iter().fold(body, told);
        let (list, detail) = beside(body, self.sheet.is_some());
        if let Some(list) = list {
            self.draw_list(frame, list, show.focused && detail.is_none(), show);
        }
        if let (Some((_, sheet)), Some(detail)) = (&mut self.sheet, detail) {
            sheet.draw(frame, detail, show.theme);
        }
    }

    fn draw_head(&self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        let theme = show.theme;
        // What goes on comes before what there is: it is seen wherever there is room for anything.
        let mut first = Vec::new();
        if let Some(job) = self.job {
            let doing = if job.act == Act::Replay { "replaying" } else { "discarding" };
            first.push(Span::styled(format!("↻ {doing} {} of {}  ", job.number, job.of), theme.warn));
        }
        if !self.marks.is_empty() {
            first.push(Span::styled(format!("◆ {} marked  ", self.marks.len()), theme.accent));
        }
        if let Some(service) = self.failed.keys().next() {
            first.push(Span::styled(format!("✗ {} unread  ", service.name()), theme.bad));
        }
        if self.search.is_shown() {
            first.push(Span::styled(format!("{} found", self.rows.len()), theme.muted));
            return self.search.draw(frame, area, Line::from(first), show.focused, theme);
        }
        let chips = SHOWN.iter().enumerate().map(|(index, status)| {
            let count = self.all.values().filter(|letter| status.is_none_or(|status| status == letter.status)).count();
            let count = if self.was_read { count.to_string() } else { "…".to_owned() };
            let name = status.map_or_else(|| "all".to_owned(), word);
            let is_chosen = index == self.shown;
            let style = if is_chosen { theme.accent } else { theme.muted };
            Span::styled(format!("{}{name} {count}  ", if is_chosen { "▸" } else { " " }), style)
        });
        first.extend(chips);
        let mut right = Vec::new();
        if self.more {
            right.push(Span::styled("older ones are not shown", theme.muted));
        }
        both_ends(frame, area, Line::from(first), Line::from(right));
    }

    fn draw_list(&mut self, frame: &mut Frame<'_>, area: Rect, focused: bool, show: &Show<'_>) {
        let empty = match (self.was_read, self.all.is_empty(), self.failed.is_empty()) {
            (false, ..) => "reading the dead letters of all services…",
            (_, true, true) => "✓ no service has a dead letter: everything could be applied",
            (_, true, false) => "no dead letters where they could be read",
            _ => "none is like that: f shows others, esc ends a search",
        };
        let theme = show.theme;
        let Self { rows, pick, all, marks, said, .. } = self;
        let columns = if area.width < NARROW_BELOW { &NARROW } else { &COLUMNS };
        let table = Table { columns, len: rows.len(), focused, empty, theme };
        pick.draw(frame, area, &table, rows, |row| {
            let key = rows[row];
            let Some(letter) = all.get(&key) else { return Vec::new() };
            let (sign, style) = sign(letter.status, theme);
            let reason = said.get(&key).unwrap_or(&letter.reason);
            let from = format!("{}/{} @{}", letter.topic, letter.partition, letter.offset);
            vec![
                Line::styled(if marks.contains(&key) { "◆" } else { " " }, theme.accent),
                Line::from(key.0.name()),
                Line::styled(format!("{sign} {}", word(letter.status)), style),
                Line::from(text::plain(reason)),
                Line::styled(text::plain(&from), theme.muted),
                Line::styled(text::short(text::plain(letter.key.as_deref().unwrap_or("–"))), theme.muted),
                Line::styled(text::ago(letter.created_at, show.now), theme.muted),
            ]
        });
    }
}

const fn sign(status: LetterStatus, theme: &Theme) -> (&'static str, Style) {
    match status {
        LetterStatus::Open => ("✗", theme.bad),
        LetterStatus::Replayed => ("✓", theme.good),
        LetterStatus::Discarded => ("·", theme.muted),
    }
}

/// Everything about a letter.
pub(super) fn sheet(service: Service, letter: &DeadLetter, said: Option<&String>) -> Sheet {
    let mut rows = Vec::new();
    if let Some(said) = said {
        rows.push(Row::of(Tint::Warn, said));
    }
    rows.push(Row(vec![(Tint::Muted, format!("{:<14}", "reason")), (Tint::Bad, text::plain(&letter.reason))]));
    rows.extend([
        Row::pair("id", &letter.id.to_string()),
        Row::pair("service", service.name()),
        Row::pair("status", &word(letter.status)),
        Row::pair("from", &format!("{} partition {} offset {}", letter.topic, letter.partition, letter.offset)),
        Row::pair("key", letter.key.as_deref().unwrap_or("none, or no text")),
        Row::pair("came", &letter.created_at.to_string()),
    ]);
    rows.extend(Row::title("headers"));
    if letter.headers.is_empty() {
        rows.push(Row::of(Tint::Muted, "none"));
    }
    let long = letter.headers.iter().map(|(name, _)| text::width(name)).max().unwrap_or(0).min(30) + 2;
    rows.extend(letter.headers.iter().map(|(name, value)| {
        Row(vec![(Tint::Muted, text::plain(&format!("{name:<long$}"))), (Tint::Text, text::plain(value))])
    }));
    rows.extend(Row::title("payload"));
    rows.extend(json_rows(&letter.payload));
    Sheet::new(format!("dead letter of {}", service.name()), rows)
}
