//! What makes no sense is put aside, and the partition goes on.

use orderflow_contracts::events::{CatalogEvent, InventoryEvent, OrderEvent, PaymentEvent, topics};

use crate::world::{TOTAL, World, new_order};

#[tokio::test]
async fn what_makes_no_sense_is_dead_lettered_and_the_partition_goes_on() {
    let world = World::start().await;
    let order = new_order();
    world.kafka.send_nonsense(topics::ORDERS, &order.to_string(), "order.created", "{}").await;
    // Each topic has its own events.
    world.kafka.tell(topics::ORDERS, order, 1, &InventoryEvent::Released).await;
    world.kafka.tell(topics::INVENTORY, order, 1, &OrderEvent::Paid).await;
    world.kafka.tell(topics::PAYMENTS, "no-order", 1, &PaymentEvent::Voided).await;
    // The database cannot keep this one: no text of its has a NUL in it.
    world.kafka.tell(topics::PAYMENTS, order, 1, &PaymentEvent::Failed { decline_code: "\0".to_owned() }).await;
    let (seller_id, name, price) = (world.seller.account_id, "\0".to_owned(), TOTAL);
    let nul = CatalogEvent::ProductChanged { seller_id, name, price };
    world.kafka.tell(topics::CATALOG, order, 1, &nul).await;
    // Behind the first ones, in the same partition.
    world.heard(topics::ORDERS, order, &world.created()).await;

    let nul = "unsupported Unicode escape";
    let more =
        ["unknown variant `inventory.released`", "unknown variant `order.paid`", "the subject is not an id", nul, nul];
    let letters = world.kafka.nonsense_is_put_aside("console.dead-letters", &more).await;
    assert_eq!(world.database.count("select count(*) from dead_letters").await, letters);
    assert_eq!(world.events(world.admin, "").await.items.len(), 1);
}
