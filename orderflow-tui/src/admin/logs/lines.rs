//! Lines of a log: so many of them, with their levels, and those that are wanted.

use std::collections::VecDeque;

/// Lines that are kept.
const LINES_MAX: usize = 5_000;
/// Longest line, in bytes.
const LINE_BYTES_MAX: usize = 4 << 10;
/// Stands where something was not read.
const GAP: &str = "⋯ something was not read here: the file is another one, or too much came at once";

/// How bad a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Something has failed.
    Error,
    /// Something is odd.
    Warn,
    /// Something has happened.
    Info,
    /// For those who look closely.
    Debug,
    /// It does not say.
    Other,
}

impl Level {
    /// Its word, in five letters at most.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Other => "",
        }
    }
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As it stands in the file.
    pub raw: String,
    /// How bad it is.
    pub level: Level,
    /// Where its time ends, and where its text begins.
    text_at: Option<usize>,
}

impl Entry {
    fn new(mut raw: String) -> Self {
        let mut end = raw.len().min(LINE_BYTES_MAX);
        while !raw.is_char_boundary(end) {
            end -= 1;
        }
        raw.truncate(end);
        let dated = date_len(&raw);
        let rest = &raw[dated.unwrap_or(0)..];
        let (level, skipped) = level(rest);
        let text_at = dated.map(|dated| dated + skipped);
        Self { raw, level, text_at }
    }

    /// Its time of day, and what it says.
    pub fn parts(&self) -> (&str, &str) {
        match self.text_at {
            Some(at) => (self.raw.get(11..23).unwrap_or_default(), self.raw[at..].trim_start()),
            None => ("", &self.raw),
        }
    }
}

/// How long `2026-11-22T14:47:00.719639Z` or `2026-11-22 14:47:04.294 UTC` at the beginning of a line is.
fn date_len(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    let digit = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_digit);
    let is_date = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18, 20, 21, 22].into_iter().all(digit)
        && matches!(bytes.get(10), Some(b'T' | b' '))
        && bytes.get(19) == Some(&b'.');
    if !is_date {
        return None;
    }
    let end = line[23..].find(' ').map_or(line.len(), |at| at + 23);
    Some(line[end..].strip_prefix(" UTC").map_or(end, |rest| line.len() - rest.len()))
}

/// How bad it is, by the words of tracing and of PostgreSQL; and how much of the text says so and nothing else.
fn level(text: &str) -> (Level, usize) {
    let trimmed = text.trim_start();
    let lead = text.len() - trimmed.len();
    let words = [
        ("ERROR ", Level::Error),
        ("WARN ", Level::Warn),
        ("INFO ", Level::Info),
        ("DEBUG ", Level::Debug),
        ("TRACE ", Level::Debug),
    ];
    for (word, level) in words {
        if trimmed.starts_with(word) {
            return (level, lead + word.len());
        }
    }
    let head = trimmed.get(..trimmed.len().min(60)).unwrap_or(trimmed);
    let of_postgres = [
        ("FATAL: ", Level::Error),
        ("PANIC: ", Level::Error),
        ("ERROR: ", Level::Error),
        ("WARNING: ", Level::Warn),
        ("LOG: ", Level::Info),
    ];
    let found = of_postgres.into_iter().find(|(word, _)| head.contains(word)).map(|(_, level)| level);
    let level = found.unwrap_or(if trimmed.starts_with('✗') || trimmed.contains("panicked at") {
        Level::Error
    } else {
        Level::Other
    });
    (level, 0)
}

/// The lines of one log.
#[derive(Debug, Default)]
pub struct Lines {
    lines: VecDeque<Entry>,
    /// How many were dropped: the number of the first that is kept.
    dropped: u64,
    /// Numbers of those that are wanted.
    rows: VecDeque<u64>,
    needle: String,
    only_bad: bool,
}

