//! Finding a row by its name, as you type.

use orderflow_contracts::words::word;

use super::{Board, Row, situation::LINES};
use crate::{input::Edit, widgets::Field};

/// Longest text that is searched for, in letters.
const LETTERS_MAX: usize = 40;

impl Board {
    /// Begins to search.
    pub(super) fn search(&mut self) {
        self.folded.clear();
        self.make_rows();
        self.search = Some(Field::default().at_most(LETTERS_MAX));
    }

    /// Somebody types: the first row from here on that fits is chosen.
    pub(super) fn search_edit(&mut self, edit: &Edit) {
        if self.search.as_mut().is_some_and(|field| field.edit(edit)) {
            self.search_from(0, true);
        }
    }

    /// Moves to the next row that fits, or to the one before.
    pub(super) fn search_next(&mut self, forward: bool) {
        self.search_from(1, forward);
    }

    fn search_from(&mut self, skip: usize, forward: bool) {
        let wanted = self.search.as_ref().map(|field| field.text().to_lowercase()).unwrap_or_default();
        let len = self.rows.len();
        let at = self.list.chosen(len).unwrap_or(0);
        let place = |step: usize| if forward { (at + step) % len } else { (at + len - step) % len };
        let fits = |index: &usize| self.rows.get(*index).is_some_and(|row| self.name_of(*row).contains(&wanted));
        let found = (skip..len.max(1)).map(place).find(fits);
        if let Some(found) = found.filter(|_| !wanted.is_empty()) {
            self.list.choose(found);
        }
    }

    /// What a row is found by.
    fn name_of(&self, row: Row) -> String {
        match row {
            Row::Title(section) => section.title().to_lowercase(),
            Row::Fault(name) => word(name),
            Row::Process(name) => name.to_owned(),
            Row::Line(line) => {
                LINES.get(line).map(|(service, from)| format!("{} {from}", service.name())).unwrap_or_default()
            }
            Row::Clocks => "all clocks".to_owned(),
            Row::Clock(service) => format!("{} clock", service.name()),
            Row::Load => "load".to_owned(),
            Row::Scenario(index) => match &self.scenarios {
                Some(Ok(scenarios)) => {
                    scenarios.get(index).map(|scenario| scenario.name.to_lowercase()).unwrap_or_default()
                }
                _ => String::new(),
            },
            Row::Pattern(pattern) => word(pattern),
            Row::Check(index) => {
                let check = self.checking.report().and_then(|report| report.checks.get(index));
                check.map(|check| check.name.to_owned()).unwrap_or_default()
            }
            Row::Violation(check, at) => {
                let report = self.checking.report();
                let found = report.and_then(|report| report.checks.get(check)?.violations.get(at));
                found.map(|found| found.subject.to_lowercase()).unwrap_or_default()
            }
            Row::Words(_) | Row::More(_) => String::new(),
        }
    }
}
