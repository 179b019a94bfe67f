//! Bad input gets a clear error and changes nothing; who may not, cannot.

use orderflow_contracts::{api::console::Role, problem::Code};
use orderflow_testing::{Caller, new_account};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::World;

fn usd(minor: i64) -> Value {
    json!({ "minor": minor, "currency": "USD" })
}

#[tokio::test]
async fn what_is_no_product_is_refused_and_nothing_is_made() {
    let world = World::start().await;
    let seller = world.by(world.seller);
    let named = |name: &str| json!({ "name": name, "price": usd(1) });
    let priced = |price: Value| json!({ "name": "Widget", "price": price });
    let stocked = |stock: Value| json!({ "name": "Widget", "price": usd(1), "stock": stock });
    for body in [
        named(""),
        named(" \t "),
        named("a\u{7}b"),
        named("a\0b"),
        named("Mug\u{202e}99.0"),
        named("Mug\u{200b}"),
        named(&"ä".repeat(201)),
        priced(usd(0)),
        priced(usd(-1)),
        priced(usd(100_000_001)),
        priced(json!({ "minor": 1, "currency": "XXX" })),
        priced(json!({ "minor": 1.5, "currency": "USD" })),
        stocked(json!(1_000_001)),
        stocked(json!(-1)),
        json!({ "name": "Widget", "price": usd(1), "reserved": 1 }),
        json!({ "name": "Widget" }),
    ] {
        let answer = seller.post("/v1/products", &body).await;
        assert_eq!(answer.code(), Some(Code::ValidationFailed), "{body}: {}", answer.body);
    }
    assert_eq!(world.database.count("select count(*) from products").await, 0);
    assert_eq!(world.database.count("select count(*) from outbox").await, 0);
    let turned = seller.post("/v1/products", &named("Mug\u{202e}99.0")).await;
    assert_eq!(turned.status, 422, "{}", turned.body);
    assert_eq!(turned.body["field"], json!("name"));
    for body in [named(&"ä".repeat(200)), priced(usd(100_000_000)), stocked(json!(1_000_000))] {
        assert_eq!(seller.post("/v1/products", &body).await.status, 201, "{body}");
    }
}

#[tokio::test]
async fn a_bad_edit_or_restock_changes_nothing() {
    let world = World::start().await;
    let (seller, product) = (world.by(world.seller), world.product(999_999).await);
    let path = format!("/v1/products/{product}");
    for body in [json!({ "name": "" }), json!({ "price": usd(0) }), json!({ "stock": 5 })] {
        assert_eq!(seller.patch(&path, &body).await.code(), Some(Code::ValidationFailed), "{body}");
    }
    for quantity in [json!(0), json!(2), json!(u32::MAX), json!(-1), json!("1"), json!(null)] {
        let answer = seller.post(&format!("{path}/restock"), &json!({ "quantity": quantity })).await;
        assert_eq!(answer.code(), Some(Code::ValidationFailed), "{quantity}");
    }
    assert_eq!(world.level(product).await, (999_999, 0));
    assert_eq!(world.database.count("select count(*) from outbox").await, 1);
}

#[tokio::test]
async fn only_its_seller_changes_a_product() {
    let world = World::start().await;
    let product = world.product(1).await;
    let (path, rename, more) = (format!("/v1/products/{product}"), json!({ "name": "X" }), json!({ "quantity": 1 }));
    let new = json!({ "name": "Widget", "price": usd(1) });
    for who in [world.customer, new_account(Role::Admin)] {
        let who = world.by(who);
        assert_eq!(who.post("/v1/products", &new).await.code(), Some(Code::Forbidden));
        assert_eq!(who.patch(&path, &rename).await.code(), Some(Code::Forbidden));
        assert_eq!(who.post(&format!("{path}/restock"), &more).await.code(), Some(Code::Forbidden));
        assert_eq!(who.get(&path).await.status, 200);
    }
    let rival = world.by(new_account(Role::Seller));
    for path in [path, format!("/v1/products/{}", Uuid::now_v7())] {
        assert_eq!(rival.patch(&path, &rename).await.code(), Some(Code::NotFound));
        assert_eq!(rival.post(&format!("{path}/restock"), &more).await.code(), Some(Code::NotFound));
    }
    let nobody = Caller::new(world.service.url(), None);
    for path in ["/v1/products", "/v1/reservations"] {
        assert_eq!(nobody.get(path).await.code(), Some(Code::Unauthenticated));
    }
    assert_eq!(world.level(product).await, (1, 0));
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused() {
    let world = World::start().await;
    world.product(1).await;
    let customer = world.by(world.customer);
    let id = Uuid::now_v7();
    for query in [
        "products?limit=0",
        "products?limit=201",
        "products?sort=colour",
        "products?seller_id=x",
        "products?in_stock=perhaps",
        "products?cursor=x",
        "products?search=%00",
        &format!("products?search={}", "x".repeat(101)),
        &format!("products?sort=price&cursor={id}:dear"),
        &format!("products?sort=available&cursor={id}"),
        &format!("products?sort=name&cursor={id}:%00"),
        "reservations?status=EATEN",
        "reservations?cursor=x",
        "reservations?limit=0",
    ] {
        let answer = customer.get(&format!("/v1/{query}")).await;
        assert_eq!(answer.code(), Some(Code::ValidationFailed), "{query}: {}", answer.body);
    }
    for path in
        ["/v1/products/x", "/v1/reservations/x", &format!("/v1/products/{id}"), &format!("/v1/reservations/{id}")]
    {
        assert_eq!(customer.get(path).await.code(), Some(Code::NotFound), "{path}");
    }
}
