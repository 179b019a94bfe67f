//! `orderflow outbox`: Kafka is transport, the databases are the truth. What it has lost is published again, by itself or
//! by hand, and nothing is applied twice.

use std::fs;

use orderflow_testing::eventually;
use serde_json::{Value, json};

use crate::{
    books::Books,
    cluster::Cluster,
    shop::{Stage, text},
};

impl Cluster {
    async fn outbox(&self, line: &str) -> Vec<Value> {
        self.admin().json(&format!("outbox list --limit 1000 {line}")).await["items"].as_array().unwrap().clone()
    }

    async fn duplicates(&self, service: &str) -> u64 {
        self.metric(service, "orderflow_inbox_duplicates_total").await
    }

    async fn everything_is_published(&self) {
        let done = async || self.outbox("--pending").await.is_empty().then_some(());
        eventually("everything is published", done).await;
    }
}

#[tokio::test]
async fn the_outbox_is_listed_and_what_is_published_again_is_applied_once() {
    let shop = Cluster::start();
    let product = shop.product(10).await;
    let order = shop.order_at(Stage::Fulfilled, &product, 1).await;
    shop.everything_is_published().await;
    let rows = shop.outbox("--service orders").await;
    let of_order = rows.iter().filter(|row| row["subject"] == *order).map(|row| text(&row["type"]));
    let events = ["order.created", "order.confirmation_requested", "order.confirmed", "order.paid", "order.fulfilled"];
    assert_eq!(of_order.collect::<Vec<_>>(), events);

    shop.chaos("set relay-paused --service orders").await;
    let waiting = shop.order(&product, 2).await;
    let pending = shop.outbox("--pending --service orders").await;
    let is_there = |row: &&Value| row["subject"] == *waiting && row["published"] == false;
    assert!(pending.iter().any(|row| is_there(&row)), "{pending:#?}");
    let read = shop.admin().run("outbox list --pending").await.ends(0).out;
    assert!(read.contains(&waiting) && read.contains("pending") && !read.contains("published"), "{read}");
    shop.chaos("clear").await;
    shop.everything_is_published().await;

    let at_rest = async || Some(Books::read(&shop).await).filter(Books::are_at_rest);
    let before = eventually("all orders are at rest", at_rest).await;
    let known = shop.duplicates("inventory").await;
    let again = shop.admin().json(&format!("outbox replay --service orders --subject {order}")).await;
    assert_eq!(again, json!([{ "service": "orders", "events": events.len() }]));
    let seen = async || (shop.duplicates("inventory").await == known + 5).then_some(());
    eventually("inventory knows each of them", seen).await;
    let all = shop.admin().json("outbox replay").await;
    let count: u64 = all.as_array().unwrap().iter().map(|there| there["events"].as_u64().unwrap()).sum();
    assert!(count > 10, "{all:#}");
    shop.everything_is_published().await;
    assert_eq!(shop.violations().await, [""; 0]);
    assert_eq!(Books::read(&shop).await, before);
    let audited = async || {
        let list = shop.admin().json(&format!("audit list --action outbox.replay --subject {order}")).await;
        (list["items"].as_array().unwrap().len() == 1).then_some(())
    };
    eventually("it stands in the audit log", audited).await;
    shop.customer().refused(1, "outbox list").await.says("(forbidden)").writes_nothing();
    shop.seller().refused(1, "outbox replay").await.says("(forbidden)").writes_nothing();
}

#[tokio::test]
async fn a_broker_that_has_lost_everything_is_fed_again_and_nothing_is_applied_twice() {
    let mut shop = Cluster::start();
    let product = shop.product(10).await;
    let finished = shop.order_at(Stage::Fulfilled, &product, 1).await;
    let paid = shop.order_at(Stage::Paid, &product, 1).await;
    let confirmed = shop.order_at(Stage::Confirmed, &product, 1).await;
    shop.everything_is_published().await;
    // Inventory has not heard of this one when the broker's data are gone.
    shop.chaos("set consumer-paused --service inventory").await;
    let unheard = shop.order(&product, 1).await;
    shop.seller().run(&format!("order confirm {unheard}")).await.ends(0);
    shop.everything_is_published().await;
    shop.anybody().run("down").await.ends(0);
    fs::remove_dir_all(shop.data().join("broker")).unwrap();
    // The fault is still there, and keeps nothing from starting.
    shop.restart();
    shop.chaos("clear").await;

    shop.is_at_last(&unheard, ["CONFIRMED", "HELD", "OPEN"]).await;
    shop.everything_is_published().await;
    for service in ["orders", "inventory", "payments", "console"] {
        let known = async || (shop.duplicates(service).await > 0).then_some(());
        eventually(&format!("{service} was told again, and knew it"), known).await;
    }
    shop.bring(&confirmed, Stage::Confirmed, Stage::Fulfilled).await;
    shop.bring(&unheard, Stage::Confirmed, Stage::Fulfilled).await;
    shop.bring(&paid, Stage::Paid, Stage::Fulfilled).await;
    assert_eq!(shop.state(&finished).await, ["FULFILLED", "COMMITTED", "SUCCEEDED"]);
    assert_eq!(shop.stock(&product).await, [6, 0, 6]);
    assert_eq!(shop.violations().await, [""; 0]);
}
