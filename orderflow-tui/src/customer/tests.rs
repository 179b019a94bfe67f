//! From the shop to an order, without services: what keys and events make of it.

use orderflow_client::ClientError;
use orderflow_contracts::{
    api::{
        console::{EventRecord, Role},
        inventory::Product,
        orders::Order,
        payments::Payment,
    },
    ids::OrderId,
    money::Currency,
    problem::{Code, Problem},
    timestamp::Timestamp,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Do, Done, effects::Agreed};
use crate::{
    books,
    live::Heard,
    msg::{Done as AnyDone, Effect, Msg},
    testing::{Desktop, NOW_MS, SIZES, letters_and_colours},
    theme::ThemeName,
};

const SELLER: u128 = 7;
const OTHER_SELLER: u128 = 8;

fn id(number: u128) -> String {
    Uuid::from_u128(number).to_string()
}

/// A product; its number is its age too: the highest is the newest.
pub fn product(number: u128, name: &str, minor: i64, available: u32) -> Product {
    let created_at = Timestamp(NOW_MS - 1_000_000 + i64::try_from(number).unwrap() * 1000);
    serde_json::from_value(json!({
        "id": id(number), "seller_id": id(SELLER), "name": name, "price": { "minor": minor, "currency": "USD" },
        "on_hand": available + 1, "reserved": 1, "available": available, "version": 1, "created_at": created_at,
    }))
    .unwrap()
}

pub fn catalogue() -> Vec<Product> {
    let mut strange = product(4, "Zorb 3000", 99_999, 2);
    strange.seller_id = Uuid::from_u128(OTHER_SELLER).into();
    vec![
        product(1, "Test Widget", 2999, 10),
        product(2, "Enamel Mug", 1250, 120),
        product(3, "Desk Lamp", 8900, 0),
        strange,
        product(5, "Office Chair", 31_000, 3),
    ]
}

/// An order of two mugs.
pub fn order(number: u128, status: &str, reservation: &str, payment: &str) -> Order {
    let held = matches!(reservation, "HELD").then(|| Timestamp(NOW_MS + 25 * 60_000));
    let at = Timestamp(NOW_MS - i64::try_from(number).unwrap() * 60_000);
    serde_json::from_value(json!({
        "id": id(0xa000_0000_0000_0000_0000_0000_0000_0000 + (number << 96) + number), "status": status,
        "customer_id": id(1), "seller_id": id(SELLER),
        "lines": [{ "product_id": id(2), "name": "Enamel Mug", "quantity": 2,
            "unit_price": { "minor": 1250, "currency": "USD" } }],
        "total": { "minor": 2500, "currency": "USD" },
        "cancel_reason": (status == "CANCELLED").then_some("payment_failed"),
        "reservation": { "status": reservation, "expires_at": held },
        "payment": { "status": payment, "link": null },
        "version": 1, "created_at": at, "updated_at": at,
    }))
    .unwrap()
}

pub fn payment(order: &Order, status: &str) -> Payment {
    let was_asked = status != "OPEN";
    serde_json::from_value(json!({
        "order_id": order.id, "status": status, "customer_id": id(1), "amount": order.total,
        "pay_until": Timestamp(NOW_MS + 25 * 60_000),
        "charge_id": (status == "SUCCEEDED").then_some("ch_01a203cbeff872f99f9a6220738576f9"), "refund_id": null,
        "decline_code": (status == "FAILED").then_some("insufficient_funds"),
        "card": was_asked.then(|| json!({ "brand": "visa", "last4": "4242" })), "call": null,
        "created_at": Timestamp(NOW_MS), "updated_at": Timestamp(NOW_MS),
    }))
    .unwrap()
}

