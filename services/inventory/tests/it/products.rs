//! The catalogue: what sellers do with it, and what everybody finds in it.

use std::collections::BTreeSet;

use orderflow_contracts::{
    api::{
        Page,
        console::Role,
        inventory::{CreateProduct, EditProduct, Product, Restock},
        ops::LedgerSum,
    },
    events::topics,
    money::{Currency, Money},
    problem::Code,
};
use orderflow_testing::{eventually, new_account};
use serde_json::json;
use uuid::Uuid;

use crate::world::{PRICE, World};

#[tokio::test]
async fn every_change_of_a_product_is_told_once_with_its_version() {
    let world = World::start().await;
    let seller = world.by(world.seller);
    let new = CreateProduct { name: " Widget ".to_owned(), price: PRICE, stock: 5 };
    let made: Product = seller.post("/v1/products", &new).await.into();
    assert_eq!((made.name.as_str(), made.available, made.version), ("Widget", 5, 1));
    assert_eq!(made.seller_id, world.seller.account_id);
    let path = format!("/v1/products/{}", made.id);
    let dearer = EditProduct { price: Some(Money::new(3999, Currency::Usd)), ..EditProduct::default() };
    assert_eq!(seller.patch(&path, &dearer).await.into::<Product>().version, 2);
    assert_eq!(seller.patch(&path, &dearer).await.into::<Product>().version, 2, "nothing has changed");
    assert_eq!(seller.patch(&path, &EditProduct::default()).await.into::<Product>().version, 2);
    let restocked: Product = seller.post(&format!("{path}/restock"), &Restock { quantity: 3 }).await.into();
    assert_eq!((restocked.on_hand, restocked.version), (8, 2));
    let named = EditProduct { name: Some("Gadget".to_owned()), price: None, expected_version: Some(2) };
    assert_eq!(seller.patch(&path, &named).await.into::<Product>().version, 3);
    let late = seller.patch(&path, &named).await;
    assert_eq!((late.code(), &late.body["version"]), (Some(Code::VersionConflict), &json!(3)));

    let records = world.published(topics::CATALOG, made.id, 3).await;
    assert!(records.iter().all(|record| record.event_type() == "catalog.product_changed"));
    assert_eq!(records[0].value["seller_id"], json!(world.seller.account_id));
    let told: Vec<_> = records.iter().map(|record| (&record.value["name"], &record.value["price"]["minor"])).collect();
    let (widget, gadget) = (json!("Widget"), json!("Gadget"));
    assert_eq!(told, [(&widget, &json!(2999)), (&widget, &json!(3999)), (&gadget, &json!(3999))]);
    let received = "select sum(quantity)::bigint from stock_ledger where kind = 'received' and order_id is null";
    assert_eq!(world.database.count(received).await, 8);
}

#[tokio::test]
async fn a_key_restocks_once_however_often_it_is_used() {
    let world = World::start().await;
    let product = world.product(1).await;
    let (seller, path) = (world.by(world.seller).with_key("k"), format!("/v1/products/{product}/restock"));
    let tries = (0..10).map(|_| {
        let (seller, path) = (seller.clone(), path.clone());
        tokio::spawn(async move { seller.post(&path, &Restock { quantity: 2 }).await })
    });
    for answer in tries.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap().into::<Product>().on_hand, 3);
    }
    assert_eq!(world.level(product).await, (3, 0));
    let told = world.published(topics::AUDIT, product, 1).await.remove(0);
    assert_eq!(told.value, json!({ "action": "product.restock", "detail": { "quantity": 2 } }));
    assert_eq!(told.headers["ce_actor"], world.seller.actor());
    assert_eq!(seller.post(&path, &Restock { quantity: 3 }).await.code(), Some(Code::IdempotencyKeyReused));
}

#[tokio::test]
async fn of_editors_who_have_seen_the_same_version_one_wins() {
    let world = World::start().await;
    let path = format!("/v1/products/{}", world.product(1).await);
    let tries = (0..10).map(|number| {
        let (seller, path) = (world.by(world.seller), path.clone());
        let edit = EditProduct { name: Some(format!("Name {number}")), price: None, expected_version: Some(1) };
        tokio::spawn(async move { seller.patch(&path, &edit).await.status.as_u16() })
    });
    let mut statuses = Vec::new();
    for status in tries.collect::<Vec<_>>() {
        statuses.push(status.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![200], vec![409; 9]].concat());
}

async fn add(world: &World, name: &str, minor: i64, stock: u32) {
    let new = CreateProduct { name: name.to_owned(), price: Money::new(minor, Currency::Usd), stock };
    assert_eq!(world.by(world.seller).post("/v1/products", &new).await.status, 201);
}

async fn names(world: &World, query: &str) -> Vec<String> {
    let page: Page<Product> = world.by(world.customer).get(&format!("/v1/products?{query}")).await.into();
    page.items.into_iter().map(|product| product.name).collect()
}

