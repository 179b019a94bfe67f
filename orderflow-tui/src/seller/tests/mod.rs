//! The seller's desk, told messages and keys: what it wants of them, and what it shows.

mod inventory;
mod orders;
mod screens;

use orderflow_client::ClientError;
use orderflow_contracts::{
    api::{
        console::{EventRecord, Role},
        inventory::{Product, Reservation, ReservationLine, ReservationStatus},
        orders::{
            Order, OrderPayment, OrderPaymentStatus, OrderReservation, OrderReservationStatus as Stock, OrderStatus,
        },
    },
    events::{CancelReason, OrderLine, encode},
    ids::{OrderId, ProductId},
    money::{Currency, Money},
    problem::{Code, Problem},
    timestamp::Timestamp,
};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    books::{self, effects::Read},
    live::Heard,
    msg::{Done, Effect, Msg},
    seller,
    testing::{Desktop, NOW_MS, account},
    theme::ThemeName,
};

const MINUTE_MS: i64 = 60_000;

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::Usd)
}

fn order_id(number: u8) -> OrderId {
    Uuid::from_u128(0x0dd0_0000 + u128::from(number)).into()
}

fn product_id(number: u8) -> ProductId {
    Uuid::from_u128(0xbeef_0000 + u128::from(number)).into()
}

/// An order of two pieces; the higher its number, the older it is.
fn order(number: u8, status: OrderStatus) -> Order {
    let stock = match status {
        OrderStatus::Pending => Stock::None,
        OrderStatus::Confirming => Stock::Requested,
        OrderStatus::Confirmed => Stock::Held,
        OrderStatus::Paid => Stock::Allocated,
        OrderStatus::Fulfilled => Stock::Committed,
        OrderStatus::Cancelled => Stock::Released,
    };
    let expires_at = (stock == Stock::Held).then_some(Timestamp(NOW_MS + 4 * MINUTE_MS));
    let created_at = Timestamp(NOW_MS - i64::from(number) * MINUTE_MS);
    let product = product(1 + number % 3);
    let line = OrderLine { product_id: product.id, name: product.name, quantity: 2, unit_price: product.price };
    Order {
        id: order_id(number),
        status,
        customer_id: account(Role::Customer).id,
        seller_id: account(Role::Seller).id,
        total: line.unit_price.times(2).unwrap(),
        lines: vec![line],
        cancel_reason: (status == OrderStatus::Cancelled).then_some(CancelReason::Expired),
        reservation: OrderReservation { status: stock, expires_at },
        payment: OrderPayment { status: OrderPaymentStatus::None, link: None },
        version: 1,
        created_at,
        updated_at: created_at,
    }
}

fn product(number: u8) -> Product {
    let (name, minor, on_hand, reserved) = match number {
        1 => ("Test Widget", 2999, 40, 4),
        2 => ("Brass Lamp", 12_000, 3, 1),
        3 => ("Oak Table, extendable, for eight", 89_950, 2, 2),
        _ => ("Fountain Pen", 4500, 12, 0),
    };
    Product {
        id: product_id(number),
        seller_id: account(Role::Seller).id,
        name: name.into(),
        price: usd(minor),
        on_hand,
        reserved,
        available: on_hand - reserved,
        version: 1,
        created_at: Timestamp(NOW_MS),
    }
}

fn reservation(number: u8, status: ReservationStatus) -> Reservation {
    let order = order(number, OrderStatus::Confirmed);
    let lines = order.lines.iter();
    let lines = lines.map(|line| ReservationLine { product_id: line.product_id, quantity: line.quantity }).collect();
    Reservation {
        order_id: order.id,
        status,
        lines,
        expires_at: (status == ReservationStatus::Held).then_some(Timestamp(NOW_MS + 12 * MINUTE_MS)),
        created_at: order.created_at,
        updated_at: order.created_at,
    }
}

fn whole<T>(items: Vec<T>) -> Read<T> {
    Read { items, end: Ok(false) }
}

/// A seller's desk that has read this.
fn desk(orders: Vec<Order>, products: Vec<Product>, reservations: Vec<Reservation>) -> Desktop {
    desk_in(ThemeName::Terminal, orders, products, reservations)
}

fn desk_in(theme: ThemeName, orders: Vec<Order>, products: Vec<Product>, reservations: Vec<Reservation>) -> Desktop {
    let mut desk = Desktop::with(Role::Seller, theme);
    desk.tell(Msg::Live(Role::Seller, Heard::Open { whole: false }));
    let read = [
        books::Done::Orders(whole(orders)),
        books::Done::Products(whole(products)),
        books::Done::Reservations(whole(reservations)),
    ];
    for done in read {
        desk.tell(Msg::Done(Done::Books(Role::Seller, done)));
    }
    // Keys go to what was drawn.
    desk.buffer((100, 30));
    desk
}

/// One order of each status.
fn one_of_each() -> Vec<Order> {
    use OrderStatus::{Cancelled, Confirmed, Confirming, Fulfilled, Paid, Pending};
    let mut number = 0;
    [Pending, Cancelled, Confirming, Pending, Confirmed, Fulfilled, Paid]
        .map(|status| {
            number += 1;
            order(number, status)
        })
        .to_vec()
}

fn done(desk: &mut Desktop, done: seller::Done) -> Vec<seller::Do> {
    wanted(desk.tell(Msg::Done(Done::Seller(done))))
}

/// What the seller's part wants.
fn wanted(effects: Vec<Effect>) -> Vec<seller::Do> {
    let seller = |effect| match effect {
        Effect::Seller(wanted) => Some(wanted),
        _ => None,
    };
    effects.into_iter().filter_map(seller).collect()
}

/// What was asked about is answered with yes, which comes back as a message.
fn yes(desk: &mut Desktop) -> Vec<seller::Do> {
    match &wanted(desk.press(&["y"]))[..] {
        [seller::Do::Begin(verb, ids)] => done(desk, seller::Done::Begin(*verb, ids.clone())),
        other => panic!("nothing was begun: {other:?}"),
    }
}

fn event(desk: &mut Desktop, position: i64, subject: impl ToString, event: &impl Serialize) {
    let (event_type, data) = encode(event);
    let at = Timestamp(NOW_MS);
    let record: EventRecord = serde_json::from_value(json!({
        "position": position, "id": Uuid::from_u128(1), "source": "/orderflow/orders", "type": event_type,
        "subject": subject.to_string(), "sequence": 1, "correlation_id": "c", "causation_id": null, "at": at,
        "published_at": at, "received_at": at, "data": serde_json::from_slice::<Value>(&data).unwrap(),
    }))
    .unwrap();
    desk.tell(Msg::Live(Role::Seller, Heard::Event(Box::new(record))));
}

fn lost() -> ClientError {
    ClientError::Timeout { url: "http://orders".into() }
}

fn no(code: Code, detail: &str) -> ClientError {
    ClientError::Problem(Box::new(Problem::new(code, detail)))
}

/// The line of a screen that has this in it.
fn line_with(desk: &mut Desktop, part: &str) -> String {
    let screen = desk.screen((100, 30));
    let line = screen.lines().find(|line| line.contains(part)).map(str::to_owned);
    line.unwrap_or_else(|| panic!("{part} is not on the screen:\n{screen}"))
}
