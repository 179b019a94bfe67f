//! The scripts in `examples/` and the tour in the README do what they say.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::timeout;

use crate::{
    cluster::Cluster,
    command::{Person, Ran, finish},
};

/// Those that have their own cluster, or move the clock of one.
const APART: [&str; 3] = ["ci-smoke.sh", "expiry.sh", "soak.sh"];
/// How long the short soak may take: each fault by itself, a few seconds of all, and the reckoning.
const SOAK_MAX: Duration = Duration::from_secs(600);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Runs an example.
pub async fn example(shop: &Cluster, name: &str) -> Ran {
    let person = shop.anybody();
    let mut command = person.program("bash");
    command.arg(root().join("examples").join(name));
    finish(name, command, "").await.ends(0)
}

fn examples() -> Vec<String> {
    let all = fs::read_dir(root().join("examples")).unwrap();
    let names = all.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".sh")).collect();
    names.sort();
    names
}

#[tokio::test]
async fn every_example_runs_on_a_cluster_that_is_in_use() {
    let names = examples();
    assert!(names.len() >= 8, "{names:?}");
    for name in names.iter().filter(|name| !APART.contains(&name.as_str())) {
        example(Cluster::shared(), name).await;
    }
}

#[tokio::test]
async fn the_smoke_test_for_ci_brings_its_own_cluster_and_leaves_nothing() {
    let home = Cluster::none();
    let person = Person::new(&home.dir().join("home"), &home.data()).without_cluster().with([("TMPDIR", home.dir())]);
    let mut command = person.program("bash");
    command.arg(root().join("examples/ci-smoke.sh"));
    finish("ci-smoke.sh", command, "").await.ends(0);
    assert_eq!(home.processes(), []);
    let left: Vec<_> = fs::read_dir(home.dir()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "home" || name == "up.log"), "{left:?}");
}

#[tokio::test]
async fn a_short_soak_sees_every_fault_bite_and_ends_with_books_that_balance() {
    let home = Cluster::none();
    let person = Person::new(&home.dir().join("home"), &home.data()).without_cluster().with([("TMPDIR", home.dir())]);
    let mut command = person.program("bash");
    command.arg(root().join("examples/soak.sh")).args(["--minutes", "0.2", "--seed", "7"]);
    let ran = timeout(SOAK_MAX, command.output()).await.expect("it ends in time").unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("✓ orders.not_stuck") && said.contains("0 missing"), "{said}");
    assert_eq!(home.processes(), []);
}

/// The commands between the marks, in one script.
fn tour() -> String {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, rest) = readme.split_once("<!-- tour -->").expect("README.md has the mark <!-- tour -->");
    let (tour, _) = rest.split_once("<!-- /tour -->").expect("README.md has the mark <!-- /tour -->");
    let blocks = tour.split("```sh\n").skip(1);
    blocks.map(|block| block.split_once("```").expect("a block has an end").0).collect()
}

#[tokio::test]
async fn the_tour_of_the_readme_works_as_it_stands_there() {
    let tour = tour();
    let home = Cluster::none();
    let up = tour.lines().next().unwrap_or_default();
    assert!(up.starts_with("orderflow up --detach"), "the tour begins with the cluster: {up}");
    assert!(tour.contains("\norderflow down\n"), "the tour ends what it has begun: {tour}");
    // Others may have the default ports of the machine on which this runs.
    let script = format!("set -euo pipefail\n{}", tour.replacen("orderflow up", "orderflow up --any-port", 1));
    let mut command = home.anybody().program("bash");
    command.args(["-c", &script]);
    finish(&script, command, "").await.ends(0);
    assert_eq!(home.processes(), []);
}
