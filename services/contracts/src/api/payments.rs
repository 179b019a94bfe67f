//! The payments service's API.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{AccountId, OrderId},
    money::Money,
    timestamp::Timestamp,
};

/// Pays an order's amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Pay {
    /// What the provider gave for the card. A card's number never comes here.
    pub token: String,
}

/// An order's payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Payment {
    /// For which order.
    pub order_id: OrderId,
    /// How far it is.
    pub status: PaymentStatus,
    /// Who pays; none if the order was cancelled before anything was due.
    pub customer_id: Option<AccountId>,
    /// What is due.
    pub amount: Option<Money>,
    /// No charge is started from this moment on.
    pub pay_until: Option<Timestamp>,
    /// The provider's id of the charge.
    pub charge_id: Option<String>,
    /// The provider's id of the refund.
    pub refund_id: Option<String>,
    /// Why the card was declined, if it was.
    pub decline_code: Option<String>,
    /// The card, as far as it is known here.
    pub card: Option<Card>,
    /// What the provider is being asked for, while it has not answered for certain.
    pub call: Option<ProviderCall>,
    /// When it was first heard of.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// What is known of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Card {
    /// `visa`, `mastercard`, `amex`, …
    pub brand: String,
    /// The last four digits of its number.
    pub last4: String,
}

/// A call to the provider that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ProviderCall {
    /// `charge` or `refund`.
    pub kind: String,
    /// How often the provider was asked.
    pub tries: u32,
    /// When it is asked again, at the latest.
    pub next_try_at: Timestamp,
    /// What came of the last try.
    pub last_error: Option<String>,
}

/// How far a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum PaymentStatus {
    /// The customer can pay.
    Open,
    /// The provider was asked and has not answered for certain.
    Processing,
    /// Paid.
    Succeeded,
    /// Declined for good.
    Failed,
    /// Cancelled before anything was paid.
    Voided,
    /// Being given back.
    Refunding,
    /// Given back.
    Refunded,
}

impl PaymentStatus {
    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Processing => "PROCESSING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Voided => "VOIDED",
            Self::Refunding => "REFUNDING",
            Self::Refunded => "REFUNDED",
        }
    }
}
