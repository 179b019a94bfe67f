//! Every ending of an order, on the command line. Who waits until the clock ends it is in `expiry`.

use orderflow_testing::eventually;

use crate::{
    cluster::Cluster,
    shop::{PRICE, Stage, card, id, text},
};

#[tokio::test]
async fn an_order_goes_all_the_way() {
    let shop = Cluster::shared();
    let product = shop.product(10).await;
    let order = shop.customer().json(&format!("order create --item {product}:2 --wait")).await;
    let order_id = id(&order);
    assert_eq!(order["total"], serde_json::json!({ "minor": 2 * PRICE, "currency": "USD" }));
    assert_eq!(order["lines"][0]["product_id"], product);
    assert_eq!(order["lines"][0]["unit_price"]["minor"], PRICE);
    assert_eq!((&order["reservation"]["status"], &order["payment"]["status"]), (&"NONE".into(), &"NONE".into()));
    assert_eq!(shop.stock(&product).await, [10, 0, 10]);

    let confirmed = shop.seller().json(&format!("order confirm {order_id} --wait")).await;
    assert_eq!((&confirmed["status"], &confirmed["payment"]["status"]), (&"CONFIRMED".into(), &"OPEN".into()));
    assert!(text(&confirmed["payment"]["link"]).ends_with(&order_id), "{confirmed:#}");
    assert!(confirmed["reservation"]["expires_at"].is_string(), "{confirmed:#}");
    assert_eq!((shop.stock(&product).await, shop.reservation(&order_id).await), ([10, 2, 8], "HELD".to_owned()));

    let paid = shop.customer().json(&format!("order pay {order_id} --token tok_visa --wait")).await;
    assert_eq!((&paid["status"], &paid["reservation"]["status"]), (&"PAID".into(), &"ALLOCATED".into()));
    assert_eq!(shop.stock(&product).await, [10, 2, 8]);

    let shipped = shop.seller().json(&format!("order fulfill {order_id} --wait")).await;
    assert_eq!((&shipped["status"], &shipped["reservation"]["status"]), (&"FULFILLED".into(), &"COMMITTED".into()));
    assert_eq!((shop.stock(&product).await, shop.reservation(&order_id).await), ([8, 0, 8], "COMMITTED".to_owned()));
    let payment = shop.payment(&order_id).await;
    assert_eq!((&payment["status"], &payment["card"]["last4"]), (&"SUCCEEDED".into(), &"4242".into()));
    assert_eq!(shop.charges(&order_id).await, [("succeeded".to_owned(), 2 * PRICE, 0)]);

    let all = [
        "order.created",
        "order.confirmation_requested",
        "inventory.reserved",
        "order.confirmed",
        "payment.opened",
        "payment.succeeded",
        "order.paid",
        "inventory.allocated",
        "order.fulfilled",
        "inventory.committed",
    ];
    let complete = async || (shop.timeline(&order_id).await == all).then_some(());
    eventually("the timeline tells all of it, in this order", complete).await;
    let timeline = shop.customer().json(&format!("order timeline {order_id}")).await;
    assert_eq!((&timeline["order_id"], &timeline["next"]), (&order_id.into(), &serde_json::json!([])));
    assert!(timeline["steps"][9]["elapsed_ms"].as_i64() > timeline["steps"][0]["elapsed_ms"].as_i64());
}

#[tokio::test]
async fn a_declined_card_ends_the_order_and_the_stock_comes_back() {
    let shop = Cluster::shared();
    let declining = [
        ("--token tok_chargeDeclined", "", "card_declined"),
        ("--token tok_chargeDeclinedInsufficientFunds", "", "insufficient_funds"),
        ("--token tok_chargeDeclinedExpiredCard", "", "expired_card"),
        ("--token tok_chargeDeclinedIncorrectCvc", "", "incorrect_cvc"),
        ("--token tok_chargeDeclinedProcessingError", "", "processing_error"),
        ("--card-file -", "4000000000000002", "card_declined"),
        ("--card-file -", "4000000000009995", "insufficient_funds"),
        ("--card-file -", "4000000000000069", "expired_card"),
        ("--card-file -", "4000000000000127", "incorrect_cvc"),
        ("--card-file -", "4000000000000119", "processing_error"),
    ];
    let product = shop.product(2).await;
    for (means, number, reason) in declining {
        // Each of them can have both pieces, since the one before has given them back.
        shop.has_stock_at_last(&product, [2, 0, 2]).await;
        let order = shop.order_at(Stage::Confirmed, &product, 2).await;
        let input = if number.is_empty() { String::new() } else { card(number) };
        let line = format!("order pay {order} {means} --wait");
        let ended = shop.customer().run_with(&line, &input).await.ends(5).says("declined").document();
        assert_eq!((&ended["status"], &ended["cancel_reason"]), (&"CANCELLED".into(), &"payment_failed".into()));
        shop.is_at_last(&order, ["CANCELLED", "RELEASED", "FAILED"]).await;
        assert_eq!(shop.payment(&order).await["decline_code"], reason);
        assert_eq!(shop.charges(&order).await, [("declined".to_owned(), 2 * PRICE, 0)]);
        assert_eq!(shop.reservation(&order).await, "RELEASED");
    }
    assert_eq!(shop.stock(&product).await, [2, 0, 2]);
}

