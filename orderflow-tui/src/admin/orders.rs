//! All orders, to look at: an admin changes none.

use orderflow_client::view;
use orderflow_contracts::{
    api::orders::{Order, OrderReservationStatus, OrderStatus},
    ids::OrderId,
};
use ratatui::{
    Frame,
    layout::{Position, Rect},
    style::Style,
    text::{Line, Span},
};
use uuid::Uuid;

use super::{keymap::ORDERS, parts::both_ends};
use crate::{
    area::Area,
    books::{Books, Entry, Part},
    cx::{Cx, Show},
    input::Edit,
    keys::{self, Action, LIST, Scope},
    text,
    theme::Theme,
    unread::unread,
    widgets::{
        Column, Pick, frames,
        list::Table,
        search::{SEARCHING, Search},
    },
};

const COLUMNS: [Column; 8] = [
    Column::new("order", 8, 9),
    Column::new("status", 11, 9),
    Column::new("what", 16, 6).grows(),
    Column::new("total", 11, 7).right(),
    Column::new("stock", 10, 4),
    Column::new("payment", 10, 5),
    Column::new("customer", 8, 2),
    Column::new("age", 4, 8).right(),
];
/// Columns beside the counts of all statuses, for what stands at the right.
const ROOMY: usize = 20;
/// The statuses, in the order of an order's life.
const STATUSES: [OrderStatus; 6] = [
    OrderStatus::Pending,
    OrderStatus::Confirming,
    OrderStatus::Confirmed,
    OrderStatus::Paid,
    OrderStatus::Fulfilled,
    OrderStatus::Cancelled,
];

/// All orders.
#[derive(Default)]
pub struct Orders {
    search: Search,
    status: Option<usize>,
    by_change: bool,
    /// Those that are shown, and of which version of the books that is.
    rows: Vec<OrderId>,
    of_version: Option<u64>,
    counts: [usize; STATUSES.len()],
    pick: Pick<OrderId>,
    /// Something that counts down is on the screen.
    counts_down: bool,
}

impl Orders {
    /// Filters and sorts, if something has changed since.
    fn settle(&mut self, books: &Books) {
        let version = books.orders.version();
        if self.of_version == Some(version) {
            return;
        }
        self.of_version = Some(version);
        self.counts = [0; STATUSES.len()];
        let wanted = self.status.map(|index| STATUSES[index]);
        let mut found: Vec<&Entry> = Vec::new();
        for entry in books.orders.newest() {
            if !is_wanted(&entry.order, self.search.needle()) {
                continue;
            }
            if let Some(index) = STATUSES.iter().position(|status| *status == entry.order.status) {
                self.counts[index] += 1;
            }
            if wanted.is_none_or(|status| status == entry.order.status) {
                found.push(entry);
            }
        }
        if self.by_change {
            found.sort_by_key(|entry| std::cmp::Reverse(entry.changed_at));
        }
        self.rows = found.into_iter().map(|entry| entry.order.id).collect();
        self.pick.settle(&self.rows);
    }

    /// Chooses an order; nothing hides it.
    pub fn choose(&mut self, id: OrderId, books: &Books) {
        self.search.clear();
        self.status = None;
        self.anew();
        self.pick.choose(id);
        self.settle(books);
    }

    /// Something else is wanted than before.
    const fn anew(&mut self) {
        self.of_version = None;
        self.pick.anew();
    }

    fn chosen(&mut self, books: &Books) -> Option<OrderId> {
        self.settle(books);
        self.pick.chosen(&self.rows)
    }

    fn draw_head(&self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        let theme = show.theme;
        if self.search.is_shown() {
            let count = Line::styled(format!("{} found", self.rows.len()), theme.muted);
            return self.search.draw(frame, area, count, show.focused, theme);
        }
        let all: usize = self.counts.iter().sum();
        let chip = |index: Option<usize>, name: &str, count: usize| {
            let is_chosen = self.status == index;
            let style = if is_chosen { theme.accent } else { theme.muted };
            let count = show.books.orders_part.count(count);
            Span::styled(format!("{}{name} {count}  ", if is_chosen { "▸" } else { " " }), style)
        };
        let chosen = |index: usize| self.status == Some(index);
        let line = |takes: &dyn Fn(usize) -> bool| {
            let some = STATUSES.iter().enumerate().filter(|(index, _)| takes(*index));
            let some = some.map(|(index, status)| chip(Some(index), &word(*status), self.counts[index]));
            Line::from_iter(std::iter::once(chip(None, "all", all)).chain(some))
        };
        // Where it is narrow, what there is none of is left out; then all but what is chosen. A number is never cut.
        let lines = [line(&|_| true), line(&|index| self.counts[index] > 0 || chosen(index)), line(&chosen)];
        let is_last = |index: usize| index + 1 == lines.len();
        let fits = |(index, line): &(usize, &Line<'_>)| {
            // What there is none of comes last of all that has room.
            let room = if *index == 0 { ROOMY } else { 0 };
            is_last(*index) || line.width() + room <= usize::from(area.width)
        };
        let found = lines.iter().enumerate().find(fits);
        let mut left = found.map(|(_, line)| line.clone()).unwrap_or_default();
        let more = "f by status ";
        if found.is_some_and(|(index, _)| is_last(index)) && left.width() + more.len() <= usize::from(area.width) {
            left.push_span(Span::styled(more, theme.muted));
        }
        let right = match &show.books.orders_part {
            Part::Loading => Line::styled("reading…", theme.muted),
            Part::Failed { .. } => Line::default(),
            Part::Read { more: true, .. } => Line::styled("older ones are not shown", theme.muted),
            Part::Read { .. } if self.by_change => Line::styled("changed last first", theme.muted),
            Part::Read { .. } => Line::styled("newest first", theme.muted),
        };
        both_ends(frame, area, left, right);
    }
}

