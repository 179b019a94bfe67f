//! An order is cancelled before, while and after it is paid.

use orderflow_contracts::{api::payments::PaymentStatus, events::topics, ids::EventId, problem::Code};
use orderflow_testing::eventually;
use uuid::Uuid;

use crate::world::{AMOUNT, CANCELLED, LATER_MS, World, new_order};

#[tokio::test]
async fn what_is_not_paid_is_voided_and_takes_no_money() {
    let world = World::start().await;
    let order = world.open().await;
    world.tell(order, &CANCELLED).await;
    world.wait_for(order, PaymentStatus::Voided).await;
    assert_eq!(world.told(order, 2).await, ["payment.opened", "payment.voided"]);
    assert_eq!(world.pay(order, "tok_visa").await.code(), Some(Code::PaymentOver));
    assert!(world.provider.charges(order).await.is_empty());
}

#[tokio::test]
async fn what_is_paid_is_given_back() {
    let world = World::start().await;
    let order = world.paying("tok_visa").await;
    world.wait_for(order, PaymentStatus::Succeeded).await;
    world.tell(order, &CANCELLED).await;
    let refunded = world.wait_for(order, PaymentStatus::Refunded).await;
    let refunds = world.provider.refunds(order).await;
    assert_eq!((refunds.len(), refunds[0].amount), (1, AMOUNT));
    assert_eq!(refunded.refund_id.as_ref(), Some(&refunds[0].id));
    assert_eq!(world.provider.charges(order).await[0].refunded_minor, AMOUNT.minor);
    let records = world.published(order, 3).await;
    assert_eq!(records[2].event_type(), "payment.refunded");
    assert!(records[2].headers.contains_key("ce_causationid"), "it follows from the cancellation");
    assert_eq!(world.pay(order, "tok_visa").await.code(), Some(Code::PaymentOver));
}

#[tokio::test]
async fn what_is_cancelled_while_the_provider_is_asked_is_given_back_or_never_taken() {
    let world = World::start().await;
    world.provider.shut();
    let (taken, declined) = (world.paying("tok_visa").await, world.paying("tok_chargeDeclined").await);
    for order in [taken, declined] {
        world.wait_for_trouble(order).await;
        world.tell(order, &CANCELLED).await;
    }
    world.settled().await;
    for order in [taken, declined] {
        assert_eq!(world.show(order).await.unwrap().status, PaymentStatus::Processing, "nobody knows yet");
    }
    world.provider.open();
    world.wait_for(taken, PaymentStatus::Refunded).await;
    assert_eq!(world.told(taken, 3).await, ["payment.opened", "payment.succeeded", "payment.refunded"]);
    let (charges, refunds) = (world.provider.charges(taken).await, world.provider.refunds(taken).await);
    assert_eq!((charges.len(), refunds.len(), charges[0].refunded_minor), (1, 1, AMOUNT.minor));
    world.wait_for(declined, PaymentStatus::Voided).await;
    assert_eq!(world.told(declined, 2).await, ["payment.opened", "payment.voided"]);
    assert!(world.provider.refunds(declined).await.is_empty());
}

#[tokio::test]
async fn a_refund_is_asked_for_until_it_is_done() {
    let mut world = World::start().await;
    let order = world.paying("tok_visa").await;
    world.wait_for(order, PaymentStatus::Succeeded).await;
    // The way is shut to those who come anew; the connection that is open ends with the service.
    world.provider.shut();
    world.kill().await;
    world.start_again().await;
    world.tell(order, &CANCELLED).await;
    let refunding = world.wait_for_trouble(order).await;
    assert_eq!((refunding.status, refunding.call.unwrap().kind.as_str()), (PaymentStatus::Refunding, "refund"));
    world.provider.open();
    world.wait_for(order, PaymentStatus::Refunded).await;
    assert_eq!(world.provider.refunds(order).await.len(), 1);
}

#[tokio::test]
async fn what_was_cancelled_before_it_was_due_is_never_due() {
    let world = World::start().await;
    let order = new_order();
    world.tell(order, &CANCELLED).await;
    let voided = world.wait_for(order, PaymentStatus::Voided).await;
    assert_eq!((voided.customer_id, voided.amount), (None, None));
    world.tell(order, &world.confirmed(LATER_MS)).await;
    world.settled().await;
    // Nobody knows whose it would have been.
    assert_eq!(world.pay(order, "tok_visa").await.code(), Some(Code::NotFound));
    assert!(world.provider.charges(order).await.is_empty());
    // Behind it comes another order, of which something is said.
    let other = world.open().await;
    world.told(other, 1).await;
    world.told(order, 0).await;
}

#[tokio::test]
async fn every_event_delivered_three_times_changes_nothing_more() {
    let world = World::start().await;
    let order = new_order();
    let thrice = async |event| {
        let id = EventId::from(Uuid::new_v4());
        world.kafka.tell_as(id, topics::ORDERS, order, 1, event).await;
        world.kafka.tell_as(id, topics::ORDERS, order, 1, event).await;
        world.tell(order, event).await;
        world.settled().await;
    };
    let confirmed = world.confirmed(LATER_MS);
    thrice(&confirmed).await;
    world.pay(order, "tok_visa").await;
    world.wait_for(order, PaymentStatus::Succeeded).await;
    thrice(&confirmed).await;
    thrice(&CANCELLED).await;
    world.wait_for(order, PaymentStatus::Refunded).await;
    thrice(&CANCELLED).await;
    assert_eq!(world.told(order, 3).await, ["payment.opened", "payment.succeeded", "payment.refunded"]);
    let (charges, refunds) = (world.provider.charges(order).await, world.provider.refunds(order).await);
    assert_eq!((charges.len(), refunds.len()), (1, 1));
    assert_eq!(world.database.count("select sum(duplicates)::bigint from inbox").await, 4);
    let published = async || (world.database.count("select count(*) from outbox_pending").await == 0).then_some(());
    eventually("nothing is left to say", published).await;
    world.told(order, 3).await;
}
