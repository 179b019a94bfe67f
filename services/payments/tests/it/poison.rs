//! What makes no sense is put aside, and the partition goes on.

use orderflow_contracts::{
    api::{console::Role, payments::PaymentStatus},
    events::{OrderEvent, topics},
    money::{Currency, Money},
};
use orderflow_testing::{eventually, new_account};
use uuid::Uuid;

use crate::world::{CANCELLED, LATER_MS, World, new_order};

#[tokio::test]
async fn what_makes_no_sense_is_dead_lettered_and_the_partition_goes_on() {
    let world = World::start().await;
    let order = new_order();
    world.kafka.send_nonsense(topics::ORDERS, &order.to_string(), "order.confirmed", "{}").await;
    world.kafka.tell(topics::ORDERS, "no-order", 1, &OrderEvent::Paid).await;
    // The database refuses this one: nothing is no amount.
    let (customer_id, seller_id) = (world.customer.account_id, world.seller.account_id);
    let total = Money::new(0, Currency::Usd);
    let free = OrderEvent::Confirmed { customer_id, seller_id, total, pay_until: LATER_MS };
    world.tell(new_order(), &free).await;
    // Behind the nonsense, in the same partition.
    world.tell(order, &world.confirmed(LATER_MS)).await;
    world.wait_for(order, PaymentStatus::Open).await;

    let more = ["not the id of an order", "payments_amount_minor_check"];
    let letters = world.kafka.nonsense_is_put_aside("payments.dead-letters", &more).await;
    assert_eq!(world.database.count("select count(*) from dead_letters").await, letters);
    assert_eq!(world.database.count("select count(*) from payments").await, 1);
}

/// Rows that the service says it cannot read: their tables.
async fn unreadable(world: &World) -> Vec<String> {
    let answer = world.by(new_account(Role::Admin)).get("/v1/unreadable").await;
    let rows = answer.body.as_array().cloned().unwrap_or_default();
    rows.iter().map(|row| row["table"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_call_that_cannot_be_read_does_not_hold_up_the_others_and_is_told_of() {
    let world = World::start_with(300).await;
    world.provider.shut();
    let [bad, odd, good] = [world.paying("tok_visa").await, world.paying("tok_visa").await, world.open().await];
    for order in [bad, odd] {
        world.wait_for_trouble(order).await;
    }
    let set = async |query: &'static str, order| {
        let done = sqlx::query(query).bind(Uuid::from(order)).execute(world.database.pool()).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
    };
    set("update provider_calls set currency = 'XXX' where order_id = $1", bad).await;
    set("update payments set currency = 'XXX' where order_id = $1", odd).await;
    world.provider.open();
    world.pay(good, "tok_visa").await;
    world.wait_for(good, PaymentStatus::Succeeded).await;
    let told = async || Some(unreadable(&world).await).filter(|tables| tables.len() == 2);
    assert_eq!(eventually("both are told of", told).await, ["payments", "provider_calls"]);
    let metrics = metrics(&world).await;
    assert!(metrics.contains("\norderflow_unreadable_rows 2\n"), "{metrics}");
    assert!(world.provider.charges(bad).await.is_empty());

    // Mended, each goes on by itself.
    set("update provider_calls set currency = 'USD' where order_id = $1", bad).await;
    set("update payments set currency = 'USD' where order_id = $1", odd).await;
    for order in [bad, odd] {
        world.wait_for(order, PaymentStatus::Succeeded).await;
        assert_eq!(world.provider.charges(order).await.len(), 1);
    }
}

async fn metrics(world: &World) -> String {
    world.by(new_account(Role::Admin)).open("/metrics", &[]).await.text().await.expect("a text")
}

#[tokio::test]
async fn an_event_for_a_payment_that_cannot_be_read_is_put_aside_until_it_can() {
    let world = World::start().await;
    let (bad, good) = (world.open().await, world.open().await);
    let set = "update payments set currency = 'XXX' where order_id = $1";
    sqlx::query(set).bind(Uuid::from(bad)).execute(world.database.pool()).await.unwrap();
    world.tell(bad, &CANCELLED).await;
    world.tell(good, &CANCELLED).await;
    world.wait_for(good, PaymentStatus::Voided).await;
    let one = async || (world.database.count("select count(*) from dead_letters").await == 1).then_some(());
    eventually("it is put aside", one).await;
    let admin = world.by(new_account(Role::Admin));
    let letters = admin.get("/v1/dead-letters").await.body;
    assert!(letters["items"][0]["reason"].as_str().unwrap().contains("currency"), "{letters}");

    sqlx::query("update payments set currency = 'USD'").execute(world.database.pool()).await.unwrap();
    let id = letters["items"][0]["id"].as_str().unwrap();
    let replayed = admin.command(&format!("/v1/dead-letters/{id}/replay")).await;
    assert_eq!(replayed.body["status"], "replayed", "{}", replayed.body);
    world.wait_for(bad, PaymentStatus::Voided).await;
}
