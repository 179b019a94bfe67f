//! What an admin can do beside the business: faults, dead letters, the outbox.

use orderflow_contracts::{
    api::{
        console::Role,
        orders::{CreateLine, CreateOrder, Order, OrderStatus},
    },
    events::{InventoryEvent, topics},
    problem::Code,
};
use orderflow_testing::{Caller, eventually, new_account};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::World;

async fn set(admin: &Caller, fault: &str, set: Value) {
    let answer = admin.put(&format!("/v1/chaos/{fault}"), &set).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

async fn struck(admin: &Caller, fault: &str) -> u64 {
    let faults = admin.get("/v1/chaos").await.body;
    let found = faults.as_array().into_iter().flatten().find(|set| set["name"] == fault);
    found.and_then(|found| found["struck"].as_u64()).expect("the fault is set")
}

#[tokio::test]
async fn after_a_lost_commit_the_same_key_makes_one_order_whichever_way_it_went() {
    let world = World::start().await;
    let admin = world.by(new_account(Role::Admin));
    let body = CreateOrder { lines: vec![CreateLine { product_id: world.product().await, quantity: 1 }] };
    // Once the commit was done, once it was not; nobody can tell.
    for times in [1, 2] {
        set(&admin, "commit-lost", json!({ "times": times })).await;
        let customer = world.by(world.customer).with_key(&format!("key-{times}"));
        let (mut unknown, order) = (
            0,
            loop {
                let answer = customer.post("/v1/orders", &body).await;
                match answer.code() {
                    None => break answer.into::<Order>(),
                    Some(code) => assert_eq!(code, Code::OutcomeUnknown),
                }
            },
        );
        unknown += struck(&admin, "commit-lost").await;
        assert!((1..=times).contains(&unknown), "{unknown}");
        assert_eq!(customer.post("/v1/orders", &body).await.into::<Order>(), order);
    }
    assert_eq!(world.database.count("select count(*) from orders").await, 2);
}

#[tokio::test]
async fn a_refused_database_is_unavailable_and_changes_nothing_and_the_fault_can_be_taken_back() {
    let world = World::start().await;
    let admin = world.by(new_account(Role::Admin));
    let order = world.order().await;
    set(&admin, "db-refused", json!({})).await;
    let cancel = format!("/v1/orders/{}/cancel", order.id);
    let answer = world.by(world.customer).command(&cancel).await;
    assert_eq!((answer.code(), answer.status.as_u16()), (Some(Code::Unavailable), 503));
    let cleared = admin.call(Method::DELETE, "/v1/chaos/db-refused", None, vec![]).await;
    assert_eq!(cleared.status, 204);
    assert_eq!(world.show(order.id).await.version, 1);
    assert_eq!(world.by(world.customer).command(&cancel).await.status, 202);
}

#[tokio::test]
async fn faults_are_for_admins_and_make_sense() {
    let world = World::start().await;
    let admin = world.by(new_account(Role::Admin));
    for who in [world.customer, world.seller] {
        let answer = world.by(who).put("/v1/chaos/db-refused", &json!({})).await;
        assert_eq!(answer.code(), Some(Code::Forbidden));
        assert_eq!(world.by(who).get("/v1/dead-letters").await.code(), Some(Code::Forbidden));
        assert_eq!(world.by(who).get("/v1/outbox").await.code(), Some(Code::Forbidden));
    }
    for (fault, set, code) in [
        ("db-slow", json!({}), Code::ValidationFailed),
        ("db-refused", json!({ "percent": 101 }), Code::ValidationFailed),
        ("crash", json!({}), Code::ValidationFailed),
        ("payment-failure", json!({}), Code::ValidationFailed),
        ("eaten", json!({}), Code::NotFound),
    ] {
        let answer = admin.put(&format!("/v1/chaos/{fault}"), &set).await;
        assert_eq!(answer.code(), Some(code), "{fault}: {}", answer.body);
    }
    let out = admin.put("/v1/lab/inbox", &json!({ "disabled": true })).await;
    assert_eq!(out.code(), Some(Code::NotLocal), "patterns are taken out in a laboratory only");
}

#[tokio::test]
async fn events_that_come_twice_by_the_relay_and_late_change_nothing() {
    let world = World::start().await;
    let admin = world.by(new_account(Role::Admin));
    set(&admin, "relay-twice", json!({})).await;
    set(&admin, "deliver-twice", json!({})).await;
    set(&admin, "deliver-late", json!({ "ms": 5 })).await;
    let id = world.order().await.id;
    world.by(world.seller).command(&format!("/v1/orders/{id}/confirm")).await;
    world.kafka.tell(topics::INVENTORY, id, 1, &InventoryEvent::Reserved { expires_at: 4_000_000_000_000 }).await;
    world.wait_for(id, "confirmed", |order| order.status == OrderStatus::Confirmed).await;
    world.published(id, 3).await;
    for fault in ["relay-twice", "deliver-twice", "deliver-late"] {
        assert!(struck(&admin, fault).await > 0, "{fault}");
    }
    assert!(world.database.count("select sum(duplicates)::bigint from inbox").await > 0);
}

#[tokio::test]
async fn a_dead_letter_is_mended_and_applied_once() {
    let world = World::start().await;
    let admin = world.by(new_account(Role::Admin));
    let id = world.order().await.id;
    world.by(world.seller).command(&format!("/v1/orders/{id}/confirm")).await;
    let (key, event_id) = (id.to_string(), Uuid::now_v7().to_string());
    let headers = [
        ("ce_specversion", "1.0"),
        ("ce_id", event_id.as_str()),
        ("ce_source", "/orderflow/inventory"),
        ("ce_type", "inventory.reserved"),
        ("ce_subject", key.as_str()),
        ("ce_time", "2026-11-22T00:00:00Z"),
        ("ce_correlationid", "c"),
        ("ce_sequence", "1"),
    ];
    world.kafka.send(topics::INVENTORY, &key, &headers, b"{}").await;
    let open = async || admin.get("/v1/dead-letters?status=open").await.body["items"].as_array()?.first().cloned();
    let letter = eventually("the dead letter", open).await;
    let path = format!("/v1/dead-letters/{}", letter["id"].as_str().unwrap());
    let still = admin.command(&format!("{path}/replay")).await.body;
    assert_eq!(still["status"], "open");
    assert!(still["reason"].as_str().unwrap().contains("expires_at"), "{still}");
    let mended = admin.patch(&path, &json!({ "payload": { "expires_at": 4_000_000_000_000_i64 } })).await;
    assert_eq!(mended.status, 200, "{}", mended.body);
    assert_eq!(admin.command(&format!("{path}/replay")).await.body["status"], "replayed");
    assert_eq!(world.show(id).await.status, OrderStatus::Confirmed);
    assert_eq!(admin.command(&format!("{path}/replay")).await.body["status"], "replayed", "nothing is done again");
    assert_eq!(admin.command(&format!("{path}/discard")).await.code(), Some(Code::IllegalTransition));
    world.published(id, 3).await;
    // The same event, coming once more by Kafka, is known.
    let again = InventoryEvent::Reserved { expires_at: 4_000_000_000_000 };
    world.kafka.tell_as(event_id.parse().unwrap(), topics::INVENTORY, id, 1, &again).await;
    let known = async || (world.database.count("select sum(duplicates)::bigint from inbox").await == 1).then_some(());
    eventually("it is known", known).await;
}

#[tokio::test]
async fn what_is_about_one_order_is_found_without_reading_all() {
    let world = World::start().await;
    let admin = world.by(new_account(Role::Admin));
    let (one, other) = (world.order().await.id, world.order().await.id);
    world.by(world.seller).command(&format!("/v1/orders/{one}/confirm")).await;
    let rows = admin.get(&format!("/v1/outbox?subject={one}")).await.body["items"].clone();
    let types: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["type"].clone()).collect();
    assert_eq!(types, ["order.created", "order.confirmation_requested"]);
    let first = admin.get(&format!("/v1/outbox?subject={one}&limit=1")).await.body;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = admin.get(&format!("/v1/outbox?subject={one}&limit=1&cursor={cursor}")).await.body;
    assert_eq!((&second["items"][0]["event_id"], &second["next_cursor"]), (&rows[1]["event_id"], &Value::Null));
    let told = InventoryEvent::Reserved { expires_at: 4_000_000_000_000 };
    let heard = world.kafka.tell(topics::INVENTORY, one, 1, &told).await;
    world.wait_for(one, "confirmed", |order| order.status == OrderStatus::Confirmed).await;
    let unknown = Uuid::now_v7();
    let inbox = admin.get(&format!("/v1/inbox?event_ids={unknown},{heard}")).await.body;
    let ids: Vec<_> = inbox["items"].as_array().unwrap().iter().map(|row| row["event_id"].clone()).collect();
    assert_eq!(ids, [heard.to_string()]);
    let many = vec![unknown.to_string(); 201].join(",");
    for wrong in ["", "x", &many] {
        let answer = admin.get(&format!("/v1/inbox?event_ids={wrong}")).await;
        assert_eq!(answer.code(), Some(Code::ValidationFailed), "{wrong}");
    }
    for key in [one, other] {
        world.kafka.send(topics::INVENTORY, &key.to_string(), &[], b"poison").await;
    }
    let both = async || (world.database.count("select count(*) from dead_letters").await == 2).then_some(());
    eventually("two dead letters", both).await;
    let letters = admin.get(&format!("/v1/dead-letters?status=open&subject={other}")).await.body;
    let keys: Vec<_> = letters["items"].as_array().unwrap().iter().map(|letter| letter["key"].clone()).collect();
    assert_eq!(keys, [other.to_string()]);
}

