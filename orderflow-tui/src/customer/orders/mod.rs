//! One's orders: what is being placed on top, then the newest first, each as live as the stream is.

mod detail;
mod draw;
mod placing;
mod receipt;

use orderflow_contracts::{
    api::orders::{Order, OrderStatus},
    ids::OrderId,
    timestamp::Timestamp,
};
use uuid::Uuid;

pub use self::{
    placing::{Asked, Open, Placing},
    receipt::Receipt,
};
use super::{rows::Rows, words};
use crate::{
    books::Books,
    cx::Cx,
    input::Edit,
    keys::{self, Action},
    widgets::Search,
};

/// Which orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Filter {
    #[default]
    All,
    UnderWay,
    ToPay,
    Shipped,
    Cancelled,
}

impl Filter {
    const fn next(self) -> Self {
        match self {
            Self::All => Self::UnderWay,
            Self::UnderWay => Self::ToPay,
            Self::ToPay => Self::Shipped,
            Self::Shipped => Self::Cancelled,
            Self::Cancelled => Self::All,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::UnderWay => "under way",
            Self::ToPay => "to pay",
            Self::Shipped => "shipped",
            Self::Cancelled => "cancelled",
        }
    }

    const fn lets(self, status: OrderStatus) -> bool {
        match self {
            Self::All => true,
            Self::UnderWay => !matches!(status, OrderStatus::Fulfilled | OrderStatus::Cancelled),
            Self::ToPay => matches!(status, OrderStatus::Confirmed),
            Self::Shipped => matches!(status, OrderStatus::Fulfilled),
            Self::Cancelled => matches!(status, OrderStatus::Cancelled),
        }
    }
}

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// It is being placed, with this key.
    Placing(Uuid),
    /// An order.
    Order(OrderId),
}

/// What the rows are made of.
type Of = (u64, u64, String, Filter);

/// One's orders.
#[derive(Default)]
pub struct Orders {
    search: Search,
    filter: Filter,
    rows: Rows<Of, Row>,
    /// What has no certain outcome.
    pub open: Open,
    /// Until then something counts down.
    counts_until: Option<Timestamp>,
}

impl Orders {
    fn sync(&mut self, books: &Books) {
        let query = self.search.needle().to_owned();
        let of = (books.orders.version(), self.open.version(), query.clone(), self.filter);
        let (open, filter, counts_until) = (&self.open, self.filter, &mut self.counts_until);
        self.rows.sync(of, || {
            *counts_until = books.orders.newest().filter_map(|entry| words::deadline(&entry.order)).max();
            let wanted = |order: &Order| filter.lets(order.status) && finds(order, &query);
            let placings = open.newest().map(|placing| Row::Placing(placing.key));
            let orders = books.orders.newest().filter(|entry| wanted(&entry.order));
            placings.chain(orders.map(|entry| Row::Order(entry.order.id))).collect()
        });
    }

    /// The row that is chosen.
    pub fn chosen(&mut self, books: &Books) -> Option<Row> {
        self.sync(books);
        self.rows.chosen()
    }

    /// The order that is chosen.
    pub fn chosen_order<'a>(&mut self, books: &'a Books) -> Option<&'a Order> {
        match self.chosen(books)? {
            Row::Order(id) => books.orders.get(id).map(|entry| &entry.order),
            Row::Placing(_) => None,
        }
    }

    /// Chooses an order; one that is hidden by a filter is shown.
    pub fn choose(&mut self, row: Row) {
        self.filter = Filter::All;
        self.search.clear();
        self.rows.choose(row);
    }

    /// An order is placed: where it was being placed, it stands now.
    pub fn placed(&mut self, key: Uuid, id: OrderId) -> bool {
        let was_chosen = self.rows.chosen() == Some(Row::Placing(key));
        let was_there = self.open.placed(key).is_some();
        if was_there && was_chosen {
            self.rows.choose(Row::Order(id));
        }
        was_there
    }

    /// Whether letters go into the field.
    pub const fn is_typing(&self) -> bool {
        self.search.is_open()
    }

    /// Whether something counts down.
    pub fn ticks(&self, now: Timestamp) -> bool {
        self.counts_until.is_some_and(|until| until.0.saturating_add(1_000) > now.0)
    }

    /// A key was pressed that is this list's own. Whether it meant anything here.
    pub fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        self.sync(cx.books);
        if let Some(changed) = self.search.act(action) {
            if changed {
                self.rows.anew();
            }
            return true;
        }
        match action {
            keys::OPEN => {
                if let Some(Row::Order(id)) = self.rows.chosen() {
                    cx.timeline(id);
                }
            }
            keys::BACK => self.back(),
            keys::FILTER => {
                self.filter = self.filter.next();
                self.rows.choose_first();
            }
            keys::COPY => match self.rows.chosen() {
                Some(Row::Order(id)) => cx.copy(id.to_string()),
                Some(Row::Placing(_)) => cx.note("it has no id before it is placed"),
                None => {}
            },
            action => return self.rows.act(action),
        }
        true
    }

    /// Takes away a filter, or a row that says why nothing was ordered.
    fn back(&mut self) {
        if let Some(Row::Placing(key)) = self.rows.chosen() {
            let is_over = self.open.placing(key).is_some_and(|placing| matches!(placing.asked, Asked::Refused(_)));
            if is_over {
                self.open.placed(key);
                return;
            }
        }
        self.rows.anew();
        self.filter = Filter::All;
    }

    /// Somebody types.
    pub fn edit(&mut self, edit: &Edit) {
        if self.search.edit(edit) {
            self.rows.choose_first();
        }
    }

    /// Somebody clicked; twice at the same row opens it.
    pub fn click(&mut self, at: ratatui::layout::Position, cx: &mut Cx<'_>) {
        if self.rows.click(at, cx.now) {
            self.act(keys::OPEN, cx);
        }
    }
}

/// Whether a search finds an order: by its id, a thing in it, or its status.
fn finds(order: &Order, query: &str) -> bool {
    query.is_empty()
        || order.id.to_string().contains(query)
        || order.status.as_str().to_lowercase().contains(query)
        || order.lines.iter().any(|line| line.name.to_lowercase().contains(query))
}

/// Whether an order can still be called off.
pub const fn can_cancel(order: &Order) -> bool {
    !matches!(order.status, OrderStatus::Fulfilled | OrderStatus::Cancelled)
}
