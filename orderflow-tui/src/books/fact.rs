//! What an event says: read once, for all that the books make of it.

use orderflow_contracts::{
    api::console::EventRecord,
    events::{CatalogEvent, InventoryEvent, OrderEvent, PaymentEvent, decode},
    ids::{OrderId, ProductId},
};

/// What an event says.
#[derive(Debug)]
pub(super) enum Fact {
    /// Of an order.
    Order(OrderId, OrderEvent),
    /// Of an order's stock.
    Stock(OrderId, InventoryEvent),
    /// Of an order's money.
    Money(OrderId, PaymentEvent),
    /// Of a product.
    Product(ProductId, CatalogEvent),
}

impl Fact {
    /// Of a record. Nothing, if it is of a newer service, and nobody here knows what it means.
    pub(super) fn of(record: &EventRecord) -> Option<Self> {
        let (event_type, data) = (record.event_type.as_str(), record.data.to_string());
        let (subject, data) = (record.subject.as_str(), data.as_bytes());
        Some(match event_type.split('.').next()? {
            "order" => Self::Order(subject.parse().ok()?, decode(event_type, data).ok()?),
            "inventory" => Self::Stock(subject.parse().ok()?, decode(event_type, data).ok()?),
            "payment" => Self::Money(subject.parse().ok()?, decode(event_type, data).ok()?),
            "catalog" => Self::Product(subject.parse().ok()?, decode(event_type, data).ok()?),
            _ => return None,
        })
    }
}
