//! The end of a reservation, and the money that comes after it.

use orderflow_contracts::{
    api::inventory::ReservationStatus,
    events::{OrderEvent, topics},
};
use orderflow_inventory::Settings;
use orderflow_testing::eventually;
use serde_json::json;
use uuid::Uuid;

use crate::world::{MINUTE_MS, World};

#[tokio::test]
async fn what_nobody_has_paid_for_in_time_is_free_again() {
    let world = World::start().await;
    let product = world.product(2).await;
    let (idle, paid) = (world.held(product).await, world.held(product).await);
    world.tell(paid, &OrderEvent::Paid).await;
    world.wait_for(paid, ReservationStatus::Allocated).await;
    // The end has come, and the grace for those who began to pay in time has not passed.
    world.move_clock(30 * MINUTE_MS).await;
    world.asked(&[(product, 1)], ReservationStatus::Refused).await;
    assert_eq!(world.show(idle).await.unwrap().status, ReservationStatus::Held);
    world.move_clock(31 * MINUTE_MS).await;
    let expired = world.wait_for(idle, ReservationStatus::Expired).await;
    assert_eq!((expired.expires_at, world.level(product).await), (None, (2, 1)));
    let told = world.published(topics::INVENTORY, idle, 2).await.remove(1);
    assert_eq!(told.event_type(), "inventory.reservation_expired");
    assert_eq!(told.headers["ce_correlationid"], "test", "it belongs to what the order began with");
    assert!(!told.headers.contains_key("ce_causationid"), "nobody has asked for it");
    assert_eq!(world.show(paid).await.unwrap().status, ReservationStatus::Allocated, "it has no end");
    world.held(product).await;
}

#[tokio::test]
async fn money_that_comes_too_late_still_gets_stock_that_is_there() {
    let world = World::start().await;
    let product = world.product(1).await;
    let order = world.held(product).await;
    world.move_clock(31 * MINUTE_MS).await;
    world.wait_for(order, ReservationStatus::Expired).await;
    world.tell(order, &OrderEvent::Paid).await;
    world.wait_for(order, ReservationStatus::Allocated).await;
    assert_eq!(world.level(product).await, (1, 1));
    assert_eq!(world.told(order, 3).await[2], "inventory.allocated");
    // It ends no more, however late it gets.
    world.move_clock(300 * MINUTE_MS).await;
    world.tell(order, &OrderEvent::Fulfilled).await;
    world.wait_for(order, ReservationStatus::Committed).await;
    assert_eq!(world.level(product).await, (0, 0));
}

#[tokio::test]
async fn money_that_comes_too_late_gets_nothing_that_another_has() {
    let world = World::start().await;
    let product = world.product(1).await;
    let late = world.held(product).await;
    world.move_clock(31 * MINUTE_MS).await;
    world.wait_for(late, ReservationStatus::Expired).await;
    let lucky = world.held(product).await;
    world.tell(late, &OrderEvent::Paid).await;
    world.wait_for(late, ReservationStatus::Lost).await;
    let failed = world.published(topics::INVENTORY, late, 3).await.remove(2);
    assert_eq!(failed.event_type(), "inventory.allocation_failed");
    assert_eq!(failed.value["shortages"], json!([{ "product_id": product, "wanted": 1, "available": 0 }]));
    world.tell(lucky, &OrderEvent::Paid).await;
    world.wait_for(lucky, ReservationStatus::Allocated).await;
    assert_eq!(world.level(product).await, (1, 1));
}

#[tokio::test]
async fn a_hold_ends_by_itself_and_with_two_services_once() {
    let world = World::start_with(Settings { hold_ms: 300, expiry_grace_ms: 100 }).await;
    let _second = world.replica().await;
    let product = world.product(9).await;
    let orders = [world.held(product).await, world.held(product).await, world.held(product).await];
    for order in orders {
        world.wait_for(order, ReservationStatus::Expired).await;
        assert_eq!(world.told(order, 2).await, ["inventory.reserved", "inventory.reservation_expired"]);
    }
    assert_eq!(world.level(product).await, (9, 0));
    assert_eq!(world.database.count("select count(*) from stock_ledger where kind = 'released'").await, 3);
}

#[tokio::test]
async fn one_that_cannot_be_read_does_not_keep_the_others_from_ending() {
    let world = World::start().await;
    let product = world.product(9).await;
    let (bad, good) = (world.held(product).await, world.held(product).await);
    let set = async |lines: &'static str| {
        let set = sqlx::query("update reservations set lines = $2::jsonb where order_id = $1").bind(Uuid::from(bad));
        assert_eq!(set.bind(lines).execute(world.database.pool()).await.unwrap().rows_affected(), 1);
    };
    let lines: String = sqlx::query_scalar("select lines::text from reservations where order_id = $1")
        .bind(Uuid::from(bad))
        .fetch_one(world.database.pool())
        .await
        .unwrap();
    set("\"nonsense\"").await;
    world.move_clock(31 * MINUTE_MS).await;
    world.wait_for(good, ReservationStatus::Expired).await;
    let told = async || Some(world.admin().get("/v1/unreadable").await.body).filter(|rows| rows != &json!([]));
    let rows = eventually("it is told of", told).await;
    assert_eq!((&rows[0]["table"], &rows[0]["key"]), (&json!("reservations"), &json!(bad.to_string())));

    set(lines.leak()).await;
    world.wait_for(bad, ReservationStatus::Expired).await;
    assert_eq!(world.level(product).await, (9, 0));
}
