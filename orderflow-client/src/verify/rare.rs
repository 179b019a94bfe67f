//! How often what is rare has happened: a run that never met it has not shown much.

use std::collections::HashSet;

use orderflow_contracts::api::{inventory::ReservationStatus, ops::LetterStatus, payments::PaymentStatus};
use serde::Serialize;

use super::{findings::count as length, snapshot::Snapshot};

/// How often it has happened, as far as outboxes and inboxes remember.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Rare {
    /// Events that came again and were passed over.
    pub duplicates_suppressed: u64,
    /// Orders for which there was not enough stock.
    pub out_of_stock: u64,
    /// Reservations that have ended since nobody had paid in time.
    pub reservations_expired: u64,
    /// Orders whose stock was taken again after it had expired, since the money came all the same.
    pub allocated_after_expiry: u64,
    /// Orders that were paid too late: their stock was gone.
    pub stock_lost: u64,
    /// Orders that were cancelled before stock was asked for: what is left of them refuses a late request.
    pub tombstones: u64,
    /// Cards that were declined.
    pub declined: u64,
    /// Charges that were given back.
    pub refunded: u64,
    /// Of those, charges of orders that were over before the money came.
    pub late_successes_refunded: u64,
}

/// What became of what could not be applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LetterCounts {
    /// Nobody has decided yet.
    pub open: u64,
    /// Applied after all.
    pub replayed: u64,
    /// Given up.
    pub discarded: u64,
}

pub(super) fn count(snapshot: &Snapshot) -> Rare {
    let subjects = |event_type: &str| -> HashSet<&str> {
        snapshot
            .events()
            .filter(|(_, event)| &*event.event_type == event_type)
            .map(|(_, event)| &*event.subject)
            .collect()
    };
    let (expired, allocated, paid) =
        (subjects("inventory.reservation_expired"), subjects("inventory.allocated"), subjects("order.paid"));
    let refunded = || snapshot.payments.values().filter(|payment| payment.status == PaymentStatus::Refunded);
    let is_tombstone = |status, is_empty| status == ReservationStatus::Released && is_empty;
    let tombstones = snapshot.reservations.values().filter(|it| is_tombstone(it.status, it.lines.is_empty()));
    Rare {
        duplicates_suppressed: snapshot.inboxes.values().flatten().map(|row| u64::from(row.duplicates)).sum(),
        out_of_stock: length(subjects("inventory.reservation_failed").len()),
        reservations_expired: length(expired.len()),
        allocated_after_expiry: length(expired.intersection(&allocated).count()),
        stock_lost: length(subjects("inventory.allocation_failed").len()),
        tombstones: length(tombstones.count()),
        declined: length(subjects("payment.failed").len()),
        refunded: length(refunded().count()),
        late_successes_refunded: length(
            refunded().filter(|payment| !paid.contains(payment.order_id.to_string().as_str())).count(),
        ),
    }
}

pub(super) fn letters(snapshot: &Snapshot) -> LetterCounts {
    let of = |status| length(snapshot.dead_letters.iter().filter(|letter| letter.status == status).count());
    LetterCounts {
        open: of(LetterStatus::Open),
        replayed: of(LetterStatus::Replayed),
        discarded: of(LetterStatus::Discarded),
    }
}
