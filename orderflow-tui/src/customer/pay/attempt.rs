//! One attempt to pay: how far it is, and the keys that make it safe to try again.

use orderflow_client::ClientError;
use orderflow_contracts::{
    api::payments::{Payment, PaymentStatus},
    ids::OrderId,
    problem::Code,
    timestamp::Timestamp,
};
use uuid::Uuid;

use super::{
    card::Check,
    form::{At, Form},
    test_cards::TEST_CARDS,
};
use crate::{
    books,
    customer::{effects::Do, words::Fate},
    cx::Cx,
    input::Edit,
    keys::{self, Action},
    login::Secret,
    msg::Effect,
    widgets::ListState,
};

/// Why the outcome of what an earlier session has asked for is not known.
const LEFT: &str = "The console was left before the answer came.";

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Somebody fills in the form.
    Form {
        /// What is wrong, and in which field.
        problem: Option<(Option<At>, String)>,
    },
    /// The provider is asked for a token: nothing can be charged yet.
    Tokenising,
    /// The payments service is asked.
    Asking,
    /// It was asked, and nobody knows whether that arrived.
    Unknown(String),
    /// The provider is being asked, and has not answered for certain.
    Processing,
    /// It is paid.
    Paid,
    /// The card was declined, which ends the order.
    Declined(String),
    /// The time to pay is over.
    Late,
    /// It cannot be paid any more.
    Over(String),
}

impl Stage {
    /// Whether the payments service was asked and the outcome is not known.
    pub const fn is_asked(&self) -> bool {
        matches!(self, Self::Asking | Self::Unknown(_) | Self::Processing)
    }
}

/// An attempt.
pub struct Attempt {
    /// How far it is.
    pub stage: Stage,
    /// The card, until there is a token for it.
    pub form: Form,
    /// The test cards, while they are offered.
    pub chooser: Option<ListState>,
    /// When the payment was asked for last.
    pub since: Timestamp,
    /// When the payment was read last.
    pub read_at: Timestamp,
    /// Makes it safe to ask again for the token of this card: for the same card it is the same token.
    token_key: Uuid,
    /// Makes it safe to pay again with this token.
    pub pay_key: Uuid,
    token: Option<Secret>,
    /// It was asked for with these keys, and its outcome is not known: they stay as they are, and are kept beyond the
    /// console's end.
    kept: bool,
    /// When it was asked for first, by our clock.
    asked_at: Timestamp,
}

impl Default for Attempt {
    fn default() -> Self {
        Self {
            stage: Stage::Form { problem: None },
            form: Form::default(),
            chooser: None,
            since: Timestamp(0),
            read_at: Timestamp(0),
            token_key: Uuid::new_v4(),
            pay_key: Uuid::new_v4(),
            token: None,
            kept: false,
            asked_at: Timestamp(0),
        }
    }
}

impl Attempt {
    /// What an earlier session has asked for. The card was not kept, nor what stands for it.
    pub fn recalled(pay_key: Uuid, token_key: Uuid, asked_at: Timestamp) -> Self {
        let stage = Stage::Unknown(LEFT.to_owned());
        Self { stage, token_key, pay_key, kept: true, asked_at, ..Self::default() }
    }

    /// Whether the card has to be typed again before it can be asked again.
    pub const fn needs_card(&self) -> bool {
        self.kept && self.token.is_none()
    }

    /// It is closed. Whether nothing of it has to be kept: it was not sent, or its outcome is known. While the provider
    /// makes a token nothing is charged, so closing then is cancelling.
    pub fn close(&mut self) -> bool {
        if self.kept && matches!(self.stage, Stage::Form { .. } | Stage::Tokenising) {
            self.form.wipe();
            self.chooser = None;
            self.stage = Stage::Unknown(LEFT.to_owned());
        }
        !self.stage.is_asked()
    }

    /// Its outcome is certain.
    pub fn let_go(&mut self, cx: &mut Cx<'_>) {
        if std::mem::take(&mut self.kept) {
            cx.run(Effect::Customer(Do::Forget(self.pay_key)));
        }
    }

    /// Another card is another request, unless it is not known what came of an earlier one: with its key, whatever is
    /// asked for now is done instead of it and never beside it.
    fn renew_keys(&mut self) {
        self.token = None;
        if !self.kept {
            (self.token_key, self.pay_key) = (Uuid::new_v4(), Uuid::new_v4());
        }
    }

    /// Somebody types.
    pub fn edit(&mut self, edit: &Edit) {
        if !matches!(self.stage, Stage::Form { .. }) {
            return;
        }
        if self.form.edit(edit) {
            self.renew_keys();
            self.stage = Stage::Form { problem: None };
        }
    }

    /// A key was pressed while the test cards are offered. Whether it meant anything.
    pub fn choose(&mut self, action: Action, now: Timestamp) -> bool {
        let Some(state) = &mut self.chooser else { return false };
        match action {
            keys::OPEN => {
                if let Some(card) = state.chosen(TEST_CARDS.len()).and_then(|at| TEST_CARDS.get(at)) {
                    self.form.take(card, now);
                    self.renew_keys();
                    self.stage = Stage::Form { problem: None };
                }
                self.chooser = None;
            }
            keys::BACK => self.chooser = None,
            action => return state.act(action, TEST_CARDS.len()),
        }
        true
    }

