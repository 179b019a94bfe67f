//! What a desk knows: orders, products, reservations and events, as they were read and as the stream has changed them.
//!
//! ```text
//!   lists, read once ──▶ Books ◀── the stream's events, each applied as it comes
//!                          └──▶ stale: what an event has changed without saying how; read again, one by one
//! ```
//!
//! A fact never goes back: what is read late does not undo what was heard since.

pub mod effects;
mod fact;
mod log;
mod orders;
mod payments;
mod products;
mod reservations;
#[cfg(test)]
mod tests;

use orderflow_client::ClientError;
use orderflow_contracts::{
    api::{
        console::{Account, EventRecord, Role},
        inventory::{Product, Reservation},
        orders::Order,
        payments::Payment,
    },
    ids::{OrderId, ProductId},
    timestamp::Timestamp,
};

use self::fact::Fact;
pub use self::{
    effects::{Do, Done},
    log::EventLog,
    orders::{Entry, OrderBook},
    products::{ProductBook, ReadNo},
};

/// Orders that are kept; older ones are not shown. 10,000 of two lines are about 10 MB.
pub const ORDERS_MAX: usize = 10_000;
/// Products that are kept.
pub const PRODUCTS_MAX: usize = 2_000;
/// Reservations and payments that are kept.
pub const OTHERS_MAX: usize = 2_000;

/// How far a list was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Part {
    /// Not asked for yet, or on its way for the first time.
    #[default]
    Loading,
    /// As it was then, and kept right by the stream since.
    Read {
        /// When it was read, by our clock.
        at: Timestamp,
        /// There were more than are kept.
        more: bool,
    },
    /// It could not be read; what was read before stays.
    Failed {
        /// Why, in the service's words.
        why: String,
        /// When what is shown was read.
        read_at: Option<Timestamp>,
    },
}

impl Part {
    /// Whether anything was read: if not, nobody can say how many there are.
    pub const fn was_read(&self) -> bool {
        !matches!(self, Self::Loading | Self::Failed { read_at: None, .. })
    }

    /// So many there are, or `…` while that is not known: nought would be a statement.
    pub fn count(&self, known: usize) -> String {
        // A list that broke off has told of those.
        let is_told = self.was_read() || (known > 0 && !matches!(self, Self::Loading));
        if is_told { known.to_string() } else { "…".to_owned() }
    }

    pub(crate) fn failed(&mut self, why: String) {
        let read_at = match self {
            Self::Read { at, .. } => Some(*at),
            Self::Failed { read_at, .. } => *read_at,
            Self::Loading => None,
        };
        *self = Self::Failed { why, read_at };
    }
}

/// Everything that a desk knows.
pub struct Books {
    /// Whose books they are.
    pub me: Account,
    /// Orders that one may see.
    pub orders: OrderBook,
    /// How far they were read.
    pub orders_part: Part,
    /// Products: the whole catalogue, or the seller's own.
    pub products: ProductBook,
    /// How far they were read.
    pub products_part: Part,
    /// Reservations, for sellers and admins.
    pub reservations: Vec<Reservation>,
    /// How far they were read.
    pub reservations_part: Part,
    /// Payments, the newest first, for customers.
    pub payments: Vec<Payment>,
    /// How far they were read.
    pub payments_part: Part,
    /// The last events.
    pub events: EventLog,
    /// By how much the services' clock is ahead of ours, in milliseconds.
    pub clock_ahead_ms: i64,
    /// Lists that are being read.
    reading: Vec<Do>,
    /// What is being read may be from before something was missed.
    has_missed: bool,
}

impl Books {
    /// Of this account; nothing is in them yet.
    pub fn new(me: Account) -> Self {
        Self {
            me,
            orders: OrderBook::default(),
            orders_part: Part::Loading,
            products: ProductBook::default(),
            products_part: Part::Loading,
            reservations: Vec::new(),
            reservations_part: Part::Loading,
            payments: Vec::new(),
            payments_part: Part::Loading,
            events: EventLog::default(),
            clock_ahead_ms: 0,
            reading: Vec::new(),
            has_missed: false,
        }
    }

    /// What has to be read when the desk opens, and when events may have been missed. If that is being read already, it
    /// is read again after that.
    pub fn read_missed(&mut self) -> Vec<Do> {
        self.has_missed = !self.reading.is_empty();
        self.read_again()
    }

    fn read_all(&mut self) -> Vec<Do> {
        self.has_missed = false;
        // Who pays looks at payments, and the others at what is held.
        let others = if self.me.role == Role::Customer { Do::Payments } else { Do::Reservations };
        let reads = vec![Do::Clock, Do::Orders, Do::Products, others];
        // All but the clock are lists.
        self.reading.extend_from_slice(&reads[1..]);
        self.orders.begin_list();
        self.products.begin_list();
        reads
    }

    /// Whether a list is being read.
    pub const fn is_reading(&self) -> bool {
        !self.reading.is_empty()
    }

    /// What has to be read when somebody wants it anew: nothing while it is being read, however often a key is pressed.
    pub fn read_again(&mut self) -> Vec<Do> {
        if self.reading.is_empty() { self.read_all() } else { Vec::new() }
    }

    /// Whether a list could not be read, or not to its end.
    pub fn has_failed(&self) -> bool {
        self.failed().next().is_some()
    }

    /// Whether one of them is not being read again already.
    pub fn can_read_failed(&self) -> bool {
        self.failed().any(|list| !self.reading.contains(&list))
    }

