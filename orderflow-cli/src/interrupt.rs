//! Ctrl-C: said at once, cleaned up within limits, forced by a second one.

use std::io::Write;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::{Exit, Failure, Outcome};

/// Does something that needs no clean-up until it is done, or until Ctrl-C.
pub async fn or_interrupted<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        outcome = work => outcome,
        _ = interrupt.recv() => {
            crate::prompt::restore_terminal();
            Err(Failure::interrupted())
        }
    }
}

/// What has told a long-running command to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM, or SIGHUP when the terminal goes.
    Terminate,
}

/// The signals that end a long-running command.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    /// From now on they are caught.
    pub fn new() -> Outcome<Self> {
        let [interrupt, terminate, hang_up] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        Ok(Self { interrupt: interrupt?, terminate: terminate?, hang_up: hang_up? })
    }

    /// Waits for one of them.
    pub async fn told(&mut self) -> Told {
        tokio::select! {
            _ = self.interrupt.recv() => Told::Interrupt,
            _ = self.terminate.recv() => Told::Terminate,
            _ = self.hang_up.recv() => Told::Terminate,
        }
    }

    /// From now on the next one ends the process at once. What it has started notices that it is gone, and goes too.
    pub fn force_on_next(mut self) {
        tokio::spawn(async move {
            self.told().await;
            let _ = std::io::stderr().write_all(b"forced\n");
            std::process::exit(Exit::Interrupted.code().into());
        });
    }
}