    /// Enter was pressed in the form: in the last field it pays, in those above it goes on.
    pub fn submit(&mut self, id: OrderId, pay_until: Option<Timestamp>, cx: &mut Cx<'_>) {
        let now = cx.now;
        match (self.form.at, self.form.unfinished(now)) {
            (At::Cvc, None) => {}
            (At::Cvc, Some(unfinished)) => {
                self.form.at = unfinished;
                let is_bad = matches!(self.form.check(unfinished, now), Check::Bad(_));
                let problem = (!is_bad).then(|| (Some(unfinished), "this is not whole yet".to_owned()));
                self.stage = Stage::Form { problem };
                return;
            }
            (at, _) => {
                self.form.at = at.moved(1);
                return;
            }
        }
        if pay_until.is_some_and(|until| until <= now) {
            self.stage = Stage::Form { problem: Some((None, "the time to pay is over".into())) };
            // If our idea of the time is wrong, it is right in a moment.
            cx.run(Effect::Books(cx.role, books::Do::Clock));
            return;
        }
        if let Some(card) = self.form.card(now) {
            self.stage = Stage::Tokenising;
            cx.run(Effect::Customer(Do::Token { id, key: self.token_key, card }));
        }
    }

    /// There is a token, or not.
    pub fn token(&mut self, id: OrderId, key: Uuid, outcome: Result<Secret, ClientError>, cx: &mut Cx<'_>) {
        if self.token_key != key || self.stage != Stage::Tokenising {
            return;
        }
        match outcome {
            Ok(token) => {
                self.form.wipe();
                self.token = Some(token);
                self.pay(id, cx);
            }
            Err(error) => {
                let problem = match Fate::of(&error) {
                    Fate::Unknown(words) => (None, format!("Nothing is charged; enter asks again. {words}")),
                    Fate::No { words, field, .. } => {
                        let at = field.and_then(|field| At::of_field(&field));
                        self.form.at = at.unwrap_or(self.form.at);
                        (at, words)
                    }
                };
                self.stage = Stage::Form { problem: Some(problem) };
            }
        }
    }

    fn pay(&mut self, id: OrderId, cx: &mut Cx<'_>) {
        let Some(token) = self.token.clone() else { return };
        if !self.kept {
            (self.kept, self.asked_at) = (true, cx.wall());
        }
        (self.stage, self.since) = (Stage::Asking, cx.now);
        let (key, token_key, at) = (self.pay_key, self.token_key, self.asked_at);
        cx.run(Effect::Customer(Do::Pay { id, key, token, token_key, at }));
    }

    /// Somebody asks again: with the same key, so that nothing is paid twice.
    pub fn again(&mut self, id: OrderId, cx: &mut Cx<'_>) {
        match self.stage {
            Stage::Unknown(_) if self.needs_card() => self.stage = Stage::Form { problem: None },
            Stage::Unknown(_) => self.pay(id, cx),
            Stage::Processing => cx.run(Effect::Customer(Do::Payment(id))),
            _ => {}
        }
    }

    /// The payments service has not begun the payment, or did not say so.
    pub fn refused(&mut self, id: OrderId, error: &ClientError, cx: &mut Cx<'_>) {
        if !self.stage.is_asked() {
            return;
        }
        let (words, code) = match Fate::of(error) {
            Fate::Unknown(words) => (words, None),
            Fate::No { words, code, .. } => (words, Some(code)),
        };
        self.stage = match code {
            None | Some(Some(Code::IdempotencyKeyReused | Code::Unauthenticated | Code::TokenExpired)) => {
                Stage::Unknown(words)
            }
            // What is under way, or over, is told by the payment itself.
            Some(Some(Code::PaymentInProgress)) => Stage::Processing,
            Some(Some(Code::AlreadyPaid)) => Stage::Paid,
            Some(Some(Code::PaymentDeadlinePassed)) => Stage::Late,
            Some(Some(Code::PaymentOver)) => Stage::Over(words),
            Some(_) => Stage::Form { problem: Some((None, words)) },
        };
        if !self.stage.is_asked() {
            self.let_go(cx);
        }
        if matches!(self.stage, Stage::Form { .. }) {
            // It was not done for certain, and the card has to be typed again: this is the next request.
            self.renew_keys();
        }
        cx.run(Effect::Customer(Do::Payment(id)));
    }

    /// What the payment says about an attempt. Whether its outcome is known now and was not before.
    pub fn settle(&mut self, payment: &Payment) -> bool {
        let was_known = matches!(self.stage, Stage::Paid | Stage::Declined(_) | Stage::Late);
        let to = match payment.status {
            // It had not arrived when this was read, and may have since: nothing is known.
            PaymentStatus::Open => return false,
            PaymentStatus::Processing => {
                if !was_known {
                    self.form.wipe();
                    self.stage = Stage::Processing;
                }
                return false;
            }
            PaymentStatus::Succeeded | PaymentStatus::Refunding | PaymentStatus::Refunded => Stage::Paid,
            PaymentStatus::Failed => Stage::Declined(payment.decline_code.clone().unwrap_or_default()),
            // That it was void in the end is how too late looks from there.
            PaymentStatus::Voided if self.stage == Stage::Late => return false,
            PaymentStatus::Voided => Stage::Over("the order was cancelled before anything was paid".into()),
        };
        self.form.wipe();
        self.chooser = None;
        self.stage = to;
        !was_known
    }
}
