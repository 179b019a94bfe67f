//! `orderflow dlq`: what cannot be applied is put aside, looked at, mended, applied once or given up; what is only
//! impossible for the moment never lands there.

use orderflow_testing::eventually;
use serde_json::{Value, json};

use crate::{
    cluster::Cluster,
    poison::Told,
    shop::{Stage, text},
};

/// The time of a reservation that nobody waits for.
const EXPIRES_AT: i64 = 4_000_000_000_000;

impl Cluster {
    /// An order that waits for inventory, and a word of inventory's that nobody can read; its letter at orders.
    async fn unreadable(&self, product: &str) -> (String, String) {
        let order = self.order(product, 1).await;
        Told::new(&order, "inventory.reserved", "{}").send(self).await;
        let letter = text(&self.letter("orders", &order).await["id"]);
        (order, letter)
    }

    async fn letter_now(&self, letter: &str) -> Value {
        self.admin().json(&format!("dlq show {letter} --service orders")).await
    }

    /// What was done to something, by the audit log.
    async fn audited(&self, action: &str, subject: &str) -> Vec<Value> {
        let line = format!("audit list --action {action} --subject {subject}");
        self.admin().json(&line).await["items"].as_array().unwrap().clone()
    }

    async fn is_audited(&self, action: &str, subject: &str, times: usize) -> Vec<Value> {
        let there = async || Some(self.audited(action, subject).await).filter(|entries| entries.len() == times);
        eventually(&format!("{action} {subject} stands in the audit log {times} times"), there).await
    }

    async fn tell_mended(&self, letter: &str, line: &str) -> Value {
        let payload = json!({ "expires_at": EXPIRES_AT }).to_string();
        let line = format!("dlq edit {letter} --service orders --payload - {line}");
        self.admin().run_with(&line, &payload).await.json()
    }
}

#[tokio::test]
async fn a_dead_letter_is_seen_mended_and_applied_once() {
    let shop = Cluster::start();
    let product = shop.product(10).await;
    // Inventory itself says nothing meanwhile.
    shop.chaos("set consumer-paused --service inventory").await;
    let (order, letter) = shop.unreadable(&product).await;
    shop.seller().run(&format!("order confirm {order}")).await.ends(0);

    let shown = shop.letter_now(&letter).await;
    assert_eq!(
        (&shown["status"], &shown["topic"], &shown["key"]),
        (&json!("open"), &json!("inventory"), &json!(order))
    );
    assert!(text(&shown["reason"]).contains("expires_at"), "{shown:#}");
    let list = shop.admin().run("dlq list --service orders").await.ends(0).out;
    assert!(list.contains(&letter) && list.contains("open"), "{list}");
    let read = shop.admin().run(&format!("dlq show {letter} --service orders")).await.ends(0).out;
    assert!(read.contains("ce_type: inventory.reserved") && read.contains("payload\n{}"), "{read}");

    // As it is it cannot be applied; that is said, and it stays.
    let line = format!("dlq replay {letter} --service orders");
    let still = shop.admin().run(&line).await.ends(1).says("still cannot be applied");
    assert!(still.out.contains("open"), "{still:#?}");
    let dry = shop.tell_mended(&letter, "--dry-run").await;
    assert_eq!(dry[0]["payload"]["expires_at"], EXPIRES_AT);
    assert_eq!(shop.letter_now(&letter).await["payload"], json!({}));
    assert_eq!(shop.audited("dead-letter.edit", &letter).await, Vec::<Value>::new());
    shop.tell_mended(&letter, "").await;
    assert_eq!(shop.letter_now(&letter).await["payload"]["expires_at"], EXPIRES_AT);
    let dry = shop.admin().run(&format!("{line} --dry-run")).await.ends(0).says("would be replayed");
    assert!(dry.out.contains("open"), "{dry:#?}");
    assert_eq!(text(&shop.show(&order).await["status"]), "CONFIRMING");

    // Once, however often it is said.
    for _ in 0..2 {
        assert_eq!(shop.admin().json(&line).await[0]["status"], "replayed");
    }
    assert_eq!(text(&shop.show(&order).await["status"]), "CONFIRMED");
    let timeline = shop.timeline(&order).await;
    assert_eq!(timeline.iter().filter(|event| *event == "order.confirmed").count(), 1, "{timeline:?}");
    assert_eq!(shop.letters("orders", "replayed", &order).await.len(), 1);
    let edits = shop.is_audited("dead-letter.edit", &letter, 1).await;
    assert!(text(&edits[0]["actor"]).starts_with("admin/"), "{edits:#?}");
    // Once in vain, once with success; the third time there was nothing left to do.
    let replays = shop.is_audited("dead-letter.replay", &letter, 2).await;
    let applied: Vec<_> = replays.iter().map(|entry| entry["detail"]["applied"].clone()).collect();
    assert_eq!(applied, [true, false]);
    // What was decided is decided.
    let line = format!("dlq edit {letter} --service orders --payload -");
    shop.admin().run_with(&line, "{}").await.ends(1).says("not changed any more");
    let after = shop.admin().json(&format!("dlq discard {letter} --service orders")).await;
    assert_eq!(after[0]["status"], "replayed");
}

