//! A server that was left behind: we and its shell were killed, and it lives on with nobody to stop it.

use std::{fs, path::Path, time::Duration};

use rustix::process::{Pid, Signal};
use tokio::time::{Instant, sleep};

use crate::signals;

/// What it is told, and how long it then may take. Each stops harder than the one before, and none loses what is
/// committed.
const STEPS: [(Signal, Duration); 3] = [
    (Signal::INT, Duration::from_secs(10)),
    (Signal::QUIT, Duration::from_secs(5)),
    (Signal::KILL, Duration::from_secs(5)),
];
const POLL: Duration = Duration::from_millis(20);

/// Stops the server that `postmaster.pid` names, if it lives and works on this directory.
///
/// Only for whoever holds the directory's lock: it stops what it finds.
pub(crate) async fn stop_stale(data_dir: &Path) {
    for (signal, patience) in STEPS {
        let Some(pid) = living(data_dir).await else {
            return;
        };
        tracing::warn!(pid = pid.as_raw_nonzero(), ?signal, "a PostgreSQL that was left behind is stopped");
        signals::send_to_tree(pid, Signal::CONT).await;
        signals::send(pid, signal);
        let until = Instant::now() + patience;
        while signals::alive(pid) && Instant::now() < until {
            sleep(POLL).await;
        }
    }
}

async fn living(data_dir: &Path) -> Option<Pid> {
    let file = fs::read_to_string(data_dir.join("postmaster.pid")).ok()?;
    let mut lines = file.lines();
    let pid = Pid::from_raw(lines.next()?.trim().parse().ok()?)?;
    let serves_us = lines.next().map(Path::new) == Some(data_dir);
    // The number may be another process's by now.
    let command = signals::command_line(pid).await?;
    let is_server = command.contains("postgres") && command.contains(data_dir.to_str()?);
    (serves_us && is_server && signals::alive(pid)).then_some(pid)
}
