//! One order at every turn, and everything that can be in its way.

use orderflow_contracts::{
    api::{console::EventRecord, orders::OrderReservationStatus, payments::Payment},
    timestamp::Timestamp,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{turn::Known, *};

const NOW: i64 = 1_800_000_000_000;
const ORDER: &str = "00000000-0000-0000-0000-000000000001";

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn at(ms: i64) -> Timestamp {
    Timestamp(NOW + ms)
}

fn event_id(number: u128) -> Uuid {
    Uuid::from_u128(0x100 + number)
}

/// An order as far as it goes, with everything that was told of it: each event published after 3 ms and applied after
/// 5 more.
struct Story {
    facts: Facts,
    told: u128,
}

impl Story {
    fn of(status: &str, stock: Option<&str>, money: Option<&str>) -> Self {
        let heard = |it: Option<&str>| it.unwrap_or("NONE").to_owned();
        let order = json!({
            "id": ORDER, "status": status, "customer_id": ORDER, "seller_id": ORDER, "lines": [],
            "total": { "minor": 1000, "currency": "USD" },
            "cancel_reason": (status == "CANCELLED").then_some("by_customer"),
            "reservation": { "status": heard(stock), "expires_at": null },
            "payment": { "status": heard(money), "link": null },
            "version": 1, "created_at": at(-60_000), "updated_at": at(-60_000),
        });
        let reservation = stock.map(|status| {
            let expires_at = (status == "HELD").then_some(at(1_752_000));
            read(json!({
                "order_id": ORDER, "status": status, "lines": [{ "product_id": ORDER, "quantity": 1 }],
                "expires_at": expires_at, "created_at": at(0), "updated_at": at(0),
            }))
        });
        let payment = money.map(|status| payment(status, None));
        let facts = Facts {
            now: at(0),
            machine_now: at(0),
            offsets: BTreeMap::new(),
            sees_all: true,
            order: read(order),
            reservation: Known::of(reservation),
            payment: Known::of(payment),
            events: Vec::new(),
            next: Vec::new(),
            outboxes: [Service::Orders, Service::Inventory, Service::Payments].map(|it| (it, Vec::new())).into(),
            inboxes: Service::WITH_CLOCK.map(|it| (it, BTreeMap::new())).into(),
            letters: Vec::new(),
            down: BTreeMap::new(),
            processes: Vec::new(),
            cuts: Vec::new(),
            unread: Vec::new(),
        };
        let mut story = Self { facts, told: 0 };
        story.tell("order.created", None);
        story
    }

    /// Something has happened, a minute ago and 20 ms after the event before.
    fn tell(&mut self, event_type: &str, cause: Option<u128>) -> u128 {
        self.told += 1;
        let number = self.told;
        let happened = i64::try_from(number).unwrap() * 20 - 60_000;
        let service = match event_type.split('.').next() {
            Some("order") => Service::Orders,
            Some("inventory") => Service::Inventory,
            _ => Service::Payments,
        };
        let record: EventRecord = read(json!({
            "position": number, "id": event_id(number), "source": format!("/orderflow/{}", service.name()),
            "type": event_type, "subject": ORDER, "sequence": number, "correlation_id": "c",
            "causation_id": cause.map(event_id), "at": at(happened), "published_at": at(happened + 3),
            "received_at": at(happened + 8), "data": {},
        }));
        self.commit(event_type, service, number, true);
        let topic = crate::verify::Topic::named(topic_name(service));
        for consumer in topic.consumers() {
            let row = read(json!({
                "event_id": record.id, "topic": topic_name(service), "subject": ORDER, "applied_at": at(happened + 8),
                "duplicates": 0,
            }));
            self.facts.inboxes.get_mut(consumer).unwrap().insert(record.id, row);
        }
        self.facts.events.push(record);
        number
    }

    /// Something is committed, and nobody has heard of it.
    fn commit(&mut self, event_type: &str, service: Service, number: u128, published: bool) {
        let happened = i64::try_from(number).unwrap() * 20 - 60_000;
        let row = read(json!({
            "id": number, "event_id": event_id(number), "topic": topic_name(service), "subject": ORDER,
            "type": event_type, "sequence": number, "created_at": at(happened), "published": published,
        }));
        self.facts.outboxes.get_mut(&service).unwrap().push(row);
    }

    fn confirming() -> Self {
        let mut story = Self::of("CONFIRMING", None, None);
        story.facts.order.reservation.status = OrderReservationStatus::Requested;
        story.tell("order.confirmation_requested", None);
        story
    }

    fn payable() -> Self {
        let mut story = Self::of("CONFIRMED", Some("HELD"), Some("OPEN"));
        let requested = story.tell("order.confirmation_requested", None);
        let reserved = story.tell("inventory.reserved", Some(requested));
        let confirmed = story.tell("order.confirmed", Some(reserved));
        story.tell("payment.opened", Some(confirmed));
        story
    }

    #[track_caller]
    fn is_blocked_by(&self, blocks: &[(BlockKind, &str)]) -> Explanation {
        let explanation = explain(&self.facts);
        let found: Vec<_> = explanation.blocked_by.iter().map(|it| (it.kind, it.what.as_str())).collect();
        assert_eq!(found, blocks, "{explanation:#?}");
        explanation
    }
}

/// Each service's topic has its name.
const fn topic_name(service: Service) -> &'static str {
    service.name()
}

