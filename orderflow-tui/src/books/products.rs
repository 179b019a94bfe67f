//! Products. Their stock moves with orders, and no event says how: what an event has touched is read again.

use std::collections::{BTreeMap, BTreeSet};

use orderflow_contracts::{
    api::{console::EventRecord, inventory::Product},
    events::{CatalogEvent, decode},
    ids::{OrderId, ProductId},
};

use super::{OrderBook, PRODUCTS_MAX};

/// Products by their id.
#[derive(Debug, Default)]
pub struct ProductBook {
    products: BTreeMap<ProductId, Product>,
    /// To be read again.
    stale: BTreeSet<ProductId>,
    /// Being read again.
    asked: BTreeSet<ProductId>,
    /// What has changed, or was read alone, while all of them are being read: the list may have it older.
    touched: BTreeSet<ProductId>,
    version: u64,
}

impl ProductBook {
    /// A product.
    pub fn get(&self, id: ProductId) -> Option<&Product> {
        self.products.get(&id)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Product> {
        self.products.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.products.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.products.is_empty()
    }

    /// Another number after each change.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// A product that was read.
    pub fn put(&mut self, product: Product) {
        self.version += 1;
        self.asked.remove(&product.id);
        self.touched.insert(product.id);
        if self.products.len() < PRODUCTS_MAX || self.products.contains_key(&product.id) {
            self.products.insert(product.id, product);
        }
    }

    /// All of them are going to be read.
    pub(super) fn begin_reading(&mut self) {
        self.touched.clear();
    }

    /// All of them were read: what is not among them is gone. What has changed meanwhile is read once more.
    pub(super) fn put_all(&mut self, products: Vec<Product>) {
        self.products = products.into_iter().take(PRODUCTS_MAX).map(|product| (product.id, product)).collect();
        self.stale.append(&mut self.touched);
        self.version += 1;
    }

    /// One could not be read. It is tried again if that may help.
    pub fn not_read(&mut self, id: ProductId, again: bool) {
        self.asked.remove(&id);
        if again {
            self.stale.insert(id);
        }
    }

    /// Whether something is to be read again, and can be: at most so many at one time.
    pub fn has_stale(&self, most: usize) -> bool {
        !self.stale.is_empty() && self.asked.len() < most
    }

    /// What is to be read again now: at most so many at one time.
    pub fn take_stale(&mut self, most: usize) -> Vec<ProductId> {
        let room = most.saturating_sub(self.asked.len());
        let take: Vec<ProductId> = self.stale.iter().copied().take(room).collect();
        for id in &take {
            self.stale.remove(id);
            self.asked.insert(*id);
        }
        take
    }

    /// An event has come: it has changed a product, or moved the stock of an order's products.
    pub(super) fn hear(&mut self, record: &EventRecord, orders: &OrderBook) {
        match record.event_type.split('.').next().unwrap_or_default() {
            "catalog" => self.changed(record),
            "inventory" => {
                let order = record.subject.parse::<OrderId>().ok().and_then(|id| orders.get(id));
                let lines = order.map(|entry| entry.order.lines.as_slice()).unwrap_or_default();
                for line in lines {
                    self.touch(line.product_id);
                }
            }
            _ => {}
        }
    }

    fn changed(&mut self, record: &EventRecord) {
        let Ok(id) = record.subject.parse::<ProductId>() else { return };
        let data = record.data.to_string();
        if let (Some(product), Ok(CatalogEvent::ProductChanged { name, price, .. })) =
            (self.products.get_mut(&id), decode(&record.event_type, data.as_bytes()))
        {
            (product.name, product.price) = (name, price);
            self.version += 1;
        }
        self.touch(id);
    }

    fn touch(&mut self, id: ProductId) {
        self.stale.insert(id);
        self.touched.insert(id);
    }
}
