//! Stock: what is in the house, what is promised, and what the append-only ledger says of both.

use std::collections::BTreeMap;

use orderflow_contracts::{
    api::{
        inventory::{Reservation, ReservationStatus},
        ops::LedgerSum,
    },
    ids::{OrderId, ProductId},
};

use super::{findings::Findings, snapshot::Snapshot};

/// What has moved, in all.
#[derive(Debug, Clone, Copy, Default)]
struct Moved {
    received: i64,
    reserved: i64,
    released: i64,
    shipped: i64,
}

impl Moved {
    const fn add(&mut self, sum: &LedgerSum) {
        self.received = self.received.saturating_add(sum.received);
        self.reserved = self.reserved.saturating_add(sum.reserved);
        self.released = self.released.saturating_add(sum.released);
        self.shipped = self.shipped.saturating_add(sum.shipped);
    }

    const fn on_hand(self) -> i64 {
        self.received.saturating_sub(self.shipped)
    }

    /// Held or allocated now: what is shipped is no longer promised, but gone.
    const fn promised(self) -> i64 {
        self.reserved.saturating_sub(self.released).saturating_sub(self.shipped)
    }
}

fn of_products(snapshot: &Snapshot) -> BTreeMap<ProductId, Moved> {
    let mut moved: BTreeMap<ProductId, Moved> = BTreeMap::new();
    for sum in &snapshot.ledger {
        moved.entry(sum.product_id).or_default().add(sum);
    }
    moved
}

pub(super) fn on_hand(snapshot: &Snapshot, findings: &mut Findings) {
    let moved = of_products(snapshot);
    for (id, product) in &snapshot.products {
        findings.look();
        let moved = moved.get(id).copied().unwrap_or_default();
        let (is, should_be) = (i64::from(product.on_hand), moved.on_hand());
        if is != should_be {
            let should_be = format!("{should_be}: {} received less {} shipped", moved.received, moved.shipped);
            findings.add(format!("product {id}"), format!("{is} on hand"), should_be);
        }
    }
    for id in moved.keys().filter(|id| !snapshot.products.contains_key(id)) {
        findings.add(format!("product {id}"), "stock has moved", "a product that exists");
    }
}

pub(super) fn reserved(snapshot: &Snapshot, findings: &mut Findings) {
    let moved = of_products(snapshot);
    let mut live: BTreeMap<ProductId, i64> = BTreeMap::new();
    for reservation in snapshot.reservations.values().filter(|reservation| is_live(reservation.status)) {
        for line in &reservation.lines {
            *live.entry(line.product_id).or_default() += i64::from(line.quantity);
        }
    }
    for (id, product) in &snapshot.products {
        findings.look();
        let is = i64::from(product.reserved);
        let live = live.get(id).copied().unwrap_or(0);
        let moved = moved.get(id).copied().unwrap_or_default();
        if is != live || is != moved.promised() {
            let Moved { reserved, released, shipped, .. } = moved;
            let by_ledger =
                format!("{}: {reserved} reserved, {released} released, {shipped} shipped", moved.promised());
            let should_be = format!("{live} by the live reservations; by the ledger {by_ledger}");
            findings.add(format!("product {id}"), format!("{is} reserved"), should_be);
        }
    }
}

const fn is_live(status: ReservationStatus) -> bool {
    matches!(status, ReservationStatus::Held | ReservationStatus::Allocated)
}

