//! What the service does with the events of the orders service.

use std::sync::Arc;

use orderflow_contracts::{
    api::{
        Page,
        console::Role,
        inventory::{Reservation, ReservationLine, ReservationStatus},
    },
    events::{CancelReason, OrderEvent, topics},
    ids::EventId,
};
use orderflow_testing::{Caller, eventually, new_account};
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::world::{MINUTE_MS, World, new_order};

const CANCELLED: OrderEvent = OrderEvent::Cancelled { reason: CancelReason::ByCustomer };

#[tokio::test]
async fn all_lines_are_held_or_none() {
    let world = World::start().await;
    let (plenty, few, nothing) = (world.product(5).await, world.product(1).await, Uuid::now_v7().into());
    let order = world.asked(&[(plenty, 2), (few, 2), (nothing, 1)], ReservationStatus::Refused).await;
    assert_eq!((world.level(plenty).await, world.level(few).await), ((5, 0), (1, 0)));
    let failed = world.published(topics::INVENTORY, order, 1).await.remove(0);
    assert_eq!(failed.event_type(), "inventory.reservation_failed");
    let mut shortages = vec![
        json!({ "product_id": few, "wanted": 2, "available": 1 }),
        json!({ "product_id": nothing, "wanted": 1, "available": 0 }),
    ];
    shortages.sort_by_key(|shortage| shortage["product_id"].to_string());
    assert_eq!(failed.value["shortages"], json!(shortages));

    // The same product on two lines counts twice.
    let order = world.asked(&[(plenty, 3), (plenty, 3)], ReservationStatus::Refused).await;
    assert_eq!(world.show(order).await.unwrap().lines, [ReservationLine { product_id: plenty, quantity: 6 }]);
    let order = world.asked(&[(plenty, 3), (few, 1), (plenty, 2)], ReservationStatus::Held).await;
    assert_eq!((world.level(plenty).await, world.level(few).await), ((5, 5), (1, 1)));
    assert_eq!(world.told(order, 1).await, ["inventory.reserved"]);
    let shown = world.show(order).await.unwrap();
    assert_eq!(shown.lines.iter().map(|line| line.quantity).sum::<u32>(), 6);
    let expires = shown.expires_at.unwrap();
    assert_eq!(expires.0 - shown.created_at.0, 30 * MINUTE_MS);
}

#[tokio::test]
async fn of_fifty_orders_for_the_last_piece_one_gets_it() {
    let world = Arc::new(World::start().await);
    let second = world.replica().await;
    for url in [world.service.url(), second.url()] {
        let service = Caller::new(url, None);
        let ready = async || service.get("/health/ready").await.status.is_success().then_some(());
        eventually("it has its partitions", ready).await;
    }
    let product = world.product(1).await;
    // Both services are kept waiting for the product, so that both decide about it at the same time.
    let mut kept = world.database.pool().begin().await.unwrap();
    sqlx::query("select from products for update").execute(&mut *kept).await.unwrap();
    let mut sent = JoinSet::new();
    for _ in 0..50 {
        let world = Arc::clone(&world);
        sent.spawn(async move { world.tell(new_order(), &world.request(&[(product, 1)])).await });
    }
    sent.join_all().await;
    let waiting =
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    let both = async || (world.database.count(waiting).await == 2).then_some(());
    eventually("both wait", both).await;
    kept.rollback().await.unwrap();
    let decided = async || (world.database.count("select count(*) from reservations").await == 50).then_some(());
    eventually("all were decided", decided).await;
    let of = async |status: &str| {
        let page: Page<Reservation> =
            world.by(world.seller).get(&format!("/v1/reservations?limit=200&status={status}")).await.into();
        page.items.len()
    };
    assert_eq!((of("HELD").await, of("REFUSED").await), (1, 49));
    assert_eq!(world.level(product).await, (1, 1));
    let all = async || {
        let records = world.kafka.read(topics::INVENTORY).await;
        (records.len() >= 50).then(|| records.iter().filter(|r| r.event_type() == "inventory.reserved").count())
    };
    assert_eq!(eventually("all was told", all).await, 1);
}

#[tokio::test]
async fn a_paid_order_keeps_its_stock_and_a_shipped_one_takes_it_away() {
    let world = World::start().await;
    let product = world.product(5).await;
    let order = world.asked(&[(product, 2)], ReservationStatus::Held).await;
    // Nothing is shipped that is not paid.
    world.tell(order, &OrderEvent::Fulfilled).await;
    world.tell(order, &OrderEvent::Paid).await;
    assert_eq!(world.wait_for(order, ReservationStatus::Allocated).await.expires_at, None);
    assert_eq!(world.level(product).await, (5, 2));
    world.tell(order, &OrderEvent::Fulfilled).await;
    world.wait_for(order, ReservationStatus::Committed).await;
    assert_eq!(world.level(product).await, (3, 0));
    assert_eq!(world.told(order, 3).await, ["inventory.reserved", "inventory.allocated", "inventory.committed"]);
    let records = world.published(topics::INVENTORY, order, 3).await;
    assert!(records.iter().all(|record| record.headers["ce_correlationid"] == "test"));
    assert!(records.iter().all(|record| record.headers.contains_key("ce_causationid")));
}

