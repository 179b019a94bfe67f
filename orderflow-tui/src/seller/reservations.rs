//! Stock that is held for orders, with the time that is left.

use orderflow_contracts::{
    api::inventory::{Reservation, ReservationStatus},
    ids::OrderId,
};
use ratatui::{
    Frame,
    layout::{Position, Rect},
    style::Style,
    text::{Line, Span},
};

use super::draw;
use crate::{
    books::{Books, Part},
    cx::{Cx, Show},
    input::Edit,
    keys::{self, Action},
    text,
    theme::Theme,
    unread::unread,
    widgets::{Column, Pick, Search, chart, frames, list::Table, search},
};

const COLUMNS: [Column; 7] = [
    Column::new("order", 8, 9),
    Column::new("status", 11, 9),
    Column::new("stock", 9, 7).grows(),
    Column::new("pieces", 6, 3).right(),
    Column::new("left", 7, 8).right(),
    Column::new("time to pay", 12, 2),
    Column::new("age", 4, 4).right(),
];
/// Columns of the bar of the time that is left.
const BAR: usize = 12;

/// The screen of reservations.
#[derive(Default)]
pub struct Reservations {
    pick: Pick<OrderId>,
    pub(super) search: Search,
    /// Whose they are, and where they stand in the books.
    rows: Vec<OrderId>,
    places: Vec<usize>,
}

impl Reservations {
    /// Those that are held first, then the newest; there are at most 2,000.
    fn refresh(&mut self, books: &Books) {
        let words = self.search.words();
        let all = &books.reservations;
        let mut rows: Vec<usize> = (0..all.len())
            .filter(|row| words.is_empty() || search::has_all(&haystack(&all[*row], books), &words))
            .collect();
        rows.sort_by_key(|row| {
            let is_over = all[*row].status != ReservationStatus::Held;
            (is_over, std::cmp::Reverse(all[*row].created_at), all[*row].order_id)
        });
        self.rows = rows.iter().map(|row| all[*row].order_id).collect();
        self.places = rows;
        self.pick.settle(&self.rows);
    }

    /// A key. Whether it meant anything here.
    pub fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        self.refresh(cx.books);
        if self.search.act_over(action, &mut self.pick, &self.rows).is_some() {
            return true;
        }
        if self.pick.act(action, &self.rows) {
            return true;
        }
        match (action, self.pick.chosen(&self.rows)) {
            (keys::OPEN, Some(id)) => cx.timeline(id),
            (keys::COPY, Some(id)) => cx.copy(id.to_string()),
            _ => return false,
        }
        true
    }

    /// Somebody writes in the search.
    pub fn edit(&mut self, edit: &Edit) {
        self.search.edit(edit);
        self.pick.choose_first();
    }

    /// Somebody clicked: once chooses, twice opens.
    pub fn click(&mut self, at: Position, cx: &mut Cx<'_>) {
        if self.pick.click(at, &self.rows, cx.now) {
            self.act(keys::OPEN, cx);
        }
    }

    /// Whether something goes on by itself: time that runs out.
    pub fn ticks(show: &Show<'_>) -> bool {
        let is_held = |reservation: &Reservation| reservation.status == ReservationStatus::Held;
        show.books.reservations.iter().any(is_held)
    }

    /// Draws the screen.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        self.refresh(show.books);
        let (head, area) = frames::head(area, 1);
        frame.render_widget(summary(show), head);
        let (line, area) = frames::head(area, u16::from(self.search.is_shown()));
        if self.search.is_shown() {
            let found = draw::found(self.rows.len(), show.theme);
            self.search.draw(frame, line, found, show.focused, show.theme);
        }
        let area = unread(frame, area, &show.books.reservations_part, "reservations", show);
        let Self { pick, rows, places, search, .. } = self;
        let empty = match (&show.books.reservations_part, search.is_shown()) {
            (Part::Loading, _) => "reading the reservations …",
            (_, true) => "nothing found; esc takes the search away",
            _ => "nothing is reserved: stock is held as soon as you confirm an order (1)",
        };
        let table = Table { columns: &COLUMNS, len: rows.len(), focused: show.focused, empty, theme: show.theme };
        pick.draw(frame, area, &table, rows, |index| row(&show.books.reservations[places[index]], show));
    }
}