#[tokio::test]
async fn how_often_a_fault_has_struck_is_known_after_it_was_taken_back_and_after_a_restart() {
    let mut world = World::start().await;
    let admin = world.by(new_account(Role::Admin));
    let bites = async |admin: &Caller| admin.get("/v1/chaos/bites").await.body;
    assert_eq!(bites(&admin).await, json!([]));
    let order = world.order().await;
    let cancel = format!("/v1/orders/{}/cancel", order.id);
    for _ in 0..2 {
        set(&admin, "db-refused", json!({ "times": 1 })).await;
        assert_eq!(world.by(world.customer).command(&cancel).await.code(), Some(Code::Unavailable));
        assert_eq!(admin.call(Method::DELETE, "/v1/chaos", None, vec![]).await.status, 204);
    }
    assert_eq!(admin.get("/v1/chaos").await.body, json!([]));
    assert_eq!(bites(&admin).await, json!([{ "name": "db-refused", "bites": 2 }]));
    let again = World::serve(&world.database, &world.kafka, &world.keys).await;
    std::mem::replace(&mut world.service, again).kill().await;
    let admin = world.by(new_account(Role::Admin));
    assert_eq!(bites(&admin).await, json!([{ "name": "db-refused", "bites": 2 }]));
    assert_eq!(world.by(world.customer).get("/v1/chaos/bites").await.code(), Some(Code::Forbidden));
}

#[tokio::test]
async fn what_was_published_can_be_published_again() {
    let world = World::start().await;
    let admin = world.by(new_account(Role::Admin));
    let id = world.order().await.id;
    world.published(id, 1).await;
    let marked = async || (world.database.count("select count(*) from outbox_pending").await == 0).then_some(());
    eventually("it is marked", marked).await;
    let replayed = admin.post("/v1/outbox/replay", &json!({ "subject": id })).await;
    assert_eq!(replayed.body["events"], 1);
    let twice = async || {
        let key = id.to_string();
        let records = world.kafka.read(topics::ORDERS).await;
        (records.iter().filter(|record| record.key == key).count() == 2).then_some(())
    };
    eventually("it is published again", twice).await;
    let rows = admin.get("/v1/outbox").await.body;
    assert_eq!((&rows["items"][0]["type"], &rows["items"][0]["sequence"]), (&json!("order.created"), &json!(1)));
}
