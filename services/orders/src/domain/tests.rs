//! The table of the orders service, row by row, and each row twice.

use orderflow_contracts::{
    events::{CancelReason, InventoryEvent, OrderEvent, OrderLine, PaymentEvent},
    ids::ProductId,
    money::{Currency, Money, MoneyError},
};
use uuid::Uuid;

use super::*;

fn line(product: u128, quantity: u32, minor: i64) -> OrderLine {
    let product_id = ProductId::from(Uuid::from_u128(product));
    OrderLine { product_id, name: "Test Widget".into(), quantity, unit_price: Money::new(minor, Currency::Usd) }
}

fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(number).into()
}

fn pending() -> Order {
    create(id(1), id(2), id(3), vec![line(4, 2, 2999)]).unwrap().0
}

/// The order after all of these, each of which must be applied.
fn after(inputs: &[Input<'_>]) -> Order {
    inputs.iter().fold(pending(), |order, input| match decide(&order, input).unwrap() {
        Decision::Apply { next, .. } => *next,
        Decision::Ignored(why) => panic!("{input:?} in {:?}: {why}", order.status),
    })
}

const CONFIRM: Input<'_> = Input::Command(Command::Confirm);
const FULFIL: Input<'_> = Input::Command(Command::Fulfil);
const CANCEL: Input<'_> = Input::Command(Command::CancelByCustomer);
const RESERVED: Input<'_> = Input::Inventory(&InventoryEvent::Reserved { expires_at: 1_000 });
const OUT_OF_STOCK: Input<'_> = Input::Inventory(&InventoryEvent::ReservationFailed { shortages: vec![] });
const EXPIRED: Input<'_> = Input::Inventory(&InventoryEvent::ReservationExpired);
const ALLOCATED: Input<'_> = Input::Inventory(&InventoryEvent::Allocated);
const STOCK_LOST: Input<'_> = Input::Inventory(&InventoryEvent::AllocationFailed { shortages: vec![] });
const COMMITTED: Input<'_> = Input::Inventory(&InventoryEvent::Committed);
const RELEASED: Input<'_> = Input::Inventory(&InventoryEvent::Released);
const SUCCEEDED: Input<'_> = Input::Payment(&PaymentEvent::Succeeded { charge_id: String::new() });
const DECLINED: Input<'_> = Input::Payment(&PaymentEvent::Failed { decline_code: String::new() });
const REFUNDED: Input<'_> = Input::Payment(&PaymentEvent::Refunded { refund_id: String::new() });

fn cancelled(order: &Order) -> Option<CancelReason> {
    match order.status {
        Status::Cancelled { reason } => Some(reason),
        _ => None,
    }
}

#[test]
fn an_order_goes_all_the_way() {
    let order = after(&[CONFIRM, RESERVED, SUCCEEDED, ALLOCATED, FULFIL, COMMITTED]);
    assert_eq!((order.status, order.reservation), (Status::Fulfilled, Reservation::Committed));
    assert_eq!(order.total, Money::new(5998, Currency::Usd));
}

#[test]
fn each_step_says_what_the_others_need() {
    let event = |before: &[Input<'_>], input: &Input<'_>| match decide(&after(before), input).unwrap() {
        Decision::Apply { mut events, .. } => events.pop(),
        Decision::Ignored(why) => panic!("{why}"),
    };
    let (customer_id, seller_id) = (id(2), id(3));
    let lines = vec![line(4, 2, 2999)];
    let total = Money::new(5998, Currency::Usd);
    assert_eq!(event(&[], &CONFIRM), Some(OrderEvent::ConfirmationRequested { customer_id, seller_id, lines }));
    let confirmed = OrderEvent::Confirmed { customer_id, seller_id, total, pay_until: 1_000 };
    assert_eq!(event(&[CONFIRM], &RESERVED), Some(confirmed));
    assert_eq!(event(&[CONFIRM, RESERVED], &SUCCEEDED), Some(OrderEvent::Paid));
    assert_eq!(event(&[CONFIRM, RESERVED, SUCCEEDED], &ALLOCATED), None);
    assert_eq!(event(&[CONFIRM, RESERVED, SUCCEEDED, ALLOCATED], &FULFIL), Some(OrderEvent::Fulfilled));
}

#[test]
fn every_bad_end_has_its_reason() {
    let ends: [(&[Input<'_>], CancelReason); 7] = [
        (&[CANCEL], CancelReason::ByCustomer),
        (&[CONFIRM, Input::Command(Command::CancelBySeller)], CancelReason::BySeller),
        (&[CONFIRM, OUT_OF_STOCK], CancelReason::OutOfStock),
        (&[CONFIRM, RESERVED, EXPIRED], CancelReason::Expired),
        (&[CONFIRM, RESERVED, DECLINED], CancelReason::PaymentFailed),
        (&[CONFIRM, RESERVED, SUCCEEDED, STOCK_LOST], CancelReason::StockLost),
        (&[CONFIRM, RESERVED, SUCCEEDED, ALLOCATED, CANCEL], CancelReason::ByCustomer),
    ];
    for (inputs, reason) in ends {
        assert_eq!(cancelled(&after(inputs)), Some(reason), "{inputs:?}");
    }
}

#[test]
fn money_that_was_faster_than_the_expiry_keeps_the_order_alive() {
    let paid = after(&[CONFIRM, RESERVED, SUCCEEDED, EXPIRED]);
    assert_eq!((paid.status, paid.reservation), (Status::Paid, Reservation::Expired));
    assert_eq!(decide(&paid, &FULFIL), Err(Rejection::NotAllocated), "race 5: not without the stock");
}

#[test]
fn fulfilling_needs_the_stock() {
    let paid = after(&[CONFIRM, RESERVED, SUCCEEDED]);
    assert_eq!(decide(&paid, &FULFIL), Err(Rejection::NotAllocated));
    let confirmed = after(&[CONFIRM, RESERVED]);
    assert!(matches!(decide(&confirmed, &FULFIL), Err(Rejection::IllegalTransition(Status::Confirmed { .. }))));
}

#[test]
fn a_cancelled_order_follows_its_compensation_and_stays_cancelled() {
    let order = after(&[CONFIRM, RESERVED, SUCCEEDED, CANCEL, RELEASED, REFUNDED]);
    assert_eq!(cancelled(&order), Some(CancelReason::ByCustomer));
    assert_eq!((order.reservation, order.payment), (Reservation::Released, Payment::Refunded));
    let late = after(&[CONFIRM, CANCEL, RESERVED, SUCCEEDED]);
    assert_eq!(cancelled(&late), Some(CancelReason::ByCustomer), "late words change no status");
}

#[test]
fn every_event_twice_is_ignored_the_second_time() {
    let lives: [&[Input<'_>]; 5] = [
        &[CONFIRM, RESERVED, SUCCEEDED, ALLOCATED],
        &[CONFIRM, OUT_OF_STOCK],
        &[CONFIRM, RESERVED, EXPIRED],
        &[CONFIRM, RESERVED, DECLINED],
        &[CONFIRM, RESERVED, SUCCEEDED, CANCEL, RELEASED, REFUNDED],
    ];
    for life in lives {
        for length in 1..=life.len() {
            let order = after(&life[..length]);
            for past in life[..length].iter().filter(|input| !matches!(input, Input::Command(_))) {
                let again = decide(&order, past);
                assert!(matches!(again, Ok(Decision::Ignored(_))), "{past:?} again in {:?}: {again:?}", order.status);
            }
        }
    }
}

#[test]
fn an_ended_order_takes_no_commands() {
    for ended in [after(&[CANCEL]), after(&[CONFIRM, RESERVED, SUCCEEDED, ALLOCATED, FULFIL])] {
        for command in [Command::Confirm, Command::Fulfil, Command::CancelByCustomer, Command::CancelBySeller] {
            let refused = decide(&ended, &Input::Command(command));
            assert_eq!(refused, Err(Rejection::IllegalTransition(ended.status)));
        }
    }
}

#[test]
fn what_cannot_be_ordered_is_refused() {
    let refused = |lines| create(id(1), id(2), id(3), lines).unwrap_err();
    assert_eq!(refused(vec![]), Rejection::Lines(0));
    assert_eq!(refused((0..51).map(|n| line(n, 1, 1)).collect()), Rejection::Lines(51));
    assert_eq!(refused(vec![line(1, 0, 1)]), Rejection::Quantity(0));
    assert_eq!(refused(vec![line(1, 10_001, 1)]), Rejection::Quantity(10_001));
    assert_eq!(refused(vec![line(1, 1, 1), line(1, 2, 1)]), Rejection::RepeatedProduct);
    assert_eq!(refused(vec![line(1, 2, i64::MAX)]), Rejection::Money(MoneyError::Overflow));
}
