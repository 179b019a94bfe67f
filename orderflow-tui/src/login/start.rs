//! The offer to start a cluster where none runs: at a login, and over the desks when theirs has stopped.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::{Paragraph, Wrap},
};

use super::{Do, Done, NO_CLUSTER, START, START_LAB};
use crate::{
    keys::{Action, KeyMap},
    text,
    theme::Theme,
    widgets::frames,
};

/// Lines of the cluster's start that are shown.
const SAID_MAX: usize = 8;
/// Columns of the offer.
const WIDTH: u16 = 64;

/// What there was, where a cluster is offered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Before {
    /// None that anybody here knows of.
    #[default]
    Nothing,
    /// One that has stopped.
    Stopped {
        /// Whether its patterns could be taken out.
        was_lab: bool,
    },
    /// One that was destroyed: there is nothing to start again.
    Destroyed,
}

/// The offer, and how far the start is.
#[derive(Default)]
pub struct Start {
    before: Before,
    is_on: bool,
    problem: Option<String>,
    said: Vec<String>,
    seconds: u32,
}

impl Start {
    /// After a cluster that was there. One that has stopped is started again as it was.
    pub fn after(before: Before) -> Self {
        Self { before, ..Self::default() }
    }

    /// What there was.
    pub const fn before(&self) -> Before {
        self.before
    }

    /// Whether one is being started.
    pub const fn is_on(&self) -> bool {
        self.is_on
    }

    /// A second has passed.
    pub const fn tick(&mut self) {
        self.seconds += 1;
    }

    /// A key was pressed; nothing if it means nothing here.
    pub fn act(&mut self, action: Action) -> Option<Do> {
        let lab = match action {
            START => self.before == Before::Stopped { was_lab: true },
            START_LAB => true,
            _ => return None,
        };
        if self.is_on {
            return None;
        }
        *self = Self { is_on: true, ..Self::after(self.before) };
        Some(Do::Start { lab })
    }

    /// Something came of it.
    pub fn done(&mut self, done: Done) {
        match done {
            Done::Said(line) => {
                self.said.push(line);
                if self.said.len() > SAID_MAX {
                    self.said.remove(0);
                }
            }
            Done::Up(Err(why)) => {
                self.is_on = false;
                self.problem = Some(why);
            }
            // What these mean is said elsewhere.
            _ => {}
        }
    }

    /// Draws it in the middle of a desk.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme, keys: &KeyMap) {
        let lines = self.lines(theme, keys);
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let place = frames::centred(area, WIDTH, height.saturating_add(4));
        frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), place);
    }

    /// Draws it over the desks.
    pub fn draw_over(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme, keys: &KeyMap) {
        let wide = usize::from(WIDTH.min(area.width).saturating_sub(2));
        let lines = self.lines(theme, keys);
        // A line that is longer than the box takes more rows than one.
        let rows: usize = lines.iter().map(|line| line.width().div_ceil(wide.max(1)).max(1)).sum();
        let lines = Paragraph::new(lines).wrap(Wrap { trim: false });
        // Words that do not fit take a row that the count by letters does not know of.
        let size = (WIDTH, u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(3));
        let title =
            if self.before == Before::Destroyed { "the cluster was destroyed" } else { "the cluster has stopped" };
        let inside = frames::popup(frame, area, size, title, theme);
        frame.render_widget(lines, inside);
    }

    fn lines(&self, theme: &Theme, keys: &KeyMap) -> Vec<Line<'static>> {
        if self.is_on {
            let mut lines = vec![Line::styled(format!("Starting a cluster … {}s", self.seconds), theme.accent)];
            lines.push(Line::raw(""));
            lines.extend(self.said.iter().map(|line| Line::styled(line.clone(), theme.muted)));
            return lines;
        }
        let mut lines = match self.before {
            Before::Destroyed => vec![
                Line::raw("All of it is gone, and so is what it kept. What is shown here"),
                Line::raw("was of it; a new cluster begins with nothing."),
            ],
            Before::Stopped { .. } => vec![
                Line::raw("All of it is gone: its supervisor does not run any more."),
                Line::raw("What it keeps is there, and so is what is shown here."),
            ],
            Before::Nothing => vec![
                Line::styled("No cluster runs here.", theme.accent),
                Line::raw(""),
                Line::raw("A cluster is three services, Kafka and PostgreSQL, as"),
                Line::raw("processes of this machine, in a directory of their own."),
            ],
        };
        lines.push(Line::raw(""));
        lines.extend(self.answers(theme, keys));
        if let Some(problem) = &self.problem {
            lines.extend([Line::raw(""), Line::styled(format!("✗ {}", text::plain(problem)), theme.bad)]);
        }
        lines
    }

    /// The keys that start one.
    fn answers(&self, theme: &Theme, keys: &KeyMap) -> Vec<Line<'static>> {
        let key = |action| keys.key_in(NO_CLUSTER, action).map(|key| key.to_string()).unwrap_or_default();
        let answer = |key: String, words: &'static str| {
            Line::from(vec![Span::styled(format!("{key:<7}"), theme.accent), Span::raw(words)])
        };
        let as_laboratory = [
            answer(key(START_LAB), "start a laboratory, to take patterns out and see"),
            answer(String::new(), "what they are for"),
        ];
        match self.before {
            Before::Nothing => [answer(key(START), "start one")].into_iter().chain(as_laboratory).collect(),
            Before::Destroyed => [answer(key(START), "start a new one")].into_iter().chain(as_laboratory).collect(),
            Before::Stopped { was_lab: true } => {
                vec![answer(key(START), "start it again, as the laboratory that it was")]
            }
            Before::Stopped { was_lab: false } => {
                [answer(key(START), "start it again")].into_iter().chain(as_laboratory).collect()
            }
        }
    }
}
