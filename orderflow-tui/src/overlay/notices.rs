//! Notices: what was done and what went wrong, for a few seconds.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Clear,
};

use crate::{text, theme::Theme, widgets::frames};

/// Notices that are shown at one time, and their rows together.
const SHOWN_MAX: usize = 4;
/// Rows of one that is longer than a line.
const ROWS_OF_ONE_MAX: usize = 3;
/// So many rows of a screen have room for one row of them.
const ROWS_FOR_ONE: u16 = 5;
/// How long good news stays, and bad.
const GOOD_FOR: Duration = Duration::from_secs(4);
const BAD_FOR: Duration = Duration::from_secs(10);

/// What kind of notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It went well.
    Good,
    /// Beside the point.
    Note,
    /// It went wrong.
    Bad,
}

impl Tone {
    const fn sign(self) -> char {
        match self {
            Self::Good => '✓',
            Self::Note => '·',
            Self::Bad => '✗',
        }
    }

    const fn style(self, theme: &Theme) -> Style {
        match self {
            Self::Good => theme.good,
            Self::Note => theme.accent,
            Self::Bad => theme.bad,
        }
    }
}

struct Notice {
    tone: Tone,
    text: String,
    until: Instant,
}

/// The notices that are shown now.
#[derive(Default)]
pub struct Notices(VecDeque<Notice>);

impl Notices {
    /// One more; the oldest goes if there are too many.
    pub fn push(&mut self, tone: Tone, text: &str, now: Instant) {
        let lasts = if tone == Tone::Bad { BAD_FOR } else { GOOD_FOR };
        let text = text::plain(text);
        self.0.retain(|notice| notice.text != text);
        self.0.push_back(Notice { tone, text, until: now + lasts });
        if self.0.len() > SHOWN_MAX {
            self.0.pop_front();
        }
    }

    /// Takes the oldest away.
    pub fn dismiss(&mut self) -> bool {
        self.0.pop_front().is_some()
    }

    /// Takes those away whose time is over. Whether there were any.
    pub fn expire(&mut self, now: Instant) -> bool {
        let before = self.0.len();
        self.0.retain(|notice| notice.until > now);
        before != self.0.len()
    }

    /// When the next one goes.
    pub fn next_end(&self) -> Option<Instant> {
        self.0.iter().map(|notice| notice.until).min()
    }

    /// Whether one of them says this; for tests of what people are told.
    pub fn say(&self, part: &str) -> bool {
        self.0.iter().any(|notice| notice.text.contains(part))
    }

    /// The rows of those that are shown in a place, the newest lowest: each in as many as it needs, as long as there is
    /// room.
    fn shown(&self, area: Rect) -> Vec<(Tone, String)> {
        let mut room = usize::from(area.height / ROWS_FOR_ONE).clamp(1, SHOWN_MAX);
        let columns = usize::from(area.width.saturating_sub(4));
        let mut rows = Vec::new();
        for notice in self.0.iter().rev() {
            if room == 0 {
                break;
            }
            let lines = text::wrap_within(&notice.text, columns, room.min(ROWS_OF_ONE_MAX));
            room = room.saturating_sub(lines.len());
            let signed = lines.into_iter().enumerate().map(|(at, line)| match at {
                0 => (notice.tone, format!(" {} {line} ", notice.tone.sign())),
                _ => (notice.tone, format!("   {line} ")),
            });
            rows.splice(0..0, signed);
        }
        rows
    }

    /// How many rows they need for themselves: the lowest one lies on the border at the bottom, if there is one. Nothing
    /// that somebody works with is covered.
    pub fn rows(&self, area: Rect) -> u16 {
        let shown = u16::try_from(self.shown(area).len()).unwrap_or(0);
        if frames::has_border(area) { shown.saturating_sub(1) } else { shown }
    }

    /// Draws them at the bottom, the newest lowest.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let shown = self.shown(area);
        for (up, (tone, words)) in (1..=area.height).zip(shown.into_iter().rev()) {
            let wide = u16::try_from(text::width(&words)).unwrap_or(area.width).min(area.width);
            let place = Rect { x: area.right() - wide, y: area.bottom() - up, width: wide, height: 1 };
            frame.render_widget(Clear, place);
            frame.buffer_mut().set_style(place, theme.bar);
            frame.render_widget(Line::from(Span::styled(words, tone.style(theme))), place);
        }
    }
}