impl Area for Orders {
    fn scopes(&self) -> Vec<Scope> {
        if self.search.is_open() { vec![SEARCHING, LIST] } else { vec![ORDERS, LIST] }
    }

    fn takes_text(&self) -> bool {
        self.search.is_open()
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        if let Some(changed) = self.search.act_over(action, &mut self.pick, &self.rows) {
            if changed {
                self.anew();
            }
            return true;
        }
        match action {
            keys::OPEN => {
                if let Some(id) = self.chosen(cx.books) {
                    cx.timeline(id);
                }
            }
            keys::COPY => {
                if let Some(id) = self.chosen(cx.books) {
                    cx.copy(id.to_string());
                }
            }
            keys::FILTER => {
                self.status = self.status.map_or(Some(0), |index| (index + 1 < STATUSES.len()).then_some(index + 1));
                self.anew();
            }
            keys::BACK if self.status.is_some() => {
                self.status = None;
                self.anew();
            }
            keys::SORT => {
                self.by_change = !self.by_change;
                self.anew();
            }
            action => {
                self.settle(cx.books);
                return self.pick.act(action, &self.rows);
            }
        }
        true
    }

    fn edit(&mut self, edit: Edit, _: &mut Cx<'_>) {
        if self.search.edit(&edit) {
            self.anew();
        }
    }

    fn ticks(&self, _: &Show<'_>) -> bool {
        self.counts_down
    }

    fn click(&mut self, at: Position, cx: &mut Cx<'_>) {
        self.settle(cx.books);
        if self.pick.click(at, &self.rows, cx.now) {
            self.act(keys::OPEN, cx);
        }
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        self.settle(show.books);
        let (head, body) = frames::head(area, 1);
        self.draw_head(frame, head, show);
        // That older ones are not kept stands in the head.
        let body = match &show.books.orders_part {
            part @ Part::Failed { .. } => unread(frame, body, part, "orders", show),
            _ => body,
        };
        let empty = match (&show.books.orders_part, show.books.orders.is_empty()) {
            (Part::Loading, true) => "reading the orders…",
            (_, true) => "no orders yet: a customer places one, or `orderflow load` makes many",
            _ => "no order is like that: esc shows all",
        };
        let table = Table { columns: &COLUMNS, len: self.rows.len(), focused: show.focused, empty, theme: show.theme };
        let (rows, mut counts_down) = (&self.rows, false);
        self.pick.draw(frame, body, &table, rows, |row| match show.books.orders.get(rows[row]) {
            Some(entry) => {
                counts_down |= entry.order.reservation.status == OrderReservationStatus::Held;
                cells(entry, show)
            }
            None => Vec::new(),
        });
        self.counts_down = counts_down;
    }
}

/// Whether an order has this in an id, in the name of a product, or in its status.
fn is_wanted(order: &Order, needle: &str) -> bool {
    if needle.is_empty() {
        return true;
    }
    let has = |id: Uuid| id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).contains(needle);
    has(order.id.into())
        || has(order.customer_id.into())
        || has(order.seller_id.into())
        || word(order.status).contains(needle)
        || order.lines.iter().any(|line| line.name.to_lowercase().contains(needle) || has(line.product_id.into()))
}

fn word(status: OrderStatus) -> String {
    orderflow_contracts::words::word(status).to_lowercase()
}

fn cells(entry: &Entry, show: &Show<'_>) -> Vec<Line<'static>> {
    let (order, theme) = (&entry.order, show.theme);
    let (sign, style) = sign(order.status, theme);
    let what = match order.cancel_reason {
        Some(reason) => format!("{} · {}", view::summary(&order.lines), view::cancel_reason(reason)),
        None => view::summary(&order.lines),
    };
    let lower = |word: String| word.to_lowercase();
    vec![
        Line::from(text::short(order.id)),
        Line::styled(format!("{sign} {}", word(order.status)), style),
        Line::from(text::plain(&what)),
        Line::from(text::money(order.total)),
        Line::styled(stock(order, show), theme.muted),
        Line::styled(lower(orderflow_contracts::words::word(order.payment.status)), theme.muted),
        Line::styled(text::short(order.customer_id), theme.muted),
        Line::styled(text::ago(order.created_at, show.now), theme.muted),
    ]
}

/// What there is of stock; while it is held, how long it still is.
fn stock(order: &Order, show: &Show<'_>) -> String {
    match order.reservation.expires_at {
        Some(at) if order.reservation.status == OrderReservationStatus::Held => {
            format!("held {}", text::countdown(at, show.now))
        }
        _ => orderflow_contracts::words::word(order.reservation.status).to_lowercase(),
    }
}

const fn sign(status: OrderStatus, theme: &Theme) -> (&'static str, Style) {
    match status {
        OrderStatus::Pending => ("○", theme.warn),
        OrderStatus::Confirming => ("◐", theme.warn),
        OrderStatus::Confirmed => ("◑", theme.accent),
        OrderStatus::Paid => ("●", theme.good),
        OrderStatus::Fulfilled => ("✓", theme.good),
        OrderStatus::Cancelled => ("✗", theme.bad),
    }
}