#[tokio::test]
async fn what_was_applied_meanwhile_is_passed_over() {
    let shop = Cluster::start();
    let product = shop.product(10).await;
    let (order, letter) = shop.unreadable(&product).await;
    shop.bring(&order, Stage::Pending, Stage::Confirmed).await;
    let before = shop.show(&order).await;
    shop.tell_mended(&letter, "").await;
    let line = format!("dlq replay {letter} --service orders");
    assert_eq!(shop.admin().json(&line).await[0]["status"], "replayed");
    assert_eq!(shop.show(&order).await["status"], before["status"]);
    assert_eq!(shop.stock(&product).await, [10, 1, 9]);
    shop.bring(&order, Stage::Confirmed, Stage::Fulfilled).await;
    assert_eq!(shop.stock(&product).await, [9, 0, 9]);
}

#[tokio::test]
async fn several_are_chosen_by_a_filter_or_all_and_a_dry_run_changes_nothing() {
    let shop = Cluster::start();
    let product = shop.product(10).await;
    let (first, second, third) =
        (shop.order(&product, 1).await, shop.order(&product, 1).await, shop.order(&product, 1).await);
    for order in [&first, &second] {
        Told::new(order, "inventory.reserved", "{}").send(&shop).await;
    }
    Told::new(&third, "inventory.eaten", "{}").send(&shop).await;
    for order in [&first, &second, &third] {
        for service in ["orders", "console"] {
            shop.letter(service, order).await;
        }
    }
    let open = async |service: &str| {
        let list = shop.admin().json(&format!("dlq list --service {service}")).await;
        list["items"].as_array().unwrap().len()
    };
    assert_eq!((open("orders").await, open("console").await), (3, 3));
    let discard = "dlq discard --all --service orders --reason expires_at";
    let dry = shop.admin().run(&format!("{discard} --dry-run")).await.ends(0).says("2 would be discarded");
    assert!(!dry.out.contains("discarded"), "{dry:#?}");
    shop.admin().run("dlq replay --all --dry-run").await.ends(0).says("6 would be replayed");
    assert_eq!((open("orders").await, open("console").await), (3, 3));
    assert_eq!(shop.admin().json("audit list --action dead-letter.").await["items"], json!([]));

    shop.admin().run(discard).await.ends(0).says("2 of 2 discarded");
    assert_eq!((open("orders").await, open("console").await), (1, 3));
    let left = shop.letter("orders", &third).await;
    assert!(text(&left["reason"]).contains("eaten"), "{left:#}");
    shop.admin().run("dlq replay --all").await.ends(1).says("4 of 4 still cannot be applied");
    shop.admin().run("dlq discard --all").await.ends(0).says("4 of 4 discarded");
    assert_eq!((open("orders").await, open("console").await), (0, 0));
    assert_eq!(shop.letters("orders", "discarded", &first).await.len(), 1);
    let letter = text(&shop.letters("orders", "discarded", &first).await[0]["id"]);
    // By orders and by console: what neither can read is the same dead letter.
    shop.is_audited("dead-letter.discard", &letter, 2).await;
    shop.admin().run("audit verify").await.ends(0);
    // Nobody else may do that, and what does not exist is not found.
    shop.seller().refused(1, "dlq list").await.says("(forbidden)").writes_nothing();
    shop.admin().refused(1, &format!("dlq replay {first}")).await.says("no service has a dead letter");
    shop.admin().refused(2, "dlq replay").await.writes_nothing();
}

#[tokio::test]
async fn what_is_only_impossible_for_the_moment_never_lands_there() {
    let shop = Cluster::start();
    let product = shop.product(10).await;
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(shop.order(&product, 1).await);
    }
    shop.chaos("set db-refused --for 4s --service inventory").await;
    shop.chaos("set db-refused --for 4s --service payments").await;
    for order in &orders {
        shop.seller().run(&format!("order confirm {order}")).await.ends(0);
    }
    let bitten = async || {
        let list = shop.admin().json("chaos list").await;
        let bites = list["bites"].as_array().unwrap().clone();
        let of_inventory = |there: &&Value| there["service"] == "inventory" && there["name"] == "db-refused";
        (bites.iter().find(of_inventory)?["bites"].as_u64()? > 0).then_some(())
    };
    eventually("the database has refused something", bitten).await;
    for order in &orders {
        shop.is_at_last(order, ["CONFIRMED", "HELD", "OPEN"]).await;
    }
    for status in ["open", "replayed", "discarded"] {
        let list = shop.admin().json(&format!("dlq list --status {status}")).await;
        assert_eq!(list["items"], json!([]), "{status}");
    }
    // It has ended by itself, and one still sees that it has bitten.
    let list = shop.admin().json("chaos list").await;
    assert_eq!(list["faults"], json!([]), "{list:#}");
    let read = shop.admin().run("chaos list").await.ends(0).out;
    assert!(read.contains("nothing is broken on purpose") && read.contains("db-refused"), "{read}");
}
