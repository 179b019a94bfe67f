use orderflow_contracts::events::OrderEvent;

use super::*;
use crate::seller::{Do, Done::Told, Verb};

fn short(number: u8) -> String {
    crate::text::short(order_id(number))
}

fn told(verb: Verb, number: u8, answer: Result<Order, ClientError>) -> seller::Done {
    Told { verb, id: order_id(number), key: format!("key-{number}"), answer: answer.map(Box::new) }
}

fn pending(count: u8) -> Vec<Order> {
    (1..=count).map(|number| order(number, OrderStatus::Pending)).collect()
}

#[test]
fn those_that_need_the_seller_come_first() {
    let mut desk = desk(one_of_each(), Vec::new(), Vec::new());
    let screen = desk.screen((100, 30));
    let at = |number: u8| screen.find(&short(number)).unwrap();
    let places: Vec<usize> = [1, 4, 7, 3, 5, 2, 6].map(at).to_vec();
    assert!(places.is_sorted(), "{screen}");
    desk.press(&["s"]);
    let screen = desk.screen((100, 30));
    assert!(screen.find(&short(2)) < screen.find(&short(4)), "the newest first:\n{screen}");
}

#[test]
fn one_key_confirms_and_the_row_says_so_at_once() {
    let mut desk = desk(pending(2), Vec::new(), Vec::new());
    let effects = wanted(desk.press(&["c"]));
    assert_eq!(effects, [Do::Tell(Verb::Confirm, order_id(1), None)]);
    assert!(line_with(&mut desk, &short(1)).contains("… confirming"));
    assert!(wanted(desk.press(&["c"])).is_empty(), "it is asked once");
    done(&mut desk, told(Verb::Confirm, 1, Ok(order(1, OrderStatus::Confirming))));
    assert!(line_with(&mut desk, &short(1)).contains("○ confirming"));
}

#[test]
fn the_chosen_row_stays_under_the_hands() {
    let mut desk = desk(pending(3), Vec::new(), Vec::new());
    desk.press(&["down", "c"]);
    done(&mut desk, told(Verb::Confirm, 2, Ok(order(2, OrderStatus::Confirming))));
    let screen = desk.screen((100, 30));
    assert!(screen.find(&short(2)) < screen.find(&short(3)), "it does not move away:\n{screen}");
    let newer = Order { created_at: Timestamp(NOW_MS), ..order(9, OrderStatus::Pending) };
    desk.tell(Msg::Done(Done::Books(Role::Seller, books::Done::Order(newer.id, Ok(newer)))));
    let effects = desk.press(&["y"]);
    assert!(matches!(&effects[..], [Effect::Copy(id)] if *id == order_id(2).to_string()));
    desk.press(&["down"]);
    let screen = desk.screen((100, 30));
    assert!(screen.find(&short(2)) > screen.find(&short(3)), "until one goes on:\n{screen}");
}

#[test]
fn a_key_does_nothing_to_an_order_that_was_not_seen() {
    let mut desk = desk(vec![order(2, OrderStatus::Paid)], Vec::new(), Vec::new());
    desk.screen((100, 30));
    // It comes between the frame and the key.
    let newer = Order { created_at: Timestamp(NOW_MS), ..order(1, OrderStatus::Paid) };
    desk.tell(Msg::Done(Done::Books(Role::Seller, books::Done::Order(newer.id, Ok(newer)))));
    assert_eq!(wanted(desk.press(&["f"])), [Do::Tell(Verb::Fulfil, order_id(2), None)]);
    assert!(line_with(&mut desk, &short(1)).contains("● paid"));
    // One that goes away with its filter is not followed by another one either.
    let mut desk = super::desk(pending(2), Vec::new(), Vec::new());
    desk.press(&["right", "right"]);
    assert!(desk.screen((100, 30)).contains("▸pending 2"));
    desk.tell(Msg::Done(Done::Books(
        Role::Seller,
        books::Done::Order(order_id(1), Ok(later(1, OrderStatus::Confirming))),
    )));
    assert!(wanted(desk.press(&["c"])).is_empty());
    assert!(desk.app.notices.say("confirmed already"));
}

