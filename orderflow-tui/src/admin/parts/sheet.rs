//! A detail to read: rows of text that wrap, scrolled as a whole.

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};
use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::{
    keys::{self, Action},
    text,
    theme::{Theme, ThemeName},
    widgets::frames,
};

/// Rows that are kept of one detail.
const ROWS_MAX: usize = 5_000;
/// Letters of one row.
const ROW_BYTES_MAX: usize = 16 << 10;

/// What a part of a row means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tint {
    /// Text.
    Text,
    /// What it is called.
    Muted,
    /// A title.
    Accent,
    /// It is well.
    Good,
    /// It waits.
    Warn,
    /// It is not well.
    Bad,
}

impl Tint {
    const fn style(self, theme: &Theme) -> Style {
        match self {
            Self::Text => theme.text,
            Self::Muted => theme.muted,
            Self::Accent => theme.accent,
            Self::Good => theme.good,
            Self::Warn => theme.warn,
            Self::Bad => theme.bad,
        }
    }
}

/// One row, part by part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row(pub Vec<(Tint, String)>);

impl Row {
    /// What something is called, and what it is.
    pub fn pair(name: &str, value: &str) -> Self {
        Self(vec![(Tint::Muted, format!("{name:<14}")), (Tint::Text, plain(value))])
    }

    /// A title, with an empty row before it.
    pub fn title(title: &str) -> [Self; 2] {
        [Self::default(), Self(vec![(Tint::Accent, title.to_owned())])]
    }

    /// Text of one meaning.
    pub fn of(tint: Tint, text: &str) -> Self {
        Self(vec![(tint, plain(text))])
    }
}

fn plain(value: &str) -> String {
    let mut end = value.len().min(ROW_BYTES_MAX);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    text::plain(&value[..end])
}

/// JSON for people, the names apart from what they have.
pub fn json_rows(value: &Value) -> Vec<Row> {
    let pretty = serde_json::to_string_pretty(value).unwrap_or_default();
    let row = |line: &str| match line.split_once("\": ") {
        Some((name, value)) if name.trim_start().starts_with('"') => {
            Row(vec![(Tint::Muted, plain(&format!("{name}\": "))), (Tint::Text, plain(value))])
        }
        _ => Row::of(Tint::Text, line),
    };
    pretty.lines().take(ROWS_MAX).map(row).collect()
}

/// A detail.
#[derive(Debug, Clone)]
pub struct Sheet {
    title: String,
    rows: Vec<Row>,
    first: usize,
    /// Rows that were seen, and that there were in all when it was drawn.
    seen: (usize, usize),
    /// The rows as they were wrapped last, for which width and in which theme: a large payload takes its time.
    wrapped: Option<((u16, ThemeName), Vec<Line<'static>>)>,
}

impl Sheet {
    /// Of these rows.
    pub fn new(title: impl Into<String>, mut rows: Vec<Row>) -> Self {
        rows.truncate(ROWS_MAX);
        Self { title: title.into(), rows, first: 0, seen: (1, 1), wrapped: None }
    }

    /// The same place in another text.
    #[must_use]
    pub fn at_the_place_of(mut self, other: &Self) -> Self {
        self.first = other.first;
        self.seen = other.seen;
        self
    }

    /// Scrolls as a key of lists says. Whether it was one.
    pub fn act(&mut self, action: Action) -> bool {
        let (height, all) = self.seen;
        let last = all.saturating_sub(height);
        let page = height.saturating_sub(1).max(1);
        let first = self.first.min(last);
        self.first = match action {
            keys::UP => first.saturating_sub(1),
            keys::DOWN => (first + 1).min(last),
            keys::PAGE_UP => first.saturating_sub(page),
            keys::PAGE_DOWN => (first + page).min(last),
            keys::TOP => 0,
            keys::BOTTOM => last,
            _ => return false,
        };
        true
    }

    /// Draws it.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let (head, body) = frames::head(area, 1);
        let of = (body.width, theme.name);
        if self.wrapped.as_ref().is_none_or(|(was, _)| *was != of) {
            let lines = self.rows.iter().flat_map(|row| wrapped(row, usize::from(body.width), theme)).collect();
            self.wrapped = Some((of, lines));
        }
        let lines = self.wrapped.as_ref().map_or(&[][..], |(_, lines)| lines);
        let height = usize::from(body.height);
        self.seen = (height, lines.len());
        self.first = self.first.min(lines.len().saturating_sub(height));
        let left = lines.len().saturating_sub(self.first + height);
        let more = if left > 0 { format!("{left} more ↓") } else { String::new() };
        let title = Line::styled(text::cut(&self.title, usize::from(head.width)), theme.accent);
        super::both_ends(frame, head, title, Line::styled(more, theme.muted));
        for (y, line) in (body.y..body.bottom()).zip(lines.iter().skip(self.first)) {
            frame.render_widget(line, Rect { y, height: 1, ..body });
        }
    }
}

/// A row in as many lines as it needs, broken between words where there are some.
fn wrapped(row: &Row, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let parts = row.0.iter();
    let letters: Vec<(&str, Style)> =
        parts.flat_map(|(tint, part)| part.graphemes(true).map(|letter| (letter, tint.style(theme)))).collect();
    let mut lines = Vec::new();
    let mut rest = letters.as_slice();
    while let Some(end) = breaks_at(rest, width) {
        lines.push(line(&rest[..end]));
        rest = &rest[end..];
    }
    lines.push(line(rest));
    lines
}

/// Where a line ends; nowhere if all of it has room.
fn breaks_at(letters: &[(&str, Style)], width: usize) -> Option<usize> {
    let (mut taken, mut after_blank) = (0, 0);
    for (index, (letter, _)) in letters.iter().enumerate() {
        taken += text::width(letter);
        if taken > width && index > 0 {
            // A word that is longer than half a line is broken all the same.
            return Some(if after_blank > width / 2 { after_blank } else { index });
        }
        if *letter == " " {
            after_blank = index + 1;
        }
    }
    None
}

/// Letters in as few spans as their styles allow.
fn line(letters: &[(&str, Style)]) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    for (letter, style) in letters {
        match spans.last_mut() {
            Some(span) if span.style == *style => span.content.to_mut().push_str(letter),
            _ => spans.push(Span::styled((*letter).to_owned(), *style)),
        }
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_rows_wrap_and_nothing_is_lost() {
        let theme = Theme::of(ThemeName::None);
        let row = Row::pair("name", &"x".repeat(30));
        let lines: Vec<String> = wrapped(&row, 20, &theme).iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["name          ".to_owned(), "x".repeat(20), "x".repeat(10)]);
        assert_eq!(wrapped(&Row::default(), 0, &theme).len(), 1);
        let words: Vec<String> =
            wrapped(&Row::of(Tint::Text, "one two three four"), 10, &theme).iter().map(ToString::to_string).collect();
        assert_eq!(words, ["one two ", "three four"]);
    }

    #[test]
    fn json_is_for_people_and_cannot_move_the_cursor() {
        let rows = json_rows(&json!({ "a": { "b": "\u{1b}[2J" }, "c": [1] }));
        let texts: Vec<String> = rows.iter().map(|row| row.0.iter().map(|(_, text)| text.as_str()).collect()).collect();
        assert_eq!(texts, ["{", "  \"a\": {", "    \"b\": \"\\u001b[2J\"", "  },", "  \"c\": [", "    1", "  ]", "}"]);
        assert_eq!(rows[2].0[0].0, Tint::Muted);
        assert_eq!(Row::of(Tint::Text, "a\u{1b}b").0[0].1, "a b");
    }
}
