//! The admin's screens as a person uses them: keys and answers in, effects and screens out.

use std::path::Path;

use orderflow_client::Service;
use orderflow_cluster::control::Status;
use orderflow_contracts::{
    api::{
        Page, Readiness,
        console::{EventRecord, Role},
        ops::{AuditCheck, AuditEntry},
    },
    money::{Currency, Money},
    timestamp::Timestamp,
};
use serde_json::{Value, json};

use super::{
    Do, Done,
    effects::{AuditPart, Seen},
    logs::tail::{self, Tail},
    procfs::{Reading, Taken},
};
use crate::{
    books,
    live::Heard,
    msg::{self, Effect, Msg},
    testing::{Desktop, NOW_MS, SIZES, letters_and_colours},
    theme::ThemeName,
};

/// An event of one order, heard seven milliseconds after it was committed.
pub(super) fn record_at(position: i64, event_type: &str, at_ms: i64) -> EventRecord {
    let id = "00000000-0000-0000-0000-000000000001";
    let service = match event_type.split('.').next() {
        Some("inventory" | "catalog") => "inventory",
        Some("payment") => "payments",
        _ => "orders",
    };
    let mut record: EventRecord = serde_json::from_value(json!({
        "position": position, "id": id, "source": format!("/orderflow/{service}"), "type": event_type, "subject": id,
        "sequence": 1, "correlation_id": "c", "causation_id": null, "at": "2026-01-01T10:00:00Z",
        "published_at": "2026-01-01T10:00:00Z", "received_at": "2026-01-01T10:00:00Z", "data": data_of(event_type),
    }))
    .unwrap();
    (record.at, record.published_at, record.received_at) =
        (Timestamp(at_ms), Timestamp(at_ms + 3), Timestamp(at_ms + 7));
    record
}

fn data_of(event_type: &str) -> Value {
    let price = json!(Money::new(2999, Currency::Usd));
    let id = "00000000-0000-0000-0000-000000000002";
    let line = json!({ "product_id": id, "name": "Test Widget", "quantity": 2, "unit_price": price });
    match event_type {
        "order.created" => json!({ "customer_id": id, "seller_id": id, "lines": [line], "total": price }),
        "order.cancelled" => json!({ "reason": "payment_failed" }),
        "inventory.reserved" => json!({ "expires_at": NOW_MS + 1_700_000 }),
        "payment.succeeded" => json!({ "charge_id": "ch_1" }),
        _ => json!({}),
    }
}

/// Somebody at work, with what the books read first.
pub(super) fn desk(theme: ThemeName) -> Desktop {
    let mut desktop = Desktop::with(Role::Admin, theme);
    let read = books::effects::Read { items: Vec::new(), end: Ok(false) };
    desktop.tell(Msg::Done(msg::Done::Books(Role::Admin, books::Done::Orders(read))));
    desktop
}

pub(super) fn told(desktop: &mut Desktop, done: Done) -> Vec<Effect> {
    desktop.tell(Msg::Done(msg::Done::Admin(done)))
}

/// What is wanted of the admin's own.
pub(super) fn wanted(effects: Vec<Effect>) -> Vec<Do> {
    let own = |effect| if let Effect::Admin(wanted) = effect { Some(wanted) } else { None };
    effects.into_iter().filter_map(own).collect()
}

fn hear(desktop: &mut Desktop, events: &[(&str, i64)]) {
    for (position, (event_type, at)) in (1..).zip(events) {
        let record = record_at(position, event_type, NOW_MS + at);
        desktop.tell(Msg::Live(Role::Admin, Heard::Event(Box::new(record))));
    }
}

/// A second goes by.
fn second(desktop: &mut Desktop) -> Vec<Effect> {
    desktop.app.next_tick(desktop.now);
    desktop.now.instant += std::time::Duration::from_secs(1);
    desktop.now.wall = Timestamp(desktop.now.wall.0 + 1000);
    desktop.app.tick(desktop.now)
}

