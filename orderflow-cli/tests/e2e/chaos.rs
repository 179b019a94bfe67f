//! What is broken on purpose: with every pattern in its place the checker finds nothing wrong; with any one of them taken
//! out it does.

use orderflow_testing::eventually;
use serde_json::Value;

use crate::cluster::Cluster;

/// Faults that are on together, and that orders have to come through.
const FAULTS: [&str; 9] = [
    "payment-failure 20% --seed 1",
    "provider-timeout 5% --seed 2",
    "provider-error 20% --seed 3",
    "db-refused 3% --service all --seed 4",
    "commit-lost 3% --service orders --seed 5",
    "relay-twice 20% --service all --seed 6",
    "deliver-twice 20% --service all --seed 7",
    "deliver-late 20ms --percent 10 --service inventory --seed 8",
    "http-latency 5ms --service orders --seed 9",
];

impl Cluster {
    /// Breaks something, or mends it.
    pub async fn chaos(&self, line: &str) {
        self.admin().run(&format!("chaos {line}")).await.ends(0);
    }

    /// Orders of these kinds for some seconds; the load's own findings are not this test's.
    pub async fn load(&self, mix: &str) {
        self.anybody().run(&format!("load --rate 25 --for 4s --seed 3 --mix {mix} -q")).await;
    }

    /// What the checker finds wrong, by the names of its checks.
    pub async fn violations(&self) -> Vec<String> {
        let ran = self.admin().run("verify -o json --timeout 30s").await;
        let report = ran.document();
        let checks = report["checks"].as_array().unwrap();
        let failed = checks.iter().filter(|check| check["ok"] == false);
        let names: Vec<_> = failed.map(|check| check["name"].as_str().unwrap().to_owned()).collect();
        assert_eq!(
            (ran.code, report["ok"].as_bool()),
            (Some(if names.is_empty() { 0 } else { 7 }), Some(names.is_empty()))
        );
        names
    }

    async fn without(pattern: &str) -> Self {
        let shop = Self::laboratory();
        shop.admin().run(&format!("lab disable {pattern}")).await.ends(0);
        shop
    }
}

#[tokio::test]
async fn orders_come_through_all_kinds_of_faults_and_no_book_is_wrong() {
    let shop = Cluster::start();
    for fault in FAULTS {
        shop.chaos(&format!("set {fault}")).await;
    }
    shop.load("happy=60,decline=15,cancel=25").await;
    shop.chaos("kill inventory").await;
    shop.chaos("pause payments --for 1s").await;
    shop.chaos("cut orders --from broker --for 1s").await;
    shop.chaos("set crash after-publish --service orders").await;
    shop.chaos("set crash after-answer --service payments").await;
    shop.chaos("kill broker").await;
    shop.load("happy=70,cancel=30").await;
    let faults = shop.admin().json("chaos list").await.to_string();
    for fault in ["payment-failure", "relay-twice", "deliver-twice", "db-refused"] {
        assert!(faults.contains(fault), "{fault}: {faults}");
    }
    shop.chaos("clear").await;
    assert_eq!(shop.violations().await, [""; 0]);
    shop.admin().run("audit verify").await.ends(0);
}

/// Whoever mends has to log in, and a service has to be there for that, whatever strikes.
#[tokio::test]
async fn what_strikes_always_can_be_taken_back_without_a_session_and_after_a_new_start() {
    let shop = Cluster::start();
    shop.chaos("set db-refused 100% --service all").await;
    for process in ["console", "orders"] {
        shop.chaos(&format!("kill {process}")).await;
    }
    shop.is_healthy().await;
    shop.chaos("set http-latency 60s --service all").await;
    std::fs::remove_dir_all(shop.data().join("sessions")).unwrap();
    shop.chaos("clear").await;
    assert_eq!(shop.admin().json("chaos list").await["faults"], serde_json::json!([]));
}

#[tokio::test]
async fn a_stampede_has_as_many_winners_as_there_are_pieces() {
    let shop = Cluster::start();
    shop.anybody().run("stampede --buyers 60 --stock 7").await.ends(0);
    assert_eq!(shop.violations().await, [""; 0]);
}

#[tokio::test]
async fn without_the_outbox_events_are_lost_with_the_process() {
    let shop = Cluster::without("outbox").await;
    shop.chaos("set crash after-publish --service orders --percent 30 --times 3 --seed 4").await;
    shop.load("happy=100").await;
    assert_ne!(shop.violations().await, [""; 0]);
}

#[tokio::test]
async fn without_the_inbox_events_are_applied_twice() {
    let shop = Cluster::without("inbox").await;
    shop.chaos("set deliver-twice 30% --service all --seed 3").await;
    shop.load("happy=100").await;
    assert!(shop.violations().await.contains(&"events.applied_once".to_owned()));
}

#[tokio::test]
async fn without_the_guard_of_the_stock_more_is_promised_than_there_is() {
    let shop = Cluster::without("stock-guard").await;
    shop.anybody().run("stampede --buyers 30 --stock 3").await.ends(7);
    assert!(shop.violations().await.iter().any(|name| name.starts_with("stock.")));
}

#[tokio::test]
async fn without_the_idempotency_key_some_pay_twice() {
    let shop = Cluster::without("idempotency-key").await;
    shop.chaos("set provider-timeout 50% --seed 1").await;
    shop.load("happy=100").await;
    assert!(shop.violations().await.contains(&"money.charged_once".to_owned()));
}

#[tokio::test]
async fn without_the_tombstone_stock_is_held_for_orders_that_are_over() {
    let shop = Cluster::without("tombstone").await;
    shop.chaos("set consumer-slow 300ms --service inventory").await;
    shop.load("cancel=100").await;
    shop.chaos("clear").await;
    assert_ne!(shop.violations().await, [""; 0]);
}

#[tokio::test]
async fn without_the_version_check_changes_overwrite_each_other() {
    let shop = Cluster::without("version-check").await;
    let product = shop.product(1_000).await;
    for _ in 0..3 {
        let order = shop.order(&product, 1).await;
        shop.seller().run(&format!("order confirm {order}")).await.ends(0);
        let opened =
            async || (shop.customer().run(&format!("payment show {order}")).await.code == Some(0)).then_some(());
        eventually("the payment is open", opened).await;
        // Now the orders service hears that the payment is open, and writes that down over the cancellation.
        shop.customer().run(&format!("order cancel {order}")).await.ends(0);
    }
    let found = shop.violations().await;
    assert!(found.contains(&"orders.not_stuck".to_owned()), "{found:?}");
}

#[tokio::test]
async fn the_checker_says_when_it_could_not_check() {
    let shop = Cluster::start();
    shop.chaos("pause payments --for 60s").await;
    let ran = shop.admin().run("verify -o json --timeout 5s").await.ends(7);
    let report: Value = ran.document();
    assert_eq!(report["ok"], false, "{report:#}");
    shop.chaos("clear").await;
    assert_eq!(shop.violations().await, [""; 0]);
}
