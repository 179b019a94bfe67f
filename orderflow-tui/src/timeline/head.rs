//! What stands above the lanes: how far the order is, what is in it, and how long it can be paid.

use orderflow_client::view;
use orderflow_contracts::{
    api::orders::{Order, OrderPaymentStatus, OrderReservationStatus, OrderStatus},
    ids::OrderId,
    timestamp::Timestamp,
};
use ratatui::{
    Frame,
    layout::{Alignment, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
};

use crate::{text, theme::Theme};

/// Narrower places have the first digits of the id alone.
const WHOLE_ID_FROM: u16 = 76;

/// An order, and where all services together say it stands: the order itself has not heard of everything.
pub struct Head<'a> {
    /// Its id.
    pub id: OrderId,
    /// The order, once it is known.
    pub order: Option<&'a Order>,
    /// From `why`, if that was asked about the order as it is now.
    pub stands: Option<&'a str>,
}

/// Draws it in one row or two.
pub fn draw(frame: &mut Frame<'_>, area: Rect, head: &Head<'_>, now: Timestamp, theme: &Theme) {
    if area.is_empty() {
        return;
    }
    let first = Rect { height: 1, ..area };
    let Some(order) = head.order else {
        frame.render_widget(Line::styled(format!("order {}", head.id), theme.muted), first);
        return;
    };
    let (sign, style) = sign(order, theme);
    let mut left = vec![Span::styled(
        format!("{sign} {}", order.status.as_str()),
        Style { bg: None, ..style }.add_modifier(Modifier::BOLD),
    )];
    let right = due(order, now, area.width < WHOLE_ID_FROM, theme);
    if area.height < 2 {
        let id = format!("  {}", text::short(order.id));
        let taken = left.iter().map(Span::width).sum::<usize>() + right.width() + 1;
        if taken + id.len() <= usize::from(area.width) {
            left.push(Span::styled(id, theme.muted));
        }
    } else {
        let stands = head.stands.map_or_else(|| view::headline(order), text::plain);
        left.push(Span::raw(format!("  {stands}")));
    }
    sides(frame, first, Line::from(left), right);
    if area.height > 1 {
        let second = Rect { y: area.y + 1, height: 1, ..area };
        let items = text::plain(&view::summary(&order.lines));
        let id = if area.width < WHOLE_ID_FROM { text::short(order.id) } else { order.id.to_string() };
        sides(frame, second, Line::styled(items, theme.text), Line::styled(id, theme.muted));
    }
}

/// How far an order is, as a sign.
fn sign(order: &Order, theme: &Theme) -> (&'static str, Style) {
    match order.status {
        OrderStatus::Pending => ("○", theme.text),
        OrderStatus::Confirming => ("▸", theme.text),
        OrderStatus::Confirmed => ("▸", theme.warn),
        OrderStatus::Paid | OrderStatus::Fulfilled => ("✓", theme.good),
        OrderStatus::Cancelled => ("✗", theme.bad),
    }
}

/// What it costs, and how long it can be paid.
fn due(order: &Order, now: Timestamp, is_tight: bool, theme: &Theme) -> Line<'static> {
    let mut spans = Vec::new();
    if let Some(until) = deadline(order) {
        let style = if until.0 - now.0 < 60_000 { theme.bad } else { theme.warn };
        let words = if is_tight { "" } else { "to pay " };
        spans.push(Span::styled(format!("{} {words} ", text::countdown(until, now)), style));
    }
    let given_back = order.payment.status == OrderPaymentStatus::Refunded;
    if given_back {
        spans.push(Span::styled("↺ refunded  ", theme.back));
    }
    spans.push(Span::raw(text::money(order.total)));
    Line::from(spans)
}

/// Until when it can be paid, while it waits for that.
pub fn deadline(order: &Order) -> Option<Timestamp> {
    let is_held = order.reservation.status == OrderReservationStatus::Held;
    let is_due = order.status == OrderStatus::Confirmed && order.payment.status < OrderPaymentStatus::Failed;
    order.reservation.expires_at.filter(|_| is_held && is_due)
}

/// What stands at the right is never cut.
pub fn sides(frame: &mut Frame<'_>, line: Rect, left: Line<'static>, right: Line<'static>) {
    let wide = u16::try_from(right.width()).unwrap_or(u16::MAX).min(line.width);
    let room = line.width - wide;
    frame.render_widget(left, Rect { width: room.saturating_sub(1), ..line });
    frame.render_widget(right.alignment(Alignment::Right), Rect { x: line.x + room, width: wide, ..line });
}
