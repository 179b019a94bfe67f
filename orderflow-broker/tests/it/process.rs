//! The broker as a program: a child process that is started, stopped, killed and run out of disk.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use orderflow_broker::control;
use serde_json::Value;

/// How long a broker may take to start or to stop.
const DEADLINE: Duration = Duration::from_secs(20);

/// A broker's process. Killed when dropped.
pub struct Process {
    pub data_dir: PathBuf,
    pub port: u16,
    child: Child,
}

/// A port that was free a moment ago. Nothing has listened on it: a process that another test is just starting has a
/// copy of our sockets for a moment, and would keep it taken.
pub fn free_port() -> u16 {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("an option");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    socket.local_addr().expect("an address").port()
}

pub fn command(data_dir: &Path, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orderflow-broker"));
    command.arg("--data-dir").arg(data_dir).args(["--port", &port.to_string()]).env("RUST_LOG", "error");
    command
}

impl Process {
    /// Starts a broker and returns when it says that it is ready.
    pub fn start(data_dir: &Path, port: u16) -> Self {
        Self::start_with(data_dir, port, &[])
    }

    pub fn start_with(data_dir: &Path, port: u16, arguments: &[&str]) -> Self {
        let mut command = command(data_dir, port);
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let (_, bound) = line.trim().rsplit_once(':').unwrap_or_else(|| panic!("an address, not {line:?}"));
        Self { data_dir: data_dir.to_owned(), port: bound.parse().expect("a port"), child }
    }

    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// As `kill -9` does it.
    pub fn kill(mut self) {
        self.child.kill().expect("it lives");
        self.child.wait().expect("it ends");
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success(), "kill -{name}");
    }

    /// Waits for the end of the process.
    pub fn wait(mut self) -> std::process::ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status;
            }
            assert!(begin.elapsed() < DEADLINE, "the broker does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends a command to the control socket.
    pub fn control(&self, command: &control::Command) -> Value {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let socket = self.data_dir.join("control.sock");
        runtime.block_on(control::send(&socket, command)).expect("the control socket answers")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn says_where_it_listens_and_stops_cleanly_on_sigterm() {
    let dir = tempfile::tempdir().expect("a directory");
    for signal in ["TERM", "INT"] {
        let broker = Process::start(dir.path(), 0);
        assert_ne!(broker.port, 0);
        let connection = std::net::TcpStream::connect(broker.bootstrap()).expect("it listens");
        broker.signal(signal);
        let port = broker.port;
        assert!(broker.wait().success(), "SIG{signal} is a normal end");
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "nobody listens any more");
        drop(connection);
    }
    assert!(!dir.path().join("control.sock").exists());
}

fn refused(command: &mut Command) -> String {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
    let begin = Instant::now();
    while child.try_wait().expect("it is our child").is_none() {
        if begin.elapsed() > DEADLINE {
            let _ = child.kill();
            let _ = child.wait();
            panic!("it was not refused");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().expect("it has ended");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn a_data_directory_in_use_is_refused_and_a_dead_owners_lock_is_not() {
    let dir = tempfile::tempdir().expect("a directory");
    let first = Process::start(dir.path(), 0);
    let message = refused(&mut command(dir.path(), 0));
    assert!(message.contains("in use by another broker"), "{message}");
    first.kill();
    Process::start(dir.path(), 0);
}

#[test]
fn a_port_in_use_is_named() {
    let (one, other) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let broker = Process::start(one.path(), 0);
    let message = refused(&mut command(other.path(), broker.port));
    assert!(message.contains(&format!("cannot listen on 127.0.0.1:{}", broker.port)), "{message}");
    assert!(message.contains("in use"), "{message}");
}

#[test]
fn a_file_in_the_place_of_the_control_socket_is_left_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let precious = dir.path().join("precious");
    std::fs::write(&precious, b"data").expect("a file");
    let message = refused(command(&dir.path().join("data"), 0).arg("--control").arg(&precious));
    assert!(message.contains("control socket"), "{message}");
    assert_eq!(std::fs::read(&precious).expect("it is there"), b"data");
}

#[test]
fn the_data_directory_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let _broker = Process::start(&data, 0);
    let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&data), mode(&data.join("control.sock"))), (0o700, 0o600));
}

#[test]
fn wrong_arguments_are_a_usage_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_orderflow-broker")).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--data-dir"));
}
