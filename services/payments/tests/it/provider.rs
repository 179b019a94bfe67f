//! A provider that is slow, in trouble or gone: nobody is charged twice, and nothing is forgotten.

use orderflow_contracts::{
    api::{
        chaos::{Fault, FaultName, SetFault},
        console::Role,
        payments::{Payment, PaymentStatus},
    },
    problem::Code,
};
use orderflow_testing::{eventually, new_account};
use serde_json::json;

use crate::world::{AMOUNT, CANCELLED, World};

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

/// The provider may take so long that no test waits for it: a try that is cut off is made again by the next service.
const PATIENT_MS: u64 = 60_000;

/// A fault that no version of today would take: every charge under it is refused before the provider looks at its key.
async fn refuse_charges(world: &World) {
    let fault = "insert into faults (name, set) values ('payment-failure', '{\"decline\": \"No Word\"}')";
    sqlx::query(fault).execute(world.database.pool()).await.expect("the fault is set");
}

#[tokio::test]
async fn a_refused_retry_does_not_hide_what_an_earlier_try_has_charged() {
    for (token, status) in
        [("tok_visa", PaymentStatus::Succeeded), ("tok_chargeDeclinedExpiredCard", PaymentStatus::Failed)]
    {
        let mut world = World::start_as(Some("payments-1"), PATIENT_MS).await;
        let once = SetFault { times: Some(1), ..SetFault::default() };
        let admin = world.by(new_account(Role::Admin));
        assert_eq!(admin.put("/v1/chaos/provider-timeout", &once).await.status, 200);
        let order = world.paying(token).await;
        let known = async || (world.provider.charges(order).await.len() == 1).then_some(());
        eventually("the provider knows what came of it and says nothing", known).await;
        world.kill().await;
        refuse_charges(&world).await;
        world.start_again().await;
        let payment = world.wait_for(order, status).await;
        let charge = world.provider.charges(order).await.remove(0);
        assert_eq!(payment.decline_code, charge.decline_code, "what the ledger says");
        assert_eq!(payment.charge_id, (status == PaymentStatus::Succeeded).then_some(charge.id));
        assert_eq!(payment.card, Some(charge.card));
    }
}

#[tokio::test]
async fn a_refused_retry_of_what_is_in_no_ledger_decides_only_once_nothing_can_be_under_way() {
    let mut world = World::start_as(Some("payments-1"), 2_000).await;
    world.provider.shut();
    let order = world.paying("tok_visa").await;
    world.wait_for_trouble(order).await;
    world.kill().await;
    refuse_charges(&world).await;
    world.provider.open();
    world.start_again().await;
    let error = |payment: &Payment| payment.call.as_ref()?.last_error.clone();
    let refused = async || world.show(order).await.filter(|p| error(p).is_some_and(|e| e.contains("refuses")));
    let tries = eventually("it is refused", refused).await.call.unwrap().tries;
    let again = async || world.show(order).await.filter(|p| p.call.as_ref().is_some_and(|call| call.tries > tries + 1));
    assert_eq!(eventually("it is asked again", again).await.status, PaymentStatus::Processing);
    let later = "update provider_calls set refused_since = refused_since - interval '1 minute'";
    sqlx::query(later).execute(world.database.pool()).await.unwrap();
    let failed = world.wait_for(order, PaymentStatus::Failed).await;
    assert_eq!(failed.decline_code.as_deref(), Some("invalid_request"));
    assert!(world.provider.charges(order).await.is_empty());
}

#[tokio::test]
async fn a_charge_that_is_refused_at_once_was_never_made() {
    let mut world = World::start().await;
    world.kill().await;
    refuse_charges(&world).await;
    world.start_again().await;
    let order = world.paying("tok_visa").await;
    let failed = world.wait_for(order, PaymentStatus::Failed).await;
    assert_eq!(failed.decline_code.as_deref(), Some("invalid_request"));
    assert_eq!(world.database.count("select tries::bigint from provider_calls").await, 1);
    assert!(world.provider.charges(order).await.is_empty());
}

#[tokio::test]
async fn a_decline_that_no_provider_would_say_cannot_be_asked_for() {
    let world = World::start().await;
    let admin = world.by(new_account(Role::Admin));
    for (code, refused) in [("No Word", true), ("a, hang", true), ("", true), ("lost_card", false)] {
        let answer = admin.put("/v1/chaos/payment-failure", &json!({ "decline": code })).await;
        assert_eq!(answer.code(), refused.then_some(Code::ValidationFailed), "{code}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_refund_whose_answer_is_lost_is_made_once_and_certain_in_the_end() {
    let world = World::start_with(300).await;
    let order = world.paying("tok_visa").await;
    world.wait_for(order, PaymentStatus::Succeeded).await;
    let admin = world.by(new_account(Role::Admin));
    for (fault, times) in [("provider-timeout", 1), ("payment-failure", 1)] {
        let set = SetFault { times: Some(times), ..SetFault::default() };
        assert_eq!(admin.put(&format!("/v1/chaos/{fault}"), &set).await.status, 200);
    }
    world.tell(order, &CANCELLED).await;
    let refunded = world.wait_for(order, PaymentStatus::Refunded).await;
    let refunds = world.provider.refunds(order).await;
    assert_eq!((refunds.len(), refunded.refund_id.as_ref()), (1, Some(&refunds[0].id)));
    let tries = "select tries::bigint from provider_calls where kind = 'refund'";
    assert!(world.database.count(tries).await > 1, "the first answer was withheld");
    let faults: Vec<Fault> = admin.get("/v1/chaos").await.into();
    let struck = faults.iter().map(|fault| (fault.name, fault.struck)).collect::<Vec<_>>();
    assert_eq!(struck, [(FaultName::PaymentFailure, 0), (FaultName::ProviderTimeout, 1)], "a refund is not declined");
}
