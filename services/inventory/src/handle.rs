//! The shell around reservations: lock them, then their products; decide; save, move stock, append to the outbox. All
//! in the caller's transaction; nothing remote.

use std::collections::{BTreeMap, BTreeSet};

use orderflow_contracts::{
    api::ops::Pattern,
    events::{InventoryEvent, OrderEvent, OrderLine, TimestampMs, topics},
    ids::{AccountId, OrderId, ProductId},
};
use orderflow_platform::{
    chaos::Chaos,
    clock,
    context::Context,
    outbox::{self, Happened, NewEvent, Writer},
};
use sqlx::PgConnection;

use crate::{
    domain::{self, Decision, Input, Lines, Movement, Reservation, Stock},
    store::{self, Entry, Level, Row},
};

const WRITER: Writer = Writer { source: "/orderflow/inventory", topic: topics::INVENTORY };

/// Reservations and products that are locked, and what is to be saved and said of them in the end.
pub struct Batch {
    now: TimestampMs,
    rows: BTreeMap<OrderId, Row>,
    /// The version that each changed reservation was loaded with.
    loaded: BTreeMap<OrderId, i64>,
    levels: BTreeMap<ProductId, Level>,
    moved: BTreeSet<ProductId>,
    ledger: Vec<Entry>,
    events: Vec<NewEvent>,
    /// What may be taken out, in a laboratory.
    chaos: Chaos,
    /// Unless locks and versions were taken out there.
    is_guarded: bool,
}