fn status() -> Status {
    let process = |name: &str, pid: Option<u32>, state: &str| {
        json!({
            "name": name, "pid": pid, "state": state, "restarts": 0, "reason": null,
            "address": "127.0.0.1:3001", "uptime_ms": 754_000, "resumes_at_ms": null, "log": format!("/c/logs/{name}.log"),
        })
    };
    let mut processes = [
        process("postgres", Some(10), "ready"),
        process("orders", Some(11), "unhealthy"),
        process("payments", Some(12), "paused"),
    ];
    processes[1]["restarts"] = json!(3);
    processes[1]["reason"] = json!("relay: what is committed cannot be published: Kafka is not there");
    processes[2]["resumes_at_ms"] = json!(NOW_MS + 4_000);
    let at = "http://127.0.0.1:3000";
    let endpoints = json!({
        "console": at, "orders": at, "inventory": at, "payments": at, "provider": at, "broker": at, "postgres": at,
    });
    serde_json::from_value(json!({
        "name": "default", "supervisor_pid": 9, "healthy": false, "processes": processes, "endpoints": endpoints,
        "cuts": [{ "service": "orders", "from": "broker", "ends_at_ms": NOW_MS + 12_000, "dropped": 3 }], "lab": true,
    }))
    .unwrap()
}

fn processes() -> Done {
    let taken = [(10, 900, 130 << 20), (11, 400, 30 << 20), (12, 10, 3 << 30)];
    let taken = taken.into_iter().map(|(pid, cpu_ms, memory)| (pid, Taken { cpu_ms, memory })).collect();
    Done::Status(Seen::Processes(Box::new(status()), Some(Reading { at_ms: 2_000, taken })))
}

#[test]
fn health_is_asked_every_two_seconds_and_only_while_it_is_looked_at() {
    let mut desktop = Desktop::of(Role::Admin);
    let read = books::effects::Read { items: Vec::new(), end: Ok(false) };
    let first = desktop.tell(Msg::Done(msg::Done::Books(Role::Admin, books::Done::Orders(read))));
    assert_eq!(wanted(first), [Do::Status]);
    desktop.screen((80, 24));
    assert!(wanted(second(&mut desktop)).is_empty(), "no answer yet");
    told(&mut desktop, processes());
    assert_eq!(wanted(second(&mut desktop)), [Do::Status]);
    told(&mut desktop, processes());
    assert!(wanted(second(&mut desktop)).is_empty());
    desktop.press(&["4"]);
    desktop.screen((80, 24));
    assert!((0..5).all(|_| second(&mut desktop).is_empty()), "the stream comes by itself");
}

#[test]
fn health_shows_what_is_wrong_in_words() {
    for (width, height) in SIZES {
        let mut desktop = desk(ThemeName::Terminal);
        told(&mut desktop, processes());
        insta::assert_snapshot!(format!("health_{width}x{height}"), desktop.screen((width, height)));
    }
    for (name, theme) in [("dark", ThemeName::Dark), ("none", ThemeName::None)] {
        let mut desktop = desk(theme);
        told(&mut desktop, processes());
        insta::assert_snapshot!(format!("health_colours_{name}"), letters_and_colours(&desktop.buffer((80, 12))));
    }
}

#[test]
fn where_no_supervisor_is_the_services_speak_for_themselves() {
    let mut desktop = desk(ThemeName::Terminal);
    let not_ready = serde_json::from_value(json!({
        "ready": false, "not_ready": [{ "part": "database", "reason": "no answer for 2 s" }],
    }));
    let services = vec![
        (Service::Console, Ok(Readiness { ready: true, not_ready: Vec::new() })),
        (Service::Orders, Ok(not_ready.unwrap())),
        (Service::Provider, Err("http://psp cannot be reached".to_owned())),
    ];
    told(&mut desktop, Done::Status(Seen::Services(services, "no cluster runs in /c".to_owned())));
    let screen = desktop.screen((80, 12));
    for word in ["✓ ready", "✗ not ready", "database: no answer for 2 s", "✗ silent"] {
        assert!(screen.contains(word), "{word}: {screen}");
    }
    desktop.press(&["7"]);
    assert!(desktop.screen((100, 12)).contains("logs are read from this machine's cluster"));
}

