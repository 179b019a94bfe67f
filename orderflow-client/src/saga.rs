//! Whether an order has come as far as was asked for. Pure, so that every case of it is a line of a test.

use std::collections::BTreeSet;

use orderflow_contracts::api::orders::{Order, OrderPaymentStatus, OrderReservationStatus, OrderStatus};

/// How far somebody wants to see an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// It exists.
    Created,
    /// It can be paid.
    Confirmed,
    /// It is paid, and its stock is its own for good.
    Paid,
    /// It is shipped, and its stock has left the house.
    Fulfilled,
    /// It is cancelled, its stock given back, and its money too.
    Cancelled {
        /// A payment was opened, or will be: see [`will_have_payment`].
        with_payment: bool,
    },
}

/// What an order is to a goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may still get there.
    NotYet,
    /// It is there, or further.
    Reached,
    /// It has ended as cancelled, and that was not the goal.
    Compensated,
}

/// Whether the order has reached the goal.
pub fn judge(goal: Goal, order: &Order) -> Verdict {
    match goal {
        Goal::Created => Verdict::Reached,
        Goal::Cancelled { with_payment } => reached(is_given_back(order, with_payment)),
        _ if order.status == OrderStatus::Cancelled => Verdict::Compensated,
        Goal::Confirmed => reached(is_payable(order)),
        Goal::Paid => reached(is_paid_and_allocated(order)),
        Goal::Fulfilled => reached(is_shipped(order)),
    }
}

const fn reached(it_is: bool) -> Verdict {
    if it_is { Verdict::Reached } else { Verdict::NotYet }
}

fn is_payable(order: &Order) -> bool {
    match order.status {
        OrderStatus::Confirmed => order.payment.status == OrderPaymentStatus::Open,
        OrderStatus::Paid | OrderStatus::Fulfilled => true,
        OrderStatus::Pending | OrderStatus::Confirming | OrderStatus::Cancelled => false,
    }
}

fn is_paid_and_allocated(order: &Order) -> bool {
    match order.status {
        OrderStatus::Paid => order.reservation.status == OrderReservationStatus::Allocated,
        OrderStatus::Fulfilled => true,
        _ => false,
    }
}

fn is_shipped(order: &Order) -> bool {
    order.status == OrderStatus::Fulfilled && order.reservation.status == OrderReservationStatus::Committed
}

fn is_given_back(order: &Order, with_payment: bool) -> bool {
    // `FAILED` is stock that was never held, or was lost; expired stock is released once more when the order ends.
    let stock = matches!(
        order.reservation.status,
        OrderReservationStatus::None | OrderReservationStatus::Failed | OrderReservationStatus::Released
    );
    let money = match order.payment.status {
        OrderPaymentStatus::None => !with_payment,
        OrderPaymentStatus::Open | OrderPaymentStatus::Succeeded => false,
        OrderPaymentStatus::Failed | OrderPaymentStatus::Voided | OrderPaymentStatus::Refunded => true,
    };
    order.status == OrderStatus::Cancelled && stock && money
}

/// Whether the payments service has opened a payment or will do so, from the order as it was when it was cancelled.
///
/// An order that was confirmed has held stock, whether or not the payment's opening was heard of.
pub fn will_have_payment(cancelled: &Order) -> bool {
    cancelled.payment.status != OrderPaymentStatus::None
        || matches!(
            cancelled.reservation.status,
            OrderReservationStatus::Held | OrderReservationStatus::Expired | OrderReservationStatus::Allocated
        )
}

/// Whether nothing more will happen to the order. `seen` are the types of its events, which tell whether it was
/// confirmed, and have to be complete as well.
pub fn is_over(order: &Order, seen: &BTreeSet<String>) -> bool {
    let is_seen = |event: &str| seen.contains(event);
    match order.status {
        OrderStatus::Fulfilled => is_shipped(order) && is_seen("inventory.committed"),
        OrderStatus::Cancelled => {
            let with_payment = is_seen("order.confirmed");
            is_given_back(order, with_payment) && is_seen("order.cancelled") && compensation_is_seen(order, &is_seen)
        }
        _ => false,
    }
}

