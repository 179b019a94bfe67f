//! What plays says, in the room that there is.

use ratatui::{
    Frame,
    layout::Rect,
    text::Line,
    widgets::{Paragraph, Wrap},
};

use crate::{
    chaos::{Board, children::Part},
    cx::Show,
    text,
    widgets::frames::head,
};

impl Board {
    /// What plays says, else what verify has found in short.
    pub(super) fn draw_said(&self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        let (mut area, wide) = (area, usize::from(area.width));
        let mut any = false;
        for part in [Part::Load, Part::Scenario] {
            let Some(job) = self.job(part) else { continue };
            any = true;
            let rows = if part == Part::Load { 8.min(area.height / 2) } else { area.height };
            let (place, rest) = head(area, rows);
            let (title, body) = head(place, 1);
            frame.render_widget(text::cut_line(Line::from(self.job_words(part, show)), wide), title);
            let skip = job.lines.len().saturating_sub(usize::from(body.height));
            let lines: Vec<Line<'_>> = job.lines.iter().skip(skip).map(|line| Line::raw(whole(line, wide))).collect();
            frame.render_widget(Paragraph::new(lines), body);
            area = rest;
        }
        if !any {
            let lines = Paragraph::new(self.report_lines(wide, show)).wrap(Wrap { trim: false });
            frame.render_widget(lines, area);
        }
    }
}

/// The words that have room, and `…` for the others: the half of a number would be another number.
pub(super) fn whole(line: &str, columns: usize) -> String {
    if text::width(line) <= columns {
        return line.to_owned();
    }
    let is_gap = |(_, gap): &(usize, char)| gap.is_whitespace();
    let mut ends = line.char_indices().filter(is_gap).map(|(at, _)| line[..at].trim_end());
    let fits = ends.rfind(|words| !words.is_empty() && text::width(words) + 2 <= columns);
    fits.map_or_else(|| text::cut(line, columns), |words| format!("{words} …"))
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn a_number_is_there_or_it_is_not() {
        let line = "  42.0s  211 orders  184 ended";
        assert_eq!(whole(line, 30), line);
        assert_eq!(whole(line, 29), "  42.0s  211 orders  184 …");
        assert_eq!(whole(line, 25), "  42.0s  211 orders …");
        assert_eq!(whole(line, 13), "  42.0s …");
        assert_eq!(whole(line, 5), "  42…");
        assert_eq!(whole(line, 0), "");
    }
}
