//! Paying: the form for the card, and each order's attempt from its first key press to its certain outcome.
//!
//! ```text
//!   Form ──▶ Tokenising ──▶ Asking ──▶ Processing ──▶ Paid | Declined | Late | Over
//!    ▲  no token: nothing    │  no answer               ▲ events, and reading the payment
//!    └──── is charged        └──▶ Unknown ──────────────┘ the same key again
//! ```
//!
//! The card goes to the provider and nowhere else, and is wiped as soon as there is a token for it.

mod attempt;
mod card;
mod digits;
mod draw;
mod face;
mod form;
mod test_cards;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use orderflow_client::ClientError;
use orderflow_contracts::{
    api::{console::EventRecord, payments::Payment},
    events::{PaymentEvent, decode},
    ids::OrderId,
    timestamp::Timestamp,
};
use uuid::Uuid;

use self::attempt::Attempt;
pub use self::attempt::Stage;
use super::{effects::Do, keys as our};
use crate::{
    books::{self, Books},
    cx::Cx,
    input::Edit,
    keys::{self, Action, Scope},
    login::Secret,
    msg::Effect,
};

/// A payment whose outcome is waited for is read again after so long, in milliseconds.
const READ_AGAIN_MS: i64 = 3_000;

/// What the form wants of the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// Nothing.
    Nothing,
    /// The receipt of this order.
    Receipt(OrderId),
    /// Its things in the cart once more.
    Reorder(OrderId),
}

/// All payments that this console has begun and whose outcome nobody has seen yet.
#[derive(Default)]
pub struct Payments {
    attempts: BTreeMap<OrderId, Attempt>,
    open: Option<OrderId>,
}

impl Payments {
    /// The order whose payment is shown.
    pub const fn open(&self) -> Option<OrderId> {
        self.open
    }

    /// How far the payment of an order is here; nothing if none was begun.
    pub fn stage(&self, id: OrderId) -> Option<&Stage> {
        self.attempts.get(&id).map(|attempt| &attempt.stage)
    }

    fn shown(&self) -> Option<&Attempt> {
        self.open.and_then(|id| self.attempts.get(&id))
    }

    /// Shows the payment of an order: as far as it is, or a new form.
    pub fn show(&mut self, id: OrderId, cx: &mut Cx<'_>) {
        self.attempts.entry(id).or_default();
        self.open = Some(id);
        cx.run(Effect::Customer(Do::Payment(id)));
        // Whether it is too late is a question of the services' clock.
        cx.run(Effect::Books(cx.role, books::Do::Clock));
    }

    /// Closes what is shown. A payment under way goes on; of a form that was not sent nothing is left.
    pub fn close(&mut self) {
        let Some(id) = self.open.take() else { return };
        if self.attempts.get_mut(&id).is_some_and(Attempt::close) {
            self.attempts.remove(&id);
        }
    }

    /// An earlier session has asked for this payment, and nobody knows what came of it. Whether that is news.
    pub fn recall(&mut self, id: OrderId, pay_key: Uuid, token_key: Uuid, asked_at: Timestamp) -> bool {
        let is_new = !self.attempts.contains_key(&id);
        if is_new {
            self.attempts.insert(id, Attempt::recalled(pay_key, token_key, asked_at));
        }
        is_new
    }

    /// Where keys are looked up.
    pub fn scopes(&self) -> Vec<Scope> {
        let Some(attempt) = self.shown() else { return Vec::new() };
        vec![match attempt.stage {
            _ if attempt.chooser.is_some() => our::TEST_CARDS,
            Stage::Form { .. } => our::PAY_FORM,
            Stage::Tokenising | Stage::Asking | Stage::Unknown(_) | Stage::Processing => our::PAYMENT,
            Stage::Paid => our::PAID,
            Stage::Declined(_) | Stage::Late | Stage::Over(_) => our::NOT_PAID,
        }]
    }

