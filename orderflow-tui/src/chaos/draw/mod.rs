//! How the board looks: a line of what is broken, the rows, and beside or below them what the chosen row is about.

mod cells;
mod detail;
mod found;
mod lines;
mod play;
mod said;

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::{Paragraph, Wrap},
};

use self::said::whole;
use super::{Board, Counts, Row, children::Part, corner::Form, machine};
use crate::{
    cx::Show,
    text,
    widgets::{
        Column,
        frames::{foot, head},
        list::Table,
    },
};

/// From this width on, what the chosen row is about stands beside the rows.
const BESIDE_FROM: u16 = 104;
/// From this height on, it has two lines below them, and from the second on four.
const BELOW_FROM: [u16; 2] = [10, 20];
/// A row makes its own cells.
const COLUMNS: [Column; 1] = [Column::new("", 1, 9).grows()];

impl Board {
    pub(super) fn draw_board(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        if area.is_empty() {
            return;
        }
        let (area, beside) = if area.width >= BESIDE_FROM {
            let wide = (area.width * 2 / 5).min(76);
            let left = Rect { width: area.width - wide - 1, ..area };
            (left, Some(Rect { x: left.right() + 1, width: wide, ..area }))
        } else {
            (area, None)
        };
        let below = match area.height {
            _ if beside.is_some() => 0,
            high if high >= BELOW_FROM[1] => 5,
            high if high >= BELOW_FROM[0] => 2,
            _ => 0,
        };
        let (list, below) = foot(area, below);
        self.draw_rows(frame, list, show);
        self.draw_summary(frame, head(list, 1).0, show);
        if let Some(beside) = beside {
            self.draw_beside(frame, beside, show);
        } else {
            self.draw_below(frame, below, show);
        }
    }

    /// The table draws its titles where the summary is going to stand: rows of so many kinds have none in common.
    fn draw_rows(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        let mut list = self.list;
        let table =
            Table { columns: &COLUMNS, len: self.rows.len(), focused: show.focused, empty: "", theme: show.theme };
        let width = usize::from(area.width.saturating_sub(1));
        let board = &*self;
        table.draw(frame, area, &mut list, |index| {
            vec![board.rows.get(index).map(|row| board.line(*row, width, show)).unwrap_or_default()]
        });
        self.list = list;
    }

    /// What is broken, and what verify says.
    fn draw_summary(&self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        let theme = show.theme;
        let now = machine(show.now, show.books.clock_ahead_ms);
        if let Some(search) = &self.search {
            let (sign, field) = (
                Rect { width: area.width.min(2), ..area },
                Rect { x: area.x + 2.min(area.width), width: area.width.saturating_sub(2), ..area },
            );
            frame.render_widget(Span::styled("/", theme.accent), sign);
            search.draw(frame, field, show.focused, theme);
            return;
        }
        let long = self.broken_words(false, show);
        let is_long = Line::from(long.clone()).width() <= usize::from(area.width);
        let left = if is_long { long } else { self.broken_words(true, show) };
        let room = usize::from(area.width).saturating_sub(Line::from(left.clone()).width() + 2);
        let says = [Form::Long, Form::Short, Form::Least]
            .into_iter()
            .filter_map(|form| self.verify_words(form, theme, now))
            .find(|(words, _)| text::width(words) <= room);
        frame.render_widget(Line::from(left), area);
        let (words, style) = says.unwrap_or_else(|| ("v verifies".to_owned(), theme.muted));
        if text::width(&words) <= room {
            frame.render_widget(Line::styled(words, style).right_aligned(), area);
        }
    }

    /// What is broken, in words or in numbers.
    fn broken_words(&self, short: bool, show: &Show<'_>) -> Vec<Span<'static>> {
        let theme = show.theme;
        if self.seen.services.is_empty() {
            return vec![Span::styled("asking what is broken …", theme.muted)];
        }
        if self.clears {
            return vec![Span::styled("taking everything back …", theme.warn)];
        }
        let (counts, out) = (Counts::of(&self.seen), self.seen.out().len());
        let mut parts = Vec::new();
        match (counts.is_none(), out) {
            // Of those that are silent nothing is known.
            (true, 0) if self.seen.silent().next().is_some() => {}
            (true, 0) => parts.push(Span::styled("nothing is broken on purpose", theme.muted)),
            (true, _) => {}
            _ if short => parts.push(Span::styled(format!("{} broken", counts.sum()), theme.warn)),
            _ => parts.push(Span::styled(counts.words().join(" · "), theme.warn)),
        }
        match out {
            0 => {}
            out if short => parts.push(Span::styled(format!("{out} OUT"), theme.bad)),
            1 => parts.push(Span::styled("1 pattern OUT", theme.bad)),
            out => parts.push(Span::styled(format!("{out} patterns OUT"), theme.bad)),
        }
        let silent: Vec<&str> = self.seen.silent().map(|(service, _)| service.name()).collect();
        match silent.len() {
            0 => {}
            many if short => parts.push(Span::styled(format!("{many} silent"), theme.bad)),
            1 => parts.push(Span::styled(format!("{} is silent", silent.join(", ")), theme.bad)),
            _ => parts.push(Span::styled(format!("{} are silent", silent.join(", ")), theme.bad)),
        }
        let mut spans = Vec::new();
        for part in parts {
            if !spans.is_empty() {
                spans.push(Span::styled(" · ", theme.muted));
            }
            spans.push(part);
        }
        spans
    }

    fn draw_beside(&self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        for y in area.y..area.bottom() {
            frame.render_widget(Span::styled("│", show.theme.border), Rect { x: area.x - 1, y, width: 1, height: 1 });
        }
        let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
        let detail = self.detail(show);
        let high =
            u16::try_from(detail.len()).unwrap_or(area.height).saturating_add(4).clamp(8, (area.height / 2).max(8));
        let (top, rest) = head(area, high);
        frame.render_widget(Paragraph::new(detail).wrap(Wrap { trim: false }), top);
        self.draw_said(frame, rest, show);
    }

    fn draw_below(&self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        if area.is_empty() {
            return;
        }
        let (rule, rest) = if area.height > 2 { head(area, 1) } else { (Rect::ZERO, area) };
        if !rule.is_empty() {
            frame.render_widget(Span::styled("─".repeat(usize::from(rule.width)), show.theme.border), rule);
        }
        let wide = usize::from(rest.width.max(1));
        let mut lines = self.detail(show);
        if let Some(Row::Load | Row::Scenario(_)) = self.chosen() {
            let part = if self.chosen() == Some(Row::Load) { Part::Load } else { Part::Scenario };
            if let Some(job) = self.job(part) {
                let room = usize::from(rest.height).saturating_sub(1);
                let skip = job.lines.len().saturating_sub(room);
                lines = vec![Line::from(self.job_words(part, show))];
                lines.extend(job.lines.iter().skip(skip).map(|line| Line::raw(whole(line, wide))));
            }
        } else {
            // The name stands in the chosen row.
            lines.remove(0);
        }
        lines.retain(|line| line.width() > 0);
        // A line that is broken between words may need one more than its letters do.
        let rows: usize = lines.iter().map(|line| line.width().div_ceil(wide) + usize::from(line.width() > wide)).sum();
        let text = if rows <= usize::from(rest.height) + 1 {
            Paragraph::new(lines).wrap(Wrap { trim: false })
        } else {
            Paragraph::new(lines.into_iter().map(|line| text::cut_line(line, wide)).collect::<Vec<_>>())
        };
        frame.render_widget(text, rest);
    }
}
