//! Each row as a line.

use orderflow_client::{Service, chaos::takes_time};
use orderflow_cluster::{Action as Signal, Need, State, control::ProcessStatus};
use orderflow_contracts::{
    api::{chaos::FaultName, ops::Pattern},
    timestamp::Timestamp,
    words::word,
};
use ratatui::{
    style::{Modifier, Style},
    text::{Line, Span},
};

use super::cells::{Cell, compose, slider};
use crate::{
    chaos::{
        Board, Deed, Row, Section,
        act::{JUMPS_MS, SKEWS_MS},
        checking::Standing,
        children::Part,
        faults::{services_words, signed, span},
        machine,
        situation::{Counts, LINES},
        words,
    },
    cx::Show,
    text,
};

pub(super) const SLIDER: usize = 11;

/// `0:23` until then.
fn left(ends_at: Option<Timestamp>, now: Timestamp) -> String {
    ends_at.map(|at| text::countdown(at, now)).unwrap_or_default()
}

fn at_ms(ms: Option<u64>) -> Option<Timestamp> {
    ms.and_then(|ms| i64::try_from(ms).ok()).map(Timestamp)
}

/// `128×`; nothing for nothing.
fn times(count: u64) -> String {
    if count == 0 { String::new() } else { format!("{count}×") }
}

