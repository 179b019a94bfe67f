//! Reservations, as inventory's events make them.

use orderflow_contracts::{
    api::inventory::{Reservation, ReservationLine, ReservationStatus},
    events::InventoryEvent,
    timestamp::Timestamp,
};

use super::{OTHERS_MAX, OrderBook, fact::Fact};

/// An event has come; what it says stands in the list, the newest first.
pub(super) fn hear(reservations: &mut Vec<Reservation>, at: Timestamp, fact: &Fact, orders: &OrderBook) {
    let Fact::Stock(order_id, event) = fact else { return };
    let (order_id, (status, expires_at)) = (*order_id, meaning(event));
    match reservations.iter_mut().find(|known| known.order_id == order_id) {
        // Not by their times: clocks can be set back.
        Some(known) if rank(known.status) > rank(status) => {}
        Some(known) => (known.status, known.expires_at, known.updated_at) = (status, expires_at, at),
        None => {
            let of_order = |id| orders.get(id).map(|entry| entry.order.lines.as_slice()).unwrap_or_default();
            let lines = of_order(order_id).iter();
            let lines = lines.map(|line| ReservationLine { product_id: line.product_id, quantity: line.quantity });
            let lines = lines.collect();
            let new = Reservation { order_id, status, lines, expires_at, created_at: at, updated_at: at };
            reservations.insert(0, new);
            reservations.truncate(OTHERS_MAX);
        }
    }
}

/// They were read. What was heard since then stays.
pub(super) fn put_all(reservations: &mut Vec<Reservation>, mut read: Vec<Reservation>) {
    for known in std::mem::take(reservations) {
        match read.iter_mut().find(|other| other.order_id == known.order_id) {
            Some(other) if rank(other.status) < rank(known.status) => *other = known,
            Some(_) => {}
            None => read.push(known),
        }
    }
    read.sort_by_key(|reservation| std::cmp::Reverse(reservation.created_at));
    read.truncate(OTHERS_MAX);
    *reservations = read;
}

/// How far a reservation is: what has expired can still be allocated, if the money came and there is stock.
const fn rank(status: ReservationStatus) -> u8 {
    match status {
        ReservationStatus::Held => 0,
        ReservationStatus::Expired => 1,
        ReservationStatus::Allocated => 2,
        ReservationStatus::Refused
        | ReservationStatus::Lost
        | ReservationStatus::Committed
        | ReservationStatus::Released => 3,
    }
}

const fn meaning(event: &InventoryEvent) -> (ReservationStatus, Option<Timestamp>) {
    match event {
        InventoryEvent::Reserved { expires_at } => (ReservationStatus::Held, Some(Timestamp(*expires_at))),
        InventoryEvent::ReservationFailed { .. } => (ReservationStatus::Refused, None),
        InventoryEvent::ReservationExpired => (ReservationStatus::Expired, None),
        InventoryEvent::Allocated => (ReservationStatus::Allocated, None),
        InventoryEvent::AllocationFailed { .. } => (ReservationStatus::Lost, None),
        InventoryEvent::Committed => (ReservationStatus::Committed, None),
        InventoryEvent::Released => (ReservationStatus::Released, None),
    }
}
