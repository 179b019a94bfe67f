//! The tour in docs/CHAOS.md does what it says: each of its commands is run as it stands there.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::Duration,
};

use orderflow_testing::eventually;
use rustix::process::Signal;
use serde_json::Value;
use tokio::{process::Child, time::timeout};

use crate::{
    cluster::Cluster,
    command::{Ran, finish_within},
    processes,
};

/// How long one command may take: the longest scenario lasts a minute, and then comes to rest.
const COMMAND_MAX: Duration = Duration::from_secs(300);
/// How long a load may take to bring to an end what is under way.
const LOAD_MAX: Duration = Duration::from_secs(180);
/// How the line begins that goes on in a second terminal.
const LOAD: &str = "orderflow load ";

/// The commands of the tour, block by block.
fn blocks() -> Vec<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(root.join("docs/CHAOS.md")).unwrap();
    let (_, rest) = page.split_once("## A tour\n").expect("docs/CHAOS.md has a tour");
    let (tour, _) = rest.split_once("\n## ").expect("the tour has an end");
    let blocks = tour.split("```sh\n").skip(1);
    let blocks = blocks.map(|block| block.split_once("```").expect("a block has an end").0);
    // What the scenarios are called goes by the place of the page's readers: the project's directory.
    let examples = root.join("examples");
    let command = |line: &str| line.replace("examples/", &format!("{}/", examples.display()));
    blocks.map(|block| block.lines().map(command).collect()).collect()
}

/// Runs a line as it stands there, its comment included.
async fn run(shop: &Cluster, line: &str) -> Ran {
    let mut command = shop.anybody().program("bash");
    command.args(["-c", line]);
    let ran = finish_within(COMMAND_MAX, line, command, "").await;
    // What is broken is not healthy, and `status` says so.
    let expected = if line.starts_with("orderflow status") { [0, 1] } else { [0, 0] };
    assert!(ran.code.is_some_and(|code| expected.contains(&code)), "{ran:#?}");
    ran
}

/// What is broken and will be mended without anybody's doing.
async fn ends_by_itself(shop: &Cluster) -> Vec<Value> {
    let now = shop.admin().json("chaos list").await;
    let broken = ["faults", "paused", "held_down", "cuts"].into_iter().filter_map(|what| now[what].as_array().cloned());
    broken.flatten().filter(|one| !one["ends_at"].is_null()).collect()
}

fn begin(shop: &Cluster, line: &str) -> Child {
    let mut command = shop.anybody().program("bash");
    // In the shell's place, so that Ctrl-C finds it.
    let said = File::create(said_by_load(shop)).unwrap();
    command.args(["-c", &format!("exec {line}")]).stdout(said.try_clone().unwrap()).stderr(said);
    command.spawn().unwrap()
}

async fn end(shop: &Cluster, mut load: Child) {
    processes::signal(i32::try_from(load.id().unwrap()).unwrap(), Signal::INT);
    let ended = timeout(LOAD_MAX, load.wait()).await.expect("the load ends").unwrap();
    let said = fs::read_to_string(said_by_load(shop)).unwrap();
    assert_eq!(ended.code(), Some(0), "{said}");
}

fn said_by_load(shop: &Cluster) -> PathBuf {
    shop.dir().join("load.log")
}

#[tokio::test]
async fn the_tour_breaks_everything_while_orders_come_and_in_the_end_all_is_right() {
    let shop = Cluster::none();
    let blocks = blocks();
    assert_eq!(blocks.len(), 11, "the tour has other stops than this knows: {blocks:#?}");
    let mut load = None;
    // The last two stops are about something else, and are made in the other test.
    for line in blocks[..9].iter().flatten() {
        if line.starts_with(LOAD) {
            load = Some(begin(&shop, line));
            continue;
        }
        if line == "orderflow chaos clear" {
            // Who reads the page takes longer than this test.
            eventually("what ends by itself has ended", async || ends_by_itself(&shop).await.is_empty().then_some(()))
                .await;
            end(&shop, load.take().expect("the load has begun")).await;
        }
        // Others may have the default ports of the machine on which this runs.
        let ran = run(&shop, &line.replace("orderflow up ", "orderflow up --any-port ")).await;
        match line.split('#').next().unwrap_or_default().trim() {
            "orderflow chaos list" => assert!(ran.out.contains("payment-failure"), "{ran:#?}"),
            "orderflow audit list --action chaos.set" => assert!(ran.out.contains("relay-twice"), "{ran:#?}"),
            "orderflow dlq list" => assert!(!ran.out.contains("open"), "nothing was dead-lettered: {ran:#?}"),
            _ => {}
        }
    }
    assert!(load.is_none(), "somebody has ended the load");
    let bites = shop.admin().json("chaos list").await["bites"].to_string();
    for fault in ["payment-failure", "provider-timeout", "crash", "relay-twice", "deliver-twice", "commit-lost"] {
        assert!(bites.contains(&format!("\"{fault}\"")), "{fault} has not bitten: {bites}");
    }
    shop.anybody().run("down").await.ends(0);
}

#[tokio::test]
async fn the_stampede_and_the_scenarios_of_the_tour_end_well() {
    let shop = Cluster::start();
    for line in blocks()[9..].iter().flatten() {
        run(&shop, line).await;
    }
}
