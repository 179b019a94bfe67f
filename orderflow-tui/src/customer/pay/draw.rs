//! How the payment form looks, and what comes of it.

use orderflow_contracts::{api::orders::OrderPaymentStatus, events::CancelReason, ids::OrderId, timestamp::Timestamp};
use ratatui::{
    Frame,
    layout::{Position, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::{Paragraph, Wrap},
};

use super::{
    Payments, Stage,
    attempt::Attempt,
    card::Check,
    face,
    form::{At, Form},
    pay_until,
    test_cards::TEST_CARDS,
};
use crate::{
    customer::words,
    cx::Show,
    text,
    theme::Theme,
    widgets::{Column, frames, list::Table},
};

/// From this width on, the card stands beside the fields.
const BESIDE_FROM: u16 = 74;
const BESIDE: (u16, u16) = (76, 16);
/// From this height on, it stands above them otherwise.
const ABOVE_FROM: u16 = 19;
const ABOVE: (u16, u16) = (46, 20);
const SMALL: (u16, u16) = (46, 11);
const LABEL: u16 = 8;
const RECEIPT: &str = "v shows the receipt.";
const NOT_CHARGED: &str = "Nothing was charged. The stock goes back; o orders the same again.";

const COLUMNS: [Column; 3] = [Column::new("test card", 20, 9), Column::new("", 11, 2), Column::new("", 12, 8).grows()];

impl Payments {
    /// Draws the payment that is shown, over what is there.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        let Some(id) = self.open else { return };
        let Some(attempt) = self.attempts.get_mut(&id) else { return };
        let size = match area {
            Rect { width: BESIDE_FROM.., height: 14.., .. } => BESIDE,
            Rect { height: ABOVE_FROM.., .. } => ABOVE,
            _ => SMALL,
        };
        let inside = frames::popup(frame, area, size, "pay", show.theme);
        let (head, body) = frames::head(inside, 1);
        draw_head(frame, head, id, &attempt.stage, show);
        let (_, body) = if body.height > 7 { frames::head(body, 1) } else { (body, body) };
        match (&attempt.stage, &mut attempt.chooser) {
            (_, Some(state)) => {
                let table = Table {
                    columns: &COLUMNS,
                    len: TEST_CARDS.len(),
                    focused: show.focused,
                    empty: "",
                    theme: show.theme,
                };
                table.draw(frame, body, state, |index| test_card(index, show.theme));
            }
            (Stage::Form { .. } | Stage::Tokenising, None) => draw_form(frame, body, size, attempt, id, show),
            (_, None) => draw_stage(frame, body, attempt, id, show),
        }
    }
}

/// What is due, and until when.
fn draw_head(frame: &mut Frame<'_>, line: Rect, id: OrderId, stage: &Stage, show: &Show<'_>) {
    let theme = show.theme;
    let payment = show.books.payments.iter().find(|payment| payment.order_id == id);
    let order = show.books.orders.get(id).map(|entry| &entry.order);
    let amount = payment.and_then(|payment| payment.amount).or_else(|| order.map(|order| order.total));
    let amount = amount.map(text::money).unwrap_or_default();
    let order = if line.width >= 44 { format!("  order {}", text::short(id)) } else { String::new() };
    let left = Line::from(vec![Span::styled(format!(" {amount}"), theme.accent), Span::styled(order, theme.muted)]);
    frame.render_widget(left, line);
    let is_due = matches!(stage, Stage::Form { .. } | Stage::Tokenising);
    let Some(until) = pay_until(id, show.books).filter(|_| is_due) else { return };
    let (words, style) = match until.0.saturating_sub(show.now.0) {
        ..1 => ("✗ too late ".to_owned(), theme.bad),
        1..60_000 => (format!("! {} left ", text::countdown(until, show.now)), theme.warn),
        _ => (format!("{} left ", text::countdown(until, show.now)), theme.text),
    };
    let wide = u16::try_from(text::width(&words)).unwrap_or(0).min(line.width);
    frame.render_widget(Line::styled(words, style), Rect { x: line.right() - wide, width: wide, ..line });
}

fn draw_form(frame: &mut Frame<'_>, body: Rect, size: (u16, u16), attempt: &Attempt, id: OrderId, show: &Show<'_>) {
    let (form, now) = (&attempt.form, show.now);
    let (card, fields) = match size {
        BESIDE => {
            let wide = face::CELLS.0 + 1;
            let card = Rect { x: body.x + 1, width: wide.min(body.width), ..body };
            let x = card.right() + 1;
            (Some(card), Rect { x, y: body.y + 1, width: body.right().saturating_sub(x), height: 5.min(body.height) })
        }
        ABOVE => {
            let (card, rest) = frames::head(body, face::CELLS.1 + 1);
            let x = card.x + card.width.saturating_sub(face::CELLS.0) / 2;
            (Some(Rect { x, width: card.right() - x, ..card }), frames::head(rest, 3).0)
        }
        _ => (None, frames::head(body, 3).0),
    };
    if let Some(card) = card {
        face::draw(frame, card, form, now, show.theme);
    }
    let can_type = show.focused && matches!(attempt.stage, Stage::Form { .. });
    for (at, y) in At::ALL.into_iter().zip(fields.y..fields.bottom()) {
        draw_field(frame, Rect { y, height: 1, ..fields }, form, at, can_type, show);
    }
    let (_, words) = frames::foot(body, if body.height > 5 { 3 } else { 1 });
    let words = Rect { x: words.x + 1, width: words.width.saturating_sub(2), ..words };
    let told = told(attempt, pay_until(id, show.books), show);
    frame.render_widget(Paragraph::new(told).wrap(Wrap { trim: true }), words);
}

