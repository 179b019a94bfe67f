//! The rows of the board: sections, and what is in them. Each row knows itself, so that it stays chosen when others come.

use std::collections::BTreeSet;

use orderflow_client::Service;
use orderflow_contracts::api::{chaos::FaultName, ops::Pattern};

use super::{
    Board,
    situation::{LINES, PROCESSES},
};

/// Violations of one check that have a row of their own; the others are counted in one.
const VIOLATIONS_SHOWN: usize = 50;

/// A part of the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Section {
    /// Faults of services.
    Faults,
    /// Processes.
    Processes,
    /// Lines that can be cut.
    Lines,
    /// Clocks.
    Clock,
    /// What can be played: load, and scenarios.
    Play,
    /// Patterns that can be taken out.
    Lab,
    /// What verify has found.
    Verify,
}

impl Section {
    /// All, in their order.
    pub const ALL: [Self; 7] =
        [Self::Faults, Self::Processes, Self::Lines, Self::Clock, Self::Play, Self::Lab, Self::Verify];

    /// Its title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Faults => "FAULTS",
            Self::Processes => "PROCESSES",
            Self::Lines => "LINES",
            Self::Clock => "CLOCK",
            Self::Play => "LOAD AND SCENARIOS",
            Self::Lab => "LABORATORY",
            Self::Verify => "VERIFY",
        }
    }
}

/// A row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Row {
    /// The title of a section; it can be folded.
    Title(Section),
    /// What stands in a section that has nothing else.
    Words(Section),
    /// A fault.
    Fault(FaultName),
    /// A process.
    Process(&'static str),
    /// A line, by its place in `LINES`.
    Line(usize),
    /// All clocks.
    Clocks,
    /// One clock.
    Clock(Service),
    /// Load.
    Load,
    /// A scenario, by its place in the list.
    Scenario(usize),
    /// A pattern.
    Pattern(Pattern),
    /// A check, by its place in the report.
    Check(usize),
    /// What a check has found, by their places.
    Violation(usize, usize),
    /// More of that.
    More(usize),
}

impl Board {
    /// Makes the rows anew, and keeps the chosen one.
    pub(super) fn make_rows(&mut self) {
        let chosen = self.chosen();
        let mut rows = Vec::new();
        for section in Section::ALL {
            rows.push(Row::Title(section));
            if !self.folded.contains(&section) {
                self.rows_of(section, &mut rows);
            }
        }
        self.rows = rows;
        let kept = chosen.and_then(|chosen| self.rows.iter().position(|row| *row == chosen));
        let title = chosen.map(|chosen| Row::Title(section_of(chosen)));
        let folded_into = || self.rows.iter().position(|row| Some(*row) == title);
        if let Some(at) = kept.or_else(folded_into) {
            self.list.choose(at);
        }
    }

    fn rows_of(&self, section: Section, rows: &mut Vec<Row>) {
        match section {
            Section::Faults => rows.extend(FaultName::ALL.map(Row::Fault)),
            Section::Processes if self.is_supervised() => rows.extend(PROCESSES.map(Row::Process)),
            Section::Lines if self.is_supervised() => rows.extend((0..LINES.len()).map(Row::Line)),
            Section::Clock => {
                rows.push(Row::Clocks);
                rows.extend(Service::WITH_CLOCK.map(Row::Clock));
            }
            Section::Play => {
                rows.push(Row::Load);
                match &self.scenarios {
                    Some(Ok(scenarios)) if !scenarios.is_empty() => {
                        rows.extend((0..scenarios.len()).map(Row::Scenario));
                    }
                    _ => rows.push(Row::Words(section)),
                }
            }
            Section::Lab if self.seen.is_lab() => rows.extend(Pattern::ALL.map(Row::Pattern)),
            Section::Verify => self.rows_of_verify(rows),
            Section::Processes | Section::Lines | Section::Lab => rows.push(Row::Words(section)),
        }
    }

    fn rows_of_verify(&self, rows: &mut Vec<Row>) {
        let Some(report) = self.checking.report() else {
            rows.push(Row::Words(Section::Verify));
            return;
        };
        for (index, check) in report.checks.iter().enumerate() {
            rows.push(Row::Check(index));
            let shown = check.violations.len().min(VIOLATIONS_SHOWN);
            rows.extend((0..shown).map(|at| Row::Violation(index, at)));
            if check.violation_count() > shown as u64 {
                rows.push(Row::More(index));
            }
        }
    }

    fn is_supervised(&self) -> bool {
        self.seen.supervised().is_some()
    }

    /// The chosen row.
    pub(super) fn chosen(&self) -> Option<Row> {
        self.list.chosen(self.rows.len()).and_then(|at| self.rows.get(at)).copied()
    }

    /// Moves to the next section, or to the one before.
    pub(super) fn go_section(&mut self, forward: bool) {
        let at = self.list.chosen(self.rows.len()).unwrap_or(0);
        let is_title = |(_, row): &(usize, &Row)| matches!(row, Row::Title(_));
        let mut titles = self.rows.iter().enumerate().filter(is_title).map(|(index, _)| index);
        let to = if forward { titles.find(|index| *index > at) } else { titles.rfind(|index| *index < at) };
        if let Some(to) = to {
            self.list.choose_at_top(to);
        }
    }

    /// Moves to what verify has found first; to its section if it has found nothing.
    pub(super) fn go_findings(&mut self) {
        self.folded.remove(&Section::Verify);
        self.make_rows();
        let first = self.rows.iter().position(|row| matches!(row, Row::Violation(..)));
        let section = || self.rows.iter().position(|row| *row == Row::Title(Section::Verify));
        if let Some(at) = first.or_else(section) {
            self.list.choose_at_top(at);
        }
    }

    pub(super) fn fold(&mut self, section: Section) {
        toggle(&mut self.folded, section);
    }
}

fn toggle(folded: &mut BTreeSet<Section>, section: Section) {
    if !folded.remove(&section) {
        folded.insert(section);
    }
}

/// The section that a row is in.
pub const fn section_of(row: Row) -> Section {
    match row {
        Row::Title(section) | Row::Words(section) => section,
        Row::Fault(_) => Section::Faults,
        Row::Process(_) => Section::Processes,
        Row::Line(_) => Section::Lines,
        Row::Clocks | Row::Clock(_) => Section::Clock,
        Row::Load | Row::Scenario(_) => Section::Play,
        Row::Pattern(_) => Section::Lab,
        Row::Check(_) | Row::Violation(..) | Row::More(_) => Section::Verify,
    }
}
