//! What makes no sense is put aside, and the partition goes on.

use orderflow_contracts::{
    api::inventory::ReservationStatus,
    events::{OrderEvent, topics},
};
use uuid::Uuid;

use crate::world::{World, new_order};

#[tokio::test]
async fn what_makes_no_sense_is_dead_lettered_and_the_partition_goes_on() {
    let world = World::start().await;
    let (product, order) = (world.product(3).await, new_order());
    world
        .kafka
        .send_nonsense(topics::ORDERS, &order.to_string(), "order.confirmation_requested", "{\"lines\":[]}")
        .await;
    world.kafka.tell(topics::ORDERS, "no-order", 1, &OrderEvent::Paid).await;
    // The database refuses this one: no movement of nothing stands in its ledger.
    world.tell(Uuid::now_v7().into(), &world.request(&[(product, 0)])).await;
    // Behind the nonsense, in the same partition.
    world.tell(order, &world.request(&[(product, 1)])).await;
    world.wait_for(order, ReservationStatus::Held).await;

    let more = ["not the id of an order", "stock_ledger_quantity_check"];
    let letters = world.kafka.nonsense_is_put_aside("inventory.dead-letters", &more).await;
    assert_eq!(world.database.count("select count(*) from dead_letters").await, letters);
    assert_eq!(world.level(product).await, (3, 1));
    assert_eq!(world.database.count("select count(*) from reservations").await, 1);
}
