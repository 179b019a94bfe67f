//! How it goes: one line that is written over on a terminal, and a line now and then elsewhere.

use std::{
    io::{IsTerminal, Write},
    time::Duration,
};

use tokio::time::Instant;

use crate::output::{Output, safe};

/// Between two lines where they stay.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// Between two looks of whoever shows something.
pub const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The line.
pub struct Live {
    out: Output,
    on_terminal: bool,
    last: Option<Instant>,
}

impl Live {
    /// On standard error.
    pub fn new(out: Output) -> Self {
        Self { out, on_terminal: std::io::stderr().is_terminal(), last: None }
    }

    /// What the line is now.
    pub fn show(&mut self, line: &str) {
        if self.out.is_quiet() {
            return;
        }
        if self.on_terminal {
            // Nobody is left to be told if this fails.
            let _ = std::io::stderr().write_all(format!("\r\u{1b}[K{}", safe(line)).as_bytes());
            self.last = Some(Instant::now());
        } else if self.last.is_none_or(|last| last.elapsed() >= LINE_EVERY) {
            self.out.note(line);
            self.last = Some(Instant::now());
        }
    }

    /// A line that stays, above the one that does not.
    pub fn say(&mut self, line: &str) {
        self.clear();
        self.out.note(line);
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if self.on_terminal && self.last.take().is_some() {
            let _ = std::io::stderr().write_all(b"\r\x1b[K");
        }
    }
}