impl Board {
    /// A row.
    pub(super) fn line(&self, row: Row, width: usize, show: &Show<'_>) -> Line<'static> {
        let now = machine(show.now, show.books.clock_ahead_ms);
        let cells = match row {
            Row::Title(section) => return self.title(section, width, show),
            Row::Words(section) => return self.empty(section, show),
            Row::Fault(name) => self.fault_cells(name, now, show),
            Row::Process(name) => self.process_cells(name, now, show),
            Row::Line(line) => self.line_cells(line, now, show),
            Row::Clocks => self.clocks_cells(show),
            Row::Clock(service) => self.clock_cells(service, show),
            Row::Load => self.load_cells(now, show),
            Row::Scenario(index) => self.scenario_cells(index, now, show),
            Row::Pattern(pattern) => self.pattern_cells(pattern, show),
            Row::Check(index) => self.check_cells(index, show),
            Row::Violation(check, at) => self.violation_cells(check, at, show),
            Row::More(index) => return self.more(index, show),
        };
        compose(cells, width)
    }

    /// What is under way or went wrong with a row, in place of what stands there otherwise.
    fn told(&self, row: Row, otherwise: String, style: Style, show: &Show<'_>) -> (String, Style) {
        if self.busy.contains(&row) {
            return ("…".to_owned(), show.theme.warn);
        }
        match self.problems.get(&row) {
            Some(why) => (format!("✗ {why}"), show.theme.bad),
            None => (otherwise, style),
        }
    }

    fn title(&self, section: Section, width: usize, show: &Show<'_>) -> Line<'static> {
        let theme = show.theme;
        let is_folded = self.folded.contains(&section);
        let mark = if is_folded { "▸" } else { "▾" };
        let (words, style) = self.title_words(section, show);
        let name = section.title();
        let words = if words.is_empty() { words } else { format!(" {words}") };
        let rule = width.saturating_sub(text::width(name) + text::width(&words) + 3);
        let mut spans = vec![Span::styled(format!("{mark} {name} "), theme.accent)];
        spans.push(Span::styled("─".repeat(rule), theme.border));
        spans.push(Span::styled(words, style));
        Line::from(spans)
    }

    /// How much is broken in a section.
    fn title_words(&self, section: Section, show: &Show<'_>) -> (String, Style) {
        let (theme, counts) = (show.theme, Counts::of(&self.seen));
        let count = |count: usize, what: &str| match count {
            0 => (String::new(), theme.muted),
            count => (format!("{count} {what}"), theme.warn),
        };
        match section {
            Section::Faults if counts.faults > 0 => {
                let struck: u64 = self.edits.keys().map(|name| self.struck(*name)).sum();
                (format!("{} set, struck {struck}×, seed {}", counts.faults, self.seed), theme.warn)
            }
            Section::Faults => (format!("seed {}", self.seed), theme.muted),
            Section::Processes => count(counts.paused, "paused"),
            Section::Lines => count(counts.cuts, "cut"),
            Section::Clock => count(counts.skews, "off"),
            Section::Play => {
                let plays = [Part::Load, Part::Scenario].into_iter().filter(|part| self.plays(*part)).count();
                count(plays, "running")
            }
            Section::Lab => match self.seen.out().len() {
                0 => (String::new(), theme.muted),
                out => (format!("{out} OUT"), theme.bad.add_modifier(Modifier::REVERSED)),
            },
            Section::Verify => {
                let keeps = if self.checking.keeps { "keeps verifying ↻" } else { "" };
                (keeps.to_owned(), theme.accent)
            }
        }
    }

    pub(super) fn empty(&self, section: Section, show: &Show<'_>) -> Line<'static> {
        let theme = show.theme;
        let why = self.seen.status.as_ref().and_then(|status| status.as_ref().err());
        let words = match section {
            Section::Processes | Section::Lines => match why {
                Some(why) => format!("  no supervisor is there to be asked: {why}"),
                None => "  asking the supervisor …".to_owned(),
            },
            Section::Play => match &self.scenarios {
                Some(_) => "  no scenarios here; `orderflow tui --scenarios DIR` says where".to_owned(),
                None => "  reading scenarios …".to_owned(),
            },
            Section::Lab => "  not a laboratory: `orderflow up --lab` makes one".to_owned(),
            Section::Verify => match (self.checking.runs(), self.checking.standing()) {
                (Some(""), _) => "  counting everything …".to_owned(),
                (Some(waits), _) => format!("  waiting for rest: {waits}"),
                (None, Standing::Unknown(why)) => format!("  could not be done: {why}"),
                (None, _) => "  v counts every piece, every cent and every event".to_owned(),
            },
            Section::Faults | Section::Clock => String::new(),
        };
        Line::styled(text::plain(&words), theme.muted)
    }

    /// How often a fault has struck, in all services.
    pub(super) fn struck(&self, name: FaultName) -> u64 {
        self.seen.fault(name).iter().map(|(_, fault)| fault.struck).sum()
    }

    fn fault_cells(&self, name: FaultName, now: Timestamp, show: &Show<'_>) -> Vec<Cell> {
        let (theme, row) = (show.theme, Row::Fault(name));
        let Some(edit) = self.edits.get(&name) else { return Vec::new() };
        let set = self.seen.fault(name);
        let is_set = !set.is_empty();
        let style = if is_set { theme.warn } else { theme.text };
        let beside = if is_set { theme.warn } else { theme.muted };
        let services: Vec<Service> = set.iter().map(|(service, _)| *service).collect();
        let place = if is_set { services_words(&services) } else { edit.place_words(name) };
        let (place, place_style) = self.told(row, place, beside, show);
        let struck = self.struck(name);
        let ends_at = set.iter().filter_map(|(_, fault)| fault.ends_at).max();
        let ends = if is_set { left(ends_at, now) } else { edit.lasts.ms().map(span).unwrap_or_default() };
        let likely = if takes_time(name) && edit.percent < 100 { format!("{}%", edit.percent) } else { String::new() };
        let is_spent = is_set && set.iter().all(|(_, fault)| fault.set.times.is_some_and(|most| fault.struck >= most));
        let count = if is_spent { "spent".to_owned() } else { times(struck) };
        // What is changed, and not set yet.
        let value = format!("{}{}", edit.value(name), if edit.touched { "*" } else { "" });
        let position = edit.position(name);
        // A point is a word: its slider is the shorter.
        let (value, slides) = if name == FaultName::Crash {
            (Cell::new(value, 13, 8, style), Cell::new(slider(position, 5), 5, 4, beside))
        } else {
            (Cell::new(value, 7, 8, style).right(), Cell::new(slider(position, SLIDER), SLIDER, 4, beside))
        };
        vec![
            Cell::new(if is_set { "●" } else { "○" }, 1, 9, beside),
            Cell::new(word(name), 16, 9, style),
            value,
            slides,
            Cell::new(likely, 4, 3, beside).right(),
            Cell::new(place, 10, 2, place_style).grows(),
            Cell::new(count, 7, 6, style).right(),
            Cell::new(ends, 5, 5, beside).right(),
        ]
    }

    fn process_cells(&self, name: &'static str, now: Timestamp, show: &Show<'_>) -> Vec<Cell> {
        let (theme, row) = (show.theme, Row::Process(name));
        let Some(process) = self.seen.process(name) else {
            return vec![
                Cell::new("·", 1, 9, theme.muted),
                Cell::new(name, 10, 9, theme.muted),
                Cell::new("not of this cluster", 19, 9, theme.muted),
            ];
        };
        let (sign, style) = match process.state {
            State::Ready => ("●", theme.good),
            State::Starting | State::Restarting => ("◌", theme.warn),
            State::Unhealthy | State::Stopped => ("✗", theme.bad),
            State::Paused | State::HeldDown => ("‖", theme.warn),
        };
        let silent = self.seen.silent().find(|(service, _)| service.name() == name).map(|(_, why)| why);
        let (words, words_style) = self.process_words(name, process, silent, now, show);
        let (words, words_style) = self.told(row, words, words_style, show);
        let ends = match process.state {
            State::Paused | State::HeldDown => left(at_ms(process.resumes_at_ms), now),
            _ => self.lasts.get(&row).and_then(|lasts| lasts.ms()).map(span).unwrap_or_default(),
        };
        let restarts = match process.restarts {
            0 => String::new(),
            1 => "1 restart".to_owned(),
            many => format!("{many} restarts"),
        };
        vec![
            Cell::new(sign, 1, 9, style),
            Cell::new(name, 10, 9, theme.text),
            Cell::new(word(process.state), 10, 9, style),
            Cell::new(words, 10, 6, words_style).grows(),
            Cell::new(restarts, 11, 4, theme.muted).right(),
            Cell::new(ends, 5, 5, theme.muted).right(),
        ]
    }

    /// What was done to a process and what came of it; else why it is not well, or how long it is up.
    fn process_words(
        &self,
        name: &str,
        process: &ProcessStatus,
        silent: Option<&str>,
        now: Timestamp,
        show: &Show<'_>,
    ) -> (String, Style) {
        let theme = show.theme;
        if let Some(deed) = self.deeds.get(name).filter(|deed| deed.is_fresh(now)) {
            return (deed.words(now), if deed.is_awaited() { theme.warn } else { theme.good });
        }
        match (&process.reason, silent) {
            (Some(reason), _) if !matches!(process.state, State::Ready | State::Paused | State::HeldDown) => {
                (reason.clone(), theme.warn)
            }
            _ if process.state == State::HeldDown => ("killed, and held down".to_owned(), theme.warn),
            _ if process.state == State::Paused => ("keeps its connections, and does nothing".to_owned(), theme.warn),
            (_, Some(why)) => (format!("says nothing: {why}"), theme.bad),
            _ => (
                format!("up {}", text::ago(Timestamp(now.0 - i64::try_from(process.uptime_ms).unwrap_or(0)), now)),
                theme.muted,
            ),
        }
    }

    fn line_cells(&self, line: usize, now: Timestamp, show: &Show<'_>) -> Vec<Cell> {
        let (theme, row) = (show.theme, Row::Line(line));
        let Some((service, from)) = LINES.get(line).copied() else { return Vec::new() };
        let cut = self.seen.cut(service, from);
        let style = if cut.is_some() { theme.warn } else { theme.text };
        let beside = if cut.is_some() { theme.warn } else { theme.muted };
        let to = if from == Need::Postgres { "database".to_owned() } else { from.to_string() };
        let state = if cut.is_some() { "cut" } else { "whole" };
        let (state, state_style) = self.told(row, state.to_owned(), beside, show);
        let dropped = cut.map(|cut| format!("{} dropped", cut.dropped)).unwrap_or_default();
        let ends = match cut {
            Some(cut) => left(at_ms(cut.ends_at_ms), now),
            None => self.lasts.get(&row).and_then(|lasts| lasts.ms()).map(span).unwrap_or_default(),
        };
        vec![
            Cell::new(if cut.is_some() { "●" } else { "○" }, 1, 9, beside),
            Cell::new(service.name(), 9, 9, style),
            Cell::new(if cut.is_some() { "──╳──" } else { "─────" }, 5, 7, beside),
            Cell::new(to, 8, 9, style),
            Cell::new(state, 5, 8, state_style).grows(),
            Cell::new(dropped, 12, 6, style).right(),
            Cell::new(ends, 5, 5, beside).right(),
        ]
    }

    fn clocks_cells(&self, show: &Show<'_>) -> Vec<Cell> {
        let theme = show.theme;
        let common = self.seen.common_ms();
        let moved = match common {
            0 => "the machine's time".to_owned(),
            ms => format!("the machine's time {}", signed(ms)),
        };
        let (words, style) = self.told(Row::Clocks, moved, if common == 0 { theme.muted } else { theme.warn }, show);
        let jump = JUMPS_MS.get(self.jump).copied().unwrap_or_default();
        vec![
            Cell::new("»", 1, 9, theme.muted),
            Cell::new("all clocks", 10, 9, theme.text),
            Cell::new(signed(jump), 5, 8, theme.accent).right(),
            Cell::new(slider(self.jump * 50, 5), 5, 4, theme.muted),
            Cell::new(words, 10, 6, style).grows(),
        ]
    }

    fn clock_cells(&self, service: Service, show: &Show<'_>) -> Vec<Cell> {
        let (theme, row) = (show.theme, Row::Clock(service));
        let common = self.seen.common_ms();
        let (words, style, is_off) = match self.seen.offset_ms(service) {
            None => ("does not say what time it is".to_owned(), theme.bad, false),
            Some(ms) if ms == common => ("as the others".to_owned(), theme.muted, false),
            Some(ms) => (format!("{} off the others", signed(ms - common)), theme.warn, true),
        };
        let (words, style) = self.told(row, words, style, show);
        let at = self.skew(row);
        vec![
            Cell::new(if is_off { "●" } else { "○" }, 1, 9, if is_off { theme.warn } else { theme.muted }),
            Cell::new(service.name(), 10, 9, if is_off { theme.warn } else { theme.text }),
            Cell::new(signed(SKEWS_MS.get(at).copied().unwrap_or_default()), 5, 8, theme.muted).right(),
            Cell::new(slider(at * 25, 5), 5, 4, theme.muted),
            Cell::new(words, 10, 6, style).grows(),
        ]
    }

    fn pattern_cells(&self, pattern: Pattern, show: &Show<'_>) -> Vec<Cell> {
        let (theme, row) = (show.theme, Row::Pattern(pattern));
        let out_in = self.seen.out_in(pattern);
        let is_out = !out_in.is_empty();
        let style = if is_out { theme.bad } else { theme.text };
        let state = match out_in.len() {
            0 => "in",
            count if count == Service::WITH_CLOCK.len() => "OUT",
            _ => "partly",
        };
        let loud = if is_out { theme.bad.add_modifier(Modifier::REVERSED) } else { theme.good };
        let beside = if is_out { theme.bad } else { theme.muted };
        let (words, words_style) = self.told(row, words::of_pattern(pattern).to_owned(), beside, show);
        vec![
            Cell::new(if is_out { "✗" } else { "✓" }, 1, 9, if is_out { theme.bad } else { theme.good }),
            Cell::new(word(pattern), 15, 9, style),
            Cell::new(if is_out { format!(" {state} ") } else { state.to_owned() }, 8, 9, loud),
            Cell::new(words, 10, 6, words_style).grows(),
        ]
    }
}

/// How long ago: `just now`, `12s ago`.
pub(super) fn before(at: Timestamp, now: Timestamp) -> String {
    match text::ago(at, now) {
        now if now == "now" => "just now".to_owned(),
        ago => format!("{ago} ago"),
    }
}

/// How long a process is up: `0s`, `5m`.
pub(super) fn up(process: &ProcessStatus) -> String {
    let ms = i64::try_from(process.uptime_ms).unwrap_or(i64::MAX);
    if ms < 1_000 { "0s".to_owned() } else { text::ago(Timestamp(0), Timestamp(ms)) }
}

/// So long what was done to a process is told, in milliseconds.
const DEED_MS: i64 = 60_000;

impl Deed {
    fn is_fresh(&self, now: Timestamp) -> bool {
        (self.is_awaited() || now.0.saturating_sub(self.at.0) < DEED_MS) && self.signal != Signal::Resume
    }

    /// `killed 3s ago; the supervisor starts it again`, `killed 12s ago, back after 2.1s`.
    fn words(&self, now: Timestamp) -> String {
        let ago = before(self.at, now);
        let took = |back: Timestamp| span(back.0.saturating_sub(self.at.0).max(0).unsigned_abs() / 100 * 100);
        match (self.signal, self.back_at) {
            (Signal::Kill, None) => format!("killed {ago}; the supervisor starts it again"),
            (Signal::Kill, Some(back)) => format!("killed {ago}, back after {}", took(back)),
            (Signal::Restart, None) => format!("told to restart {ago}; the supervisor starts it again"),
            (Signal::Restart, Some(back)) => format!("restarted {ago}, back after {}", took(back)),
            (Signal::Pause, _) => format!("stopped in its tracks {ago}; P lets it go on"),
            (Signal::Resume, _) => format!("goes on since {ago}"),
        }
    }
}
