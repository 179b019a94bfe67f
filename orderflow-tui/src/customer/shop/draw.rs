//! How the shop looks: the list and, where there is room, what is chosen with its picture.

use orderflow_contracts::{api::inventory::Product, ids::ProductId};
use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::{Block, BorderType, Borders, Paragraph, Wrap},
};

use super::Shop;
use crate::{
    books::Part,
    customer::{Cart, draw, words},
    cx::Show,
    text,
    unread::unread,
    widgets::{
        Column, frames,
        list::Table,
        picture::{self, Picture},
    },
};

/// From this width on, what is chosen stands beside the list.
const BESIDE_FROM: u16 = 76;
/// From this height on, it stands below otherwise.
const BELOW_FROM: u16 = 26;
const BELOW: u16 = 11;

const COLUMNS: [Column; 5] = [
    Column::new("", 3, 7).right(),
    Column::new("product", 10, 9).grows(),
    Column::new("price", 11, 8).right(),
    Column::new("available", 10, 6),
    // Where the list marks how far down one is.
    Column::new("", 1, 5),
];

impl Shop {
    /// Draws it.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, cart: &Cart, show: &Show<'_>) {
        self.sync(show.books);
        let area = unread(frame, area, &show.books.products_part, "products", show);
        let (head, body) = frames::head(area, 1);
        self.draw_head(frame, head, cart, show);
        let (list, detail) = split(body);
        self.draw_list(frame, list, cart, show);
        if let (Some((place, borders)), Some(product)) = (detail, self.chosen(show.books)) {
            let block = Block::new().borders(borders).border_type(BorderType::Plain).border_style(show.theme.border);
            let inside = block.inner(place);
            frame.render_widget(block, place);
            self.draw_detail(frame, inside, product, cart, show);
        }
    }

    /// The search, how the list is filtered and sorted, and what is in the cart.
    fn draw_head(&self, frame: &mut Frame<'_>, line: Rect, cart: &Cart, show: &Show<'_>) {
        let theme = show.theme;
        let all = show.books.products.len();
        let (found, in_stock) = (self.rows.all().len(), if self.in_stock { "in stock · " } else { "" });
        let told = show.books.products_part.count(all);
        let count = if found == all { told } else { format!("{found} of {told}") };
        let mut right = vec![Span::styled(format!("{in_stock}{} · {count}", self.sort.words()), theme.muted)];
        if !cart.lines().is_empty() {
            let worth = cart.total(show.books).map(|total| format!(" {total}")).unwrap_or_default();
            let words = format!("cart {}{worth}", cart.pieces());
            right = if line.width < 60 {
                vec![Span::styled(words, theme.accent)]
            } else {
                [right, vec![Span::raw("  "), Span::styled(words, theme.accent)]].concat()
            };
        }
        let right = Line::from(right);
        let wide = u16::try_from(right.width()).unwrap_or(u16::MAX).min(line.width);
        let left = Rect { width: line.width.saturating_sub(wide + 1), ..line };
        frame.render_widget(right, Rect { x: line.right() - wide, width: wide, ..line });
        self.search.draw(frame, left, Line::default(), show.focused, theme);
    }

    fn draw_list(&mut self, frame: &mut Frame<'_>, area: Rect, cart: &Cart, show: &Show<'_>) {
        if self.rows.all().is_empty() {
            self.rows.draw_none();
            return draw::empty(frame, area, show, &self.nothing(show));
        }
        let (len, focused) = (self.rows.all().len(), show.focused);
        let table = Table { columns: &COLUMNS, len, focused, empty: "", theme: show.theme };
        self.rows.draw(frame, area, &table, |id| row(id, cart, show));
    }

    fn nothing(&self, show: &Show<'_>) -> [&'static str; 2] {
        match (&show.books.products_part, show.books.products.is_empty()) {
            (Part::Loading, true) => ["Reading the catalogue …", ""],
            (Part::Failed { .. }, true) => ["The catalogue could not be read.", "ctrl-r tries again."],
            (_, true) => ["There is nothing to buy yet.", "A seller has to add products; f3 is the seller's desk."],
            (_, false) if self.in_stock => {
                ["Nothing in stock is like that.", "f shows what is sold out too; esc ends the search."]
            }
            (_, false) => ["No product has a name like that.", "esc ends the search."],
        }
    }

    fn draw_detail(&self, frame: &mut Frame<'_>, area: Rect, product: &Product, cart: &Cart, show: &Show<'_>) {
        let lines = self.about(product, cart, show);
        let picture = Picture::of(&product.name, &product.id.to_string());
        let scale =
            if area.width >= picture::CELLS.0 * 2 + 2 && area.height >= picture::CELLS.1 * 2 + 8 { 2 } else { 1 };
        let (width, height) = (picture::CELLS.0 * scale, picture::CELLS.1 * scale);
        let is_low = area.height < height + 7;
        let has_picture = area.height >= height && (!is_low || area.width >= width + 26);
        let (canvas, words) = match (has_picture, is_low) {
            (false, _) => (Rect::ZERO, area),
            (true, true) => {
                let canvas = Rect { width: width + 2, ..area };
                (canvas, Rect { x: area.x + width + 4, width: area.width - width - 4, ..area })
            }
            (true, false) => frames::head(area, height + if scale == 1 { 2 } else { 1 }),
        };
        picture.draw(frame, canvas, scale, show.theme);
        frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: true }), words);
    }

    fn about(&self, product: &Product, cart: &Cart, show: &Show<'_>) -> Vec<Line<'static>> {
        let theme = show.theme;
        let (sign, words, style) = words::availability(product, theme);
        let as_of = match (self.as_of(product.id, show.books), self.is_looking_at(product.id)) {
            (Some(at), false) => format!("as of {}", text::clock(at)),
            (Some(at), true) => format!("as of {} · looking …", text::clock(at)),
            (None, _) => "looking …".to_owned(),
        };
        let mut lines = vec![
            Line::styled(text::plain(&product.name), theme.accent),
            Line::raw(text::money(product.price)),
            Line::raw(""),
            Line::styled(format!("{sign} {words}"), style),
        ];
        if product.reserved > 0 {
            lines.push(Line::styled(format!("· {} more held for orders", product.reserved), theme.muted));
        }
        lines.push(Line::styled(as_of, theme.muted));
        let has = cart.count(product.id);
        if has > 0 {
            lines.push(Line::raw(""));
            lines.push(Line::styled(format!("{has} in your cart"), theme.customer));
        }
        lines
    }
}

