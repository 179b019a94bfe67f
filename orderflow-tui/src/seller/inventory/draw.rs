//! How the products look.

use orderflow_contracts::api::inventory::Product;
use ratatui::{
    Frame,
    layout::Rect,
    style::Modifier,
    text::{Line, Span},
};

use super::{Inventory, LOW, Move, Sort};
use crate::{
    books::Part,
    cx::Show,
    seller::draw,
    text,
    theme::Theme,
    unread::unread,
    widgets::{Column, chart, frames, list::Table},
};

const COLUMNS: [Column; 9] = [
    Column::new("stock", 5, 9),
    Column::new("product", 20, 9).grows(),
    Column::new("price", 12, 6).right(),
    Column::new("on hand", 7, 4).right(),
    Column::new("reserved", 8, 3).right(),
    Column::new("available", 9, 8).right(),
    Column::new("moved", 7, 7).right(),
    Column::new("█ available ░ reserved", 26, 1),
    Column::new("id", 8, 2),
];
/// Columns of the bar.
const BAR: usize = 26;

impl Inventory {
    /// Draws the screen.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        self.refresh(show.books);
        let (head, rest) = frames::head(area, 1);
        frame.render_widget(self.summary(show), head);
        let (line, rest) = frames::head(rest, u16::from(self.search.is_shown()));
        if self.search.is_shown() {
            let found = draw::found(self.rows.len(), show.theme);
            self.search.draw(frame, line, found, show.focused, show.theme);
        }
        let rest = unread(frame, rest, &show.books.products_part, "products", show);
        self.draw_table(frame, rest, show);
        if let Some(open) = &self.form {
            open.form.draw(frame, area, show.focused, show.theme);
        }
    }

    fn summary(&self, show: &Show<'_>) -> Line<'static> {
        let theme = show.theme;
        let products = &show.books.products;
        let out = products.iter().filter(|product| product.available == 0).count();
        let low = products.iter().filter(|product| (1..=LOW).contains(&product.available)).count();
        let sort = match self.sort {
            Sort::Name => "by name",
            Sort::Least => "the least first",
            Sort::Price => "the cheapest first",
            Sort::Newest => "the newest first",
        };
        let mut spans = vec![Span::raw(format!(" {} products", show.books.products_part.count(products.len())))];
        if out > 0 {
            spans.push(Span::styled(format!("  ✗ {out} out"), theme.bad));
        }
        if low > 0 {
            spans.push(Span::styled(format!("  ! {low} low"), theme.warn));
        }
        spans.push(Span::styled(format!("  {sort}"), theme.muted));
        if !self.undo.is_empty() {
            spans.push(Span::styled("  u undoes the last edit", theme.muted));
        }
        Line::from(spans)
    }

    fn draw_table(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        let Self { pick, rows, moved, search, .. } = self;
        let empty = match (&show.books.products_part, search.is_shown()) {
            (Part::Loading, _) => "reading the products …",
            (_, true) => "nothing found; esc takes the search away",
            _ => "no products yet: n adds the first one",
        };
        let most = show.books.products.iter().map(|product| product.on_hand).max().unwrap_or(0);
        let table = Table { columns: &COLUMNS, len: rows.len(), focused: show.focused, empty, theme: show.theme };
        pick.draw(frame, area, &table, rows, |index| {
            let Some(product) = show.books.products.get(rows[index]) else { return Vec::new() };
            row(product, moved.get(&product.id).map(|(_, moved)| *moved), most, show.theme)
        });
    }
}

fn row(product: &Product, moved: Option<Move>, most: u32, theme: &Theme) -> Vec<Line<'static>> {
    let (sign, style) = match product.available {
        0 => ("✗ out", theme.bad),
        1..=LOW => ("! low", theme.warn),
        _ => ("✓ ok", theme.good),
    };
    let available = match moved {
        Some(Move::Stock(_)) => style.add_modifier(Modifier::BOLD),
        _ => style,
    };
    let moved = match moved {
        None => Line::default(),
        Some(Move::New) => Line::styled("new", theme.accent),
        Some(Move::Edited) => Line::styled("edited", theme.accent),
        Some(Move::Stock(0)) => Line::styled("shipped", theme.accent),
        Some(Move::Stock(by @ 1..)) => Line::styled(format!("+{by}"), theme.good),
        Some(Move::Stock(by)) => Line::styled(by.to_string(), theme.warn),
    };
    vec![
        Line::styled(sign, style),
        Line::raw(text::plain(&product.name)),
        Line::raw(text::money(product.price)),
        Line::raw(product.on_hand.to_string()),
        Line::styled(
            product.reserved.to_string(),
            if product.reserved == 0 { theme.muted } else { ratatui::style::Style::new() },
        ),
        Line::styled(product.available.to_string(), available),
        moved,
        bar(product, most, theme),
        Line::styled(text::short(product.id), theme.muted),
    ]
}

/// What is available and what is reserved, all products on one scale.
fn bar(product: &Product, most: u32, theme: &Theme) -> Line<'static> {
    let whole = chart::gauge(product.on_hand.into(), most.into(), BAR).chars().count();
    let free = chart::gauge(product.available.into(), most.into(), BAR);
    let held = whole.saturating_sub(free.chars().count());
    let style = if product.available <= LOW { theme.warn } else { theme.good };
    Line::from(vec![Span::styled(free, style), Span::styled("░".repeat(held), theme.muted)])
}
