//! How things are called at the customer's desk, with the sign and the style that go with the word.

use orderflow_client::{ClientError, view};
use orderflow_contracts::{
    api::{
        inventory::Product,
        orders::{Order, OrderPaymentStatus, OrderReservationStatus, OrderStatus},
    },
    events::{CancelReason, OrderLine},
    problem::Code,
    timestamp::Timestamp,
};
use ratatui::style::Style;

use crate::theme::Theme;

/// So many are few.
pub const FEW: u32 = 5;

/// How much there is of a product: a sign, words, their style.
pub fn availability(product: &Product, theme: &Theme) -> (&'static str, String, Style) {
    match product.available {
        0 => ("✗", "sold out".to_owned(), theme.bad),
        few @ 1..=FEW => ("!", format!("{few} left"), theme.warn),
        many => ("✓", format!("{many} in stock"), theme.good),
    }
}

/// How far an order is, as its customer sees it: a sign, a word, their style.
pub fn status(order: &Order, theme: &Theme) -> (&'static str, &'static str, Style) {
    match order.status {
        OrderStatus::Pending => ("○", "pending", theme.text),
        OrderStatus::Confirming => ("▸", "confirming", theme.text),
        OrderStatus::Confirmed => ("!", "to pay", theme.warn),
        OrderStatus::Paid => ("✓", "paid", theme.good),
        OrderStatus::Fulfilled => ("✓", "shipped", theme.good),
        OrderStatus::Cancelled => match order.payment.status {
            OrderPaymentStatus::Succeeded => ("↺", "refunding", theme.back),
            OrderPaymentStatus::Refunded => ("↺", "refunded", theme.back),
            _ => ("✗", "cancelled", theme.bad),
        },
    }
}

/// What an order waits for, said to its customer.
pub fn waits_for(order: &Order) -> String {
    if order.status == OrderStatus::Confirmed && order.payment.status == OrderPaymentStatus::None {
        return "waits for its payment to be opened".to_owned();
    }
    match order.cancel_reason {
        Some(reason) if order.status == OrderStatus::Cancelled => cancelled(reason).to_owned(),
        _ => view::headline(order).replace("the customer", "you"),
    }
}

/// Why an order is over, said to its customer.
pub const fn cancelled(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::ByCustomer => "you have called it off",
        CancelReason::Expired => "it was not paid in time",
        reason => view::cancel_reason(reason),
    }
}

/// Until when an order can be paid, while stock is held for it and it is not paid.
pub fn deadline(order: &Order) -> Option<Timestamp> {
    let is_held = order.reservation.status == OrderReservationStatus::Held;
    let is_due = order.status == OrderStatus::Confirmed && order.payment.status < OrderPaymentStatus::Failed;
    order.reservation.expires_at.filter(|_| is_held && is_due)
}

/// `2× Mug, Lamp`
pub fn things(lines: &[OrderLine]) -> String {
    let one = |line: &OrderLine| {
        let name = crate::text::plain(&line.name);
        if line.quantity == 1 { name } else { format!("{}× {name}", line.quantity) }
    };
    lines.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Why a card was declined, for whom it belongs to.
pub fn declined(code: &str) -> String {
    match code {
        "card_declined" => "the bank has said no, without a reason".to_owned(),
        "insufficient_funds" => "there is not enough money behind the card".to_owned(),
        "expired_card" => "the card has expired".to_owned(),
        "incorrect_cvc" => "the security code (CVC) is wrong".to_owned(),
        "processing_error" => "the bank could not process it".to_owned(),
        "test_mode_live_card" => "it is no test card, and only those are charged here".to_owned(),
        other => crate::text::plain(other),
    }
}

/// What came of a command that has no good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It may have been done or not; the same key can be tried again.
    Unknown(String),
    /// It was not done.
    No {
        /// Why, in the service's words.
        words: String,
        /// For branching.
        code: Option<Code>,
        /// The value that is not allowed, if it is one.
        field: Option<String>,
    },
}

impl Fate {
    /// Of an error.
    pub fn of(error: &ClientError) -> Self {
        let words = error.to_string();
        if error.is_outcome_unknown() {
            return Self::Unknown(words);
        }
        let field = match error {
            ClientError::Problem(problem) => problem.more.get("field").and_then(|field| field.as_str()),
            _ => None,
        };
        Self::No { words, code: error.code(), field: field.map(str::to_owned) }
    }
}

/// When it was: the time of day, or the day if it was another one.
pub fn when(at: Timestamp, now: Timestamp) -> String {
    let (text, today) = (at.to_string(), now.to_string());
    let (day, time) = (text.get(..10).unwrap_or_default(), text.get(11..19).unwrap_or_default());
    if today.starts_with(day) { time.to_owned() } else { day.get(2..).unwrap_or_default().to_owned() }
}
