//! The terminal itself: taken over by one guard, given back by it whatever happens.

use std::{
    io::{self, Stdout, Write as _},
    panic,
    path::PathBuf,
    sync::{
        LazyLock, Once,
        atomic::{AtomicBool, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use crossterm::{
    cursor::Show,
    event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, Event, EventStream},
    execute, queue,
    style::Print,
    terminal::{
        BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
        enable_raw_mode,
    },
};
use futures_util::{Stream, StreamExt as _};
use ratatui::{Terminal, backend::CrosstermBackend};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::sync::watch;

use crate::{config::Remembered, runtime::Tty};

/// Longest text that is put on the clipboard, in bytes: terminals take no more.
const COPY_BYTES_MAX: usize = 64 << 10;

/// Whether the terminal is ours, so that it is given back once.
static TAKEN: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();
/// Whether something has panicked, whatever it was.
static PANICKED: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));

/// Takes the terminal over until it is dropped. A panic gives it back first, and is reported then; and since nothing
/// can be drawn any more, the loop is told of it, wherever it was.
pub struct Guard {
    mouse: bool,
    state_file: PathBuf,
    not_saved: Option<String>,
}

impl Guard {
    /// Takes the terminal over; what is remembered goes into the file.
    pub fn take(state_file: PathBuf) -> io::Result<Self> {
        watch_panics();
        // First the guard: what was taken half is given back too.
        let guard = Self { mouse: false, state_file, not_saved: None };
        take_over()?;
        Ok(guard)
    }

    /// Why what was to be remembered last is not.
    pub fn not_saved(&self) -> Option<&str> {
        self.not_saved.as_deref()
    }

    /// To draw on.
    pub fn terminal() -> io::Result<Terminal<CrosstermBackend<Stdout>>> {
        Terminal::new(CrosstermBackend::new(io::stdout()))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

/// What the person does, as it comes from the terminal.
pub fn events() -> impl Stream<Item = io::Result<Event>> + Unpin {
    EventStream::new().inspect(|event| {
        if let Ok(Event::Resize(..)) = event {
            wake_input();
        }
    })
}

/// A key that comes together with a resize is told to crossterm 0.29 once, by one wake-up for both; it takes the resize
/// and leaves the key unread until the next one comes. The kernel wakes whoever reads a terminal when its settings are
/// written, though they are what they were: with that, crossterm looks again.
fn wake_input() {
    let stdin = rustix::stdio::stdin();
    // A terminal that is gone is told of by the next read.
    let _ = tcgetattr(stdin).and_then(|settings| tcsetattr(stdin, OptionalActions::Now, &settings));
}

/// From now on a panic gives the terminal back first.
fn watch_panics() {
    HOOK.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            give_back();
            report(panic);
            PANICKED.send_replace(true);
        }));
    });
}

fn take_over() -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)
}

/// Gives the terminal back, if it is ours. What cannot be written any more is nobody's to see.
fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let _ = execute!(
        io::stdout(),
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        Show
    );
    let _ = disable_raw_mode();
}

impl Tty for Guard {
    fn panicked(&self) -> watch::Receiver<bool> {
        PANICKED.subscribe()
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        let mut end = text.len().min(COPY_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let data = STANDARD.encode(&text[..end]);
        execute!(io::stdout(), Print(format!("\x1b]52;c;{data}\x07")))
    }

    fn mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        if on { execute!(io::stdout(), EnableMouseCapture) } else { execute!(io::stdout(), DisableMouseCapture) }
    }

    fn suspend(&mut self) -> io::Result<()> {
        give_back();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TSTP)?;
        take_over()?;
        self.mouse(self.mouse)
    }

    fn begin_frame(&mut self) -> io::Result<()> {
        queue!(io::stdout(), BeginSynchronizedUpdate)
    }

    fn end_frame(&mut self) -> io::Result<()> {
        queue!(io::stdout(), EndSynchronizedUpdate)?;
        io::stdout().flush()
    }

    fn save(&mut self, remembered: &Remembered) -> io::Result<()> {
        let saved = remembered.save(&self.state_file);
        self.not_saved = saved.as_ref().err().map(ToString::to_string);
        saved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_wherever_it_was() {
        watch_panics();
        let panicked = PANICKED.subscribe();
        let died = std::thread::spawn(|| panic!("this is a test of panics")).join();
        assert!(died.is_err() && *panicked.borrow());
    }
}
