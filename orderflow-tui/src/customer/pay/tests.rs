use orderflow_contracts::{
    api::orders::Order,
    problem::{Code, Problem},
};
use serde_json::json;

use super::*;
use crate::{
    customer::{
        Do, Done,
        kept::Recalled,
        tests::{desk, done, event, has, lost, order, payment, refused, wanted},
    },
    input::Input,
    msg::Msg,
    testing::{Desktop, NOW_MS, SIZES, letters_and_colours},
    theme::ThemeName,
};

const GOOD: &str = "4242424242424242";

fn form_in(theme: ThemeName) -> (Desktop, Order) {
    let order = order(1, "CONFIRMED", "HELD", "OPEN");
    let mut desktop = desk(vec![order.clone()], vec![payment(&order, "OPEN")], theme);
    desktop.press(&["3", "p"]);
    (desktop, order)
}

fn form() -> (Desktop, Order) {
    form_in(ThemeName::Terminal)
}

fn fill(desktop: &mut Desktop) {
    desktop.type_in(GOOD);
    desktop.press(&["tab"]);
    desktop.type_in("1230");
    desktop.press(&["tab"]);
    desktop.type_in("123");
}

/// Fills the form in and sends it. With which key the token is asked for.
fn send(desktop: &mut Desktop) -> Uuid {
    fill(desktop);
    match &wanted(desktop.press(&["enter"]))[..] {
        [Do::Token { key, card, .. }] => {
            let card = &card.card;
            assert_eq!(
                (card.number.as_str(), card.exp_month, card.exp_year, card.cvc.as_str()),
                (GOOD, 12, 2030, "123")
            );
            *key
        }
        _ => panic!("a token is asked for"),
    }
}

/// The same, and there is a token. With which key it is paid.
fn pay(desktop: &mut Desktop, order: &Order) -> Uuid {
    let key = send(desktop);
    let asked = wanted(done(desktop, Done::Token { id: order.id, key, outcome: Ok(Secret("tok_1".into())) }));
    match &asked[..] {
        [Do::Pay { key, token, .. }] if token.0 == "tok_1" => *key,
        _ => panic!("it is paid"),
    }
}

#[test]
fn a_card_fills_in_as_one_types_and_its_brand_is_known() {
    let (mut desktop, _) = form();
    has(&mut desktop, &["25.00 USD", "25:00 left", "···· ···· ···· ····", "MM/YY"]);
    desktop.type_in("42424");
    has(&mut desktop, &["VISA", "4242 4··· ···· ····"]);
    desktop.press(&["backspace", "backspace", "backspace", "backspace", "backspace"]);
    desktop.type_in("3782822463100");
    has(&mut desktop, &["AMEX", "3782 822463 100··", "cvc ····"]);
    desktop.press(&["tab"]);
    desktop.type_in("530");
    has(&mut desktop, &["05/30"]);
    desktop.press(&["tab"]);
    desktop.type_in("12345");
    has(&mut desktop, &["••••"]);
    assert!(!desktop.screen((120, 40)).contains("1234"), "the code is never shown");
}

#[test]
fn what_is_mistyped_or_expired_is_said_and_not_sent() {
    let (mut desktop, _) = form();
    desktop.type_in("4242424242424241");
    has(&mut desktop, &["a digit of the number is mistyped"]);
    desktop.press(&["tab"]);
    desktop.type_in("1225");
    has(&mut desktop, &["✗ it has expired"]);
    desktop.press(&["tab"]);
    desktop.type_in("123");
    assert!(wanted(desktop.press(&["enter"])).is_empty());
    has(&mut desktop, &["▸number"]);
}

#[test]
fn a_pasted_line_break_never_sends_and_blanks_and_dashes_are_left_out() {
    let (mut desktop, _) = form();
    let effects = desktop.tell(Msg::Input(Input::Paste("4242 4242-4242 4242\r\n".into())));
    assert!(effects.is_empty());
    has(&mut desktop, &["4242 4242 4242 4242     ✓", "▸number"]);
    desktop.press(&["tab"]);
    desktop.tell(Msg::Input(Input::Paste("12/2030\n".into())));
    desktop.press(&["tab"]);
    let effects = desktop.tell(Msg::Input(Input::Paste("123\n".into())));
    assert!(wanted(effects).is_empty(), "the form is whole and was not sent");
    has(&mut desktop, &["12/30", "✓ enter pays"]);
    assert_eq!(wanted(desktop.press(&["enter"])).len(), 1);
}

