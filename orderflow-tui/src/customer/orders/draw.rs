//! How one's orders look.

use orderflow_contracts::api::orders::Order;
use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::{Block, Borders},
};

use super::{Asked, Filter, Open, Orders, Placing, Row, detail};
use crate::{
    books::Part,
    customer::{
        draw,
        pay::{Payments, Stage},
        words,
    },
    cx::Show,
    text,
    unread::unread,
    widgets::{Column, frames, list::Table},
};

/// From this width on, the chosen order stands beside the list.
const BESIDE_FROM: u16 = 110;
const BESIDE: u16 = 46;
/// From this height on, it stands below otherwise.
const BELOW_FROM: u16 = 17;
const BELOW: u16 = 8;
/// More than this it does not need.
const BELOW_MAX: u16 = 14;

const COLUMNS: [Column; 8] = [
    Column::new("status", 12, 9),
    Column::new("order", 8, 4),
    Column::new("things", 18, 8).grows(),
    Column::new("total", 12, 6).right(),
    Column::new("left", 6, 7).right(),
    Column::new("where it stands", 31, 2),
    Column::new("ordered", 8, 3),
    // Where the list marks how far down one is.
    Column::new("", 1, 5),
];

impl Orders {
    /// Draws them.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, pay: &Payments, show: &Show<'_>) {
        self.sync(show.books);
        let area = unread(frame, area, &show.books.orders_part, "orders", show);
        let (head, body) = frames::head(area, 1);
        self.draw_head(frame, head, show);
        let (list, detail) = split(body, !self.rows.all().is_empty());
        self.draw_list(frame, list, pay, show);
        let (Some((place, borders)), Some(row)) = (detail, self.rows.chosen()) else { return };
        let block = Block::new().borders(borders).border_style(show.theme.border);
        let inside = block.inner(place);
        frame.render_widget(block, place);
        match row {
            Row::Order(id) => {
                if let Some(entry) = show.books.orders.get(id) {
                    let doing =
                        detail::Doing { cancelling: self.open.cancelling(id), paying: paying(&entry.order, pay) };
                    detail::draw(frame, inside, &entry.order, doing, show);
                }
            }
            Row::Placing(key) => {
                if let Some(placing) = self.open.placing(key) {
                    detail::draw_placing(frame, inside, placing, show);
                }
            }
        }
    }

    fn draw_head(&self, frame: &mut Frame<'_>, line: Rect, show: &Show<'_>) {
        let theme = show.theme;
        let (all, found) = (show.books.orders.len() + self.open.newest().count(), self.rows.all().len());
        let told = show.books.orders_part.count(all);
        let count = if found == all { told } else { format!("{found} of {told}") };
        let filter = if self.filter == Filter::All { theme.muted } else { theme.accent };
        let right = Line::from(vec![
            Span::styled(self.filter.words(), filter),
            Span::styled(format!(" · newest first · {count}"), theme.muted),
        ]);
        let wide = u16::try_from(right.width()).unwrap_or(u16::MAX).min(line.width);
        frame.render_widget(right, Rect { x: line.right() - wide, width: wide, ..line });
        let left = Rect { width: line.width.saturating_sub(wide + 1), ..line };
        self.search.draw(frame, left, Line::default(), show.focused, theme);
    }

    fn draw_list(&mut self, frame: &mut Frame<'_>, area: Rect, pay: &Payments, show: &Show<'_>) {
        if self.rows.all().is_empty() {
            let nothing = match (&show.books.orders_part, show.books.orders.is_empty()) {
                (Part::Loading, true) => ["Reading your orders …", ""],
                (Part::Failed { .. }, true) => ["Your orders could not be read.", "ctrl-r tries again."],
                (_, true) => ["You have not ordered anything yet.", "1 shows the shop."],
                (_, false) => ["No order is like that.", "esc shows all of them."],
            };
            self.rows.draw_none();
            return draw::empty(frame, area, show, &nothing);
        }
        let open = &self.open;
        let (len, focused) = (self.rows.all().len(), show.focused);
        let table = Table { columns: &COLUMNS, len, focused, empty: "", theme: show.theme };
        self.rows.draw(frame, area, &table, |row| match row {
            Row::Placing(key) => open.placing(key).map(|placing| placing_row(placing, show)).unwrap_or_default(),
            Row::Order(id) => {
                let entry = show.books.orders.get(id);
                entry.map(|entry| order_row(&entry.order, open, pay, show)).unwrap_or_default()
            }
        });
    }
}

