//! `orderflow why`: what an order waits for, named truly, whatever it is. As text, as JSON and as a diagram.

use orderflow_testing::eventually;
use serde_json::Value;

use crate::{
    cluster::Cluster,
    poison::Told,
    shop::{Stage, text},
};

impl Cluster {
    async fn why(&self, order: &str) -> Value {
        self.admin().json(&format!("why {order}")).await
    }

    /// Waits until something of this kind is in the way of an order, and says so with these words; what stands there.
    async fn is_blocked(&self, order: &str, kind: &str, words: &[&str]) -> Value {
        let mut last = Value::Null;
        let found = async || {
            last = self.why(order).await["blocked_by"].clone();
            let blocks = last.as_array().unwrap().iter();
            let mut blocks = blocks.filter(|block| block["kind"] == kind);
            blocks.find(|block| words.iter().all(|word| text(&block["what"]).contains(word))).cloned()
        };
        eventually(&format!("{kind} {words:?} is in the way of {order}"), found).await
    }

    /// What is written for people, and the diagram; the diagram has to be one.
    async fn told(&self, order: &str) -> [String; 2] {
        let read = self.admin().run(&format!("why {order}")).await.ends(0).out;
        let diagram = self.admin().run(&format!("why {order} --mermaid")).await.ends(0).out;
        assert_is_a_diagram(&diagram);
        [read, diagram]
    }
}

/// Whether each line is a statement of Mermaid's sequence diagrams, about somebody who is there.
fn assert_is_a_diagram(diagram: &str) {
    let mut lines = diagram.lines().map(str::trim);
    assert_eq!(lines.next(), Some("sequenceDiagram"), "{diagram}");
    let (mut people, mut arrows) = (Vec::new(), 0);
    for line in lines.filter(|line| !line.is_empty() && *line != "autonumber") {
        if let Some(name) = line.strip_prefix("participant ").or_else(|| line.strip_prefix("actor ")) {
            people.push(name);
            continue;
        }
        let (head, said) = line.split_once(": ").unwrap_or_else(|| panic!("says nothing: {line:?}\n{diagram}"));
        let ends: Vec<&str> = match head.strip_prefix("Note over ") {
            Some(who) => vec![who],
            None => {
                arrows += 1;
                let arrow = ["-->>", "->>", "-x"].into_iter().find(|arrow| head.contains(arrow));
                let arrow = arrow.unwrap_or_else(|| panic!("no statement: {line:?}\n{diagram}"));
                head.split(arrow).collect()
            }
        };
        assert!(ends.iter().all(|who| people.contains(who)), "nobody of that name: {line:?}\n{diagram}");
        assert!(!said.contains([';', '#', '<', '>']), "it would end the statement: {line:?}\n{diagram}");
    }
    assert!(people.len() >= 5 && arrows > 0, "{diagram}");
}

fn kinds(why: &Value) -> Vec<String> {
    why["blocked_by"].as_array().unwrap().iter().map(|block| text(&block["kind"])).collect()
}

#[tokio::test]
async fn an_order_waits_for_its_seller_and_then_for_its_customer() {
    let shop = Cluster::shared();
    let product = shop.product(5).await;
    let order = shop.order(&product, 1).await;
    shop.is_blocked(&order, "person", &["the seller has not confirmed"]).await;
    let why = shop.why(&order).await;
    assert_eq!((&why["status"], &why["turns"][0]["who"]), (&"PENDING".into(), &"seller".into()), "{why:#}");
    assert_eq!(why["over"], false);
    let [read, diagram] = shop.told(&order).await;
    assert!(read.contains("blocked by person: the seller has not confirmed"), "{read}");
    assert!(diagram.contains("blocked: the seller has not confirmed"), "{diagram}");

    shop.bring(&order, Stage::Pending, Stage::Confirmed).await;
    let block = shop.is_blocked(&order, "person", &["the customer has not paid", "expires in 29m"]).await;
    assert_eq!(block["who"], "customer");
    let why = shop.why(&order).await;
    assert_eq!(kinds(&why), ["person"], "{why:#}");
    assert!(why["turns"][0]["until"].is_string(), "{why:#}");
    let [read, diagram] = shop.told(&order).await;
    assert!(read.contains("blocked by person: the customer has not paid; the reservation expires in 29m"), "{read}");
    assert!(diagram.contains("customer->>orders: orders") && diagram.contains("Note over customer"), "{diagram}");
    // Who is not an admin is told so, and sees whose turn it is all the same.
    let seen = shop.customer().json(&format!("why {order}")).await;
    assert!(seen["notes"].to_string().contains("for admins") && kinds(&seen) == ["person"], "{seen:#}");
    shop.customer().refused(1, "why 01a20361-8d41-71b4-a5b0-87d09def5878").await.says("(not_found)").writes_nothing();
}

