//! Parts of the cluster that stay away for a while: they are shown, they come back, and a load that met them says what it
//! could not finish.

use std::time::{Duration, Instant};

use orderflow_testing::eventually;
use serde_json::Value;

use crate::cluster::Cluster;

/// As the supervisor has it, healthy or not.
async fn process(shop: &Cluster, name: &str) -> Value {
    let status = shop.status().await;
    status["processes"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone()
}

async fn chaos(shop: &Cluster, line: &str) {
    shop.admin().run(&format!("chaos {line}")).await.ends(0);
}

#[tokio::test]
async fn what_is_killed_for_a_while_is_held_down_and_comes_back() {
    let shop = Cluster::start();
    let began = Instant::now();
    shop.admin().run("chaos kill inventory --for 1h").await.ends(0).says("held down for 3600s");
    assert!(began.elapsed() < Duration::from_secs(30), "it does not wait for it");
    let down = async || (process(&shop, "inventory").await["pid"] == Value::Null).then_some(());
    eventually("it is gone", down).await;
    let inventory = process(&shop, "inventory").await;
    assert_eq!(inventory["state"], "held_down");
    assert!(inventory["resumes_at_ms"].is_u64());
    let told = shop.admin().run("status").await.ends(1);
    assert!(
        told.out.contains("held down for another 59m") && told.out.contains("inventory: held down, until"),
        "{told:?}"
    );
    let list = shop.admin().json("chaos list").await;
    assert_eq!(list["held_down"][0]["process"], "inventory");
    let killed = shop.admin().json("audit list --action process.kill").await;
    assert_eq!(killed["items"][0]["detail"]["for_ms"], 3_600_000);

    chaos(&shop, "clear").await;
    shop.is_healthy().await;
    // For so long, and back by itself.
    chaos(&shop, "kill broker --for 1s").await;
    let back = async || (process(&shop, "broker").await["state"] == "ready").then_some(());
    eventually("it is back", back).await;
    shop.is_healthy().await;
    assert_eq!(shop.admin().json("chaos list").await["held_down"], Value::Array(vec![]));

    // A pause and a cut that are over have left their numbers beside those of the kills.
    chaos(&shop, "pause payments --for 100ms").await;
    chaos(&shop, "cut inventory --from postgres").await;
    let all = [("broker", "kill"), ("inventory", "cut-from-postgres"), ("inventory", "kill"), ("payments", "pause")];
    let counted = async || {
        let list = shop.admin().json("chaos list").await;
        let bites = list["bites"].as_array().unwrap().clone();
        let of = |one: &Value| (one["service"].as_str().unwrap().to_owned(), one["name"].as_str().unwrap().to_owned());
        let there: Vec<_> = bites.iter().map(of).collect();
        let kills: Vec<_> = bites.iter().filter(|one| one["name"] == "kill").map(|one| one["bites"].clone()).collect();
        assert!(kills == [1, 1], "{list:#}");
        there.iter().map(|(service, name)| (service.as_str(), name.as_str())).eq(all).then_some(())
    };
    eventually("each has its number", &counted).await;
    chaos(&shop, "clear").await;
    shop.is_healthy().await;
    counted().await.unwrap();
    let told = shop.admin().run("chaos list").await.ends(0).out;
    assert!(told.starts_with("nothing is broken on purpose") && told.contains("cut-from-postgres"), "{told}");
}

#[tokio::test]
async fn a_load_drives_on_what_it_has_begun_and_says_what_it_could_not_finish() {
    let shop = Cluster::start();
    // Away for longer than the orders come: they are finished afterwards.
    chaos(&shop, "kill payments --for 6s").await;
    let load = shop.anybody().json("load --rate 10 --mix happy=1 --for 2s --drain 60s --seed 1").await;
    assert_eq!((&load["not_finished"], &load["unfinished"]), (&Value::Array(vec![]), &Value::Array(vec![])));
    assert_eq!(load["endings"].as_array().unwrap().len(), 1, "{load}");
    assert_eq!(load["endings"][0]["ending"], "FULFILLED");

    // Away for longer than anybody waits: each is told of, with its stage and its reason.
    chaos(&shop, "kill payments --for 1h").await;
    let ran = shop.anybody().run_with("load --rate 10 --mix happy=1 --for 2s --drain 2s --seed 2", "").await.ends(1);
    let load: Value = ran.document();
    let left = load["not_finished"].as_array().unwrap();
    let count: u64 = left.iter().map(|group| group["orders"].as_u64().unwrap()).sum();
    assert_eq!(count, load["orders"].as_u64().unwrap(), "{load}");
    for group in left {
        assert_eq!(group["stage"], "confirm", "nobody opens the payment: {load}");
        assert!(group["why"].as_str().unwrap().contains("payment NONE"), "{load}");
    }
    assert_eq!(load["unfinished"].as_array().unwrap().len(), usize::try_from(count).unwrap());
    ran.says("have not come to an end");

    chaos(&shop, "clear").await;
    shop.is_healthy().await;
    shop.admin().run("verify").await.ends(0);
}
