//! The corner of the header: what is broken on purpose, and what verify says. It is always to be seen, in the longest
//! form that has room, and says nothing that may be older than it says.

use orderflow_contracts::{timestamp::Timestamp, words::word};
use ratatui::{
    style::{Modifier, Style},
    text::{Line, Span},
};

use super::{Board, Counts, checking::Standing};
use crate::{text, theme::Theme};

/// Least room that it takes, whatever else there is in the header.
const ROOM_MIN: usize = 10;

impl Board {
    /// What is always to be seen. `now` is the machine's time.
    pub fn corner(&self, theme: &Theme, room: usize, now: Timestamp) -> Line<'static> {
        let room = room.max(ROOM_MIN);
        let forms = [Form::Long, Form::Short, Form::Least].map(|form| self.corner_in(form, theme, now));
        let [.., least] = &forms;
        let fits = forms.iter().find(|line| line.width() <= room);
        fits.unwrap_or(least).clone()
    }

    fn corner_in(&self, form: Form, theme: &Theme, now: Timestamp) -> Line<'static> {
        let mut parts = Vec::new();
        let out = self.seen.out();
        if !out.is_empty() {
            let names = || out.iter().map(word).collect::<Vec<_>>().join(", ");
            let text = if form == Form::Long { format!(" OUT: {} ", names()) } else { " OUT ".to_owned() };
            parts.push(Span::styled(text, theme.bad.add_modifier(Modifier::REVERSED)));
        }
        let counts = Counts::of(&self.seen);
        if !counts.is_none() {
            let words = counts.words();
            let text = if form == Form::Long { words.join(" · ") } else { format!("!{}", counts.sum()) };
            parts.push(Span::styled(text, theme.warn));
        }
        if let Some((text, style)) = self.verify_words(form, theme, now) {
            parts.push(Span::styled(text, style));
        }
        let mut spans = Vec::new();
        for part in parts {
            spans.push(part);
            spans.push(Span::raw(" "));
        }
        Line::from(spans)
    }

    /// What verify says, and in which style.
    pub(super) fn verify_words(&self, form: Form, theme: &Theme, now: Timestamp) -> Option<(String, Style)> {
        let checking = &self.checking;
        let (runs, since) = (checking.runs().is_some(), checking.since());
        let standing = checking.standing();
        if standing == Standing::Never {
            return runs.then(|| (if form == Form::Least { "…" } else { "… verifying" }.to_owned(), theme.warn));
        }
        let age = checking.at().map(|at| text::ago(at, now)).unwrap_or_default();
        let after = match (runs, since) {
            (true, _) => ", verifying".to_owned(),
            (false, 0) => String::new(),
            (false, 1) => ", 1 event since".to_owned(),
            (false, since) => format!(", {since} events since"),
        };
        let keeps = if checking.keeps { " ↻" } else { "" };
        Some(match (standing, form) {
            (Standing::Broken(count), Form::Least) => (format!("✗ {count}"), theme.bad),
            (Standing::Broken(1), Form::Short) => ("✗ 1 violation".to_owned(), theme.bad),
            (Standing::Broken(count), Form::Short) => (format!("✗ {count} violations"), theme.bad),
            (Standing::Broken(1), Form::Long) => (format!("✗ 1 violation{after}{keeps}"), theme.bad),
            (Standing::Broken(count), Form::Long) => (format!("✗ {count} violations{after}{keeps}"), theme.bad),
            (Standing::Unknown(_), Form::Least) => ("?".to_owned(), theme.warn),
            (Standing::Unknown(_), _) => (format!("? verify: not at rest{after}{keeps}"), theme.warn),
            // What runs is told before what was: it is older by now.
            (_, Form::Least | Form::Short) if runs => ("… verifying".to_owned(), theme.warn),
            (_, Form::Least) if since > 0 => (format!("✓ +{since}"), theme.muted),
            (_, Form::Least) => (format!("✓ {age}"), theme.good),
            (_, _) if runs => (format!("… verifying{keeps}"), theme.warn),
            (_, _) if since > 0 => (format!("✓ verify{after}{keeps}"), theme.muted),
            (_, _) => (format!("✓ verify {age}{keeps}"), theme.good),
        })
    }

    /// In how many milliseconds the age that the corner tells is another one.
    pub(super) fn age_changes_ms(&self, now: Timestamp) -> Option<i64> {
        let tells_age = self.checking.standing() == Standing::Holds && self.checking.since() == 0;
        let at = self.checking.at().filter(|_| tells_age && self.checking.runs().is_none())?;
        let age_ms = now.0.saturating_sub(at.0).max(0);
        let unit_ms = match age_ms {
            ..60_000 => 1_000,
            60_000..3_600_000 => 60_000,
            _ => 3_600_000,
        };
        Some(unit_ms - age_ms % unit_ms)
    }
}

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Enough.
    Long,
    /// Not much.
    Short,
    /// Hardly any.
    Least,
}
