//! A provider that is slow, in trouble or gone: nobody is charged twice, and nothing is forgotten.

use orderflow_contracts::{api::payments::PaymentStatus, problem::Code};
use orderflow_testing::eventually;

use crate::world::{AMOUNT, World};

#[tokio::test]
async fn an_answer_that_never_comes_is_asked_for_again_and_charges_once() {
    let world = World::start_with(300).await;
    let order = world.paying("tok_timeoutAfterCharge").await;
    assert_eq!(world.pay(order, "tok_visa").await.code(), Some(Code::PaymentInProgress));
    world.wait_for(order, PaymentStatus::Succeeded).await;
    let charges = world.provider.charges(order).await;
    assert_eq!((charges.len(), charges[0].amount), (1, AMOUNT));
    assert!(world.database.count("select tries::bigint from provider_calls").await > 1);
}

#[tokio::test]
async fn a_providers_error_decides_nothing_and_the_third_try_succeeds() {
    let world = World::start().await;
    let order = world.paying("tok_errorTwice").await;
    world.wait_for(order, PaymentStatus::Succeeded).await;
    assert_eq!(world.database.count("select tries::bigint from provider_calls").await, 3);
    assert_eq!(world.provider.charges(order).await.len(), 1);
    world.told(order, 2).await;
}

#[tokio::test]
async fn a_provider_that_is_gone_is_waited_for_and_everybody_sees_why() {
    let world = World::start().await;
    world.provider.shut();
    let order = world.paying("tok_visa").await;
    let waiting = world.wait_for_trouble(order).await;
    let call = waiting.call.unwrap();
    assert_eq!((waiting.status, call.kind.as_str()), (PaymentStatus::Processing, "charge"));
    assert!(call.last_error.unwrap().starts_with("no answer: "));
    let again = async || world.show(order).await.filter(|payment| payment.call.as_ref().is_some_and(|c| c.tries > 2));
    eventually("it is asked again and again", again).await;
    assert_eq!(world.pay(order, "tok_visa").await.code(), Some(Code::PaymentInProgress));
    world.provider.open();
    let paid = world.wait_for(order, PaymentStatus::Succeeded).await;
    assert_eq!(paid.call, None);
    assert_eq!(world.provider.charges(order).await.len(), 1);
    assert_eq!(world.told(order, 2).await, ["payment.opened", "payment.succeeded"]);
}
