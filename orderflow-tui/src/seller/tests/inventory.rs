use orderflow_contracts::{
    api::inventory::{CreateProduct, EditProduct},
    events::InventoryEvent,
};

use super::*;
use crate::seller::{Before, Change, Do, NotChanged};

fn stocked() -> Desktop {
    let mut desk = desk(one_of_each(), (1..=4).map(product).collect(), Vec::new());
    desk.press(&["2"]);
    desk.buffer((100, 30));
    desk
}

fn changed(change: Change, answer: Result<Product, NotChanged>) -> seller::Done {
    seller::Done::Changed { change, key: "key".into(), answer }
}

/// The one change that is wanted.
fn change(effects: Vec<Effect>) -> (Change, Option<String>) {
    match &wanted(effects)[..] {
        [Do::Change(change, key)] => (change.clone(), key.clone()),
        other => panic!("no change: {other:?}"),
    }
}

#[test]
fn low_stock_has_a_sign_and_a_word() {
    let mut desk = stocked();
    assert!(line_with(&mut desk, "Brass Lamp").contains("! low"));
    assert!(line_with(&mut desk, "Oak Table").contains("✗ out"));
    assert!(line_with(&mut desk, "Test Widget").contains("✓ ok"));
    assert!(line_with(&mut desk, "4 products").contains("✗ 1 out  ! 1 low"));
}

#[test]
fn what_a_search_has_found_stays_chosen_when_the_search_is_taken_away() {
    for found in ["Test Widget", "Brass Lamp", "Oak Table"] {
        let mut desk = stocked();
        desk.press(&["/"]);
        desk.type_in(found);
        desk.buffer((100, 30));
        desk.press(&["enter", "esc"]);
        desk.buffer((100, 30));
        desk.press(&["e"]);
        let screen = desk.screen((100, 30));
        assert!(screen.contains(&format!("Edit {found}")), "{screen}");
    }
}

#[test]
fn stock_is_seen_to_move_and_the_mark_goes() {
    let mut desk = stocked();
    let moved = Product { reserved: 6, available: 34, ..product(1) };
    desk.tell(Msg::Done(Done::Books(Role::Seller, books::Done::Product(product_id(1), Ok(moved)))));
    let line = line_with(&mut desk, "Test Widget");
    assert!(line.contains(" 34 ") && line.contains("-2"), "{line}");
    let now = desk.now;
    assert!(desk.app.next_tick(now).is_some());
    for _ in 0..6 {
        let at = desk.app.next_tick(desk.now).unwrap_or(desk.now.instant);
        desk.now.instant = at;
        desk.now.wall.0 += 1_000;
        let now = desk.now;
        desk.app.tick(now);
    }
    assert!(!line_with(&mut desk, "Test Widget").contains("-2"));
}

#[test]
fn a_product_is_added_through_the_form() {
    let mut desk = stocked();
    desk.press(&["n"]);
    desk.type_in("Tea & Cake q1");
    desk.press(&["enter"]);
    desk.type_in("1.999");
    assert!(desk.screen((100, 30)).contains("✗ at most two decimals"));
    assert!(wanted(desk.press(&["enter"])).is_empty());
    desk.press(&["backspace"]);
    desk.type_in(" eur");
    assert!(desk.screen((100, 30)).contains("1.99 EUR"), "it says how it was read");
    desk.press(&["enter"]);
    desk.type_in("7");
    let (wanted_change, key) = change(desk.press(&["enter"]));
    let price = Money::new(199, Currency::Eur);
    assert_eq!(wanted_change, Change::Add(CreateProduct { name: "Tea & Cake q1".into(), price, stock: 7 }));
    assert_eq!(key, None);
    assert!(desk.screen((100, 30)).contains("asking the service"));
    assert!(wanted(desk.press(&["enter"])).is_empty(), "it is sent once");
    let new = Product { id: product_id(9), name: "Tea & Cake q1".into(), price, ..product(1) };
    done(&mut desk, changed(wanted_change, Ok(new)));
    assert!(line_with(&mut desk, "Tea & Cake").contains("new"));
}

#[test]
fn a_paste_with_a_line_break_does_not_send() {
    let mut desk = stocked();
    desk.press(&["+"]);
    let effects = desk.tell(Msg::Input(crate::input::Input::Paste("5\n".into())));
    assert!(effects.is_empty());
    assert_eq!(change(desk.press(&["enter"])).0, Change::Restock(product_id(2), 5));
}

#[test]
fn what_the_service_refuses_is_said_at_its_field() {
    let mut desk = stocked();
    desk.press(&["+"]);
    desk.type_in("999999");
    let (wanted_change, _) = change(desk.press(&["enter"]));
    let refused = no(Code::ValidationFailed, "there are at most 1000000 pieces of a product, not 1000002");
    done(&mut desk, changed(wanted_change, Err(NotChanged::Error(refused))));
    assert!(desk.screen((100, 30)).contains("✗ there are at most 1000000 pieces"));
    desk.press(&["backspace"]);
    assert!(!desk.screen((100, 30)).contains("✗ there are at most"));
    assert_eq!(change(desk.press(&["enter"])).0, Change::Restock(product_id(2), 99_999));
}

