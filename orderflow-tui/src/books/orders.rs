//! Orders, as their events make them.

use std::collections::{BTreeSet, HashMap};

use orderflow_contracts::{
    api::orders::{Order, OrderPayment, OrderPaymentStatus, OrderReservation, OrderReservationStatus, OrderStatus},
    events::{InventoryEvent, OrderEvent, PaymentEvent},
    ids::OrderId,
    timestamp::Timestamp,
};

use super::{ORDERS_MAX, fact::Fact};

/// Orders that are remembered because something was heard of them before they were known. If there are more, the list
/// is read again.
const EARLY_MAX: usize = 500;

/// An order, and when it was last heard of.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The order.
    pub order: Order,
    /// When it changed last, by the services' clock.
    pub changed_at: Timestamp,
}

/// Orders by their id, and the newest first.
#[derive(Debug, Default)]
pub struct OrderBook {
    entries: HashMap<OrderId, Entry>,
    /// By when they were created.
    by_age: BTreeSet<(Timestamp, OrderId)>,
    /// Counts changes, so that whoever has filtered the book knows whether to do it again.
    version: u64,
    /// What was heard of these, nobody could apply: there is no order between topics, and a list takes its time.
    early: BTreeSet<OrderId>,
    /// There were too many of these: whatever was heard of whichever stands in the list.
    is_overrun: bool,
    /// The same when the list was asked for last: it tells of them, if it comes.
    was_overrun: bool,
    /// These are known now, and have to be read: they may be further than they look.
    behind: BTreeSet<OrderId>,
    /// Of these, those that are being read.
    asked: BTreeSet<OrderId>,
}

impl OrderBook {
    /// An order.
    pub fn get(&self, id: OrderId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    /// All, the newest first.
    pub fn newest(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.by_age.iter().rev().filter_map(|(_, id)| self.entries.get(id))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Another number after each change.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// An order that was read. Whether one is not kept for it: this one, or the oldest.
    pub fn put(&mut self, order: &Order) -> bool {
        self.version += 1;
        let Some(entry) = self.entries.get_mut(&order.id) else {
            let entry = Entry { order: order.clone(), changed_at: order.updated_at };
            return self.insert(entry);
        };
        let known = entry.order.clone();
        entry.order = order.clone();
        raise(&mut entry.order, &known);
        entry.changed_at = entry.changed_at.max(order.updated_at);
        false
    }

    /// Whether something has to be read because it was heard of too early, and can be: at most so many at one time.
    pub fn has_behind(&self, most: usize) -> bool {
        self.asked.len() < most && !self.behind.is_empty()
    }

    /// What has to be read because it was heard of too early: the newest first, and at most so many at one time.
    pub fn take_behind(&mut self, most: usize) -> Vec<OrderId> {
        let room = most.saturating_sub(self.asked.len());
        let take: Vec<OrderId> = self.behind.iter().rev().copied().take(room).collect();
        for id in &take {
            self.behind.remove(id);
            self.asked.insert(*id);
        }
        take
    }

    /// The read of one has come to its end; it is read again if that may help.
    pub(super) fn answered(&mut self, id: OrderId, again: bool) {
        self.asked.remove(&id);
        if again {
            self.behind.insert(id);
        }
    }

    /// Whether more was heard too early than can be remembered.
    pub(super) const fn is_overrun(&self) -> bool {
        self.is_overrun
    }

    /// All of them are going to be read, with everything that was heard of them until now.
    pub(super) const fn begin_list(&mut self) {
        (self.was_overrun, self.is_overrun) = (self.is_overrun, false);
    }

    /// The list could not be read to its end.
    pub(super) const fn list_failed(&mut self) {
        self.is_overrun |= self.was_overrun;
    }

    fn insert(&mut self, entry: Entry) -> bool {
        if self.early.remove(&entry.order.id) {
            self.behind.insert(entry.order.id);
        }
        self.by_age.insert((entry.order.created_at, entry.order.id));
        self.entries.insert(entry.order.id, entry);
        if self.entries.len() <= ORDERS_MAX {
            return false;
        }
        if let Some((_, oldest)) = self.by_age.pop_first() {
            self.entries.remove(&oldest);
        }
        true
    }

    /// An event has come.
    pub(super) fn hear(&mut self, at: Timestamp, fact: &Fact) {
        match fact {
            Fact::Order(id, event) => self.of_order(*id, at, event),
            Fact::Stock(id, event) => self.change(*id, at, |order| stock(order, event)),
            Fact::Money(id, event) => self.change(*id, at, |order| money(order, event)),
            Fact::Product(..) => {}
        }
    }

    fn of_order(&mut self, id: OrderId, at: Timestamp, event: &OrderEvent) {
        if let OrderEvent::Created { customer_id, seller_id, lines, total } = event {
            if !self.entries.contains_key(&id) {
                let order = Order {
                    id,
                    status: OrderStatus::Pending,
                    customer_id: *customer_id,
                    seller_id: *seller_id,
                    lines: lines.clone(),
                    total: *total,
                    cancel_reason: None,
                    reservation: OrderReservation { status: OrderReservationStatus::None, expires_at: None },
                    payment: OrderPayment { status: OrderPaymentStatus::None, link: None },
                    version: 1,
                    created_at: at,
                    updated_at: at,
                };
                self.version += 1;
                self.insert(Entry { order, changed_at: at });
            }
            return;
        }
        self.change(id, at, |order| match event {
            OrderEvent::Created { .. } => {}
            OrderEvent::ConfirmationRequested { .. } => {
                status(order, OrderStatus::Confirming);
                reservation(order, OrderReservationStatus::Requested);
            }
            OrderEvent::Confirmed { .. } => status(order, OrderStatus::Confirmed),
            OrderEvent::Paid => status(order, OrderStatus::Paid),
            OrderEvent::Fulfilled => status(order, OrderStatus::Fulfilled),
            OrderEvent::Cancelled { reason } => {
                status(order, OrderStatus::Cancelled);
                order.cancel_reason = Some(*reason);
            }
        });
    }

    fn change(&mut self, id: OrderId, at: Timestamp, change: impl FnOnce(&mut Order)) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return self.heard_early(id);
        };
        change(&mut entry.order);
        entry.changed_at = entry.changed_at.max(at);
        self.version += 1;
    }

