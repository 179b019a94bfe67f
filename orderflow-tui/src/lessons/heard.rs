//! What was heard of the orders of a lesson: those for its own product.

use orderflow_client::saga_view::SagaView;
use orderflow_contracts::{
    api::console::EventRecord,
    events::{OrderEvent, decode},
    ids::{OrderId, ProductId},
};

/// The orders of a lesson, the person's first.
#[derive(Debug)]
pub struct Heard {
    orders: Vec<Followed>,
    orders_max: usize,
}

/// An order, and its events in the order in which they came, one of each type.
#[derive(Debug)]
struct Followed {
    id: OrderId,
    events: Vec<EventRecord>,
}

impl Heard {
    /// Of so many orders.
    pub const fn of(orders_max: usize) -> Self {
        Self { orders: Vec::new(), orders_max }
    }

    /// The person's order.
    pub fn mine(&self) -> Option<OrderId> {
        self.orders.first().map(|order| order.id)
    }

    /// Somebody else's.
    pub fn theirs(&self) -> Option<OrderId> {
        self.orders.get(1).map(|order| order.id)
    }

    /// An order that is followed from now on, if there is room for one more.
    pub fn follow(&mut self, id: OrderId) {
        if self.orders.len() < self.orders_max && self.orders.iter().all(|order| order.id != id) {
            self.orders.push(Followed { id, events: Vec::new() });
        }
    }

    /// An event has come. Whether it is an order of something else.
    pub fn hear(&mut self, record: &EventRecord, product: ProductId) -> bool {
        let Ok(id) = record.subject.parse::<OrderId>() else { return false };
        let data = record.data.to_string();
        if let Ok(OrderEvent::Created { lines, .. }) = decode(&record.event_type, data.as_bytes()) {
            if lines.iter().all(|line| line.product_id != product) {
                return true;
            }
            self.follow(id);
        }
        if let Some(order) = self.orders.iter_mut().find(|order| order.id == id)
            && order.events.iter().all(|heard| heard.event_type != record.event_type)
        {
            order.events.push(record.clone());
        }
        false
    }

    /// What was heard of the person's order, by its types. It is told in the order of the timeline, in which it
    /// happened: after a while without Kafka, one topic is heard before another.
    pub fn events(&self) -> Vec<String> {
        let view = SagaView::of(self.records(), &[], None);
        view.rows.into_iter().map(|row| row.line.event).collect()
    }

    fn records(&self) -> &[EventRecord] {
        self.orders.first().map(|order| order.events.as_slice()).unwrap_or_default()
    }

    /// Whether an event of the person's order was heard.
    pub fn has(&self, event: &str) -> bool {
        self.records().iter().any(|heard| heard.event_type == event)
    }

    /// Whether as many orders as there can be are confirmed or cancelled.
    pub fn are_decided(&self) -> bool {
        let is_decided = |order: &Followed| {
            order.events.iter().any(|event| matches!(event.event_type.as_str(), "order.confirmed" | "order.cancelled"))
        };
        self.orders.len() == self.orders_max && self.orders.iter().all(is_decided)
    }
}
