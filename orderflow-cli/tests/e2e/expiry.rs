//! Nobody pays: the clock ends the order. The clock is the whole cluster's, so this has one of its own.

use orderflow_testing::eventually;

use crate::{cluster::Cluster, scripts, shop::Stage};

#[tokio::test]
async fn an_order_that_nobody_pays_ends_after_half_an_hour() {
    let shop = Cluster::start();
    let product = shop.product(10).await;
    let shown = shop.admin().json("clock show").await;
    assert_eq!(shown["offset_ms"], 0, "{shown:#}");
    let waiting = shop.order_at(Stage::Confirmed, &product, 2).await;
    let paid = shop.order_at(Stage::Paid, &product, 3).await;
    let pending = shop.order(&product, 4).await;
    assert_eq!(shop.stock(&product).await, [10, 5, 5]);

    shop.admin().json("clock advance 29m").await;
    shop.customer().json(&format!("order show {waiting}")).await;
    assert_eq!(shop.state(&waiting).await, ["CONFIRMED", "HELD", "OPEN"]);

    // One minute more is the deadline, and one more the grace: no charge that began in time is still under way then.
    shop.admin().json("clock advance 1m").await;
    let late = shop.customer().refused(1, &format!("order pay {waiting} --token tok_visa --wait")).await;
    late.says("payment_deadline_passed").writes_nothing();
    assert_eq!(shop.charges(&waiting).await, []);
    shop.admin().json("clock advance 1m").await;
    shop.is_at_last(&waiting, ["CANCELLED", "RELEASED", "VOIDED"]).await;
    assert_eq!(shop.show(&waiting).await["cancel_reason"], "expired");
    assert_eq!(shop.reservation(&waiting).await, "RELEASED");
    shop.has_stock_at_last(&product, [10, 3, 7]).await;
    let told =
        async || shop.timeline(&waiting).await.contains(&"inventory.reservation_expired".to_owned()).then_some(());
    eventually("the timeline says that the reservation has ended", told).await;

    // Neither a new payment nor anything else brings it back.
    let line = format!("order pay {waiting} --token tok_visa --wait");
    shop.customer().refused(1, &line).await.says("payment_over").writes_nothing();
    shop.seller().refused(1, &format!("order confirm {waiting}")).await.says("CANCELLED");
    assert_eq!(shop.charges(&waiting).await, []);

    // What was paid has no end, and what was never confirmed holds nothing.
    shop.admin().json("clock advance 30d").await;
    assert_eq!(shop.state(&paid).await, ["PAID", "ALLOCATED", "SUCCEEDED"]);
    shop.bring(&paid, Stage::Paid, Stage::Fulfilled).await;
    shop.bring(&pending, Stage::Pending, Stage::Fulfilled).await;
    shop.has_stock_at_last(&product, [3, 0, 3]).await;

    scripts::example(&shop, "expiry.sh").await;
    let reset = shop.admin().json("clock reset").await;
    assert_eq!(reset["offset_ms"], 0, "{reset:#}");
    shop.customer().refused(1, "clock advance 1m").await.says("forbidden");
}