impl Lines {
    /// More of them. How many rows went for them.
    pub fn extend(&mut self, lines: Vec<String>) -> usize {
        for line in lines {
            let entry = Entry::new(line);
            if self.is_wanted(&entry) {
                self.rows.push_back(self.dropped + self.lines.len() as u64);
            }
            self.lines.push_back(entry);
            if self.lines.len() > LINES_MAX {
                self.lines.pop_front();
                self.dropped += 1;
            }
        }
        let before = self.rows.len();
        while self.rows.front().is_some_and(|number| *number < self.dropped) {
            self.rows.pop_front();
        }
        before - self.rows.len()
    }

    /// Something is missing here.
    pub fn gap(&mut self) {
        self.extend(vec![GAP.to_owned()]);
    }

    /// Shows those with this in them, in small letters, and those alone that are warnings or errors.
    pub fn filter(&mut self, needle: &str, only_bad: bool) {
        (self.needle, self.only_bad) = (needle.to_owned(), only_bad);
        let numbers = (self.dropped..).zip(&self.lines);
        self.rows = numbers.filter(|(_, entry)| self.is_wanted(entry)).map(|(number, _)| number).collect();
    }

    fn is_wanted(&self, entry: &Entry) -> bool {
        let is_bad = matches!(entry.level, Level::Error | Level::Warn);
        (is_bad || !self.only_bad) && (self.needle.is_empty() || entry.raw.to_lowercase().contains(&self.needle))
    }

    /// How many are wanted.
    pub fn shown(&self) -> usize {
        self.rows.len()
    }

    /// One of those.
    pub fn row(&self, row: usize) -> Option<&Entry> {
        let number = self.rows.get(row)?;
        self.lines.get(usize::try_from(number.checked_sub(self.dropped)?).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (Level, String, String) {
        let entry = Entry::new(line.to_owned());
        let (at, text) = entry.parts();
        (entry.level, at.to_owned(), text.to_owned())
    }

    #[test]
    fn lines_of_services_of_postgres_and_of_the_supervisor_are_understood() {
        let ours = "2026-11-22T14:47:00.719639Z  INFO orderflow_platform::app: listening service=\"orders\"";
        let (level, at, text) = read(ours);
        assert_eq!((level, at.as_str()), (Level::Info, "14:47:00.719"));
        assert_eq!(text, "orderflow_platform::app: listening service=\"orders\"");
        let (level, at, text) = read("2026-11-22 14:47:04.298 UTC [4310] FATAL:  the database system is starting up");
        assert_eq!((level, at.as_str(), text.starts_with("[4310] FATAL")), (Level::Error, "14:47:04.298", true));
        assert_eq!(read("✗ failed  orders").0, Level::Error);
        assert_eq!(
            read("✓ ready    orders     after 5.5 s"),
            (Level::Other, String::new(), "✓ ready    orders     after 5.5 s".to_owned())
        );
        assert_eq!(read("thread 'main' panicked at src/x.rs").0, Level::Error);
        assert_eq!(read("").2, "");
        assert_eq!(read("2026-11-22T14:47:00.719").1, "14:47:00.719");
    }

    #[test]
    fn only_so_many_are_kept_and_only_those_wanted_are_shown() {
        let mut lines = Lines::default();
        lines.extend((0..10).map(|number| format!("2026-11-22T14:47:00.719639Z  WARN line {number}")).collect());
        lines.filter("line 7", true);
        assert_eq!((lines.shown(), lines.row(0).map(|line| line.parts().1)), (1, Some("line 7")));
        let gone = lines.extend((0..LINES_MAX).map(|number| format!("INFO line 7 {number}")).collect());
        assert_eq!((gone, lines.shown()), (1, 0));
        lines.filter("", false);
        assert_eq!(lines.shown(), LINES_MAX);
        let long = Entry::new("ü".repeat(LINE_BYTES_MAX));
        assert!(long.raw.len() <= LINE_BYTES_MAX);
    }
}