fn draw_field(frame: &mut Frame<'_>, line: Rect, form: &Form, at: At, can_type: bool, show: &Show<'_>) {
    let theme = show.theme;
    let (name, wide) = match at {
        At::Number => ("number", 23),
        At::Expiry => ("expiry", 7),
        At::Cvc => ("CVC", 7),
    };
    let is_here = form.at == at;
    let label =
        if is_here { Span::styled(format!(" ▸{name}"), theme.accent) } else { Span::raw(format!("  {name}")) };
    frame.render_widget(label, line);
    let x = line.x.saturating_add(LABEL + 1).min(line.right());
    let place = Rect { x, width: line.right().saturating_sub(x).min(wide), ..line };
    let style = if is_here { theme.field_focus } else { theme.field };
    let (shown, column) = form.shown(at);
    frame.buffer_mut().set_style(place, style);
    let blank = form.is_blank(at) && at == At::Expiry;
    frame.render_widget(if blank { Line::styled("MM/YY", theme.muted) } else { Line::raw(shown) }, place);
    if is_here && can_type && !place.is_empty() {
        let x = place.x.saturating_add(column).min(place.right() - 1);
        frame.set_cursor_position(Position::new(x, place.y));
    }
    let x = place.right().saturating_add(1).min(line.right());
    let mark = match form.check(at, show.now) {
        Check::Good => Span::styled("✓", theme.good),
        // Where there is no room beside the field, it is said under the form.
        Check::Bad(why) if text::width(why) + 2 <= usize::from(line.right() - x) => {
            Span::styled(format!("✗ {why}"), theme.bad)
        }
        Check::Bad(_) => Span::styled("✗", theme.bad),
        Check::Partial => Span::raw(""),
    };
    frame.render_widget(mark, Rect { x, width: line.right() - x, ..line });
}

/// What there is to say under the form.
fn told(attempt: &Attempt, until: Option<Timestamp>, show: &Show<'_>) -> Vec<Line<'static>> {
    let theme = show.theme;
    let form = &attempt.form;
    let is_late = until.is_some_and(|until| until <= show.now);
    match &attempt.stage {
        Stage::Tokenising => vec![
            Line::styled("… the provider is being given the card", theme.warn),
            Line::styled("Nothing is charged yet; esc cancels.", theme.muted),
        ],
        Stage::Form { problem: Some((_, words)) } => vec![Line::styled(format!("✗ {}", text::plain(words)), theme.bad)],
        Stage::Form { .. } if is_late => vec![
            Line::styled("✗ The time to pay is over.", theme.bad),
            Line::styled("The stock goes back; esc closes, o orders the same again.", theme.muted),
        ],
        Stage::Form { .. } if attempt.needs_card() && form.is_blank(At::Number) => vec![
            Line::styled("! The same card as before, please.", theme.warn),
            Line::styled("It is asked for with the same key: you pay once, never twice.", theme.muted),
        ],
        Stage::Form { .. } if wrong(form, show.now).is_some() => {
            vec![Line::styled(format!("✗ {}", wrong(form, show.now).unwrap_or_default()), theme.bad)]
        }
        Stage::Form { .. } if form.unfinished(show.now).is_none() && form.at == At::Cvc => {
            vec![Line::styled("✓ enter pays", theme.good)]
        }
        Stage::Form { .. } if form.unfinished(show.now).is_none() => {
            vec![Line::styled(
                "✓ The card can be sent; enter goes on to the last field, and there it pays.",
                theme.good,
            )]
        }
        _ => vec![
            Line::from(vec![Span::styled("ctrl-t", theme.accent), Span::styled(" offers test cards", theme.muted)]),
            Line::styled("The card goes to the payment provider only.", theme.muted),
        ],
    }
}

/// The first thing that is wrong with the card.
fn wrong(form: &Form, now: Timestamp) -> Option<&'static str> {
    At::ALL.into_iter().find_map(|at| match form.check(at, now) {
        Check::Bad(why) => Some(why),
        Check::Good | Check::Partial => None,
    })
}

