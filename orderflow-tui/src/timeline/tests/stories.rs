//! Orders with a fixed fate, and everything that is known of them.

use std::collections::BTreeMap;

use orderflow_client::{
    Service,
    why::{Facts, explain, turn::Known},
};
use orderflow_contracts::{
    api::{
        console::EventRecord,
        ops::{InboxRow, OutboxRow},
        orders::{Order, OrderPaymentStatus, OrderReservationStatus, OrderStatus},
    },
    ids::EventId,
    timestamp::Timestamp,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{testing::NOW_MS, timeline::Explained};

pub const ORDER: &str = "01a203bb-ab9a-7392-8de8-2afea1e35938";
const PRODUCT: &str = "01a203bb-0000-7000-8000-000000000007";
const ACCOUNT: &str = "00000000-0000-0000-0000-000000000001";

/// Every order began a minute ago.
pub const BEGUN: i64 = NOW_MS - 60_000;

/// An order and what is known of it.
pub struct Story {
    pub records: Vec<EventRecord>,
    pub facts: Facts,
}

pub fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

pub fn at(ms: i64) -> Timestamp {
    Timestamp(BEGUN + ms)
}

pub fn event_id(number: usize) -> EventId {
    Uuid::from_u128(0xcf15_5137_7290_5bcc_acc6_7337_8894_7200 + u128::try_from(number).unwrap()).into()
}

fn lines() -> Value {
    json!([
        { "product_id": PRODUCT, "name": "Test Widget", "quantity": 2,
          "unit_price": { "minor": 2999, "currency": "USD" } },
    ])
}

impl Story {
    /// Ordered, and nothing more.
    pub fn ordered() -> Self {
        let total = json!({ "minor": 5998, "currency": "USD" });
        let order: Order = read(json!({
            "id": ORDER, "status": "PENDING", "customer_id": ACCOUNT, "seller_id": ACCOUNT, "lines": lines(),
            "total": total, "cancel_reason": null, "reservation": { "status": "NONE", "expires_at": null },
            "payment": { "status": "NONE", "link": null }, "version": 1, "created_at": at(0), "updated_at": at(0),
        }));
        let facts = Facts {
            now: Timestamp(NOW_MS),
            machine_now: Timestamp(NOW_MS),
            offsets: BTreeMap::new(),
            sees_all: true,
            order,
            reservation: Known::Absent,
            payment: Known::Absent,
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
        let mut story = Self { records: Vec::new(), facts };
        let data = json!({ "customer_id": ACCOUNT, "seller_id": ACCOUNT, "lines": lines(), "total": total });
        story.tell("order.created", None, 0, data);
        story
    }

    pub fn confirming() -> Self {
        let mut story = Self::ordered();
        story.facts.order.status = OrderStatus::Confirming;
        story.facts.order.reservation.status = OrderReservationStatus::Requested;
        let data = json!({ "customer_id": ACCOUNT, "seller_id": ACCOUNT, "lines": lines() });
        story.tell("order.confirmation_requested", None, 12_300, data);
        story
    }

    pub fn payable() -> Self {
        let mut story = Self::confirming();
        let until = at(30 * 60_000).0;
        let total = json!({ "minor": 5998, "currency": "USD" });
        let reserved = story.tell("inventory.reserved", Some(1), 12_387, json!({ "expires_at": until }));
        let data = json!({ "customer_id": ACCOUNT, "seller_id": ACCOUNT, "total": total, "pay_until": until });
        let confirmed = story.tell("order.confirmed", Some(reserved), 12_470, data);
        story.tell("payment.opened", Some(confirmed), 12_541, json!({ "amount": total, "pay_until": until }));
        story.stands(OrderStatus::Confirmed, "HELD", Some("OPEN"));
        story
    }

    /// All that can happen to a happy order.
    pub fn shipped() -> Self {
        let mut story = Self::payable();
        let charged = story.tell("payment.succeeded", None, 31_210, json!({ "charge_id": "ch_01a203bbabcf741c" }));
        let paid = story.tell("order.paid", Some(charged), 31_260, json!({}));
        story.tell("inventory.allocated", Some(paid), 32_301, json!({}));
        let fulfilled = story.tell("order.fulfilled", None, 44_000, json!({}));
        story.tell("inventory.committed", Some(fulfilled), 44_021, json!({}));
        story.stands(OrderStatus::Fulfilled, "COMMITTED", Some("SUCCEEDED"));
        story
    }

    pub fn declined() -> Self {
        let mut story = Self::payable();
        let failed = story.tell("payment.failed", None, 31_210, json!({ "decline_code": "insufficient_funds" }));
        story.cancelled(Some(failed), 31_275, "payment_failed");
        story.stands(OrderStatus::Cancelled, "RELEASED", Some("FAILED"));
        story
    }

    pub fn out_of_stock() -> Self {
        let mut story = Self::confirming();
        let shortages = json!([{ "product_id": PRODUCT, "wanted": 2, "available": 1 }]);
        let short = story.tell("inventory.reservation_failed", Some(1), 12_390, json!({ "shortages": shortages }));
        story.tell("order.cancelled", Some(short), 12_450, json!({ "reason": "out_of_stock" }));
        story.stands(OrderStatus::Cancelled, "REFUSED", None);
        story.facts.payment = Known::There(payment("VOIDED", false));
        story.facts.order.payment.status = OrderPaymentStatus::None;
        story
    }

    /// Paid when the reservation was over, and the stock was somebody else's.
    pub fn paid_too_late() -> Self {
        let mut story = Self::payable();
        story.tell("inventory.reservation_expired", None, 40_000, json!({}));
        let charged = story.tell("payment.succeeded", None, 40_180, json!({ "charge_id": "ch_01a203bbabcf741c" }));
        let paid = story.tell("order.paid", Some(charged), 40_240, json!({}));
        let shortages = json!([{ "product_id": PRODUCT, "wanted": 2, "available": 0 }]);
        let lost = story.tell("inventory.allocation_failed", Some(paid), 40_300, json!({ "shortages": shortages }));
        let cancelled = story.tell("order.cancelled", Some(lost), 40_360, json!({ "reason": "stock_lost" }));
        story.tell("payment.refunded", Some(cancelled), 40_980, json!({ "refund_id": "re_01a203bbabcf741c" }));
        story.stands(OrderStatus::Cancelled, "LOST", Some("REFUNDED"));
        story
    }

    /// Called off while the provider was being asked; the money came all the same.
    pub fn cancelled_while_paid() -> Self {
        let mut story = Self::payable();
        story.cancelled(None, 31_000, "by_customer");
        story.tell("payment.succeeded", None, 59_400, json!({ "charge_id": "ch_01a203bbabcf741c" }));
        story.stands(OrderStatus::Cancelled, "RELEASED", Some("SUCCEEDED"));
        story
    }

    /// Everything came twice, and services were killed on the way.
    pub fn battered() -> Self {
        let mut story = Self::payable();
        for (service, number, times) in [(Service::Inventory, 1, 1), (Service::Orders, 2, 2), (Service::Payments, 3, 1)]
        {
            let inbox = story.facts.inboxes.get_mut(&service).unwrap();
            inbox.get_mut(&event_id(number)).unwrap().duplicates = times;
        }
        let process = |name: &str, uptime_ms: i64| orderflow_client::why::Process {
            name: name.into(),
            state: "ready".into(),
            is_ready: true,
            reason: None,
            restarts: 1,
            uptime_ms: u64::try_from(uptime_ms).unwrap(),
        };
        story.facts.processes = vec![process("inventory", 60_000 - 12_350), process("orders", 20_000)];
        story
    }

    /// The relay of orders does not work.
    pub fn unpublished() -> Self {
        let mut story = Self::ordered();
        story.facts.order.status = OrderStatus::Confirming;
        story.facts.order.reservation.status = OrderReservationStatus::Requested;
        story.commit("order.confirmation_requested", Service::Orders, 1, 12_300, false);
        story
    }

    pub fn dead_letter() -> Self {
        let mut story = Self::confirming();
        let letter = json!({
            "id": PRODUCT, "status": "open", "reason": "quantity: invalid type: string, expected u32",
            "topic": "orders", "partition": 0, "offset": 1, "key": ORDER,
            "headers": [["ce_type", "order.confirmation_requested"], ["ce_id", event_id(1)]], "payload": {},
            "created_at": at(12_400),
        });
        story.facts.letters.push((Service::Inventory, read(letter)));
        story
    }

    pub fn service_down() -> Self {
        let mut story = Self::confirming();
        story.facts.down.insert(Service::Inventory, "does not answer".into());
        story.facts.inboxes.remove(&Service::Inventory);
        story.facts.reservation = Known::Unknown;
        story.facts.unread = vec!["inventory does not answer: its outbox, inbox and dead letters are not known".into()];
        story
    }

    /// As somebody who is no admin sees it.
    pub fn of_a_customer() -> Self {
        let mut story = Self::confirming();
        story.facts.sees_all = false;
        story.facts.outboxes.clear();
        story.facts.inboxes.clear();
        story
    }

    fn cancelled(&mut self, cause: Option<usize>, after_ms: i64, reason: &str) {
        let cancelled = self.tell("order.cancelled", cause, after_ms, json!({ "reason": reason }));
        self.tell("inventory.released", Some(cancelled), after_ms + 60, json!({}));
    }

    fn stands(&mut self, status: OrderStatus, stock: &str, money: Option<&str>) {
        let order = &mut self.facts.order;
        order.status = status;
        let heard = match stock {
            "REFUSED" | "LOST" => "FAILED",
            stock => stock,
        };
        order.reservation.status = read(json!(heard));
        order.payment.status = read(json!(money.unwrap_or("NONE")));
        order.cancel_reason = (status == OrderStatus::Cancelled).then(|| {
            let cancelled = self.records.iter().find(|record| record.event_type == "order.cancelled").unwrap();
            read(cancelled.data["reason"].clone())
        });
        let until = (stock == "HELD").then_some(at(30 * 60_000));
        order.reservation.expires_at = until;
        self.facts.reservation = Known::There(read(json!({
            "order_id": ORDER, "status": stock, "lines": [{ "product_id": PRODUCT, "quantity": 2 }],
            "expires_at": until, "created_at": at(0), "updated_at": at(0),
        })));
        self.facts.payment = Known::of(money.map(|money| payment(money, true)));
    }

    /// Something has happened; it is published after 3 ms and applied by all after 5 more.
    pub fn tell(&mut self, event_type: &str, cause: Option<usize>, after_ms: i64, data: Value) -> usize {
        let number = self.records.len();
        let service = service_of(event_type);
        let id = event_id(number);
        let record: EventRecord = read(json!({
            "position": number, "id": id, "source": format!("/orderflow/{}", service.name()), "type": event_type,
            "subject": ORDER, "sequence": number + 1, "correlation_id": "01a203bb-ab9a-7392-8de8-2afea1e35940",
            "causation_id": cause.map(event_id), "at": at(after_ms), "published_at": at(after_ms + 3),
            "received_at": at(after_ms + 8), "data": data,
        }));
        self.commit(event_type, service, number, after_ms, true);
        let consumers = match service {
            Service::Orders => vec![Service::Inventory, Service::Payments, Service::Console],
            _ => vec![Service::Orders, Service::Console],
        };
        for consumer in consumers {
            let row: InboxRow = read(json!({
                "event_id": id, "topic": service.name(), "subject": ORDER, "applied_at": at(after_ms + 8),
                "duplicates": 0,
            }));
            self.facts.inboxes.get_mut(&consumer).unwrap().insert(id, row);
        }
        self.facts.events.push(record.clone());
        self.records.push(record);
        number
    }

    fn commit(&mut self, event_type: &str, service: Service, number: usize, after_ms: i64, published: bool) {
        let row: OutboxRow = read(json!({
            "id": number, "event_id": event_id(number), "topic": service.name(), "subject": ORDER,
            "type": event_type, "sequence": number + 1, "created_at": at(after_ms), "published": published,
        }));
        self.facts.outboxes.get_mut(&service).unwrap().push(row);
    }

    pub fn explained(&self) -> Box<Explained> {
        Box::new(Explained { explanation: explain(&self.facts), facts: self.facts.clone() })
    }
}

fn payment(status: &str, was_due: bool) -> orderflow_contracts::api::payments::Payment {
    let amount = was_due.then(|| json!({ "minor": 5998, "currency": "USD" }));
    read(json!({
        "order_id": ORDER, "status": status, "customer_id": ACCOUNT, "amount": amount, "pay_until": null,
        "charge_id": null, "refund_id": null, "decline_code": null, "card": null, "call": null,
        "created_at": at(0), "updated_at": at(0),
    }))
}

fn service_of(event_type: &str) -> Service {
    match event_type.split('.').next() {
        Some("order") => Service::Orders,
        Some("inventory") => Service::Inventory,
        _ => Service::Payments,
    }
}