    fn heard_early(&mut self, id: OrderId) {
        // Ids begin with their time: one that is older than all of a full book does not come into it.
        let oldest = self.by_age.first().filter(|_| self.entries.len() >= ORDERS_MAX);
        if oldest.is_some_and(|(_, oldest)| id < *oldest) {
            return;
        }
        self.early.insert(id);
        if self.early.len() > EARLY_MAX {
            self.early.clear();
            self.is_overrun = true;
        }
    }
}

/// How far a status is. Over is over.
const fn rank(status: OrderStatus) -> u8 {
    match status {
        OrderStatus::Pending => 0,
        OrderStatus::Confirming => 1,
        OrderStatus::Confirmed => 2,
        OrderStatus::Paid => 3,
        OrderStatus::Fulfilled => 4,
        OrderStatus::Cancelled => 5,
    }
}

fn status(order: &mut Order, to: OrderStatus) {
    if rank(to) > rank(order.status) {
        order.status = to;
    }
}

fn reservation(order: &mut Order, to: OrderReservationStatus) {
    let reservation = &mut order.reservation;
    if to > reservation.status {
        reservation.status = to;
        if to != OrderReservationStatus::Held {
            reservation.expires_at = None;
        }
    }
}

fn payment(order: &mut Order, to: OrderPaymentStatus) {
    order.payment.status = order.payment.status.max(to);
}

/// As far as the other one knows, if that is further.
fn raise(order: &mut Order, known: &Order) {
    if rank(known.status) > rank(order.status) {
        order.status = known.status;
        order.cancel_reason = known.cancel_reason;
    }
    if known.reservation.status > order.reservation.status {
        order.reservation = known.reservation;
    }
    payment(order, known.payment.status);
}

fn stock(order: &mut Order, event: &InventoryEvent) {
    let to = match event {
        InventoryEvent::Reserved { expires_at } => {
            reservation(order, OrderReservationStatus::Held);
            if order.reservation.status == OrderReservationStatus::Held {
                order.reservation.expires_at = Some(Timestamp(*expires_at));
            }
            return;
        }
        InventoryEvent::ReservationFailed { .. } | InventoryEvent::AllocationFailed { .. } => {
            OrderReservationStatus::Failed
        }
        InventoryEvent::ReservationExpired => OrderReservationStatus::Expired,
        InventoryEvent::Allocated => OrderReservationStatus::Allocated,
        InventoryEvent::Committed => OrderReservationStatus::Committed,
        InventoryEvent::Released => OrderReservationStatus::Released,
    };
    reservation(order, to);
}

fn money(order: &mut Order, event: &PaymentEvent) {
    payment(
        order,
        match event {
            PaymentEvent::Opened { .. } => OrderPaymentStatus::Open,
            PaymentEvent::Succeeded { .. } => OrderPaymentStatus::Succeeded,
            PaymentEvent::Failed { .. } => OrderPaymentStatus::Failed,
            PaymentEvent::Voided => OrderPaymentStatus::Voided,
            PaymentEvent::Refunded { .. } => OrderPaymentStatus::Refunded,
        },
    );
}
