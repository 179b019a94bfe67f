//! Products. Their stock moves with orders, and no event says how: what an event has touched is read again.

use std::collections::{BTreeMap, BTreeSet};

use orderflow_contracts::{
    api::{console::EventRecord, inventory::Product},
    events::CatalogEvent,
    ids::{OrderId, ProductId},
};

use super::{OrderBook, PRODUCTS_MAX, fact::Fact};

/// Products by their id.
///
/// Answers come in any order, so reads are numbered as they begin: what was put by a later one, no earlier one puts
/// back. One that somebody else has changed meanwhile is read once more, as soon as it is not being read.
#[derive(Debug, Default)]
pub struct ProductBook {
    products: BTreeMap<ProductId, Known>,
    /// To be read again.
    stale: BTreeSet<ProductId>,
    /// Being read again, by the reads with these numbers.
    asked: BTreeMap<ProductId, ReadNo>,
    /// The read of all of them that was begun last.
    list: ReadNo,
    last: ReadNo,
    version: u64,
}

/// The number of a read; a later one has a higher number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReadNo(u64);

#[derive(Debug)]
struct Known {
    product: Product,
    /// Which read, or what else, has told of it.
    by: ReadNo,
}

impl ProductBook {
    /// A product.
    pub fn get(&self, id: ProductId) -> Option<&Product> {
        self.products.get(&id).map(|known| &known.product)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Product> {
        self.products.values().map(|known| &known.product)
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

    /// A read begins, of one product or of several.
    pub const fn begin(&mut self) -> ReadNo {
        self.last.0 += 1;
        self.last
    }

    /// A product that was read; nothing, if what is known of it is newer.
    pub fn put(&mut self, by: ReadNo, product: Product) {
        let known = self.products.get(&product.id);
        if known.is_some_and(|known| known.by > by) || (known.is_none() && self.products.len() >= PRODUCTS_MAX) {
            return;
        }
        self.version += 1;
        self.products.insert(product.id, Known { product, by });
    }

    /// What a command has made of a product. What was read since may be newer, and what is being read older: it is read
    /// once more, after which it is certain.
    pub fn put_told(&mut self, product: Product) {
        let by = self.begin();
        self.stale.insert(product.id);
        self.put(by, product);
    }

    /// All of them are going to be read.
    pub(super) const fn begin_list(&mut self) {
        self.list = self.begin();
    }

    /// The list could not be read to its end: these were on it.
    pub(super) fn put_some(&mut self, products: Vec<Product>) {
        for product in products {
            self.put(self.list, product);
        }
    }

    /// All of them were read: what is not among them is gone, unless it was told of since.
    pub(super) fn put_all(&mut self, products: Vec<Product>) {
        let list = self.list;
        self.products.retain(|_, known| known.by > list);
        self.put_some(products);
        self.version += 1;
    }

    /// One is about to be read. Not if it is being read already: then it is read again after that.
    pub fn ask(&mut self, id: ProductId) -> bool {
        if self.asked.contains_key(&id) {
            self.stale.insert(id);
            return false;
        }
        self.stale.remove(&id);
        let number = self.begin();
        self.asked.insert(id, number);
        true
    }

    /// The read of one has come to its end, with this number.
    pub(super) fn answered(&mut self, id: ProductId) -> ReadNo {
        match self.asked.remove(&id) {
            Some(number) => number,
            None => self.begin(),
        }
    }

    /// One could not be read, and that may help another time.
    pub(super) fn read_later(&mut self, id: ProductId) {
        self.stale.insert(id);
    }

    /// Whether something is to be read again, and can be: at most so many at one time.
    pub fn has_stale(&self, most: usize) -> bool {
        self.asked.len() < most && self.stale.iter().any(|id| !self.asked.contains_key(id))
    }

    /// What is to be read again now: at most so many at one time, and none that is being read.
    pub fn take_stale(&mut self, most: usize) -> Vec<ProductId> {
        let room = most.saturating_sub(self.asked.len());
        let ready = self.stale.iter().filter(|id| !self.asked.contains_key(*id));
        let take: Vec<ProductId> = ready.copied().take(room).collect();
        for id in &take {
            self.stale.remove(id);
        }
        take
    }

    /// An event has come: it has changed a product, or moved the stock of an order's products. That it has is known
    /// even if nobody here knows how.
    pub(super) fn hear(&mut self, record: &EventRecord, fact: Option<Fact>, orders: &OrderBook) {
        match record.event_type.split('.').next().unwrap_or_default() {
            "catalog" => {
                if let Some(Fact::Product(id, event)) = fact {
                    self.changed(id, event);
                }
                self.stale.extend(record.subject.parse::<ProductId>());
            }
            "inventory" => {
                let order = record.subject.parse::<OrderId>().ok().and_then(|id| orders.get(id));
                let lines = order.map(|entry| entry.order.lines.as_slice()).unwrap_or_default();
                self.stale.extend(lines.iter().map(|line| line.product_id));
            }
            _ => {}
        }
    }

    fn changed(&mut self, id: ProductId, event: CatalogEvent) {
        let by = self.begin();
        if let (Some(known), CatalogEvent::ProductChanged { name, price, .. }) = (self.products.get_mut(&id), event) {
            (known.product.name, known.product.price, known.by) = (name, price, by);
            self.version += 1;
        }
    }
}