#[test]
fn the_flow_is_made_of_events_and_of_the_services_numbers() {
    let mut desktop = desk(ThemeName::Terminal);
    let effects = desktop.press(&["2"]);
    assert_eq!(wanted(effects), [Do::Metrics]);
    let events = [
        ("order.created", 0),
        ("order.confirmation_requested", 10),
        ("inventory.reserved", 30),
        ("order.confirmed", 52),
        ("payment.succeeded", 100),
        ("order.paid", 130),
        ("inventory.allocated", 145),
        ("order.cancelled", 200),
        ("payment.refunded", 1_900),
    ];
    hear(&mut desktop, &events);
    let text = "orderflow_outbox_pending 7\norderflow_outbox_published_total 1234\norderflow_inbox_duplicates_total 2\n\
                orderflow_consumer_lag{topic=\"orders\",partition=\"0\"} 0\norderflow_consumer_lag{topic=\"orders\",partition=\"1\"} 41\n";
    let metrics = orderflow_client::metrics::Metrics::parse(text);
    let silent = Err("http://127.0.0.1:3003 cannot be reached".to_owned());
    told(&mut desktop, Done::Metrics(vec![(Service::Orders, Ok(metrics)), (Service::Payments, silent)]));
    desktop.screen((80, 24));
    for _ in 0..2 {
        second(&mut desktop);
    }
    for (width, height) in SIZES {
        insta::assert_snapshot!(format!("flow_{width}x{height}"), desktop.screen((width, height)));
    }
    desktop.screen((40, 12));
    desktop.press(&["end"]);
    assert!(desktop.screen((40, 12)).contains("↑ that is all"));
}

#[test]
fn orders_are_found_by_what_is_typed_and_opened() {
    let mut desktop = desk(ThemeName::Terminal);
    hear(&mut desktop, &[("order.created", 0), ("inventory.reserved", 1)]);
    desktop.press(&["3"]);
    for (width, height) in SIZES {
        insta::assert_snapshot!(format!("orders_{width}x{height}"), desktop.screen((width, height)));
    }
    desktop.press(&["/"]);
    desktop.type_in("widge");
    assert!(desktop.screen((80, 24)).contains("1 found"));
    desktop.type_in("x");
    assert!(desktop.screen((80, 24)).contains("no order is like that"));
    desktop.press(&["esc", "f"]);
    assert!(desktop.screen((80, 24)).contains("▸pending 1"));
    desktop.press(&["f"]);
    assert!(desktop.screen((80, 24)).contains("▸confirming 0"));
    desktop.press(&["esc"]);
    let effects = desktop.press(&["enter"]);
    let own = effects.iter().any(|effect| matches!(effect, Effect::Admin(_) | Effect::Seller(_) | Effect::Customer(_)));
    assert!(!own, "an admin changes no order");
    assert!(!desktop.screen((80, 24)).contains("newest first"), "the timeline lies over the list");
}

#[test]
fn the_stream_is_held_still_and_counts_what_comes_meanwhile() {
    let mut desktop = desk(ThemeName::Terminal);
    hear(&mut desktop, &[("order.created", 0), ("inventory.reserved", 20), ("order.cancelled", 40)]);
    desktop.press(&["4"]);
    for (width, height) in SIZES {
        insta::assert_snapshot!(format!("events_{width}x{height}"), desktop.screen((width, height)));
    }
    desktop.press(&["p"]);
    let late = record_at(9, "payment.refunded", NOW_MS);
    desktop.tell(Msg::Live(Role::Admin, Heard::Event(Box::new(late))));
    let screen = desktop.screen((80, 24));
    assert!(screen.contains("‖ paused · 1 came since") && !screen.contains("refunded"), "{screen}");
    desktop.press(&["p", "/"]);
    desktop.type_in("payments");
    let screen = desktop.screen((80, 24));
    assert!(screen.contains("↺ refunded") && screen.contains("1 shown"), "{screen}");
    desktop.press(&["esc", "down", "enter"]);
    insta::assert_snapshot!("event_detail", desktop.screen((120, 30)));
    assert!(desktop.press(&["y"]).iter().any(|effect| matches!(effect, Effect::Copy(_))));
    desktop.press(&["right"]);
    assert!(desktop.screen((120, 30)).contains("inventory.reserved: stock is held"));
    desktop.press(&["t"]);
    assert!(!desktop.screen((120, 30)).contains("inventory.reserved: stock is held"), "the timeline lies over it");
}

