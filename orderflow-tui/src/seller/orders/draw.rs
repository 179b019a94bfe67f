//! How the orders look.

use orderflow_client::view as words;
use orderflow_contracts::api::orders::{Order, OrderStatus};
use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::{Paragraph, Wrap},
};

use super::{
    Orders,
    view::{FILTERS, Filter, Group, Sort, group},
};
use crate::{
    books::{Entry, Part},
    cx::Show,
    seller::{draw, work::State},
    text,
    theme::Theme,
    unread::unread,
    widgets::{Column, chart, frames, list::Table},
};

const COLUMNS: [Column; 9] = [
    Column::new("", 1, 9),
    Column::new("order", 8, 9),
    Column::new("status", 12, 9),
    Column::new("customer", 8, 2),
    Column::new("items", 12, 7).grows(),
    Column::new("total", 12, 5).right(),
    Column::new("waits for", 21, 3),
    Column::new("left", 6, 4).right(),
    Column::new("age", 4, 6).right(),
];

/// From this width on, what is chosen is shown beside the list.
const DETAIL_FROM: u16 = 132;
const DETAIL_WIDTH: u16 = 42;
/// Troubles that are named at one time.
const TROUBLES_MAX: usize = 4;
/// Rows of each.
const TROUBLE_ROWS_MAX: usize = 2;

