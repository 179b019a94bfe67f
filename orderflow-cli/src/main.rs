//! `orderflow`: brings up a local cluster, speaks with its services, and is each of its processes.
//!
//! `commands/<noun>/<verb>.rs` mirrors the command tree; [`cli`] has the flags that every command takes.

mod card;
mod cli;
mod commands;
mod context;
mod exit;
mod interrupt;
mod output;
mod parse;
mod prompt;
mod render;
mod session;
mod settings;
mod wait;

use std::{process::ExitCode, time::Duration};

/// A thread that waits for input cannot be told to end; it is not waited for.
const THREADS_END_MAX: Duration = Duration::from_millis(50);

fn main() -> ExitCode {
    if let Err(error) = color_eyre::install() {
        eprintln!("warning: {error}");
    }
    let cli = cli::parse();
    let paint = output::Paint::for_stderr(cli.global.no_color);
    let outcome = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let outcome = runtime.block_on(commands::run(cli));
            runtime.shutdown_timeout(THREADS_END_MAX);
            outcome
        }
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(()) => exit::Exit::Ok.into(),
        Err(failure) => {
            failure.print(paint);
            failure.exit.into()
        }
    }
}
