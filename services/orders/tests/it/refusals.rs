//! Bad input gets a clear error and changes nothing.

use std::time::Duration;

use orderflow_contracts::{
    api::console::Role,
    money::{Currency, Money},
    problem::Code,
};
use orderflow_testing::{Caller, Keys, new_account};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{PRICE, World};

fn line(product: impl ToString, quantity: impl Into<Value>) -> Value {
    json!({ "product_id": product.to_string(), "quantity": quantity.into() })
}

#[tokio::test]
async fn what_cannot_be_ordered_is_refused_and_nothing_is_made() {
    let world = World::start().await;
    let (product, dear) =
        (world.product().await, world.product_of(world.seller, Money::new(i64::MAX / 2, Currency::Usd)).await);
    let others = world.product_of(new_account(Role::Seller), PRICE).await;
    let euros = world.product_of(world.seller, Money::new(100, Currency::Eur)).await;
    let customer = world.by(world.customer);
    for (lines, code) in [
        (json!([]), Code::ValidationFailed),
        (json!([line(product, 0)]), Code::ValidationFailed),
        (json!([line(product, 10_001)]), Code::ValidationFailed),
        (json!([line(product, -1)]), Code::ValidationFailed),
        (json!([line(product, 1.5)]), Code::ValidationFailed),
        (json!([line(product, u64::MAX)]), Code::ValidationFailed),
        (json!([line(product, "1")]), Code::ValidationFailed),
        (json!([line("no-id", 1)]), Code::ValidationFailed),
        (json!([line(product, 1), line(product, 1)]), Code::ValidationFailed),
        (json!([line(dear, 3)]), Code::ValidationFailed),
        (json!([line(product, 1), line(euros, 1)]), Code::ValidationFailed),
        (json!([line(Uuid::now_v7(), 1)]), Code::ProductUnknown),
        (json!([line(product, 1), line(others, 1)]), Code::SeveralSellers),
        (json!([{ "product_id": product.to_string(), "quantity": 1, "unit_price": 1 }]), Code::ValidationFailed),
    ] {
        let answer = customer.post("/v1/orders", &json!({ "lines": lines })).await;
        assert_eq!(answer.code(), Some(code), "{lines}: {}", answer.body);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    let many: Vec<_> = (0..51).map(|_| line(product, 1)).collect();
    assert_eq!(customer.post("/v1/orders", &json!({ "lines": many })).await.code(), Some(Code::ValidationFailed));
    assert_eq!(world.database.count("select count(*) from orders").await, 0);
    assert_eq!(world.database.count("select count(*) from outbox").await, 0);
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let world = World::start().await;
    let customer = world.by(world.customer);
    let send = async |content_type: &'static str, body: Vec<u8>| {
        customer.call(Method::POST, "/v1/orders", Some(content_type), body).await.code()
    };
    assert_eq!(send("application/json", b"{".to_vec()).await, Some(Code::MalformedRequest));
    assert_eq!(send("application/json", b"\xff".to_vec()).await, Some(Code::MalformedRequest));
    assert_eq!(send("text/plain", b"{}".to_vec()).await, Some(Code::UnsupportedMediaType));
    assert_eq!(send("application/json", vec![b' '; 65 * 1024]).await, Some(Code::BodyTooLarge));
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(send("application/json", deep.into_bytes()).await, Some(Code::ValidationFailed));
    assert_eq!(customer.get("/v1/nothing").await.code(), Some(Code::NotFound));
    assert_eq!(customer.command("/v1/catalog/x").await.code(), Some(Code::MethodNotAllowed));
    assert_eq!(customer.get("/v1/orders/no-id").await.code(), Some(Code::NotFound));
    let long_key = customer.with_key(&"k".repeat(101)).post("/v1/orders", &json!({ "lines": [] })).await;
    assert_eq!(long_key.code(), Some(Code::ValidationFailed));
}

#[tokio::test]
async fn only_who_may_can_and_others_do_not_learn_that_it_exists() {
    let world = World::start().await;
    let id = world.order().await.id;
    let (stranger, rival) = (new_account(Role::Customer), new_account(Role::Seller));
    let admin = new_account(Role::Admin);
    for who in [stranger, rival] {
        assert_eq!(world.by(who).get(&format!("/v1/orders/{id}")).await.code(), Some(Code::NotFound));
        let cancel = world.by(who).command(&format!("/v1/orders/{id}/cancel")).await;
        assert_eq!(cancel.code(), Some(Code::NotFound));
    }
    assert_eq!(world.by(rival).command(&format!("/v1/orders/{id}/confirm")).await.code(), Some(Code::NotFound));
    for command in ["confirm", "fulfill", "cancel"] {
        let path = format!("/v1/orders/{id}/{command}");
        assert_eq!(world.by(admin).command(&path).await.code(), Some(Code::Forbidden), "an admin changes no order");
    }
    for command in ["confirm", "fulfill"] {
        let path = format!("/v1/orders/{id}/{command}");
        assert_eq!(world.by(world.customer).command(&path).await.code(), Some(Code::Forbidden));
    }
    for who in [world.seller, admin] {
        let lines = json!({ "lines": [] });
        assert_eq!(world.by(who).post("/v1/orders", &lines).await.code(), Some(Code::Forbidden));
    }
    assert_eq!(world.by(admin).get(&format!("/v1/orders/{id}")).await.status, 200);
    assert_eq!(world.show(id).await.version, 1);
}

#[tokio::test]
async fn without_a_good_token_nothing_is_shown() {
    let world = World::start().await;
    let url = world.service.url();
    let old = world.keys.token_for(world.customer, Duration::ZERO);
    let forged = Keys::generate().token(new_account(Role::Admin));
    let with = |token: Option<String>| Caller::new(url.clone(), token);
    assert_eq!(with(None).get("/v1/orders").await.code(), Some(Code::Unauthenticated));
    assert_eq!(with(Some(forged)).get("/v1/orders").await.code(), Some(Code::Unauthenticated));
    assert_eq!(with(Some("nonsense".into())).get("/v1/orders").await.code(), Some(Code::Unauthenticated));
    // It is good for a few seconds more, as clocks differ; then it is old.
    let expired = async || {
        let answer = with(Some(old.clone())).get("/v1/orders").await;
        (answer.code() == Some(Code::TokenExpired)).then_some(answer)
    };
    let answer = orderflow_testing::eventually("the token is old", expired).await;
    assert_eq!((answer.status.as_u16(), &answer.headers["www-authenticate"]), (401, &"Bearer".parse().unwrap()));
}

#[tokio::test]
async fn fulfilling_needs_the_stock() {
    let world = World::start().await;
    let id = world.order().await.id;
    let answer = world.by(world.seller).command(&format!("/v1/orders/{id}/fulfill")).await;
    assert_eq!((answer.code(), &answer.body["order_status"]), (Some(Code::IllegalTransition), &json!("PENDING")));
}
