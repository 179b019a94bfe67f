//! The health of every process, drawn.

use orderflow_client::Service;
use orderflow_cluster::{
    State,
    control::{CutStatus, ProcessStatus, Status},
};
use orderflow_contracts::{api::Readiness, timestamp::Timestamp};
use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{Health, What};
use crate::{
    admin::parts::{both_ends, bytes, wall},
    cx::Show,
    text,
    theme::Theme,
    widgets::{Column, frames, list::Table},
};

const PROCESSES: [Column; 9] = [
    Column::new("process", 10, 9),
    Column::new("state", 12, 9),
    Column::new("cpu", 5, 6).right(),
    Column::new("memory", 7, 7).right(),
    Column::new("up", 5, 5).right(),
    Column::new("restarts", 8, 4).right(),
    Column::new("pid", 7, 2).right(),
    Column::new("address", 15, 1),
    Column::new("why", 12, 3).grows(),
];
const SERVICES: [Column; 3] =
    [Column::new("service", 10, 9), Column::new("state", 12, 9), Column::new("why", 20, 5).grows()];

/// A third of the screen is for troubles at most.
const TROUBLES_OF: u16 = 3;

impl Health {
    pub(super) fn draw_in(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        let theme = show.theme;
        let (head, body) = frames::head(area, 1);
        let now = wall(show.now, show.books);
        // It is asked every two seconds: only what is older than that is worth saying.
        let old = self.seen_at.filter(|at| now.0 - at.0 >= OLD_MS);
        let age = old.map(|at| format!("as of {} ago", text::ago(at, now)));
        let right = Line::styled(age.unwrap_or_default(), theme.muted);
        match &self.seen {
            What::Nothing => frame.render_widget(Line::styled("asking how everything is…", theme.muted), head),
            What::Processes(status) => {
                both_ends(frame, head, headline(status, theme), right);
                let now = wall(show.now, show.books);
                let troubles = troubles(status, now, body, theme);
                // What has no place in a narrow row stands in full beneath the table.
                let rows = u16::try_from(troubles.len()).unwrap_or(u16::MAX).min(body.height / TROUBLES_OF);
                let (body, foot) = frames::foot(body, rows);
                let (status, readings) = (status.clone(), self.readings.clone());
                let table =
                    Table { columns: &PROCESSES, len: status.processes.len(), focused: show.focused, empty: "", theme };
                table.draw(frame, body, &mut self.list, |row| {
                    let process = &status.processes[row];
                    cells(process, &readings, troubles_of(process, now), theme)
                });
                for (y, line) in (foot.y..foot.bottom()).zip(troubles) {
                    frame.render_widget(line, Rect { y, height: 1, ..foot });
                }
            }
            What::Services(services, why) => {
                let line =
                    Line::styled(format!("{}: each service says itself how it is", text::plain(why)), theme.muted);
                both_ends(frame, head, line, right);
                let table = Table { columns: &SERVICES, len: services.len(), focused: show.focused, empty: "", theme };
                table.draw(frame, body, &mut self.list, |row| service_cells(&services[row], theme));
            }
        }
    }
}

fn headline(status: &Status, theme: &Theme) -> Line<'static> {
    let count = status.processes.len();
    let well = status.processes.iter().filter(|process| process.state == State::Ready).count();
    let mut spans = if status.healthy {
        vec![Span::styled(format!("✓ all {count} processes are ready"), theme.good)]
    } else {
        vec![Span::styled(format!("✗ {well} of {count} processes are ready"), theme.bad)]
    };
    if !status.cuts.is_empty() {
        spans.push(Span::styled(format!(" · {} cut off", status.cuts.len()), theme.warn));
    }
    spans.push(Span::styled(format!(" · supervisor {}", status.supervisor_pid), theme.muted));
    if status.lab {
        spans.push(Span::styled(" · laboratory", theme.muted));
    }
    Line::from(spans)
}

fn state(state: State, theme: &Theme) -> Span<'static> {
    let (text, style) = match state {
        State::Ready => ("✓ ready", theme.good),
        State::Starting => ("○ starting", theme.warn),
        State::Unhealthy => ("✗ not ready", theme.bad),
        State::Restarting => ("↻ restarting", theme.warn),
        State::Paused => ("‖ paused", theme.warn),
        State::HeldDown => ("✗ held down", theme.warn),
        State::Stopped => ("· stopped", theme.muted),
    };
    Span::styled(text, style)
}

type Readings = (Option<crate::admin::procfs::Reading>, Option<crate::admin::procfs::Reading>);

