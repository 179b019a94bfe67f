//! The table of the inventory service, row by row.

use orderflow_contracts::{
    events::{CancelReason, InventoryEvent, OrderEvent, OrderLine, Shortage},
    ids::ProductId,
    money::{Currency, Money},
};
use uuid::Uuid;

use super::*;

const HOLD_MS: i64 = 30 * 60 * 1000;
const NOW: i64 = 1_000_000;
const PAID: Input<'_> = Input::Order(&OrderEvent::Paid);
const FULFILLED: Input<'_> = Input::Order(&OrderEvent::Fulfilled);
const CANCELLED: Input<'_> = Input::Order(&OrderEvent::Cancelled { reason: CancelReason::ByCustomer });

fn product(number: u128) -> ProductId {
    Uuid::from_u128(number).into()
}

fn wanted(quantities: &[(u128, u32)]) -> OrderEvent {
    let line = |(number, quantity): &(u128, u32)| OrderLine {
        product_id: product(*number),
        name: String::new(),
        quantity: *quantity,
        unit_price: Money::new(1, Currency::Usd),
    };
    let account = Uuid::nil().into();
    let lines = quantities.iter().map(line).collect();
    OrderEvent::ConfirmationRequested { customer_id: account, seller_id: account, lines }
}

fn stock(available: &[(u128, u32)]) -> Stock {
    available.iter().map(|(number, quantity)| (product(*number), *quantity)).collect()
}

