use orderflow_contracts::{
    api::{
        console::{Account, EventRecord, Role},
        inventory::{Product, Reservation, ReservationStatus},
        orders::{Order, OrderPaymentStatus, OrderReservationStatus, OrderStatus},
    },
    events::{CancelReason, InventoryEvent, OrderEvent, OrderLine, PaymentEvent, encode},
    money::{Currency, Money},
    timestamp::Timestamp,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{effects::Read, *};

const ID: &str = "00000000-0000-0000-0000-000000000001";

fn record(position: i64, event: &impl Serialize) -> EventRecord {
    let (event_type, data) = encode(event);
    let at = "2026-01-01T10:00:01.500Z";
    serde_json::from_value(json!({
        "position": position, "id": ID, "source": "/orderflow/orders", "type": event_type, "subject": ID,
        "sequence": 1, "correlation_id": "c", "causation_id": null, "at": at, "published_at": at, "received_at": at,
        "data": serde_json::from_slice::<Value>(&data).unwrap(),
    }))
    .unwrap()
}

fn books() -> Books {
    Books::new(Account { id: ID.parse().unwrap(), email: "a@b.c".into(), role: Role::Customer })
}

fn created() -> OrderEvent {
    let price = Money::new(2999, Currency::Usd);
    let id = ID.parse().unwrap();
    OrderEvent::Created {
        customer_id: ID.parse().unwrap(),
        seller_id: ID.parse().unwrap(),
        lines: vec![OrderLine { product_id: id, name: "Widget".into(), quantity: 1, unit_price: price }],
        total: price,
    }
}

fn order(books: &Books) -> &Order {
    &books.orders.get(ID.parse().unwrap()).unwrap().order
}

#[test]
fn an_order_is_made_by_its_events() {
    let mut books = books();
    books.hear(&record(1, &created()));
    books.hear(&record(2, &InventoryEvent::Reserved { expires_at: 9 }));
    assert_eq!(order(&books).reservation.expires_at, Some(Timestamp(9)));
    books.hear(&record(3, &PaymentEvent::Opened { amount: Money::new(2999, Currency::Usd), pay_until: 0 }));
    books.hear(&record(4, &OrderEvent::Paid));
    books.hear(&record(5, &InventoryEvent::Allocated));
    let order = order(&books);
    assert_eq!((order.status, order.payment.status), (OrderStatus::Paid, OrderPaymentStatus::Open));
    assert_eq!(order.reservation.status, OrderReservationStatus::Allocated);
    assert_eq!(order.reservation.expires_at, None);
    assert_eq!(books.events.len(), 5);
}

#[test]
fn what_is_late_turns_nothing_back() {
    let mut books = books();
    books.hear(&record(1, &created()));
    let early = order(&books).clone();
    books.hear(&record(2, &OrderEvent::Cancelled { reason: CancelReason::Expired }));
    books.hear(&record(3, &OrderEvent::Paid));
    books.hear(&record(3, &OrderEvent::Paid));
    books.put_orders(&[early]);
    assert_eq!(order(&books).status, OrderStatus::Cancelled);
    assert_eq!(order(&books).cancel_reason, Some(CancelReason::Expired));
    assert_eq!(books.events.len(), 3, "an event that comes again is not shown twice");
}

/// As many as the console reads at one time, and more than there are.
const MOST: usize = 4;

fn product(on_hand: u32) -> Product {
    let price = Money::new(2999, Currency::Usd);
    let (id, seller_id) = (ID.parse().unwrap(), ID.parse().unwrap());
    let (name, created_at) = ("Widget".into(), Timestamp(0));
    Product { id, seller_id, name, price, on_hand, reserved: 0, available: on_hand, version: 1, created_at }
}

fn on_hand(books: &Books) -> u32 {
    books.products.get(ID.parse().unwrap()).unwrap().on_hand
}

/// Takes what is to be read again, as the console does.
fn ask(books: &mut Books) -> Vec<ProductId> {
    let ids = books.products.take_stale(MOST);
    ids.into_iter().filter(|id| books.products.ask(*id)).collect()
}

fn answer(books: &mut Books, read: Result<Product, ClientError>) {
    books.done(Done::Product(ID.parse().unwrap(), read), Timestamp(0));
}

#[test]
fn stock_that_has_moved_is_read_again_and_only_once_at_a_time() {
    let mut books = books();
    let id = ID.parse().unwrap();
    books.hear(&record(1, &created()));
    assert!(!books.products.has_stale(MOST));
    books.hear(&record(2, &InventoryEvent::Reserved { expires_at: 9 }));
    assert_eq!(ask(&mut books), [id]);
    books.hear(&record(3, &InventoryEvent::Released));
    assert!(!books.products.has_stale(MOST), "there is nothing to wake up for");
    assert!(ask(&mut books).is_empty() && !books.products.ask(id), "it is being read");
    answer(&mut books, Ok(product(3)));
    assert!(books.products.has_stale(MOST));
    assert_eq!(ask(&mut books), [id], "it has moved since it was asked for");
    answer(&mut books, Ok(product(4)));
    assert!(!books.products.has_stale(MOST) && on_hand(&books) == 4);
}

#[test]
fn a_late_answer_does_not_put_older_stock_back() {
    let mut books = books();
    let early = books.products.begin();
    assert!(books.products.ask(ID.parse().unwrap()));
    answer(&mut books, Ok(product(4)));
    books.products.put(early, product(9));
    assert_eq!(on_hand(&books), 4, "it was asked for before");
    // What a command says is newer than what is on its way, and both are looked at once more.
    assert!(books.products.ask(ID.parse().unwrap()));
    books.put_product(product(5));
    answer(&mut books, Ok(product(4)));
    assert_eq!(on_hand(&books), 5);
    assert_eq!(ask(&mut books).len(), 1);
}

#[test]
fn what_was_read_since_a_list_was_asked_for_is_newer_than_the_list() {
    let mut books = books();
    books.read_again();
    assert!(books.products.ask(ID.parse().unwrap()));
    answer(&mut books, Ok(product(4)));
    let list = |items| Done::Products(Read { items, end: Ok(false) });
    books.done(list(vec![product(9)]), Timestamp(0));
    assert_eq!(on_hand(&books), 4);
    books.done(list(Vec::new()), Timestamp(0));
    assert_eq!(on_hand(&books), 4, "it may have come since");
    books.products.begin_list();
    books.done(list(Vec::new()), Timestamp(0));
    assert!(books.products.is_empty(), "it is gone");
}

#[test]
fn only_so_many_orders_are_kept() {
    let mut book = OrderBook::default();
    let mut one = {
        let mut books = books();
        books.hear(&record(1, &created()));
        order(&books).clone()
    };
    for number in 0..ORDERS_MAX + 5 {
        one.id = uuid::Uuid::from_u128(number as u128).into();
        one.created_at = Timestamp(i64::try_from(number).unwrap());
        book.put(&one);
    }
    assert_eq!(book.len(), ORDERS_MAX);
    let newest: Vec<i64> = book.newest().take(2).map(|entry| entry.order.created_at.0).collect();
    assert_eq!(newest, [10_004, 10_003]);
}

#[test]
fn reservations_follow_the_events_and_what_is_read_late_turns_nothing_back() {
    let mut books = books();
    books.hear(&record(1, &created()));
    books.hear(&record(2, &InventoryEvent::Reserved { expires_at: 9 }));
    let held = books.reservations[0].clone();
    assert_eq!((held.status, held.expires_at), (ReservationStatus::Held, Some(Timestamp(9))));
    assert_eq!(held.lines.len(), 1, "what the order has");
    books.hear(&record(3, &InventoryEvent::Allocated));
    let early = Reservation { updated_at: Timestamp(held.updated_at.0 - 1), ..held };
    let read = Read { items: vec![early], end: Ok(false) };
    books.done(Done::Reservations(read), Timestamp(0));
    assert_eq!(books.reservations.len(), 1);
    assert_eq!((books.reservations[0].status, books.reservations[0].expires_at), (ReservationStatus::Allocated, None));
}

#[test]
fn what_was_heard_of_an_order_before_it_was_known_is_not_lost() {
    let mut books = books();
    let id = ID.parse().unwrap();
    books.hear(&record(1, &InventoryEvent::Reserved { expires_at: 9 }));
    assert!(!books.has_stale(MOST), "nobody knows it yet");
    books.hear(&record(2, &created()));
    assert_eq!(books.take_stale(MOST), [Do::Order(id)]);
    assert!(!books.has_stale(MOST), "it is read once");
    let down = ClientError::Timeout { url: "http://orders".into() };
    books.done(Done::Order(id, Err(down)), Timestamp(0));
    assert_eq!(books.take_stale(MOST), [Do::Order(id)], "it is still what it was");
    let order = order(&books).clone();
    books.done(Done::Order(id, Ok(order.clone())), Timestamp(0));
    assert!(!books.has_stale(MOST));
    // The same if a list makes it known that was read before the event.
    let mut books = self::books();
    books.hear(&record(1, &OrderEvent::Paid));
    books.put_orders(&[order]);
    assert_eq!(books.take_stale(MOST), [Do::Order(id)]);
}

/// The order of this number is paid, or something else happens to it.
fn happens(books: &mut Books, number: u128, event: &impl Serialize) {
    let mut record = record(i64::try_from(number).unwrap(), event);
    record.subject = uuid::Uuid::from_u128(number).to_string();
    books.hear(&record);
}

#[test]
fn orders_that_may_be_further_are_read_a_few_at_a_time_the_newest_first() {
    let mut books = books();
    for number in 1..=10 {
        happens(&mut books, number, &OrderEvent::Paid);
        happens(&mut books, number, &created());
    }
    let of = |number| uuid::Uuid::from_u128(number).into();
    assert_eq!(books.take_stale(MOST), [10, 9, 8, 7].map(|number| Do::Order(of(number))));
    assert!(!books.has_stale(MOST), "there is room for others");
    let order = books.orders.get(of(9)).unwrap().order.clone();
    books.done(Done::Order(of(9), Ok(order)), Timestamp(0));
    assert_eq!(books.take_stale(MOST), [Do::Order(of(6))]);
}

#[test]
fn more_than_can_be_remembered_is_in_the_list() {
    let mut books = books();
    assert!(books.read_missed().contains(&Do::Orders));
    for number in 1..=501 {
        happens(&mut books, number, &OrderEvent::Paid);
    }
    assert!(!books.has_stale(MOST), "the list is being read; it may be from before");
    let list = || Done::Orders(Read { items: Vec::new(), end: Ok(false) });
    books.done(list(), Timestamp(0));
    assert_eq!(books.take_stale(MOST), [Do::Orders]);
    assert!(!books.has_stale(MOST));
    books.done(Done::Orders(Read { items: Vec::new(), end: Err("down".into()) }), Timestamp(0));
    assert_eq!(books.take_stale(MOST), [Do::Orders], "nothing has told of them");
    books.done(list(), Timestamp(0));
    assert!(!books.has_stale(MOST), "everything that was heard until then is in it");
}

#[test]
fn a_clock_that_is_set_back_does_not_hold_a_reservation_where_it_was() {
    let mut books = books();
    books.hear(&record(1, &created()));
    books.hear(&record(2, &InventoryEvent::Reserved { expires_at: 9 }));
    let mut earlier = record(3, &InventoryEvent::Allocated);
    earlier.at = Timestamp(earlier.at.0 - 300_000);
    books.hear(&earlier);
    assert_eq!(books.reservations[0].status, ReservationStatus::Allocated);
    let held = Reservation { status: ReservationStatus::Held, ..books.reservations[0].clone() };
    books.done(Done::Reservations(Read { items: vec![held], end: Ok(false) }), Timestamp(0));
    assert_eq!(books.reservations[0].status, ReservationStatus::Allocated, "it was read before that");
}

#[test]
fn lists_are_read_once_at_a_time_and_what_changes_meanwhile_is_read_again() {
    let mut books = books();
    assert!(!books.read_again().is_empty());
    assert!(books.read_again().is_empty(), "it is on its way");
    books.hear(&record(1, &created()));
    books.hear(&record(2, &InventoryEvent::Allocated));
    let id = ID.parse().unwrap();
    books.done(Done::Products(Read { items: vec![product(9)], end: Ok(false) }), Timestamp(0));
    assert_eq!(ask(&mut books), [id], "the list may be from before");
    books.done(Done::Orders(Read { items: Vec::new(), end: Ok(false) }), Timestamp(0));
    books.done(Done::Payments(Read { items: Vec::new(), end: Err("down".into()) }), Timestamp(0));
    assert!(!books.read_again().is_empty());
}

#[test]
fn what_was_missed_while_lists_were_read_has_them_read_once_more() {
    let mut books = books();
    let lists = books.read_missed();
    assert!(books.read_missed().is_empty() && books.read_missed().is_empty(), "they are on their way");
    let read = || Done::Orders(Read { items: Vec::new(), end: Ok(false) });
    books.done(read(), Timestamp(0));
    assert!(!books.has_stale(MOST), "the others are still being read");
    books.done(Done::Products(Read { items: Vec::new(), end: Ok(false) }), Timestamp(0));
    books.done(Done::Payments(Read { items: Vec::new(), end: Ok(false) }), Timestamp(0));
    assert_eq!(books.take_stale(MOST), lists);
    assert!(!books.has_stale(MOST));
}

#[test]
fn a_desk_reads_what_it_shows() {
    for (role, payments) in [(Role::Customer, true), (Role::Seller, false), (Role::Admin, false)] {
        let reads = Books::new(Account { role, ..books().me }).read_missed();
        assert_eq!(
            (reads.contains(&Do::Payments), reads.contains(&Do::Reservations)),
            (payments, !payments),
            "{role:?}"
        );
    }
}
