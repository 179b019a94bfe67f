//! Products and what is held of them.

use orderflow_contracts::api::inventory::{Product, Reservation};

use super::pairs;
use crate::output::{
    Align::{Left, Right},
    Paint, Table,
};

/// One product.
pub fn product(product: &Product, paint: Paint) -> String {
    pairs(
        &[
            ("product", product.id.to_string()),
            ("name", product.name.clone()),
            ("price", product.price.to_string()),
            ("on hand", product.on_hand.to_string()),
            ("reserved", product.reserved.to_string()),
            ("available", product.available.to_string()),
            ("seller", product.seller_id.to_string()),
            ("version", product.version.to_string()),
            ("created", product.created_at.to_string()),
        ],
        paint,
    )
}

/// Some products.
pub fn products(products: &[Product], paint: Paint) -> String {
    let mut table = Table::new([
        ("PRODUCT", Left),
        ("NAME", Left),
        ("PRICE", Right),
        ("ON HAND", Right),
        ("RESERVED", Right),
        ("AVAILABLE", Right),
    ]);
    for product in products {
        table.row([
            product.id.to_string(),
            product.name.clone(),
            product.price.to_string(),
            product.on_hand.to_string(),
            product.reserved.to_string(),
            product.available.to_string(),
        ]);
    }
    table.render(paint)
}

/// One reservation.
pub fn reservation(reservation: &Reservation, paint: Paint) -> String {
    let mut text = pairs(
        &[
            ("order", reservation.order_id.to_string()),
            ("status", reservation.status.as_str().to_owned()),
            ("held until", reservation.expires_at.map(|at| at.to_string()).unwrap_or_default()),
            ("created", reservation.created_at.to_string()),
            ("changed", reservation.updated_at.to_string()),
        ],
        paint,
    );
    if !reservation.lines.is_empty() {
        let mut lines = Table::new([("PRODUCT", Left), ("QUANTITY", Right)]);
        for line in &reservation.lines {
            lines.row([line.product_id.to_string(), line.quantity.to_string()]);
        }
        text.push('\n');
        text.push_str(&lines.render(paint));
    }
    text
}

/// Some reservations.
pub fn reservations(reservations: &[Reservation], paint: Paint) -> String {
    let mut table =
        Table::new([("ORDER", Left), ("STATUS", Left), ("PIECES", Right), ("HELD UNTIL", Left), ("CHANGED", Left)]);
    for reservation in reservations {
        let pieces: u64 = reservation.lines.iter().map(|line| u64::from(line.quantity)).sum();
        table.row([
            reservation.order_id.to_string(),
            reservation.status.as_str().to_owned(),
            pieces.to_string(),
            reservation.expires_at.map(|at| at.to_string()).unwrap_or_default(),
            reservation.updated_at.to_string(),
        ]);
    }
    table.render(paint)
}
