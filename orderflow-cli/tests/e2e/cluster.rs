//! Clusters for tests.

use std::{
    fs::{self, File, Permissions},
    io::Write,
    iter,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::OnceLock,
};

use orderflow_testing::{Caller, eventually};
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    command::{PROGRAM, Person},
    processes,
};

const KEEPER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/keeper.sh");

/// A directory with a cluster in `data`, of which nothing is left when this is dropped, or when this program ends.
pub struct Cluster {
    dir: PathBuf,
    keeper: Child,
}

impl Cluster {
    /// The one that most tests use. It is nobody's: no test may stop a part of it, or move its clock.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// One for a test that needs it for itself.
    pub fn start() -> Self {
        let mut cluster = Self::none();
        cluster.restart();
        cluster
    }

    /// One in which patterns can be taken out.
    pub fn laboratory() -> Self {
        let mut cluster = Self::none();
        cluster.begin(&["--lab"]);
        cluster
    }

    /// A place for one that is not started.
    pub fn none() -> Self {
        let dir = tempfile::Builder::new().prefix("orderflow-e2e-").tempdir().unwrap();
        // The account of PostgreSQL has to get through.
        fs::set_permissions(dir.path(), Permissions::from_mode(0o711)).unwrap();
        let dir = TempDir::keep(dir);
        fs::create_dir(dir.join("home")).unwrap();
        let keeper = spawn(&dir, &["true"]);
        Self { dir, keeper }
    }

    /// Stops what runs, if anything does, and starts it again on what it has left behind.
    pub fn restart(&mut self) {
        self.begin(&[]);
    }

    fn begin(&mut self, more: &[&str]) {
        self.keeper.stdin.take().unwrap().write_all(b"keep\n").unwrap();
        self.keeper.wait().unwrap();
        let data = self.data();
        let up = [PROGRAM, "up", "--any-port", "-o", "json", "--timeout", "60s", "--data-dir", data.to_str().unwrap()];
        self.keeper = spawn(&self.dir, &[&up[..], more].concat());
        let ready = first_document(self.keeper.stdout.take().unwrap());
        assert_eq!(ready["healthy"], true, "{ready}\n{}", self.said());
    }

    /// What `up` has said.
    fn said(&self) -> String {
        fs::read_to_string(self.dir.join("up.log")).unwrap_or_default()
    }

    /// Everything is in here, and goes with it.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The processes that work in here, the one aside that will clear it away.
    pub fn processes(&self) -> Vec<(i32, String)> {
        let keeper = i32::try_from(self.keeper.id()).unwrap();
        let all = processes::with_text(self.dir.to_str().unwrap()).into_iter();
        all.filter(|(pid, _)| *pid != keeper).collect()
    }

    /// For `--data-dir`.
    pub fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Somebody who has not said who they are.
    pub fn anybody(&self) -> Person {
        Person::new(&self.dir.join("home"), &self.data())
    }

    /// The test account of a customer.
    pub fn customer(&self) -> Person {
        self.anybody().asking_as("customer")
    }

    /// The test account of a seller.
    pub fn seller(&self) -> Person {
        self.anybody().asking_as("seller")
    }

    /// The test account of an admin.
    pub fn admin(&self) -> Person {
        self.anybody().asking_as("admin")
    }

    /// Somebody who has signed up, and asks from elsewhere: they know the services' addresses and nothing else.
    pub async fn newcomer(&self, name: &str, role: &str) -> Person {
        let home = self.dir.join("home").join(name);
        fs::create_dir(&home).unwrap();
        let status = self.status().await;
        let urls = ["console", "orders", "inventory", "payments", "provider"].map(|service| {
            let url = status["endpoints"][service].as_str().unwrap().to_owned();
            (format!("ORDERFLOW_{}_URL", service.to_uppercase()), url)
        });
        let person = Person::new(&home, &home.join("no-cluster")).with(urls);
        let line = format!("signup --email {name}@example.com --role {role} --password-stdin");
        let account = person.run_with(&line, "Newcomer123!\n").await.json();
        assert_eq!(account["role"], role);
        person
    }

    /// What the supervisor says, whether all is well or not: where things are does not depend on that.
    pub async fn status(&self) -> Value {
        self.anybody().run_with("status", "").await.document()
    }

    /// Waits until all is well, as far as the supervisor knows.
    pub async fn is_healthy(&self) {
        let healthy = async || (self.status().await["healthy"] == true).then_some(());
        eventually("all is well", healthy).await;
    }

    /// The process ids of the supervisor and of those of its children that run.
    pub async fn pids(&self) -> Vec<(String, i32)> {
        let status = self.status().await;
        let number = |value: &Value| value.as_i64().map(|pid| i32::try_from(pid).unwrap());
        let children = status["processes"].as_array().unwrap().iter();
        let children = children.filter_map(|it| Some((it["name"].as_str().unwrap().to_owned(), number(&it["pid"])?)));
        let supervisor = ("supervisor".to_owned(), number(&status["supervisor_pid"]).unwrap());
        iter::once(supervisor).chain(children).collect()
    }

    /// A number among a service's metrics.
    pub async fn metric(&self, service: &str, name: &str) -> u64 {
        let url = self.status().await["endpoints"][service].as_str().unwrap().to_owned();
        let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
        // Answered as it is, and closed: that is all there is to HTTP/1.0.
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let number = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        number.unwrap_or_else(|| panic!("no {name} of {service}: {answer}")).parse().unwrap()
    }

    /// The payment provider, for who has its secret key.
    pub async fn provider(&self) -> Caller {
        let key = self.secrets()["provider_key"].as_str().unwrap().to_owned();
        Caller::new(self.status().await["endpoints"]["provider"].as_str().unwrap(), Some(key))
    }

    /// Passwords and keys.
    pub fn secrets(&self) -> Value {
        serde_json::from_slice(&fs::read(self.data().join("secrets.json")).unwrap()).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
        if !std::thread::panicking() {
            assert!(!self.dir.exists(), "{} is left behind", self.dir.display());
            assert_eq!(self.processes(), [], "they are left behind");
        }
    }
}

fn spawn(dir: &Path, up: &[&str]) -> Child {
    let mut shell = Command::new("/bin/sh");
    shell.args([KEEPER, PROGRAM]).arg(dir).args(up);
    shell.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", dir.join("home"));
    // A group of its own: a Ctrl-C is for the test program, and the keeper clears away behind it.
    shell.current_dir(dir).process_group(0);
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(dir.join("up.log")).unwrap());
    shell.spawn().unwrap()
}

fn first_document(out: ChildStdout) -> Value {
    Value::deserialize(&mut serde_json::Deserializer::from_reader(out)).unwrap_or_default()
}