/// The list's place, and that of what is chosen with the side on which its border is.
fn split(body: Rect) -> (Rect, Option<(Rect, Borders)>) {
    if body.width >= BESIDE_FROM && body.height >= 8 {
        let wide = (body.width * 2 / 5).clamp(30, 60);
        let list = Rect { width: body.width - wide - 1, ..body };
        return (list, Some((Rect { x: list.right() + 1, width: wide, ..body }, Borders::LEFT)));
    }
    if body.height >= BELOW_FROM {
        let (list, detail) = frames::foot(body, BELOW);
        return (list, Some((detail, Borders::TOP)));
    }
    (body, None)
}

fn row(id: ProductId, cart: &Cart, show: &Show<'_>) -> Vec<Line<'static>> {
    let Some(product) = show.books.products.get(id) else { return Vec::new() };
    let (sign, words, style) = words::availability(product, show.theme);
    let has = cart.count(id);
    let name = text::plain(&product.name);
    let available = if product.available > words::FEW {
        format!("{sign} {}", product.available)
    } else {
        format!("{sign} {words}")
    };
    let has = match has {
        0 => String::new(),
        1..=99 => format!("×{has}"),
        _ => "×··".to_owned(),
    };
    vec![
        Line::styled(has, show.theme.customer),
        if product.available == 0 { Line::styled(name, show.theme.muted) } else { Line::raw(name) },
        Line::raw(text::money(product.price)),
        Line::styled(available, style),
    ]
}