#[tokio::test]
async fn an_event_that_is_not_published_and_one_that_is_not_applied_are_named() {
    let shop = Cluster::start();
    let product = shop.product(10).await;
    shop.chaos("set relay-paused --service inventory").await;
    let order = shop.order(&product, 1).await;
    shop.seller().run(&format!("order confirm {order}")).await.ends(0);
    let waits = ["inventory.reserved waits in the outbox of inventory"];
    let block = shop.is_blocked(&order, "unpublished", &waits).await;
    assert_eq!(block["who"], "inventory");
    let rows = shop.admin().json("outbox list --pending --service inventory").await;
    let rows = rows["items"].as_array().unwrap().iter();
    let row = rows.into_iter().find(|row| row["event_id"] == block["event_id"]).expect("the row that is named");
    assert_eq!((&row["subject"], &row["type"]), (&order.as_str().into(), &"inventory.reserved".into()));
    let [read, diagram] = shop.told(&order).await;
    assert!(read.contains("unpublished: inventory.reserved") && read.contains("not published"), "{read}");
    assert!(diagram.contains("inventory-xorders: inventory.reserved"), "{diagram}");
    shop.chaos("clear").await;
    shop.is_at_last(&order, ["CONFIRMED", "HELD", "OPEN"]).await;

    shop.chaos("set consumer-paused --service inventory").await;
    let order = shop.order(&product, 1).await;
    shop.seller().run(&format!("order confirm {order}")).await.ends(0);
    let lags = ["order.confirmation_requested", "is published and not yet applied by inventory"];
    let block = shop.is_blocked(&order, "not_applied", &lags).await;
    assert!(block["for_ms"].as_i64() >= Some(0) && block["who"] == "inventory", "{block:#}");
    let [read, diagram] = shop.told(&order).await;
    assert!(
        read.contains("not applied: order.confirmation_requested") && read.contains("→ inventory not yet"),
        "{read}"
    );
    assert!(diagram.contains("blocked: order.confirmation_requested"), "{diagram}");
    shop.chaos("clear").await;
    shop.is_at_last(&order, ["CONFIRMED", "HELD", "OPEN"]).await;
}

#[tokio::test]
async fn what_is_down_or_cut_off_is_named_and_so_is_a_charge_that_is_asked_for_again() {
    let shop = Cluster::start();
    let product = shop.product(10).await;
    let order = shop.order(&product, 1).await;
    shop.chaos("pause inventory").await;
    shop.seller().run(&format!("order confirm {order}")).await.ends(0);
    shop.is_blocked(&order, "service_down", &["inventory is paused"]).await;
    let [read, diagram] = shop.told(&order).await;
    assert!(read.contains("service down: inventory is paused"), "{read}");
    assert!(diagram.contains("Note over inventory: blocked: inventory is paused"), "{diagram}");
    shop.chaos("clear").await;
    shop.is_at_last(&order, ["CONFIRMED", "HELD", "OPEN"]).await;

    shop.chaos("cut payments --from provider").await;
    shop.customer().run(&format!("order pay {order} --token tok_visa")).await.ends(0);
    shop.is_blocked(&order, "cut_off", &["payments is cut off from provider"]).await;
    shop.chaos("clear").await;
    shop.is_at_last(&order, ["PAID", "ALLOCATED", "SUCCEEDED"]).await;

    let order = shop.order_at(Stage::Confirmed, &product, 1).await;
    shop.chaos("set provider-timeout").await;
    shop.customer().run(&format!("order pay {order} --token tok_visa")).await.ends(0);
    // It is charged, and its answer never comes; with the line cut nobody can find out.
    let charged = async || (shop.charges(&order).await.len() == 1).then_some(());
    eventually("it is charged", charged).await;
    shop.chaos("cut payments --from provider").await;
    let asked = ["the provider was asked", "without an answer", "with the same key"];
    let block = shop.is_blocked(&order, "provider_call", &asked).await;
    assert_eq!(block["who"], "provider");
    assert_eq!(shop.why(&order).await["stands"], "is being paid");
    let [read, diagram] = shop.told(&order).await;
    assert!(read.contains("provider call: the provider was asked"), "{read}");
    assert!(diagram.contains("blocked: the provider was asked"), "{diagram}");
    shop.chaos("clear").await;
    shop.is_at_last(&order, ["PAID", "ALLOCATED", "SUCCEEDED"]).await;
    assert_eq!(shop.charges(&order).await.len(), 1);
}