#[test]
fn a_card_that_is_pasted_over_another_one_is_the_one_that_is_charged() {
    let (mut desktop, _) = form();
    fill(&mut desktop);
    desktop.press(&["tab"]);
    for (keys, number) in
        [(&["end"][..], "5555 5555 5555 4444"), (&["home", "right"], "3782 822463 10005"), (&["left"], GOOD)]
    {
        desktop.press(keys);
        desktop.tell(Msg::Input(Input::Paste(format!("{number}\n"))));
        let digits = number.replace(' ', "");
        let is_amex = digits.len() == 15;
        if is_amex {
            has(&mut desktop, &["3782 822463 10005"]);
        }
        desktop.press(&["shift-tab", "ctrl-u"]);
        desktop.type_in(if is_amex { "1234" } else { "123" });
        let [Do::Token { card, .. }] = &wanted(desktop.press(&["enter"]))[..] else { panic!("it is sent: {number}") };
        assert_eq!(card.card.number, digits);
        desktop.press(&["esc", "p"]);
        fill(&mut desktop);
        desktop.press(&["tab"]);
    }
}

#[test]
fn a_code_that_is_too_long_for_another_brand_is_said_and_not_cut() {
    let (mut desktop, _) = form();
    desktop.press(&["ctrl-t", "down", "down", "enter", "tab"]);
    desktop.tell(Msg::Input(Input::Paste(GOOD.into())));
    has(&mut desktop, &["4242 4242 4242 4242", "this card's code is shorter"]);
}

#[test]
fn enter_in_a_field_above_goes_on_and_does_not_pay() {
    let (mut desktop, _) = form();
    fill(&mut desktop);
    desktop.press(&["tab"]);
    has(&mut desktop, &["▸number"]);
    assert!(wanted(desktop.press(&["enter"])).is_empty());
    has(&mut desktop, &["▸expiry"]);
}

#[test]
fn test_cards_are_offered() {
    let (mut desktop, _) = form();
    desktop.press(&["ctrl-t", "down", "down", "enter"]);
    has(&mut desktop, &["3782 822463 10005", "AMEX", "12/30", "••••", "✓ enter pays"]);
}

#[test]
fn nothing_of_a_card_is_left_once_there_is_a_token() {
    let (mut desktop, order) = form();
    let key = pay(&mut desktop, &order);
    has(&mut desktop, &["asking for the payment"]);
    let error = refused(Code::ValidationFailed, "no such token");
    done(&mut desktop, Done::Paying { id: order.id, key, outcome: Err(error) });
    has(&mut desktop, &["no such token", "···· ···· ···· ····", "MM/YY"]);
    assert_ne!(pay(&mut desktop, &order), key, "the next card is another request");
}

#[test]
fn a_payment_is_followed_until_it_is_paid() {
    let (mut desktop, order) = form();
    let key = pay(&mut desktop, &order);
    done(&mut desktop, Done::Paying { id: order.id, key, outcome: Ok(Box::new(payment(&order, "PROCESSING"))) });
    has(&mut desktop, &["The provider is being asked to charge visa ···· 4242", "not answered for certain yet"]);
    desktop.press(&["esc"]);
    has(&mut desktop, &["… paying", "… paying: the provider is being asked"]);
    desktop.press(&["p"]);
    has(&mut desktop, &["The provider is being asked"]);
    let data = json!({ "charge_id": "ch_1" });
    let effects = desktop.tell(event(1, "payment.succeeded", order.id, "c", data));
    assert!(matches!(&wanted(effects)[..], [Do::Payment(_)]), "the card and the charge are read");
    has(&mut desktop, &["✓ Paid", "v shows the receipt"]);
    done(&mut desktop, Done::Payment(order.id, Ok(Box::new(payment(&order, "SUCCEEDED")))));
    desktop.press(&["v"]);
    has(&mut desktop, &["✓ PAID"]);
}

