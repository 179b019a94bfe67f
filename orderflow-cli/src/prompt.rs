//! Questions to a person. Asked only on a terminal; nothing ever depends on being asked.

use std::{
    io::{self, BufRead, IsTerminal, Read, Write},
    sync::Mutex,
};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::exit::{Failure, Outcome};

/// Longest answer, in bytes.
const ANSWER_BYTES_MAX: u64 = 4096;

/// How the terminal was before a secret was asked for. Global, as Ctrl-C can come while a thread waits for the answer.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Whether a person can be asked.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a line.
pub async fn line(question: &str) -> Outcome<String> {
    say(question)?;
    on_a_thread(read_line).await
}

/// Asks for a line that is not shown.
pub async fn secret(question: &str) -> Outcome<String> {
    say(question)?;
    hide_input()?;
    let answer = on_a_thread(read_line).await;
    restore_terminal();
    say("\n")?;
    answer
}

/// Asks for a yes.
pub async fn confirm(question: &str) -> Outcome<bool> {
    let answer = line(&format!("{question} [y/N] ")).await?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
}

/// The first line of standard input, for `--password-stdin`.
pub async fn stdin_line() -> Outcome<String> {
    on_a_thread(read_line).await
}

/// Shows again what is typed, if it was hidden.
pub fn restore_terminal() {
    let before = BEFORE.lock().map(|mut before| before.take()).unwrap_or_default();
    if let Some(before) = before {
        // A terminal that is gone needs no restoring.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
}

fn hide_input() -> Outcome {
    let mut modes = tcgetattr(io::stdin()).map_err(io::Error::from)?;
    if let Ok(mut before) = BEFORE.lock() {
        *before = Some(modes.clone());
    }
    modes.local_modes.remove(LocalModes::ECHO);
    tcsetattr(io::stdin(), OptionalActions::Flush, &modes).map_err(io::Error::from)?;
    Ok(())
}

fn say(text: &str) -> Outcome {
    io::stderr().write_all(text.as_bytes())?;
    Ok(())
}

fn read_line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().take(ANSWER_BYTES_MAX).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

async fn on_a_thread(read: impl FnOnce() -> io::Result<String> + Send + 'static) -> Outcome<String> {
    let read = tokio::task::spawn_blocking(read).await;
    let answer = read.map_err(|error| Failure::new(error.to_string()))??;
    if answer.is_empty() { Err(Failure::usage("nothing was given on standard input")) } else { Ok(answer) }
}
