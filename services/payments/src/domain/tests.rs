//! The table of the payments service, row by row.

use orderflow_contracts::{
    events::{CancelReason, OrderEvent, PaymentEvent},
    money::{Currency, Money},
};
use uuid::Uuid;

use super::*;

const AMOUNT: Money = Money::new(5998, Currency::Usd);
const PAY_UNTIL: i64 = 2_000;
const NOW: i64 = 1_000;
const CANCELLED: Input<'_> = Input::Order(&OrderEvent::Cancelled { reason: CancelReason::ByCustomer });

fn confirmed() -> OrderEvent {
    let id = |number| Uuid::from_u128(number).into();
    OrderEvent::Confirmed { customer_id: id(2), seller_id: id(3), total: AMOUNT, pay_until: PAY_UNTIL }
}

fn charged() -> Answer {
    Answer::Charged { charge_id: "ch_1".into(), amount: AMOUNT }
}

fn declined() -> Answer {
    Answer::Declined { decline_code: "card_declined".into() }
}

fn refunded() -> Answer {
    Answer::Refunded { refund_id: "re_1".into() }
}

fn step(state: &State, input: Input<'_>) -> (State, Option<PaymentEvent>, Option<Call>) {
    match decide(state, input, NOW).unwrap() {
        Decision::Apply { next, event, call } => (next, event, call),
        Decision::Ignored(why) => panic!("{input:?} in {state:?}: {why}"),
    }
}

/// The state after all of these, each of which must be applied.
fn after(inputs: &[Input<'_>]) -> State {
    inputs.iter().fold(State::Unknown, |state, input| step(&state, *input).0)
}

fn refund() -> Option<Call> {
    Some(Call::Refund { charge_id: "ch_1".into(), amount: AMOUNT })
}

#[test]
fn a_payment_goes_all_the_way() {
    let (open, event, call) = step(&State::Unknown, Input::Order(&confirmed()));
    assert_eq!((event, call), (Some(PaymentEvent::Opened { amount: AMOUNT, pay_until: PAY_UNTIL }), None));
    let (in_flight, event, call) = step(&open, Input::Pay);
    assert_eq!((event, call), (None, Some(Call::Charge(AMOUNT))), "the attempt is committed before the call");
    let (succeeded, event, call) = step(&in_flight, Input::Answer(&charged()));
    assert_eq!((event, call), (Some(PaymentEvent::Succeeded { charge_id: "ch_1".into() }), None));
    assert_eq!(decide(&succeeded, Input::Pay, NOW), Err(Rejection::AlreadyPaid));
}

#[test]
fn nobody_pays_too_early_too_late_or_twice() {
    let event = confirmed();
    let open = after(&[Input::Order(&event)]);
    assert_eq!(decide(&State::Unknown, Input::Pay, NOW), Err(Rejection::NothingDue));
    assert_eq!(decide(&open, Input::Pay, PAY_UNTIL), Err(Rejection::TooLate { pay_until: PAY_UNTIL }));
    assert!(decide(&open, Input::Pay, PAY_UNTIL - 1).is_ok());
    let in_flight = after(&[Input::Order(&event), Input::Pay]);
    assert_eq!(decide(&in_flight, Input::Pay, NOW), Err(Rejection::UnderWay), "race 3: its outcome is not known");
    let failed = after(&[Input::Order(&event), Input::Pay, Input::Answer(&declined())]);
    assert_eq!(decide(&failed, Input::Pay, NOW), Err(Rejection::Over));
}

#[test]
fn a_decline_ends_the_payment() {
    let event = confirmed();
    let in_flight = after(&[Input::Order(&event), Input::Pay]);
    let (state, event, call) = step(&in_flight, Input::Answer(&declined()));
    assert_eq!((state, call), (State::Failed, None));
    assert_eq!(event, Some(PaymentEvent::Failed { decline_code: "card_declined".into() }));
}

#[test]
fn a_cancellation_voids_refunds_or_waits() {
    let event = confirmed();
    let open = after(&[Input::Order(&event)]);
    assert_eq!(step(&open, CANCELLED), (State::Voided, Some(PaymentEvent::Voided), None));
    let paid = after(&[Input::Order(&event), Input::Pay, Input::Answer(&charged())]);
    let (state, event, call) = step(&paid, CANCELLED);
    assert_eq!((state, event, call), (State::Refunding { charge_id: "ch_1".into(), amount: AMOUNT }, None, refund()));
}

#[test]
fn a_success_after_the_cancellation_is_refunded_and_a_decline_is_void() {
    let event = confirmed();
    let marked = after(&[Input::Order(&event), Input::Pay, CANCELLED]);
    assert_eq!(decide(&marked, Input::Pay, NOW), Err(Rejection::UnderWay));
    let (state, event, call) = step(&marked, Input::Answer(&charged()));
    assert_eq!((event, call), (Some(PaymentEvent::Succeeded { charge_id: "ch_1".into() }), refund()), "race 2");
    let (state, event, call) = step(&state, Input::Answer(&refunded()));
    assert_eq!((state, call), (State::Refunded, None));
    assert_eq!(event, Some(PaymentEvent::Refunded { refund_id: "re_1".into() }));
    assert_eq!(step(&marked, Input::Answer(&declined())), (State::Voided, Some(PaymentEvent::Voided), None));
}

#[test]
fn money_that_was_taken_after_a_decline_goes_back() {
    let event = confirmed();
    let lives: [&[Input<'_>]; 2] = [
        &[Input::Order(&event), Input::Pay, Input::Answer(&declined())],
        &[Input::Order(&event), Input::Pay, CANCELLED, Input::Answer(&declined())],
    ];
    for life in lives {
        let (state, event, call) = step(&after(life), Input::Answer(&charged()));
        assert_eq!(state, State::Refunding { charge_id: "ch_1".into(), amount: AMOUNT });
        assert_eq!((event, call), (Some(PaymentEvent::Succeeded { charge_id: "ch_1".into() }), refund()));
    }
}

#[test]
fn a_confirmation_after_the_cancellation_opens_nothing() {
    let event = confirmed();
    let voided = after(&[CANCELLED]);
    assert!(matches!(decide(&voided, Input::Order(&event), NOW), Ok(Decision::Ignored(_))));
    assert_eq!(decide(&voided, Input::Pay, NOW), Err(Rejection::Over));
}

#[test]
fn every_word_twice_is_ignored_the_second_time() {
    let (event, charged, declined, refunded) = (confirmed(), charged(), declined(), refunded());
    let (open, charged, declined) = (Input::Order(&event), Input::Answer(&charged), Input::Answer(&declined));
    let lives: [&[Input<'_>]; 4] = [
        &[open, Input::Pay, charged, CANCELLED, Input::Answer(&refunded)],
        &[open, Input::Pay, CANCELLED, charged],
        &[open, Input::Pay, declined],
        &[open, CANCELLED],
    ];
    for life in lives {
        for length in 1..=life.len() {
            let state = after(&life[..length]);
            for past in life[..length].iter().filter(|input| **input != Input::Pay) {
                let again = decide(&state, *past, NOW);
                assert!(matches!(again, Ok(Decision::Ignored(_))), "{past:?} again in {state:?}: {again:?}");
            }
        }
    }
}
