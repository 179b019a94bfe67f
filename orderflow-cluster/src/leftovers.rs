//! Processes of a supervisor that was killed: they end by themselves when their input does, unless they hang.

use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::time::{Instant, sleep};

use crate::{layout::Layout, postgres::stop_stale, signals};

/// How long they may take to end by themselves: what a gentle stop takes at most.
const BY_THEMSELVES_MAX: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(100);

/// Ends whatever still works on a directory. Only for whoever holds its lock.
pub(crate) async fn stop(layout: &Layout) {
    let until = Instant::now() + BY_THEMSELVES_MAX;
    let mut left = find(layout).await;
    while !left.is_empty() && Instant::now() < until {
        sleep(POLL).await;
        left = find(layout).await;
    }
    for pid in left {
        tracing::warn!(pid = pid.as_raw_nonzero(), "a process that was left behind is killed");
        signals::send(pid, Signal::KILL);
    }
    stop_stale(&layout.postgres()).await;
}

async fn find(layout: &Layout) -> Vec<Pid> {
    let marks = layout.marks();
    let all = signals::list().await.into_iter();
    let ours = all.filter(|(_, _, command)| marks.iter().any(|mark| command.contains(mark)));
    ours.filter_map(|(pid, _, _)| Pid::from_raw(pid)).filter(|pid| signals::alive(*pid)).collect()
}
