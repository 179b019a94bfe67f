//! What people can do with orders.

use orderflow_contracts::{
    api::{
        console::Role,
        orders::{CreateLine, CreateOrder, Order, OrderStatus},
    },
    events::CancelReason,
    problem::Code,
};
use orderflow_testing::{eventually, new_account};
use serde_json::json;

use crate::world::{PRICE, World};

#[tokio::test]
async fn the_price_is_the_services_and_the_customer_is_the_tokens() {
    let world = World::start().await;
    let order = world.order().await;
    assert_eq!((order.status, order.total), (OrderStatus::Pending, PRICE.times(2).unwrap()));
    assert_eq!((order.customer_id, order.seller_id), (world.customer.account_id, world.seller.account_id));
    assert_eq!(order.lines[0].name, "Test Widget");
    let created = world.published(order.id, 1).await.remove(0);
    assert_eq!((created.event_type(), &created.value["total"]["minor"]), ("order.created", &json!(5998)));
    assert_eq!(created.headers["ce_source"], "/orderflow/orders");
}

#[tokio::test]
async fn a_key_makes_one_order_however_often_it_is_used() {
    let world = World::start().await;
    let lines = vec![CreateLine { product_id: world.product().await, quantity: 1 }];
    let customer = world.by(world.customer).with_key("the-key");
    let tries = (0..10).map(|_| {
        let (customer, body) = (customer.clone(), CreateOrder { lines: lines.clone() });
        tokio::spawn(async move { customer.post("/v1/orders", &body).await })
    });
    let mut orders = Vec::new();
    let mut replayed = 0;
    for answer in tries.collect::<Vec<_>>() {
        let answer = answer.await.unwrap();
        replayed += usize::from(answer.headers.contains_key("idempotency-replayed"));
        orders.push(answer.into::<Order>());
    }
    assert!(orders.iter().all(|order| *order == orders[0]), "{orders:?}");
    assert_eq!((replayed, world.database.count("select count(*) from orders").await), (9, 1));
    let other = CreateOrder { lines: vec![CreateLine { quantity: 2, ..lines[0] }] };
    assert_eq!(customer.post("/v1/orders", &other).await.code(), Some(Code::IdempotencyKeyReused));
    // Another account's key of the same name is another key.
    let someone = world.keys.token(new_account(Role::Customer));
    let someone = orderflow_testing::Caller::new(world.service.url(), Some(someone)).with_key("the-key");
    assert_eq!(someone.post("/v1/orders", &CreateOrder { lines }).await.status, 201);
}

#[tokio::test]
async fn customer_and_seller_can_cancel_until_it_is_shipped() {
    let world = World::start().await;
    for (who, reason) in [(world.customer, CancelReason::ByCustomer), (world.seller, CancelReason::BySeller)] {
        let order = world.order().await;
        let path = format!("/v1/orders/{}/cancel", order.id);
        let cancelled: Order = world.by(who).command(&path).await.into();
        assert_eq!((cancelled.status, cancelled.cancel_reason), (OrderStatus::Cancelled, Some(reason)));
        let again = world.by(who).command(&path).await;
        assert_eq!((again.code(), again.status.as_u16()), (Some(Code::IllegalTransition), 409));
        assert_eq!(again.body["order_status"], "CANCELLED");
    }
}

#[tokio::test]
async fn of_many_confirmations_at_once_one_is_taken() {
    let world = World::start().await;
    let order = world.order().await;
    let seller = world.by(world.seller);
    let tries = (0..10).map(|_| {
        let (seller, path) = (seller.clone(), format!("/v1/orders/{}/confirm", order.id));
        tokio::spawn(async move { seller.command(&path).await.status.as_u16() })
    });
    let mut statuses = Vec::new();
    for status in tries.collect::<Vec<_>>() {
        statuses.push(status.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![202], vec![409; 9]].concat());
    world.published(order.id, 2).await;
}

