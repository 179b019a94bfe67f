//! What is written: data to standard output, everything else to standard error.

mod paint;
mod table;

use std::io::{self, Write};

use clap::ValueEnum;
use orderflow_client::view::is_unseen;
use orderflow_contracts::api::Page;
use serde::{Deserialize, Serialize};

pub use self::{
    paint::Paint,
    table::{Align, Table},
};
use crate::exit::Outcome;

/// How data are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// One document
    Json,
    /// One document a line
    Jsonl,
}

/// Where a command writes.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// How.
    pub format: Format,
    /// Colours for standard output.
    pub paint: Paint,
    quiet: bool,
}

/// Something together with the key under which it was written.
#[derive(Serialize)]
pub struct Keyed<'a, T> {
    /// What was written.
    #[serde(flatten)]
    pub value: &'a T,
    /// The key.
    pub idempotency_key: &'a str,
}

impl Output {
    /// As the flags say.
    pub fn new(format: Format, no_color: bool, quiet: bool) -> Self {
        Self { format, paint: Paint::for_stdout(no_color), quiet }
    }

    /// Writes one thing.
    pub fn document<T: Serialize>(&self, value: &T, text: impl FnOnce(Paint) -> String) -> Outcome {
        match self.format {
            Format::Text => self.text(&text(self.paint)),
            Format::Json => self.text(&serde_json::to_string_pretty(value)?),
            Format::Jsonl => self.text(&serde_json::to_string(value)?),
        }
    }

    /// Writes a page of a list, and says how to get the next one.
    pub fn list<T: Serialize>(&self, page: &Page<T>, text: impl FnOnce(&[T], Paint) -> String) -> Outcome {
        match self.format {
            Format::Text => self.text(&text(&page.items, self.paint))?,
            Format::Json => self.text(&serde_json::to_string_pretty(page)?)?,
            Format::Jsonl => {
                let lines: Result<Vec<_>, _> = page.items.iter().map(serde_json::to_string).collect();
                self.text(&lines?.join("\n"))?;
            }
        }
        match &page.next_cursor {
            Some(cursor) if self.format != Format::Json => {
                self.note(&format!("there is more: --cursor {cursor}"));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Writes text and a line's end.
    pub fn text(&self, text: &str) -> Outcome {
        if text.is_empty() {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        out.flush()?;
        Ok(())
    }

    /// Whether the person wants to hear of nothing but data and errors.
    pub const fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Says something to the person, unless they want it quiet.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            // Nobody is left to be told if this fails.
            let _ = io::stderr().write_all(format!("{}\n", safe_lines(text)).as_bytes());
        }
    }
}

/// Text of others, on one line and without anything that a terminal would obey.
pub fn safe(text: &str) -> String {
    text.chars().map(|c| if is_unseen(c) { '\u{fffd}' } else { c }).collect()
}

/// The same for text that has lines.
pub fn safe_lines(text: &str) -> String {
    text.chars().map(|c| if is_unseen(c) && c != '\n' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_stands_beside_the_members() {
        #[derive(Serialize)]
        struct Thing {
            id: u8,
        }
        let keyed = Keyed { value: &Thing { id: 7 }, idempotency_key: "k" };
        assert_eq!(serde_json::to_string(&keyed).unwrap(), r#"{"id":7,"idempotency_key":"k"}"#);
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(safe("a\u{1b}[2Jb\nc\u{202e}"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}");
        assert_eq!(safe_lines("a\nb\r"), "a\nb\u{fffd}");
    }
}