#[tokio::test]
async fn a_search_takes_every_character_for_itself() {
    let world = World::start().await;
    for (name, stock) in [("50% off", 1), ("50 off", 0), ("a_b", 1), ("axb", 1), (r"back\slash", 1)] {
        add(&world, name, 100, stock).await;
    }
    for (query, found) in [
        ("search=%25", vec!["50% off"]),
        ("search=_", vec!["a_b"]),
        ("search=A_B", vec!["a_b"]),
        ("search=%5C", vec![r"back\slash"]),
        ("search=%5C%25", vec![]),
        ("search=OFF&sort=name", vec!["50 off", "50% off"]),
        ("search=off&in_stock=true", vec!["50% off"]),
        ("search=%27%3B--", vec![]),
    ] {
        assert_eq!(names(&world, query).await, found, "{query}");
    }
    assert_eq!(names(&world, "search=").await.len(), 5);
    let own = format!("seller_id={}", world.seller.account_id);
    assert_eq!(names(&world, &own).await.len(), 5);
    let others = format!("seller_id={}", new_account(Role::Seller).account_id);
    assert!(names(&world, &others).await.is_empty());
}

#[tokio::test]
async fn every_sort_goes_through_all_pages_without_gap_or_repeat() {
    let world = World::start().await;
    for (name, minor, stock) in
        [("c", 300, 1), ("a", 200, 2), ("a", 200, 2), ("b", 200, 0), ("b:b", 100, 2), ("a", 100, 1), ("d", 200, 0)]
    {
        add(&world, name, minor, stock).await;
    }
    let customer = world.by(world.customer);
    for sort in ["newest", "name", "price", "available"] {
        let (mut seen, mut cursor): (Vec<Product>, _) = (vec![], String::new());
        loop {
            let page: Page<Product> = customer.get(&format!("/v1/products?sort={sort}&limit=2{cursor}")).await.into();
            assert!(page.items.len() <= 2);
            seen.extend(page.items);
            let Some(next) = page.next_cursor else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen.iter().map(|product| product.id).collect::<BTreeSet<_>>().len(), 7, "{sort}: {seen:?}");
        let sorted = match sort {
            "newest" => seen.is_sorted_by(|a, b| a.id > b.id),
            "name" => seen.is_sorted_by_key(|product| product.name.clone()),
            "price" => seen.is_sorted_by_key(|product| product.price.minor),
            _ => seen.is_sorted_by_key(|product| product.available),
        };
        assert!(sorted && seen.len() == 7, "{sort}: {seen:?}");
    }
}

#[tokio::test]
async fn the_ledger_comes_in_pages_that_read_no_more_than_they_show() {
    let world = World::start().await;
    let (first, second) = (world.product(7).await, world.product(3).await);
    // Each of many orders has held one piece of the first product and given it back.
    let fill = "insert into stock_ledger (product_id, order_id, kind, quantity, at_ms)
                select $1, ('00000000-0000-7000-8000-' || lpad(number::text, 12, '0'))::uuid, kind, 1, 0
                from generate_series(1, 20000) as number, (values ('reserved'), ('released')) as kinds (kind)";
    sqlx::query(fill).bind(Uuid::from(first)).execute(world.database.pool()).await.unwrap();
    sqlx::query("analyze stock_ledger").execute(world.database.pool()).await.unwrap();
    let page = async |cursor: &str| -> Page<LedgerSum> {
        world.admin().get(&format!("/v1/ledger?limit=100{cursor}")).await.into()
    };
    let one = page("").await;
    let (place, received) = (one.next_cursor.unwrap(), &one.items[0]);
    assert_eq!((received.product_id, received.order_id, received.received), (first, None, 7));
    assert!(one.items[1..].iter().all(|sum| (sum.order_id.is_some(), sum.reserved, sum.released) == (true, 1, 1)));
    let two = page(&format!("&cursor={place}")).await;
    assert_eq!((one.items.len(), two.items.len()), (100, 100));
    assert!(one.items[99].order_id < two.items[0].order_id);
    let last = page(&format!("&cursor={first}:00000000-0000-7000-8000-000000020000")).await;
    assert_eq!((last.items.len(), last.items[0].product_id, last.items[0].received), (1, second, 3));

    let scans = "select idx_scan from pg_stat_user_indexes where indexrelname = 'stock_ledger_by_order'";
    let all = async || (world.database.count(scans).await >= 3).then_some(());
    eventually("the index was used for each page", all).await;
    let read = "select idx_tup_read from pg_stat_user_indexes where indexrelname = 'stock_ledger_by_order'";
    let read = world.database.count(read).await;
    assert!(read < 1_000, "{read} of 40,002 movements were read for two pages");
}
