//! Incoming orders: those that wait for the seller first, and what is done with them, one or many at a time.

mod draw;
mod view;

use std::collections::{BTreeMap, HashSet};

use orderflow_client::{ClientError, view as words};
use orderflow_contracts::{
    api::{
        console::EventRecord,
        orders::{Order, OrderReservationStatus, OrderStatus},
    },
    ids::OrderId,
    money::{Currency, Money},
};
use ratatui::layout::Position;

use self::view::{Filter, Held, Sort, View, Wanted};
pub use self::view::{Group, group};
use super::{
    CANCEL, CONFIRM, CONFIRM_ALL, FILTER_BACK, FULFIL, FULFIL_ALL, MARK_ALL, RETRY,
    effects::{Do, Verb},
    work::{Tally, Work},
};
use crate::{
    books::{Books, Part},
    cx::{Cx, Show},
    input::Edit,
    keys::{self, Action},
    msg::Effect,
    overlay::Confirm,
    text,
    widgets::{Pick, Search},
};

/// While the newest order is younger, its age is written anew every second.
const AGE_TICKS_MS: i64 = 3_600_000;

/// The screen of orders.
#[derive(Default)]
pub struct Orders {
    pick: Pick<OrderId>,
    pub(super) search: Search,
    filter: Filter,
    sort: Sort,
    view: View,
    /// The row on which somebody stands, and where it stood then.
    held: Option<Held>,
    marked: HashSet<OrderId>,
    pub(super) work: Work,
}

impl Orders {
    /// Makes the view anew where it is not as it was, and keeps the chosen row the chosen one.
    fn refresh(&mut self, books: &Books) {
        let (version, words) = (books.orders.version(), self.search.words());
        self.held = self.pick.held().and_then(|id| match self.held {
            Some(held) if held.0 == id => Some(held),
            _ => Some((id, group(&books.orders.get(id)?.order))),
        });
        self.view.make(Wanted { version, filter: self.filter, sort: self.sort, words }, &books.orders);
        self.view.hold(self.held, &books.orders);
        self.pick.settle(&self.view.rows);
    }

    /// From now on somebody stands on the chosen row.
    fn hold(&mut self, books: &Books) {
        self.pick.hold(&self.view.rows);
        self.refresh(books);
    }

    /// Stands on an order, as soon as it is there; nothing hides it, and nothing else is marked.
    pub fn choose(&mut self, id: OrderId, books: &Books) {
        self.search.clear();
        self.filter = Filter::All;
        self.marked.clear();
        self.pick.choose(id);
        self.refresh(books);
    }

    fn chosen(&self) -> Option<OrderId> {
        self.pick.chosen(&self.view.rows)
    }

