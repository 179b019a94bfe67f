//! Payments, as they are read: no event tells all of one.

use std::collections::HashMap;

use orderflow_contracts::{
    api::payments::{Payment, PaymentStatus},
    ids::OrderId,
};

use super::OTHERS_MAX;

/// One was read. An answer that is older than what is known changes nothing.
pub(super) fn put(payments: &mut Vec<Payment>, payment: Payment) {
    match payments.iter_mut().find(|known| known.order_id == payment.order_id) {
        Some(known) if rank(known.status) > rank(payment.status) => {}
        Some(known) => *known = payment,
        None => {
            payments.insert(0, payment);
            payments.truncate(OTHERS_MAX);
        }
    }
}

/// All of them were read, the newest first. What was read alone since, and is further, stays.
pub(super) fn put_all(payments: &mut Vec<Payment>, read: Vec<Payment>) {
    let mut known: HashMap<OrderId, Payment> =
        std::mem::replace(payments, read).into_iter().map(|payment| (payment.order_id, payment)).collect();
    for payment in payments.iter_mut() {
        if let Some(known) = known.remove(&payment.order_id).filter(|known| rank(known.status) > rank(payment.status)) {
            *payment = known;
        }
    }
    let newest = payments.first().map(|payment| payment.created_at);
    let mut since: Vec<Payment> = known.into_values().filter(|known| Some(known.created_at) > newest).collect();
    since.sort_by_key(|payment| std::cmp::Reverse(payment.created_at));
    payments.splice(0..0, since);
    payments.truncate(OTHERS_MAX);
}

/// How far a payment is.
const fn rank(status: PaymentStatus) -> u8 {
    match status {
        PaymentStatus::Open => 0,
        PaymentStatus::Processing => 1,
        PaymentStatus::Succeeded | PaymentStatus::Failed | PaymentStatus::Voided => 2,
        PaymentStatus::Refunding => 3,
        PaymentStatus::Refunded => 4,
    }
}