/// Follows a life in which each input must be applied, with all the stock one could want.
fn after(inputs: &[Input<'_>], now: i64) -> Reservation {
    let plenty = stock(&[(1, 100), (2, 100)]);
    inputs.iter().fold(Reservation::Unknown, |state, input| match decide(&state, *input, &plenty, now, HOLD_MS) {
        Decision::Apply { next, .. } => next,
        Decision::Ignored(why) => panic!("{input:?} in {state:?}: {why}"),
    })
}

#[test]
fn a_reservation_holds_all_lines_or_none() {
    let (request, lines) = (wanted(&[(2, 3), (1, 2)]), stock(&[(1, 2), (2, 3)]));
    let held = decide(&Reservation::Unknown, Input::Order(&request), &stock(&[(1, 2), (2, 3)]), NOW, HOLD_MS);
    let expires_at = NOW + HOLD_MS;
    assert_eq!(
        held,
        Decision::Apply {
            next: Reservation::Held { lines: lines.clone(), expires_at },
            movement: Some((Movement::Reserve, lines)),
            event: Some(InventoryEvent::Reserved { expires_at }),
        }
    );
    let refused = decide(&Reservation::Unknown, Input::Order(&request), &stock(&[(2, 2)]), NOW, HOLD_MS);
    let shortages = vec![
        Shortage { product_id: product(1), wanted: 2, available: 0 },
        Shortage { product_id: product(2), wanted: 3, available: 2 },
    ];
    assert_eq!(
        refused,
        Decision::Apply {
            next: Reservation::Refused,
            movement: None,
            event: Some(InventoryEvent::ReservationFailed { shortages }),
        }
    );
}

#[test]
fn a_product_in_two_lines_is_counted_together() {
    let request = wanted(&[(1, 2), (1, 2)]);
    let refused = decide(&Reservation::Unknown, Input::Order(&request), &stock(&[(1, 3)]), NOW, HOLD_MS);
    assert!(matches!(refused, Decision::Apply { next: Reservation::Refused, .. }));
}

#[test]
fn a_reservation_ends_when_its_time_is_over_and_not_before() {
    let request = wanted(&[(1, 2)]);
    let held = after(&[Input::Order(&request)], NOW);
    let at = |now| decide(&held, Input::Expire, &Stock::new(), now, HOLD_MS);
    assert!(matches!(at(NOW + HOLD_MS - 1), Decision::Ignored(_)));
    assert_eq!(
        at(NOW + HOLD_MS),
        Decision::Apply {
            next: Reservation::Expired { lines: stock(&[(1, 2)]) },
            movement: Some((Movement::Release, stock(&[(1, 2)]))),
            event: Some(InventoryEvent::ReservationExpired),
        }
    );
}

#[test]
fn what_is_paid_does_not_expire_and_what_is_shipped_is_gone() {
    let request = wanted(&[(1, 2)]);
    let allocated = after(&[Input::Order(&request), PAID], NOW);
    assert!(matches!(decide(&allocated, Input::Expire, &Stock::new(), i64::MAX, HOLD_MS), Decision::Ignored(_)));
    assert_eq!(
        decide(&allocated, FULFILLED, &Stock::new(), NOW, HOLD_MS),
        Decision::Apply {
            next: Reservation::Committed,
            movement: Some((Movement::Ship, stock(&[(1, 2)]))),
            event: Some(InventoryEvent::Committed),
        }
    );
}

#[test]
fn nothing_is_shipped_that_was_not_allocated() {
    let request = wanted(&[(1, 2)]);
    for state in [Reservation::Unknown, after(&[Input::Order(&request)], NOW), after(&[CANCELLED], NOW)] {
        assert!(matches!(decide(&state, FULFILLED, &Stock::new(), NOW, HOLD_MS), Decision::Ignored(_)), "{state:?}");
    }
}

#[test]
fn money_after_the_expiry_takes_the_stock_again_if_it_is_there() {
    let lines = stock(&[(1, 2)]);
    let expired = Reservation::Expired { lines: lines.clone() };
    assert_eq!(
        decide(&expired, PAID, &stock(&[(1, 2)]), NOW, HOLD_MS),
        Decision::Apply {
            next: Reservation::Allocated { lines: lines.clone() },
            movement: Some((Movement::Reserve, lines)),
            event: Some(InventoryEvent::Allocated),
        }
    );
    let shortages = vec![Shortage { product_id: product(1), wanted: 2, available: 1 }];
    assert_eq!(
        decide(&expired, PAID, &stock(&[(1, 1)]), NOW, HOLD_MS),
        Decision::Apply {
            next: Reservation::Lost,
            movement: None,
            event: Some(InventoryEvent::AllocationFailed { shortages }),
        }
    );
}

#[test]
fn a_cancelled_order_gives_back_what_it_had_and_only_that() {
    let request = wanted(&[(1, 2)]);
    let release = Some((Movement::Release, stock(&[(1, 2)])));
    let cases: [(&[Input<'_>], _); 4] = [
        (&[Input::Order(&request)], release.clone()),
        (&[Input::Order(&request), PAID], release),
        (&[], None),
        (&[Input::Order(&request), Input::Expire], None),
    ];
    for (life, expected) in cases {
        // An expiry within the same life needs the time to be over from the start.
        let state = life.iter().fold(Reservation::Unknown, |state, input| {
            match decide(&state, *input, &stock(&[(1, 9)]), NOW, 0) {
                Decision::Apply { next, .. } => next,
                Decision::Ignored(why) => panic!("{why}"),
            }
        });
        match decide(&state, CANCELLED, &Stock::new(), NOW, HOLD_MS) {
            Decision::Apply { next, movement, .. } => {
                assert_eq!((next, movement), (Reservation::Released, expected), "{life:?}");
            }
            Decision::Ignored(why) => panic!("{life:?}: {why}"),
        }
    }
}

#[test]
fn a_reserve_that_comes_after_the_cancellation_is_refused() {
    let request = wanted(&[(1, 2)]);
    let tombstone = after(&[CANCELLED], NOW);
    let late = decide(&tombstone, Input::Order(&request), &stock(&[(1, 9)]), NOW, HOLD_MS);
    assert!(matches!(late, Decision::Ignored(_)), "race 6");
}

#[test]
fn every_event_twice_is_ignored_the_second_time() {
    let request = wanted(&[(1, 2)]);
    let request = Input::Order(&request);
    for life in [&[request, PAID, FULFILLED][..], &[request, PAID, CANCELLED], &[request, CANCELLED], &[CANCELLED]] {
        for length in 1..=life.len() {
            let state = after(&life[..length], NOW);
            for past in &life[..length] {
                let again = decide(&state, *past, &stock(&[(1, 9)]), NOW, HOLD_MS);
                assert!(matches!(again, Decision::Ignored(_)), "{past:?} again in {state:?}: {again:?}");
            }
        }
    }
}
