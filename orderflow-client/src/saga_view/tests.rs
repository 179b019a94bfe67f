use orderflow_contracts::ids::OrderId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::why::{Block, BlockKind};

const ORDER: &str = "00000000-0000-0000-0000-000000000001";
const BEGUN: i64 = 1_800_000_000_000;

/// What was heard of an order.
#[derive(Default)]
struct Heard(Vec<EventRecord>);

impl Heard {
    /// An event, so many milliseconds after the order began; each is published 3 ms later.
    fn tell(&mut self, event_type: &str, cause: Option<usize>, after_ms: i64, data: Value) -> usize {
        let number = self.0.len();
        let service = match event_type.split('.').next() {
            Some("order") => "orders",
            Some("payment") => "payments",
            _ => "inventory",
        };
        let at = Timestamp(BEGUN + after_ms);
        self.0.push(
            serde_json::from_value(json!({
                "position": number, "id": id(number), "source": format!("/orderflow/{service}"), "type": event_type,
                "subject": ORDER, "sequence": number, "correlation_id": "c", "causation_id": cause.map(id), "at": at,
                "published_at": Timestamp(at.0 + 3), "received_at": Timestamp(at.0 + 8), "data": data,
            }))
            .unwrap(),
        );
        number
    }

    fn payable() -> Self {
        let mut heard = Self::default();
        heard.tell("order.created", None, 0, json!({}));
        let requested = heard.tell("order.confirmation_requested", None, 1000, json!({}));
        let reserved = heard.tell("inventory.reserved", Some(requested), 1010, json!({ "expires_at": 0 }));
        let confirmed = heard.tell("order.confirmed", Some(reserved), 1025, json!({}));
        heard.tell("payment.opened", Some(confirmed), 1030, json!({}));
        heard
    }

    fn view(&self, next: &[(&str, &str)]) -> SagaView {
        SagaView::of(&self.0, &steps(next), None)
    }
}

fn id(number: usize) -> EventId {
    Uuid::from_u128(0x100 + u128::try_from(number).unwrap()).into()
}

fn steps(next: &[(&str, &str)]) -> Vec<NextStep> {
    next.iter().map(|(who, what)| NextStep { who: (*who).to_owned(), what: (*what).to_owned() }).collect()
}

fn explanation() -> Explanation {
    Explanation {
        order_id: ORDER.parse::<OrderId>().unwrap(),
        status: "CONFIRMED",
        stands: String::new(),
        over: false,
        turns: Vec::new(),
        waits_for: String::new(),
        blocked_by: Vec::new(),
        hops: Vec::new(),
        next: Vec::new(),
        restarts: BTreeMap::new(),
        restarted_at: BTreeMap::new(),
        notes: Vec::new(),
    }
}

fn words(ahead: &[Ahead]) -> Vec<&str> {
    ahead.iter().map(|ahead| ahead.what.map_or("-", |what| what.word)).collect()
}

#[test]
fn each_event_stands_in_its_lane_with_what_led_to_it() {
    let view = Heard::payable().view(&[]);
    let rows: Vec<_> =
        view.rows.iter().map(|row| (row.line.what.word, row.lane, row.from, row.by, row.hop_ms)).collect();
    use Lane::{Inventory, Orders, Payments, People};
    let expected = [
        ("ordered", Orders, Some(People), Some("customer"), None),
        ("confirming", Orders, Some(People), Some("seller"), None),
        ("reserved", Inventory, Some(Orders), None, Some(10)),
        ("confirmed", Orders, Some(Inventory), None, Some(15)),
        ("payable", Payments, Some(Orders), None, Some(5)),
    ];
    assert_eq!(rows, expected);
    assert_eq!(view.led_to(2).map(|row| row.line.what.word).collect::<Vec<_>>(), ["confirmed"]);
    assert_eq!((view.find(id(3)), view.rows[3].cause, view.rows[3].line.elapsed_ms), (Some(3), Some(2), 1025));
}

#[test]
fn what_led_to_an_event_stands_before_it_whatever_the_clocks_say() {
    let mut heard = Heard::default();
    heard.tell("order.created", None, 0, json!({}));
    let requested = heard.tell("order.confirmation_requested", None, 1000, json!({}));
    heard.tell("inventory.reserved", Some(requested), 400, json!({ "expires_at": 0 }));
    let view = heard.view(&[]);
    assert_eq!(view.rows[2].line.what.word, "reserved");
    assert_eq!((view.rows[2].cause, view.rows[2].hop_ms), (Some(1), None), "no time is negative");
    // Told twice, in another order: it is the same.
    heard.0.reverse();
    heard.0.push(heard.0[0].clone());
    assert_eq!(heard.view(&[]), view);
}

#[test]
fn the_rest_of_the_way_is_known_and_whose_turn_it_is() {
    let ahead = Heard::payable().view(&[("customer", "pays")]).ahead;
    assert_eq!(words(&ahead), ["charged", "paid", "allocated", "fulfilled", "shipped"]);
    assert_eq!((ahead[0].due, ahead[0].text.as_str(), ahead[0].lane), (true, "pays", Lane::Payments));
    assert!(ahead[1..].iter().all(|ahead| !ahead.due));
    let ahead = Heard::payable().view(&[("provider", "says whether it has taken the money")]).ahead;
    assert!(ahead[0].due && ahead[0].text.starts_with("says"));
    let ahead = Heard::payable().view(&[("console", "does something else")]).ahead;
    assert_eq!((ahead[0].what, ahead[0].due, ahead.len()), (None, true, 6));
}