#[test]
fn without_events_the_payment_is_read_now_and_then_while_it_is_shown() {
    let (mut desktop, order) = form();
    let key = pay(&mut desktop, &order);
    done(&mut desktop, Done::Paying { id: order.id, key, outcome: Ok(Box::new(payment(&order, "PROCESSING"))) });
    desktop.screen((80, 24));
    let mut reads = 0;
    for second in 1..=7 {
        assert!(desktop.app.next_tick(desktop.now).is_some());
        desktop.now.instant += std::time::Duration::from_secs(1);
        desktop.now.wall = Timestamp(NOW_MS + second * 1000);
        reads += wanted(desktop.app.tick(desktop.now)).len();
    }
    assert_eq!(reads, 2);
    done(&mut desktop, Done::Payment(order.id, Ok(Box::new(payment(&order, "SUCCEEDED")))));
    has(&mut desktop, &["✓ Paid"]);
}

#[test]
fn a_decline_says_why_and_that_it_ends_the_order() {
    let (mut desktop, order) = form();
    let key = pay(&mut desktop, &order);
    done(&mut desktop, Done::Paying { id: order.id, key, outcome: Ok(Box::new(payment(&order, "PROCESSING"))) });
    let data = json!({ "decline_code": "insufficient_funds" });
    desktop.tell(event(1, "payment.failed", order.id, "c", data));
    has(&mut desktop, &["✗ Declined", "not enough money behind the card", "That ends this order"]);
    let narrow = desktop.screen((60, 30));
    assert!(narrow.contains("another card."), "all of it is seen where there are lines for it:\n{narrow}");
    desktop.press(&["o"]);
    has(&mut desktop, &["▸2 Cart", "Enamel Mug", "25.00 USD"]);
}

#[test]
fn an_unknown_outcome_keeps_token_and_key() {
    let (mut desktop, order) = form();
    let key = pay(&mut desktop, &order);
    done(&mut desktop, Done::Paying { id: order.id, key, outcome: Err(lost()) });
    has(&mut desktop, &["Not known whether it was asked for", "did not answer in time", "you pay once, never twice"]);
    // An open payment is no proof: the request may be on its way still.
    done(&mut desktop, Done::Payment(order.id, Ok(Box::new(payment(&order, "OPEN")))));
    has(&mut desktop, &["Not known"]);
    desktop.press(&["esc"]);
    has(&mut desktop, &["? paying"]);
    desktop.press(&["r"]);
    let again = wanted(desktop.press(&["r"]));
    assert!(matches!(&again[..], [Do::Pay { key: same, token, .. }] if *same == key && token.0 == "tok_1"));
    done(&mut desktop, Done::Payment(order.id, Ok(Box::new(payment(&order, "FAILED")))));
    has(&mut desktop, &["✗ Declined"]);
}

