//! An order is paid, or not.

use orderflow_contracts::{
    api::{
        Page,
        console::Role,
        payments::{Pay, Payment, PaymentStatus},
    },
    events::topics,
    problem::Code,
};
use orderflow_testing::{eventually, new_account};
use serde_json::json;

use crate::world::{AMOUNT, LATER_MS, World};

#[tokio::test]
async fn a_confirmed_order_is_paid_once_and_told_of() {
    let world = World::start().await;
    let order = world.paying("tok_visa").await;
    let paid = world.wait_for(order, PaymentStatus::Succeeded).await;
    let card = paid.card.unwrap();
    assert_eq!((card.brand.as_str(), card.last4.as_str(), paid.call), ("visa", "4242", None));
    assert_eq!((paid.amount, paid.customer_id), (Some(AMOUNT), Some(world.customer.account_id)));
    let charges = world.provider.charges(order).await;
    assert_eq!((charges.len(), charges[0].amount, &charges[0].id), (1, AMOUNT, &paid.charge_id.unwrap()));

    let records = world.published(order, 2).await;
    assert_eq!((records[0].event_type(), records[1].event_type()), ("payment.opened", "payment.succeeded"));
    assert_eq!(records[0].value, json!({ "amount": AMOUNT, "pay_until": LATER_MS }));
    assert_eq!(records[1].value, json!({ "charge_id": charges[0].id }));
    assert_eq!(records[0].headers["ce_correlationid"], "test");
    assert!(!records[1].headers.contains_key("ce_causationid"), "it follows from the customer's command");
    let audited = async || world.kafka.read_once(topics::AUDIT).await.pop();
    let audited = eventually("who has paid is told", audited).await;
    assert_eq!(
        (audited.key.as_str(), audited.headers["ce_actor"].as_str()),
        (&*order.to_string(), &*world.customer.actor())
    );
    assert_eq!(audited.value, json!({ "action": "payment.pay", "detail": { "amount": AMOUNT } }));
}

#[tokio::test]
async fn a_declined_card_ends_the_payment_with_the_providers_reason() {
    let world = World::start().await;
    for (token, code) in [
        ("tok_chargeDeclined", "card_declined"),
        ("tok_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("tok_chargeDeclinedExpiredCard", "expired_card"),
        ("tok_chargeDeclinedIncorrectCvc", "incorrect_cvc"),
        ("tok_chargeDeclinedProcessingError", "processing_error"),
    ] {
        let order = world.paying(token).await;
        let failed = world.wait_for(order, PaymentStatus::Failed).await;
        assert_eq!((failed.decline_code.as_deref(), failed.charge_id), (Some(code), None));
        let told = world.published(order, 2).await.remove(1);
        assert_eq!((told.event_type(), &told.value), ("payment.failed", &json!({ "decline_code": code })));
        assert_eq!(world.pay(order, "tok_visa").await.code(), Some(Code::PaymentOver));
        let recorded = world.provider.charges(order).await;
        assert_eq!(recorded.len(), 1);
        assert!(recorded.iter().all(|charge| charge.decline_code.as_deref() == Some(code)), "{recorded:?}");
    }
}

#[tokio::test]
async fn a_mistyped_token_changes_nothing() {
    let world = World::start().await;
    let order = world.open().await;
    assert_eq!(world.pay(order, "tok_nobodys").await.code(), Some(Code::ValidationFailed));
    assert_eq!(world.pay(order, "tok_visa").await.status, 202);
    world.wait_for(order, PaymentStatus::Succeeded).await;
}

#[tokio::test]
async fn of_many_who_pay_at_once_one_is_charged() {
    let world = World::start().await;
    let order = world.open().await;
    let tries = (0..10).map(|_| {
        let (customer, path) = (world.by(world.customer), format!("/v1/payments/{order}/pay"));
        tokio::spawn(async move { customer.post(&path, &Pay { token: "tok_visa".to_owned() }).await.status.as_u16() })
    });
    let mut statuses = Vec::new();
    for status in tries.collect::<Vec<_>>() {
        statuses.push(status.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![202], vec![409; 9]].concat());
    world.wait_for(order, PaymentStatus::Succeeded).await;
    assert_eq!(world.pay(order, "tok_visa").await.code(), Some(Code::AlreadyPaid));
    assert_eq!(world.provider.charges(order).await.len(), 1);
}

#[tokio::test]
async fn a_key_pays_once_however_often_it_is_used() {
    let world = World::start().await;
    let order = world.open().await;
    let (customer, path) = (world.by(world.customer).with_key("k"), format!("/v1/payments/{order}/pay"));
    let pay = |token: &str| Pay { token: token.to_owned() };
    let first = customer.post(&path, &pay("tok_visa")).await;
    world.wait_for(order, PaymentStatus::Succeeded).await;
    let again = customer.post(&path, &pay("tok_visa")).await;
    assert_eq!((again.status.as_u16(), &again.body), (202, &first.body));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let other = customer.post(&path, &pay("tok_amex")).await;
    assert_eq!(other.code(), Some(Code::IdempotencyKeyReused));
    // What was refused is not remembered.
    let early = world.open().await;
    world.provider.shut();
    let path = format!("/v1/payments/{early}/pay");
    assert_eq!(
        customer.with_key("k2").post(&path, &pay("4242424242424242")).await.code(),
        Some(Code::ValidationFailed)
    );
    assert_eq!(customer.with_key("k2").post(&path, &pay("tok_visa")).await.status, 202);
    assert_eq!(world.provider.charges(order).await.len(), 1);
}

#[tokio::test]
async fn payments_are_shown_to_those_whom_they_concern() {
    let world = World::start().await;
    let orders = [world.open().await, world.paying("tok_visa").await, world.open().await];
    world.wait_for(orders[1], PaymentStatus::Succeeded).await;
    let list = async |who, query: &str| {
        let page: Page<Payment> = world.by(who).get(&format!("/v1/payments?{query}")).await.into();
        (page.items.into_iter().map(|payment| payment.order_id).collect::<Vec<_>>(), page.next_cursor)
    };
    for who in [world.customer, world.seller, new_account(Role::Admin)] {
        let (first, cursor) = list(who, "limit=2").await;
        let (second, end) = list(who, &format!("limit=2&cursor={}", cursor.unwrap())).await;
        assert_eq!([first, second].concat(), [orders[2], orders[1], orders[0]]);
        assert_eq!(end, None);
        assert_eq!(list(who, "status=SUCCEEDED").await.0, [orders[1]]);
        assert_eq!(world.by(who).get(&format!("/v1/payments/{}", orders[0])).await.status, 200);
    }
    for stranger in [new_account(Role::Customer), new_account(Role::Seller)] {
        assert!(list(stranger, "").await.0.is_empty());
        let answer = world.by(stranger).get(&format!("/v1/payments/{}", orders[0])).await;
        assert_eq!(answer.code(), Some(Code::NotFound));
    }
}
