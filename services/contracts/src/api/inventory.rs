//! The inventory service's API.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{AccountId, OrderId, ProductId},
    money::Money,
    timestamp::Timestamp,
};

/// A new product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateProduct {
    /// What it is called; 1 to 200 characters.
    pub name: String,
    /// What one costs.
    pub price: Money,
    /// How many there are.
    #[serde(default)]
    pub stock: u32,
}

/// Changes a product; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditProduct {
    /// A new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A new price. Orders that exist keep theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// Refused if the product is not at this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<i64>,
}

/// More pieces have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Restock {
    /// How many; at least 1.
    pub quantity: u32,
}

/// A product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Whose it is.
    pub seller_id: AccountId,
    /// What it is called.
    pub name: String,
    /// What one costs.
    pub price: Money,
    /// How many are in the house.
    pub on_hand: u32,
    /// How many of them are held for or allocated to orders.
    pub reserved: u32,
    /// How many can be had.
    pub available: u32,
    /// How often name or price were set.
    pub version: i64,
    /// When it was added.
    pub created_at: Timestamp,
}

/// How products can be sorted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProductSort {
    /// The newest first.
    #[default]
    Newest,
    /// By name.
    Name,
    /// The cheapest first.
    Price,
    /// The least available first.
    Available,
}

/// Stock that is held for an order, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Reservation {
    /// For which order.
    pub order_id: OrderId,
    /// How far it is.
    pub status: ReservationStatus,
    /// What was asked for; empty if the order was cancelled before.
    pub lines: Vec<ReservationLine>,
    /// Until when it is held, while it is held for a time.
    pub expires_at: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// So many of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReservationLine {
    /// Of which product.
    pub product_id: ProductId,
    /// How many.
    pub quantity: u32,
}

/// How far a reservation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ReservationStatus {
    /// Held for a time.
    Held,
    /// There was not enough.
    Refused,
    /// Held for too long.
    Expired,
    /// The order's for good.
    Allocated,
    /// Paid after it had expired, and the stock was gone.
    Lost,
    /// Shipped.
    Committed,
    /// Given back, or cancelled before it was asked for.
    Released,
}

impl ReservationStatus {
    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "HELD",
            Self::Refused => "REFUSED",
            Self::Expired => "EXPIRED",
            Self::Allocated => "ALLOCATED",
            Self::Lost => "LOST",
            Self::Committed => "COMMITTED",
            Self::Released => "RELEASED",
        }
    }
}