#[tokio::test]
async fn every_good_card_pays_once() {
    let shop = Cluster::shared();
    let good = [
        ("--token tok_visa", "", "4242"),
        ("--token tok_mastercard", "", "4444"),
        ("--token tok_amex", "", "0005"),
        ("--card-file -", "4242424242424242", "4242"),
        ("--card-file -", "5555 5555 5555 4444", "4444"),
        ("--card-file -", "378282246310005", "0005"),
        // Answers two times that something has broken.
        ("--token tok_errorTwice", "", "5001"),
        ("--card-file -", "4000000000005001", "5001"),
        // Takes the money, and says nothing: whether it was taken is not known until it is asked again.
        ("--token tok_timeoutAfterCharge", "", "5043"),
        ("--card-file -", "4000000000005043", "5043"),
    ];
    let product = shop.product(100).await;
    let pay = good.map(|(means, number, last4)| {
        let product = &product;
        async move {
            let order = shop.order_at(Stage::Confirmed, product, 1).await;
            let input = if number.is_empty() { String::new() } else { card(number) };
            let line = format!("order pay {order} {means} --wait --timeout 60s");
            let paid = shop.customer().run_with(&line, &input).await.json();
            assert_eq!((&paid["status"], &paid["reservation"]["status"]), (&"PAID".into(), &"ALLOCATED".into()));
            assert_eq!(shop.charges(&order).await, [("succeeded".to_owned(), PRICE, 0)], "{means} {last4}");
            assert_eq!(shop.payment(&order).await["card"]["last4"], last4);
        }
    });
    futures_util::future::join_all(pay).await;
    assert_eq!(shop.stock(&product).await, [100, 10, 90]);
}

#[tokio::test]
async fn a_card_that_is_none_of_the_test_cards_is_never_charged() {
    let shop = Cluster::shared();
    let product = shop.product(1).await;
    let order = shop.order_at(Stage::Confirmed, &product, 1).await;
    let line = format!("order pay {order} --card-file - --wait");
    shop.customer().run_with(&line, &card("4111111111111111")).await.ends(5);
    shop.has_stock_at_last(&product, [1, 0, 1]).await;
    assert_eq!(shop.payment(&order).await["decline_code"], "test_mode_live_card");
    assert_eq!(shop.charges(&order).await, [("declined".to_owned(), PRICE, 0)]);
    // A token that the provider has never given is a mistake, and changes nothing.
    let order = shop.order_at(Stage::Confirmed, &product, 1).await;
    let refused = shop.customer().refused(1, &format!("order pay {order} --token tok_nobodys --wait")).await;
    refused.says("does not know this token").writes_nothing();
    assert_eq!(shop.charges(&order).await, []);
    assert_eq!(shop.state(&order).await, ["CONFIRMED", "HELD", "OPEN"]);
}

#[tokio::test]
async fn the_dearest_order_that_there_can_be_is_paid_to_the_cent() {
    let shop = Cluster::shared();
    let product = id(&shop.seller().json("product add --name Dear --price 1000000 --stock 10000").await);
    let order = id(&shop.customer().json(&format!("order create --item {product}:10000")).await);
    shop.bring(&order, Stage::Pending, Stage::Paid).await;
    assert_eq!(shop.charges(&order).await, [("succeeded".to_owned(), 1_000_000_000_000, 0)]);
}

#[tokio::test]
async fn an_order_gets_all_of_its_lines_or_nothing() {
    let shop = Cluster::shared();
    let (plenty, scarce) = (shop.product(10).await, shop.product(1).await);
    let create = format!("order create --item {plenty}:2 --item {scarce}:2");
    let order = id(&shop.customer().json(&create).await);
    let confirm = format!("order confirm {order} --wait");
    let ended = shop.seller().refused(5, &confirm).await.says("out of stock").document();
    assert_eq!((&ended["status"], &ended["cancel_reason"]), (&"CANCELLED".into(), &"out_of_stock".into()));
    assert_eq!(shop.state(&order).await, ["CANCELLED", "FAILED", "NONE"]);
    assert_eq!((shop.stock(&plenty).await, shop.stock(&scarce).await), ([10, 0, 10], [1, 0, 1]));
    assert_eq!(shop.reservation(&order).await, "REFUSED");
    assert_eq!(shop.charges(&order).await, []);

    // With one piece more there is enough of both.
    shop.seller().json(&format!("product restock {scarce} --quantity 1")).await;
    let order = id(&shop.customer().json(&create).await);
    shop.bring(&order, Stage::Pending, Stage::Fulfilled).await;
    assert_eq!((shop.stock(&plenty).await, shop.stock(&scarce).await), ([8, 0, 8], [0, 0, 0]));
}