fn payment(status: &str, call: Option<Value>) -> Payment {
    read(json!({
        "order_id": ORDER, "status": status, "customer_id": ORDER, "amount": { "minor": 1000, "currency": "USD" },
        "pay_until": null, "charge_id": null, "refund_id": null, "decline_code": null, "card": null, "call": call,
        "created_at": at(0), "updated_at": at(0),
    }))
}

#[test]
fn whose_turn_it_is() {
    for (status, stock, money, who, over) in [
        ("PENDING", None, None, vec!["seller"], false),
        ("CONFIRMING", None, None, vec!["inventory"], false),
        ("CONFIRMING", Some("HELD"), None, vec!["orders"], false),
        ("CONFIRMED", Some("HELD"), None, vec!["payments"], false),
        ("CONFIRMED", Some("HELD"), Some("OPEN"), vec!["customer"], false),
        ("CONFIRMED", Some("EXPIRED"), Some("OPEN"), vec!["orders"], false),
        ("PAID", Some("ALLOCATED"), Some("SUCCEEDED"), vec!["seller"], false),
        ("PAID", Some("HELD"), Some("SUCCEEDED"), vec!["inventory"], false),
        ("FULFILLED", Some("ALLOCATED"), Some("SUCCEEDED"), vec!["inventory"], false),
        ("FULFILLED", Some("COMMITTED"), Some("SUCCEEDED"), vec![], true),
        ("CANCELLED", Some("HELD"), Some("OPEN"), vec!["inventory", "payments"], false),
        ("CANCELLED", Some("ALLOCATED"), Some("SUCCEEDED"), vec!["inventory", "payments"], false),
        ("CANCELLED", Some("RELEASED"), Some("REFUNDED"), vec![], true),
        ("CANCELLED", None, None, vec!["inventory", "payments"], false),
    ] {
        let explanation = explain(&Story::of(status, stock, money).facts);
        let turns: Vec<_> = explanation.turns.iter().map(|turn| turn.who).collect();
        assert_eq!((turns, explanation.over), (who, over), "{status} {stock:?} {money:?}");
    }
}

#[test]
fn where_a_service_is_silent_the_order_is_believed() {
    let mut story = Story::confirming();
    story.facts.reservation = Known::Unknown;
    story.facts.payment = Known::Unknown;
    assert_eq!(explain(&story.facts).turns[0].who, "inventory");
    let mut story = Story::of("CANCELLED", Some("RELEASED"), Some("REFUNDED"));
    story.facts.reservation = Known::Unknown;
    assert!(explain(&story.facts).over);
}

#[test]
fn a_person_who_has_not_decided() {
    let explanation =
        Story::of("PENDING", None, None).is_blocked_by(&[(BlockKind::Person, "the seller has not confirmed")]);
    assert_eq!(explanation.waits_for, "seller confirms the order, or calls it off");
    let explanation = Story::payable()
        .is_blocked_by(&[(BlockKind::Person, "the customer has not paid; the reservation expires in 29m12s")]);
    assert_eq!(explanation.turns[0].until, Some(at(1_752_000)));
    let paid = Story::of("PAID", Some("ALLOCATED"), Some("SUCCEEDED"));
    paid.is_blocked_by(&[(BlockKind::Person, "the seller has not shipped")]);
}

#[test]
fn an_event_that_is_not_published() {
    let mut story = Story::of("CONFIRMING", None, None);
    story.commit("order.confirmation_requested", Service::Orders, 2, false);
    let what = "order.confirmation_requested waits in the outbox of orders for 59.9s now";
    let explanation = story.is_blocked_by(&[(BlockKind::Unpublished, what)]);
    let hop = &explanation.hops[1];
    assert_eq!((hop.event.as_str(), hop.published, hop.outbox_ms), ("order.confirmation_requested", false, None));
    assert_eq!(explanation.blocked_by[0].event_id, Some(event_id(2).into()));
}