fn split(body: Rect, has_rows: bool) -> (Rect, Option<(Rect, Borders)>) {
    if has_rows && body.width >= BESIDE_FROM && body.height >= 8 {
        let list = Rect { width: body.width - BESIDE - 1, ..body };
        return (list, Some((Rect { x: list.right() + 1, width: BESIDE, ..body }, Borders::LEFT)));
    }
    if has_rows && body.height >= BELOW_FROM {
        let (list, detail) = frames::foot(body, (BELOW + (body.height - BELOW_FROM) / 2).min(BELOW_MAX));
        return (list, Some((detail, Borders::TOP)));
    }
    (body, None)
}

fn placing_row(placing: &Placing, show: &Show<'_>) -> Vec<Line<'static>> {
    let theme = show.theme;
    let (status, style, stands) = match &placing.asked {
        Asked::Asking => ("… placing", theme.warn, "the orders service is being asked".to_owned()),
        Asked::Unknown(_) => ("? placed", theme.warn, "not known; r asks again, once is enough".to_owned()),
        Asked::Refused(words) => ("✗ refused", theme.bad, text::plain(words)),
    };
    vec![
        Line::styled(status, style),
        Line::styled("new", theme.muted),
        Line::raw(placing.things()),
        Line::raw(placing.total.map(text::money).unwrap_or_default()),
        Line::raw(""),
        Line::styled(stands, style),
        Line::styled(words::when(show.books.service_time(placing.at), show.now), theme.muted),
    ]
}

fn order_row(order: &Order, open: &Open, pay: &Payments, show: &Show<'_>) -> Vec<Line<'static>> {
    let theme = show.theme;
    let (status, style, stands) = standing(order, open, pay, show);
    let left =
        words::deadline(order).map(|until| (text::countdown(until, show.now), until.0.saturating_sub(show.now.0)));
    let left = match left {
        Some((words, ..60_000)) => Line::styled(words, theme.bad),
        Some((words, _)) => Line::styled(words, theme.warn),
        None => Line::raw(""),
    };
    vec![
        Line::styled(status, style),
        Line::styled(text::short(order.id), theme.muted),
        Line::raw(words::things(&order.lines)),
        Line::raw(text::money(order.total)),
        left,
        Line::raw(stands),
        Line::styled(words::when(order.created_at, show.now), theme.muted),
    ]
}

/// Status and where it stands, with what is being asked for here.
fn standing(order: &Order, open: &Open, pay: &Payments, show: &Show<'_>) -> (String, Style, String) {
    let theme = show.theme;
    match open.cancelling(order.id).map(|cancelling| &cancelling.asked) {
        Some(Asked::Asking) => return ("… cancelling".into(), theme.warn, "the orders service is being asked".into()),
        Some(Asked::Unknown(_)) => return ("? cancelled".into(), theme.warn, "not known; r asks again".into()),
        Some(Asked::Refused(_)) | None => {}
    }
    if let Some((status, stands)) = paying(order, pay) {
        return (status.into(), theme.warn, stands.into());
    }
    let (sign, word, style) = words::status(order, theme);
    (format!("{sign} {word}"), style, words::waits_for(order))
}

/// That it is being paid from here, and how that stands. The order itself still waits for the money.
fn paying(order: &Order, pay: &Payments) -> Option<(&'static str, &'static str)> {
    let stage = words::deadline(order).and(pay.stage(order.id));
    match stage? {
        Stage::Asking | Stage::Processing | Stage::Tokenising => Some(("… paying", "the provider is being asked")),
        Stage::Unknown(_) => Some(("? paying", "not known; p shows it, r asks again")),
        _ => None,
    }
}