#[test]
fn an_edit_sends_what_has_changed_and_can_be_undone() {
    let mut desk = stocked();
    desk.press(&["e", "tab", "ctrl-u"]);
    desk.type_in("99");
    let (wanted_change, _) = change(desk.press(&["enter"]));
    let edit = EditProduct { name: None, price: Some(usd(9900)), expected_version: Some(1) };
    assert_eq!(wanted_change, Change::Edit(product_id(2), edit, Box::new(Before::of(&product(2)))));
    done(&mut desk, changed(wanted_change, Ok(Product { price: usd(9900), version: 2, ..product(2) })));
    assert!(line_with(&mut desk, "Brass Lamp").contains("edited"));
    let (undo, _) = change(desk.press(&["u"]));
    let edit = EditProduct { name: None, price: Some(usd(12_000)), expected_version: Some(2) };
    assert_eq!(undo, Change::Undo(product_id(2), edit, 1));
    done(&mut desk, changed(undo.clone(), Err(NotChanged::Error(lost()))));
    assert_eq!(change(desk.press(&["u"])), (undo.clone(), Some("key".into())), "with the same key");
    done(&mut desk, changed(undo, Ok(Product { version: 3, ..product(2) })));
    assert!(desk.app.notices.say("undone: Brass Lamp, 120.00 USD"));
    desk.press(&["u"]);
    assert!(desk.app.notices.say("nothing to undo"));
}

/// Gives the chosen product another price. What is sent.
fn price(desk: &mut Desktop, price: &str) -> Change {
    desk.press(&["e", "tab", "ctrl-u"]);
    desk.type_in(price);
    change(desk.press(&["enter"])).0
}

#[test]
fn what_is_undone_is_the_edit_that_was_saved_last_even_if_its_form_was_closed() {
    let mut desk = stocked();
    let first = price(&mut desk, "99");
    done(&mut desk, changed(first, Ok(Product { price: usd(9900), version: 2, ..product(2) })));
    desk.press(&["down"]);
    let second = price(&mut desk, "50");
    desk.press(&["esc"]);
    done(&mut desk, changed(second, Ok(Product { price: usd(5000), version: 2, ..product(4) })));
    assert!(desk.app.notices.say("saved Fountain Pen, 50.00 USD; u undoes it"));
    let edit = EditProduct { name: None, price: Some(usd(4500)), expected_version: Some(2) };
    assert_eq!(change(desk.press(&["u"])).0, Change::Undo(product_id(4), edit, 1));
}

#[test]
fn two_edits_of_one_product_are_undone_one_after_the_other() {
    let mut desk = stocked();
    for (version, minor) in [(2, 9900), (3, 8800)] {
        let edit = price(&mut desk, &(minor / 100).to_string());
        done(&mut desk, changed(edit, Ok(Product { price: usd(minor), version, ..product(2) })));
    }
    let (last, _) = change(desk.press(&["u"]));
    assert!(wanted(desk.press(&["u"])).is_empty(), "one at a time");
    assert!(desk.app.notices.say("still on its way"));
    done(&mut desk, changed(last, Ok(Product { price: usd(9900), version: 4, ..product(2) })));
    let (first, _) = change(desk.press(&["u"]));
    let edit = EditProduct { name: None, price: Some(usd(12_000)), expected_version: Some(4) };
    assert_eq!(first, Change::Undo(product_id(2), edit, 1), "it is as it was after the first edit");
}

#[test]
fn an_edit_of_nothing_is_not_sent() {
    let mut desk = stocked();
    assert!(wanted(desk.press(&["e", "enter"])).is_empty());
    assert!(desk.app.notices.say("nothing was changed"));
}

#[test]
fn a_conflict_shows_what_has_changed_and_keeps_what_was_written() {
    let mut desk = stocked();
    desk.press(&["e", "tab", "ctrl-u"]);
    desk.type_in("99");
    let (wanted_change, _) = change(desk.press(&["enter"]));
    let theirs = Product { name: "Brass Lamp II".into(), version: 4, ..product(2) };
    done(&mut desk, changed(wanted_change, Err(NotChanged::Conflict(Box::new(theirs)))));
    let screen = desk.screen((100, 30));
    assert!(screen.contains("the name is “Brass Lamp II” now"), "{screen}");
    let (again, _) = change(desk.press(&["enter"]));
    let edit = EditProduct { name: None, price: Some(usd(9900)), expected_version: Some(4) };
    let theirs = Product { name: "Brass Lamp II".into(), version: 4, ..product(2) };
    assert_eq!(again, Change::Edit(product_id(2), edit, Box::new(Before::of(&theirs))), "theirs is not undone");
}

#[test]
fn an_unknown_outcome_is_asked_again_as_it_was() {
    let mut desk = stocked();
    desk.press(&["+"]);
    desk.type_in("5");
    let (wanted_change, _) = change(desk.press(&["enter"]));
    // A fault of the service's own says as little as no answer: another key could add them twice.
    for error in [lost(), no(Code::Internal, "the service has a fault")] {
        done(&mut desk, changed(wanted_change.clone(), Err(NotChanged::Error(error))));
        assert!(desk.screen((100, 30)).contains("not known whether it was saved"));
        desk.type_in("0");
        assert_eq!(change(desk.press(&["enter"])), (wanted_change.clone(), Some("key".into())));
    }
}

#[test]
fn an_event_of_an_order_makes_its_products_read_again() {
    let mut desk = stocked();
    event(&mut desk, 1, order_id(1), &InventoryEvent::Reserved { expires_at: NOW_MS + 1 });
    desk.now.instant += std::time::Duration::from_secs(1);
    let now = desk.now;
    let effects = desk.app.tick(now);
    let read = |effect: &Effect| matches!(effect, Effect::Books(_, books::Do::Product(id)) if *id == product_id(2));
    assert!(effects.iter().any(read));
}
