//! What makes no sense is put aside, and the partition goes on.

use orderflow_contracts::events::{CatalogEvent, InventoryEvent, OrderEvent, PaymentEvent, topics};
use orderflow_testing::eventually;

use crate::world::{TOTAL, World, new_order};

#[tokio::test]
async fn what_makes_no_sense_is_dead_lettered_and_the_partition_goes_on() {
    let world = World::start().await;
    let order = new_order();
    let key = order.to_string();
    let headers = |event_type: &'static str, id: &'static str| {
        vec![
            ("ce_specversion", "1.0"),
            ("ce_id", id),
            ("ce_source", "/test"),
            ("ce_type", event_type),
            ("ce_subject", key.as_str()),
            ("ce_time", "2026-01-01T00:00:00Z"),
            ("ce_correlationid", "c"),
            ("ce_sequence", "1"),
        ]
    };
    let ids = ["00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"];
    world.kafka.send(topics::ORDERS, &key, &[], b"hello").await;
    world.kafka.send(topics::ORDERS, &key, &headers("order.eaten", ids[0]), b"{}").await;
    world.kafka.send(topics::ORDERS, &key, &headers("order.created", ids[1]), b"{}").await;
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

    let published = async || Some(world.kafka.read("console.dead-letters").await).filter(|letters| letters.len() == 8);
    let letters = eventually("eight dead letters on their topic", published).await;
    assert_eq!(world.database.count("select count(*) from dead_letters").await, 8);
    let reasons: Vec<_> = letters.iter().map(|letter| letter.headers["dead-letter-reason"].as_str()).collect();
    for reason in [
        "ce_specversion is missing",
        "unknown variant `order.eaten`",
        "missing field `customer_id`",
        "unknown variant `inventory.released`",
        "unknown variant `order.paid`",
        "the subject is not an id",
        "unsupported Unicode escape",
    ] {
        assert!(reasons.iter().any(|found| found.contains(reason)), "{reason}: {reasons:?}");
    }
    assert_eq!(world.events(world.admin, "").await.items.len(), 1);
}