/// An event about an order.
pub fn event(position: i64, event_type: &str, subject: OrderId, correlation_id: &str, data: Value) -> Msg {
    let at = Timestamp(NOW_MS);
    let record: EventRecord = serde_json::from_value(json!({
        "position": position, "id": id(u128::from(position.unsigned_abs())), "source": "/orderflow/orders",
        "type": event_type, "subject": subject, "sequence": 1, "correlation_id": correlation_id, "causation_id": null,
        "at": at, "published_at": at, "received_at": at, "data": data,
    }))
    .unwrap();
    Msg::Live(Role::Customer, Heard::Event(Box::new(record)))
}

pub fn lost() -> ClientError {
    ClientError::Timeout { url: "http://127.0.0.1:3001/v1/orders".into() }
}

pub fn refused(code: Code, words: &str) -> ClientError {
    ClientError::Problem(Box::new(Problem::new(code, words)))
}

pub fn read<T>(items: Vec<T>) -> books::effects::Read<T> {
    books::effects::Read { items, end: Ok(false) }
}

/// A desk that has read all this.
pub fn desk(orders: Vec<Order>, payments: Vec<Payment>, theme: ThemeName) -> Desktop {
    let mut desktop = Desktop::with(Role::Customer, theme);
    desktop.tell(Msg::Live(Role::Customer, Heard::Open { whole: false }));
    for done in [
        books::Done::Products(read(catalogue())),
        books::Done::Orders(read(orders)),
        books::Done::Payments(read(payments)),
    ] {
        desktop.tell(Msg::Done(AnyDone::Books(Role::Customer, done)));
    }
    desktop
}

pub fn shop() -> Desktop {
    desk(Vec::new(), Vec::new(), ThemeName::Terminal)
}

pub fn done(desktop: &mut Desktop, done: Done) -> Vec<Effect> {
    desktop.tell(Msg::Done(AnyDone::Customer(done)))
}

/// What of the customer's is wanted.
pub fn wanted(effects: Vec<Effect>) -> Vec<Do> {
    let ours = |effect| match effect {
        // That something is kept no longer is looked at where it matters.
        Effect::Customer(Do::Forget(_)) => None,
        Effect::Customer(wanted) => Some(wanted),
        _ => None,
    };
    effects.into_iter().filter_map(ours).collect()
}

pub fn has(desktop: &mut Desktop, words: &[&str]) {
    let screen = desktop.screen((120, 40));
    for words in words {
        assert!(screen.contains(words), "{words:?} is not on\n{screen}");
    }
}

/// Adds two mugs and orders them. With which key.
fn place(desktop: &mut Desktop) -> Uuid {
    desktop.press(&["down", "down", "down", "a", "a", "c"]);
    let effects = desktop.press(&["enter"]);
    let placed = wanted(effects).into_iter().find_map(|wanted| match wanted {
        Do::Order { key, lines, .. } => Some((key, lines)),
        _ => None,
    });
    let (key, lines) = placed.unwrap();
    assert_eq!((lines.len(), lines[0].quantity), (1, 2));
    key
}

#[test]
fn a_cart_keeps_to_one_seller_and_its_changes_can_be_taken_back() {
    let mut desktop = shop();
    desktop.press(&["down", "a"]);
    has(&mut desktop, &["cart 1 999.99 USD", "×1 Zorb"]);
    desktop.press(&["down", "down", "a"]);
    has(&mut desktop, &["Begin a new cart?", "An order has one seller"]);
    let effects = desktop.press(&["y"]);
    assert!(matches!(&wanted(effects)[..], [Do::Agree(Agreed::NewCart(_))]));
    let mug = Uuid::from_u128(2).into();
    done(&mut desktop, Done::Agreed(Agreed::NewCart(mug)));
    has(&mut desktop, &["cart 1 12.50 USD"]);
    desktop.press(&["u"]);
    has(&mut desktop, &["cart 1 999.99 USD"]);
    desktop.press(&["u", "u"]);
    has(&mut desktop, &["nothing to take back"]);
}

