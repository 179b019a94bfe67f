//! Orders: each exists that was told of, and each is over, or waits for somebody.

use std::collections::HashSet;

use orderflow_contracts::{
    api::{
        inventory::ReservationStatus,
        orders::{Order, OrderPaymentStatus, OrderReservationStatus, OrderStatus},
        payments::PaymentStatus,
    },
    events::CancelReason,
    words::word,
};

use super::{
    findings::Findings,
    snapshot::{Snapshot, Topic},
};
use crate::{
    endpoints::Service,
    why::turn::{Known, turns},
};

pub(super) fn exist(snapshot: &Snapshot, findings: &mut Findings) {
    let mut told: HashSet<&str> = HashSet::new();
    for event in snapshot.outboxes.get(&Service::Orders).into_iter().flatten() {
        // A dead letter has the type that its record claims to have, whoever has written that.
        if event.topic == Topic::Orders && &*event.event_type == "order.created" {
            findings.look();
            told.insert(&event.subject);
            let exists = event.subject.parse().is_ok_and(|id| snapshot.orders.contains_key(&id));
            let is = || format!("told of by order.created at {}, and there is no such order", event.created_at);
            findings.unless(exists, &format!("order {}", event.subject), is, "an order");
        }
    }
    for (id, order) in &snapshot.orders {
        findings.look();
        let subject = id.to_string();
        let was_told = told.contains(subject.as_str()) || snapshot.is_old(&subject);
        let is = || format!("{} without order.created", order.status.as_str());
        findings.unless(was_told, &format!("order {id}"), is, "order.created in the outbox");
    }
    for (id, reservation) in &snapshot.reservations {
        let is = || format!("a reservation, {}, without an order", reservation.status.as_str());
        findings.unless(snapshot.orders.contains_key(id), &format!("order {id}"), is, "an order");
    }
    for (id, payment) in &snapshot.payments {
        let is = || format!("a payment, {}, without an order", payment.status.as_str());
        findings.unless(snapshot.orders.contains_key(id), &format!("order {id}"), is, "an order");
    }
}

pub(super) fn rows_are_readable(snapshot: &Snapshot, findings: &mut Findings) {
    for (service, row) in &snapshot.unreadable {
        findings.look();
        let subject = format!("{} of {}", row.table, service.name());
        findings.add(subject, format!("row {} cannot be read: {}", row.key, row.reason), "readable, once it is mended");
    }
}

pub(super) fn not_stuck(snapshot: &Snapshot, findings: &mut Findings) {
    for (id, order) in &snapshot.orders {
        findings.look();
        let reservation = snapshot.reservations.get(id);
        let payment = snapshot.payments.get(id);
        // The provider is being asked, and asked again: that explains it.
        if payment.is_some_and(|payment| payment.call.is_some()) {
            continue;
        }
        let stock = reservation.map(|reservation| reservation.status);
        let money = payment.map(|payment| payment.status);
        let turns = turns(order, Known::of(reservation), Known::of(payment), snapshot.inventory_now);
        let of_service = turns.iter().find(|turn| !turn.who.is_person());
        let (fits, should_be) = (fits(order, stock, money), end_of(order));
        if let Some(turn) = of_service {
            let is = format!("stuck: {}", text(order, stock, money));
            findings.add(format!("order {id}"), is, format!("{} {}", turn.who.name(), turn.what));
        } else if !fits {
            findings.add(format!("order {id}"), format!("stuck: {}", text(order, stock, money)), should_be);
        }
    }
}

fn text(order: &Order, stock: Option<ReservationStatus>, money: Option<PaymentStatus>) -> String {
    let reason = order.cancel_reason.map(|reason| format!(" ({})", word(reason))).unwrap_or_default();
    let stock = stock.map_or("none", ReservationStatus::as_str);
    let money = money.map_or("none", PaymentStatus::as_str);
    let heard = format!("{} and {}", word(order.reservation.status), word(order.payment.status));
    format!("{}{reason}, stock {stock}, money {money}, of which orders has heard {heard}", order.status.as_str())
}

/// The table: which stock and which money an order at rest can have.
fn fits(order: &Order, stock: Option<ReservationStatus>, money: Option<PaymentStatus>) -> bool {
    let heard = (order.reservation.status, order.payment.status);
    match order.status {
        OrderStatus::Pending => stock.is_none() && money.is_none(),
        OrderStatus::Confirming => false,
        OrderStatus::Confirmed => {
            (stock, money) == (Some(ReservationStatus::Held), Some(PaymentStatus::Open))
                && heard == (OrderReservationStatus::Held, OrderPaymentStatus::Open)
        }
        OrderStatus::Paid => {
            (stock, money) == (Some(ReservationStatus::Allocated), Some(PaymentStatus::Succeeded))
                && heard == (OrderReservationStatus::Allocated, OrderPaymentStatus::Succeeded)
        }
        OrderStatus::Fulfilled => {
            (stock, money) == (Some(ReservationStatus::Committed), Some(PaymentStatus::Succeeded))
                && heard == (OrderReservationStatus::Committed, OrderPaymentStatus::Succeeded)
        }
        OrderStatus::Cancelled => stock.zip(money).is_some_and(|(stock, money)| ended(order, stock, money)),
    }
}

/// What can be left of a cancelled order. A late success was given back, whatever the order had ended by.
fn ended(order: &Order, stock: ReservationStatus, money: PaymentStatus) -> bool {
    let is_given_back = matches!(money, PaymentStatus::Voided | PaymentStatus::Failed | PaymentStatus::Refunded);
    match order.cancel_reason {
        Some(CancelReason::OutOfStock) => stock == ReservationStatus::Refused && money == PaymentStatus::Voided,
        Some(CancelReason::PaymentFailed) => {
            stock == ReservationStatus::Released && matches!(money, PaymentStatus::Failed | PaymentStatus::Refunded)
        }
        Some(CancelReason::Expired) => stock == ReservationStatus::Released && is_given_back,
        Some(CancelReason::StockLost) => stock == ReservationStatus::Lost && money == PaymentStatus::Refunded,
        Some(CancelReason::ByCustomer | CancelReason::BySeller) => {
            let is_free =
                matches!(stock, ReservationStatus::Released | ReservationStatus::Refused | ReservationStatus::Lost);
            is_free && is_given_back
        }
        None => false,
    }
}

/// The same table in words.
fn end_of(order: &Order) -> &'static str {
    match order.status {
        OrderStatus::Pending => "PENDING without stock and money, until the seller confirms",
        OrderStatus::Confirming => "CONFIRMED, or CANCELLED since there is not enough stock",
        OrderStatus::Confirmed => "stock HELD and money OPEN, until the customer pays",
        OrderStatus::Paid => "stock ALLOCATED and money SUCCEEDED, until the seller ships",
        OrderStatus::Fulfilled => "stock COMMITTED and money SUCCEEDED",
        OrderStatus::Cancelled => match order.cancel_reason {
            Some(CancelReason::OutOfStock) => "stock REFUSED and money VOIDED",
            Some(CancelReason::PaymentFailed) => "stock RELEASED and money FAILED, or REFUNDED",
            Some(CancelReason::Expired) => "stock RELEASED and money VOIDED, FAILED or REFUNDED",
            Some(CancelReason::StockLost) => "stock LOST and money REFUNDED",
            Some(CancelReason::ByCustomer | CancelReason::BySeller) | None => {
                "stock RELEASED, REFUSED or LOST, and money VOIDED, FAILED or REFUNDED"
            }
        },
    }
}