fn entry(number: i64) -> AuditEntry {
    let account = "00000000-0000-0000-0000-000000000003";
    AuditEntry {
        number,
        at: Timestamp(NOW_MS + number),
        actor: format!("admin/{account}"),
        action: if number % 2 == 0 { "chaos.set" } else { "order.confirmation_requested" }.to_owned(),
        subject: if number % 2 == 0 { "db-slow" } else { account }.to_owned(),
        detail: json!({ "percent": number }),
        hash: "ab".repeat(32),
    }
}

fn page(numbers: impl Iterator<Item = i64>, next: Option<&str>) -> Result<Page<AuditEntry>, String> {
    Ok(Page { items: numbers.map(entry).collect(), next_cursor: next.map(str::to_owned) })
}

#[test]
fn the_audit_log_is_read_on_as_one_scrolls_and_goes_on_at_the_top() {
    let mut desktop = desk(ThemeName::Terminal);
    let first = AuditPart::default();
    assert_eq!(wanted(desktop.press(&["6"])), [Do::Audit(first.clone())]);
    told(&mut desktop, Done::Audit(first.clone(), page((101..=200).rev(), Some("101"))));
    for (width, height) in SIZES {
        insta::assert_snapshot!(format!("audit_{width}x{height}"), desktop.screen((width, height)));
    }
    assert!(wanted(desktop.press(&["down"])).is_empty());
    let next = AuditPart { cursor: Some("101".to_owned()), ..first.clone() };
    assert_eq!(wanted(desktop.press(&["end"])), [Do::Audit(next.clone())]);
    assert!(wanted(desktop.press(&["up"])).is_empty(), "it is being read");
    told(&mut desktop, Done::Audit(next, page((1..=100).rev(), None)));
    assert!(desktop.screen((80, 24)).contains("200 entries"));
    hear(&mut desktop, &[("order.created", 0)]);
    desktop.screen((80, 24));
    assert_eq!(wanted(second(&mut desktop)), [Do::Audit(first.clone())]);
    told(&mut desktop, Done::Audit(first, page((103..=202).rev(), Some("103"))));
    assert!(desktop.screen((80, 24)).contains("202 entries"), "what was read before stays");
}

#[test]
fn a_search_of_the_audit_log_says_that_it_has_not_looked_at_everything_while_that_is_so() {
    let mut desktop = desk(ThemeName::Terminal);
    desktop.press(&["6"]);
    told(&mut desktop, Done::Audit(AuditPart::default(), page((101..=200).rev(), Some("101"))));
    assert!(!desktop.screen((80, 24)).contains("were searched"));
    desktop.press(&["/"]);
    desktop.type_in("chaos");
    let screen = desktop.screen((80, 24));
    assert!(
        screen.contains("50+ entries") && screen.contains("only the newest 100 were searched; action="),
        "{screen}"
    );
    let more = AuditPart { cursor: Some("101".into()), ..AuditPart::default() };
    told(&mut desktop, Done::Audit(more, page((1..=100).rev(), None)));
    assert!(!desktop.screen((80, 24)).contains("were searched"), "all of it was");
}