impl Orders {
    /// Draws the screen.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        self.refresh(show.books);
        let (area, side) = draw::beside(area, DETAIL_FROM, DETAIL_WIDTH);
        let (tabs, area) = frames::head(area, 1);
        self.draw_tabs(frame, tabs, show);
        let (line, area) = frames::head(area, u16::from(self.search.is_shown()));
        if self.search.is_shown() {
            let found = draw::found(self.view.rows.len(), show.theme);
            self.search.draw(frame, line, found, show.focused, show.theme);
        }
        let area = unread(frame, area, &show.books.orders_part, "orders", show);
        let told = self.told_lines(area.width, show);
        let rows = u16::try_from(told.len()).unwrap_or(0).min(area.height / 2);
        let (area, foot) = frames::foot(area, rows);
        frame.render_widget(Paragraph::new(told), foot);
        self.draw_table(frame, area, show);
        if let Some(side) = side {
            self.draw_detail(frame, side, show);
        }
    }

    /// The filters with how many pass each; where it is narrow, only those that have any, or the one that is taken.
    fn draw_tabs(&self, frame: &mut Frame<'_>, line: Rect, show: &Show<'_>) {
        let theme = show.theme;
        let mut right = String::new();
        if !self.marked.is_empty() {
            right.push_str(&format!(" * {} marked", self.marked.len()));
        }
        if self.sort == Sort::Newest {
            right.push_str(" newest first");
        }
        let wide = u16::try_from(text::width(&right)).unwrap_or(0).min(line.width);
        let room = line.width - wide;
        frame.render_widget(Span::styled(right, theme.accent), Rect { x: line.x + room, width: wide, ..line });
        let all = |_: &usize, _: Filter| true;
        let some = |count: &usize, filter: Filter| *count > 0 || filter == self.filter || filter == Filter::All;
        let main = [Filter::All, Filter::Yours, self.filter];
        let few = |_: &usize, filter: Filter| main.contains(&filter);
        let one = |_: &usize, filter: Filter| filter == self.filter;
        let lines = [self.tabs(all, show), self.tabs(some, show), self.tabs(few, show), self.tabs(one, show)];
        let fits = lines.into_iter().enumerate().find(|(_, tabs)| tabs.width() <= usize::from(room));
        let Some((left_out, mut tabs)) = fits else { return };
        let more = "  ← → by status";
        if left_out > 1 && tabs.width() + text::width(more) <= usize::from(room) {
            tabs.push_span(Span::styled(more, theme.muted));
        }
        frame.render_widget(tabs, Rect { width: room, ..line });
    }

    fn tabs(&self, takes: impl Fn(&usize, Filter) -> bool, show: &Show<'_>) -> Line<'static> {
        let theme = show.theme;
        let mut spans = Vec::new();
        for (count, filter) in self.view.counts.iter().zip(FILTERS).filter(|(count, filter)| takes(count, *filter)) {
            let (sign, style) = match (filter == self.filter, filter) {
                (true, _) => ("▸", theme.accent),
                (false, Filter::Yours) if *count > 0 => (" ", theme.warn),
                (false, _) => (" ", theme.muted),
            };
            let count = show.books.orders_part.count(*count);
            spans.push(Span::styled(format!("{sign}{} {count} ", filter.name()), style));
        }
        Line::from(spans)
    }

    fn draw_table(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        let Self { pick, view, marked, work, filter, search, .. } = self;
        let empty = match (&show.books.orders_part, search.is_shown(), *filter) {
            (Part::Loading, ..) => "reading the orders …",
            (_, true, _) => "nothing found; esc takes the search away",
            (_, _, Filter::All) => "no orders yet: they come here by themselves as soon as a customer orders",
            (_, _, Filter::Yours) => "nothing waits for you",
            _ => "none; → shows those of the next status",
        };
        let table = Table { columns: &COLUMNS, len: view.rows.len(), focused: show.focused, empty, theme: show.theme };
        pick.draw(frame, area, &table, &view.rows, |index| {
            let id = view.rows[index];
            let Some(entry) = show.books.orders.get(id) else { return Vec::new() };
            let doing = work.of(id).map(|task| (task.verb.going_on(), &task.state));
            row(&entry.order, marked.contains(&id), doing, show)
        });
    }

    /// How far it is with what was begun, and what went wrong.
    fn told_lines(&self, width: u16, show: &Show<'_>) -> Vec<Line<'static>> {
        let theme = show.theme;
        let mut lines = Vec::new();
        if let Some(tally) = self.work.progress().filter(|tally| tally.total > 1) {
            let (ended, total) = (tally.ended, tally.total);
            let bar = chart::gauge(ended as u64, total as u64, 12);
            lines.push(Line::from(vec![
                Span::styled(format!("… {} {ended} of {total} ", tally.verb.going_on()), theme.accent),
                Span::styled(format!("{bar:░<12}"), theme.accent),
            ]));
        }
        let troubles = self.work.troubles();
        if let Some(tally) = self.work.ended().filter(|tally| tally.total > 1 && !troubles.is_empty()) {
            let told = format!("{} {} of {}; the others:", tally.verb.done(), tally.done, tally.total);
            lines.push(Line::styled(told, theme.accent));
        }
        let wrapped = |told: &str, style: Style| {
            let rows = text::wrap_within(told, usize::from(width), TROUBLE_ROWS_MAX).into_iter();
            rows.map(move |row| Line::styled(row, style))
        };
        for (id, task) in troubles.iter().take(TROUBLES_MAX) {
            let (id, verb) = (text::short(*id), task.verb);
            match &task.state {
                State::Unknown(why) => {
                    let told = format!("? {id} {}? r asks again; not known: {}", verb.past(), text::plain(why));
                    lines.extend(wrapped(&told, theme.warn));
                }
                State::Refused(why) => {
                    lines.extend(wrapped(&format!("✗ {id} not {}: {}", verb.past(), text::plain(why)), theme.bad));
                }
                State::Waiting | State::Asked => {}
            }
        }
        if troubles.len() > TROUBLES_MAX {
            lines.push(Line::styled(format!("  and {} more", troubles.len() - TROUBLES_MAX), theme.muted));
        }
        lines
    }

    fn draw_detail(&self, frame: &mut Frame<'_>, side: Rect, show: &Show<'_>) {
        let entry = self.chosen().and_then(|id| show.books.orders.get(id));
        let Some(entry) = entry else { return };
        let lines = detail(entry, show);
        frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), side);
    }
}

type Doing<'a> = Option<(&'static str, &'a State)>;

