//! The terminal console, in a real terminal.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use orderflow_tui::terminal::Guard;
use portable_pty::CommandBuilder;
use rustix::process::{Pid, Signal, kill_process};

use crate::{cluster::Cluster, command::PROGRAM, terminal::Terminal};

/// What a terminal of today is usually like.
const SIZE: (u16, u16) = (100, 30);

impl Cluster {
    /// A product that no other test has: its name and its id.
    pub async fn lamp(&self) -> (String, String) {
        let name = format!("Lamp-{}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
        let product = self.seller().json(&format!("product add --name {name} --price 29.99 --stock 50")).await;
        (name, product["id"].as_str().unwrap().to_owned())
    }

    /// The console in a terminal, for whoever has this home.
    fn console(&self, more: &[&str], size: (u16, u16)) -> Terminal {
        let mut command = CommandBuilder::new(PROGRAM);
        command.arg("tui");
        command.args(more);
        self.in_terminal(command, size)
    }

    /// A command that runs the console, as [`Cluster::console`] does.
    fn in_terminal(&self, mut command: CommandBuilder, size: (u16, u16)) -> Terminal {
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command.env("HOME", self.dir().join("home"));
        command.env("TERM", "xterm-256color");
        // What one test's console remembers is not for another's.
        let config = tempfile::tempdir_in(self.dir()).unwrap().keep();
        command.env("XDG_CONFIG_HOME", config);
        command.env("ORDERFLOW_DATA_DIR", self.data());
        command.cwd(self.dir());
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
    // Only the last size has room for that: whoever presses a key while the size changes may wait for it until the next
    // one (crossterm drops a key that comes along with the signal until there is another).
    console.sees("[customer]●").sees("1 of 3 desks");
    console.types("q");
    assert!(console.ends().status.success());
}

#[test]
fn it_is_drawn_anew_without_asking_the_terminal_anything() {
    let cluster = Cluster::shared();
    let mut console = cluster.console(&["--as", "customer"], SIZE);
    console.sees("[customer]●");
    // This terminal answers no question, so one would end the console.
    for _ in 0..2 {
        console.smudges("something else wrote here").sees("something else wrote here");
        console.types("\x0c").sees_no("something else wrote here").sees("[customer]●");
    }
    console.types("q");
    assert!(console.ends().status.success());
}

#[test]
fn it_is_stopped_in_its_shell_and_brought_back() {
    let cluster = Cluster::shared();
    let mut shell = CommandBuilder::new("sh");
    shell.args(["-c", "set -m; \"$0\" tui --as customer; echo it is stopped; read line; fg", PROGRAM]);
    let mut console = cluster.in_terminal(shell, SIZE);
    console.sees("[customer]●").types("\x1a").sees("it is stopped").types("\r").sees("[customer]●").types("q");
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

#[test]
fn a_terminal_that_was_taken_half_is_given_back() {
    // Keys can be read as they come, and nothing can be written.
    let helper = "console::helper_that_cannot_write";
    let script = format!("\"$0\" --exact {helper} --ignored --nocapture | head -n 1; stty -a");
    let mut shell = CommandBuilder::new("sh");
    shell.args(["-c", &script]);
    shell.arg(std::env::current_exe().unwrap());
    shell.cwd(std::env::temp_dir());
    let ended = Terminal::start(shell, SIZE).ends();
    assert!(ended.contents.contains("it was not taken"), "{}", ended.contents);
    let words: Vec<&str> = ended.contents.split_whitespace().collect();
    assert!(words.contains(&"icanon") && words.contains(&"echo"), "keys are not lines again: {}", ended.contents);
}

#[test]
#[ignore = "what a_terminal_that_was_taken_half_is_given_back starts in a terminal"]
fn helper_that_cannot_write() {
    let dir = tempfile::tempdir().unwrap();
    // Until nobody reads it.
    while writeln!(io::stdout(), "is anybody there?").is_ok() {}
    assert!(Guard::take(dir.path().join("state.toml")).is_err());
    eprintln!("it was not taken");
}

#[tokio::test]
async fn without_a_terminal_it_says_so() {
    Cluster::shared().anybody().run("tui").await.ends(2).says("the console needs a terminal");
}

#[test]
fn without_a_cluster_it_offers_to_start_one_and_again_when_that_has_stopped() {
    let cluster = Cluster::none();
    let down = || {
        std::process::Command::new(PROGRAM)
            .args(["--data-dir", cluster.data().to_str().unwrap(), "down"])
            .env("HOME", cluster.dir().join("home"))
            .output()
            .unwrap()
    };
    let mut console = cluster.console(&["--as", "customer"], SIZE);
    console.sees("No cluster runs here.").types("\r");
    console.sees("Starting a cluster").sees("[customer]●");
    assert!(down().status.success());
    console.sees("the cluster has stopped").sees("[customer]○ stopped");
    // A key that comes as soon as the offer does is not for it.
    let starts = (0..100).any(|_| {
        console.types("s");
        std::thread::sleep(Duration::from_millis(100));
        console.contents().contains("Starting a cluster")
    });
    assert!(starts, "{}", console.contents());
    console.sees_no("Starting a cluster").sees("[customer]●").types("q");
    assert!(console.ends().status.success());
    let down = down();
    assert!(down.status.success(), "{down:?}");
}

#[test]
fn a_key_that_comes_together_with_a_resize_is_not_left_unread() {
    let cluster = Cluster::shared();
    let mut console = cluster.console(&["--as", "seller"], SIZE);
    console.sees("[seller]●");
    // Only now and then do both come at once.
    for turn in 1..=60_u16 {
        let screen = ["Orders", "Inventory", "Reservations", "Sales"][usize::from(turn % 4)];
        let number = turn % 4 + 1;
        console.resize((SIZE.0 + turn % 2, SIZE.1)).types(&number.to_string());
        console.sees(&format!("▸{number} {screen}"));
    }
    console.types("q");
    assert!(console.ends().status.success());
}

/// The order of that product.
async fn order_of(cluster: &Cluster, name: &str) -> String {
    let list = cluster.customer().json("order list --limit 200").await;
    let mut orders = list["items"].as_array().unwrap().iter();
    let order = orders.find(|order| order["lines"][0]["name"] == name).unwrap();
    order["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_goes_from_the_cart_to_paid_through_the_form() {
    let cluster = Cluster::shared();
    let (name, _) = cluster.lamp().await;
    let mut console = cluster.console(&["--as", "customer"], SIZE);
    console.sees("[customer]●").sees("1 Shop").types("/").types(&name).sees(&format!("{name} ")).types("\r");
    console.sees("✓ 50").types("\r").sees("×1").types("2").sees("total 29.99 USD").types("\r");
    console.sees("waits for the seller to confirm");
    let order = order_of(cluster, &name).await;
    cluster.seller().json(&format!("order confirm {order} --wait")).await;
    console.sees("waits for you to pay").types("p").sees("number");
    // A line break that was pasted along is no Enter.
    console.pastes("4242-4242-4242-4242\n").sees("4242 4242 4242 4242").sees("VISA");
    console.types("\t1230\t123").sees("enter pays");
    assert_eq!(cluster.customer().json(&format!("payment show {order}")).await["status"], "OPEN");
    console.types("\r").sees("✓ Paid").sees("visa ···· 4242");
    let payment = cluster.customer().json(&format!("payment show {order}")).await;
    assert_eq!((&payment["status"], &payment["card"]["last4"]), (&"SUCCEEDED".into(), &"4242".into()));
    // An escape and a letter in one go would be one key.
    console.types("v").sees("O R D E R F L O W").types("\x1b").sees_no("O R D E R F L O W").types("q");
    assert!(console.ends().status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_card_is_told_for_what_it_is() {
    let cluster = Cluster::shared();
    let (name, id) = cluster.lamp().await;
    let order = cluster.order(&id, 1).await;
    cluster.seller().json(&format!("order confirm {order} --wait")).await;
    let mut console = cluster.console(&["--as", "customer"], SIZE);
    console.sees("[customer]●").types("3").types("/").types(&name).types("\r").sees("waits for you to pay");
    console.types("p").sees("number").types("4000000000009995\t1230\t123").sees("enter pays").types("\r");
    // An escape and a letter in one go would be one key.
    console.sees("not enough money").types("\x1b").sees_no("✗ Declined").sees("cancelled").types("q");
    assert!(console.ends().status.success());
    assert_eq!(cluster.customer().json(&format!("order show {order}")).await["status"], "CANCELLED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_confirms_with_one_key_and_the_customer_sees_it() {
    let cluster = Cluster::shared();
    let (name, id) = cluster.lamp().await;
    let order = cluster.order(&id, 1).await;
    let mut customer = cluster.console(&["--as", "customer"], SIZE);
    customer.sees("[customer]●").types("3/").types(&name).types("\r").sees("waits for the seller to confirm");
    let mut seller = cluster.console(&["--as", "seller"], SIZE);
    seller.sees("[seller]●").types("/").types(&name).types("\r").sees(&order[28..]).types("c");
    customer.sees("waits for you to pay");
    seller.sees("confirmed").types("q");
    customer.types("q");
    assert!(seller.ends().status.success() && customer.ends().status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_is_set_and_taken_back_on_the_chaos_board() {
    let cluster = Cluster::start();
    let mut console = cluster.console(&["--as", "admin"], SIZE);
    console.sees("[admin]●").types("8").sees("http-latency").types("/payment-failure").sees("cards are declined");
    // Not in one go with what follows: an escape and a blank are one key to a terminal.
    console.types("\x1b").sees("space set").types(" ").sees("1 fault");
    let faults = cluster.admin().json("chaos list").await;
    assert!(faults.to_string().contains("payment-failure"), "{faults}");
    console.types("x").sees_no("1 fault").types("v").sees("✓ verify").types("q");
    assert!(console.ends().status.success());
}
