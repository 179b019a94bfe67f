//! How the cart looks.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::{Paragraph, Wrap},
};

use super::Cart;
use crate::{
    cx::Show,
    text,
    widgets::{Column, frames, list::Table},
};

const COLUMNS: [Column; 5] = [
    Column::new("product", 12, 9).grows(),
    Column::new("", 20, 3),
    Column::new("each", 12, 4).right(),
    Column::new("", 7, 9).right(),
    Column::new("amount", 13, 6).right(),
];
/// A wider bill is harder to read.
const WIDE_MAX: u16 = 110;

impl Cart {
    /// Draws it.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        if self.lines.is_empty() {
            return super::super::draw::empty(frame, area, show, &self.nothing());
        }
        let area = Rect { width: area.width.min(WIDE_MAX), ..area };
        let lines = &self.lines;
        // The titles, the lines, and under them the total.
        let tall = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(1);
        let foot_tall = if area.height > 7 { 5 } else { 1 };
        let (list, foot) = frames::head(area, tall.min(area.height.saturating_sub(foot_tall)));
        let table = Table { columns: &COLUMNS, len: lines.len(), focused: show.focused, empty: "", theme: show.theme };
        table.draw(frame, list, &mut self.state, |index| row(&lines[index], show));
        self.draw_total(frame, frames::head(foot, foot_tall).0, show);
    }

    fn nothing(&self) -> [&'static str; 2] {
        if self.before.is_empty() {
            ["The cart is empty.", "1 shows the shop; enter there puts things in here."]
        } else {
            ["The cart is empty.", "u brings back what was in it."]
        }
    }

    fn draw_total(&self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        let theme = show.theme;
        let pieces = self.pieces();
        let pieces = if pieces == 1 { "1 piece".to_owned() } else { format!("{pieces} pieces") };
        let mixed = self.mixed(show.books);
        let sum = match self.total(show.books) {
            Some(total) => Span::styled(text::money(total), theme.accent),
            None if mixed.is_some() => Span::styled("✗ more than one currency", theme.bad),
            None => Span::styled("! not one amount", theme.warn),
        };
        let total = Line::from(vec![Span::styled(format!("{pieces}   total "), theme.muted), sum]).right_aligned();
        let short = self.lines.iter().any(|line| is_short(line, show));
        let words = if let Some(mixed) = mixed {
            Line::styled(format!("✗ It cannot be ordered: {mixed}."), theme.bad)
        } else if short {
            Line::styled("! There is not enough of everything; the seller may have to say no.", theme.warn)
        } else {
            Line::styled("Stock is held for you once the seller confirms; you pay after that.", theme.muted)
        };
        if area.height < 4 {
            return frame.render_widget(total, area);
        }
        let row = |at: u16| Rect { y: area.y + at, height: 1, ..area };
        frame.render_widget(Line::styled("─".repeat(usize::from(area.width)), theme.border), row(0));
        frame.render_widget(total, row(1));
        let words = Paragraph::new(words).wrap(Wrap { trim: true });
        frame.render_widget(words, Rect { y: area.y + 3, height: area.height - 3, ..area });
    }
}

fn is_short(line: &super::Line, show: &Show<'_>) -> bool {
    show.books.products.get(line.id).is_some_and(|product| product.available < line.quantity)
}

fn row(line: &super::Line, show: &Show<'_>) -> Vec<Line<'static>> {
    let theme = show.theme;
    let product = show.books.products.get(line.id);
    let price = product.map_or(line.price, |product| product.price);
    let amount = price.times(line.quantity).map_or_else(|_| "too much".to_owned(), text::money);
    let note = match product {
        None => Span::styled("· not in the shop", theme.muted),
        Some(product) if product.available < line.quantity => {
            Span::styled(format!("! only {} are there", product.available), theme.warn)
        }
        Some(product) if product.price != line.price => Span::styled("! another price now", theme.warn),
        Some(_) => Span::styled("✓ in stock", theme.good),
    };
    let name = product.map_or(&line.name, |product| &product.name);
    vec![
        Line::raw(text::plain(name)),
        Line::from(note),
        Line::raw(text::money(price)),
        Line::raw(format!("× {}", line.quantity)),
        Line::raw(amount),
    ]
}