#[test]
fn a_cart_adds_up_by_the_prices_of_now() {
    let mut desktop = shop();
    desktop.press(&["down", "down", "down", "a", "+", "c", "+"]);
    has(&mut desktop, &["× 3", "3 pieces   total 37.50 USD"]);
    let mut dearer = product(2, "Enamel Mug", 1300, 2);
    dearer.version = 2;
    let read = books::Done::Product(dearer.id, Ok(dearer));
    desktop.tell(Msg::Done(AnyDone::Books(Role::Customer, read)));
    has(&mut desktop, &["39.00 USD", "! only 2 are there", "not enough of everything"]);
    desktop.press(&["d"]);
    has(&mut desktop, &["The cart is empty", "u brings back"]);
    desktop.press(&["u", "-"]);
    has(&mut desktop, &["× 2", "! another price now"]);
}

#[test]
fn a_chosen_order_says_in_a_small_window_how_its_parts_stand_and_what_can_be_done() {
    let one = order(1, "CONFIRMED", "HELD", "OPEN");
    let mut many = one.clone();
    many.lines = vec![one.lines[0].clone(); 12];
    for (order, things) in
        [(one, ["2 × Enamel Mug", "held for you until you pay"]), (many, ["× Enamel", "and 10 more"])]
    {
        let mut desktop = desk(vec![order], Vec::new(), ThemeName::Terminal);
        desktop.press(&["3"]);
        for size in [(80, 24), (80, 22)] {
            let screen = desktop.screen(size);
            for words in ["✓ ordered", "waits for you to pay", "total   ", "p pays · x cancels"] {
                assert!(screen.contains(words), "{words:?} at {size:?}: {screen}");
            }
        }
        let screen = desktop.screen((80, 24));
        assert!(things.iter().all(|words| screen.contains(words)), "{screen}");
    }
}

#[test]
fn a_cart_in_two_currencies_says_what_to_take_out_and_is_not_sent() {
    let mut desktop = shop();
    let mut foreign = product(1, "Test Widget", 2999, 10);
    foreign.price.currency = Currency::Eur;
    desktop.tell(Msg::Done(AnyDone::Books(Role::Customer, books::Done::Product(foreign.id, Ok(foreign)))));
    desktop.press(&["down", "down", "down", "a", "down", "a", "c"]);
    has(&mut desktop, &["total ✗ more than one currency", "an order has one currency: take out the lines in EUR."]);
    assert!(wanted(desktop.press(&["enter"])).is_empty());
    has(&mut desktop, &["▸2 Cart"]);
    desktop.press(&["down", "d"]);
    let sent = wanted(desktop.press(&["enter"]));
    assert!(sent.iter().any(|wanted| matches!(wanted, Do::Order { .. })), "it can be mended");
}

#[test]
fn an_order_is_there_at_once_and_then_for_real() {
    let mut desktop = shop();
    let key = place(&mut desktop);
    has(&mut desktop, &["… placing", "2× Enamel Mug", "25.00 USD", "the order is being placed"]);
    done(&mut desktop, Done::Ordered { key, outcome: Ok(Box::new(order(1, "PENDING", "NONE", "NONE"))) });
    has(&mut desktop, &["○ pending", "waits for the seller to confirm", "✓ ordered"]);
    assert!(!desktop.screen((120, 40)).contains("placing"));
    desktop.press(&["2"]);
    has(&mut desktop, &["The cart is empty"]);
}

#[test]
fn an_order_that_is_refused_says_why_and_can_go_back_into_the_cart() {
    let mut desktop = shop();
    let key = place(&mut desktop);
    let error = refused(Code::ProductUnknown, "product 2 is not known yet");
    done(&mut desktop, Done::Ordered { key, outcome: Err(error) });
    has(&mut desktop, &["✗ refused", "not ordered: product 2 is not known yet", "o puts it back into the cart"]);
    assert!(wanted(desktop.press(&["r"])).is_empty(), "its outcome is known");
    desktop.press(&["o"]);
    has(&mut desktop, &["▸2 Cart", "Enamel Mug", "total 25.00 USD"]);
}

