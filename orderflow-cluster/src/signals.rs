//! Signals, and what the system says about processes.

use std::{fs, time::Duration};

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};
use tokio::{process::Command, time::timeout};

/// Longest time for `ps`.
const PS_MAX: Duration = Duration::from_secs(5);

/// Sends a signal, and returns whether it was delivered. A process that is gone is no error.
pub(crate) fn send(pid: Pid, signal: Signal) -> bool {
    is_delivered(kill_process(pid, signal), pid, signal)
}

/// Sends a signal to all of a process group, and returns whether it was delivered.
pub(crate) fn send_to_group(leader: Pid, signal: Signal) -> bool {
    is_delivered(kill_process_group(leader, signal), leader, signal)
}

fn is_delivered(sent: rustix::io::Result<()>, pid: Pid, signal: Signal) -> bool {
    if let Err(error) = sent {
        tracing::debug!(pid = pid.as_raw_nonzero(), ?signal, %error, "a signal was not delivered");
    }
    sent.is_ok()
}

/// Sends a signal to a process and to its children, and returns whether it was delivered to the first. It comes first: a
/// stopped parent makes no more of them.
pub(crate) async fn send_to_tree(root: Pid, signal: Signal) -> bool {
    let delivered = send(root, signal);
    for (pid, parent, _) in list().await {
        if parent == root.as_raw_nonzero().get()
            && let Some(pid) = Pid::from_raw(pid)
        {
            send(pid, signal);
        }
    }
    delivered
}

/// Whether there is such a process; one that has ended and that nobody has waited for is not.
pub(crate) fn alive(pid: Pid) -> bool {
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    let is_zombie = state.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z'));
    !is_zombie && test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
}

/// The program and its arguments, with spaces between.
pub(crate) async fn command_line(pid: Pid) -> Option<String> {
    if let Ok(raw) = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())) {
        return Some(String::from_utf8_lossy(&raw).replace('\0', " "));
    }
    list().await.into_iter().find(|(other, _, _)| *other == pid.as_raw_nonzero().get()).map(|(_, _, line)| line)
}

/// Process id, parent's id and command line of every process. Empty where `ps` cannot say it.
pub(crate) async fn list() -> Vec<(i32, i32, String)> {
    let mut command = Command::new("ps");
    command.args(["-A", "-ww", "-o", "pid=,ppid=,args="]).kill_on_drop(true);
    let Ok(Ok(output)) = timeout(PS_MAX, command.output()).await else {
        return Vec::new();
    };
    String::from_utf8_lossy(&output.stdout).lines().filter_map(parse).collect()
}

fn parse(line: &str) -> Option<(i32, i32, String)> {
    let (pid, rest) = line.trim_start().split_once(' ')?;
    let (parent, command) = rest.trim_start().split_once(' ')?;
    Some((pid.parse().ok()?, parent.parse().ok()?, command.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_ps_is_read() {
        assert_eq!(parse("    1     0 /sbin/init  splash"), Some((1, 0, "/sbin/init  splash".to_owned())));
        assert_eq!(parse("  PID  PPID COMMAND"), None);
    }

    #[tokio::test]
    async fn we_are_among_the_living() {
        let me = rustix::process::getpid();
        assert!(alive(me));
        assert!(command_line(me).await.unwrap().contains("orderflow_cluster"));
    }
}
