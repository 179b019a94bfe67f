//! Processes seen from outside.

use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

/// The command lines of the living processes that have this in them.
pub fn with_text(text: &str) -> Vec<(i32, String)> {
    let listed = Command::new("ps").args(["-A", "-ww", "-o", "pid=,stat=,args="]).output().unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let wanted = |line: &str| {
        let (pid, rest) = line.trim_start().split_once(' ')?;
        let (state, command) = rest.trim_start().split_once(' ')?;
        let is_wanted = !state.starts_with('Z') && command.contains(text);
        is_wanted.then(|| (pid.parse().unwrap(), command.trim_start().to_owned()))
    };
    listed.lines().filter_map(wanted).collect()
}

/// Sends a signal.
pub fn signal(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap_or_else(|error| panic!("{pid}: {error}"));
}
