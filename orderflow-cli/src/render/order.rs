//! Orders and their payments.

use orderflow_client::view;
use orderflow_contracts::{
    api::{orders::Order, payments::Payment},
    words::word,
};

use super::pairs;
use crate::output::{
    Align::{Left, Right},
    Paint, Table,
};

/// One order.
pub fn order(order: &Order, paint: Paint) -> String {
    let until = order.reservation.expires_at.map(|at| format!(" until {at}")).unwrap_or_default();
    let link = order.payment.link.as_ref().map(|link| format!(" at {link}")).unwrap_or_default();
    let mut text = pairs(
        &[
            ("order", order.id.to_string()),
            ("status", order.status.as_str().to_owned()),
            ("next", view::headline(order)),
            ("total", order.total.to_string()),
            ("stock", format!("{}{until}", word(order.reservation.status))),
            ("money", format!("{}{link}", word(order.payment.status))),
            ("customer", order.customer_id.to_string()),
            ("seller", order.seller_id.to_string()),
            ("created", order.created_at.to_string()),
            ("changed", order.updated_at.to_string()),
        ],
        paint,
    );
    text.push('\n');
    let mut lines = Table::new([("PRODUCT", Left), ("NAME", Left), ("QUANTITY", Right), ("PRICE", Right)]);
    for line in &order.lines {
        let price = line.unit_price.to_string();
        lines.row([line.product_id.to_string(), line.name.clone(), line.quantity.to_string(), price]);
    }
    text.push_str(&lines.render(paint));
    text
}

/// Some orders.
pub fn orders(orders: &[Order], paint: Paint) -> String {
    let mut table = Table::new([
        ("ORDER", Left),
        ("STATUS", Left),
        ("TOTAL", Right),
        ("WHAT", Left),
        ("NEXT", Left),
        ("CREATED", Left),
    ]);
    for order in orders {
        table.row([
            order.id.to_string(),
            order.status.as_str().to_owned(),
            order.total.to_string(),
            view::summary(&order.lines),
            view::headline(order),
            order.created_at.to_string(),
        ]);
    }
    table.render(paint)
}

/// One payment.
pub fn payment(payment: &Payment, paint: Paint) -> String {
    let some = |text: &Option<String>| text.clone().unwrap_or_default();
    let card = payment.card.as_ref().map(|card| format!("{} …{}", card.brand, card.last4)).unwrap_or_default();
    let call = payment.call.as_ref().map(|call| {
        let error = call.last_error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        format!("{}, {} tries, again at {}{error}", call.kind, call.tries, call.next_try_at)
    });
    pairs(
        &[
            ("order", payment.order_id.to_string()),
            ("status", payment.status.as_str().to_owned()),
            ("amount", payment.amount.map(|amount| amount.to_string()).unwrap_or_default()),
            ("pay until", payment.pay_until.map(|at| at.to_string()).unwrap_or_default()),
            ("card", card),
            ("declined", some(&payment.decline_code)),
            ("charge", some(&payment.charge_id)),
            ("refund", some(&payment.refund_id)),
            ("asking", call.unwrap_or_default()),
            ("created", payment.created_at.to_string()),
            ("changed", payment.updated_at.to_string()),
        ],
        paint,
    )
}

/// Some payments.
pub fn payments(payments: &[Payment], paint: Paint) -> String {
    let mut table =
        Table::new([("ORDER", Left), ("STATUS", Left), ("AMOUNT", Right), ("DECLINED", Left), ("CHANGED", Left)]);
    for payment in payments {
        table.row([
            payment.order_id.to_string(),
            payment.status.as_str().to_owned(),
            payment.amount.map(|amount| amount.to_string()).unwrap_or_default(),
            payment.decline_code.clone().unwrap_or_default(),
            payment.updated_at.to_string(),
        ]);
    }
    table.render(paint)
}
