//! The state of an order.

use orderflow_contracts::{
    api::orders::{OrderPaymentStatus as Payment, OrderReservationStatus as Reservation},
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
