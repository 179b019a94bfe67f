//! The logs of the processes of this machine's cluster: their end, and what comes as it comes.

mod lines;
pub mod tail;

use std::path::PathBuf;

use orderflow_cluster::control::Status;
use ratatui::{
    Frame,
    layout::{Position, Rect},
    style::Style,
    text::{Line, Span},
};

use self::{
    lines::{Level, Lines},
    tail::{At, Tail},
};
use super::{
    Do,
    keymap::{DETAIL, LOGS, NEXT, PAUSE, PREVIOUS},
    parts::{self, Every, Row, Sheet, Tint, both_ends, wall},
};
use crate::{
    area::Area,
    cx::{Cx, Show},
    input::Edit,
    keys::{self, Action, Scope},
    msg::Effect,
    text,
    theme::Theme,
    widgets::{Column, ListState, frames, list::Table, search::Search},
};

/// Between two readings, in milliseconds.
const EVERY_MS: i64 = 1_000;
const COLUMNS: [Column; 3] = [Column::new("at", 12, 4), Column::new("level", 5, 6), Column::new("line", 20, 9).grows()];
/// The supervisor's own log.
const SUPERVISOR: &str = "supervisor";

/// The logs.
#[derive(Default)]
pub struct Logs {
    /// Names of processes and their files.
    files: Vec<(String, PathBuf)>,
    shown: usize,
    /// Which one is wanted, before the files are known.
    wanted: Option<String>,
    at: Option<At>,
    lines: Lines,
    failed: Option<String>,
    every: Every,
    search: Search,
    only_bad: bool,
    is_paused: bool,
    /// The last line is chosen, and stays so as more come.
    follows: bool,
    list: ListState,
    sheet: Option<Sheet>,
}

impl Logs {
    /// Shows the log of this process.
    pub fn show(&mut self, name: &str) {
        match self.files.iter().position(|(known, _)| known == name) {
            Some(index) => self.choose(index),
            None => self.wanted = Some(name.to_owned()),
        }
    }

    /// The processes are known.
    pub fn processes(&mut self, status: &Status) {
        let mut files: Vec<(String, PathBuf)> =
            status.processes.iter().map(|process| (process.name.clone(), process.log.clone())).collect();
        if let Some(dir) = files.first().and_then(|(_, log)| log.parent()) {
            files.push((SUPERVISOR.to_owned(), dir.join(format!("{SUPERVISOR}.log"))));
        }
        if self.files == files {
            return;
        }
        let before = self.files.get(self.shown).map(|(name, _)| name.clone());
        let wanted = self.wanted.take().or(before);
        let index = wanted.and_then(|wanted| files.iter().position(|(name, _)| *name == wanted));
        self.files = files;
        self.choose(index.unwrap_or(0));
    }

    fn choose(&mut self, index: usize) {
        self.shown = index;
        (self.at, self.lines, self.failed, self.sheet) = (None, Lines::default(), None, None);
        (self.every, self.list, self.is_paused, self.follows) = (Every::default(), ListState::default(), false, true);
        self.filter();
    }

    /// Reads on, if it is time to.
    pub fn ask(&mut self, cx: &mut Cx<'_>) {
        let Some((_, path)) = self.files.get(self.shown) else { return };
        if !self.is_paused && self.every.is_due(wall(cx.now, cx.books), EVERY_MS) {
            cx.run(Effect::Admin(Do::Tail(path.clone(), self.at)));
        }
    }

    /// It was read.
    pub fn read(&mut self, path: &std::path::Path, tail: Result<Tail, String>) {
        if self.files.get(self.shown).is_none_or(|(_, shown)| shown != path) || self.is_paused {
            return;
        }
        self.every.answered();
        match tail {
            // Asked for twice: its lines are here already.
            Ok(tail) if tail.from != self.at => {}
            Ok(tail) => {
                self.failed = None;
                if tail.begins_anew && self.at.is_some() {
                    self.lines.gap();
                }
                self.at = Some(tail.at);
                let dropped = self.lines.extend(tail.lines);
                if !self.follows {
                    let row = self.list.chosen(usize::MAX).unwrap_or(0);
                    self.list.follow(row.saturating_sub(dropped));
                }
            }
            Err(why) => self.failed = Some(why),
        }
    }

    fn filter(&mut self) {
        self.lines.filter(self.search.needle(), self.only_bad);
        self.follows = true;
    }

    fn move_by(&mut self, by: usize, cx: &mut Cx<'_>) {
        if !self.files.is_empty() {
            self.choose((self.shown + by) % self.files.len());
            self.ask(cx);
        }
    }

    fn open(&mut self) {
        let Some(line) = self.chosen() else { return };
        let level = line.level.word();
        let rows = vec![Row::of(level_tint(line.level), level), Row::default(), Row::of(Tint::Text, &line.raw)];
        let name = self.files.get(self.shown).map(|(name, _)| name.clone()).unwrap_or_default();
        self.sheet = Some(Sheet::new(format!("a line of {name}"), rows));
    }

    fn chosen(&self) -> Option<&lines::Entry> {
        let count = self.lines.shown();
        self.lines.row(if self.follows { count.checked_sub(1)? } else { self.list.chosen(count)? })
    }

    fn act_in_list(&mut self, action: Action) -> bool {
        if let Some(changed) = self.search.act(action) {
            if changed {
                self.filter();
            }
            return true;
        }
        let count = self.lines.shown();
        if self.follows {
            self.list.follow(count.saturating_sub(1));
        }
        let moved = self.list.act(action, count);
        if moved {
            self.follows = self.list.chosen(count).is_none_or(|row| row + 1 == count);
        }
        moved
    }