    /// A key. Whether it meant anything here.
    pub fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        self.refresh(cx.books);
        if self.search.act_over(action, &mut self.pick, &self.view.rows).is_some() {
            return true;
        }
        if self.pick.act(action, &self.view.rows) {
            self.refresh(cx.books);
            return true;
        }
        match action {
            CONFIRM => self.want(Verb::Confirm, cx),
            FULFIL => self.want(Verb::Fulfil, cx),
            CANCEL => self.want(Verb::Cancel, cx),
            CONFIRM_ALL => self.want_all(Verb::Confirm, cx),
            FULFIL_ALL => self.want_all(Verb::Fulfil, cx),
            RETRY => self.retry(cx),
            keys::MARK => self.mark(cx.books),
            MARK_ALL => self.mark_all(),
            keys::FILTER => self.show(self.filter.step(1)),
            FILTER_BACK => self.show(self.filter.step(view::FILTERS.len() - 1)),
            keys::SORT => {
                self.sort = if self.sort == Sort::Turn { Sort::Newest } else { Sort::Turn };
                self.pick.choose_first();
            }
            keys::OPEN => {
                if let Some(id) = self.chosen() {
                    cx.timeline(id);
                }
            }
            keys::COPY => {
                if let Some(id) = self.chosen() {
                    cx.copy(id.to_string());
                }
            }
            keys::BACK => return self.back(),
            _ => return false,
        }
        true
    }

    fn show(&mut self, filter: Filter) {
        self.filter = filter;
        self.pick.choose_first();
    }

    /// Takes away what is in the way: refusals, then marks, then the filter.
    fn back(&mut self) -> bool {
        if self.work.dismiss() {
            return true;
        }
        if !self.marked.is_empty() {
            self.marked.clear();
            return true;
        }
        let was_filtered = self.filter != Filter::All;
        self.show(Filter::All);
        was_filtered
    }

    fn mark(&mut self, books: &Books) {
        let Some(id) = self.chosen() else { return };
        if !self.marked.remove(&id) {
            self.marked.insert(id);
        }
        self.pick.act(keys::DOWN, &self.view.rows);
        self.hold(books);
    }

    /// All that are shown, or none if they are already.
    fn mark_all(&mut self) {
        let shown = &self.view.rows;
        if !shown.is_empty() && shown.iter().all(|id| self.marked.contains(id)) {
            self.marked.clear();
        } else {
            self.marked.extend(shown);
        }
    }

    /// With the marked ones, or the one that is chosen.
    fn want(&mut self, verb: Verb, cx: &mut Cx<'_>) {
        let is_bulk = !self.marked.is_empty();
        let ids: Vec<OrderId> =
            if is_bulk { self.marked.iter().copied().collect() } else { self.chosen().into_iter().collect() };
        self.hold(cx.books);
        if let ([id], false) = (&ids[..], is_bulk) {
            return self.want_one(verb, *id, cx);
        }
        if ids.is_empty() {
            return cx.note("no order is chosen");
        }
        let able = self.able(verb, &ids, cx.books);
        if able.is_empty() {
            return cx.note(format!("none of the {} marked orders can be {}", ids.len(), verb.past()));
        }
        self.ask(verb, able, ids.len(), cx);
    }

    /// Asks again what was asked about one order: only a cancellation is.
    pub fn ask_anew(&mut self, id: OrderId, cx: &mut Cx<'_>) {
        self.want_one(Verb::Cancel, id, cx);
    }

    fn want_one(&mut self, verb: Verb, id: OrderId, cx: &mut Cx<'_>) {
        let Some(entry) = cx.books.orders.get(id) else { return };
        let order = &entry.order;
        if let Err(why) = can(verb, order) {
            return cx.note(format!("{}: {why}", text::short(id)));
        }
        if self.work.is_busy(id) {
            return;
        }
        if verb == Verb::Cancel {
            let back = if order.status == OrderStatus::Paid { "The money goes back to the customer. " } else { "" };
            let told = format!("{back}What is held for it is free again. This cannot be undone.");
            let about = format!("{}, {}", order.total, words::summary(&order.lines));
            let begin = Effect::Seller(Do::Begin(verb, vec![id]));
            let title = format!("Cancel order {}?", text::short(id));
            return cx.confirm(Confirm::new(title, told, begin).about(about).follows(cx.role, id));
        }
        self.begin(verb, &[id], cx);
    }

    fn want_all(&mut self, verb: Verb, cx: &mut Cx<'_>) {
        if matches!(cx.books.orders_part, Part::Loading) {
            return cx.note("the orders are not read yet: which of them wait is not known");
        }
        let all: Vec<OrderId> = cx.books.orders.newest().map(|entry| entry.order.id).collect();
        let able = self.able(verb, &all, cx.books);
        if able.is_empty() {
            let known = if cx.books.orders_part.was_read() { "" } else { " among those that could be read" };
            return cx.note(format!("no order waits to be {}{known}", verb.past()));
        }
        let of = able.len();
        self.ask(verb, able, of, cx);
    }

    /// Those with which it can be done now, the oldest first: they have waited longest.
    fn able(&self, verb: Verb, ids: &[OrderId], books: &Books) -> Vec<OrderId> {
        let orders = ids.iter().filter_map(|id| books.orders.get(*id)).map(|entry| &entry.order);
        let able = orders.filter(|order| can(verb, order).is_ok() && !self.work.is_busy(order.id));
        let mut able: Vec<_> = able.map(|order| (order.created_at, order.id)).collect();
        able.sort();
        able.into_iter().map(|(_, id)| id).collect()
    }

    fn ask(&self, verb: Verb, able: Vec<OrderId>, of: usize, cx: &mut Cx<'_>) {
        let mut word = verb.word().to_owned();
        word[..1].make_ascii_uppercase();
        let title = format!("{word} {}?", count(able.len()));
        let told = match verb {
            Verb::Confirm => "Stock is asked for each; what is short is cancelled by itself.",
            Verb::Fulfil => "Their stock leaves the house for good.",
            Verb::Cancel => "What is held or paid for them goes back. This cannot be undone.",
        };
        let mut about = format!("Together {}.", totals(&able, cx.books));
        if able.len() < of {
            about.push_str(&format!(
                " The other {} of the {of} marked cannot be {} now.",
                of - able.len(),
                verb.past()
            ));
        }
        cx.confirm(Confirm::new(title, told, Effect::Seller(Do::Begin(verb, able))).about(about));
    }

    /// Does it: what was asked about was answered with yes.
    pub fn begin(&mut self, verb: Verb, ids: &[OrderId], cx: &mut Cx<'_>) {
        // The marks were for this; those with which it cannot be done are not left behind.
        if ids.iter().any(|id| self.marked.contains(id)) {
            self.marked.clear();
        }
        let wanted = self.work.begin(verb, ids);
        run(wanted, cx);
    }

    fn retry(&mut self, cx: &mut Cx<'_>) {
        let (count, wanted) = self.work.again();
        if count == 0 {
            cx.note("nothing to ask again: every outcome is known");
        }
        run(wanted, cx);
    }

    /// An answer has come, or none.
    pub fn told(&mut self, id: OrderId, key: String, answer: Result<Box<Order>, ClientError>, cx: &mut Cx<'_>) {
        if let Ok(order) = &answer {
            cx.books.put_orders(std::slice::from_ref(order));
        }
        let answer = answer.as_ref().map(drop);
        let (wanted, ended) = self.work.told(id, key, answer);
        run(wanted, cx);
        // What was not done stands below the list, each with its reason.
        if let Some(Tally { verb, total, .. }) = ended.filter(|tally| tally.total > 1 && tally.done == tally.total) {
            cx.good(format!("{} {}", verb.done(), count(total)));
        }
    }

    /// An event has come.
    pub fn hear(&mut self, record: &EventRecord, cx: &mut Cx<'_>) {
        let id = record.subject.parse::<OrderId>().ok();
        if let Some(entry) = id.and_then(|id| cx.books.orders.get(id)) {
            self.work.heard(&entry.order);
        }
    }

    /// Somebody writes in the search.
    pub fn edit(&mut self, edit: &Edit) {
        if self.search.edit(edit) {
            self.pick.choose_first();
        }
    }

    /// Somebody clicked: once chooses, twice opens.
    pub fn click(&mut self, at: Position, cx: &mut Cx<'_>) {
        if self.pick.click(at, &self.view.rows, cx.now) {
            self.act(keys::OPEN, cx);
        }
    }

    /// How often they were sorted.
    #[cfg(test)]
    pub const fn sorts(&self) -> usize {
        self.view.sorts
    }

    /// Whether something goes on by itself.
    pub fn ticks(&self, show: &Show<'_>) -> bool {
        let is_young = self.view.youngest.is_some_and(|at| show.now.0.saturating_sub(at.0) < AGE_TICKS_MS);
        is_young || self.view.held_until.is_some_and(|until| until > show.now)
    }
}

