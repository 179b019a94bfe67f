//! What a frame costs: the admin's list of 10,000 orders, drawn as it is and one row further each time; an event
//! applied to those books with the frame that follows; and the seller's list of as many, searched, one row further.
//!
//! `cargo bench -p orderflow-tui`, or `just bench-console`.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run ends there")]

use std::{hint::black_box, time::Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use crossterm::event::{KeyCode, KeyEvent};
use orderflow_contracts::{
    api::{
        console::{Account, EventRecord, Role},
        orders::Order,
    },
    timestamp::Timestamp,
};
use orderflow_tui::{
    app::{App, Moment, Setup},
    books::{self, effects::Read},
    config::Remembered,
    input::Input,
    keys::KeyMap,
    live::Heard,
    login,
    msg::{Done, Msg},
};
use ratatui::{Terminal, backend::TestBackend};
use serde_json::json;
use uuid::Uuid;

const ORDERS: u128 = 10_000;
const SIZE: (u16, u16) = (200, 60);

fn order(number: u128) -> Order {
    let id = Uuid::from_u128(number + 1);
    let at = Timestamp(1_767_261_600_000 + i64::try_from(number).unwrap() * 1000);
    serde_json::from_value(json!({
        "id": id, "status": "PENDING", "customer_id": id, "seller_id": id, "cancel_reason": null,
        "lines": [{ "product_id": id, "name": "Test Widget", "quantity": 2,
                    "unit_price": { "minor": 2999, "currency": "USD" } }],
        "total": { "minor": 5998, "currency": "USD" },
        "reservation": { "status": "NONE", "expires_at": null }, "payment": { "status": "NONE", "link": null },
        "version": 1, "created_at": at, "updated_at": at,
    }))
    .unwrap()
}

fn event(position: i64, number: u128) -> EventRecord {
    let (id, at) = (Uuid::from_u128(number + 1), "2026-01-01T12:00:00.000Z");
    serde_json::from_value(json!({
        "position": position, "id": Uuid::from_u128(u128::MAX - number), "source": "/orderflow/orders",
        "type": "order.cancelled", "subject": id, "sequence": 2, "correlation_id": "c", "causation_id": null,
        "at": at, "published_at": at, "received_at": at, "data": { "reason": "by_customer" },
    }))
    .unwrap()
}

/// A desk with its list of orders open, which is this screen of it.
fn console(role: Role, screen: char) -> (App, Moment) {
    let setup = Setup {
        cluster: "default".into(),
        is_running: true,
        is_local: true,
        go_as: vec![role],
        keys: KeyMap::default(),
        remembered: Remembered::default(),
        theme: None,
        mouse: false,
    };
    let (mut app, _) = App::new(setup);
    #[expect(clippy::disallowed_methods, reason = "a moment to begin with")]
    let now = Moment { instant: Instant::now(), wall: Timestamp(1_767_261_600_000) };
    let me = Account { id: Uuid::nil().into(), email: "somebody@orderflow.io".into(), role };
    app.update(Msg::Done(Done::Login(role, login::Done::In(me))), now);
    let read = Read { items: (0..ORDERS).map(order).collect(), end: Ok(false) };
    app.update(Msg::Done(Done::Books(role, books::Done::Orders(read))), now);
    press(&mut app, KeyCode::Char(screen), now);
    (app, now)
}

fn press(app: &mut App, code: KeyCode, now: Moment) {
    black_box(app.update(Msg::Input(Input::Key(KeyEvent::from(code))), now));
}

fn draw(terminal: &mut Terminal<TestBackend>, app: &mut App, now: Moment) {
    terminal.draw(|frame| app.draw(frame, now)).map(|_| ()).unwrap();
}

/// A screen, with the console on it. It is looked at once: nothing that is measured is empty.
fn screen_of(app: &mut App, now: Moment) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).unwrap();
    draw(&mut terminal, app, now);
    let shown = terminal.backend().buffer().content().iter().map(ratatui::buffer::Cell::symbol).collect::<String>();
    assert!(shown.contains("Widget"), "the list is not on the screen");
    terminal
}

fn admin(criterion: &mut Criterion) {
    let (mut app, now) = console(Role::Admin, '3');
    let mut terminal = screen_of(&mut app, now);
    criterion.bench_function("frame/10000 orders", |bench| {
        bench.iter(|| draw(&mut terminal, &mut app, now));
    });
    criterion.bench_function("row down and frame/10000 orders", |bench| {
        bench.iter(|| {
            press(&mut app, KeyCode::Down, now);
            draw(&mut terminal, &mut app, now);
        });
    });
    let mut position = 0;
    criterion.bench_function("event and frame/10000 orders", |bench| {
        bench.iter(|| {
            position += 1;
            let record = event(position, u128::try_from(position).unwrap() % ORDERS);
            app.update(Msg::Live(Role::Admin, Heard::Event(Box::new(record))), now);
            draw(&mut terminal, &mut app, now);
        });
    });
}

fn seller(criterion: &mut Criterion) {
    let (mut app, now) = console(Role::Seller, '1');
    press(&mut app, KeyCode::Char('/'), now);
    "widget".chars().for_each(|letter| press(&mut app, KeyCode::Char(letter), now));
    press(&mut app, KeyCode::Enter, now);
    let mut terminal = screen_of(&mut app, now);
    criterion.bench_function("row down and frame/10000 orders of a seller, searched", |bench| {
        bench.iter(|| {
            press(&mut app, KeyCode::Down, now);
            draw(&mut terminal, &mut app, now);
        });
    });
}

criterion_group!(benches, admin, seller);
criterion_main!(benches);