    /// Whether letters go into a field.
    pub fn takes_text(&self) -> bool {
        self.shown().is_some_and(|attempt| matches!(attempt.stage, Stage::Form { .. }) && attempt.chooser.is_none())
    }

    /// A key was pressed. What is wanted of the desk; nothing if the key means nothing here.
    pub fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Option<Wants> {
        let id = self.open?;
        let pay_until = pay_until(id, cx.books);
        let attempt = self.attempts.get_mut(&id)?;
        if attempt.chooser.is_some() {
            return attempt.choose(action, cx.now).then_some(Wants::Nothing);
        }
        match action {
            keys::SUBMIT => attempt.submit(id, pay_until, cx),
            keys::NEXT_FIELD => attempt.form.at = attempt.form.at.moved(1),
            keys::PREVIOUS_FIELD => attempt.form.at = attempt.form.at.moved(2),
            our::CHOOSE_TEST_CARD => attempt.chooser = Some(crate::widgets::ListState::default()),
            our::AGAIN => attempt.again(id, cx),
            our::SHOW_RECEIPT if matches!(attempt.stage, Stage::Paid) => {
                self.close();
                return Some(Wants::Receipt(id));
            }
            our::REORDER if matches!(attempt.stage, Stage::Declined(_) | Stage::Late | Stage::Over(_)) => {
                self.close();
                return Some(Wants::Reorder(id));
            }
            our::SHOW_RECEIPT | our::REORDER => {}
            keys::BACK => self.close(),
            _ => return None,
        }
        Some(Wants::Nothing)
    }

    /// Somebody types.
    pub fn edit(&mut self, edit: &Edit) {
        if let Some(attempt) = self.open.and_then(|id| self.attempts.get_mut(&id)) {
            attempt.edit(edit);
        }
    }

    /// There is a token, or not.
    pub fn token(&mut self, id: OrderId, key: Uuid, outcome: Result<Secret, ClientError>, cx: &mut Cx<'_>) {
        let Some(attempt) = self.attempts.get_mut(&id) else { return };
        attempt.token(id, key, outcome, cx);
    }

    /// The payment was begun, or not.
    pub fn paying(&mut self, id: OrderId, key: Uuid, outcome: Result<Box<Payment>, ClientError>, cx: &mut Cx<'_>) {
        let Some(attempt) = self.attempts.get_mut(&id).filter(|attempt| attempt.pay_key == key) else { return };
        match outcome {
            Ok(payment) => {
                cx.books.put_payment((*payment).clone());
                if attempt.stage.is_asked() {
                    attempt.stage = Stage::Processing;
                    attempt.read_at = cx.now;
                }
                // An answer that was given before can be older than what was heard since.
                self.settle(&payment, cx);
            }
            Err(error) => attempt.refused(id, &error, cx),
        }
    }

    /// A payment was read.
    pub fn read(&mut self, id: OrderId, outcome: Result<Box<Payment>, ClientError>, cx: &mut Cx<'_>) {
        // Why it could not be read is no news: what is shown says that the outcome is not known.
        if let Ok(payment) = outcome {
            self.settle(&payment, cx);
            cx.books.put_payment(*payment);
        }
        if let Some(attempt) = self.attempts.get_mut(&id) {
            attempt.read_at = cx.now;
        }
    }

    /// What is known of a payment decides an attempt whose outcome was not.
    fn settle(&mut self, payment: &Payment, cx: &mut Cx<'_>) {
        let is_open = self.open == Some(payment.order_id);
        let Some(attempt) = self.attempts.get_mut(&payment.order_id) else { return };
        let is_known_now = attempt.settle(payment);
        if matches!(attempt.stage, Stage::Paid | Stage::Declined(_) | Stage::Late | Stage::Over(_)) {
            attempt.let_go(cx);
        }
        if is_known_now && !is_open {
            let stage = self.attempts.remove(&payment.order_id).map(|attempt| attempt.stage);
            tell(stage, cx);
        }
    }