    /// What has to be read of those that could not be, and is not being read.
    pub fn read_failed(&mut self) -> Vec<Do> {
        let reads: Vec<Do> = self.failed().filter(|list| !self.reading.contains(list)).collect();
        for list in &reads {
            match list {
                Do::Orders => self.orders.begin_list(),
                Do::Products => self.products.begin_list(),
                _ => {}
            }
        }
        self.reading.extend_from_slice(&reads);
        reads
    }

    fn failed(&self) -> impl Iterator<Item = Do> {
        let parts = [
            (Do::Orders, &self.orders_part),
            (Do::Products, &self.products_part),
            (Do::Reservations, &self.reservations_part),
            (Do::Payments, &self.payments_part),
        ];
        parts.into_iter().filter(|(_, part)| matches!(part, Part::Failed { .. })).map(|(list, _)| list)
    }

    /// Whether something is to be read again by itself, and can be: of each kind at most so many at one time.
    pub fn has_stale(&self, most: usize) -> bool {
        self.products.has_stale(most) || self.orders.has_behind(most) || self.wants_orders() || self.wants_all()
    }

    /// What is to be read again by itself: of each kind at most so many at one time.
    pub fn take_stale(&mut self, most: usize) -> Vec<Do> {
        let mut reads = if self.wants_all() { self.read_all() } else { Vec::new() };
        if self.wants_orders() {
            self.orders.begin_list();
            self.reading.push(Do::Orders);
            reads.push(Do::Orders);
        }
        reads.extend(self.orders.take_behind(most).into_iter().map(Do::Order));
        reads.extend(self.products.take_stale(most).into_iter().map(Do::Product));
        reads
    }

    const fn wants_all(&self) -> bool {
        self.has_missed && self.reading.is_empty()
    }

    /// Whether more was heard of orders that are not known yet than can be remembered. A list that is being read may be
    /// from before that.
    fn wants_orders(&self) -> bool {
        self.orders.is_overrun() && !self.reading.contains(&Do::Orders)
    }

    /// An event has come.
    pub fn hear(&mut self, record: &EventRecord) {
        let fact = Fact::of(record);
        if let Some(fact) = &fact {
            self.orders.hear(record.at, fact);
            reservations::hear(&mut self.reservations, record.at, fact, &self.orders);
        }
        self.products.hear(record, fact, &self.orders);
        self.events.push(record.clone());
    }

    /// Something was read. `now` is our clock.
    pub fn done(&mut self, done: Done, now: Timestamp) {
        if let Some(list) = done.list() {
            self.reading.retain(|reading| *reading != list);
        }
        match done {
            Done::Orders(read) => {
                let more = self.put_orders(&read.items);
                if read.end.is_err() {
                    self.orders.list_failed();
                }
                part(&mut self.orders_part, read.end.map(|end| end || more), now);
            }
            Done::Products(read) => {
                match read.end {
                    Ok(_) => self.products.put_all(read.items),
                    Err(_) => self.products.put_some(read.items),
                }
                part(&mut self.products_part, read.end, now);
            }
            Done::Reservations(read) => {
                if read.end.is_ok() {
                    reservations::put_all(&mut self.reservations, read.items);
                }
                part(&mut self.reservations_part, read.end, now);
            }
            Done::Payments(read) => {
                if read.end.is_ok() {
                    payments::put_all(&mut self.payments, read.items);
                }
                part(&mut self.payments_part, read.end, now);
            }
            Done::Order(id, read) => self.order_read(id, read),
            Done::Product(id, read) => self.product_read(id, read),
            Done::Clock(Ok(ahead_ms)) => self.clock_ahead_ms = ahead_ms,
            // One that cannot be read goes as it went.
            Done::Clock(Err(_)) => {}
        }
    }

    /// Orders that were read. Whether some are not kept.
    pub fn put_orders(&mut self, orders: &[Order]) -> bool {
        orders.iter().filter(|order| self.orders.put(order)).count() > 0
    }

    fn order_read(&mut self, id: OrderId, read: Result<Order, ClientError>) {
        self.orders.answered(id, read.as_ref().is_err_and(ClientError::is_transient));
        if let Ok(order) = read {
            self.put_orders(std::slice::from_ref(&order));
        }
    }

    fn product_read(&mut self, id: ProductId, read: Result<Product, ClientError>) {
        let number = self.products.answered(id);
        match read {
            // Another desk has told of it; a seller's books have their own.
            Ok(product) if self.me.role == Role::Seller && product.seller_id != self.me.id => {}
            Ok(product) => self.products.put(number, product),
            Err(error) if error.is_transient() => self.products.read_later(id),
            Err(_) => {}
        }
    }

    /// What a command has made of a product.
    pub fn put_product(&mut self, product: Product) {
        self.products.put_told(product);
    }

    /// A payment that was read.
    pub fn put_payment(&mut self, payment: Payment) {
        payments::put(&mut self.payments, payment);
    }

    /// What time it is at the services, from what it is here.
    pub const fn service_time(&self, now: Timestamp) -> Timestamp {
        Timestamp(now.0.saturating_add(self.clock_ahead_ms))
    }
}

fn part(part: &mut Part, end: Result<bool, String>, now: Timestamp) {
    match end {
        Ok(more) => *part = Part::Read { at: now, more },
        Err(why) => part.failed(why),
    }
}