fn test_card(index: usize, theme: &Theme) -> Vec<Line<'static>> {
    let Some(card) = TEST_CARDS.get(index) else { return Vec::new() };
    let gaps: &[usize] = if card.brand == "amex" { &[4, 10] } else { &[4, 8, 12] };
    let mut number = String::from(" ");
    for (at, digit) in card.number.chars().enumerate() {
        if gaps.contains(&at) {
            number.push(' ');
        }
        number.push(digit);
    }
    let is_paid = !card.outcome.starts_with("declined");
    let (sign, style) = if is_paid { ("✓", theme.good) } else { ("✗", theme.bad) };
    vec![
        Line::raw(number),
        Line::styled(card.brand, theme.muted),
        Line::from(vec![Span::styled(format!("{sign} "), style), Span::raw(card.outcome)]),
    ]
}

fn draw_stage(frame: &mut Frame<'_>, body: Rect, attempt: &Attempt, id: OrderId, show: &Show<'_>) {
    let Some((style, title, more)) = said(attempt, id, show) else { return };
    let place = Rect { x: body.x + 2.min(body.width), width: body.width.saturating_sub(4), ..body };
    let mut lines = vec![Line::styled(title, style.add_modifier(Modifier::BOLD))];
    for words in more.into_iter().filter(|words| !words.trim().is_empty()) {
        lines.push(Line::raw(""));
        lines.push(Line::raw(words));
    }
    // A line that is too long takes several.
    let rows = |line: &Line<'_>| text::wrap(&line.to_string(), usize::from(place.width)).len().max(1);
    let tall = u16::try_from(lines.iter().map(rows).sum::<usize>()).unwrap_or(u16::MAX).saturating_add(2);
    let is_high = place.height > tall.saturating_add(2);
    let place = if is_high { frames::centred(place, place.width, tall) } else { place };
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: true }), place);
}

/// Whether what was paid was given back.
fn is_back(id: OrderId, show: &Show<'_>) -> bool {
    let order = show.books.orders.get(id).map(|entry| &entry.order);
    order.is_some_and(|order| order.payment.status == OrderPaymentStatus::Refunded)
}

/// What there is to say about a payment that was asked for: its style, a title, and more.
fn said(attempt: &Attempt, id: OrderId, show: &Show<'_>) -> Option<(Style, String, Vec<String>)> {
    let theme = show.theme;
    let payment = show.books.payments.iter().find(|payment| payment.order_id == id);
    let card = payment.and_then(|payment| payment.card.as_ref());
    let card = card.map_or_else(
        || "the card".to_owned(),
        |card| format!("{} ···· {}", text::plain(&card.brand), text::plain(&card.last4)),
    );
    Some(match &attempt.stage {
        Stage::Form { .. } | Stage::Tokenising => return None,
        Stage::Asking => {
            let seconds = show.now.0.saturating_sub(attempt.since.0).max(0) / 1000;
            let more = vec!["The key is kept: whatever happens, you pay once.".to_owned()];
            (theme.warn, format!("… asking for the payment, {seconds} s"), more)
        }
        Stage::Unknown(why) if attempt.needs_card() => {
            let more = vec![
                text::plain(why),
                "The card was not kept: r asks for the same one once more.".to_owned(),
                "It is sent with the same key: you pay once, never twice.".to_owned(),
            ];
            (theme.warn, "? Not known whether it was asked for".to_owned(), more)
        }
        Stage::Unknown(why) => {
            let more = vec![text::plain(why), "r asks again with the same key: you pay once, never twice.".to_owned()];
            (theme.warn, "? Not known whether it was asked for".to_owned(), more)
        }
        Stage::Processing => {
            let tries = payment.and_then(|payment| payment.call.as_ref()).map_or(0, |call| call.tries);
            let tried = if tries > 1 { format!("It was asked {tries} times, with one key.") } else { String::new() };
            let more = "It has not answered for certain yet. esc closes; this goes on, and your orders show it.";
            (theme.warn, format!("… The provider is being asked to charge {card}"), vec![more.to_owned(), tried])
        }
        Stage::Paid if is_back(id, show) => {
            let more = vec![format!("{card}: charged, and given back, since the order was over."), RECEIPT.to_owned()];
            (theme.warn, "↺ The money is back".to_owned(), more)
        }
        Stage::Paid => {
            let charge = payment.and_then(|payment| payment.charge_id.clone()).unwrap_or_default();
            let more = vec![format!("{card}  {}", text::plain(&charge)), RECEIPT.to_owned()];
            (theme.good, "✓ Paid".to_owned(), more)
        }
        Stage::Declined(code) => {
            let why = format!("{card}: {} ({}).", words::declined(code), text::plain(code));
            let more = "That ends this order; its stock goes back. o orders the same again, for another card.";
            (theme.bad, "✗ Declined".to_owned(), vec![why, more.to_owned()])
        }
        Stage::Late => (theme.bad, "✗ Too late".to_owned(), vec![NOT_CHARGED.to_owned()]),
        Stage::Over(why) => {
            let order = show.books.orders.get(id).map(|entry| &entry.order);
            match order.and_then(|order| order.cancel_reason) {
                Some(CancelReason::Expired) => (theme.bad, "✗ Too late".to_owned(), vec![NOT_CHARGED.to_owned()]),
                _ => (theme.bad, "✗ It cannot be paid any more".to_owned(), vec![text::plain(why)]),
            }
        }
    })
}