#[tokio::test]
async fn a_cancellation_gives_back_once_what_was_held() {
    let world = World::start().await;
    let cancel = async |order| {
        world.tell(order, &CANCELLED).await;
        world.tell(order, &CANCELLED).await;
        world.settled().await;
        world.show(order).await.unwrap().status
    };
    let product = world.product(5).await;
    let held = world.held(product).await;
    assert_eq!(cancel(held).await, ReservationStatus::Released);
    assert_eq!(world.told(held, 2).await, ["inventory.reserved", "inventory.released"]);

    let allocated = world.held(product).await;
    world.tell(allocated, &OrderEvent::Paid).await;
    assert_eq!(cancel(allocated).await, ReservationStatus::Released);
    assert_eq!(world.told(allocated, 3).await[2], "inventory.released");

    let refused = world.asked(&[(product, 6)], ReservationStatus::Refused).await;
    assert_eq!(cancel(refused).await, ReservationStatus::Refused);
    world.told(refused, 1).await;

    let committed = world.held(product).await;
    world.tell(committed, &OrderEvent::Paid).await;
    world.tell(committed, &OrderEvent::Fulfilled).await;
    assert_eq!(cancel(committed).await, ReservationStatus::Committed);
    world.told(committed, 3).await;

    let expired = world.held(product).await;
    world.move_clock(31 * MINUTE_MS).await;
    world.wait_for(expired, ReservationStatus::Expired).await;
    assert_eq!(cancel(expired).await, ReservationStatus::Released);
    world.told(expired, 3).await;
    assert_eq!(world.level(product).await, (4, 0));
}

#[tokio::test]
async fn a_reserve_that_comes_after_the_cancellation_gets_nothing() {
    let world = World::start().await;
    let (product, order) = (world.product(1).await, new_order());
    world.tell(order, &CANCELLED).await;
    world.wait_for(order, ReservationStatus::Released).await;
    world.tell(order, &world.request(&[(product, 1)])).await;
    world.tell(order, &OrderEvent::Paid).await;
    world.settled().await;
    let tombstone = world.show(order).await.unwrap();
    assert_eq!((tombstone.status, tombstone.lines), (ReservationStatus::Released, vec![]));
    assert_eq!(world.level(product).await, (1, 0));
    // Behind it comes another order, of which something is said.
    let other = world.held(product).await;
    world.told(other, 1).await;
    world.told(order, 0).await;
}

#[tokio::test]
async fn every_event_delivered_three_times_changes_nothing_more() {
    let world = World::start().await;
    let (product, shipped, cancelled) = (world.product(9).await, new_order(), new_order());
    let request = world.request(&[(product, 2)]);
    for (order, events) in [
        (shipped, [&request, &OrderEvent::Paid, &OrderEvent::Fulfilled]),
        (cancelled, [&request, &OrderEvent::Paid, &CANCELLED]),
    ] {
        for event in events {
            let id = EventId::from(Uuid::new_v4());
            world.kafka.tell_as(id, topics::ORDERS, order, 1, event).await;
            world.kafka.tell_as(id, topics::ORDERS, order, 1, event).await;
            world.tell(order, event).await;
        }
    }
    world.settled().await;
    assert_eq!(world.show(shipped).await.unwrap().status, ReservationStatus::Committed);
    assert_eq!(world.show(cancelled).await.unwrap().status, ReservationStatus::Released);
    assert_eq!(world.level(product).await, (7, 0));
    assert_eq!(world.told(shipped, 3).await.len() + world.told(cancelled, 3).await.len(), 6);
    assert_eq!(world.database.count("select count(*) from stock_ledger").await, 5);
    assert_eq!(world.database.count("select sum(duplicates)::bigint from inbox").await, 6);
}

#[tokio::test]
async fn reservations_are_shown_to_those_whom_they_concern() {
    let world = World::start().await;
    let product = world.product(5).await;
    let orders = [world.held(product).await, world.held(product).await, world.held(product).await];
    world.tell(orders[1], &OrderEvent::Paid).await;
    world.wait_for(orders[1], ReservationStatus::Allocated).await;
    let tombstone = new_order();
    world.tell(tombstone, &CANCELLED).await;
    world.wait_for(tombstone, ReservationStatus::Released).await;
    let list = async |who, query: &str| {
        let page: Page<Reservation> = world.by(who).get(&format!("/v1/reservations?{query}")).await.into();
        (page.items.into_iter().map(|reservation| reservation.order_id).collect::<Vec<_>>(), page.next_cursor)
    };
    let admin = new_account(Role::Admin);
    for who in [world.customer, world.seller] {
        let (first, cursor) = list(who, "limit=2").await;
        let (second, end) = list(who, &format!("limit=2&cursor={}", cursor.unwrap())).await;
        assert_eq!([first, second].concat(), [orders[2], orders[1], orders[0]]);
        assert_eq!(end, None);
        assert_eq!(list(who, "status=ALLOCATED").await.0, [orders[1]]);
        let path = format!("/v1/reservations/{tombstone}");
        assert_eq!(world.by(who).get(&path).await.status, 404, "nobody knows yet whose it is");
    }
    assert_eq!(list(admin, "").await.0.len(), 4);
    for stranger in [new_account(Role::Customer), new_account(Role::Seller)] {
        assert!(list(stranger, "").await.0.is_empty());
        assert_eq!(world.by(stranger).get(&format!("/v1/reservations/{}", orders[0])).await.status, 404);
    }
}

#[tokio::test]
async fn a_service_that_is_killed_goes_on_where_it_was() {
    let mut world = World::start().await;
    let product = world.product(5).await;
    let order = world.held(product).await;
    let next = world.replica().await;
    std::mem::replace(&mut world.service, next).kill().await;
    world.tell(order, &OrderEvent::Paid).await;
    world.tell(order, &OrderEvent::Fulfilled).await;
    world.wait_for(order, ReservationStatus::Committed).await;
    world.told(order, 3).await;
    assert_eq!(world.level(product).await, (4, 0));
}
