//! What the service does with the events of the others.

use orderflow_contracts::{
    api::orders::{OrderPaymentStatus, OrderReservationStatus, OrderStatus},
    events::{CancelReason, CatalogEvent, InventoryEvent, PaymentEvent, topics},
    ids::{EventId, OrderId},
};
use orderflow_testing::eventually;
use serde_json::json;
use uuid::Uuid;

use crate::world::{PRICE, World};

const RESERVED: InventoryEvent = InventoryEvent::Reserved { expires_at: 4_000_000_000_000 };

fn succeeded() -> PaymentEvent {
    PaymentEvent::Succeeded { charge_id: "ch_1".to_owned() }
}

/// A confirmed order: the seller said yes, inventory holds the stock.
async fn confirmed(world: &World) -> OrderId {
    let id = world.order().await.id;
    let answer = world.by(world.seller).command(&format!("/v1/orders/{id}/confirm")).await;
    assert_eq!(answer.status, 202);
    world.kafka.tell(topics::INVENTORY, id, 1, &RESERVED).await;
    world.wait_for(id, "confirmed", |order| order.status == OrderStatus::Confirmed).await.id
}

#[tokio::test]
async fn an_order_goes_all_the_way_and_tells_of_it() {
    let world = World::start().await;
    let id = confirmed(&world).await;
    let opened = PaymentEvent::Opened { amount: PRICE, pay_until: 4_000_000_000_000 };
    world.kafka.tell(topics::PAYMENTS, id, 1, &opened).await;
    let order = world.wait_for(id, "payable", |order| order.payment.status == OrderPaymentStatus::Open).await;
    assert_eq!(order.payment.link, Some(format!("http://payments/v1/payments/{id}")));
    assert_eq!(order.reservation.expires_at.unwrap().0, 4_000_000_000_000);
    world.kafka.tell(topics::PAYMENTS, id, 2, &succeeded()).await;
    world.wait_for(id, "paid", |order| order.status == OrderStatus::Paid).await;
    world.kafka.tell(topics::INVENTORY, id, 2, &InventoryEvent::Allocated).await;
    world.wait_for(id, "allocated", |order| order.reservation.status == OrderReservationStatus::Allocated).await;
    let answer = world.by(world.seller).command(&format!("/v1/orders/{id}/fulfill")).await;
    assert_eq!((answer.status.as_u16(), &answer.body["status"]), (202, &json!("FULFILLED")));
    world.kafka.tell(topics::INVENTORY, id, 3, &InventoryEvent::Committed).await;
    world.wait_for(id, "committed", |order| order.reservation.status == OrderReservationStatus::Committed).await;

    let records = world.published(id, 5).await;
    let types: Vec<_> = records.iter().map(orderflow_testing::Record::event_type).collect();
    let expected =
        ["order.created", "order.confirmation_requested", "order.confirmed", "order.paid", "order.fulfilled"];
    assert_eq!(types, expected);
    let sequences: Vec<_> = records.iter().map(|record| record.headers["ce_sequence"].as_str()).collect();
    assert_eq!(sequences, ["1", "2", "3", "4", "5"]);
    assert_eq!(records[2].headers["ce_correlationid"], "test", "what follows from an event belongs to it");
    assert!(records[2].headers.contains_key("ce_causationid") && !records[1].headers.contains_key("ce_causationid"));
}

#[tokio::test]
async fn every_event_delivered_twice_and_under_another_id_changes_nothing_more() {
    let world = World::start().await;
    let id = confirmed(&world).await;
    let again = EventId::from(Uuid::new_v4());
    for _ in 0..3 {
        world.kafka.tell_as(again, topics::INVENTORY, id, 1, &RESERVED).await;
        world.kafka.tell(topics::PAYMENTS, id, 1, &succeeded()).await;
        // Inventory allocates when it hears of that, and not before.
        world.wait_for(id, "paid", |order| order.status == OrderStatus::Paid).await;
        world.kafka.tell(topics::INVENTORY, id, 2, &InventoryEvent::Allocated).await;
    }
    let paid = |order: &orderflow_contracts::api::orders::Order| {
        (order.status, order.reservation.status) == (OrderStatus::Paid, OrderReservationStatus::Allocated)
    };
    world.wait_for(id, "paid and allocated", paid).await;
    // A marker behind all of them: when it is known, they were all handled.
    world.product().await;
    let all = async || {
        (world.database.count("select coalesce(sum(1 + duplicates), 0)::bigint from inbox").await >= 12).then_some(())
    };
    eventually("every record was handled", all).await;
    assert!(paid(&world.show(id).await));
    world.published(id, 4).await;
    assert_eq!(world.database.count("select coalesce(sum(duplicates), 0)::bigint from inbox").await, 2);
}

