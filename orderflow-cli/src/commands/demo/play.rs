//! The plays.

use orderflow_client::saga::Goal;
use orderflow_contracts::{
    api::{
        inventory::CreateProduct,
        orders::{CreateLine, CreateOrder, Order},
        payments::Pay,
    },
    ids::{OrderId, ProductId},
    money::{Currency, Money},
    words::word,
};

use super::{
    stage::{Stage, key},
    summary::Summary,
};
use crate::{exit::Outcome, wait};

const NAME: &str = "Test Widget";
const PRICE: Money = Money::new(2999, Currency::Usd);
const STOCK: u32 = 10;

/// All of them, and what came of them.
pub async fn all(stage: &mut Stage) -> Outcome<Summary> {
    let product = list_product(stage).await?;
    let orders = [
        sale(stage, product).await?,
        declined_card(stage, product).await?,
        refund(stage, product).await?,
        out_of_stock(stage, product).await?,
    ];
    Summary::of(stage, product, orders).await
}

async fn list_product(stage: &mut Stage) -> Outcome<ProductId> {
    stage.heading("1. A sale");
    stage.act("seller", &format!("lists \"{NAME}\" at {PRICE}, {STOCK} in stock"));
    let product = CreateProduct { name: NAME.into(), price: PRICE, stock: STOCK };
    let product = stage.seller.create_product(&product, &key()).await?.value;
    stage.hear(product.id, &["catalog.product_changed"]).await?;
    wait::for_catalog(&stage.seller, product.id, product.version, &mut stage.waiter()).await?;
    Ok(product.id)
}

async fn sale(stage: &mut Stage, product: ProductId) -> Outcome<OrderId> {
    let order = create(stage, product, 2).await?;
    confirm(stage, order).await?;
    let stock = stage.stock(product).await?;
    stage.expect("stock is reserved", stock, text(10, 2, 8));
    pay(stage, order, "tok_visa").await?;
    stage.hear(order, &["payment.succeeded", "order.paid", "inventory.allocated"]).await?;
    stage.reached(order, Goal::Paid).await?;

    stage.act("seller", "ships");
    stage.seller.fulfill_order(order, &key()).await?;
    stage.hear(order, &["order.fulfilled", "inventory.committed"]).await?;
    let (ended, _) = stage.reached(order, Goal::Fulfilled).await?;
    stage.expect("the order", stands(&ended), "FULFILLED, stock COMMITTED, money SUCCEEDED".into());
    let stock = stage.stock(product).await?;
    stage.expect("stock has gone down", stock, text(8, 0, 8));
    Ok(order)
}

async fn declined_card(stage: &mut Stage, product: ProductId) -> Outcome<OrderId> {
    stage.heading("2. A declined card: the stock comes back by itself");
    let order = create(stage, product, 2).await?;
    confirm(stage, order).await?;
    let stock = stage.stock(product).await?;
    stage.expect("stock is reserved", stock, text(8, 2, 6));
    pay(stage, order, "tok_chargeDeclined").await?;
    stage.hear(order, &["payment.failed", "order.cancelled", "inventory.released"]).await?;
    let (ended, _) = stage.reached(order, Goal::Cancelled { with_payment: true }).await?;
    stage.expect("the order", stands(&ended), "CANCELLED(payment_failed), stock RELEASED, money FAILED".into());
    let stock = stage.stock(product).await?;
    stage.expect("stock is back", stock, text(8, 0, 8));
    Ok(order)
}

async fn refund(stage: &mut Stage, product: ProductId) -> Outcome<OrderId> {
    stage.heading("3. A paid order is called off: the money comes back, and so does the stock");
    let order = create(stage, product, 2).await?;
    confirm(stage, order).await?;
    pay(stage, order, "tok_visa").await?;
    stage.hear(order, &["payment.succeeded", "order.paid", "inventory.allocated"]).await?;
    stage.reached(order, Goal::Paid).await?;

    stage.act("customer", "calls it off");
    stage.customer.cancel_order(order, &key()).await?;
    stage.hear(order, &["order.cancelled", "inventory.released", "payment.refunded"]).await?;
    let (ended, _) = stage.reached(order, Goal::Cancelled { with_payment: true }).await?;
    stage.expect("the order", stands(&ended), "CANCELLED(by_customer), stock RELEASED, money REFUNDED".into());
    let stock = stage.stock(product).await?;
    stage.expect("stock is back", stock, text(8, 0, 8));
    Ok(order)
}

async fn out_of_stock(stage: &mut Stage, product: ProductId) -> Outcome<OrderId> {
    stage.heading("4. More than there is: nothing is held, nothing is owed");
    let order = create(stage, product, 100).await?;
    stage.act("seller", "confirms");
    stage.seller.confirm_order(order, &key()).await?;
    stage.hear(order, &["inventory.reservation_failed", "order.cancelled"]).await?;
    let (ended, _) = stage.reached(order, Goal::Cancelled { with_payment: false }).await?;
    stage.expect("the order", stands(&ended), "CANCELLED(out_of_stock), stock FAILED, money NONE".into());
    let stock = stage.stock(product).await?;
    stage.expect("stock is as it was", stock, text(8, 0, 8));
    Ok(order)
}

async fn create(stage: &mut Stage, product_id: ProductId, quantity: u32) -> Outcome<OrderId> {
    stage.act("customer", &format!("orders {quantity}"));
    let lines = vec![CreateLine { product_id, quantity }];
    let order = stage.customer.create_order(&CreateOrder { lines }, &key()).await?.value;
    stage.hear(order.id, &["order.created"]).await?;
    Ok(order.id)
}

async fn confirm(stage: &mut Stage, order: OrderId) -> Outcome {
    stage.act("seller", "confirms");
    stage.seller.confirm_order(order, &key()).await?;
    stage.hear(order, &["inventory.reserved", "order.confirmed", "payment.opened"]).await?;
    stage.reached(order, Goal::Confirmed).await?;
    Ok(())
}

async fn pay(stage: &mut Stage, order: OrderId, token: &str) -> Outcome {
    stage.act("customer", &format!("pays with {token}"));
    stage.customer.pay_order(order, &Pay { token: token.to_owned() }, &key()).await?;
    Ok(())
}

fn text(on_hand: u32, reserved: u32, available: u32) -> String {
    format!("{on_hand} on hand, {reserved} reserved, {available} available")
}

/// Where an order stands, in the services' words.
fn stands(order: &Order) -> String {
    let reason = order.cancel_reason.map(|reason| format!("({})", word(reason))).unwrap_or_default();
    let (stock, money) = (word(order.reservation.status), word(order.payment.status));
    format!("{}{reason}, stock {stock}, money {money}", order.status.as_str())
}