fn row(order: &Order, is_marked: bool, doing: Doing<'_>, show: &Show<'_>) -> Vec<Line<'static>> {
    let theme = show.theme;
    let mark = if is_marked { Line::styled("*", theme.accent) } else { Line::default() };
    let left = order.reservation.expires_at.filter(|_| order.status == OrderStatus::Confirmed);
    let is_over = group(order) == Group::Over;
    let beside = if is_over { theme.muted } else { Style::new() };
    vec![
        mark,
        Line::raw(text::short(order.id)),
        status_cell(order, doing, theme),
        Line::styled(text::short(order.customer_id), theme.muted),
        Line::styled(text::plain(&words::summary(&order.lines)), beside),
        Line::styled(text::money(order.total), beside),
        waits_cell(order, doing, theme),
        left.map(|until| draw::left(until, show)).unwrap_or_default(),
        Line::styled(text::ago(order.created_at, show.now), theme.muted),
    ]
}

fn status_cell(order: &Order, doing: Doing<'_>, theme: &Theme) -> Line<'static> {
    match doing {
        Some((word, State::Waiting)) => Line::styled(format!("· {word}"), theme.muted),
        Some((word, State::Asked)) => Line::styled(format!("… {word}"), theme.accent),
        Some((_, State::Unknown(_))) => Line::styled("? not known", theme.warn),
        Some((_, State::Refused(_))) | None => status(order, theme),
    }
}

/// A sign, a word and a colour for how far an order is.
pub(super) fn status(order: &Order, theme: &Theme) -> Line<'static> {
    let (sign, style) = match (order.status, group(order)) {
        (OrderStatus::Fulfilled, _) => ("✓", theme.good),
        (OrderStatus::Cancelled, _) => ("✗", theme.bad),
        (_, Group::Yours) => ("●", theme.warn),
        (OrderStatus::Paid, _) => ("○", theme.good),
        _ => ("○", theme.text),
    };
    let word = Filter::Of(order.status).name();
    // Not the text's own ground: the chosen row has another.
    Line::styled(format!("{sign} {word}"), Style { bg: None, ..style })
}

fn waits_cell(order: &Order, doing: Doing<'_>, theme: &Theme) -> Line<'static> {
    match doing {
        Some((_, State::Unknown(_))) => Line::styled("r asks again", theme.warn),
        Some((_, State::Refused(why))) => Line::styled(format!("✗ {}", text::plain(why)), theme.bad),
        _ => Line::styled(waits_for(order), if group(order) == Group::Yours { theme.warn } else { theme.muted }),
    }
}

/// What an order waits for, said to the seller.
fn waits_for(order: &Order) -> String {
    let headline = words::headline(order).replace("the seller", "you");
    headline.strip_prefix("waits for ").map_or(headline.clone(), str::to_owned)
}

fn detail(entry: &Entry, show: &Show<'_>) -> Vec<Line<'static>> {
    let (theme, order) = (show.theme, &entry.order);
    let field = |name: &str, value: String| {
        Line::from(vec![Span::styled(format!("{name:<10}"), theme.muted), Span::raw(value)])
    };
    let mut lines = vec![
        Line::styled("Order", theme.accent),
        Line::raw(order.id.to_string()),
        Line::default(),
        status(order, theme),
        Line::raw(words::headline(order).replace("the seller", "you")),
    ];
    if let Some(until) = order.reservation.expires_at.filter(|_| order.status == OrderStatus::Confirmed) {
        let left = draw::left(until, show);
        let mut line = vec![Span::styled("held for  ", theme.muted)];
        line.extend(left.spans.into_iter().map(|span| span.patch_style(left.style)));
        lines.push(Line::from(line));
    }
    lines.push(Line::default());
    for line in &order.lines {
        lines.push(Line::raw(format!("{} × {}", line.quantity, text::plain(&line.name))));
        let stock = show.books.products.get(line.product_id);
        let stock = stock.map(|product| format!(", {} available", product.available)).unwrap_or_default();
        lines.push(Line::styled(format!("    {} each{stock}", line.unit_price), theme.muted));
    }
    lines.extend([
        Line::default(),
        field("total", order.total.to_string()),
        field("stock", format!("{:?}", order.reservation.status).to_lowercase()),
        field("money", format!("{:?}", order.payment.status).to_lowercase()),
        field("customer", text::short(order.customer_id)),
        field(
            "ordered",
            format!("{} UTC, {} ago", text::clock(order.created_at), text::ago(order.created_at, show.now)),
        ),
        field("changed", format!("{} UTC", text::clock(entry.changed_at))),
    ]);
    lines
}
