//! The events of each topic. The type on the wire is `<topic's noun>.<what happened>`, as in DESIGN section 3.
//!
//! An enum a topic: whoever reads one decides about every event, or the compiler complains. A type that is in none of
//! them is an unknown event, which a consumer dead-letters.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{AccountId, OrderId, ProductId},
    money::Money,
};

/// A moment, in milliseconds since 1970.
pub type TimestampMs = i64;

/// One product in an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
        /// What has to be held.
        lines: Vec<OrderLine>,
    },
    /// Stock is held; the customer may pay.
    #[serde(rename = "order.confirmed")]
    Confirmed {
        /// Who pays.
        customer_id: AccountId,
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

/// An event about an order, from whichever topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OfOrder<E> {
    /// The order, which is the key of the record too.
    pub order_id: OrderId,
    /// What happened.
    #[serde(flatten)]
    pub event: E,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::money::Currency;

    #[test]
    fn the_type_on_the_wire_is_the_one_of_the_design() {
        let order_id: OrderId = "00000000-0000-0000-0000-000000000001".parse().unwrap();
        let event = OfOrder { order_id, event: OrderEvent::Cancelled { reason: CancelReason::StockLost } };
        let json = json!({ "order_id": order_id, "type": "order.cancelled", "data": { "reason": "stock_lost" } });
        assert_eq!(serde_json::to_value(&event).unwrap(), json);
        assert_eq!(serde_json::from_value::<OfOrder<OrderEvent>>(json).unwrap(), event);
        let paid = OfOrder { order_id, event: OrderEvent::Paid };
        let json = json!({ "order_id": order_id, "type": "order.paid" });
        assert_eq!(serde_json::to_value(&paid).unwrap(), json);
        assert_eq!(serde_json::from_value::<OfOrder<OrderEvent>>(json).unwrap(), paid);
    }

    #[test]
    fn an_unknown_type_and_a_missing_field_are_errors() {
        let unknown = json!({ "type": "order.eaten" });
        assert!(serde_json::from_value::<OrderEvent>(unknown).is_err());
        let amount = Money::new(1, Currency::Usd);
        let incomplete = json!({ "type": "payment.opened", "data": { "amount": amount } });
        assert!(serde_json::from_value::<PaymentEvent>(incomplete).is_err());
    }
}
