//! The payment provider's API, in the shape of a real one.

use serde::{Deserialize, Serialize};

use crate::{api::payments::Card, money::Money, timestamp::Timestamp};

/// A card. Never stored, never logged: it has no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// 12 to 19 digits, without blanks; the last one is Luhn's.
    pub number: String,
    /// 1 to 12.
    pub exp_month: u8,
    /// Four digits.
    pub exp_year: u16,
    /// Three digits, four for American Express.
    pub cvc: String,
}

/// What stands for a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CardToken {
    /// `tok_…`
    pub id: String,
    /// What may be known of the card.
    pub card: Card,
}

/// Takes money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateCharge {
    /// How much.
    pub amount: Money,
    /// From which card.
    pub token: String,
    /// The merchant's word for what it is for: the order's id.
    pub reference: String,
}

/// Money that was taken, or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Charge {
    /// `ch_…`
    pub id: String,
    /// How much.
    pub amount: Money,
    /// What came of it.
    pub status: ChargeStatus,
    /// Why not, if it was declined.
    pub decline_code: Option<String>,
    /// The card.
    pub card: Card,
    /// The merchant's word for what it is for.
    pub reference: String,
    /// How much of it was given back, in minor units.
    pub refunded_minor: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// What came of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChargeStatus {
    /// The money was taken.
    Succeeded,
    /// It was not, and will not be.
    Declined,
}

/// Gives money back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRefund {
    /// Of which charge.
    pub charge_id: String,
    /// How much.
    pub amount: Money,
}

/// Money that was given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Refund {
    /// `re_…`
    pub id: String,
    /// Of which charge.
    pub charge_id: String,
    /// How much.
    pub amount: Money,
    /// The merchant's word for what the charge was for.
    pub reference: String,
    /// When.
    pub created_at: Timestamp,
}
