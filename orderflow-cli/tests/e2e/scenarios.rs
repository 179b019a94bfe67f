//! `orderflow chaos run`: scenarios by the clock.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use orderflow_contracts::api::chaos::FaultName;
use orderflow_contracts::words::word;
use orderflow_testing::eventually;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{cluster::Cluster, processes};

/// How long a command that was interrupted may take to mend what it has broken.
const MEND_MAX: Duration = Duration::from_secs(60);

impl Cluster {
    fn scenario(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    async fn broken(&self) -> Value {
        self.admin().json("chaos list").await
    }
}

/// The scenarios that are shipped.
fn shipped() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples/chaos");
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

const SHORT: &str = r#"
about = "Some of everything"
seed = 5

[load]
rate = 10
mix = "happy=70,decline=10,cancel=20"
for = "6s"

[[step]]
at = "500ms"
set = "deliver-twice 50%"

[[step]]
at = "1s"
set = "payment-failure 50% --for 4s"

[[step]]
at = "2s"
kill = "inventory"

[[step]]
at = "3s"
set = "crash after-commit --service orders"
"#;

const LONG: &str = r#"
about = "It is interrupted"

[load]
rate = 5
for = "100s"

[[step]]
at = "100ms"
set = "db-slow 5ms --service orders"

[[step]]
at = "200ms"
pause = "psp --for 90s"

[[step]]
at = "300ms"
cut = "payments --from provider"
"#;

#[tokio::test]
async fn a_scenario_is_played_and_mended_and_every_book_is_right() {
    let shop = Cluster::start();
    let file = shop.scenario("short.toml", SHORT);
    let report = shop.admin().json(&format!("chaos run {} --timeout 60s", file.display())).await;
    let steps = report["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 4, "{report:#}");
    assert!(steps.iter().all(|step| step["failed"].is_null()), "{steps:#?}");
    assert_eq!((&report["about"], &report["seed"]), (&json!("Some of everything"), &json!(5)));
    assert_eq!(report["verify"]["ok"], true, "{report:#}");
    assert!(report["load"].is_object(), "{report:#}");
    let now = shop.broken().await;
    assert_eq!((&now["faults"], &now["cuts"], &now["paused"]), (&json!([]), &json!([]), &json!([])), "{now:#}");
    // Each has bitten, and that is seen though all is over.
    for (service, name) in [("inventory", "deliver-twice"), ("payments", "payment-failure"), ("orders", "crash")] {
        let there = now["bites"].as_array().unwrap().iter();
        let mut there = there.filter(|there| there["service"] == service && there["name"] == name);
        assert!(there.any(|there| there["bites"].as_u64() > Some(0)), "{service} {name}: {now:#}");
    }
    assert_eq!(shop.violations().await, [""; 0]);
    let read = shop.admin().run("chaos list").await.ends(0).out;
    assert!(read.starts_with("nothing is broken on purpose"), "{read}");
}

#[tokio::test]
async fn a_bad_file_is_refused_with_its_place_and_nothing_is_done() {
    let shop = Cluster::shared();
    let fault = |step: &str| format!("about = \"x\"\n\n[[step]]\nat = \"0s\"\n{step}\n");
    for (name, text, says) in [
        ("toml.toml", "about = ".to_owned(), "line 1"),
        ("fault.toml", fault("set = \"payment-faliure 50%\""), "payment-faliure"),
        ("verb.toml", fault("eat = \"orders\""), "step 1"),
        ("time.toml", fault("set = \"db-slow 5ms\"\nafter = \"1s\""), "more than one thing"),
        ("process.toml", fault("kill = \"everything\""), "everything"),
        ("late.toml", format!("{}\n[[step]]\nset = \"db-refused\"", fault("set = \"db-refused\"")), "step 2"),
        ("load.toml", "about = \"x\"\n[load]\nrate = 5\n".to_owned(), "`for`"),
    ] {
        let name = format!("{}-{name}", std::process::id());
        let file = shop.scenario(&name, &text);
        let line = format!("chaos run {}", file.display());
        shop.admin().refused(2, &line).await.says(&name).says(says).writes_nothing();
    }
    shop.admin().refused(2, "chaos run /no/such/file.toml").await.says("/no/such/file.toml").writes_nothing();
    assert_eq!(shop.broken().await["faults"], json!([]));
}

#[tokio::test]
async fn a_scenario_that_is_interrupted_mends_what_it_has_broken() {
    let shop = Cluster::start();
    let file = shop.scenario("long.toml", LONG);
    let mut command = shop.admin().command(&format!("chaos run {}", file.display()));
    let running = command.spawn().unwrap();
    let pid = i32::try_from(running.id().unwrap()).unwrap();
    let all_is_broken = async || {
        let now = shop.broken().await;
        let count = |what: &str| now[what].as_array().map_or(0, Vec::len);
        (count("faults") == 1 && count("paused") == 1 && count("cuts") == 1).then_some(())
    };
    eventually("all is broken", all_is_broken).await;
    processes::signal(pid, Signal::INT);
    let ended = tokio::time::timeout(MEND_MAX, running.wait_with_output()).await.expect("it ends").unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("mending everything"), "{said}");
    let now = shop.broken().await;
    assert_eq!((&now["faults"], &now["cuts"], &now["paused"]), (&json!([]), &json!([]), &json!([])), "{now:#}");
    shop.is_healthy().await;
    assert_eq!(shop.violations().await, [""; 0]);
}

#[test]
fn the_scenarios_that_are_shipped_name_only_what_there_is() {
    let files = shipped();
    assert!(files.len() >= 11, "{files:?}");
    let mut faults: Vec<String> = FaultName::ALL.iter().map(word).collect();
    faults.push("clock-skew".to_owned());
    for path in files {
        let file: toml::Table = toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let steps = file["step"].as_array().unwrap();
        for step in steps {
            let Some(set) = step.get("set") else { continue };
            let fault = set.as_str().unwrap().split_whitespace().next().unwrap();
            assert!(faults.iter().any(|known| known == fault), "{}: {fault}", path.display());
        }
        assert!(!steps.is_empty() && file.get("load").is_some(), "{}", path.display());
    }
}
