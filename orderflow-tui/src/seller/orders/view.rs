//! Which orders are shown, and in which order: filtered and sorted when the books have changed, not in each frame.

use orderflow_contracts::{
    api::orders::{Order, OrderReservationStatus, OrderStatus},
    ids::OrderId,
    timestamp::Timestamp,
};

use crate::{
    books::{Entry, OrderBook},
    widgets::search,
};

/// Whose turn it is; those of the seller come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The seller's.
    Yours,
    /// Somebody else's.
    UnderWay,
    /// Nobody's.
    Over,
}

/// Whose turn it is with an order.
pub fn group(order: &Order) -> Group {
    match order.status {
        OrderStatus::Pending => Group::Yours,
        OrderStatus::Paid if order.reservation.status == OrderReservationStatus::Allocated => Group::Yours,
        OrderStatus::Confirming | OrderStatus::Confirmed | OrderStatus::Paid => Group::UnderWay,
        OrderStatus::Fulfilled | OrderStatus::Cancelled => Group::Over,
    }
}

/// Which orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Filter {
    /// All.
    #[default]
    All,
    /// Those that wait for the seller.
    Yours,
    /// Those of one status.
    Of(OrderStatus),
}

/// The filters, as one goes through them.
pub const FILTERS: [Filter; 8] = [
    Filter::All,
    Filter::Yours,
    Filter::Of(OrderStatus::Pending),
    Filter::Of(OrderStatus::Confirming),
    Filter::Of(OrderStatus::Confirmed),
    Filter::Of(OrderStatus::Paid),
    Filter::Of(OrderStatus::Fulfilled),
    Filter::Of(OrderStatus::Cancelled),
];

impl Filter {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Yours => "needs you",
            Self::Of(OrderStatus::Pending) => "pending",
            Self::Of(OrderStatus::Confirming) => "confirming",
            Self::Of(OrderStatus::Confirmed) => "confirmed",
            Self::Of(OrderStatus::Paid) => "paid",
            Self::Of(OrderStatus::Fulfilled) => "fulfilled",
            Self::Of(OrderStatus::Cancelled) => "cancelled",
        }
    }

    /// The filter so many places further.
    pub fn step(self, by: usize) -> Self {
        let at = FILTERS.iter().position(|filter| *filter == self).unwrap_or(0);
        FILTERS[(at + by) % FILTERS.len()]
    }

    /// Whether an order passes.
    pub fn takes(self, order: &Order) -> bool {
        match self {
            Self::All => true,
            Self::Yours => group(order) == Group::Yours,
            Self::Of(status) => order.status == status,
        }
    }
}

/// In which order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// Those that wait for the seller first.
    #[default]
    Turn,
    /// The newest first.
    Newest,
}

/// What the view was made of; with the same, it is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The books' version.
    pub version: u64,
    /// Which orders.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// Words that they have.
    pub words: Vec<String>,
}

/// A row on which somebody stands, and where it stood then: it does not move away under their hands.
pub type Held = (OrderId, Group);

impl Wanted {
    /// Whether an order has all words.
    fn is_found(&self, order: &Order) -> bool {
        self.words.is_empty() || search::has_all(&haystack(order), &self.words)
    }
}

/// By what the newest is known: as the books have them.
const fn age(order: &Order) -> (Timestamp, OrderId) {
    (order.created_at, order.id)
}

/// The orders that are shown.
#[derive(Default)]
pub struct View {
    made_of: Option<Wanted>,
    /// They as they are, from the first to the last.
    found: Vec<(Group, OrderId)>,
    /// The same with what is held where it stood, if that is elsewhere now.
    pub rows: Vec<OrderId>,
    moved: Option<Held>,
    /// How often they were filtered and sorted.
    #[cfg(test)]
    pub sorts: usize,
    /// How many pass each of [`FILTERS`].
    pub counts: [usize; FILTERS.len()],
    /// When the newest one was made, and until when the last one is held: until then something goes on by itself.
    pub youngest: Option<Timestamp>,
    /// Until when the last reservation is held.
    pub held_until: Option<Timestamp>,
}

impl View {
    /// Makes it, if something is not as it was.
    pub fn make(&mut self, wanted: Wanted, orders: &OrderBook) {
        if self.made_of.as_ref() == Some(&wanted) {
            return;
        }
        #[cfg(test)]
        {
            self.sorts += 1;
        }
        self.found.clear();
        (self.counts, self.held_until) = ([0; FILTERS.len()], None);
        self.youngest = orders.newest().next().map(|entry| entry.order.created_at);
        for Entry { order, .. } in orders.newest() {
            for (count, filter) in self.counts.iter_mut().zip(FILTERS) {
                *count += usize::from(filter.takes(order));
            }
            self.held_until = self.held_until.max(order.reservation.expires_at);
            if wanted.filter.takes(order) && wanted.is_found(order) {
                self.found.push((group(order), order.id));
            }
        }
        if wanted.sort == Sort::Turn {
            // Stable: within a group, the newest stays first.
            self.found.sort_by_key(|(group, _)| *group);
        }
        self.made_of = Some(wanted);
        self.lay();
    }

    /// Leaves what is held where it stood: one row is moved, and nothing is sorted again.
    pub fn hold(&mut self, held: Option<Held>, orders: &OrderBook) {
        let Some(wanted) = &self.made_of else { return };
        let entry = held.and_then(|(id, _)| orders.get(id));
        let Some((order, (id, stood))) = entry.map(|entry| &entry.order).zip(held).filter(|(order, (_, stood))| {
            let stands = wanted.filter.takes(order) && (wanted.sort == Sort::Newest || group(order) == *stood);
            !stands && wanted.is_found(order)
        }) else {
            if self.moved.is_some() {
                self.lay();
            }
            return;
        };
        if self.moved == held {
            return;
        }
        let is_before = |(group, other): &(Group, OrderId)| {
            let is_newer = orders.get(*other).is_some_and(|other| age(&other.order) > age(order));
            if wanted.sort == Sort::Turn && *group != stood { *group < stood } else { is_newer }
        };
        // Whatever of the held one is there already stands in another group, or nowhere.
        let at = self.found.partition_point(is_before);
        self.lay();
        self.rows.insert(at, id);
        let is_double = |(row, other): &(usize, &OrderId)| *row != at && **other == id;
        if let Some((row, _)) = self.rows.iter().enumerate().find(is_double) {
            self.rows.remove(row);
        }
        self.moved = held;
    }

    /// The rows as they are.
    fn lay(&mut self) {
        self.rows = self.found.iter().map(|(_, id)| *id).collect();
        self.moved = None;
    }
}

/// Everything of an order that is searched, in small letters.
fn haystack(order: &Order) -> String {
    let mut text = format!("{} {} {} {}", order.id, order.customer_id, order.status.as_str(), order.total);
    for line in &order.lines {
        text.push(' ');
        text.push_str(&line.name);
    }
    if let Some(reason) = order.cancel_reason {
        text.push(' ');
        text.push_str(orderflow_client::view::cancel_reason(reason));
    }
    text.to_lowercase()
}
