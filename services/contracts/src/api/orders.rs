//! The orders service's API.

use serde::{Deserialize, Serialize};

use crate::{
    events::{CancelReason, OrderLine},
    ids::{AccountId, OrderId, ProductId},
    money::Money,
    timestamp::Timestamp,
};

/// What a customer wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOrder {
    /// What, all of one seller.
    pub lines: Vec<CreateLine>,
}

/// So many of a product. The price is the service's to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateLine {
    /// Of which product.
    pub product_id: ProductId,
    /// How many.
    pub quantity: u32,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// How far it is.
    pub status: OrderStatus,
    /// Who pays.
    pub customer_id: AccountId,
    /// Who delivers.
    pub seller_id: AccountId,
    /// What.
    pub lines: Vec<OrderLine>,
    /// For how much.
    pub total: Money,
    /// Why it was cancelled, if it was.
    pub cancel_reason: Option<CancelReason>,
    /// What is known of its stock.
    pub reservation: OrderReservation,
    /// What is known of its money.
    pub payment: OrderPayment,
    /// How often it has changed.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// How far an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum OrderStatus {
    /// Waits for the seller.
    Pending,
    /// Waits for stock.
    Confirming,
    /// Waits for the customer's money.
    Confirmed,
    /// Waits for the seller to ship.
    Paid,
    /// Shipped.
    Fulfilled,
    /// Over.
    Cancelled,
}

impl OrderStatus {
    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Confirming => "CONFIRMING",
            Self::Confirmed => "CONFIRMED",
            Self::Paid => "PAID",
            Self::Fulfilled => "FULFILLED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// What the orders service has heard of an order's stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OrderReservation {
    /// How far it is.
    pub status: OrderReservationStatus,
    /// Until when the stock is held, while it is held for a time.
    pub expires_at: Option<Timestamp>,
}

/// How far an order's stock is, as the orders service has heard. In the order in which it can happen,
/// so that a late or repeated word never turns anything back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum OrderReservationStatus {
    /// Nothing was asked for yet.
    None,
    /// Asked for.
    Requested,
    /// Held for a time.
    Held,
    /// Held for too long.
    Expired,
    /// There was not enough.
    Failed,
    /// The order's for good.
    Allocated,
    /// Shipped.
    Committed,
    /// Given back.
    Released,
}

/// What the orders service has heard of an order's money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OrderPayment {
    /// How far it is.
    pub status: OrderPaymentStatus,
    /// Where it can be paid, once something is due.
    pub link: Option<String>,
}

/// How far an order's money is, as the orders service has heard. In the order in which it can happen,
/// so that a late or repeated word never turns anything back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum OrderPaymentStatus {
    /// Nothing is due yet.
    None,
    /// The customer can pay.
    Open,
    /// Declined for good.
    Failed,
    /// Nothing was paid and nothing can be any more.
    Voided,
    /// Paid.
    Succeeded,
    /// Given back.
    Refunded,
}

/// A product as the orders service knows it: what an order is priced from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CatalogEntry {
    /// Its id.
    pub product_id: ProductId,
    /// Whose it is.
    pub seller_id: AccountId,
    /// What it is called.
    pub name: String,
    /// What one costs.
    pub price: Money,
    /// The version of the product that this is.
    pub version: i64,
}