    /// All payments were read.
    pub fn books_changed(&mut self, cx: &mut Cx<'_>) {
        let waiting: Vec<OrderId> =
            self.attempts.iter().filter(|(_, of)| of.stage.is_asked()).map(|(id, _)| *id).collect();
        let known = |id: &OrderId| cx.books.payments.iter().find(|payment| payment.order_id == *id).cloned();
        let known: Vec<Payment> = waiting.iter().filter_map(known).collect();
        for payment in known {
            self.settle(&payment, cx);
        }
    }

    /// An event has come.
    pub fn hear(&mut self, record: &EventRecord, cx: &mut Cx<'_>) {
        let Ok(id) = record.subject.parse::<OrderId>() else { return };
        let is_open = self.open == Some(id);
        let Some(attempt) = self.attempts.get_mut(&id) else { return };
        let data = record.data.to_string();
        let Ok(event) = decode::<PaymentEvent>(&record.event_type, data.as_bytes()) else { return };
        let to = match event {
            PaymentEvent::Succeeded { .. } => Stage::Paid,
            PaymentEvent::Failed { decline_code } => Stage::Declined(decline_code),
            PaymentEvent::Voided => Stage::Over("the order was cancelled before anything was paid".into()),
            PaymentEvent::Opened { .. } | PaymentEvent::Refunded { .. } => return,
        };
        attempt.form.wipe();
        attempt.chooser = None;
        attempt.stage = to;
        attempt.let_go(cx);
        if is_open {
            // The card, the charge, the time.
            cx.run(Effect::Customer(Do::Payment(id)));
        } else {
            let stage = self.attempts.remove(&id).map(|attempt| attempt.stage);
            tell(stage, cx);
        }
    }

    /// Whether something counts down, or is waited for.
    pub fn ticks(&self, books: &Books, now: Timestamp) -> bool {
        let Some((id, attempt)) = self.open.zip(self.shown()) else { return false };
        match attempt.stage {
            Stage::Form { .. } => pay_until(id, books).is_some_and(|until| until.0.saturating_add(1_000) > now.0),
            ref stage => stage.is_asked(),
        }
    }

    /// Whether an answer is waited for. A payment under way is another thing: that is the provider's time.
    pub fn waits(&self) -> bool {
        self.attempts.values().any(|attempt| matches!(attempt.stage, Stage::Tokenising | Stage::Asking))
    }

    /// A second has passed.
    pub fn tick(&mut self, cx: &mut Cx<'_>) {
        let Some(id) = self.open else { return };
        let until = pay_until(id, cx.books);
        let Some(attempt) = self.attempts.get_mut(&id) else { return };
        let is_due = cx.now.0.saturating_sub(attempt.read_at.0) >= READ_AGAIN_MS;
        if attempt.stage.is_asked() && is_due {
            attempt.read_at = cx.now;
            cx.run(Effect::Customer(Do::Payment(id)));
        }
        let is_just_over = until.is_some_and(|until| (0..2_000).contains(&cx.now.0.saturating_sub(until.0)));
        if matches!(attempt.stage, Stage::Form { .. }) && is_just_over {
            cx.run(Effect::Books(cx.role, books::Do::Clock));
        }
    }
}

/// What came of a payment that nobody looks at.
fn tell(stage: Option<Stage>, cx: &mut Cx<'_>) {
    match stage {
        Some(Stage::Paid) => cx.good("the order is paid"),
        Some(Stage::Declined(code)) => cx.bad(format!("the card was declined: {}", super::words::declined(&code))),
        Some(Stage::Late) => cx.bad("it was too late to pay the order"),
        Some(Stage::Over(words)) => cx.bad(words),
        _ => {}
    }
}

/// Until when an order can be paid, as far as is known.
pub fn pay_until(id: OrderId, books: &Books) -> Option<Timestamp> {
    let payment = books.payments.iter().find(|payment| payment.order_id == id);
    let order = books.orders.get(id).map(|entry| &entry.order);
    payment.and_then(|payment| payment.pay_until).or_else(|| order.and_then(|order| order.reservation.expires_at))
}
