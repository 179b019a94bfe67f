//! The order that is chosen, beside or below the list.

use orderflow_contracts::{
    api::orders::{Order, OrderPaymentStatus, OrderReservationStatus, OrderStatus},
    events::OrderLine,
};
use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::{Paragraph, Wrap},
};

use super::{Asked, Placing, can_cancel, placing::Cancelling};
use crate::{
    customer::{cart, words},
    cx::Show,
    text,
    theme::Theme,
};

/// What is being asked for here about an order.
#[derive(Clone, Copy)]
pub struct Doing<'a> {
    /// To cancel it.
    pub cancelling: Option<&'a Cancelling>,
    /// That it is being paid, and how that stands.
    pub paying: Option<(&'static str, &'static str)>,
}

/// Draws an order. Where there is little room, what a person has to know and can do comes before what is nice to see.
pub fn draw(frame: &mut Frame<'_>, area: Rect, order: &Order, doing: Doing<'_>, show: &Show<'_>) {
    let theme = show.theme;
    // One cell off the border.
    let place = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(1), ..area };
    let wide = usize::from(area.width.min(60));
    let mut lines = vec![
        Line::from(vec![Span::styled("order ", theme.muted), Span::styled(order.id.to_string(), theme.accent)]),
        steps(order, theme),
        stands(order, doing, show),
    ];
    let can = Some(what_can_be_done(order)).filter(|can| !can.is_empty());
    // What is always there: these, however often they are wrapped, the total, and what can be done.
    let always = lines.iter().map(|line| rows_of(line, place.width)).sum::<usize>() + 1 + usize::from(can.is_some());
    let mut room = usize::from(area.height).saturating_sub(always);
    let things = things(order, room, wide, theme);
    room = room.saturating_sub(things.len());
    let facts = facts(order, room, show);
    room = room.saturating_sub(facts.len());
    let mut gap = |lines: &mut Vec<Line<'static>>| {
        if room > 0 {
            room -= 1;
            lines.push(Line::raw(""));
        }
    };
    gap(&mut lines);
    lines.extend(things);
    lines.push(Line::styled(entry("total", &text::money(order.total), wide).to_string(), theme.accent));
    if !facts.is_empty() {
        gap(&mut lines);
        lines.extend(facts);
    }
    if let Some(can) = can {
        gap(&mut lines);
        lines.push(Line::styled(can, theme.muted));
    }
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), place);
}

/// Rows that a line takes.
fn rows_of(line: &Line<'_>, width: u16) -> usize {
    line.width().div_ceil(usize::from(width).max(1)).max(1)
}

/// What was ordered, in at most so many rows, but in one at least.
fn things(order: &Order, most: usize, wide: usize, theme: &Theme) -> Vec<Line<'static>> {
    let all = order.lines.len();
    let shown = if all > most { most.saturating_sub(1) } else { all };
    let line = |line: &OrderLine| {
        let amount = line.unit_price.times(line.quantity).map(text::money).unwrap_or_default();
        entry(&format!("{} × {}", line.quantity, text::plain(&line.name)), &amount, wide)
    };
    let mut lines: Vec<_> = order.lines.iter().take(shown).map(line).collect();
    if all > shown {
        lines.push(Line::styled(format!("and {} more", all - shown), theme.muted));
    }
    lines
}

/// How its parts stand, in at most so many rows: stock and payment before when it was ordered.
fn facts(order: &Order, most: usize, show: &Show<'_>) -> Vec<Line<'static>> {
    let theme = show.theme;
    let parts = [fact("stock", stock(order), theme), fact("payment", money(order), theme)];
    match most {
        0 => Vec::new(),
        // Of one that is cancelled, this is said above.
        1 if order.status == OrderStatus::Cancelled => Vec::new(),
        1 => vec![both(order, theme.muted)],
        2 => parts.to_vec(),
        _ => {
            let ordered = fact("ordered", &words::when(order.created_at, show.now), theme);
            std::iter::once(ordered).chain(parts).collect()
        }
    }
}

/// Stock and payment in one row.
fn both(order: &Order, style: Style) -> Line<'static> {
    Line::styled(format!("stock: {} · payment: {}", stock(order), money(order)), style)
}

/// How far it is, step by step.
fn steps(order: &Order, theme: &Theme) -> Line<'static> {
    let status = order.status;
    let reached = match status {
        OrderStatus::Pending | OrderStatus::Confirming => 1,
        OrderStatus::Confirmed => 2,
        OrderStatus::Paid => 3,
        OrderStatus::Fulfilled => 4,
        // As far as it had come is not said by what is left of it.
        OrderStatus::Cancelled => {
            let words = order.cancel_reason.map_or("", words::cancelled);
            return Line::from(vec![
                Span::styled("✓ ordered", theme.muted),
                Span::styled(" ─ ", theme.muted),
                Span::styled(format!("✗ cancelled: {words}"), theme.bad),
            ]);
        }
    };
    let mut spans = Vec::new();
    for (at, name) in ["ordered", "confirmed", "paid", "shipped"].into_iter().enumerate() {
        if at > 0 {
            spans.push(Span::styled(" ─ ", theme.muted));
        }
        let (sign, style) = match at {
            at if at < reached => ("✓", theme.good),
            at if at == reached => ("○", theme.warn),
            _ => ("·", theme.muted),
        };
        spans.push(Span::styled(format!("{sign} {name}"), style));
    }
    Line::from(spans)
}