fn cells(process: &ProcessStatus, readings: &Readings, why: String, theme: &Theme) -> Vec<Line<'static>> {
    let taken = |pid: u32| readings.1.as_ref()?.taken.get(&pid).copied();
    let memory = process.pid.and_then(taken).map_or_else(|| "–".to_owned(), |taken| bytes(taken.memory));
    let cpu = process.pid.and_then(|pid| readings.1.as_ref()?.percent_since(readings.0.as_ref()?, pid));
    let cpu_style = if cpu.is_some_and(|cpu| cpu >= BUSY_PERCENT) { theme.warn } else { theme.text };
    let restarts_style = if process.restarts > 0 { theme.warn } else { theme.muted };
    let is_well = process.state == State::Ready;
    vec![
        Line::from(text::plain(&process.name)),
        Line::from(state(process.state, theme)),
        Line::styled(cpu.map_or_else(|| "–".to_owned(), |cpu| format!("{cpu}%")), cpu_style),
        Line::from(memory),
        Line::from(if process.pid.is_some() { span(process.uptime_ms) } else { "–".to_owned() }),
        Line::styled(process.restarts.to_string(), restarts_style),
        Line::styled(process.pid.map_or_else(|| "–".to_owned(), |pid| pid.to_string()), theme.muted),
        Line::styled(text::plain(&process.address), theme.muted),
        Line::styled(why, if is_well { theme.muted } else { theme.bad }),
    ]
}

/// What is shown is older than it should be, in milliseconds.
const OLD_MS: i64 = 5_000;
/// Of one processor; more than that is worth a look.
const BUSY_PERCENT: u64 = 80;

/// `4s`, `12m`, `3h`.
fn span(ms: u64) -> String {
    let ms = i64::try_from(ms).unwrap_or(i64::MAX);
    let word = text::ago(Timestamp(0), Timestamp(ms));
    if word == "now" { "0s".to_owned() } else { word }
}

/// Why a process is not ready, or else why it ended the last time.
fn troubles_of(process: &ProcessStatus, now: Timestamp) -> String {
    if let Some(at) = process.resumes_at_ms {
        return format!("runs on in {}", text::countdown(moment(at), now));
    }
    let reason = process.reason.as_deref().map(text::plain).unwrap_or_default();
    match process.state {
        State::Ready if !reason.is_empty() => format!("the last time: {reason}"),
        _ => reason,
    }
}

/// What is cut, and the reasons of what is not ready, each in as many rows as it needs, if all of them have room.
fn troubles(status: &Status, now: Timestamp, body: Rect, theme: &Theme) -> Vec<Line<'static>> {
    let unwell = |process: &&ProcessStatus| process.state != State::Ready && process.reason.is_some();
    let reasons = status.processes.iter().filter(unwell).map(|process| {
        let reason = text::plain(process.reason.as_deref().unwrap_or_default());
        (format!("✗ {}: {reason}", text::plain(&process.name)), theme.bad)
    });
    let all: Vec<_> = status.cuts.iter().map(|cut| (cut_words(cut, now), theme.warn)).chain(reasons).collect();
    let each = (usize::from(body.height / TROUBLES_OF) / all.len().max(1)).max(1);
    let rows = |(words, style): (String, Style)| {
        let rows = text::wrap_within(&words, usize::from(body.width), each).into_iter();
        rows.map(move |row| Line::styled(row, style))
    };
    all.into_iter().flat_map(rows).collect()
}

fn cut_words(cut: &CutStatus, now: Timestamp) -> String {
    let end = match cut.ends_at_ms {
        Some(at) => format!("heals in {}", text::countdown(moment(at), now)),
        None => "until somebody heals it".to_owned(),
    };
    let service = text::plain(&cut.service);
    format!("╳ {service} is cut off from {}: {end}, {} connections dropped", cut.from, cut.dropped)
}

fn moment(ms: u64) -> Timestamp {
    Timestamp(i64::try_from(ms).unwrap_or(i64::MAX))
}

fn service_cells((service, found): &(Service, Result<Readiness, String>), theme: &Theme) -> Vec<Line<'static>> {
    let (state, style, why) = match found {
        Ok(readiness) if readiness.ready => ("✓ ready", theme.good, String::new()),
        Ok(readiness) => {
            let parts = readiness.not_ready.iter().map(|not| format!("{}: {}", not.part, not.reason));
            ("✗ not ready", theme.bad, parts.collect::<Vec<_>>().join("; "))
        }
        Err(error) => ("✗ silent", theme.bad, error.clone()),
    };
    vec![Line::from(service.name()), Line::styled(state, style), Line::styled(text::plain(&why), theme.bad)]
}
