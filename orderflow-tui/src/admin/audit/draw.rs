//! The audit log, drawn.

use orderflow_contracts::api::ops::AuditCheck;
use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use super::{Audit, ENTRIES_MAX};
use crate::{
    admin::parts::{beside, both_ends},
    cx::Show,
    text,
    widgets::{Column, frames, list::Table},
};

const COLUMNS: [Column; 6] = [
    Column::new("number", 7, 4).right(),
    Column::new("at", 8, 8),
    Column::new("who", 17, 7),
    Column::new("did what", 28, 9),
    Column::new("to", 10, 6),
    Column::new("more", 10, 3).grows(),
];

impl Audit {
    pub(super) fn draw_in(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        self.settle();
        let (head, body) = frames::head(area, 1);
        self.draw_head(frame, head, show);
        let body = match &self.failed {
            Some(why) => frames::told(frame, body, &format!("✗ {why}"), show.theme.bad),
            None => body,
        };
        let body = match self.told_of_search() {
            Some(told) => frames::told(frame, body, &told, show.theme.muted),
            None => body,
        };
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
        let mut right = match (&self.check, self.is_checking) {
            (_, true) => vec![Span::styled("↻ checking the chain  ", theme.warn)],
            (None, _) => Vec::new(),
            (Some(Ok(AuditCheck { intact: true, entries, .. })), _) => {
                vec![Span::styled(format!("✓ whole: {entries} entries, each fits to the one before  "), theme.good)]
            }
            (Some(Ok(check)), _) => {
                let broken = check.first_broken.map_or_else(|| "somewhere".to_owned(), |number| format!("at {number}"));
                vec![Span::styled(format!("✗ broken {broken}: an entry was altered or taken away  "), theme.bad)]
            }
            (Some(Err(why)), _) => vec![Span::styled(format!("✗ not checked: {}  ", text::plain(why)), theme.bad)],
        };
        let more = if self.next.is_some() { "+" } else { "" };
        let count = if self.was_read { format!("{}{more} entries", self.rows.len()) } else { "… entries".to_owned() };
        if self.search.is_shown() {
            right.push(Span::styled(count, theme.muted));
            return self.search.draw(frame, area, Line::from(right), show.focused, theme);
        }
        both_ends(frame, area, Line::styled(format!("{count}, newest first"), theme.muted), Line::from(right));
    }

    /// That a search has not looked at everything, and what does.
    fn told_of_search(&self) -> Option<String> {
        if !self.search.is_shown() || !self.was_read || self.is_whole() {
            return None;
        }
        let (many, asked) = (self.entries.len(), &self.asked);
        let is_asked = asked.actor.is_some() || asked.action.is_some() || asked.subject.is_some();
        Some(if is_asked {
            format!(" only the newest {many} of these were searched")
        } else {
            format!(" only the newest {many} were searched; action=chaos. and enter asks for all")
        })
    }

    /// Whether all that was asked for was read.
    const fn is_whole(&self) -> bool {
        self.next.is_none() && self.entries.len() < ENTRIES_MAX
    }

    fn draw_list(&mut self, frame: &mut Frame<'_>, area: Rect, focused: bool, show: &Show<'_>) {
        let empty = match (self.was_read, self.entries.is_empty()) {
            (false, _) if self.failed.is_none() => "reading the audit log…",
            (false, _) => "the audit log could not be read: ctrl-r tries again",
            (true, true) => "no entry is like that, or nobody has done anything yet",
            (true, false) if self.is_whole() => "no entry is like that",
            (true, false) => "none of those that were read is like that",
        };
        let theme = show.theme;
        let Self { rows, pick, entries, .. } = self;
        let table = Table { columns: &COLUMNS, len: rows.len(), focused, empty, theme };
        pick.draw(frame, area, &table, rows, |row| {
            let found = entries.binary_search_by(|entry| rows[row].cmp(&entry.number)).ok();
            let Some(entry) = found.and_then(|index| entries.get(index)) else { return Vec::new() };
            let detail = if entry.detail.is_null() { String::new() } else { entry.detail.to_string() };
            vec![
                Line::styled(entry.number.to_string(), theme.muted),
                Line::styled(text::clock(entry.at), theme.muted),
                Line::from(who(&entry.actor)),
                Line::styled(text::plain(&entry.action), theme.accent),
                Line::from(subject(&entry.subject)),
                Line::styled(text::plain(&detail), theme.muted),
            ]
        });
    }
}

/// `seller/1a2b3c4d`, or the service.
fn who(actor: &str) -> String {
    match actor.split_once('/') {
        Some((role, id)) => text::plain(&format!("{role}/{}", text::short(id))),
        None => text::plain(actor),
    }
}

/// Ids are cut, names are not.
fn subject(subject: &str) -> String {
    let is_id = subject.len() == 36 && subject.contains('-');
    if is_id { text::short(subject) } else { text::plain(subject) }
}