fn compensation_is_seen(order: &Order, is_seen: &dyn Fn(&str) -> bool) -> bool {
    let stock = order.reservation.status != OrderReservationStatus::Released || is_seen("inventory.released");
    let money = match order.payment.status {
        OrderPaymentStatus::Voided => is_seen("payment.voided"),
        OrderPaymentStatus::Refunded => is_seen("payment.refunded"),
        _ => true,
    };
    stock && money
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order(status: &str, reservation: &str, payment: &str) -> Order {
        let id = "00000000-0000-0000-0000-000000000001";
        serde_json::from_value(json!({
            "id": id, "status": status, "customer_id": id, "seller_id": id, "lines": [],
            "total": { "minor": 1, "currency": "USD" }, "cancel_reason": null,
            "reservation": { "status": reservation, "expires_at": null },
            "payment": { "status": payment, "link": null },
            "version": 1, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
        }))
        .unwrap()
    }

    #[track_caller]
    fn check(goal: Goal, cases: &[(&str, &str, &str, Verdict)]) {
        for (status, reservation, payment, verdict) in cases {
            let found = judge(goal, &order(status, reservation, payment));
            assert_eq!(found, *verdict, "{goal:?}: {status} {reservation} {payment}");
        }
    }

    #[test]
    fn confirmed_is_payable_or_over() {
        use Verdict::{Compensated, NotYet, Reached};
        check(
            Goal::Confirmed,
            &[
                ("CONFIRMING", "REQUESTED", "NONE", NotYet),
                ("CONFIRMED", "HELD", "NONE", NotYet),
                ("CONFIRMED", "HELD", "OPEN", Reached),
                ("PAID", "HELD", "SUCCEEDED", Reached),
                ("FULFILLED", "COMMITTED", "SUCCEEDED", Reached),
                ("CANCELLED", "FAILED", "NONE", Compensated),
            ],
        );
    }

    #[test]
    fn paid_needs_the_stock() {
        use Verdict::{Compensated, NotYet, Reached};
        check(
            Goal::Paid,
            &[
                ("CONFIRMED", "HELD", "OPEN", NotYet),
                ("PAID", "HELD", "SUCCEEDED", NotYet),
                ("PAID", "EXPIRED", "SUCCEEDED", NotYet),
                ("PAID", "ALLOCATED", "SUCCEEDED", Reached),
                ("FULFILLED", "ALLOCATED", "SUCCEEDED", Reached),
                ("CANCELLED", "HELD", "FAILED", Compensated),
            ],
        );
        check(
            Goal::Fulfilled,
            &[
                ("PAID", "ALLOCATED", "SUCCEEDED", NotYet),
                ("FULFILLED", "ALLOCATED", "SUCCEEDED", NotYet),
                ("FULFILLED", "COMMITTED", "SUCCEEDED", Reached),
                ("CANCELLED", "RELEASED", "REFUNDED", Compensated),
            ],
        );
    }

    #[test]
    fn cancelled_is_given_back() {
        use Verdict::{NotYet, Reached};
        check(
            Goal::Cancelled { with_payment: true },
            &[
                ("CANCELLED", "HELD", "OPEN", NotYet),
                ("CANCELLED", "RELEASED", "NONE", NotYet),
                ("CANCELLED", "RELEASED", "OPEN", NotYet),
                ("CANCELLED", "ALLOCATED", "REFUNDED", NotYet),
                ("CANCELLED", "RELEASED", "SUCCEEDED", NotYet),
                ("CANCELLED", "RELEASED", "REFUNDED", Reached),
                ("CANCELLED", "RELEASED", "VOIDED", Reached),
                ("CANCELLED", "EXPIRED", "VOIDED", NotYet),
            ],
        );
        check(
            Goal::Cancelled { with_payment: false },
            &[
                ("CANCELLED", "NONE", "NONE", Reached),
                ("CANCELLED", "REQUESTED", "NONE", NotYet),
                ("CANCELLED", "FAILED", "NONE", Reached),
                ("CANCELLED", "RELEASED", "NONE", Reached),
            ],
        );
    }

    #[test]
    fn who_was_confirmed_has_a_payment() {
        assert!(!will_have_payment(&order("CANCELLED", "NONE", "NONE")));
        assert!(!will_have_payment(&order("CANCELLED", "REQUESTED", "NONE")));
        assert!(will_have_payment(&order("CANCELLED", "HELD", "NONE")));
        assert!(will_have_payment(&order("CANCELLED", "ALLOCATED", "SUCCEEDED")));
    }

    #[test]
    fn over_is_when_the_last_event_was_told() {
        let seen = |events: &[&str]| events.iter().map(|event| (*event).to_owned()).collect();
        let refunded = order("CANCELLED", "RELEASED", "REFUNDED");
        assert!(!is_over(&refunded, &seen(&["order.confirmed", "order.cancelled", "inventory.released"])));
        let all = ["order.confirmed", "order.cancelled", "inventory.released", "payment.refunded"];
        assert!(is_over(&refunded, &seen(&all)));
        let unheard = order("CANCELLED", "RELEASED", "NONE");
        assert!(!is_over(&unheard, &seen(&all)));
        assert!(is_over(&unheard, &seen(&["order.cancelled", "inventory.released"])));
        assert!(!is_over(&order("PAID", "ALLOCATED", "SUCCEEDED"), &seen(&all)));
        assert!(is_over(&order("FULFILLED", "COMMITTED", "SUCCEEDED"), &seen(&["inventory.committed"])));
        assert!(!is_over(&order("FULFILLED", "COMMITTED", "SUCCEEDED"), &seen(&[])));
    }
}