fn run(wanted: Vec<Do>, cx: &mut Cx<'_>) {
    for wanted in wanted {
        cx.run(Effect::Seller(wanted));
    }
}

/// Whether it can be done with an order as it is known here; or why not.
fn can(verb: Verb, order: &Order) -> Result<(), &'static str> {
    let is_allocated = order.reservation.status == OrderReservationStatus::Allocated;
    match (verb, order.status) {
        (Verb::Confirm, OrderStatus::Pending) => Ok(()),
        (Verb::Confirm, OrderStatus::Cancelled) => Err("it is cancelled"),
        (Verb::Confirm, _) => Err("it is confirmed already"),
        (Verb::Fulfil, OrderStatus::Paid) if is_allocated => Ok(()),
        (Verb::Fulfil, OrderStatus::Paid) => Err("its stock is not allocated yet"),
        (Verb::Fulfil, OrderStatus::Pending) => Err("it is not confirmed yet"),
        (Verb::Fulfil, OrderStatus::Confirming | OrderStatus::Confirmed) => Err("it is not paid yet"),
        (_, OrderStatus::Fulfilled) => Err("it is shipped already"),
        (Verb::Fulfil, OrderStatus::Cancelled) => Err("it is cancelled"),
        (Verb::Cancel, OrderStatus::Cancelled) => Err("it is cancelled already"),
        (Verb::Cancel, _) => Ok(()),
    }
}

fn count(orders: usize) -> String {
    if orders == 1 { "one order".to_owned() } else { format!("{orders} orders") }
}

/// `59.98 USD and 12.00 EUR`.
fn totals(ids: &[OrderId], books: &Books) -> String {
    let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
    for entry in ids.iter().filter_map(|id| books.orders.get(*id)) {
        let sum = sums.entry(entry.order.total.currency).or_default();
        *sum = sum.saturating_add(entry.order.total.minor);
    }
    let sums = sums.into_iter().map(|(currency, minor)| Money::new(minor, currency).to_string());
    sums.collect::<Vec<_>>().join(" and ")
}