#[test]
fn a_payment_of_an_earlier_session_is_asked_with_its_keys_once_the_card_is_there_again() {
    let order = order(1, "CONFIRMED", "HELD", "OPEN");
    let mut desktop = desk(vec![order.clone()], vec![payment(&order, "OPEN")], ThemeName::Terminal);
    let (pay_key, token_key) = (Uuid::new_v4(), Uuid::new_v4());
    let kept = json!({
        "key": pay_key, "cluster": "default", "account": order.customer_id, "at": Timestamp(NOW_MS - 1000),
        "payment": { "order": order.id, "token_key": token_key },
    });
    let recalled = Recalled { open: vec![serde_json::from_value(kept).unwrap()], ..Recalled::default() };
    let asked = wanted(done(&mut desktop, Done::Recalled(recalled)));
    assert!(matches!(&asked[..], [Do::Payment(id)] if *id == order.id), "it may be known by now");
    done(&mut desktop, Done::Payment(order.id, Ok(Box::new(payment(&order, "OPEN")))));
    desktop.press(&["3"]);
    has(&mut desktop, &["? paying", "something from last time is not known"]);
    desktop.press(&["r"]);
    has(&mut desktop, &["Not known whether it was asked for", "The card was not kept"]);
    desktop.press(&["r"]);
    has(&mut desktop, &["The same card as before"]);
    // Closing forgets nothing of it.
    desktop.press(&["4", "2", "esc"]);
    has(&mut desktop, &["? paying"]);
    desktop.press(&["p", "r"]);
    assert_eq!(send(&mut desktop), token_key, "the same key and card give the same token");
    let asked =
        wanted(done(&mut desktop, Done::Token { id: order.id, key: token_key, outcome: Ok(Secret("tok_1".into())) }));
    assert!(matches!(&asked[..], [Do::Pay { key, at, .. }] if *key == pay_key && *at == Timestamp(NOW_MS - 1000)));
    done(
        &mut desktop,
        Done::Paying { id: order.id, key: pay_key, outcome: Ok(Box::new(payment(&order, "PROCESSING"))) },
    );
    let effects = desktop.tell(event(1, "payment.succeeded", order.id, "c", json!({ "charge_id": "ch_1" })));
    let is_gone = |effect: &Effect| matches!(effect, Effect::Customer(Do::Forget(key)) if *key == pay_key);
    assert!(effects.iter().any(is_gone), "its outcome is certain");
    has(&mut desktop, &["✓ Paid"]);
}

#[test]
fn what_is_certain_of_a_payment_is_kept_no_longer() {
    for status in ["SUCCEEDED", "FAILED", "VOIDED"] {
        let (mut desktop, order) = form();
        let pay_key = pay(&mut desktop, &order);
        let effects = done(&mut desktop, Done::Paying { id: order.id, key: pay_key, outcome: Err(lost()) });
        assert!(effects.iter().all(|effect| !matches!(effect, Effect::Customer(Do::Forget(_)))), "it is not known");
        let effects = done(&mut desktop, Done::Payment(order.id, Ok(Box::new(payment(&order, status)))));
        assert!(matches!(&effects[..], [Effect::Customer(Do::Forget(key))] if *key == pay_key), "{status}");
    }
}

#[test]
fn a_token_that_does_not_come_charges_nothing_and_keeps_its_key() {
    let (mut desktop, order) = form();
    let key = send(&mut desktop);
    has(&mut desktop, &["Nothing is charged yet"]);
    done(&mut desktop, Done::Token { id: order.id, key, outcome: Err(lost()) });
    has(&mut desktop, &["Nothing is charged; enter asks again", "4242 4242 4242 4242"]);
    let again = wanted(desktop.press(&["enter"]));
    assert!(matches!(&again[..], [Do::Token { key: same, .. }] if *same == key));
    let mut problem = Problem::new(Code::ValidationFailed, "cvc: three digits");
    problem.more.insert("field".into(), "cvc".into());
    let outcome = Err(ClientError::Problem(Box::new(problem)));
    done(&mut desktop, Done::Token { id: order.id, key, outcome });
    has(&mut desktop, &["cvc: three digits", "▸CVC"]);
    desktop.press(&["backspace", "4"]);
    let other = wanted(desktop.press(&["enter"]));
    assert!(matches!(&other[..], [Do::Token { key: other, .. }] if *other != key), "another card is another request");
}

#[test]
fn closing_before_there_is_a_token_cancels() {
    let (mut desktop, order) = form();
    let key = send(&mut desktop);
    desktop.press(&["esc"]);
    let asked = done(&mut desktop, Done::Token { id: order.id, key, outcome: Ok(Secret("tok_1".into())) });
    assert!(wanted(asked).is_empty(), "nothing is paid");
    desktop.press(&["p"]);
    has(&mut desktop, &["···· ···· ···· ····"]);
}

