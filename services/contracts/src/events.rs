//! The events of each topic. The type on the wire is `<topic's noun>.<what happened>`, as in DESIGN section 3.
//!
//! An enum a topic: whoever reads one decides about every event, or the compiler complains. A type that is in none of
//! them is an unknown event, which a consumer dead-letters.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    ids::{AccountId, ProductId},
    money::Money,
};

/// A moment, in milliseconds since 1970.
pub type TimestampMs = i64;

/// One product in an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OrderLine {
    /// What is ordered.
    pub product_id: ProductId,
    /// Its name when it was ordered.
    pub name: String,
    /// How many; at least 1.
    pub quantity: u32,
    /// The price of one when it was ordered.
    pub unit_price: Money,
}

/// Why an order ended as cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// The customer did not want it any more.
    ByCustomer,
    /// The seller would not deliver.
    BySeller,
    /// There was not enough stock when the seller confirmed.
    OutOfStock,
    /// The card was declined.
    PaymentFailed,
    /// Nobody paid in time.
    Expired,
    /// The money came after the reservation had ended, and the stock was gone.
    StockLost,
}

/// Topic `orders`, written by the orders service.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum OrderEvent {
    /// A customer has ordered.
    #[serde(rename = "order.created")]
    Created {
        /// Who pays.
        customer_id: AccountId,
        /// Who delivers.
        seller_id: AccountId,
        /// What.
        lines: Vec<OrderLine>,
        /// For how much.
        total: Money,
    },
    /// The seller will deliver; inventory is asked for stock.
    #[serde(rename = "order.confirmation_requested")]
    ConfirmationRequested {
        /// Who pays, and may see the reservation.
        customer_id: AccountId,
        /// Who delivers, and may see the reservation.
        seller_id: AccountId,
        /// What has to be held.
        lines: Vec<OrderLine>,
    },
    /// Stock is held; the customer may pay.
    #[serde(rename = "order.confirmed")]
    Confirmed {
        /// Who pays.
        customer_id: AccountId,
        /// Who delivers, and may see the payment.
        seller_id: AccountId,
        /// What is due.
        total: Money,
        /// Until when.
        pay_until: TimestampMs,
    },
    /// The money is there.
    #[serde(rename = "order.paid")]
    Paid,
    /// The seller has shipped.
    #[serde(rename = "order.fulfilled")]
    Fulfilled,
    /// The order is over; whatever was held or paid goes back.
    #[serde(rename = "order.cancelled")]
    Cancelled {
        /// Why.
        reason: CancelReason,
    },
}

/// A product of which there is not enough.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shortage {
    /// Of which product.
    pub product_id: ProductId,
    /// How many were wanted.
    pub wanted: u32,
    /// How many could be had.
    pub available: u32,
}

/// Topic `inventory`, written by the inventory service.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum InventoryEvent {
    /// All lines are held for the order.
    #[serde(rename = "inventory.reserved")]
    Reserved {
        /// Until when, unless the order is paid.
        expires_at: TimestampMs,
    },
    /// Not all lines could be held, so none is.
    #[serde(rename = "inventory.reservation_failed")]
    ReservationFailed {
        /// What is missing.
        shortages: Vec<Shortage>,
    },
    /// Nobody paid in time; the stock is free again.
    #[serde(rename = "inventory.reservation_expired")]
    ReservationExpired,
    /// The stock is the order's for good.
    #[serde(rename = "inventory.allocated")]
    Allocated,
    /// The order was paid after its reservation had ended, and the stock is gone.
    #[serde(rename = "inventory.allocation_failed")]
    AllocationFailed {
        /// What is missing.
        shortages: Vec<Shortage>,
    },
    /// The stock has left the house.
    #[serde(rename = "inventory.committed")]
    Committed,
    /// What was held or allocated is free again.
    #[serde(rename = "inventory.released")]
    Released,
}

/// Topic `payments`, written by the payments service.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum PaymentEvent {
    /// The customer can pay.
    #[serde(rename = "payment.opened")]
    Opened {
        /// What is due.
        amount: Money,
        /// Until when.
        pay_until: TimestampMs,
    },
    /// The provider has taken the money.
    #[serde(rename = "payment.succeeded")]
    Succeeded {
        /// The provider's id of the charge.
        charge_id: String,
    },
    /// The provider has declined for good.
    #[serde(rename = "payment.failed")]
    Failed {
        /// The provider's word for why.
        decline_code: String,
    },
    /// The order was cancelled before anything was paid.
    #[serde(rename = "payment.voided")]
    Voided,
    /// The money is back with the customer.
    #[serde(rename = "payment.refunded")]
    Refunded {
        /// The provider's id of the refund.
        refund_id: String,
    },
}

/// Topic `catalog`, written by the inventory service; compacted, the key is the product's id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum CatalogEvent {
    /// A product was added or changed. The event's sequence is the product's version: a higher one replaces a lower.
    #[serde(rename = "catalog.product_changed")]
    ProductChanged {
        /// Whose product it is.
        seller_id: AccountId,
        /// What it is called.
        name: String,
        /// What one costs.
        price: Money,
    },
}

/// Topic `audit`, written by all services: what people did that is no business of the saga. Who and when stand in the
/// envelope, and the subject is what was acted upon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum AuditEvent {
    /// Somebody has done something.
    #[serde(rename = "audit.done")]
    Done {
        /// What, as `chaos.set`.
        action: String,
        /// More about it.
        detail: Value,
    },
}

