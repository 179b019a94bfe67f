//! Colours, where they are wanted: on a terminal, unless `NO_COLOR` or `--no-color` says otherwise. They only repeat
//! what words and signs say.

use std::io::IsTerminal;

use orderflow_client::view::Tone;

/// Paints text, or leaves it.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    on: bool,
}

impl Paint {
    /// For standard output.
    pub fn for_stdout(no_color: bool) -> Self {
        Self { on: std::io::stdout().is_terminal() && wanted(no_color) }
    }

    /// For standard error.
    pub fn for_stderr(no_color: bool) -> Self {
        Self { on: std::io::stderr().is_terminal() && wanted(no_color) }
    }

    /// Never.
    #[cfg(test)]
    pub const fn none() -> Self {
        Self { on: false }
    }

    /// What is well.
    pub fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    /// What is not.
    pub fn bad(self, text: &str) -> String {
        self.with("31", text)
    }

    /// What is being mended.
    pub fn warn(self, text: &str) -> String {
        self.with("33", text)
    }

    /// What stands out.
    pub fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    /// What stands back.
    pub fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    /// In the colour of what has happened.
    pub fn tone(self, tone: Tone, text: &str) -> String {
        match tone {
            Tone::Step => text.to_owned(),
            Tone::Good => self.good(text),
            Tone::Failure => self.bad(text),
            Tone::Compensation => self.warn(text),
            Tone::Note => self.dim(text),
        }
    }

    /// A status, by what its word means.
    pub fn status(self, word: &str) -> String {
        match word {
            "FULFILLED" | "PAID" | "SUCCEEDED" | "COMMITTED" | "ALLOCATED" | "ready" => self.good(word),
            "CANCELLED" | "FAILED" | "REFUSED" | "LOST" | "unhealthy" | "restarting" => self.bad(word),
            "RELEASED" | "REFUNDED" | "REFUNDING" | "VOIDED" | "EXPIRED" | "starting" | "paused" => self.warn(word),
            _ => word.to_owned(),
        }
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

fn wanted(no_color: bool) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !no_color && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