#[test]
fn the_audit_log_is_searched_here_and_by_the_service_and_its_chain_is_checked() {
    let mut desktop = desk(ThemeName::Terminal);
    desktop.press(&["6"]);
    assert!(desktop.screen((80, 24)).contains("… entries"), "it is not read yet");
    told(&mut desktop, Done::Audit(AuditPart::default(), page((1..=9).rev(), None)));
    desktop.press(&["/"]);
    desktop.type_in("CHAOS");
    assert!(desktop.screen((80, 24)).contains("4 entries"));
    desktop.press(&["ctrl-u"]);
    desktop.type_in("action=chaos. slow");
    let asked = AuditPart { search: 1, action: Some("chaos.".to_owned()), ..AuditPart::default() };
    assert_eq!(wanted(desktop.press(&["enter"])), [Do::Audit(asked.clone())]);
    told(&mut desktop, Done::Audit(AuditPart::default(), page(1..=5, None)));
    assert!(desktop.screen((80, 24)).contains("… entries"), "an answer to another question");
    told(&mut desktop, Done::Audit(asked, page([40, 8].into_iter(), None)));
    assert!(desktop.screen((80, 24)).contains("2 entries"));
    desktop.press(&["enter"]);
    assert!(desktop.screen((80, 24)).contains("\"percent\": 40"));
    assert_eq!(wanted(desktop.press(&["esc", "v"])), [Do::CheckAudit]);
    told(&mut desktop, Done::AuditChecked(Ok(AuditCheck { intact: false, entries: 40, first_broken: Some(7) })));
    assert!(desktop.screen((120, 24)).contains("✗ broken at 7"));
    assert_eq!(wanted(desktop.press(&["esc"])), [Do::Audit(AuditPart { search: 2, ..AuditPart::default() })]);
}

/// The end of a log, as it is read from a file.
fn tail_of(text: &str) -> Tail {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    std::fs::write(&path, text).unwrap();
    tail::read(&path, None).unwrap()
}

#[test]
fn a_log_is_followed_searched_and_held_still() {
    let mut desktop = desk(ThemeName::Terminal);
    told(&mut desktop, processes());
    let effects = wanted(desktop.press(&["down", "enter"]));
    let path = Path::new("/c/logs/orders.log");
    assert!(effects.contains(&Do::Tail(path.to_owned(), None)), "{effects:?}");
    let line = |level: &str, text: &str| format!("2026-11-22T14:47:00.719639Z {level:>5} orderflow_orders: {text}\n");
    let text = [line("INFO", "listening"), line("WARN", "the batch is tried again"), line("ERROR", "lost \u{1b}[31m")];
    let tail = tail_of(&text.concat());
    let at = tail.at;
    told(&mut desktop, Done::Tail(path.to_owned(), Ok(tail)));
    for (width, height) in SIZES {
        insta::assert_snapshot!(format!("logs_{width}x{height}"), desktop.screen((width, height)));
    }
    assert!(wanted(second(&mut desktop)).contains(&Do::Tail(path.to_owned(), Some(at))));
    desktop.press(&["f"]);
    assert!(!desktop.screen((80, 24)).contains("listening"));
    desktop.press(&["/"]);
    desktop.type_in("tried");
    assert!(desktop.screen((80, 24)).contains("1 lines"));
    desktop.press(&["enter", "p"]);
    assert!(desktop.screen((100, 24)).contains("‖ paused"));
    assert!(second(&mut desktop).is_empty());
    desktop.press(&["enter"]);
    assert!(desktop.screen((80, 24)).contains("a line of orders"));
    let effects = wanted(desktop.press(&["esc", "right"]));
    assert_eq!(effects, [Do::Tail("/c/logs/payments.log".into(), None)]);
}

#[test]
fn every_screen_is_drawn_at_every_size() {
    let mut desktop = desk(ThemeName::Dark);
    for screen in ["1", "2", "3", "4", "5", "6", "7", "8"] {
        for is_full in [false, true] {
            if is_full {
                told(&mut desktop, processes());
                hear(&mut desktop, &[("order.created", 0), ("order.cancelled", 5)]);
                told(&mut desktop, Done::Audit(AuditPart::default(), page((1..=9).rev(), None)));
            }
            desktop.press(&[screen]);
            for width in [1, 2, 3, 10, 19, 20, 39, 40, 80, 111, 200] {
                for height in [1, 2, 3, 4, 5, 6, 10, 12, 24, 60] {
                    desktop.buffer((width, height));
                }
            }
            desktop.press(&["enter"]);
            for size in [(1, 1), (20, 5), (40, 12), (111, 24), (200, 60)] {
                desktop.buffer(size);
            }
            desktop.press(&["esc", "/"]);
            desktop.type_in("zz");
            desktop.buffer((3, 3));
            desktop.press(&["esc", "esc"]);
        }
    }
}