#[tokio::test]
async fn customer_and_seller_can_call_off_in_every_state_before_shipping() {
    let shop = Cluster::shared();
    let product = shop.product(5).await;
    for (who, reason) in [(shop.customer(), "by_customer"), (shop.seller(), "by_seller")] {
        let refunded = vec![("succeeded".to_owned(), 2 * PRICE, 2 * PRICE)];
        let endings = [
            // Nothing was held and nothing was due: tombstones refuse whatever comes late, and are told to nobody.
            (Stage::Pending, ["CANCELLED", "NONE", "NONE"], "VOIDED", vec![]),
            (Stage::Confirmed, ["CANCELLED", "RELEASED", "VOIDED"], "VOIDED", vec![]),
            (Stage::Paid, ["CANCELLED", "RELEASED", "REFUNDED"], "REFUNDED", refunded),
        ];
        for (stage, state, payment, charges) in endings {
            let order = shop.order_at(stage, &product, 2).await;
            let ended = who.json(&format!("order cancel {order} --wait")).await;
            assert_eq!((&ended["status"], &ended["cancel_reason"]), (&"CANCELLED".into(), &reason.into()));
            // `--wait` has seen stock and money come back.
            assert_eq!(shop.state(&order).await, state, "{stage:?}");
            let known_elsewhere = async || {
                let held = shop.admin().run_with(&format!("reservation show {order}"), "").await;
                let due = shop.admin().run_with(&format!("payment show {order}"), "").await;
                let is_so = held.code == Some(0)
                    && due.code == Some(0)
                    && (held.document()["status"] == "RELEASED" && due.document()["status"] == payment);
                is_so.then_some(())
            };
            eventually("inventory and payments have closed the order", known_elsewhere).await;
            assert_eq!(shop.charges(&order).await, charges, "{stage:?}");
            assert_eq!(shop.stock(&product).await, [5, 0, 5], "{stage:?}");
        }
        let shipped = shop.order_at(Stage::Fulfilled, &product, 1).await;
        who.refused(1, &format!("order cancel {shipped}")).await.says("FULFILLED").writes_nothing();
        assert_eq!(shop.state(&shipped).await, ["FULFILLED", "COMMITTED", "SUCCEEDED"]);
        shop.seller().json(&format!("product restock {product} --quantity 1")).await;
    }
}

#[tokio::test]
async fn calling_off_at_once_after_confirming_holds_nothing_back() {
    let shop = Cluster::shared();
    let product = shop.product(3).await;
    for _ in 0..5 {
        let order = shop.order(&product, 3).await;
        // The order is being confirmed, or is confirmed already: nobody knows, and it does not matter.
        shop.seller().json(&format!("order confirm {order}")).await;
        let ended = shop.customer().json(&format!("order cancel {order} --wait")).await;
        assert_eq!((&ended["status"], &ended["cancel_reason"]), (&"CANCELLED".into(), &"by_customer".into()));
        shop.has_stock_at_last(&product, [3, 0, 3]).await;
    }
}

#[tokio::test]
async fn a_charge_that_comes_after_the_cancellation_is_given_back() {
    let shop = Cluster::shared();
    let product = shop.product(1).await;
    let order = shop.order_at(Stage::Confirmed, &product, 1).await;
    // The money is taken, and the answer takes seconds: race 2.
    shop.customer().json(&format!("order pay {order} --token tok_timeoutAfterCharge")).await;
    shop.customer().json(&format!("order cancel {order} --wait --timeout 60s")).await;
    assert_eq!(shop.state(&order).await, ["CANCELLED", "RELEASED", "REFUNDED"]);
    assert_eq!(shop.charges(&order).await, [("succeeded".to_owned(), PRICE, PRICE)]);
    assert_eq!(shop.stock(&product).await, [1, 0, 1]);
}

#[tokio::test]
async fn watching_an_order_ends_with_the_order() {
    let shop = Cluster::shared();
    let product = shop.product(1).await;
    let order = shop.order(&product, 1).await;
    let watcher = shop.customer();
    let line = format!("order watch {order} --timeout 60s -o jsonl");
    let watched = tokio::spawn(async move { watcher.run(&line).await.ends(0) });
    shop.bring(&order, Stage::Pending, Stage::Fulfilled).await;
    let watched = watched.await.unwrap();
    let types: Vec<String> = watched
        .out
        .lines()
        .map(|line| text(&serde_json::from_str::<serde_json::Value>(line).unwrap()["type"]))
        .collect();
    assert_eq!(types.len(), 10, "{types:?}");
    assert_eq!((types[0].as_str(), types[9].as_str()), ("order.created", "inventory.committed"));
}