#[test]
fn a_declined_card_turns_the_order_back() {
    let mut heard = Heard::payable();
    let failed = heard.tell("payment.failed", None, 2000, json!({ "decline_code": "expired_card" }));
    assert_eq!(words(&heard.view(&[]).ahead), ["cancelled", "released"]);
    let cancelled = heard.tell("order.cancelled", Some(failed), 2010, json!({ "reason": "payment_failed" }));
    assert_eq!(words(&heard.view(&[("inventory", "gives the stock back")]).ahead), ["released"]);
    heard.tell("inventory.released", Some(cancelled), 2020, json!({}));
    let view = heard.view(&[]);
    assert!(view.ahead.is_empty());
    let branch: Vec<_> = view.rows.iter().filter(|row| row.in_branch).map(|row| row.line.what.word).collect();
    assert_eq!(branch, ["declined", "cancelled", "released"]);
    assert_eq!((view.rows[5].by, view.rows[6].by), (Some("customer"), None), "the service has cancelled it");
}

#[test]
fn a_cancelled_race_gives_the_late_money_back() {
    let mut heard = Heard::payable();
    let cancelled = heard.tell("order.cancelled", None, 2000, json!({ "reason": "by_customer" }));
    heard.tell("inventory.released", Some(cancelled), 2010, json!({}));
    assert_eq!(words(&heard.view(&[]).ahead), ["voided"]);
    let charged = heard.tell("payment.succeeded", None, 3000, json!({ "charge_id": "ch_1" }));
    assert_eq!(words(&heard.view(&[]).ahead), ["refunded"]);
    heard.tell("payment.refunded", Some(charged), 3100, json!({ "refund_id": "re_1" }));
    let view = heard.view(&[]);
    assert!(view.ahead.is_empty());
    let branch: Vec<_> = view.rows.iter().map(|row| row.in_branch).collect();
    assert_eq!(branch, [false, false, false, false, false, true, true, false, true]);
}

#[test]
fn expired_stock_that_was_held_again_is_on_its_way() {
    let mut heard = Heard::payable();
    heard.tell("inventory.reservation_expired", None, 2000, json!({}));
    let charged = heard.tell("payment.succeeded", None, 2001, json!({ "charge_id": "ch_1" }));
    let paid = heard.tell("order.paid", Some(charged), 2010, json!({}));
    heard.tell("inventory.allocated", Some(paid), 2020, json!({}));
    assert_eq!(words(&heard.view(&[("seller", "ships")]).ahead), ["fulfilled", "shipped"]);
}

#[test]
fn what_was_survived_and_what_is_in_the_way_stands_beside_the_event() {
    let heard = Heard::payable();
    let mut known = explanation();
    let block = |kind, number, for_ms| Block {
        kind,
        who: "inventory".into(),
        what: String::new(),
        for_ms: Some(for_ms),
        event_id: Some(id(number)),
    };
    known.blocked_by = vec![
        block(BlockKind::NotApplied, 1, 60_000),
        block(BlockKind::NotApplied, 3, 100),
        block(BlockKind::DeadLetter, 1, 0),
    ];
    let ago = |ms| Timestamp(BEGUN + ms);
    known.restarted_at = [
        ("broker".to_owned(), ago(-5)),
        ("inventory".to_owned(), ago(1011)),
        ("psp".to_owned(), ago(5000)),
        ("console".to_owned(), ago(1011)),
    ]
    .into();
    let marks = |known: &Explanation| -> Vec<Vec<String>> {
        let view = SagaView::of(&heard.0, &[], Some(known));
        view.rows.iter().map(|row| row.marks.iter().map(Mark::words).collect()).collect()
    };
    let found = marks(&known);
    assert_eq!(found[1], ["… not applied by inventory", "✗ dead letter of inventory"]);
    assert_eq!(found[2], ["↻ inventory restarted"], "published after it");
    assert_eq!(found[3], Vec::<String>::new(), "it is on its way");
    assert_eq!(found[4], ["↻ psp restarted"], "and the order goes on");
    known.over = true;
    assert_eq!(marks(&known)[4], Vec::<String>::new(), "that was none of its story");
}

#[test]
fn what_is_committed_and_was_not_heard_is_shown() {
    let mut heard = Heard::default();
    heard.tell("order.created", None, 0, json!({}));
    let mut known = explanation();
    known.hops = vec![Hop {
        event_id: id(9),
        event: "order.confirmation_requested".into(),
        word: "confirming",
        text: "the seller will deliver".into(),
        service: "orders",
        at: Timestamp(BEGUN + 700),
        elapsed_ms: 700,
        caused_by: None,
        by: Some("seller"),
        depth: 0,
        compensation: false,
        published: false,
        outbox_ms: None,
        handler_ms: None,
        consumers: Vec::new(),
        duplicates: 3,
    }];
    known.blocked_by = vec![Block {
        kind: BlockKind::Unpublished,
        who: "orders".into(),
        what: String::new(),
        for_ms: Some(9_000),
        event_id: Some(id(9)),
    }];
    let view = SagaView::of(&heard.0, &[], Some(&known));
    assert_eq!((view.rows.len(), view.rows[1].line.elapsed_ms, view.rows[1].by), (2, 700, Some("seller")));
    let marks: Vec<_> = view.rows[1].marks.iter().map(|mark| (mark.words(), mark.short())).collect();
    assert_eq!(
        marks,
        [
            ("×3 suppressed".to_owned(), "×3".to_owned()),
            ("… in the outbox, not published".to_owned(), "… in outbox".to_owned())
        ]
    );
    assert_eq!(view.ahead[0].what.unwrap().word, "reserved");
}

#[test]
fn of_nothing_there_is_nothing() {
    assert_eq!(Heard::default().view(&[("seller", "confirms")]), SagaView::default());
}
