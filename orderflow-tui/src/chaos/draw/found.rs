//! What verify has found, as lines.

use orderflow_client::verify::{COULD_NOT_BE_CHECKED, Check};
use ratatui::{style::Style, text::Line};

use super::cells::{Cell, compose};
use crate::{
    chaos::{Board, Row, Section},
    cx::Show,
};

impl Board {
    fn check(&self, index: usize) -> Option<&Check> {
        self.checking.report()?.checks.get(index)
    }

    pub(super) fn check_cells(&self, index: usize, show: &Show<'_>) -> Vec<Cell> {
        let theme = show.theme;
        let Some(check) = self.check(index) else { return Vec::new() };
        let (sign, style) = check_sign(check, show);
        vec![
            Cell::new(sign, 1, 9, style),
            Cell::new(check.name, 19, 9, if check.ok { theme.text } else { style }),
            Cell::new(check.says, 10, 5, theme.muted).grows(),
            Cell::new(format!("{}", check.looked_at), 8, 6, theme.muted).right(),
        ]
    }

    pub(super) fn violation_cells(&self, check: usize, at: usize, show: &Show<'_>) -> Vec<Cell> {
        let theme = show.theme;
        let Some(found) = self.check(check).and_then(|check| check.violations.get(at)) else { return Vec::new() };
        let is_unknown = found.kind == COULD_NOT_BE_CHECKED;
        let style = if is_unknown { theme.warn } else { theme.bad };
        vec![
            Cell::new("", 1, 9, style),
            Cell::new(if is_unknown { "?" } else { "✗" }, 1, 9, style),
            Cell::new(shortened(&found.subject), 20, 9, style),
            Cell::new(&found.is, 10, 8, theme.text).grows(),
        ]
    }

    pub(super) fn more(&self, index: usize, show: &Show<'_>) -> Line<'static> {
        let shown = self.rows.iter().filter(|row| matches!(row, Row::Violation(check, _) if *check == index)).count();
        let more = self.check(index).map_or(0, Check::violation_count).saturating_sub(shown as u64);
        Line::styled(format!("    and {more} more: `orderflow verify` names them"), show.theme.muted)
    }

    /// The report in short: a line for each check.
    pub(super) fn report_lines(&self, width: usize, show: &Show<'_>) -> Vec<Line<'static>> {
        let Some(report) = self.checking.report() else { return vec![self.empty(Section::Verify, show)] };
        let line = |check: &Check| {
            let (sign, style) = check_sign(check, show);
            let cells = vec![
                Cell::new(sign, 1, 9, style),
                Cell::new(check.name, 19, 9, if check.ok { show.theme.text } else { style }),
                Cell::new(check.says, 10, 5, show.theme.muted).grows(),
            ];
            compose(cells, width)
        };
        report.checks.iter().map(line).collect()
    }
}

fn check_sign(check: &Check, show: &Show<'_>) -> (&'static str, Style) {
    match check.violations.iter().any(|violation| violation.kind != COULD_NOT_BE_CHECKED) {
        _ if check.ok => ("✓", show.theme.good),
        true => ("✗", show.theme.bad),
        false => ("?", show.theme.warn),
    }
}

/// A subject with its ids cut to their last eight digits, by which they are known elsewhere: the first ones are the time.
fn shortened(subject: &str) -> String {
    let is_id = |word: &str| word.len() == 36 && word.bytes().filter(|byte| *byte == b'-').count() == 4;
    let words = subject.split(' ').map(|word| if is_id(word.trim_end_matches(',')) { &word[28..] } else { word });
    words.collect::<Vec<_>>().join(" ")
}
