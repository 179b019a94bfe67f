//! The terminal console, in a real terminal.

use orderflow_tui::terminal::Guard;
use portable_pty::CommandBuilder;
use rustix::process::{Pid, Signal, kill_process};

use crate::{cluster::Cluster, command::PROGRAM, terminal::Terminal};

/// What a terminal of today is usually like.
const SIZE: (u16, u16) = (100, 30);

impl Cluster {
    /// The console in a terminal, for whoever has this home.
    fn console(&self, more: &[&str], size: (u16, u16)) -> Terminal {
        let mut command = CommandBuilder::new(PROGRAM);
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command.env("HOME", self.dir().join("home"));
        command.env("TERM", "xterm-256color");
        // What one test's console remembers is not for another's.
        let config = tempfile::tempdir_in(self.dir()).unwrap().keep();
        command.env("XDG_CONFIG_HOME", config);
        command.env("ORDERFLOW_DATA_DIR", self.data());
        command.cwd(self.dir());
        command.arg("tui");
        command.args(more);
        Terminal::start(command, size)
    }
}

#[test]
fn it_opens_logs_in_with_a_key_and_leaves_the_terminal_as_it_was() {
    let cluster = Cluster::shared();
    let mut console = cluster.console(&[], SIZE);
    console.sees("Log in as customer").types("\x14");
    console.sees("user@orderflow.io").sees("[customer]●");
    console.types("q");
    assert!(console.ends().status.success());
}

#[test]
fn a_wrong_password_is_told_where_it_was_typed() {
    let cluster = Cluster::shared();
    let mut console = cluster.console(&[], SIZE);
    console.sees("Log in as customer").types("nobody@example.com\tWrong123!\r");
    console.sees("✗ ").sees("Log in as customer");
    assert!(!console.contents().contains("Wrong123!"), "a password is not shown");
    console.types("\x03");
    assert!(console.ends().status.success());
}

#[test]
fn it_follows_the_terminals_size() {
    let cluster = Cluster::shared();
    let mut console = cluster.console(&["--split"], (200, 60));
    console.sees("[customer]●").sees("seller ●").sees("admin ●");
    for size in [(80, 24), (40, 12), (1, 1), (20, 5), (100, 30)] {
        console.resize(size);
    }
    console.sees("[customer]●");
    console.types("q");
    assert!(console.ends().status.success());
}

#[test]
fn signals_and_ctrl_c_give_the_terminal_back() {
    let cluster = Cluster::shared();
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let mut console = cluster.console(&["--as", "admin"], SIZE);
        console.sees("[admin]●");
        kill_process(Pid::from_raw(console.pid()).unwrap(), signal).unwrap();
        assert!(console.ends().status.success(), "{signal:?}");
    }
    let mut console = cluster.console(&["--as", "admin"], SIZE);
    console.sees("[admin]●").types("\x03");
    assert!(console.ends().status.success());
}

#[test]
fn a_panic_gives_the_terminal_back_and_is_told() {
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["--exact", "console::helper_that_panics", "--ignored", "--nocapture"]);
    command.cwd(std::env::temp_dir());
    let ended = Terminal::start(command, SIZE).ends();
    assert!(!ended.status.success());
    assert!(ended.contents.contains("something went very wrong"), "{}", ended.contents);
}

#[test]
#[ignore = "what a_panic_gives_the_terminal_back_and_is_told starts in a terminal"]
fn helper_that_panics() {
    let dir = tempfile::tempdir().unwrap();
    let _guard = Guard::take(dir.path().join("state.toml")).unwrap();
    panic!("something went very wrong");
}

#[tokio::test]
async fn without_a_terminal_it_says_so() {
    Cluster::shared().anybody().run("tui").await.ends(2).says("the console needs a terminal");
}

#[test]
fn without_a_cluster_it_offers_to_start_one() {
    let cluster = Cluster::none();
    let mut console = cluster.console(&["--as", "customer"], SIZE);
    console.sees("No cluster runs here.").types("\r");
    console.sees("Starting a cluster").sees("[customer]●");
    console.types("q");
    assert!(console.ends().status.success());
    let down = std::process::Command::new(PROGRAM)
        .args(["--data-dir", cluster.data().to_str().unwrap(), "down"])
        .env("HOME", cluster.dir().join("home"))
        .output()
        .unwrap();
    assert!(down.status.success(), "{down:?}");
}