/// An order that has come further.
fn later(number: u8, status: OrderStatus) -> Order {
    Order { version: 2, ..order(number, status) }
}

#[test]
fn what_is_not_possible_is_said_and_not_sent() {
    let mut desk = desk(vec![order(1, OrderStatus::Confirmed)], Vec::new(), Vec::new());
    for (key, why) in [("c", "confirmed already"), ("f", "not paid yet")] {
        assert!(wanted(desk.press(&[key])).is_empty());
        assert!(desk.app.notices.say(why), "{why}");
    }
}

#[test]
fn orders_that_are_not_read_yet_are_not_counted() {
    let mut desk = Desktop::with(Role::Seller, ThemeName::Terminal);
    let screen = desk.screen((100, 30));
    assert!(screen.contains("▸all …") && !screen.contains("all 0"), "{screen}");
    assert!(wanted(desk.press(&["C"])).is_empty());
    assert!(desk.app.notices.say("the orders are not read yet"));
}

#[test]
fn cancelling_asks_first() {
    let mut desk = desk(pending(1), Vec::new(), Vec::new());
    assert!(wanted(desk.press(&["x"])).is_empty());
    assert!(desk.screen((100, 30)).contains("Cancel order"));
    assert!(wanted(desk.press(&["n"])).is_empty());
    desk.press(&["x"]);
    assert_eq!(yes(&mut desk), [Do::Tell(Verb::Cancel, order_id(1), None)]);
    assert!(line_with(&mut desk, &short(1)).contains("… cancelling"));
}

#[test]
fn marked_ones_are_done_a_few_at_a_time_with_their_progress_and_each_failure_by_name() {
    let mut orders = pending(6);
    orders.push(order(7, OrderStatus::Fulfilled));
    let mut desk = desk(orders, Vec::new(), Vec::new());
    desk.press(&["a", "c"]);
    let screen = desk.screen((100, 30));
    assert!(screen.contains("Confirm 6 orders?") && screen.contains("The other 1 of the 7 marked"), "{screen}");
    let first = yes(&mut desk);
    assert_eq!(first.len(), 4, "no more than a few at a time");
    assert_eq!(first[0], Do::Tell(Verb::Confirm, order_id(6), None), "who waits longest comes first");
    assert!(line_with(&mut desk, &short(1)).contains("· confirming"), "the others wait");
    assert_eq!(done(&mut desk, told(Verb::Confirm, 6, Ok(order(6, OrderStatus::Confirming)))).len(), 1);
    assert!(desk.screen((100, 30)).contains("confirming 1 of 6"));
    let refused = no(Code::IllegalTransition, "the order is CANCELLED");
    assert_eq!(done(&mut desk, told(Verb::Confirm, 5, Err(refused))).len(), 1);
    for number in [4, 3, 2, 1] {
        done(&mut desk, told(Verb::Confirm, number, Ok(order(number, OrderStatus::Confirming))));
    }
    let screen = desk.screen((100, 30));
    assert!(screen.contains("asked for the stock of 5 of 6"), "{screen}");
    assert!(screen.contains(&format!("✗ {} not confirmed: the order is CANCELLED", short(5))), "{screen}");
    desk.press(&["esc"]);
    assert!(!desk.screen((100, 30)).contains("not confirmed"));
}

#[test]
fn all_that_wait_are_confirmed_after_a_question() {
    let mut desk = desk(one_of_each(), Vec::new(), Vec::new());
    desk.press(&["C"]);
    assert!(desk.screen((100, 30)).contains("Confirm 2 orders?"));
    assert_eq!(yes(&mut desk).len(), 2);
    desk.press(&["F"]);
    assert_eq!(yes(&mut desk), [Do::Tell(Verb::Fulfil, order_id(7), None)]);
}