#[test]
fn what_is_not_known_keeps_its_key_and_can_be_asked_again() {
    let mut desktop = shop();
    let key = place(&mut desktop);
    done(&mut desktop, Done::Ordered { key, outcome: Err(lost()) });
    has(&mut desktop, &["? placed", "not known whether it is placed", "ordered once, never twice"]);
    let again = wanted(desktop.press(&["r"]));
    assert!(matches!(&again[..], [Do::Order { key: same, .. }] if *same == key));
    assert!(wanted(desktop.press(&["r"])).is_empty(), "it is being asked already");
    // The answer is lost once more, but the stream tells: the key is the correlation id.
    done(&mut desktop, Done::Ordered { key, outcome: Err(lost()) });
    let real = order(1, "PENDING", "NONE", "NONE");
    let data = json!({ "customer_id": id(1), "seller_id": id(SELLER), "lines": real.lines, "total": real.total });
    desktop.tell(event(1, "order.created", real.id, &key.to_string(), data));
    has(&mut desktop, &["○ pending"]);
    assert!(!desktop.screen((120, 40)).contains("? placed"));
    done(&mut desktop, Done::Ordered { key, outcome: Ok(Box::new(real)) });
    assert_eq!(desktop.screen((120, 40)).matches("○ pending").count(), 1, "it is there once");
}

#[test]
fn what_is_asked_again_without_a_session_is_not_known_still() {
    let mut desktop = shop();
    let key = place(&mut desktop);
    done(&mut desktop, Done::Ordered { key, outcome: Err(lost()) });
    desktop.press(&["r"]);
    let over = ClientError::NoToken("the session is over; log in again".into());
    let effects = done(&mut desktop, Done::Ordered { key, outcome: Err(over) });
    assert!(effects.is_empty(), "it is kept");
    has(&mut desktop, &["? placed", "the session is over"]);
    desktop.press(&["r"]);
    let no = refused(Code::ProductUnknown, "product 2 is not known yet");
    let effects = done(&mut desktop, Done::Ordered { key, outcome: Err(no) });
    assert!(matches!(&effects[..], [Effect::Customer(Do::Forget(gone))] if *gone == key));
    has(&mut desktop, &["✗ refused"]);
}

#[test]
fn an_answer_that_takes_long_is_said_to_and_nothing_ticks_when_it_is_there() {
    let mut desktop = shop();
    let key = place(&mut desktop);
    desktop.screen((80, 24));
    for second in 1..=7_u64 {
        assert!(desktop.app.next_tick(desktop.now).is_some(), "it is waited for");
        desktop.now.instant += std::time::Duration::from_secs(1);
        desktop.app.tick(desktop.now);
        for size in SIZES {
            let is_said = desktop.screen(size).contains(&format!("no answer for {second} s"));
            assert_eq!(is_said, second >= 3, "{second} {size:?}");
        }
    }
    done(&mut desktop, Done::Ordered { key, outcome: Err(lost()) });
    assert!(!desktop.screen((80, 24)).contains("no answer"));
    // What was told is gone after a while, and then there is nothing to draw.
    desktop.now.instant += std::time::Duration::from_secs(60);
    desktop.app.tick(desktop.now);
    assert!(desktop.app.next_tick(desktop.now).is_none(), "nobody is waited for");
    desktop.press(&["r"]);
    desktop.screen((80, 24));
    assert!(desktop.app.next_tick(desktop.now).is_some(), "it is waited for again");
    assert!(!desktop.screen((80, 24)).contains("no answer"), "not for long yet");
}

#[test]
fn another_cart_is_another_key() {
    let mut desktop = shop();
    let first = place(&mut desktop);
    desktop.press(&["1", "home"]);
    assert_ne!(first, place(&mut desktop));
}

