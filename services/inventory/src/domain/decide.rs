//! The table: what happens to an order's stock on an input.

use std::collections::BTreeMap;

use orderflow_contracts::{
    events::{InventoryEvent, OrderEvent, OrderLine, Shortage, TimestampMs},
    ids::ProductId,
};

/// How much of each product could be taken now: on hand less what is held or allocated. A product that is not in it
/// does not exist.
pub type Stock = BTreeMap<ProductId, u32>;

/// What is wanted of each product, in the order in which rows are locked (race 4).
pub type Lines = BTreeMap<ProductId, u32>;

/// An order's stock.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reservation {
    /// Nothing was heard of the order yet.
    Unknown,
    /// Held until then.
    Held {
        /// What.
        lines: Lines,
        /// When it ends, unless the order is paid.
        expires_at: TimestampMs,
    },
    /// There was not enough when it was asked for.
    Refused,
    /// Held for too long; the stock is free again. If the money came all the same, it is taken again if it can be.
    Expired {
        /// What was held.
        lines: Lines,
    },
    /// The order's for good; it has no end.
    Allocated {
        /// What.
        lines: Lines,
    },
    /// Paid after it had expired, and the stock was gone.
    Lost,
    /// Shipped.
    Committed,
    /// Given back, or cancelled before anything was held: the tombstone that refuses a late reserve.
    Released,
}

/// Whatever can happen to an order's stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input<'a> {
    /// An event of the orders service.
    Order(&'a OrderEvent),
    /// The time has come to look whether the reservation is over. The grace is in `now` already.
    Expire,
}

/// How stock moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Movement {
    /// It becomes reserved.
    Reserve,
    /// It is no longer reserved.
    Release,
    /// It is no longer reserved, and no longer there.
    Ship,
}

/// What comes of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// To be saved together.
    Apply {
        /// The next state.
        next: Reservation,
        /// What moves, all of it or nothing.
        movement: Option<(Movement, Lines)>,
        /// What is told to the world.
        event: Option<InventoryEvent>,
    },
    /// Late, repeated or of no meaning now; nothing changes.
    Ignored(&'static str),
}

/// What becomes of the reservation. `stock` has every product of the order that exists; `hold_ms` is how long a new
/// reservation lasts.
pub fn decide(
    reservation: &Reservation,
    input: Input<'_>,
    stock: &Stock,
    now: TimestampMs,
    hold_ms: TimestampMs,
) -> Decision {
    match (reservation, input) {
        (Reservation::Unknown, Input::Order(OrderEvent::ConfirmationRequested { lines, .. })) => {
            reserve(wanted(lines), stock, now.saturating_add(hold_ms))
        }
        (Reservation::Released, Input::Order(OrderEvent::ConfirmationRequested { .. })) => {
            Decision::Ignored("cancelled before it was reserved")
        }
        (Reservation::Unknown, Input::Order(OrderEvent::Cancelled { .. })) => {
            Decision::Apply { next: Reservation::Released, movement: None, event: None }
        }
        (Reservation::Held { lines, expires_at }, Input::Expire) if *expires_at <= now => Decision::Apply {
            next: Reservation::Expired { lines: lines.clone() },
            movement: Some((Movement::Release, lines.clone())),
            event: Some(InventoryEvent::ReservationExpired),
        },
        (Reservation::Held { lines, .. }, Input::Order(OrderEvent::Paid)) => Decision::Apply {
            next: Reservation::Allocated { lines: lines.clone() },
            movement: None,
            event: Some(InventoryEvent::Allocated),
        },
        (Reservation::Expired { lines }, Input::Order(OrderEvent::Paid)) => take_again(lines, stock),
        (Reservation::Allocated { lines }, Input::Order(OrderEvent::Fulfilled)) => Decision::Apply {
            next: Reservation::Committed,
            movement: Some((Movement::Ship, lines.clone())),
            event: Some(InventoryEvent::Committed),
        },
        (
            Reservation::Held { lines, .. } | Reservation::Allocated { lines },
            Input::Order(OrderEvent::Cancelled { .. }),
        ) => Decision::Apply {
            next: Reservation::Released,
            movement: Some((Movement::Release, lines.clone())),
            event: Some(InventoryEvent::Released),
        },
        (Reservation::Expired { .. }, Input::Order(OrderEvent::Cancelled { .. })) => {
            Decision::Apply { next: Reservation::Released, movement: None, event: Some(InventoryEvent::Released) }
        }
        _ => Decision::Ignored("of no meaning for this reservation"),
    }
}

/// What is wanted of each product, which may stand on several lines.
pub fn wanted(lines: &[OrderLine]) -> Lines {
    let mut wanted = Lines::new();
    for line in lines {
        let quantity = wanted.entry(line.product_id).or_default();
        *quantity = line.quantity.saturating_add(*quantity);
    }
    wanted
}

/// All lines or none.
fn reserve(lines: Lines, stock: &Stock, expires_at: TimestampMs) -> Decision {
    let shortages = shortages(&lines, stock);
    if shortages.is_empty() {
        return Decision::Apply {
            next: Reservation::Held { lines: lines.clone(), expires_at },
            movement: Some((Movement::Reserve, lines)),
            event: Some(InventoryEvent::Reserved { expires_at }),
        };
    }
    let failed = InventoryEvent::ReservationFailed { shortages };
    Decision::Apply { next: Reservation::Refused, movement: None, event: Some(failed) }
}

/// Race 1: the order is paid, so the stock is taken again if it is still there.
fn take_again(lines: &Lines, stock: &Stock) -> Decision {
    let shortages = shortages(lines, stock);
    if shortages.is_empty() {
        return Decision::Apply {
            next: Reservation::Allocated { lines: lines.clone() },
            movement: Some((Movement::Reserve, lines.clone())),
            event: Some(InventoryEvent::Allocated),
        };
    }
    let failed = InventoryEvent::AllocationFailed { shortages };
    Decision::Apply { next: Reservation::Lost, movement: None, event: Some(failed) }
}

fn shortages(lines: &Lines, stock: &Stock) -> Vec<Shortage> {
    let available = |product| stock.get(product).copied().unwrap_or(0);
    let short = lines.iter().filter(|(product, wanted)| available(product) < **wanted);
    short
        .map(|(product, wanted)| Shortage { product_id: *product, wanted: *wanted, available: available(product) })
        .collect()
}
