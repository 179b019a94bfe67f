//! Who may not pay, and what cannot be paid: an error that says so, and no money moves.

use orderflow_contracts::{
    api::{Clock, console::Role, payments::PaymentStatus},
    problem::Code,
};
use orderflow_testing::{Caller, new_account};
use serde_json::{Value, json};

use crate::world::{CANCELLED, LATER_MS, World, new_order};

#[tokio::test]
async fn nothing_is_paid_before_it_is_due_or_after_the_time_is_over() {
    let world = World::start().await;
    let order = new_order();
    assert_eq!(world.pay(order, "tok_visa").await.code(), Some(Code::NotFound));
    world.tell(order, &world.confirmed(1)).await;
    world.wait_for(order, PaymentStatus::Open).await;
    assert_eq!(world.pay(order, "tok_visa").await.code(), Some(Code::PaymentDeadlinePassed));
    // By the service's clock.
    let admin = world.by(new_account(Role::Admin));
    let in_time = new_order();
    let now = admin.get("/v1/clock").await.into::<Clock>().now.0;
    world.tell(in_time, &world.confirmed(now + 3_600_000)).await;
    world.wait_for(in_time, PaymentStatus::Open).await;
    assert_eq!(admin.put("/v1/clock", &json!({ "offset_ms": 3_600_000 })).await.status, 200);
    assert_eq!(world.pay(in_time, "tok_visa").await.code(), Some(Code::PaymentDeadlinePassed));
    assert_eq!(world.show(order).await.unwrap().status, PaymentStatus::Open);
    assert!(world.provider.charges(order).await.is_empty());
}

#[tokio::test]
async fn only_the_customer_of_the_order_pays() {
    let world = World::start().await;
    let order = world.open().await;
    let (path, pay) = (format!("/v1/payments/{order}/pay"), json!({ "token": "tok_visa" }));
    let stranger = world.by(new_account(Role::Customer)).post(&path, &pay).await;
    assert_eq!(stranger.code(), Some(Code::NotFound));
    for who in [world.seller, new_account(Role::Admin)] {
        assert_eq!(world.by(who).post(&path, &pay).await.code(), Some(Code::Forbidden));
    }
    let nobody = Caller::new(world.url(), None).post(&path, &pay).await;
    assert_eq!(nobody.code(), Some(Code::Unauthenticated));
    assert_eq!(world.show(order).await.unwrap().status, PaymentStatus::Open);
}

#[tokio::test]
async fn nobody_learns_whether_there_is_an_order_that_is_not_theirs() {
    let world = World::start().await;
    let (open, cancelled, nobodys) = (world.open().await, new_order(), new_order());
    world.tell(cancelled, &CANCELLED).await;
    world.wait_for(cancelled, PaymentStatus::Voided).await;
    let stranger = world.by(new_account(Role::Customer));
    let mut answers = Vec::new();
    for order in [open, cancelled, nobodys] {
        for answer in [
            stranger.post(&format!("/v1/payments/{order}/pay"), &json!({ "token": "tok_visa" })).await,
            stranger.get(&format!("/v1/payments/{order}")).await,
        ] {
            assert_eq!((answer.status.as_u16(), answer.code()), (404, Some(Code::NotFound)), "{}", answer.body);
            answers.push(without_request_id(&answer.body).replace(&order.to_string(), "ORDER"));
        }
    }
    assert_eq!(answers[..2], answers[2..4]);
    assert_eq!(answers[..2], answers[4..]);
}

#[tokio::test]
async fn a_cards_number_in_place_of_the_token_is_refused_and_kept_nowhere() {
    let world = World::start().await;
    let order = world.open().await;
    let long = format!("tok_{}", "x".repeat(100));
    for token in ["4242424242424242", "4242 4242 4242 4242", "", "tok", "tok_visa\n", "tok_\u{0}", "tok_ü", &long] {
        let answer = world.pay(order, token).await;
        assert_eq!(answer.code(), Some(Code::ValidationFailed), "{token:?}: {}", answer.body);
        assert!(!without_request_id(&answer.body).contains("4242"), "{}", answer.body);
    }
    for body in [
        json!({}),
        json!({ "token": 4_242_424_242_424_242_u64 }),
        json!({ "token": "tok_visa", "amount": 1 }),
        json!({ "number": "4242424242424242", "cvc": "123" }),
    ] {
        let answer = world.by(world.customer).post(&format!("/v1/payments/{order}/pay"), &body).await;
        assert_eq!(answer.code(), Some(Code::ValidationFailed), "{body}: {}", answer.body);
        assert!(!without_request_id(&answer.body).contains("4242"), "{}", answer.body);
    }
    assert_eq!(world.database.count("select count(*) from provider_calls").await, 0);
    assert_eq!(world.show(order).await.unwrap().pay_until.unwrap().0, LATER_MS);
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused() {
    let world = World::start().await;
    let customer = world.by(world.customer);
    for query in ["limit=0", "limit=201", "cursor=x", "status=EATEN"] {
        let answer = customer.get(&format!("/v1/payments?{query}")).await;
        assert_eq!(answer.code(), Some(Code::ValidationFailed), "{query}");
    }
    let admin = world.by(new_account(Role::Admin));
    for ledger in ["charges", "refunds"] {
        assert_eq!(admin.get(&format!("/v1/provider/{ledger}?limit=1")).await.status, 200);
        for query in ["limit=0", "cursor=x", "cursor=%00"] {
            let answer = admin.get(&format!("/v1/provider/{ledger}?{query}")).await;
            assert_eq!(answer.code(), Some(Code::ValidationFailed), "{query}");
        }
    }
    for path in ["/v1/payments/x", &format!("/v1/payments/{}", new_order())] {
        assert_eq!(customer.get(path).await.code(), Some(Code::NotFound), "{path}");
    }
}

/// All that is said, but for the request's id: that is random, and may have any digits.
fn without_request_id(body: &Value) -> String {
    let mut body = body.clone();
    body["request_id"].take();
    body.to_string()
}