#[test]
fn cancelling_is_asked_and_its_unknown_outcome_keeps_the_key() {
    let real = order(1, "CONFIRMED", "HELD", "OPEN");
    let mut desktop = desk(vec![real.clone()], vec![payment(&real, "OPEN")], ThemeName::Terminal);
    desktop.press(&["3", "x"]);
    has(&mut desktop, &["Cancel order ", "Nothing is charged"]);
    assert!(matches!(&wanted(desktop.press(&["y"]))[..], [Do::Agree(Agreed::Cancel(id))] if *id == real.id));
    let asked = wanted(done(&mut desktop, Done::Agreed(Agreed::Cancel(real.id))));
    let [Do::Cancel { key, .. }] = asked[..] else { panic!("it is asked for") };
    has(&mut desktop, &["… cancelling"]);
    done(&mut desktop, Done::Cancelled { id: real.id, key, outcome: Err(lost()) });
    has(&mut desktop, &["? cancelled", "not known whether it is cancelled"]);
    let again = wanted(desktop.press(&["r"]));
    assert!(matches!(&again[..], [Do::Cancel { key: same, .. }] if *same == key));
    desktop.tell(event(1, "order.cancelled", real.id, "c", json!({ "reason": "by_customer" })));
    has(&mut desktop, &["✗ cancelled"]);
}

#[test]
fn a_question_about_an_order_follows_it_and_goes_when_there_is_nothing_to_ask() {
    let real = order(1, "CONFIRMED", "HELD", "OPEN");
    let other = order(2, "CONFIRMED", "HELD", "OPEN");
    let asked = |desktop: &mut Desktop, is: &str, now_is: &str| {
        let screen = desktop.screen((120, 40));
        assert!(screen.contains(is), "{screen}");
        assert!(now_is.is_empty() || screen.contains(now_is), "{screen}");
    };
    let mut desktop = desk(vec![real.clone(), other.clone()], Vec::new(), ThemeName::Terminal);
    desktop.press(&["3", "x"]);
    asked(&mut desktop, "Nothing is charged", "");
    desktop.tell(event(1, "order.cancelled", other.id, "c", json!({ "reason": "by_customer" })));
    asked(&mut desktop, "Nothing is charged", "");
    let paid = order(1, "PAID", "HELD", "SUCCEEDED");
    desktop.tell(Msg::Done(AnyDone::Books(Role::Customer, books::Done::Order(real.id, Ok(paid)))));
    asked(&mut desktop, "Your money comes back", "has changed meanwhile");
    desktop.tell(event(2, "order.fulfilled", real.id, "c", json!({})));
    asked(&mut desktop, "it is shipped, and cannot be cancelled", "");
    assert!(!desktop.screen((120, 40)).contains("Cancel order"));
    assert!(desktop.press(&["y"]).iter().all(|effect| !matches!(effect, Effect::Customer(_))), "nothing is asked");
}

#[test]
fn what_cannot_be_done_says_why() {
    let shipped = order(1, "FULFILLED", "COMMITTED", "SUCCEEDED");
    let waits = order(2, "PENDING", "NONE", "NONE");
    let mut desktop = desk(vec![shipped, waits], Vec::new(), ThemeName::Terminal);
    desktop.press(&["3", "x", "p"]);
    has(&mut desktop, &["it is shipped, and cannot be cancelled", "it is paid; v shows the receipt"]);
    desktop.press(&["down", "p", "r"]);
    has(&mut desktop, &["nothing is due before the seller confirms", "its outcome is known"]);
}

#[test]
fn a_search_and_a_filter_find_orders_and_let_go_of_them() {
    let orders = vec![order(1, "CONFIRMED", "HELD", "OPEN"), order(2, "CANCELLED", "RELEASED", "FAILED")];
    let mut desktop = desk(orders, Vec::new(), ThemeName::Terminal);
    desktop.press(&["3", "f", "f"]);
    has(&mut desktop, &["to pay · newest first · 1 of 2"]);
    desktop.press(&["f", "/"]);
    has(&mut desktop, &["No order is like that"]);
    desktop.press(&["esc", "esc", "/"]);
    desktop.type_in("cancel");
    has(&mut desktop, &["/ cancel", "1 of 2", "✗ cancelled"]);
    desktop.press(&["esc"]);
    has(&mut desktop, &["all · newest first · 2"]);
}