#[test]
fn an_event_that_nobody_has_applied_yet() {
    let mut story = Story::confirming();
    story.facts.inboxes.get_mut(&Service::Inventory).unwrap().remove(&event_id(2).into());
    // What the console has not heard keeps nobody from going on.
    story.facts.inboxes.get_mut(&Service::Console).unwrap().clear();
    let what = "order.confirmation_requested (59.9s ago) is published and not yet applied by inventory";
    story.is_blocked_by(&[(BlockKind::NotApplied, what)]);
}

#[test]
fn what_the_inboxes_have_forgotten_blocks_nobody() {
    let mut story = Story::of("FULFILLED", Some("COMMITTED"), Some("SUCCEEDED"));
    story.facts.outboxes.values_mut().for_each(Vec::clear);
    story.facts.inboxes.values_mut().for_each(BTreeMap::clear);
    story.facts.machine_now = at(31 * 24 * 3600 * 1000);
    let explanation = story.is_blocked_by(&[]);
    assert!(explanation.hops.iter().all(|hop| hop.consumers.is_empty()), "{explanation:#?}");
}

#[test]
fn a_service_that_is_needed_and_down() {
    let mut story = Story::confirming();
    story.facts.down.insert(Service::Inventory, "does not answer".into());
    story.facts.down.insert(Service::Payments, "does not answer".into());
    story.facts.inboxes.remove(&Service::Inventory);
    story.facts.reservation = Known::Unknown;
    story.is_blocked_by(&[(BlockKind::ServiceDown, "inventory does not answer")]);
    // The supervisor knows more.
    let process = |name: &str, state: &str| Process {
        name: name.into(),
        state: state.into(),
        is_ready: state == "ready",
        reason: None,
        restarts: 2,
        uptime_ms: 1_000,
    };
    story.facts.processes =
        vec![process("inventory", "paused"), process("broker", "restarting"), process("psp", "ready")];
    let explanation = story.is_blocked_by(&[
        (BlockKind::ServiceDown, "inventory is paused"),
        (BlockKind::ServiceDown, "broker is restarting"),
    ]);
    assert_eq!(explanation.restarts["broker"], 2);
    assert_eq!(explanation.restarted_at, [("psp".to_owned(), at(-1_000))].into(), "the others are not up again");
}

#[test]
fn a_service_that_is_needed_and_cut_off() {
    let mut story = Story::confirming();
    let cut = |service: &str| Cut { service: service.into(), from: "broker".into() };
    story.facts.cuts = vec![cut("inventory"), cut("payments")];
    story.is_blocked_by(&[(BlockKind::CutOff, "inventory is cut off from broker")]);
}

#[test]
fn a_dead_letter() {
    let mut story = Story::confirming();
    let id = event_id(2);
    let letter = json!({
        "id": ORDER, "status": "open", "reason": "unknown type", "topic": "orders", "partition": 0, "offset": 1,
        "key": ORDER, "headers": [["ce_type", "order.confirmation_requested"], ["ce_id", id]], "payload": {},
        "created_at": at(-1000),
    });
    story.facts.letters.push((Service::Inventory, read(letter)));
    let what = format!("order.confirmation_requested is a dead letter of inventory ({ORDER}): unknown type");
    let explanation = story.is_blocked_by(&[(BlockKind::DeadLetter, &what)]);
    assert_eq!(explanation.blocked_by[0].event_id, Some(id.into()));
}

#[test]
fn a_charge_whose_outcome_is_not_known() {
    let mut story = Story::payable();
    let call = json!({ "kind": "charge", "tries": 4, "next_try_at": at(1_500), "last_error": "no answer" });
    story.facts.payment = Known::There(payment("PROCESSING", Some(call)));
    story.facts.down.insert(Service::Provider, "does not answer".into());
    let what = "the provider was asked 4 times for the charge, the last time without an answer (no answer); it is asked \
                again in 1.5s, with the same key";
    let explanation =
        story.is_blocked_by(&[(BlockKind::ServiceDown, "provider does not answer"), (BlockKind::ProviderCall, what)]);
    assert_eq!((explanation.stands.as_str(), explanation.next[0].who.as_str()), ("is being paid", "provider"));
}

#[test]
fn a_time_that_is_over() {
    let mut story = Story::payable();
    story.facts.now = at(1_760_000);
    let what = "the time to pay was over 8.0s ago; inventory ends the reservation a little later";
    let explanation = story.is_blocked_by(&[(BlockKind::Deadline, what)]);
    assert_eq!(explanation.turns[0].who, "inventory");
}

#[test]
fn nothing_in_the_way_and_nothing_happens() {
    let story = Story::confirming();
    let explanation = explain(&story.facts);
    assert_eq!(explanation.blocked_by[0].kind, BlockKind::Unexplained);
    // A moment after something has happened it is on its way.
    let mut story = Story::confirming();
    story.facts.machine_now = at(-59_000);
    story.is_blocked_by(&[]);
}

