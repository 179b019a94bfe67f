//! Processes seen from outside, and a process of our own that runs one test of this binary.

use std::{
    env,
    future::Future,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Longest time that anything in a test may take.
pub const PATIENCE: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(20);

/// A temporary directory that the account of PostgreSQL can go through.
pub fn public_tempdir() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::Builder::new().prefix("orderflow-it-").tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    dir
}

/// Waits until something is so.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let until = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < until, "in vain waited for: {what}");
        tokio::time::sleep(POLL).await;
    }
}

/// Command lines of the living processes that have `text` in them, our own aside.
pub fn with_text(text: &str) -> Vec<(u32, String)> {
    let output = Command::new("ps").args(["-A", "-ww", "-o", "pid=,stat=,args="]).output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let of_line = |line: &str| {
        let (pid, rest) = line.trim_start().split_once(' ')?;
        let (state, command) = rest.trim_start().split_once(' ')?;
        let command = command.trim_start();
        let wanted = !state.starts_with('Z') && command.contains(text) && !command.starts_with("ps ");
        wanted.then(|| (pid.parse().unwrap(), command.to_owned()))
    };
    lines.lines().filter_map(of_line).filter(|(pid, _)| *pid != std::process::id()).collect()
}

/// Waits until no process names this directory any more.
pub async fn nobody_works_on(dir: &Path) {
    let text = dir.to_str().unwrap().to_owned();
    eventually("the end of all processes", async || with_text(&text).is_empty()).await;
}

pub fn alive(pid: u32) -> bool {
    !with_text("").into_iter().all(|(other, _)| other != pid)
}

pub fn signal(pid: u32, signal: &str) {
    assert!(Command::new("kill").arg(signal).arg(pid.to_string()).status().unwrap().success());
}

/// One `#[ignore]`d test of this binary as a process of its own.
pub struct Other {
    pub child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Other {
    /// `argument` is for [`argument`] in the other process.
    pub fn run(test: &str, argument: &Path) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture"])
            .env("ORDERFLOW_IT_ARGUMENT", argument)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line it says with this before it.
    pub fn says(&mut self, prefix: &str) -> String {
        self.lines.find_map(|line| line.unwrap().split_once(prefix).map(|(_, rest)| rest.to_owned())).unwrap()
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// What the other process was given; `None` when somebody runs all ignored tests.
pub fn argument() -> Option<std::path::PathBuf> {
    env::var_os("ORDERFLOW_IT_ARGUMENT").map(Into::into)
}
