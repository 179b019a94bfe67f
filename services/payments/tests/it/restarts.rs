//! The service is killed at the worst moments; each order is charged once.

use orderflow_contracts::api::payments::PaymentStatus;
use orderflow_testing::eventually;

use crate::world::World;

/// As if it had been killed between the commit and the first try.
const NOT_TRIED: &str = "update provider_calls set tries = 0, next_try_at = clock_timestamp()";

#[tokio::test]
async fn a_service_that_is_killed_before_it_asks_asks_later() {
    let mut world = World::start_with(300).await;
    world.provider.shut();
    let order = world.paying("tok_visa").await;
    world.wait_for_trouble(order).await;
    world.kill().await;
    sqlx::query(NOT_TRIED).execute(world.database.pool()).await.unwrap();
    assert!(world.provider.charges(order).await.is_empty());
    world.provider.open();
    world.start_again().await;
    world.wait_for(order, PaymentStatus::Succeeded).await;
    assert_eq!(world.provider.charges(order).await.len(), 1);
    world.told(order, 2).await;
}

#[tokio::test]
async fn a_service_that_is_killed_while_it_asks_learns_what_came_of_it() {
    let mut world = World::start_with(1_000).await;
    let order = world.paying("tok_timeoutAfterCharge").await;
    let charged = async || (world.provider.charges(order).await.len() == 1).then_some(());
    eventually("the provider has the money and says nothing", charged).await;
    world.kill().await;
    world.start_again().await;
    assert_eq!(world.show(order).await.unwrap().status, PaymentStatus::Processing);
    world.wait_for(order, PaymentStatus::Succeeded).await;
    assert_eq!(world.provider.charges(order).await.len(), 1);
    world.told(order, 2).await;
}

#[tokio::test]
async fn a_charge_that_would_begin_after_the_deadline_is_never_begun() {
    let mut world = World::start_with(300).await;
    world.provider.shut();
    let order = world.paying("tok_visa").await;
    world.wait_for_trouble(order).await;
    world.kill().await;
    for change in [NOT_TRIED, "update payments set pay_until_ms = 1"] {
        sqlx::query(change).execute(world.database.pool()).await.unwrap();
    }
    world.provider.open();
    world.start_again().await;
    let failed = world.wait_for(order, PaymentStatus::Failed).await;
    assert_eq!(failed.decline_code.as_deref(), Some("payment_deadline_passed"));
    assert!(world.provider.charges(order).await.is_empty());
    assert_eq!(world.told(order, 2).await, ["payment.opened", "payment.failed"]);
}

#[tokio::test]
async fn with_two_services_of_which_one_is_killed_every_order_is_charged_once() {
    let mut world = World::start_with(300).await;
    let _second = world.replica().await;
    let mut orders = Vec::new();
    for number in 0..20 {
        orders.push(world.paying(if number % 2 == 0 { "tok_visa" } else { "tok_timeoutAfterCharge" }).await);
    }
    world.kill().await;
    // One to ask; the charges may well be the second's.
    world.start_again().await;
    for order in orders {
        world.wait_for(order, PaymentStatus::Succeeded).await;
        assert_eq!(world.provider.charges(order).await.len(), 1);
        world.told(order, 2).await;
    }
}
