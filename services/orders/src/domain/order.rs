//! The state of an order.

use orderflow_contracts::{
    events::{CancelReason, OrderLine, TimestampMs},
    ids::{AccountId, OrderId},
    money::Money,
};

/// How far the order is. The first word that people see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Waits for the seller.
    Pending,
    /// The seller has confirmed; stock is asked for. A semantic lock: nobody can confirm twice.
    Confirming,
    /// Stock is held; waits for the customer's money.
    Confirmed {
        /// Until when the customer may pay.
        pay_until: TimestampMs,
    },
    /// Paid; waits for the stock to be allocated, then for the seller.
    Paid,
    /// Shipped. An end.
    Fulfilled,
    /// Over. An end.
    Cancelled {
        /// Why.
        reason: CancelReason,
    },
}

/// What the orders service has heard of the order's stock. In the order in which it can happen, so that a late or
/// repeated word never turns anything back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reservation {
    /// Nothing was asked for yet.
    None,
    /// Asked for, no answer yet.
    Requested,
    /// Held for a time.
    Held,
    /// Held for too long without a payment.
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

/// What the orders service has heard of the order's money; in the order in which it can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Payment {
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
    /// Paid and given back.
    Refunded,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Who pays.
    pub customer_id: AccountId,
    /// Who delivers.
    pub seller_id: AccountId,
    /// What, at the prices of when it was ordered.
    pub lines: Vec<OrderLine>,
    /// For how much.
    pub total: Money,
    /// How far it is.
    pub status: Status,
    /// What inventory has said.
    pub reservation: Reservation,
    /// What payments has said.
    pub payment: Payment,
}
