//! The service is killed at the worst moments; each order is charged once.

use orderflow_contracts::api::{chaos::SetFault, console::Role, payments::PaymentStatus};
use orderflow_testing::{eventually, new_account};

use crate::world::World;

/// The provider may take so long that no test waits for the end of a lease, which is three times that.
const PATIENT_MS: u64 = 60_000;
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
async fn a_service_that_comes_back_under_its_name_does_not_wait_for_the_end_of_its_leases() {
    let mut world = World::start_as(Some("payments-1"), PATIENT_MS).await;
    let order = world.paying("tok_timeoutAfterCharge").await;
    let charged = async || (world.provider.charges(order).await.len() == 1).then_some(());
    eventually("the provider has the money and says nothing", charged).await;
    world.kill().await;
    // Somebody else waits: the one that has asked may still be there.
    let other = world.replica().await;
    let leased = "select count(*) from provider_calls where tries = 1 and leased_by = 'payments-1'";
    assert_eq!(world.database.count(leased).await, 1);
    other.kill().await;
    world.start_again().await;
    world.wait_for(order, PaymentStatus::Succeeded).await;
    assert_eq!(world.provider.charges(order).await.len(), 1);
    world.told(order, 2).await;
}

#[tokio::test]
async fn an_answer_whose_commit_was_lost_is_asked_for_again_at_once() {
    let world = World::start_with(PATIENT_MS).await;
    world.provider.shut();
    let orders = [world.paying("tok_visa").await, world.paying("tok_visa").await];
    for order in orders {
        world.wait_for_trouble(order).await;
    }
    // One is committed all the same, the other one is not.
    let lost = SetFault { times: Some(2), ..SetFault::default() };
    let admin = world.by(new_account(Role::Admin));
    assert!(admin.put("/v1/chaos/commit-lost", &lost).await.status.is_success());
    world.provider.open();
    for order in orders {
        world.wait_for(order, PaymentStatus::Succeeded).await;
        assert_eq!(world.provider.charges(order).await.len(), 1);
        world.told(order, 2).await;
    }
    assert_eq!(admin.get("/v1/chaos").await.body[0]["struck"], 2);
    assert_eq!(world.database.count("select count(*) from provider_calls where answered_at is null").await, 0);
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
