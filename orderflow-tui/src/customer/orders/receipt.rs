//! A receipt, as a till would print it.

use orderflow_contracts::{
    api::{
        orders::Order,
        payments::{Payment, PaymentStatus},
    },
    ids::OrderId,
    money::Money,
};
use ratatui::{Frame, layout::Rect, text::Line};

use super::detail::entry;
use crate::{
    cx::Show,
    keys::{self, Action},
    text,
    widgets::frames,
};

/// Columns of the paper.
const WIDE: u16 = 42;

/// The receipt of an order.
pub struct Receipt {
    /// Which order's.
    pub id: OrderId,
    first: usize,
    last: usize,
}

impl Receipt {
    /// Of an order.
    pub const fn of(id: OrderId) -> Self {
        Self { id, first: 0, last: 0 }
    }

    /// A key was pressed. Whether it meant anything here.
    pub fn act(&mut self, action: Action) -> bool {
        self.first = match action {
            keys::UP => self.first.saturating_sub(1),
            keys::DOWN => (self.first + 1).min(self.last),
            _ => return false,
        };
        true
    }

    /// Draws it, over what is there.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        let Some(order) = show.books.orders.get(self.id).map(|entry| &entry.order) else { return };
        let payment = show.books.payments.iter().find(|payment| payment.order_id == self.id);
        let wide = area.width.min(WIDE);
        // Between the borders, with a cell on each side where there is room.
        let margin = u16::from(wide == WIDE);
        let lines = lines(order, payment, usize::from(wide.saturating_sub(2 + 2 * margin)), show);
        let tall = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
        let inside = frames::popup(frame, area, (wide, tall), "receipt", show.theme);
        self.last = lines.len().saturating_sub(usize::from(inside.height));
        self.first = self.first.min(self.last);
        for (line, y) in lines.into_iter().skip(self.first).zip(inside.y..inside.bottom()) {
            let x = inside.x + margin.min(inside.width);
            frame.render_widget(line, Rect { x, y, width: inside.width.saturating_sub(margin), height: 1 });
        }
        if self.first < self.last && inside.height > 1 {
            let place = Rect {
                x: inside.right().saturating_sub(6),
                y: inside.bottom() - 1,
                width: 6.min(inside.width),
                height: 1,
            };
            frame.render_widget(Line::styled("↓ more", show.theme.accent), place);
        }
    }
}

fn lines(order: &Order, payment: Option<&Payment>, wide: usize, show: &Show<'_>) -> Vec<Line<'static>> {
    let theme = show.theme;
    let rule = || Line::styled("-".repeat(wide), theme.muted);
    let centred = |words: &str| Line::raw(format!("{words:^wide$}"));
    let mut lines = vec![Line::styled(format!("{:^wide$}", "O R D E R F L O W"), theme.accent)];
    lines.push(centred(order.created_at.to_string().replace('T', "  ").get(..20).unwrap_or_default()));
    for part in parts(&order.id.to_string(), wide) {
        lines.push(Line::styled(format!("{part:^wide$}"), theme.muted));
    }
    lines.push(rule());
    for line in &order.lines {
        let amount = line.unit_price.times(line.quantity).map(number).unwrap_or_default();
        lines.push(entry(&text::plain(&line.name), &amount, wide));
        if line.quantity > 1 {
            lines.push(Line::styled(format!("  {} × {}", line.quantity, number(line.unit_price)), theme.muted));
        }
    }
    lines.push(rule());
    lines.push(entry("TOTAL", &text::money(order.total), wide).style(theme.accent));
    lines.push(Line::raw(""));
    lines.extend(paid(payment, wide, show));
    lines
}

/// Without the currency, which the total has.
fn number(amount: Money) -> String {
    amount.to_string().split(' ').next().unwrap_or_default().to_owned()
}

fn paid(payment: Option<&Payment>, wide: usize, show: &Show<'_>) -> Vec<Line<'static>> {
    let theme = show.theme;
    let Some(payment) = payment else {
        return vec![Line::styled("… reading the payment", theme.warn)];
    };
    let (words, style) = match payment.status {
        PaymentStatus::Open => ("○ NOT PAID YET", theme.warn),
        PaymentStatus::Processing => ("… BEING PAID, NOT CERTAIN YET", theme.warn),
        PaymentStatus::Succeeded => ("✓ PAID", theme.good),
        PaymentStatus::Failed => ("✗ DECLINED", theme.bad),
        PaymentStatus::Voided => ("✗ NOTHING WAS CHARGED", theme.bad),
        PaymentStatus::Refunding => ("↺ PAID, BEING GIVEN BACK", theme.back),
        PaymentStatus::Refunded => ("↺ PAID AND GIVEN BACK", theme.back),
    };
    let mut lines = vec![Line::styled(words, style)];
    if let Some(card) = &payment.card {
        lines.push(entry("card", &format!("{} ···· {}", text::plain(&card.brand), text::plain(&card.last4)), wide));
    }
    if let Some(code) = &payment.decline_code {
        lines.push(entry("declined", &text::plain(code), wide));
    }
    for (name, id) in [("charge", &payment.charge_id), ("refund", &payment.refund_id)] {
        let Some(id) = id.as_deref().map(text::plain) else { continue };
        if text::width(&id) + name.len() + 3 <= wide {
            lines.push(entry(name, &id, wide));
        } else {
            lines.push(Line::raw(name));
            lines.extend(parts(&id, wide - 1).into_iter().map(|part| Line::raw(format!("  {part}"))));
        }
    }
    let at = payment.updated_at.to_string().replace('T', "  ");
    lines.push(entry("at", at.get(..20).unwrap_or_default(), wide));
    lines
}

/// A text that is too long for one line, in several.
fn parts(text: &str, wide: usize) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(wide.max(8)).map(|part| part.iter().collect()).collect()
}