#[tokio::test]
async fn a_dead_letter_about_the_order_is_named_until_somebody_has_decided() {
    let shop = Cluster::shared();
    let product = shop.product(5).await;
    let order = shop.order(&product, 1).await;
    let poison = Told::new(&order, "inventory.reserved", "{}");
    poison.send(shop).await;
    let letter = text(&shop.letter("orders", &order).await["id"]);
    let block = shop.is_blocked(&order, "dead_letter", &["dead letter of orders", &letter, "expires_at"]).await;
    assert_eq!((&block["who"], &block["event_id"]), (&"orders".into(), &poison.id.as_str().into()));
    let [read, diagram] = shop.told(&order).await;
    assert!(read.contains("dead letter: inventory.reserved is a dead letter of orders"), "{read}");
    assert!(diagram.contains("Note over orders: blocked: inventory.reserved is a dead letter"), "{diagram}");
    for service in ["orders", "console"] {
        let letter = text(&shop.letter(service, &order).await["id"]);
        shop.admin().json(&format!("dlq discard {letter} --service {service}")).await;
    }
    assert_eq!(kinds(&shop.why(&order).await), ["person"]);
}

#[tokio::test]
async fn of_a_finished_order_each_hop_has_its_times_with_duplicates_and_restarts() {
    let shop = Cluster::start();
    let product = shop.product(10).await;
    shop.chaos("set deliver-twice --service inventory").await;
    let order = shop.order_at(Stage::Confirmed, &product, 1).await;
    shop.chaos("kill payments").await;
    let is_back = async || {
        let status = shop.anybody().run_with("status", "").await.document();
        let all = status["processes"].as_array().unwrap().iter();
        let restarts = all.clone().find(|process| process["name"] == "payments")?["restarts"].as_u64()?;
        (restarts > 0 && status["healthy"] == true).then_some(())
    };
    eventually("payments is back", is_back).await;
    shop.bring(&order, Stage::Confirmed, Stage::Fulfilled).await;
    let all_heard = async || {
        let why = shop.why(&order).await;
        let hops = why["hops"].as_array().unwrap().clone();
        let heard = |hop: &Value| hop["consumers"].as_array().unwrap().iter().all(|one| one["kafka_ms"].is_number());
        hops.iter().all(|hop| hop["outbox_ms"].is_number() && heard(hop)).then_some((why, hops))
    };
    let (why, hops) = eventually("everybody has heard everything", all_heard).await;
    assert_eq!((&why["over"], kinds(&why)), (&true.into(), vec![]), "{why:#}");
    let events: Vec<_> = hops.iter().map(|hop| text(&hop["event"])).collect();
    for event in ["order.created", "inventory.reserved", "payment.succeeded", "inventory.committed"] {
        assert!(events.iter().any(|hop| hop == event), "{events:?}");
    }
    let reserved = hops.iter().find(|hop| hop["event"] == "inventory.reserved").unwrap();
    assert!(reserved["handler_ms"].is_number() && reserved["caused_by"].is_string(), "{reserved:#}");
    // Inventory was given it twice, and has made one thing of it.
    let asked = hops.iter().find(|hop| hop["event"] == "order.confirmation_requested").unwrap();
    assert!(asked["duplicates"].as_u64() >= Some(1), "{asked:#}");
    assert_eq!(events.iter().filter(|event| *event == "inventory.reserved").count(), 1);
    assert_eq!(why["restarts"]["payments"], 1, "{why:#}");
    let [read, diagram] = shop.told(&order).await;
    for words in
        ["waits for  nothing", "outbox ", "decided in ", "→ inventory ", " times again", "restarts: payments 1"]
    {
        assert!(read.contains(words), "not said: {words}\n{read}");
    }
    for words in ["duplicates passed over", "Kafka ", "customer->>payments: pays", "seller->>orders: ships"] {
        assert!(diagram.contains(words), "not said: {words}\n{diagram}");
    }
}