impl Batch {
    /// Locks the reservations of these orders, then the products that stand in them or in `lines`.
    pub async fn load<'a>(
        conn: &mut PgConnection,
        chaos: &Chaos,
        orders: &[OrderId],
        lines: impl Iterator<Item = &'a OrderLine> + Send,
    ) -> Result<Self, sqlx::Error> {
        let mut products: BTreeSet<ProductId> = lines.map(|line| line.product_id).collect();
        let is_guarded = !chaos.is_out(Pattern::VersionCheck);
        let rows = store::load_for_update(conn, orders, is_guarded).await?;
        products.extend(rows.iter().flat_map(|row| row.lines.keys().copied()));
        let levels = store::levels_for_update(conn, &products.into_iter().collect::<Vec<_>>(), is_guarded).await?;
        let now = clock::now_ms(conn).await?;
        let rows = rows.into_iter().map(|row| (row.order_id, row)).collect();
        let (loaded, moved, ledger, events) = (BTreeMap::new(), BTreeSet::new(), vec![], vec![]);
        Ok(Self { now, rows, loaded, levels, moved, ledger, events, chaos: chaos.clone(), is_guarded })
    }

    /// What time it was when the locks were had.
    pub const fn now(&self) -> TimestampMs {
        self.now
    }

    /// The command that an order's reservation follows from.
    pub fn correlation_id(&self, order_id: OrderId) -> Option<&str> {
        self.rows.get(&order_id).map(|row| row.correlation_id.as_str())
    }

    /// Applies an input to the reservation of an order. `now` decides what is over; `hold_ms` is how long a new
    /// reservation lasts.
    pub fn apply(
        &mut self,
        order_id: OrderId,
        input: Input<'_>,
        now: TimestampMs,
        hold_ms: TimestampMs,
        context: &Context,
    ) {
        let row = self.rows.get(&order_id);
        let leaves_tombstone = row.is_none() && matches!(input, Input::Order(OrderEvent::Cancelled { .. }));
        if leaves_tombstone && self.chaos.is_out(Pattern::Tombstone) {
            return;
        }
        let reservation = row.map_or(&Reservation::Unknown, |row| &row.reservation);
        match domain::decide(reservation, input, &self.stock(), now, hold_ms) {
            Decision::Ignored(why) => tracing::debug!(%order_id, why, "ignored"),
            Decision::Apply { next, movement, event } => {
                let mut row = row.cloned().unwrap_or_else(|| new_row(order_id, self.now, context));
                self.loaded.entry(order_id).or_insert(row.version);
                note_parties(&mut row, input);
                row.lines = lines_of(&next).unwrap_or(row.lines);
                row.reservation = next;
                row.version += 1;
                row.updated_ms = self.now;
                if let Some((movement, lines)) = movement {
                    self.move_stock(order_id, movement, &lines);
                }
                if let Some(event) = event {
                    row.sequence += 1;
                    self.events.push(self.event(&row, context, &event));
                }
                self.rows.insert(order_id, row);
            }
        }
    }

    /// What can be had of each product now.
    fn stock(&self) -> Stock {
        let is_guarded = !self.chaos.is_out(Pattern::StockGuard);
        let available =
            |level: &Level| if is_guarded { level.on_hand.saturating_sub(level.reserved) } else { u32::MAX };
        self.levels.iter().map(|(id, level)| (*id, available(level))).collect()
    }

    fn move_stock(&mut self, order_id: OrderId, movement: Movement, lines: &Lines) {
        for (product_id, quantity) in lines {
            // A product that does not exist has no stock, so nothing of it was ever promised.
            let Some(level) = self.levels.get_mut(product_id) else { continue };
            let kind = match movement {
                Movement::Reserve => {
                    // Without the guard there may be more promises than pieces; the column does not take more.
                    level.reserved = level.reserved.saturating_add(*quantity).min(level.on_hand);
                    "reserved"
                }
                Movement::Release => {
                    level.reserved = level.reserved.saturating_sub(*quantity);
                    "released"
                }
                Movement::Ship => {
                    level.reserved = level.reserved.saturating_sub(*quantity);
                    level.on_hand = level.on_hand.saturating_sub(*quantity);
                    "shipped"
                }
            };
            self.moved.insert(*product_id);
            self.ledger.push(Entry { product_id: *product_id, order_id: Some(order_id), kind, quantity: *quantity });
        }
    }

    fn event(&self, row: &Row, context: &Context, event: &InventoryEvent) -> NewEvent {
        let (subject, sequence) = (row.order_id.to_string(), row.sequence.unsigned_abs());
        WRITER.event(Happened { subject, sequence, time_ms: self.now, context, event })
    }

    /// Whether there is anything to save.
    pub fn has_changes(&self) -> bool {
        !self.loaded.is_empty()
    }

    /// Saves what has changed and appends what is to be said.
    pub async fn save(&self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        let changed: Vec<_> =
            self.loaded.iter().filter_map(|(id, loaded)| self.rows.get(id).map(|row| (*loaded, row))).collect();
        store::save(conn, &changed, self.is_guarded).await?;
        let levels: Vec<_> =
            self.moved.iter().filter_map(|id| self.levels.get(id).map(|level| (*id, *level))).collect();
        store::save_levels(conn, &levels).await?;
        store::append_ledger(conn, &self.ledger, self.now).await?;
        outbox::append(conn, &self.events).await
    }
}

fn new_row(order_id: OrderId, now: TimestampMs, context: &Context) -> Row {
    Row {
        order_id,
        customer_id: None,
        seller_id: None,
        reservation: Reservation::Unknown,
        lines: Lines::new(),
        correlation_id: context.correlation_id.clone(),
        version: 0,
        sequence: 0,
        created_ms: now,
        updated_ms: now,
    }
}

/// Who may see the reservation is said when stock is asked for.
fn note_parties(row: &mut Row, input: Input<'_>) {
    if let Input::Order(OrderEvent::ConfirmationRequested { customer_id, seller_id, lines }) = input {
        let (customer, seller): (AccountId, AccountId) = (*customer_id, *seller_id);
        (row.customer_id, row.seller_id) = (Some(customer), Some(seller));
        row.lines = domain::wanted(lines);
    }
}

fn lines_of(reservation: &Reservation) -> Option<Lines> {
    match reservation {
        Reservation::Held { lines, .. } | Reservation::Expired { lines } | Reservation::Allocated { lines } => {
            Some(lines.clone())
        }
        _ => None,
    }
}