#[test]
fn a_reservation_counts_down_to_nothing() {
    let mut desktop = desk(vec![order(1, "CONFIRMED", "HELD", "OPEN")], Vec::new(), ThemeName::Terminal);
    assert!(desktop.app.next_tick(desktop.now).is_none(), "nothing counts down in the shop");
    desktop.press(&["3"]);
    has(&mut desktop, &["25:00"]);
    assert!(desktop.app.next_tick(desktop.now).is_some());
    desktop.now.wall = Timestamp(NOW_MS + 25 * 60_000 - 1);
    has(&mut desktop, &["0:00 left"]);
    desktop.now.wall = Timestamp(NOW_MS + 25 * 60_000 + 1_500);
    has(&mut desktop, &["the time to pay is over"]);
    desktop.app.tick(desktop.now);
    assert!(desktop.app.next_tick(desktop.now).is_none(), "it is over: nothing is drawn any more");
}

#[test]
fn an_event_from_the_future_asks_what_time_it_is() {
    let real = order(1, "PENDING", "NONE", "NONE");
    let mut desktop = desk(vec![real.clone()], Vec::new(), ThemeName::Terminal);
    desktop.now.wall = Timestamp(NOW_MS - 31 * 60_000);
    let effects = desktop.tell(event(1, "order.paid", real.id, "c", json!({})));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Books(_, books::Do::Clock))));
}

#[test]
fn a_receipt_says_it_all() {
    let real = order(1, "PAID", "ALLOCATED", "SUCCEEDED");
    let mut desktop = desk(vec![real.clone()], Vec::new(), ThemeName::Terminal);
    let asked = wanted(desktop.press(&["3", "v"]));
    assert!(matches!(&asked[..], [Do::Payment(id)] if *id == real.id));
    has(&mut desktop, &["reading the payment"]);
    done(&mut desktop, Done::Payment(real.id, Ok(Box::new(payment(&real, "SUCCEEDED")))));
    has(&mut desktop, &["✓ PAID", "visa ···· 4242", "2 × 12.50", "TOTAL", "ch_01a203cbeff872f99f9a6220738576f9"]);
    let effects = desktop.press(&["y"]);
    assert!(matches!(&effects[..], [Effect::Copy(text)] if *text == real.id.to_string()));
    desktop.press(&["esc"]);
    assert!(!desktop.screen((120, 40)).contains("TOTAL"));
}

#[test]
fn a_receipt_that_cannot_be_read_says_so_and_does_not_deny_what_the_order_knows() {
    let real = order(1, "PAID", "ALLOCATED", "SUCCEEDED");
    let mut desktop = desk(vec![real.clone()], vec![payment(&real, "OPEN")], ThemeName::Terminal);
    desktop.press(&["3", "v"]);
    has(&mut desktop, &["✓ PAID", "reading the payment"]);
    done(&mut desktop, Done::Payment(real.id, Err(lost())));
    has(&mut desktop, &["✓ PAID", "✗ as of 10:00:00; cannot be read now:", "not answer in time", "ctrl-r tries again"]);
    assert!(!desktop.screen((120, 40)).contains("NOT PAID YET"));
    // What ctrl-r reads counts.
    desktop.now.wall = Timestamp(NOW_MS + 1_000);
    let all = books::Done::Payments(read(vec![payment(&real, "SUCCEEDED")]));
    desktop.tell(Msg::Done(AnyDone::Books(Role::Customer, all)));
    assert!(!desktop.screen((120, 40)).contains("cannot be read"));
}

#[test]
fn a_receipt_of_which_nothing_is_known_does_not_go_on_reading() {
    let real = order(1, "CONFIRMED", "HELD", "OPEN");
    let mut desktop = desk(vec![real.clone()], Vec::new(), ThemeName::Terminal);
    desktop.press(&["3", "v"]);
    done(&mut desktop, Done::Payment(real.id, Err(lost())));
    has(&mut desktop, &["cannot be read"]);
    assert!(!desktop.screen((120, 40)).contains("… reading"));
}