fn stands(order: &Order, doing: Doing<'_>, show: &Show<'_>) -> Line<'static> {
    let theme = show.theme;
    if let Some(Cancelling { asked: Asked::Unknown(why), .. }) = doing.cancelling {
        return Line::styled(
            format!("? not known whether it is cancelled: {} · r asks again", text::plain(why)),
            theme.warn,
        );
    }
    if let Some((status, how)) = doing.paying {
        return Line::styled(format!("{status}: {how}"), theme.warn);
    }
    let words = words::waits_for(order);
    match words::deadline(order) {
        Some(until) if until <= show.now => Line::styled("✗ the time to pay is over; its stock goes back", theme.bad),
        Some(until) => {
            let left = text::countdown(until, show.now);
            Line::styled(format!("! {words}, {left} left"), theme.warn)
        }
        None if order.status == OrderStatus::Cancelled => both(order, Style::new()),
        None => Line::raw(words),
    }
}

/// A name on the left, an amount on the right.
pub fn entry(name: &str, amount: &str, wide: usize) -> Line<'static> {
    let room = wide.saturating_sub(text::width(amount) + 2);
    let name = text::cut(name, room);
    let gap = wide.saturating_sub(text::width(&name) + text::width(amount) + 1);
    Line::raw(format!("{name}{:gap$}{amount}", ""))
}

fn fact(name: &str, words: &str, theme: &Theme) -> Line<'static> {
    Line::from(vec![Span::styled(format!("{name:<9}"), theme.muted), Span::raw(words.to_owned())])
}

const fn stock(order: &Order) -> &'static str {
    match order.reservation.status {
        OrderReservationStatus::None if matches!(order.status, OrderStatus::Cancelled) => "none was held",
        OrderReservationStatus::None => "asked for when the seller confirms",
        OrderReservationStatus::Requested => "being asked for",
        OrderReservationStatus::Held => "held for you until you pay",
        OrderReservationStatus::Expired => "given back: not paid in time",
        OrderReservationStatus::Failed => "there was not enough",
        OrderReservationStatus::Allocated => "yours",
        OrderReservationStatus::Committed => "has left the house",
        OrderReservationStatus::Released => "given back",
    }
}

const fn money(order: &Order) -> &'static str {
    match order.payment.status {
        OrderPaymentStatus::None if matches!(order.status, OrderStatus::Cancelled) => "nothing was charged",
        OrderPaymentStatus::None => "nothing is due yet",
        // Payments has not said yet what has become of it: it may be asking the provider still.
        OrderPaymentStatus::Open if matches!(order.status, OrderStatus::Cancelled) => "being ended",
        OrderPaymentStatus::Open => "due",
        OrderPaymentStatus::Failed => "the card was declined",
        OrderPaymentStatus::Voided => "nothing was charged",
        OrderPaymentStatus::Succeeded => "charged",
        OrderPaymentStatus::Refunded => "charged and given back",
    }
}

fn what_can_be_done(order: &Order) -> &'static str {
    match order.status {
        OrderStatus::Confirmed if order.payment.status == OrderPaymentStatus::Open => "p pays · x cancels",
        OrderStatus::Cancelled => "o orders the same again",
        OrderStatus::Fulfilled => "v receipt · o orders the same again",
        OrderStatus::Paid => "v receipt · x cancels, and the money comes back",
        _ if can_cancel(order) => "x cancels",
        _ => "",
    }
}

/// Draws an order that is being placed.
pub fn draw_placing(frame: &mut Frame<'_>, area: Rect, placing: &Placing, show: &Show<'_>) {
    let theme = show.theme;
    let mut lines = match &placing.asked {
        Asked::Asking => vec![Line::styled("… the order is being placed", theme.warn)],
        Asked::Unknown(why) => vec![
            Line::styled("? not known whether it is placed", theme.warn),
            Line::raw(text::plain(why)),
            Line::styled("r asks again with the same key: it is ordered once, never twice", theme.muted),
        ],
        Asked::Refused(words) => vec![
            Line::styled(format!("✗ not ordered: {}", text::plain(words)), theme.bad),
            Line::styled("o puts it back into the cart · esc takes this away", theme.muted),
        ],
    };
    lines.push(Line::raw(""));
    let wide = usize::from(area.width.min(60));
    for line in &placing.lines {
        lines.push(line_of(line, wide));
    }
    if let Some(total) = placing.total {
        lines.push(Line::styled(entry("total", &text::money(total), wide).to_string(), theme.accent));
    }
    let place = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(1), ..area };
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), place);
}

fn line_of(line: &cart::Line, wide: usize) -> Line<'static> {
    let amount = line.price.times(line.quantity).map(text::money).unwrap_or_default();
    entry(&format!("{} × {}", line.quantity, text::plain(&line.name)), &amount, wide)
}

#[cfg(test)]
mod tests {
    use super::money;
    use crate::customer::tests::order;

    #[test]
    fn nothing_is_due_for_an_order_that_is_over() {
        assert_eq!(money(&order(1, "CONFIRMED", "HELD", "OPEN")), "due");
        assert_eq!(money(&order(1, "CANCELLED", "HELD", "OPEN")), "being ended");
    }
}