fn summary(show: &Show<'_>) -> Line<'static> {
    let all = &show.books.reservations;
    let count = |status: ReservationStatus| all.iter().filter(|reservation| reservation.status == status).count();
    let (held, allocated) = (count(ReservationStatus::Held), count(ReservationStatus::Allocated));
    let rest = all.len() - held - allocated;
    let told = |count: usize| show.books.reservations_part.count(count);
    Line::from(vec![
        Span::styled(format!(" {} held", told(held)), if held > 0 { show.theme.warn } else { show.theme.muted }),
        Span::raw(format!("  {} allocated", told(allocated))),
        Span::styled(format!("  {} over", told(rest)), show.theme.muted),
    ])
}

fn row(reservation: &Reservation, show: &Show<'_>) -> Vec<Line<'static>> {
    let theme = show.theme;
    let until = reservation.expires_at.filter(|_| reservation.status == ReservationStatus::Held);
    let is_live = matches!(reservation.status, ReservationStatus::Held | ReservationStatus::Allocated);
    let beside = if is_live { Style::new() } else { theme.muted };
    let bar = until.map(|until| {
        let part = |from: i64| u64::try_from(until.0.saturating_sub(from)).unwrap_or(0);
        chart::gauge(part(show.now.0), part(reservation.created_at.0), BAR)
    });
    let lines = lines_of(reservation, show.books);
    let pieces: u64 = lines.iter().map(|(quantity, _)| u64::from(*quantity)).sum();
    let lines: Vec<String> = lines.into_iter().map(|(quantity, name)| format!("{quantity} × {name}")).collect();
    vec![
        Line::raw(text::short(reservation.order_id)),
        status(reservation.status, theme),
        Line::styled(lines.join(", "), beside),
        Line::styled(pieces.to_string(), beside),
        until.map(|until| draw::left(until, show)).unwrap_or_default(),
        Line::styled(bar.unwrap_or_default(), theme.accent),
        Line::styled(text::ago(reservation.created_at, show.now), theme.muted),
    ]
}

/// A sign, a word and a colour for how far a reservation is.
fn status(status: ReservationStatus, theme: &Theme) -> Line<'static> {
    let (word, style) = match status {
        ReservationStatus::Held => ("● held", theme.warn),
        ReservationStatus::Allocated => ("▸ allocated", theme.accent),
        ReservationStatus::Committed => ("✓ shipped", theme.good),
        ReservationStatus::Released => ("↺ released", theme.back),
        ReservationStatus::Expired => ("↺ expired", theme.back),
        ReservationStatus::Refused => ("✗ refused", theme.bad),
        ReservationStatus::Lost => ("✗ lost", theme.bad),
    };
    Line::styled(word, style)
}

/// How many of what: of the reservation, or of its order where the event came before the order did.
fn lines_of(reservation: &Reservation, books: &Books) -> Vec<(u32, String)> {
    let order = books.orders.get(reservation.order_id).map(|entry| entry.order.lines.as_slice()).unwrap_or_default();
    if reservation.lines.is_empty() {
        return order.iter().map(|line| (line.quantity, text::plain(&line.name))).collect();
    }
    let name = |id| {
        let of_order = order.iter().find(|line| line.product_id == id).map(|line| line.name.as_str());
        let name = of_order.or_else(|| books.products.get(id).map(|product| product.name.as_str()));
        name.map_or_else(|| text::short(id), text::plain)
    };
    reservation.lines.iter().map(|line| (line.quantity, name(line.product_id))).collect()
}

fn haystack(reservation: &Reservation, books: &Books) -> String {
    let mut text = format!("{} {}", reservation.order_id, reservation.status.as_str());
    for (_, name) in lines_of(reservation, books) {
        text.push(' ');
        text.push_str(&name);
    }
    text.to_lowercase()
}