#[test]
fn an_open_receipt_follows_its_payment() {
    let real = order(1, "PAID", "ALLOCATED", "SUCCEEDED");
    let mut desktop = desk(vec![real.clone()], Vec::new(), ThemeName::Terminal);
    desktop.press(&["3", "v"]);
    done(&mut desktop, Done::Payment(real.id, Ok(Box::new(payment(&real, "SUCCEEDED")))));
    let other = event(1, "payment.refunded", order(2, "PAID", "ALLOCATED", "SUCCEEDED").id, "c", json!({}));
    assert!(wanted(desktop.tell(other)).is_empty());
    let refunded = event(2, "payment.refunded", real.id, "c", json!({ "refund_id": "re_1" }));
    assert!(matches!(&wanted(desktop.tell(refunded))[..], [Do::Payment(id)] if *id == real.id));
    has(&mut desktop, &["reading the payment"]);
    done(&mut desktop, Done::Payment(real.id, Ok(Box::new(payment(&real, "REFUNDED")))));
    has(&mut desktop, &["↺ PAID AND GIVEN BACK"]);
}

fn every_order() -> Vec<Order> {
    vec![
        order(1, "PENDING", "NONE", "NONE"),
        order(2, "CONFIRMED", "HELD", "OPEN"),
        order(3, "PAID", "ALLOCATED", "SUCCEEDED"),
        order(4, "FULFILLED", "COMMITTED", "SUCCEEDED"),
        order(5, "CANCELLED", "RELEASED", "REFUNDED"),
        order(6, "CANCELLED", "RELEASED", "FAILED"),
    ]
}

#[test]
fn screens_look_like_this() {
    for (name, keys) in [("shop", &["down", "a"][..]), ("cart", &["a", "a", "c"]), ("orders", &["3", "down"])] {
        let mut desktop = desk(every_order(), Vec::new(), ThemeName::Terminal);
        desktop.press(keys);
        for size in SIZES {
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), desktop.screen(size));
        }
        for theme in [ThemeName::Dark, ThemeName::None] {
            let mut desktop = desk(every_order(), Vec::new(), theme);
            desktop.press(keys);
            let shown = letters_and_colours(&desktop.buffer((80, 24)));
            insta::assert_snapshot!(format!("{name}_{}", theme.as_str()), shown);
        }
    }
}

#[test]
fn every_screen_can_be_drawn_at_every_size() {
    for keys in
        [&["a"][..], &["/", "x"], &["a", "c"], &["3"], &["3", "v"], &["3", "down", "p"], &["3", "down", "p", "ctrl-t"]]
    {
        let mut desktop = desk(every_order(), Vec::new(), ThemeName::Dark);
        desktop.press(keys);
        for width in [1, 2, 3, 10, 19, 20, 39, 40, 76, 80, 112, 200] {
            for height in [1, 2, 3, 4, 5, 6, 8, 10, 12, 18, 24, 60] {
                desktop.buffer((width, height));
            }
        }
    }
}

#[test]
fn nothing_yet_says_what_to_do() {
    let mut desktop = Desktop::of(Role::Customer);
    has(&mut desktop, &["Reading the catalogue", "newest first · …"]);
    for done in [books::Done::Products(read(Vec::new())), books::Done::Orders(read(Vec::new()))] {
        desktop.tell(Msg::Done(AnyDone::Books(Role::Customer, done)));
    }
    has(&mut desktop, &["There is nothing to buy yet"]);
    desktop.press(&["3"]);
    has(&mut desktop, &["You have not ordered anything yet"]);
    let failed = books::effects::Read { items: Vec::new(), end: Err("no route".into()) };
    desktop.tell(Msg::Done(AnyDone::Books(Role::Customer, books::Done::Orders(failed))));
    has(&mut desktop, &["✗ orders cannot be read, as of 10:00:00: no route; ctrl-r tries again"]);
}