#[tokio::test]
async fn lists_are_ones_own_filtered_and_in_pages() {
    let world = World::start().await;
    let product_id = world.product().await;
    let customer = world.by(world.customer);
    let mut made = Vec::new();
    for _ in 0..5 {
        let body = CreateOrder { lines: vec![CreateLine { product_id, quantity: 1 }] };
        made.push(customer.post("/v1/orders", &body).await.into::<Order>().id.to_string());
    }
    let first = customer.get("/v1/orders?limit=2").await;
    let second =
        customer.get(&format!("/v1/orders?limit=9&cursor={}", first.body["next_cursor"].as_str().unwrap())).await;
    let ids = [&first.body, &second.body].map(|page| page["items"].as_array().unwrap().clone()).concat();
    let ids: Vec<_> = ids.iter().map(|order| order["id"].as_str().unwrap().to_owned()).collect();
    made.reverse();
    assert_eq!((ids, &second.body["next_cursor"]), (made.clone(), &json!(null)));
    world.by(world.seller).command(&format!("/v1/orders/{}/confirm", made[0])).await;
    let pending = customer.get("/v1/orders?status=PENDING").await.body["items"].as_array().unwrap().len();
    assert_eq!(pending, 4);
    let admin = world.by(new_account(Role::Admin)).get("/v1/orders").await;
    assert_eq!(admin.body["items"].as_array().unwrap().len(), 5);
    let stranger = world.by(new_account(Role::Customer)).get("/v1/orders").await;
    assert_eq!(stranger.body["items"], json!([]));
    for bad in ["limit=0", "limit=201", "limit=x", "cursor=x", "status=EATEN"] {
        assert_eq!(customer.get(&format!("/v1/orders?{bad}")).await.code(), Some(Code::ValidationFailed), "{bad}");
    }
}

/// What every service has for admins, with the methods in the order of the alphabet.
const ADMIN_ROUTES: [(&str, &[&str]); 13] = [
    ("/v1/chaos", &["delete", "get"]),
    ("/v1/chaos/bites", &["get"]),
    ("/v1/chaos/{name}", &["delete", "put"]),
    ("/v1/clock", &["get", "put"]),
    ("/v1/dead-letters", &["get"]),
    ("/v1/dead-letters/{id}", &["get", "patch"]),
    ("/v1/dead-letters/{id}/discard", &["post"]),
    ("/v1/dead-letters/{id}/replay", &["post"]),
    ("/v1/inbox", &["get"]),
    ("/v1/lab", &["get"]),
    ("/v1/lab/{pattern}", &["put"]),
    ("/v1/outbox", &["get"]),
    ("/v1/outbox/replay", &["post"]),
];

#[tokio::test]
async fn health_metrics_clock_and_openapi_are_there() {
    let world = World::start().await;
    let customer = world.by(world.customer);
    assert_eq!(customer.get("/health/live").await.status, 200);
    let ready = async || customer.get("/health/ready").await.status.is_success().then_some(());
    eventually("the service is ready", ready).await;
    assert_eq!(customer.get("/metrics").await.status, 200);
    let openapi = customer.get("/openapi.json").await.body;
    for path in ["/v1/orders", "/v1/orders/{id}", "/v1/orders/{id}/confirm", "/v1/catalog/{product_id}"] {
        assert!(openapi["paths"].get(path).is_some(), "{path}");
    }
    for (path, methods) in ADMIN_ROUTES {
        let described: Vec<_> =
            openapi["paths"][path].as_object().into_iter().flatten().map(|(name, _)| name).collect();
        assert_eq!(described, methods, "{path}");
    }
    for name in ["Fault", "SetFault", "Bites", "Pattern", "OutboxRow", "InboxRow", "DeadLetter", "EditLetter", "Clock"]
    {
        assert!(openapi["components"]["schemas"].get(name).is_some(), "{name}");
    }
    let admin = world.by(new_account(Role::Admin));
    assert_eq!(customer.put("/v1/clock", &json!({ "offset_ms": 1 })).await.code(), Some(Code::Forbidden));
    let before = admin.get("/v1/clock").await.body["now"].as_str().unwrap().to_owned();
    assert_eq!(admin.put("/v1/clock", &json!({ "offset_ms": 86_400_000 })).await.status, 200);
    let after = customer.get("/v1/clock").await.body;
    assert!(after["now"].as_str().unwrap() > before.as_str() && after["offset_ms"] == 86_400_000, "{after}");
}
