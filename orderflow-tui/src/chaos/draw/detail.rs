//! What the chosen row is about: what it does, what saves you, and how it is set.

use orderflow_client::{Service, chaos::takes_time};
use orderflow_cluster::control::Struck;
use orderflow_contracts::{
    api::chaos::{CrashPoint, FaultName},
    words::word,
};
use ratatui::text::{Line, Span};

use crate::{
    chaos::{
        Board, Row, Section,
        checking::order_of,
        faults::{signed, span},
        machine,
        situation::LINES,
        words,
    },
    cx::Show,
    text,
};

impl Board {
    /// The first line is its name.
    pub(super) fn detail(&self, show: &Show<'_>) -> Vec<Line<'static>> {
        let Some(row) = self.chosen() else { return vec![Line::raw("")] };
        let mut lines = match row {
            Row::Fault(name) => self.fault_detail(name, show),
            Row::Process(name) => self.process_detail(name, show),
            Row::Line(line) => self.line_detail(line, show),
            Row::Clocks => {
                let mut lines = about("all clocks", words::of_clock(false), show);
                lines.push(Line::styled("enter jumps ahead, x gives them the machine's time again", show.theme.muted));
                lines
            }
            Row::Clock(service) => self.clock_detail(service, show),
            Row::Load => {
                named("load", "orders from the first wish to the last piece, some declined, some called off", show)
            }
            Row::Scenario(index) => self.scenario_detail(index, show),
            Row::Pattern(pattern) => {
                let mut lines = named(&word(pattern), &format!("without it: {}", words::of_pattern(pattern)), show);
                lines.push(Line::styled("it stays out until it is put back: c does not", show.theme.muted));
                lines
            }
            Row::Violation(check, at) => self.violation_detail(check, at, show),
            Row::Check(index) | Row::More(index) => {
                match self.checking.report().and_then(|all| all.checks.get(index)) {
                    Some(check) => {
                        let found = match check.violation_count() {
                            0 => "nothing found".to_owned(),
                            count => format!("{count} found"),
                        };
                        let mut lines = named(check.name, check.says, show);
                        lines.push(Line::raw(format!("{} looked at, {found}", check.looked_at)));
                        lines
                    }
                    None => Vec::new(),
                }
            }
            Row::Words(Section::Play) if matches!(self.scenarios, Some(Err(_))) => {
                let why = self.scenarios.as_ref().and_then(|read| read.as_ref().err()).map_or("", String::as_str);
                let words = "start the console in the directory that has examples/chaos, or say where scenarios are: \
                             `orderflow tui --scenarios DIR`";
                let mut lines = named("scenarios", words, show);
                lines.push(Line::styled(text::plain(why), show.theme.muted));
                lines
            }
            Row::Title(section) | Row::Words(section) => named(section.title(), section_words(section), show),
        };
        if let Some(why) = self.problems.get(&row) {
            lines.insert(1.min(lines.len()), Line::styled(format!("✗ {}", text::plain(why)), show.theme.bad));
        }
        if lines.is_empty() { vec![Line::raw("")] } else { lines }
    }

    fn fault_detail(&self, name: FaultName, show: &Show<'_>) -> Vec<Line<'static>> {
        let theme = show.theme;
        let Some(edit) = self.edits.get(&name) else { return Vec::new() };
        let title = if name == FaultName::Crash { format!("crash {}", word(edit.point)) } else { word(name) };
        let mut lines = about(&title, words::of_fault(name, edit.point), show);
        let often =
            if edit.percent == 100 { "every time".to_owned() } else { format!("{}% of the time", edit.percent) };
        let how = match name {
            FaultName::Crash if edit.point == CrashPoint::BeforeCommit => format!("once, {often}"),
            FaultName::Crash => "once".to_owned(),
            name if takes_time(name) => format!("{} {often}", span(edit.ms)),
            _ => often,
        };
        let is_set = !self.seen.fault(name).is_empty();
        let verb = if is_set { "set" } else { "sets" };
        let place = edit.place_words(name);
        let ends_at = self.seen.fault(name).iter().filter_map(|(_, fault)| fault.ends_at).max();
        let lasts = match ends_at {
            Some(at) => format!("for another {}", text::countdown(at, machine(show.now, show.books.clock_ahead_ms))),
            None if is_set => "until cleared".to_owned(),
            None => edit.lasts.words(),
        };
        let said = format!("{verb} {how}, {place}, {lasts}, seed {}", self.seed_of(name));
        lines.push(Line::styled(said, theme.muted));
        let each = self.seen.fault(name);
        if !each.is_empty() {
            let each: Vec<String> =
                each.iter().map(|(service, fault)| format!("{} {}×", service.name(), fault.struck)).collect();
            let words = vec![Span::styled("● struck ", theme.warn), Span::raw(each.join(", "))];
            lines.push(Line::from(words));
        }
        lines.extend(so_far(self.seen.bites(name).map(|(service, times)| (service.name(), times)), show));
        lines.extend(self.seen.silent().map(|(service, _)| {
            Line::styled(format!("? {} does not say what is set in it", service.name()), theme.bad)
        }));
        for (service, unknown) in self.seen.unknown() {
            let words = format!(
                "? {} has a fault of another version: {}; c takes it back",
                service.name(),
                text::plain(unknown)
            );
            lines.push(Line::styled(words, theme.warn));
        }
        lines
    }

    /// The seed that a fault was set with, or is going to be.
    fn seed_of(&self, name: FaultName) -> u64 {
        let set = self.seen.fault(name);
        set.first().and_then(|(_, fault)| fault.set.seed).unwrap_or(self.seed)
    }

    fn process_detail(&self, name: &str, show: &Show<'_>) -> Vec<Line<'static>> {
        let mut lines = about(name, words::of_process(), show);
        let Some(process) = self.seen.process(name) else { return lines };
        let pid = process.pid.map(|pid| format!("process {pid}, ")).unwrap_or_default();
        let up = super::lines::up(process);
        lines.push(Line::styled(
            format!("{pid}{}, up {up}, restarts {}", process.address, process.restarts),
            show.theme.muted,
        ));
        if let Some(reason) = &process.reason {
            lines.push(Line::styled(format!("before: {}", text::plain(reason)), show.theme.muted));
        }
        let Struck { kills, pauses, restarts } = process.struck;
        let each = [("killed", kills), ("paused", pauses), ("restarted on request", restarts)];
        lines.extend(so_far(each, show));
        lines
    }

    fn line_detail(&self, line: usize, show: &Show<'_>) -> Vec<Line<'static>> {
        let Some((service, from)) = LINES.get(line).copied() else { return Vec::new() };
        let lasts = self.lasts.get(&Row::Line(line)).copied().unwrap_or_default();
        let mut lines = about(&format!("{} cut off from {from}", service.name()), words::of_line(from), show);
        lines.push(Line::styled(format!("it is cut {}; t changes that", lasts.words()), show.theme.muted));
        lines.extend(so_far([("connections ended or refused", self.seen.dropped_so_far(service, from))], show));
        lines
    }

    fn clock_detail(&self, service: Service, show: &Show<'_>) -> Vec<Line<'static>> {
        let mut lines = about(&format!("the clock of {}", service.name()), words::of_clock(true), show);
        let ahead = self
            .seen
            .offset_ms(service)
            .map_or("says nothing".to_owned(), |ms| format!("the machine's time {}", signed(ms)));
        lines.push(Line::styled(
            format!("{ahead}; enter sets it off from the others, x back to them"),
            show.theme.muted,
        ));
        lines
    }

    fn scenario_detail(&self, index: usize, show: &Show<'_>) -> Vec<Line<'static>> {
        let Some(Ok(scenarios)) = &self.scenarios else { return Vec::new() };
        let Some(scenario) = scenarios.get(index) else { return Vec::new() };
        let said = scenario.about.clone().unwrap_or_else(|why| format!("it cannot be played: {why}"));
        let mut lines = named(&scenario.name, &said, show);
        let words = "faults and load by the clock; at the end all is mended, and verify has its say";
        lines.push(Line::styled(words, show.theme.muted));
        lines.push(Line::styled(format!("seed {}, {}", scenario.seed, scenario.path.display()), show.theme.muted));
        lines
    }

    fn violation_detail(&self, check: usize, at: usize, show: &Show<'_>) -> Vec<Line<'static>> {
        let theme = show.theme;
        let found = self.checking.report().and_then(|report| report.checks.get(check)?.violations.get(at));
        let Some(found) = found else { return Vec::new() };
        let opens = if order_of(found).is_some() { "enter opens the order's timeline, y copies its id" } else { "" };
        vec![
            Line::styled(text::plain(&found.subject), theme.accent),
            Line::from(vec![Span::styled("is         ", theme.muted), Span::raw(text::plain(&found.is))]),
            Line::from(vec![Span::styled("should be  ", theme.muted), Span::raw(text::plain(&found.should_be))]),
            Line::styled(opens, theme.muted),
        ]
    }
}

/// `so far killed 3×, paused 1×`: what is counted for as long as the cluster's data live. Nothing for nothing.
fn so_far<'a>(each: impl IntoIterator<Item = (&'a str, u64)>, show: &Show<'_>) -> Option<Line<'static>> {
    let each = each.into_iter().filter(|(_, times)| *times > 0);
    let each: Vec<String> = each.map(|(what, times)| format!("{what} {times}×")).collect();
    (!each.is_empty()).then(|| Line::styled(format!("so far {}", each.join(", ")), show.theme.muted))
}

fn named(name: &str, words: &str, show: &Show<'_>) -> Vec<Line<'static>> {
    vec![Line::styled(text::plain(name), show.theme.accent), Line::raw(text::plain(words))]
}

fn about(name: &str, (does, saves): words::Words, show: &Show<'_>) -> Vec<Line<'static>> {
    vec![
        Line::styled(text::plain(name), show.theme.accent),
        Line::raw(does),
        Line::from(vec![Span::styled("saved by ", show.theme.good), Span::raw(saves)]),
    ]
}

const fn section_words(section: Section) -> &'static str {
    match section {
        Section::Faults => "each strikes at one place of the services' code, and is counted",
        Section::Processes => "the supervisor starts again whatever ends",
        Section::Lines => "a proxy stands in each line, and can let nothing through",
        Section::Clock => "the services' own clocks: skip the 30 minutes of a reservation",
        Section::Play => "something to break, and something that breaks it by the clock",
        Section::Lab => "take a pattern out, and see what it was for",
        Section::Verify => "v counts once, V whenever something has happened; w goes to what was found",
    }
}
