//! The table: what happens to an order's money on an input.

use orderflow_contracts::{
    events::{OrderEvent, PaymentEvent, TimestampMs},
    ids::AccountId,
    money::Money,
};

/// What is due, from whom, until when.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Intent {
    /// Who pays.
    pub customer_id: AccountId,
    /// How much.
    pub amount: Money,
    /// No charge is started from this moment on.
    pub pay_until: TimestampMs,
}

/// How far an order's payment is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum State {
    /// Nothing was heard of the order yet.
    Unknown,
    /// The customer can pay.
    Open(Intent),
    /// The provider was asked, or is about to be, and has not answered for certain.
    InFlight {
        /// What is being paid.
        intent: Intent,
        /// The order was cancelled meanwhile: a success is to be refunded.
        cancelled: bool,
    },
    /// Paid.
    Succeeded {
        /// The provider's id of the charge.
        charge_id: String,
        /// How much was taken.
        amount: Money,
    },
    /// Declined for good.
    Failed,
    /// Cancelled before anything was paid.
    Voided,
    /// To be given back; asked for until it is done.
    Refunding {
        /// The provider's id of the charge.
        charge_id: String,
        /// How much is given back.
        amount: Money,
    },
    /// Given back.
    Refunded,
}

/// A definite answer of the provider. A time-out is none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The money was taken.
    Charged {
        /// The provider's id of the charge.
        charge_id: String,
        /// How much was taken.
        amount: Money,
    },
    /// The card was declined.
    Declined {
        /// The provider's word for why.
        decline_code: String,
    },
    /// The money was given back.
    Refunded {
        /// The provider's id of the refund.
        refund_id: String,
    },
}

/// Whatever can happen to an order's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input<'a> {
    /// An event of the orders service.
    Order(&'a OrderEvent),
    /// The customer pays, with a token that the provider has given for the card.
    Pay,
    /// The provider has answered for certain.
    Answer(&'a Answer),
}

/// What to ask the provider for, once the decision is committed. Each is asked for with a key that is derived from the
/// order, so that asking twice does it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Take this much.
    Charge(Money),
    /// Give this charge back.
    Refund {
        /// The provider's id of the charge.
        charge_id: String,
        /// How much is given back.
        amount: Money,
    },
}

/// What comes of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// To be saved together.
    Apply {
        /// The next state.
        next: State,
        /// What is told to the world.
        event: Option<PaymentEvent>,
        /// What the provider is asked for afterwards.
        call: Option<Call>,
    },
    /// Late, repeated or of no meaning now; nothing changes.
    Ignored(&'static str),
}

/// Why a customer cannot pay now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The seller has not confirmed yet.
    #[error("nothing is due yet")]
    NothingDue,
    /// The time to pay is over.
    #[error("the time to pay was over at {pay_until}")]
    TooLate {
        /// When it was over, in milliseconds since 1970.
        pay_until: TimestampMs,
    },
    /// An attempt is under way whose outcome is not known yet.
    #[error("a payment is under way")]
    UnderWay,
    /// It is paid.
    #[error("the order is paid already")]
    AlreadyPaid,
    /// The order is over.
    #[error("the order can no longer be paid")]
    Over,
}

/// What becomes of the payment.
pub fn decide(state: &State, input: Input<'_>, now: TimestampMs) -> Result<Decision, Rejection> {
    match input {
        Input::Order(event) => Ok(on_order(state, event)),
        Input::Pay => on_pay(state, now),
        Input::Answer(answer) => Ok(on_answer(state, answer)),
    }
}

fn on_order(state: &State, event: &OrderEvent) -> Decision {
    match (state, event) {
        (State::Unknown, OrderEvent::Confirmed { customer_id, total, pay_until, .. }) => {
            let intent = Intent { customer_id: *customer_id, amount: *total, pay_until: *pay_until };
            let opened = PaymentEvent::Opened { amount: *total, pay_until: *pay_until };
            apply(State::Open(intent), Some(opened), None)
        }
        // Nothing was opened, so nothing is said of it; a confirmation that comes late finds it and is ignored.
        (State::Unknown, OrderEvent::Cancelled { .. }) => apply(State::Voided, None, None),
        (State::Open(_), OrderEvent::Cancelled { .. }) => apply(State::Voided, Some(PaymentEvent::Voided), None),
        (State::InFlight { intent, cancelled: false }, OrderEvent::Cancelled { .. }) => {
            apply(State::InFlight { intent: intent.clone(), cancelled: true }, None, None)
        }
        (State::Succeeded { charge_id, amount }, OrderEvent::Cancelled { .. }) => refund(charge_id, *amount, None),
        _ => Decision::Ignored("of no meaning for this payment"),
    }
}

fn on_pay(state: &State, now: TimestampMs) -> Result<Decision, Rejection> {
    match state {
        State::Unknown => Err(Rejection::NothingDue),
        State::Open(intent) if now >= intent.pay_until => Err(Rejection::TooLate { pay_until: intent.pay_until }),
        State::Open(intent) => {
            let next = State::InFlight { intent: intent.clone(), cancelled: false };
            Ok(apply(next, None, Some(Call::Charge(intent.amount))))
        }
        State::InFlight { .. } => Err(Rejection::UnderWay),
        State::Succeeded { .. } => Err(Rejection::AlreadyPaid),
        State::Failed | State::Voided | State::Refunding { .. } | State::Refunded => Err(Rejection::Over),
    }
}

fn on_answer(state: &State, answer: &Answer) -> Decision {
    match (state, answer) {
        (State::InFlight { cancelled: false, .. }, Answer::Charged { charge_id, amount }) => {
            let next = State::Succeeded { charge_id: charge_id.clone(), amount: *amount };
            apply(next, Some(PaymentEvent::Succeeded { charge_id: charge_id.clone() }), None)
        }
        // Money that was taken is never ignored, even where nothing was to be taken any more.
        (
            State::InFlight { cancelled: true, .. } | State::Failed | State::Voided,
            Answer::Charged { charge_id, amount },
        ) => refund(charge_id, *amount, Some(PaymentEvent::Succeeded { charge_id: charge_id.clone() })),
        (State::InFlight { cancelled: true, .. }, Answer::Declined { .. }) => {
            apply(State::Voided, Some(PaymentEvent::Voided), None)
        }
        (State::InFlight { .. }, Answer::Declined { decline_code }) => {
            apply(State::Failed, Some(PaymentEvent::Failed { decline_code: decline_code.clone() }), None)
        }
        (State::Refunding { .. }, Answer::Refunded { refund_id }) => {
            apply(State::Refunded, Some(PaymentEvent::Refunded { refund_id: refund_id.clone() }), None)
        }
        _ => Decision::Ignored("the provider's answer is late or repeated"),
    }
}

fn refund(charge_id: &str, amount: Money, event: Option<PaymentEvent>) -> Decision {
    let charge_id = charge_id.to_owned();
    let call = Call::Refund { charge_id: charge_id.clone(), amount };
    apply(State::Refunding { charge_id, amount }, event, Some(call))
}

fn apply(next: State, event: Option<PaymentEvent>, call: Option<Call>) -> Decision {
    Decision::Apply { next, event, call }
}
