//! One command of the program, within a limit.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

/// The program that is tested.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_orderflow");
/// How long a command may take. One that waits for something has limits of its own, which are shorter.
const COMMAND_MAX: Duration = Duration::from_secs(120);

/// Somebody at a terminal of their own.
#[derive(Debug, Clone)]
pub struct Person {
    home: PathBuf,
    environment: Vec<(OsString, OsString)>,
    role: Option<&'static str>,
}

/// What came of a command.
#[derive(Debug, Clone)]
pub struct Ran {
    /// What was typed.
    #[expect(dead_code, reason = "it is shown where a test fails")]
    pub line: String,
    /// The exit code; none if it was killed.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Person {
    /// With this home directory and cluster, and nothing of the environment in which the tests run.
    pub fn new(home: &Path, data_dir: &Path) -> Self {
        let environment = vec![
            ("PATH".into(), path()),
            ("HOME".into(), home.into()),
            ("TMPDIR".into(), std::env::temp_dir().into()),
            ("ORDERFLOW_DATA_DIR".into(), data_dir.into()),
        ];
        Self { home: home.to_owned(), environment, role: None }
    }

    /// Who asks as a test account.
    pub fn asking_as(self, role: &'static str) -> Self {
        Self { role: Some(role), ..self }
    }

    /// With more in the environment.
    pub fn with<K: Into<OsString>, V: Into<OsString>>(mut self, more: impl IntoIterator<Item = (K, V)>) -> Self {
        self.environment.extend(more.into_iter().map(|(key, value)| (key.into(), value.into())));
        self
    }

    /// Without the cluster in the environment, so that it has to be named.
    pub fn without_cluster(mut self) -> Self {
        self.environment.retain(|(key, _)| key != "ORDERFLOW_DATA_DIR");
        self
    }

    /// Another program, in this person's place.
    pub fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.environment.iter().cloned()).current_dir(&self.home);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// The command, typed as it stands here; no word of it has a blank in it.
    pub fn command(&self, line: &str) -> Command {
        let mut command = self.program(PROGRAM);
        command.args(self.role.into_iter().flat_map(|role| ["--as", role])).args(line.split_whitespace());
        command
    }

    /// Runs it, for people to read.
    pub async fn run(&self, line: &str) -> Ran {
        finish(line, self.command(line), "").await
    }

    /// Runs it with something on standard input, for programs to read.
    pub async fn run_with(&self, line: &str, input: &str) -> Ran {
        let line = format!("{line} -o json");
        finish(&line, self.command(&line), input).await
    }

    /// What it writes with `-o json`; it has to succeed.
    pub async fn json(&self, line: &str) -> Value {
        self.run_with(line, "").await.json()
    }

    /// It has to end with this exit code, and to say why.
    pub async fn refused(&self, code: i32, line: &str) -> Ran {
        self.run_with(line, "").await.ends(code)
    }
}

impl Ran {
    /// It has to have ended so, and to have said why unless that is 0.
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(code == 0 || self.err.contains("error: "), "{self:#?}");
        self
    }

    /// It has to have said this to the person.
    pub fn says(self, text: &str) -> Self {
        assert!(self.err.contains(text), "not said: {text}\n{self:#?}");
        self
    }

    /// It has to have written nothing for programs.
    pub fn writes_nothing(self) -> Self {
        assert_eq!(self.out, "", "{self:#?}");
        self
    }

    /// The one document that it has written.
    pub fn document(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("not one document: {error}\n{self:#?}"))
    }

    /// The same, of a command that has succeeded.
    pub fn json(self) -> Value {
        self.ends(0).document()
    }
}

/// Waits for a command.
pub async fn finish(line: &str, command: Command, input: &str) -> Ran {
    finish_within(COMMAND_MAX, line, command, input).await
}

/// Waits for a command that may take so long.
pub async fn finish_within(limit: Duration, line: &str, mut command: Command, input: &str) -> Ran {
    let ended = async {
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // An error means that it does not read what it was given.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        child.wait_with_output().await.unwrap()
    };
    let ended = timeout(limit, ended).await.unwrap_or_else(|_| panic!("it does not end: {line}"));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { line: line.to_owned(), code: ended.status.code(), out: text(ended.stdout), err: text(ended.stderr) }
}

/// The search path, with the program in it.
fn path() -> OsString {
    let ours = Path::new(PROGRAM).parent().unwrap().to_owned();
    let others = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([ours].into_iter().chain(std::env::split_paths(&others))).unwrap()
}