#[test]
fn who_is_no_admin_sees_less_and_is_told_so() {
    let mut story = Story::confirming();
    story.facts.sees_all = false;
    story.facts.outboxes.clear();
    story.facts.inboxes.clear();
    let explanation = story.is_blocked_by(&[]);
    assert!(explanation.notes[0].contains("--as admin"), "{explanation:#?}");
    assert!(explanation.hops.iter().all(|hop| hop.consumers.is_empty() && hop.outbox_ms == Some(3)));
}

#[test]
fn each_hop_has_its_cause_and_its_times() {
    let mut story = Story::payable();
    let reserved = event_id(3).into();
    story.facts.inboxes.get_mut(&Service::Orders).unwrap().get_mut(&reserved).unwrap().duplicates = 2;
    story.facts.inboxes.get_mut(&Service::Console).unwrap().get_mut(&reserved).unwrap().duplicates = 1;
    let hops = explain(&story.facts).hops;
    let summary: Vec<_> = hops.iter().map(|hop| (hop.event.as_str(), hop.depth, hop.elapsed_ms, hop.by)).collect();
    let expected = [
        ("order.created", 0, 0, Some("customer")),
        ("order.confirmation_requested", 0, 20, Some("seller")),
        ("inventory.reserved", 1, 40, None),
        ("order.confirmed", 2, 60, None),
        ("payment.opened", 3, 80, None),
    ];
    assert_eq!(summary, expected);
    let hop = &hops[2];
    assert_eq!((hop.outbox_ms, hop.handler_ms, hop.duplicates), (Some(3), Some(12), 3));
    assert_eq!(
        hop.consumers.iter().map(|it| (it.service, it.kafka_ms)).collect::<Vec<_>>(),
        [("orders", Some(5)), ("console", Some(5))]
    );
}

#[test]
fn a_clock_that_was_moved_makes_no_time_negative() {
    let mut story = Story::payable();
    let moved = 31 * 60_000;
    for service in Service::WITH_CLOCK {
        story.facts.offsets.insert(service, moved);
    }
    // All of it has happened while the clock was ahead.
    let ahead = |at: &mut Timestamp| at.0 += moved;
    story.facts.events.iter_mut().for_each(|event| ahead(&mut event.at));
    let hop = explain(&story.facts).hops.remove(2);
    assert_eq!((hop.outbox_ms, hop.consumers[0].kafka_ms, hop.handler_ms), (Some(3), Some(5), Some(12)));
    // Who does not see the outbox has only the service's clock, and what it is ahead now.
    story.facts.outboxes.clear();
    assert_eq!(explain(&story.facts).hops[2].outbox_ms, Some(3));
}

#[test]
fn what_is_given_back_is_marked() {
    let mut story = Story::of("CANCELLED", Some("RELEASED"), Some("VOIDED"));
    let cancelled = story.tell("order.cancelled", None);
    story.tell("inventory.released", Some(cancelled));
    story.tell("payment.voided", Some(cancelled));
    let explanation = explain(&story.facts);
    let marked: Vec<_> = explanation.hops.iter().map(|hop| hop.compensation).collect();
    assert_eq!((marked, explanation.over), (vec![false, false, true, true], true));
    assert_eq!(explanation.waits_for, "nothing: the order is over");
}

#[test]
fn a_diagram() {
    let mut story = Story::payable();
    story.facts.events.retain(|event| event.id != event_id(5).into());
    story.facts.outboxes.get_mut(&Service::Payments).unwrap()[0].published = false;
    story.facts.order.cancel_reason = None;
    let expected = "\
sequenceDiagram
    autonumber
    actor customer
    actor seller
    participant orders
    participant inventory
    participant payments
    customer->>orders: orders
    Note over orders: order.created (outbox 3ms)
    seller->>orders: confirms
    orders->>inventory: order.confirmation_requested (outbox 3ms, Kafka 5ms)
    inventory->>orders: inventory.reserved (outbox 3ms, Kafka 5ms)
    Note over orders: order.confirmed (outbox 3ms)
    payments-xorders: payment.opened
    Note over payments: blocked: payment.opened waits in the outbox of payments for 59.9s now
    Note over customer: blocked: the customer has not paid  the reservation expires in 29m12s
    Note over customer: still to come: pays
    Note over orders: CONFIRMED: waits for the customer to pay
";
    assert_eq!(mermaid(&explain(&story.facts)), expected);
}

#[test]
fn spans_are_for_people() {
    for (ms, text) in [(0, "0ms"), (999, "999ms"), (1_250, "1.2s"), (61_000, "1m1s"), (7_260_000, "2h1m"), (-5, "-5ms")]
    {
        assert_eq!(span(ms), text);
    }
}