    fn draw_head(&self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        let theme = show.theme;
        let mut right = Vec::new();
        if self.is_paused {
            right.push(Span::styled("‖ paused ", theme.warn));
        } else if self.follows {
            right.push(Span::styled("● following ", theme.good));
        } else {
            right.push(Span::styled("G follows ", theme.muted));
        }
        if self.only_bad {
            right.push(Span::styled("warnings, errors ", theme.accent));
        }
        right.push(Span::styled(format!("{} lines", self.lines.shown()), theme.muted));
        if self.search.is_shown() {
            return self.search.draw(frame, area, Line::from(right), show.focused, theme);
        }
        both_ends(frame, area, self.names(area.width, theme), Line::from(right));
    }

    /// The processes, the shown one marked; where it is narrow, that one alone.
    fn names(&self, width: u16, theme: &Theme) -> Line<'static> {
        let long: usize = self.files.iter().map(|(name, _)| name.len() + 2).sum();
        let is_tight = usize::from(width) < long + 30;
        let mut spans = Vec::new();
        for (index, (name, _)) in self.files.iter().enumerate() {
            let name = text::plain(name);
            if index == self.shown {
                spans.push(Span::styled(
                    if is_tight { format!("◂ {name} ▸") } else { format!("▸{name} ") },
                    theme.accent,
                ));
            } else if !is_tight {
                spans.push(Span::styled(format!(" {name} "), theme.muted));
            }
        }
        Line::from(spans)
    }
}

impl Area for Logs {
    fn scopes(&self) -> Vec<Scope> {
        parts::scopes(self.sheet.as_ref().map(|_| &[DETAIL][..]), &self.search, LOGS)
    }

    fn takes_text(&self) -> bool {
        self.search.is_open() && self.sheet.is_none()
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        match (action, &mut self.sheet) {
            (keys::COPY, _) => {
                if let Some(line) = self.chosen().map(|line| line.raw.clone()) {
                    cx.note("copied the line");
                    cx.run(Effect::Copy(line));
                }
            }
            (keys::BACK, Some(_)) => self.sheet = None,
            (PREVIOUS | NEXT, Some(_)) => {
                self.act_in_list(if action == NEXT { keys::DOWN } else { keys::UP });
                self.open();
            }
            (action, Some(sheet)) => return sheet.act(action),
            (PREVIOUS, None) => self.move_by(self.files.len().saturating_sub(1), cx),
            (NEXT, None) => self.move_by(1, cx),
            (PAUSE, None) => {
                self.is_paused = !self.is_paused;
                self.every = Every::default();
                self.ask(cx);
            }
            (keys::FILTER, None) => {
                self.only_bad = !self.only_bad;
                self.filter();
            }
            (keys::OPEN, None) if !self.search.is_open() => self.open(),
            (action, None) => return self.act_in_list(action),
        }
        true
    }

    fn edit(&mut self, edit: Edit, _: &mut Cx<'_>) {
        if self.search.edit(&edit) {
            self.filter();
        }
    }

    fn ticks(&self, _: &Show<'_>) -> bool {
        !self.is_paused
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        self.ask(cx);
    }

    fn click(&mut self, at: Position, cx: &mut Cx<'_>) {
        let count = self.lines.shown();
        let again = self.list.click(at, count, cx.now);
        if again.is_some() {
            self.follows = self.list.chosen(count).is_some_and(|row| row + 1 == count);
        }
        if again == Some(true) {
            self.open();
        }
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        let (theme, count) = (show.theme, self.lines.shown());
        let (head, body) = frames::head(area, 1);
        self.draw_head(frame, head, show);
        if let Some(sheet) = &mut self.sheet {
            return sheet.draw(frame, body, theme);
        }
        if self.follows {
            self.list.follow(count.saturating_sub(1));
        }
        let empty = match &self.failed {
            Some(why) => format!("✗ the log cannot be read: {}", text::plain(why)),
            None if self.files.is_empty() => {
                "logs are read from this machine's cluster; where the services run elsewhere, look there".to_owned()
            }
            None if self.at.is_none() => "reading the log…".to_owned(),
            None => "no line is like that: esc and f show all".to_owned(),
        };
        let table = Table { columns: &COLUMNS, len: count, focused: show.focused, empty: &empty, theme };
        let lines = &self.lines;
        table
            .draw(frame, body, &mut self.list, |row| lines.row(row).map(|line| cells(line, theme)).unwrap_or_default());
    }
}

fn cells(line: &lines::Entry, theme: &Theme) -> Vec<Line<'static>> {
    let style = level_style(line.level, theme);
    let (at, text) = line.parts();
    let quiet = matches!(line.level, Level::Debug);
    vec![
        Line::styled(at.to_owned(), theme.muted),
        Line::styled(line.level.word(), style),
        Line::styled(text::plain(text), if quiet { theme.muted } else { theme.text }),
    ]
}

const fn level_style(level: Level, theme: &Theme) -> Style {
    match level {
        Level::Error => theme.bad,
        Level::Warn => theme.warn,
        Level::Info => theme.good,
        Level::Debug | Level::Other => theme.muted,
    }
}

const fn level_tint(level: Level) -> Tint {
    match level {
        Level::Error => Tint::Bad,
        Level::Warn => Tint::Warn,
        Level::Info => Tint::Good,
        Level::Debug | Level::Other => Tint::Muted,
    }
}
