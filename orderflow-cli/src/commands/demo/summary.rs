//! What came of the plays.

use orderflow_contracts::{
    api::{inventory::Product, orders::Order, payments::PaymentStatus},
    ids::{OrderId, ProductId},
    money::{Currency, Money},
    words::word,
};
use serde::Serialize;

use super::stage::Stage;
use crate::{
    exit::Outcome,
    output::{
        Align::{Left, Right},
        Paint, Table,
    },
};

/// What the orders stand for.
const PLAYS: [&str; 4] = ["sale", "declined card", "called off", "out of stock"];

/// The table at the end.
#[derive(Serialize)]
pub struct Summary {
    /// Whether everything was as expected.
    ok: bool,
    /// What was not.
    pub wrong: Vec<String>,
    orders: Vec<Order>,
    stock: Product,
    captured: Money,
    refunded: Money,
}

impl Summary {
    /// Counts stock and money once more, from what the services say now.
    pub async fn of(stage: &mut Stage, product: ProductId, ids: [OrderId; 4]) -> Outcome<Self> {
        let (mut captured, mut refunded) = (Money::new(0, Currency::Usd), Money::new(0, Currency::Usd));
        let mut orders = Vec::new();
        for id in ids {
            let order = stage.customer.order(id).await?;
            let status = match stage.payment(id).await {
                Ok(payment) => Some(payment.status),
                // Nothing was ever due for the order that was out of stock.
                Err(_) => None,
            };
            if matches!(status, Some(PaymentStatus::Succeeded | PaymentStatus::Refunding | PaymentStatus::Refunded)) {
                captured.minor += order.total.minor;
            }
            if status == Some(PaymentStatus::Refunded) {
                refunded.minor += order.total.minor;
            }
            orders.push(order);
        }
        let stock = stage.seller.product(product).await?;
        stage.heading("The books");
        stage.expect("money taken", captured, Money::new(2 * 5998, Currency::Usd));
        stage.expect("money given back", refunded, Money::new(5998, Currency::Usd));
        stage.expect("pieces on hand", stock.on_hand, 8);
        stage.expect("pieces reserved", stock.reserved, 0);
        let wrong = std::mem::take(&mut stage.wrong);
        Ok(Self { ok: wrong.is_empty(), wrong, orders, stock, captured, refunded })
    }

    /// For people.
    pub fn text(&self, paint: Paint) -> String {
        // Narrow enough for 80 columns; ids of a cluster that is gone are of no use to anybody.
        let columns = [
            ("", Right),
            ("PLAY", Left),
            ("TOTAL", Right),
            ("END", Left),
            ("WHY", Left),
            ("STOCK", Left),
            ("MONEY", Left),
        ];
        let mut table = Table::new(columns);
        for (number, (play, order)) in PLAYS.iter().zip(&self.orders).enumerate() {
            table.row([
                (number + 1).to_string(),
                (*play).to_owned(),
                order.total.to_string(),
                order.status.as_str().to_owned(),
                order.cancel_reason.map(word).unwrap_or_default(),
                word(order.reservation.status),
                word(order.payment.status),
            ]);
        }
        let Product { name, on_hand, reserved, available, .. } = &self.stock;
        format!(
            "\n{}\nstock  {name}: {on_hand} on hand, {reserved} reserved, {available} available\n\
             money  {} taken, {} given back\n",
            table.render(paint),
            self.captured,
            self.refunded,
        )
    }
}