#[tokio::test]
async fn each_bad_end_has_its_reason() {
    let world = World::start().await;
    let shortages = vec![];
    for (event, reason) in [
        (InventoryEvent::ReservationExpired, CancelReason::Expired),
        (InventoryEvent::ReservationFailed { shortages }, CancelReason::OutOfStock),
    ] {
        let id = match reason {
            CancelReason::Expired => confirmed(&world).await,
            _ => {
                let id = world.order().await.id;
                world.by(world.seller).command(&format!("/v1/orders/{id}/confirm")).await;
                id
            }
        };
        world.kafka.tell(topics::INVENTORY, id, 9, &event).await;
        let order = world.wait_for(id, "cancelled", |order| order.status == OrderStatus::Cancelled).await;
        assert_eq!(order.cancel_reason, Some(reason));
    }
    let id = confirmed(&world).await;
    world.kafka.tell(topics::PAYMENTS, id, 1, &PaymentEvent::Failed { decline_code: "expired_card".into() }).await;
    let order = world.wait_for(id, "cancelled", |order| order.status == OrderStatus::Cancelled).await;
    assert_eq!(order.cancel_reason, Some(CancelReason::PaymentFailed));
}

#[tokio::test]
async fn what_makes_no_sense_is_dead_lettered_and_the_partition_goes_on() {
    let world = World::start().await;
    let id = confirmed(&world).await;
    world.kafka.send_nonsense(topics::PAYMENTS, &id.to_string(), "payment.succeeded", "{}").await;
    let nobodys = Uuid::now_v7();
    world.kafka.tell(topics::PAYMENTS, nobodys, 1, &succeeded()).await;
    // Behind all that, in the same partition as the first four.
    world.kafka.tell(topics::PAYMENTS, id, 1, &succeeded()).await;
    world.wait_for(id, "paid", |order| order.status == OrderStatus::Paid).await;

    let letters = world.kafka.nonsense_is_put_aside("orders.dead-letters", &["there is no order"]).await;
    assert_eq!(world.database.count("select count(*) from dead_letters").await, letters);
}

#[tokio::test]
async fn a_late_or_repeated_price_does_not_replace_a_newer_one() {
    let world = World::start().await;
    let product = world.product().await;
    let price = |minor| CatalogEvent::ProductChanged {
        seller_id: world.seller.account_id,
        name: "Test Widget".to_owned(),
        price: orderflow_contracts::money::Money::new(minor, orderflow_contracts::money::Currency::Usd),
    };
    world.kafka.tell(topics::CATALOG, product, 3, &price(300)).await;
    world.kafka.tell(topics::CATALOG, product, 2, &price(200)).await;
    let handled = async || (world.database.count("select count(*) from inbox").await == 3).then_some(());
    eventually("both were handled", handled).await;
    let entry = world.by(world.customer).get(&format!("/v1/catalog/{product}")).await;
    assert_eq!((&entry.body["price"]["minor"], &entry.body["version"]), (&json!(300), &json!(3)));
}

#[tokio::test]
async fn a_service_that_is_stopped_goes_on_where_it_was() {
    let mut world = World::start().await;
    let id = confirmed(&world).await;
    let service = std::mem::replace(&mut world.service, World::serve(&world.database, &world.kafka, &world.keys).await);
    service.kill().await;
    world.kafka.tell(topics::PAYMENTS, id, 1, &succeeded()).await;
    world.wait_for(id, "paid", |order| order.status == OrderStatus::Paid).await;
    world.published(id, 4).await;
}
