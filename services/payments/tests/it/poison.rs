//! What makes no sense is put aside, and the partition goes on.

use orderflow_contracts::{
    api::payments::PaymentStatus,
    events::{OrderEvent, topics},
    money::{Currency, Money},
};
use orderflow_testing::eventually;

use crate::world::{LATER_MS, World, new_order};

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
    world.kafka.send(topics::ORDERS, &key, &[], b"hello").await;
    let unknown = headers("order.eaten", "00000000-0000-0000-0000-000000000001");
    world.kafka.send(topics::ORDERS, &key, &unknown, b"{}").await;
    let incomplete = headers("order.confirmed", "00000000-0000-0000-0000-000000000002");
    world.kafka.send(topics::ORDERS, &key, &incomplete, b"{}").await;
    world.kafka.send(topics::ORDERS, "other", &incomplete, b"{}").await;
    world.kafka.tell(topics::ORDERS, "no-order", 1, &OrderEvent::Paid).await;
    // The database refuses this one: nothing is no amount.
    let (customer_id, seller_id) = (world.customer.account_id, world.seller.account_id);
    let total = Money::new(0, Currency::Usd);
    let free = OrderEvent::Confirmed { customer_id, seller_id, total, pay_until: LATER_MS };
    world.tell(new_order(), &free).await;
    // Behind the first four, in the same partition.
    world.tell(order, &world.confirmed(LATER_MS)).await;
    world.wait_for(order, PaymentStatus::Open).await;

    let published = async || Some(world.kafka.read("payments.dead-letters").await).filter(|letters| letters.len() == 6);
    let letters = eventually("six dead letters on their topic", published).await;
    assert_eq!(world.database.count("select count(*) from dead_letters").await, 6);
    let reasons: Vec<_> = letters.iter().map(|letter| letter.headers["dead-letter-reason"].as_str()).collect();
    for reason in [
        "ce_specversion is missing",
        "unknown variant `order.eaten`",
        "missing field `customer_id`",
        "key is not the event's subject",
        "not the id of an order",
        "payments_amount_minor_check",
    ] {
        assert!(reasons.iter().any(|found| found.contains(reason)), "{reason}: {reasons:?}");
    }
    assert_eq!(world.database.count("select count(*) from payments").await, 1);
}