/// Names of the topics.
pub mod topics {
    /// [`super::OrderEvent`]s.
    pub const ORDERS: &str = "orders";
    /// [`super::InventoryEvent`]s.
    pub const INVENTORY: &str = "inventory";
    /// [`super::PaymentEvent`]s.
    pub const PAYMENTS: &str = "payments";
    /// [`super::CatalogEvent`]s.
    pub const CATALOG: &str = "catalog";
    /// [`super::AuditEvent`]s.
    pub const AUDIT: &str = "audit";
}

/// Bytes that are not the event that their header says they are. Such a record is dead-lettered.
#[derive(Debug, thiserror::Error)]
#[error("{event_type} cannot be read: {source}")]
pub struct NotAnEvent {
    event_type: String,
    source: serde_json::Error,
}

/// An event's type and its data, as they stand in the header `ce_type` and in the record's value.
pub fn encode<E: Serialize>(event: &E) -> (String, Vec<u8>) {
    #[derive(Deserialize)]
    struct Tagged {
        r#type: String,
        #[serde(default = "no_data")]
        data: Value,
    }
    fn no_data() -> Value {
        Value::Object(Map::new())
    }
    let tagged = serde_json::to_value(event).and_then(serde_json::from_value::<Tagged>);
    let Tagged { r#type, data } = tagged.expect("every event is an object with a type");
    (r#type, data.to_string().into_bytes())
}

/// The event of a record's type and value. A field that is not known is passed over; one that is missing is an error.
pub fn decode<E: DeserializeOwned>(event_type: &str, data: &[u8]) -> Result<E, NotAnEvent> {
    let tagged = |data: Option<Value>| {
        let data = data.map(|data| ("data".to_owned(), data));
        let fields = [("type".to_owned(), Value::from(event_type))].into_iter().chain(data);
        serde_json::from_value(Value::Object(fields.collect()))
    };
    let read = || {
        let data: Value = serde_json::from_slice(data)?;
        // An event that is nothing but its type has an empty object for data, which serde does not take for nothing.
        let is_empty = data.as_object().is_some_and(Map::is_empty);
        let bare = is_empty.then(|| tagged(None).ok()).flatten();
        bare.map_or_else(|| tagged(Some(data)), Ok)
    };
    let event_type = || event_type.chars().take(100).collect();
    read().map_err(|source| NotAnEvent { event_type: event_type(), source })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::money::Currency;

    fn round<E: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(event: &E, event_type: &str, data: &Value) {
        let (encoded_type, encoded) = encode(event);
        assert_eq!(
            (encoded_type.as_str(), serde_json::from_slice::<Value>(&encoded).unwrap()),
            (event_type, data.clone())
        );
        assert_eq!(decode::<E>(&encoded_type, &encoded).unwrap(), *event);
    }

    #[test]
    fn the_type_on_the_wire_is_the_one_of_the_design() {
        let cancelled = OrderEvent::Cancelled { reason: CancelReason::StockLost };
        round(&cancelled, "order.cancelled", &json!({ "reason": "stock_lost" }));
        round(&OrderEvent::Paid, "order.paid", &json!({}));
        round(&InventoryEvent::Released, "inventory.released", &json!({}));
        round(
            &PaymentEvent::Failed { decline_code: "expired_card".into() },
            "payment.failed",
            &json!({ "decline_code": "expired_card" }),
        );
    }

    #[test]
    fn what_a_newer_writer_adds_is_passed_over() {
        let data = json!({ "reason": "expired", "mood": "sad" }).to_string();
        let event: OrderEvent = decode("order.cancelled", data.as_bytes()).unwrap();
        assert_eq!(event, OrderEvent::Cancelled { reason: CancelReason::Expired });
    }

    #[test]
    fn an_unknown_type_a_missing_field_and_no_json_are_errors() {
        assert!(decode::<OrderEvent>("order.eaten", b"{}").is_err());
        let amount = json!({ "amount": Money::new(1, Currency::Usd) }).to_string();
        let error = decode::<PaymentEvent>("payment.opened", amount.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("pay_until"), "{error}");
        assert!(decode::<OrderEvent>("order.created", b"\xff").is_err());
        assert!(decode::<OrderEvent>("order.paid", b"7").is_err());
    }

    /// serde names all types that it knows when it is given one that it does not.
    fn known_types<E: DeserializeOwned + std::fmt::Debug>() -> Vec<String> {
        let error = decode::<E>("?", b"{}").unwrap_err().to_string();
        error.split('`').skip(1).step_by(2).filter(|name| *name != "?").map(str::to_owned).collect()
    }

    #[test]
    fn every_type_is_explained() {
        let page = include_str!("../../../docs/events.md");
        let known = [
            known_types::<OrderEvent>(),
            known_types::<InventoryEvent>(),
            known_types::<PaymentEvent>(),
            known_types::<CatalogEvent>(),
            known_types::<AuditEvent>(),
        ]
        .concat();
        assert_eq!(known.len(), 20);
        for event_type in &known {
            assert!(page.contains(&format!("\n| `{event_type}` |")), "{event_type} is not in docs/events.md");
        }
    }
}
