//! What locks and versions are for, in the services that hold stock and money; for orders it is in `chaos`. The same is
//! done with the pattern in its place, where no book is wrong, and without it, where one is.

use orderflow_testing::eventually;

use crate::{
    cluster::Cluster,
    shop::{Stage, text},
};

/// How often it is tried: what needs two things at the same time may miss.
const TRIES: usize = 3;

/// The seller restocks while inventory is about to promise a piece.
async fn restock_while_stock_is_promised(shop: &Cluster) {
    let product = shop.product(1_000).await;
    for _ in 0..TRIES {
        let order = shop.order(&product, 1).await;
        shop.seller().run(&format!("order confirm {order}")).await.ends(0);
        let promised = async || {
            shop.seller().run(&format!("product restock {product} --quantity 5")).await.ends(0);
            let reservation = shop.admin().run_with(&format!("reservation show {order}"), "").await;
            (reservation.code == Some(0)).then_some(())
        };
        eventually("the stock is promised", promised).await;
        shop.is_at_last(&order, ["CONFIRMED", "HELD", "OPEN"]).await;
    }
}

/// The customer pays, and calls it off while the provider is being asked.
async fn cancel_while_it_is_paid(shop: &Cluster, orders: &[String]) {
    for order in orders {
        shop.customer().run(&format!("order pay {order} --token tok_visa")).await.ends(0);
        shop.customer().run(&format!("order cancel {order}")).await.ends(0);
        assert_eq!(text(&shop.show(order).await["status"]), "CANCELLED");
    }
}

#[tokio::test]
async fn without_locks_a_delivery_of_stock_is_forgotten() {
    let shop = Cluster::laboratory();
    restock_while_stock_is_promised(&shop).await;
    assert_eq!(shop.violations().await, [""; 0]);
    shop.admin().run("lab disable version-check").await.ends(0);
    restock_while_stock_is_promised(&shop).await;
    let found = shop.violations().await;
    assert!(found.contains(&"stock.on_hand".to_owned()), "{found:?}");
}

#[tokio::test]
async fn without_locks_money_that_was_taken_is_forgotten() {
    let shop = Cluster::laboratory();
    let product = shop.product(100).await;
    // It answers while payments hears of the cancellation, and before it writes down what comes of that.
    shop.chaos("set provider-latency 280ms").await;
    let mut orders = Vec::new();
    for _ in 0..TRIES {
        orders.push(shop.order_at(Stage::Confirmed, &product, 1).await);
    }
    let guarded = [shop.order_at(Stage::Confirmed, &product, 1).await];
    cancel_while_it_is_paid(&shop, &guarded).await;
    shop.is_at_last(&guarded[0], ["CANCELLED", "RELEASED", "REFUNDED"]).await;
    assert_eq!(shop.violations().await, [""; 0]);
    shop.admin().run("lab disable version-check").await.ends(0);
    cancel_while_it_is_paid(&shop, &orders).await;
    let found = shop.violations().await;
    assert!(found.contains(&"money.balance".to_owned()), "{found:?}");
}