#[test]
fn a_card_is_not_sent_any_more_once_its_form_is_closed() {
    let (mut desktop, order) = form();
    fill(&mut desktop);
    let asked = wanted(desktop.press(&["enter"]));
    let [Do::Token { card, .. }] = &asked[..] else { panic!("a token is asked for") };
    assert!(!card.is_given_up());
    desktop.press(&["esc"]);
    assert!(card.is_given_up());
    // Nor once there is a token.
    desktop.press(&["p"]);
    fill(&mut desktop);
    let asked = wanted(desktop.press(&["enter"]));
    let [Do::Token { card, key, .. }] = &asked[..] else { panic!("a token is asked for") };
    done(&mut desktop, Done::Token { id: order.id, key: *key, outcome: Ok(Secret("tok_1".into())) });
    assert!(card.is_given_up());
}

#[test]
fn after_its_time_nothing_is_sent_and_the_services_are_asked_for_theirs() {
    let (mut desktop, order) = form();
    fill(&mut desktop);
    desktop.now.wall = Timestamp(NOW_MS + 25 * 60_000);
    has(&mut desktop, &["✗ too late"]);
    let effects = desktop.press(&["enter"]);
    assert!(matches!(&effects[..], [Effect::Books(_, books::Do::Clock)]));
    has(&mut desktop, &["the time to pay is over"]);
    // By the services' clock there is a minute left.
    let clock = books::Done::Clock(Ok(-60_000));
    desktop.tell(Msg::Done(crate::msg::Done::Books(orderflow_contracts::api::console::Role::Customer, clock)));
    let asked = wanted(desktop.press(&["enter"]));
    let [Do::Token { key, .. }] = asked[..] else { panic!("it is sent") };
    let asked = wanted(done(&mut desktop, Done::Token { id: order.id, key, outcome: Ok(Secret("tok_1".into())) }));
    let [Do::Pay { key, .. }] = asked[..] else { panic!("it is paid") };
    let late = refused(Code::PaymentDeadlinePassed, "the order could be paid until 10:25");
    done(&mut desktop, Done::Paying { id: order.id, key, outcome: Err(late) });
    has(&mut desktop, &["✗ Too late", "Nothing was charged"]);
}

#[test]
fn what_became_of_a_payment_that_nobody_looks_at_is_told() {
    let (mut desktop, order) = form();
    let key = pay(&mut desktop, &order);
    desktop.press(&["esc", "1"]);
    done(&mut desktop, Done::Paying { id: order.id, key, outcome: Ok(Box::new(payment(&order, "PROCESSING"))) });
    desktop.tell(event(1, "payment.succeeded", order.id, "c", json!({ "charge_id": "ch_1" })));
    has(&mut desktop, &["✓ the order is paid"]);
}

#[test]
fn it_looks_like_this() {
    let (mut desktop, order) = form();
    fill(&mut desktop);
    for size in SIZES {
        insta::assert_snapshot!(format!("form_{}x{}", size.0, size.1), desktop.screen(size));
    }
    desktop.press(&["ctrl-t"]);
    insta::assert_snapshot!("test_cards", desktop.screen((80, 24)));
    desktop.press(&["esc"]);
    let key = {
        let asked = wanted(desktop.press(&["enter"]));
        let [Do::Token { key, .. }] = asked[..] else { panic!("a token is asked for") };
        let asked = wanted(done(&mut desktop, Done::Token { id: order.id, key, outcome: Ok(Secret("tok_1".into())) }));
        let [Do::Pay { key, .. }] = asked[..] else { panic!("it is paid") };
        key
    };
    done(&mut desktop, Done::Paying { id: order.id, key, outcome: Err(lost()) });
    insta::assert_snapshot!("unknown", desktop.screen((80, 24)));
    done(&mut desktop, Done::Payment(order.id, Ok(Box::new(payment(&order, "SUCCEEDED")))));
    insta::assert_snapshot!("paid", desktop.screen((80, 24)));
    desktop.press(&["v"]);
    insta::assert_snapshot!("receipt", desktop.screen((80, 24)));
    for theme in [ThemeName::Light, ThemeName::None] {
        let (mut desktop, _) = form_in(theme);
        desktop.type_in("4242424242424241");
        insta::assert_snapshot!(format!("form_{}", theme.as_str()), letters_and_colours(&desktop.buffer((80, 24))));
    }
}