pub(super) fn not_oversold(snapshot: &Snapshot, findings: &mut Findings) {
    for (id, product) in &snapshot.products {
        findings.look();
        let (on_hand, reserved, available) = (product.on_hand, product.reserved, product.available);
        let is = || format!("{on_hand} on hand, {reserved} reserved, {available} available");
        if reserved > on_hand {
            findings.add(format!("product {id}"), is(), "no more reserved than is on hand");
        } else if available != on_hand - reserved {
            findings.add(format!("product {id}"), is(), format!("{} available", on_hand - reserved));
        }
    }
    for sum in &snapshot.ledger {
        let mut moved = Moved::default();
        moved.add(sum);
        let LedgerSum { received, reserved, released, shipped, .. } = sum;
        let is_negative = [*received, *reserved, *released, *shipped].iter().any(|pieces| *pieces < 0);
        if is_negative || (sum.order_id.is_some() && moved.promised() < 0) {
            let is = format!("{received} received, {reserved} reserved, {released} released, {shipped} shipped");
            findings.add(subject_of(sum), is, "no more given back or shipped than was taken");
        }
    }
}

fn subject_of(sum: &LedgerSum) -> String {
    match sum.order_id {
        Some(order) => format!("order {order}, product {}", sum.product_id),
        None => format!("product {}", sum.product_id),
    }
}

pub(super) fn of_order(snapshot: &Snapshot, findings: &mut Findings) {
    let mut ledger: BTreeMap<OrderId, BTreeMap<ProductId, Moved>> = BTreeMap::new();
    for (order, sum) in snapshot.ledger.iter().filter_map(|sum| Some((sum.order_id?, sum))) {
        ledger.entry(order).or_default().entry(sum.product_id).or_default().add(sum);
    }
    for (id, reservation) in &snapshot.reservations {
        findings.look();
        check_ledger(*id, reservation, &ledger.remove(id).unwrap_or_default(), findings);
        check_lines(snapshot, *id, reservation, findings);
    }
    for id in ledger.keys() {
        findings.add(format!("order {id}"), "stock has moved for it", "a reservation, or no stock that has moved");
    }
}

/// What the ledger has of an order is what its reservation says.
fn check_ledger(id: OrderId, reservation: &Reservation, ledger: &BTreeMap<ProductId, Moved>, findings: &mut Findings) {
    let status = reservation.status;
    let wanted = quantities(reservation);
    let products: std::collections::BTreeSet<_> = ledger.keys().chain(wanted.keys()).collect();
    for product in products {
        let moved = ledger.get(product).copied().unwrap_or_default();
        let wanted = wanted.get(product).copied().unwrap_or(0);
        let (promised, shipped) = match status {
            ReservationStatus::Held | ReservationStatus::Allocated => (wanted, 0),
            ReservationStatus::Committed => (0, wanted),
            _ => (0, 0),
        };
        if (moved.promised(), moved.shipped) != (promised, shipped) {
            let is = format!("by the ledger {} promised, {} shipped", moved.promised(), moved.shipped);
            let should_be = format!("{promised} promised, {shipped} shipped: {}", status.as_str());
            findings.add(format!("order {id}, product {product}"), is, should_be);
        }
    }
}

/// What is or was held for an order is what was ordered.
fn check_lines(snapshot: &Snapshot, id: OrderId, reservation: &Reservation, findings: &mut Findings) {
    let Some(order) = snapshot.orders.get(&id) else { return };
    let (held, mut ordered) = (quantities(reservation), BTreeMap::new());
    for line in &order.lines {
        *ordered.entry(line.product_id).or_default() += i64::from(line.quantity);
    }
    let took = is_live(reservation.status) || reservation.status == ReservationStatus::Committed;
    if took && held != ordered {
        let text = |lines: &BTreeMap<ProductId, i64>| {
            lines.iter().map(|(product, pieces)| format!("{pieces} of {product}")).collect::<Vec<_>>().join(", ")
        };
        let is = format!("{} for {}", reservation.status.as_str(), text(&held));
        findings.add(format!("order {id}"), is, text(&ordered));
    }
}

fn quantities(reservation: &Reservation) -> BTreeMap<ProductId, i64> {
    let mut quantities: BTreeMap<ProductId, i64> = BTreeMap::new();
    for line in &reservation.lines {
        *quantities.entry(line.product_id).or_default() += i64::from(line.quantity);
    }
    quantities
}
