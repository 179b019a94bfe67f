//! Each lesson, played with events and outcomes that are made up.

mod console;
mod panel;
mod plays;

use std::cell::Cell;

use orderflow_contracts::{
    api::console::{EventRecord, Role},
    events::{CancelReason, InventoryEvent, OrderEvent, OrderLine, PaymentEvent, encode},
    ids::OrderId,
    money::{Currency, Money},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    course::{Help, LESSONS, Lesson},
    effects::{Do, Finding, Outcome, Scene, Step, Task, Trouble},
    tour::{Moved, Tour},
};

const MINE: &str = "00000000-0000-0000-0000-00000000000a";
const THEIRS: &str = "00000000-0000-0000-0000-00000000000b";
const PRODUCT: &str = "00000000-0000-0000-0000-00000000000c";
const OTHER: &str = "00000000-0000-0000-0000-00000000000d";

fn id(text: &str) -> OrderId {
    text.parse().unwrap()
}

fn record(order: &str, event: &impl Serialize) -> EventRecord {
    thread_local!(static RECORDS: Cell<u32> = const { Cell::new(0) });
    let number = RECORDS.replace(RECORDS.get() + 1);
    let (event_type, data) = encode(event);
    // One after the other, as they are made up.
    let at = format!("2026-01-01T10:00:01.{:03}Z", 500 + number);
    let id = format!("00000000-0000-0000-0001-{number:012}");
    serde_json::from_value(json!({
        "position": 1, "id": id, "source": "/orderflow/orders", "type": event_type, "subject": order,
        "sequence": 1, "correlation_id": "c", "causation_id": null, "at": at, "published_at": at, "received_at": at,
        "data": serde_json::from_slice::<Value>(&data).unwrap(),
    }))
    .unwrap()
}

fn created(product: &str) -> OrderEvent {
    let total = Money::new(2490, Currency::Usd);
    let line = OrderLine { product_id: product.parse().unwrap(), name: "x".into(), quantity: 1, unit_price: total };
    let account = MINE.parse().unwrap();
    OrderEvent::Created { customer_id: account, seller_id: account, lines: vec![line], total }
}

fn confirming() -> OrderEvent {
    let account = MINE.parse().unwrap();
    OrderEvent::ConfirmationRequested { customer_id: account, seller_id: account, lines: Vec::new() }
}

fn confirmed() -> OrderEvent {
    let account = MINE.parse().unwrap();
    let total = Money::new(2490, Currency::Usd);
    OrderEvent::Confirmed { customer_id: account, seller_id: account, total, pay_until: 0 }
}

fn opened() -> PaymentEvent {
    PaymentEvent::Opened { amount: Money::new(2490, Currency::Usd), pay_until: 0 }
}

fn reserved() -> InventoryEvent {
    InventoryEvent::Reserved { expires_at: 0 }
}

fn cancelled(reason: CancelReason) -> OrderEvent {
    OrderEvent::Cancelled { reason }
}

fn charged() -> PaymentEvent {
    PaymentEvent::Succeeded { charge_id: "ch_1".into() }
}

fn lesson(name: &str) -> &'static Lesson {
    LESSONS.into_iter().find(|lesson| lesson.name == name).unwrap()
}

fn scene(lesson: &Lesson) -> Scene {
    let product = serde_json::from_value(json!({
        "id": PRODUCT, "seller_id": MINE, "name": lesson.piece.name,
        "price": { "minor": lesson.piece.cents, "currency": "USD" }, "on_hand": 5, "reserved": 0, "available": 5,
        "version": 1, "created_at": "2026-01-01T00:00:00Z",
    }));
    Scene { product: product.unwrap(), key: "k".into(), known: Vec::new(), warnings: Vec::new() }
}

/// A lesson, and what was wanted last.
struct Play {
    tour: Tour,
    wanted: Vec<Do>,
}

impl Play {
    /// With everything ready, at its second step.
    fn of(name: &str) -> Self {
        let lesson = lesson(name);
        let (tour, wanted) = Tour::of(lesson, 1);
        let mut play = Self { tour, wanted };
        assert_eq!(play.task(), &Task::Prepare(lesson));
        play.done(Outcome::Ready(Box::new(scene(lesson))));
        play.is_at("What this is about").next();
        play
    }

    /// The one thing that is wanted.
    #[track_caller]
    fn task(&self) -> &Task {
        match self.wanted.as_slice() {
            [Do::For(_, task)] => task,
            other => panic!("{other:?}"),
        }
    }

    /// What is under way is done.
    fn done(&mut self, outcome: Outcome) -> &mut Self {
        self.came(Ok(outcome))
    }

    fn came(&mut self, done: Result<Outcome, Trouble>) -> &mut Self {
        let [Do::For(step, _)] = self.wanted[..] else { panic!("{:?}", self.wanted) };
        self.wanted = self.tour.done(step, done);
        self
    }

    fn hear(&mut self, event: &impl Serialize) -> &mut Self {
        self.hear_of(MINE, event)
    }

    fn hear_of(&mut self, order: &str, event: &impl Serialize) -> &mut Self {
        self.tour.hear(Role::Customer, &record(order, event));
        self
    }

    fn help(&mut self) -> &mut Self {
        self.wanted = self.tour.help();
        self
    }

    fn tick(&mut self) -> &mut Self {
        self.wanted = self.tour.tick();
        self
    }

    #[track_caller]
    fn next(&mut self) -> &mut Self {
        match self.tour.next() {
            Moved::On(wanted) => self.wanted = wanted,
            Moved::Left(_) => panic!("it is left"),
        }
        self
    }

    #[track_caller]
    fn is_at(&mut self, title: &str) -> &mut Self {
        assert_eq!(self.tour.step().title, title);
        self
    }

    /// The person says so, and it goes on.
    #[track_caller]
    fn goes_to(&mut self, title: &str) -> &mut Self {
        self.next().is_at(title)
    }

    /// The order is placed, by the person.
    fn ordered(&mut self) -> &mut Self {
        self.is_at("Order").hear(&created(PRODUCT))
    }

    /// The check at the end, and all is as it has to be.
    #[track_caller]
    fn checked(&mut self) -> &mut Self {
        assert!(matches!(self.task(), Task::Check(exam) if exam.order == id(MINE)), "{:?}", self.wanted);
        assert!(!self.tour.is_learnt());
        self.done(Outcome::Found(vec![Finding { ok: true, text: "verify: all 16 checks hold".into() }]))
    }

    #[track_caller]
    fn is_learnt(&mut self) {
        assert!(self.tour.is_learnt());
        let mends = matches!(self.tour.next(), Moved::Left(wanted) if wanted.is_empty());
        assert!(mends, "nothing is broken any more");
    }
}

/// The help that a step offers, by its title.
fn helps(name: &str) -> Vec<Help> {
    lesson(name).steps.iter().filter_map(|step| step.help).collect()
}