#[test]
fn a_lost_answer_is_not_known_and_asked_again_with_the_same_key() {
    let mut desk = desk(pending(2), Vec::new(), Vec::new());
    desk.press(&["c"]);
    done(&mut desk, told(Verb::Confirm, 1, Err(lost())));
    let screen = desk.screen((100, 30));
    assert!(screen.contains("? not known") && screen.contains("r asks again"), "{screen}");
    assert!(!screen.contains("failed"), "{screen}");
    desk.press(&["esc"]);
    assert!(desk.screen((100, 30)).contains("? not known"), "what is not known is not forgotten");
    assert_eq!(wanted(desk.press(&["r"])), [Do::Tell(Verb::Confirm, order_id(1), Some("key-1".into()))]);
    done(&mut desk, told(Verb::Confirm, 1, Err(lost())));
    let lines = order(1, OrderStatus::Pending).lines;
    let (customer_id, seller_id) = (account(Role::Customer).id, account(Role::Seller).id);
    let requested = OrderEvent::ConfirmationRequested { customer_id, seller_id, lines };
    event(&mut desk, 1, order_id(1), &requested);
    let screen = desk.screen((100, 30));
    assert!(!screen.contains("? not known"), "the event tells what came of it:\n{screen}");
}

#[test]
fn the_list_is_searched_as_one_types_and_filtered_by_status() {
    let mut desk = desk(one_of_each(), Vec::new(), Vec::new());
    desk.press(&["/"]);
    desk.type_in("lamp");
    let screen = desk.screen((100, 30));
    assert!(screen.contains(" found") && screen.contains("Brass Lamp") && !screen.contains("Test Widget"), "{screen}");
    desk.press(&["enter", "q"]);
    assert!(desk.app.is_over(), "letters are keys again");
    let mut desk = super::desk(one_of_each(), Vec::new(), Vec::new());
    desk.press(&["right", "right"]);
    let screen = desk.screen((100, 30));
    assert!(screen.contains("▸pending 2") && !screen.contains("● paid"), "{screen}");
    desk.press(&["left"]);
    assert!(desk.screen((100, 30)).contains("● paid"));
    desk.press(&["esc"]);
    assert!(desk.screen((100, 30)).contains("▸all 7"));
}

#[test]
fn enter_opens_the_timeline() {
    let mut desk = desk(pending(1), Vec::new(), Vec::new());
    desk.press(&["enter"]);
    assert!(!desk.screen((100, 30)).contains("▸all 1"), "it lies over the orders");
}

#[test]
fn ten_thousand_orders_are_sorted_once() {
    let orders: Vec<Order> = (0..10_000_u32)
        .map(|number| Order {
            id: Uuid::from_u128(u128::from(number)).into(),
            created_at: Timestamp(NOW_MS - i64::from(number)),
            ..order(1, OrderStatus::Pending)
        })
        .collect();
    let mut desk = desk(orders, Vec::new(), Vec::new());
    let screen = desk.screen((100, 30));
    assert!(screen.contains("▸all 10000"), "{screen}");
    desk.press(&["G"]);
    assert!(desk.screen((100, 30)).contains(&crate::text::short(Uuid::from_u128(9_999))));
    // Nor does moving sort them again, not even with a search.
    desk.press(&["/"]);
    desk.type_in("lamp");
    desk.press(&["enter"]);
    desk.screen((100, 30));
    let before = sorts(&mut desk);
    for key in ["down", "down", "pagedown", "up", "space"] {
        desk.press(&[key]);
        desk.screen((100, 30));
    }
    assert_eq!(sorts(&mut desk), before);
}

fn sorts(desk: &mut Desktop) -> usize {
    let work = desk.app.desks.iter_mut().find_map(crate::desk::Desk::work).unwrap();
    match &work.screens {
        crate::desk::Screens::Seller(seller) => seller.orders.sorts(),
        _ => panic!("it is a seller's desk"),
    }
}

#[test]
fn an_order_that_is_held_stays_where_it_stood_among_those_of_its_age() {
    let mut desk = desk(pending(3), Vec::new(), Vec::new());
    desk.press(&["right", "right", "down"]);
    desk.tell(Msg::Done(Done::Books(
        Role::Seller,
        books::Done::Order(order_id(2), Ok(later(2, OrderStatus::Confirming))),
    )));
    let screen = desk.screen((100, 30));
    let at = |number: u8| screen.find(&short(number)).unwrap();
    assert!(screen.contains("▸pending 2") && at(1) < at(2) && at(2) < at(3), "{screen}");
    desk.press(&["down"]);
    assert!(!desk.screen((100, 30)).contains(&short(2)), "until one goes on");
}
