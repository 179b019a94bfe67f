//! A shop in which every ending of an order has happened; and then one thing at a time is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use orderflow_contracts::{
    api::{
        inventory::ReservationStatus,
        ops::{LedgerSum, LetterStatus},
        orders::{Order, OrderPaymentStatus, OrderReservationStatus, OrderStatus},
        payments::PaymentStatus,
        psp::{Charge, Refund},
    },
    ids::{EventId, OrderId, ProductId},
    timestamp::Timestamp,
    words::word,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{snapshot::began, *};
use crate::endpoints::Service;

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const PRICE: i64 = 1000;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// How an order has ended, or what it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    Pending,
    Payable,
    Paid,
    Shipped,
    OutOfStock,
    Declined,
    CalledOffEarly,
    CalledOffPaid,
    Expired,
    StockLost,
    ShippedAfterExpiry,
}

const ENDINGS: [Ending; 11] = [
    Ending::Pending,
    Ending::Payable,
    Ending::Paid,
    Ending::Shipped,
    Ending::OutOfStock,
    Ending::Declined,
    Ending::CalledOffEarly,
    Ending::CalledOffPaid,
    Ending::Expired,
    Ending::StockLost,
    Ending::ShippedAfterExpiry,
];

struct Shop {
    snapshot: Snapshot,
    numbers: BTreeMap<(Service, String), i64>,
    last_id: u64,
    /// When what is made now begins, as its id says.
    now: Timestamp,
    product: ProductId,
    orders: BTreeMap<Ending, OrderId>,
}

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn usd(minor: i64) -> Value {
    json!({ "minor": minor, "currency": "USD" })
}

/// As services make them: a UUID of version 7.
fn id_of(at: Timestamp, number: u64) -> Uuid {
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&number.to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(at.0.unsigned_abs(), &bytes).into_uuid()
}

impl Shop {
    /// One product, and an order of two pieces for each ending.
    fn healthy() -> Self {
        let product = ProductId::from(id_of(NOW, 1));
        let (snapshot, orders) = (Snapshot::empty(NOW), BTreeMap::new());
        let mut shop = Self { snapshot, numbers: BTreeMap::new(), last_id: 100, now: NOW, product, orders };
        for service in [Service::Orders, Service::Inventory, Service::Payments, Service::Console] {
            shop.snapshot.outboxes.insert(service, Vec::new());
            shop.snapshot.inboxes.insert(service, Vec::new());
        }
        let added = json!({
            "id": product, "seller_id": product, "name": "Widget", "price": usd(PRICE), "on_hand": 100, "reserved": 0,
            "available": 100, "version": 1, "created_at": NOW,
        });
        shop.snapshot.products.insert(product, read(added));
        shop.tell(Service::Inventory, Topic::Catalog, &product.to_string(), "catalog.product_changed");
        shop.move_stock(None, [100, 0, 0, 0]);
        for ending in ENDINGS {
            shop.order(ending);
        }
        shop.tell(Service::Orders, Topic::Audit, "orders/db-slow", "audit.done");
        // A dead letter on its way to its topic: of a record that somebody else has written.
        shop.tell(Service::Orders, Topic::Other, "k2", "order.created");
        shop
    }

    fn id(&mut self) -> Uuid {
        self.last_id += 1;
        id_of(self.now, self.last_id)
    }

    /// Commits an event, publishes it, and has it applied by everybody who wants it.
    fn tell(&mut self, service: Service, topic: Topic, subject: &str, event_type: &str) -> EventId {
        let number = self.numbers.entry((service, subject.to_owned())).or_default();
        *number += 1;
        let sequence = *number;
        let id = EventId::from(self.id());
        let subject_began = began(subject);
        let (subject, event_type) = (subject.into(), event_type.into());
        let event = Event { id, topic, subject, event_type, sequence, created_at: NOW, published: true };
        self.snapshot.outboxes.get_mut(&service).unwrap().push(event);
        for consumer in topic.consumers() {
            self.snapshot.inboxes.get_mut(consumer).unwrap().push(Applied {
                id,
                at: NOW,
                subject_began,
                duplicates: 0,
            });
        }
        id
    }

    fn move_stock(&mut self, order_id: Option<OrderId>, [received, reserved, released, shipped]: [i64; 4]) {
        let product_id = self.product;
        self.snapshot.ledger.push(LedgerSum { product_id, order_id, received, reserved, released, shipped });
        let product = self.snapshot.products.get_mut(&product_id).unwrap();
        product.on_hand = u32::try_from(i64::from(product.on_hand) - shipped).unwrap();
        product.reserved = u32::try_from(i64::from(product.reserved) + reserved - released - shipped).unwrap();
        product.available = product.on_hand - product.reserved;
    }

    fn order(&mut self, ending: Ending) -> OrderId {
        let id = OrderId::from(self.id());
        self.orders.insert(ending, id);
        let (status, reason, stock, heard_stock, money, heard_money, told) = match ending {
            Ending::Pending => ("PENDING", None, None, "NONE", None, "NONE", "o.created"),
            Ending::Payable => ("CONFIRMED", None, Some("HELD"), "HELD", Some("OPEN"), "OPEN", OPEN),
            Ending::Paid => ("PAID", None, Some("ALLOCATED"), "ALLOCATED", Some("SUCCEEDED"), "SUCCEEDED", PAID),
            Ending::Shipped => {
                ("FULFILLED", None, Some("COMMITTED"), "COMMITTED", Some("SUCCEEDED"), "SUCCEEDED", SHIPPED)
            }
            Ending::ShippedAfterExpiry => {
                let told = "o.created o.confirmation_requested i.reserved o.confirmed p.opened i.reservation_expired \
                            p.succeeded o.paid i.allocated o.fulfilled i.committed";
                ("FULFILLED", None, Some("COMMITTED"), "COMMITTED", Some("SUCCEEDED"), "SUCCEEDED", told)
            }
            Ending::OutOfStock => {
                let told = "o.created o.confirmation_requested i.reservation_failed o.cancelled";
                ("CANCELLED", Some("out_of_stock"), Some("REFUSED"), "FAILED", Some("VOIDED"), "NONE", told)
            }
            Ending::Declined => {
                let told = "o.created o.confirmation_requested i.reserved o.confirmed p.opened p.failed o.cancelled \
                            i.released";
                ("CANCELLED", Some("payment_failed"), Some("RELEASED"), "RELEASED", Some("FAILED"), "FAILED", told)
            }
            Ending::CalledOffEarly => {
                let told = "o.created o.cancelled";
                ("CANCELLED", Some("by_customer"), Some("RELEASED"), "NONE", Some("VOIDED"), "NONE", told)
            }
            Ending::CalledOffPaid => {
                let told = "o.created o.confirmation_requested i.reserved o.confirmed p.opened p.succeeded o.paid \
                            i.allocated o.cancelled i.released p.refunded";
                ("CANCELLED", Some("by_customer"), Some("RELEASED"), "RELEASED", Some("REFUNDED"), "REFUNDED", told)
            }
            Ending::Expired => {
                let told = "o.created o.confirmation_requested i.reserved o.confirmed p.opened i.reservation_expired \
                            o.cancelled i.released p.succeeded p.refunded";
                ("CANCELLED", Some("expired"), Some("RELEASED"), "RELEASED", Some("REFUNDED"), "REFUNDED", told)
            }
            Ending::StockLost => {
                let told = "o.created o.confirmation_requested i.reserved o.confirmed p.opened i.reservation_expired \
                            p.succeeded o.paid i.allocation_failed o.cancelled p.refunded";
                ("CANCELLED", Some("stock_lost"), Some("LOST"), "FAILED", Some("REFUNDED"), "REFUNDED", told)
            }
        };
        for event in told.split_whitespace() {
            let (noun, happened) = event.split_once('.').unwrap();
            let (service, topic, noun) = match noun {
                "o" => (Service::Orders, Topic::Orders, "order"),
                "i" => (Service::Inventory, Topic::Inventory, "inventory"),
                _ => (Service::Payments, Topic::Payments, "payment"),
            };
            self.tell(service, topic, &id.to_string(), &format!("{noun}.{happened}"));
        }
        let line = json!({ "product_id": self.product, "name": "Widget", "quantity": 2, "unit_price": usd(PRICE) });
        let order = json!({
            "id": id, "status": status, "customer_id": id, "seller_id": id, "lines": [line], "total": usd(2 * PRICE),
            "cancel_reason": reason, "reservation": { "status": heard_stock, "expires_at": null },
            "payment": { "status": heard_money, "link": null }, "version": 1, "created_at": NOW, "updated_at": NOW,
        });
        self.snapshot.orders.insert(id, read(order));
        let had_stock = told.contains("i.reserved");
        if let Some(status) = stock {
            let lines = if had_stock { json!([{ "product_id": self.product, "quantity": 2 }]) } else { json!([]) };
            let expires_at = (status == "HELD").then_some(Timestamp(NOW.0 + 1));
            let reservation = json!({
                "order_id": id, "status": status, "lines": lines, "expires_at": expires_at, "created_at": NOW,
                "updated_at": NOW,
            });
            self.snapshot.reservations.insert(id, read(reservation));
        }
        let again = i64::from(ending == Ending::ShippedAfterExpiry) * 2;
        match stock {
            Some("HELD" | "ALLOCATED") => self.move_stock(Some(id), [0, 2, 0, 0]),
            Some("COMMITTED") => self.move_stock(Some(id), [0, 2 + again, again, 2]),
            Some(_) if had_stock => self.move_stock(Some(id), [0, 2, 2, 0]),
            _ => {}
        }
        if let Some(status) = money {
            self.pay(id, status, told);
        }
        id
    }

    fn pay(&mut self, id: OrderId, status: &str, told: &str) {
        let (charged, refunded) = (told.contains("p.succeeded"), told.contains("p.refunded"));
        let (charge_id, refund_id) = (format!("ch_{id}"), format!("re_{id}"));
        let payment = json!({
            "order_id": id, "status": status, "customer_id": id,
            "amount": told.contains("p.opened").then(|| usd(2 * PRICE)), "pay_until": null,
            "charge_id": charged.then_some(&charge_id), "refund_id": refunded.then_some(&refund_id),
            "decline_code": null, "card": null, "call": null, "created_at": NOW, "updated_at": NOW,
        });
        self.snapshot.payments.insert(id, read(payment));
        if charged {
            self.snapshot.charges.push(charge(&charge_id, id, if refunded { 2 * PRICE } else { 0 }));
        }
        if refunded {
            self.snapshot.refunds.push(refund(&refund_id, &charge_id, id));
        }
    }

    fn the(&mut self, ending: Ending) -> (&mut Order, OrderId) {
        let id = self.orders[&ending];
        (self.snapshot.orders.get_mut(&id).unwrap(), id)
    }

    /// The events of an order, or of the product.
    fn events(&mut self, service: Service) -> &mut Vec<Event> {
        self.snapshot.outboxes.get_mut(&service).unwrap()
    }

    fn inbox(&mut self, service: Service) -> &mut Vec<Applied> {
        self.snapshot.inboxes.get_mut(&service).unwrap()
    }

    /// What one check has to say, and no other.
    #[track_caller]
    fn violates(&self, name: &str, subject: &str, is: &str, should_be: &str) {
        let report = check(&self.snapshot);
        let found: Vec<&Violation> = report.checks.iter().flat_map(|check| &check.violations).collect();
        assert!(!report.ok);
        let [violation] = *found else { panic!("{found:#?}") };
        assert_eq!(violation.kind, name, "{violation:#?}");
        assert!(violation.subject.contains(subject), "{violation:#?}");
        assert!(violation.is.contains(is), "{violation:#?}");
        assert!(violation.should_be.contains(should_be), "{violation:#?}");
    }
}

const OPEN: &str = "o.created o.confirmation_requested i.reserved o.confirmed p.opened";
const PAID: &str = "o.created o.confirmation_requested i.reserved o.confirmed p.opened p.succeeded o.paid i.allocated";
const SHIPPED: &str = "o.created o.confirmation_requested i.reserved o.confirmed p.opened p.succeeded o.paid \
                       i.allocated o.fulfilled i.committed";

fn charge(id: &str, order: OrderId, refunded_minor: i64) -> Charge {
    read(json!({
        "id": id, "amount": usd(2 * PRICE), "status": "succeeded", "decline_code": null,
        "card": { "brand": "visa", "last4": "4242" }, "reference": order, "refunded_minor": refunded_minor,
        "created_at": NOW,
    }))
}

fn refund(id: &str, charge_id: &str, order: OrderId) -> Refund {
    let amount = usd(2 * PRICE);
    read(json!({ "id": id, "charge_id": charge_id, "amount": amount, "reference": order, "created_at": NOW }))
}

#[test]
fn a_healthy_shop_has_no_violation_and_every_ending_is_counted() {
    let shop = Shop::healthy();
    let report = check(&shop.snapshot);
    let found: Vec<&Violation> = report.checks.iter().flat_map(|check| &check.violations).collect();
    assert!(report.ok && found.is_empty(), "{found:#?}");
    let finds_nothing = ["events.not_dead", "rows.readable"];
    assert!(report.checks.iter().all(|it| it.looked_at > 0 || finds_nothing.contains(&it.name)), "{report:#?}");
    assert!(unrest(&shop.snapshot).ok, "{:#?}", unrest(&shop.snapshot));
    let rare = Rare {
        duplicates_suppressed: 0,
        out_of_stock: 1,
        reservations_expired: 3,
        allocated_after_expiry: 1,
        stock_lost: 1,
        tombstones: 1,
        declined: 1,
        refunded: 3,
        late_successes_refunded: 1,
    };
    assert_eq!(report.rare, Some(rare));
}

/// An order that began long ago, shipped, whose events the outboxes have thrown away.
fn forgotten(shop: &mut Shop) -> OrderId {
    shop.now = Timestamp(NOW.0 - 20 * DAY_MS);
    let id = shop.order(Ending::Shipped);
    for events in shop.snapshot.outboxes.values_mut() {
        events.retain(|event| *event.subject != *id.to_string());
    }
    id
}

#[test]
fn what_the_outboxes_have_thrown_away_is_not_missed_however_late_it_was_applied() {
    let mut shop = Shop::healthy();
    forgotten(&mut shop);
    let report = check(&shop.snapshot);
    let found: Vec<&Violation> = report.checks.iter().flat_map(|check| &check.violations).collect();
    assert!(report.ok, "{found:#?}");
}

#[test]
fn a_clock_that_was_set_back_makes_no_order_old() {
    let mut shop = Shop::healthy();
    let (order, id) = shop.the(Ending::Shipped);
    order.created_at = Timestamp(NOW.0 - 20 * DAY_MS);
    shop.events(Service::Orders).retain(|event| *event.subject != *id.to_string());
    let report = check(&shop.snapshot);
    let kinds: BTreeSet<_> = report.checks.iter().flat_map(|check| &check.violations).map(|it| it.kind).collect();
    assert_eq!(kinds, ["events.committed", "events.told", "orders.exist"].into());
}

#[test]
fn stock_that_the_ledger_does_not_know() {
    let mut shop = Shop::healthy();
    let product = shop.snapshot.products.get_mut(&shop.product).unwrap();
    (product.on_hand, product.available) = (product.on_hand + 1, product.available + 1);
    shop.violates("stock.on_hand", "product", "97 on hand", "96: 100 received less 4 shipped");
}

#[test]
fn stock_that_is_reserved_for_nobody() {
    let mut shop = Shop::healthy();
    let product = shop.snapshot.products.get_mut(&shop.product).unwrap();
    (product.reserved, product.available) = (product.reserved + 1, product.available - 1);
    shop.violates("stock.reserved", "product", "5 reserved", "4 by the live reservations; by the ledger 4");
}

#[test]
fn stock_that_is_promised_and_not_there() {
    let mut shop = Shop::healthy();
    // Ledger and product agree about everything; it is only too little.
    shop.snapshot.ledger[0].received = 7;
    let product = shop.snapshot.products.get_mut(&shop.product).unwrap();
    (product.on_hand, product.available) = (3, 0);
    shop.violates("stock.not_oversold", "product", "3 on hand, 4 reserved", "no more reserved than is on hand");
}

#[test]
fn stock_that_is_available_twice() {
    let mut shop = Shop::healthy();
    shop.snapshot.products.get_mut(&shop.product).unwrap().available += 1;
    shop.violates("stock.not_oversold", "product", "93 available", "92 available");
}

#[test]
fn a_ledger_that_gives_back_what_was_not_taken() {
    let mut shop = Shop::healthy();
    // One order's piece is given back by another: the sums are right, the orders are not.
    for (ending, released) in [(Ending::Declined, 3), (Ending::Expired, 1)] {
        let (_, id) = shop.the(ending);
        shop.snapshot.ledger.iter_mut().find(|sum| sum.order_id == Some(id)).unwrap().released = released;
    }
    let report = check(&shop.snapshot);
    let kinds: Vec<_> = report.checks.iter().flat_map(|check| &check.violations).map(|it| it.kind).collect();
    assert_eq!(kinds, ["stock.not_oversold", "stock.of_order", "stock.of_order"]);
}

#[test]
fn stock_that_moved_for_another_order_than_its_reservation_says() {
    let mut shop = Shop::healthy();
    let (_, id) = shop.the(Ending::Paid);
    let (_, other) = shop.the(Ending::CalledOffEarly);
    let one = shop.snapshot.ledger.iter_mut().find(|sum| sum.order_id == Some(id)).unwrap();
    one.order_id = Some(other);
    let report = check(&shop.snapshot);
    let found: Vec<_> = report.checks.iter().flat_map(|check| &check.violations).collect();
    assert_eq!(found.iter().map(|it| it.kind).collect::<Vec<_>>(), ["stock.of_order"; 2]);
    let about = |id: OrderId| found.iter().find(|it| it.subject.contains(&id.to_string())).unwrap();
    assert_eq!(about(id).is, "by the ledger 0 promised, 0 shipped");
    assert_eq!(about(id).should_be, "2 promised, 0 shipped: ALLOCATED");
    assert_eq!(about(other).should_be, "0 promised, 0 shipped: RELEASED");
    // And of an order that has no reservation at all.
    let stranger = OrderId::from(Uuid::from_u128(7));
    let mut shop = Shop::healthy();
    shop.snapshot.ledger.iter_mut().find(|sum| sum.order_id == Some(id)).unwrap().order_id = Some(stranger);
    let report = check(&shop.snapshot);
    assert!(
        report.checks.iter().flat_map(|check| &check.violations).any(|it| it.subject == format!("order {stranger}"))
    );
}

#[test]
fn another_number_held_than_ordered() {
    let mut shop = Shop::healthy();
    let (order, id) = shop.the(Ending::Paid);
    order.lines[0].quantity = 1;
    shop.violates("stock.of_order", &id.to_string(), "ALLOCATED for 2 of", "1 of");
}

#[test]
fn an_order_that_was_charged_twice() {
    let mut shop = Shop::healthy();
    let (_, id) = shop.the(Ending::Shipped);
    shop.snapshot.charges.push(charge("ch_second", id, 2 * PRICE));
    shop.snapshot.refunds.push(refund("re_second", "ch_second", id));
    shop.snapshot.payments.get_mut(&id).unwrap().refund_id = None;
    let report = check(&shop.snapshot);
    let kinds: Vec<_> = report.checks.iter().flat_map(|check| &check.violations).map(|it| it.kind).collect();
    // The money is right in the end; that it was taken twice, and a refund that payments does not know, are not.
    assert_eq!(kinds, ["money.charged_once", "money.ledgers_agree"]);
}

#[test]
fn a_second_charge_is_also_money_too_much() {
    let mut shop = Shop::healthy();
    let (_, id) = shop.the(Ending::Shipped);
    shop.snapshot.charges.push(charge("ch_second", id, 0));
    let report = check(&shop.snapshot);
    let found: Vec<_> = report.checks.iter().flat_map(|check| &check.violations).collect();
    assert_eq!(found.iter().map(|it| it.kind).collect::<Vec<_>>(), ["money.charged_once", "money.balance"]);
    assert!(found[0].is.contains("charged 2 times") && found[1].is.contains("kept 40.00 USD"), "{found:#?}");
    assert!(found[1].should_be.contains("20.00 USD: it is FULFILLED"), "{found:#?}");
}

#[test]
fn money_of_a_cancelled_order_that_was_kept() {
    let mut shop = Shop::healthy();
    let (_, id) = shop.the(Ending::CalledOffPaid);
    // Payments believes it, the provider's books say so; only the sum is wrong.
    let half = |it: &mut i64| *it /= 2;
    shop.snapshot
        .refunds
        .iter_mut()
        .filter(|it| it.reference == id.to_string())
        .for_each(|it| half(&mut it.amount.minor));
    let charges = shop.snapshot.charges.iter_mut().filter(|it| it.reference == id.to_string());
    charges.for_each(|it| half(&mut it.refunded_minor));
    let report = check(&shop.snapshot);
    let found: Vec<_> = report.checks.iter().flat_map(|check| &check.violations).collect();
    assert_eq!(found.iter().map(|it| it.kind).collect::<Vec<_>>(), ["money.balance", "money.ledgers_agree"]);
    assert!(found[0].is.contains("kept 10.00 USD") && found[0].should_be.contains("nothing: it is CANCELLED"));
}

#[test]
fn money_that_was_taken_from_nobody() {
    let mut shop = Shop::healthy();
    shop.the(Ending::Paid).0.total.minor += 1;
    let report = check(&shop.snapshot);
    let kinds: Vec<_> = report.checks.iter().flat_map(|check| &check.violations).map(|it| it.kind).collect();
    assert_eq!(kinds, ["money.balance", "money.ledgers_agree"]);
}

#[test]
fn a_charge_that_payments_does_not_know() {
    let mut shop = Shop::healthy();
    let stranger = OrderId::from(Uuid::from_u128(7));
    shop.snapshot.charges.push(charge("ch_stranger", stranger, 0));
    shop.violates("money.ledgers_agree", "charge ch_stranger", "payments has no payment", "known to the payment");
}

#[test]
fn a_charge_that_the_provider_does_not_know() {
    let mut shop = Shop::healthy();
    let (_, id) = shop.the(Ending::Declined);
    let payment = shop.snapshot.payments.get_mut(&id).unwrap();
    payment.charge_id = Some("ch_none".into());
    shop.violates("money.ledgers_agree", &id.to_string(), "FAILED with charge ch_none", "no charge");

    let mut shop = Shop::healthy();
    let (_, id) = shop.the(Ending::CalledOffPaid);
    shop.snapshot.charges.retain(|charge| charge.reference != id.to_string());
    shop.snapshot.refunds.retain(|refund| refund.reference != id.to_string());
    let report = check(&shop.snapshot);
    let found: Vec<_> = report.checks.iter().flat_map(|check| &check.violations).collect();
    assert!(found.iter().all(|it| it.kind == "money.ledgers_agree") && found.len() == 2, "{found:#?}");
    assert!(found[0].is.contains("which the provider has not taken"), "{found:#?}");
    assert!(found[1].is.contains("which the provider does not know"), "{found:#?}");
}

#[test]
fn a_refund_that_is_not_in_the_charge() {
    let mut shop = Shop::healthy();
    shop.snapshot.charges.iter_mut().find(|charge| charge.refunded_minor > 0).unwrap().refunded_minor = 1;
    shop.violates("money.ledgers_agree", "charge ch_", "0.01 USD given back", "20.00 USD: the sum of its refunds");
}

#[test]
fn a_payment_of_another_amount() {
    let mut shop = Shop::healthy();
    let (_, id) = shop.the(Ending::Payable);
    shop.snapshot.payments.get_mut(&id).unwrap().amount.as_mut().unwrap().minor = 1;
    shop.violates("money.ledgers_agree", &id.to_string(), "0.01 USD is due", "20.00 USD");
}

#[test]
fn an_event_that_was_never_published() {
    let mut shop = Shop::healthy();
    let event = shop.events(Service::Payments).last_mut().unwrap();
    event.published = false;
    shop.violates("events.published", "(payments)", "not published", "published");
    assert!(!unrest(&shop.snapshot).ok);
}

#[test]
fn an_event_that_was_lost() {
    for (consumer, from) in [
        (Service::Inventory, Service::Orders),
        (Service::Payments, Service::Orders),
        (Service::Console, Service::Payments),
        (Service::Orders, Service::Inventory),
    ] {
        let mut shop = Shop::healthy();
        let topic = |event: &&mut Event| event.topic != Topic::Catalog;
        let id = shop.events(from).iter_mut().find(topic).unwrap().id;
        shop.inbox(consumer).retain(|row| row.id != id);
        let is = format!("not applied by {}", consumer.name());
        shop.violates("events.applied_once", &format!("({})", from.name()), &is, "applied once by");
        let rest = unrest(&shop.snapshot);
        assert_eq!(rest.violations[0].subject, format!("the inbox of {}", consumer.name()));
    }
}

#[test]
fn an_event_that_was_applied_twice() {
    let mut shop = Shop::healthy();
    let row = shop.inbox(Service::Orders)[3];
    shop.inbox(Service::Orders).push(row);
    shop.violates("events.applied_once", "", "applied 2 times by orders", "applied once by orders");
}

#[test]
fn of_the_catalogue_the_last_event_is_enough() {
    let mut shop = Shop::healthy();
    let (product, id) = (shop.product.to_string(), shop.events(Service::Inventory)[0].id);
    shop.tell(Service::Inventory, Topic::Catalog, &product, "catalog.product_changed");
    shop.snapshot.products.get_mut(&shop.product).unwrap().version = 2;
    shop.inbox(Service::Console).retain(|row| row.id != id);
    assert!(check(&shop.snapshot).ok && unrest(&shop.snapshot).ok);
}

#[test]
fn an_event_that_came_from_nowhere() {
    let mut shop = Shop::healthy();
    let id = EventId::from(shop.id());
    shop.inbox(Service::Inventory).push(Applied { id, at: NOW, subject_began: None, duplicates: 0 });
    shop.violates("events.committed", &id.to_string(), "applied by inventory", "committed by the service");
    // A record of somebody else that could not be applied is one as well, and is known as a dead letter.
    shop.snapshot.dead_letters.push(letter(Some(id), LetterStatus::Open));
    assert!(check(&shop.snapshot).ok);
}

fn letter(event_id: Option<EventId>, status: LetterStatus) -> Letter {
    let (service, id, reason) = (Service::Inventory, "letter-1".to_owned(), "unknown type".to_owned());
    Letter { service, id, status, reason, event_id }
}

#[test]
fn an_event_of_ours_that_is_a_dead_letter() {
    let mut shop = Shop::healthy();
    let event = shop.events(Service::Orders)[0].id;
    shop.snapshot.dead_letters.push(letter(Some(event), LetterStatus::Open));
    shop.violates("events.not_dead", "order.created", "dead letter letter-1 of inventory: unknown type", "applied");
    // What was decided is reported, and so is what is not ours.
    shop.snapshot.dead_letters[0].status = LetterStatus::Replayed;
    shop.snapshot.dead_letters.push(letter(None, LetterStatus::Open));
    shop.snapshot.dead_letters.push(letter(None, LetterStatus::Discarded));
    let report = check(&shop.snapshot);
    assert!(report.ok);
    assert_eq!(report.dead_letters, Some(LetterCounts { open: 1, replayed: 1, discarded: 1 }));
}

#[test]
fn a_number_that_is_missing_or_there_twice() {
    for (from, to) in [(2, 3), (1, 2), (2, 1)] {
        let mut shop = Shop::healthy();
        let (_, id) = shop.the(Ending::Shipped);
        let id = id.to_string();
        let of_order = |event: &&mut Event| *event.subject == *id && event.sequence == from;
        shop.events(Service::Inventory).iter_mut().find(of_order).unwrap().sequence = to;
        shop.violates("events.sequence", &format!("{id} (inventory)"), "events numbered", "1 to 3 or more, each once");
    }
}

#[test]
fn a_state_that_nobody_was_told_of() {
    // The last event of each is lost together with everything that remembers it, as a commit without its outbox does.
    for (ending, service, lost) in [
        (Ending::Payable, Service::Inventory, "inventory.reserved"),
        (Ending::Shipped, Service::Orders, "order.fulfilled"),
        (Ending::CalledOffPaid, Service::Payments, "payment.refunded"),
    ] {
        let mut shop = Shop::healthy();
        let (_, id) = shop.the(ending);
        let id = id.to_string();
        let is_lost = |event: &Event| *event.subject == *id && &*event.event_type == lost;
        let event = shop.events(service).iter().find(|event| is_lost(event)).unwrap().id;
        shop.events(service).retain(|event| !is_lost(event));
        for inbox in shop.snapshot.inboxes.values_mut() {
            inbox.retain(|row| row.id != event);
        }
        shop.violates("events.told", &id, &format!("without {lost}"), lost);
    }
    let mut shop = Shop::healthy();
    shop.snapshot.products.get_mut(&shop.product).unwrap().version = 2;
    shop.violates("events.told", "product", "version 2, and version 1 is the last", "each version");
}

#[test]
fn an_order_that_is_gone() {
    let mut shop = Shop::healthy();
    let (_, id) = shop.the(Ending::Pending);
    shop.snapshot.orders.remove(&id);
    shop.violates("orders.exist", &id.to_string(), "there is no such order", "an order");
}

#[test]
fn an_order_that_nobody_was_told_of() {
    let mut shop = Shop::healthy();
    let (_, id) = shop.the(Ending::Pending);
    let id = id.to_string();
    let event = shop.events(Service::Orders).iter().find(|event| *event.subject == *id).unwrap().id;
    shop.events(Service::Orders).retain(|it| it.id != event);
    for inbox in shop.snapshot.inboxes.values_mut() {
        inbox.retain(|row| row.id != event);
    }
    shop.violates("orders.exist", &id, "PENDING without order.created", "order.created");
}

#[test]
fn a_reservation_and_a_payment_without_an_order() {
    let mut shop = Shop::healthy();
    let (_, id) = shop.the(Ending::CalledOffEarly);
    let stranger = OrderId::from(Uuid::from_u128(7));
    let reservation = shop.snapshot.reservations[&id].clone();
    shop.snapshot.reservations.insert(stranger, reservation);
    shop.violates("orders.exist", &stranger.to_string(), "a reservation, RELEASED, without an order", "an order");

    let mut shop = Shop::healthy();
    let payment = shop.snapshot.payments[&shop.orders[&Ending::CalledOffEarly]].clone();
    shop.snapshot.payments.insert(stranger, payment);
    shop.violates("orders.exist", &stranger.to_string(), "a payment, VOIDED, without an order", "an order");
}

#[test]
fn an_order_that_is_stuck_at_each_step() {
    let stuck = |ending, change: fn(&mut Shop, OrderId), is: &str, should_be: &str| {
        let mut shop = Shop::healthy();
        let (_, id) = shop.the(ending);
        change(&mut shop, id);
        let report = check(&shop.snapshot);
        let check = report.checks.iter().find(|check| check.name == "orders.not_stuck").unwrap();
        let [violation] = check.violations.as_slice() else { panic!("{ending:?}: {check:#?}") };
        assert!(violation.subject.contains(&id.to_string()), "{violation:#?}");
        assert!(violation.is.contains(is), "{violation:#?}");
        assert!(violation.should_be.contains(should_be), "{violation:#?}");
    };
    stuck(
        Ending::Pending,
        |shop, id| shop.snapshot.orders.get_mut(&id).unwrap().status = OrderStatus::Confirming,
        "stuck: CONFIRMING",
        "inventory holds the stock",
    );
    stuck(
        Ending::Payable,
        |shop, id| drop(shop.snapshot.payments.remove(&id)),
        "money none",
        "payments opens the payment",
    );
    stuck(
        Ending::Payable,
        |shop, _| shop.snapshot.inventory_now = Timestamp(NOW.0 + 20_000),
        "stock HELD",
        "inventory ends the reservation",
    );
    stuck(
        Ending::Paid,
        |shop, id| shop.snapshot.orders.get_mut(&id).unwrap().reservation.status = OrderReservationStatus::Held,
        "orders has heard HELD",
        "orders takes note",
    );
    stuck(
        Ending::Paid,
        |shop, id| shop.snapshot.reservations.get_mut(&id).unwrap().status = ReservationStatus::Held,
        "stock HELD",
        "inventory allocates",
    );
    stuck(
        Ending::Shipped,
        |shop, id| shop.snapshot.reservations.get_mut(&id).unwrap().status = ReservationStatus::Allocated,
        "stock ALLOCATED",
        "inventory takes the stock off",
    );
    stuck(
        Ending::CalledOffPaid,
        |shop, id| shop.snapshot.payments.get_mut(&id).unwrap().status = PaymentStatus::Succeeded,
        "money SUCCEEDED",
        "payments gives the money back",
    );
    stuck(
        Ending::Declined,
        |shop, id| shop.snapshot.reservations.get_mut(&id).unwrap().status = ReservationStatus::Held,
        "stock HELD",
        "inventory gives the stock back",
    );
    stuck(
        Ending::CalledOffPaid,
        |shop, id| shop.snapshot.orders.get_mut(&id).unwrap().payment.status = OrderPaymentStatus::Succeeded,
        "and SUCCEEDED",
        "orders takes note of what has become of the payment",
    );
    stuck(
        Ending::OutOfStock,
        |shop, id| shop.snapshot.reservations.get_mut(&id).unwrap().status = ReservationStatus::Lost,
        "CANCELLED (out_of_stock), stock LOST",
        "stock REFUSED and money VOIDED",
    );
    stuck(
        Ending::Shipped,
        |shop, id| shop.snapshot.payments.get_mut(&id).unwrap().status = PaymentStatus::Failed,
        "money FAILED",
        "stock COMMITTED and money SUCCEEDED",
    );
}

#[test]
fn an_order_whose_confirmation_nobody_heard_is_stuck_and_nothing_else_is_wrong() {
    let mut shop = Shop::healthy();
    let (order, id) = shop.the(Ending::Pending);
    order.status = OrderStatus::Confirming;
    order.reservation.status = OrderReservationStatus::Requested;
    shop.tell(Service::Orders, Topic::Orders, &id.to_string(), "order.confirmation_requested");
    shop.violates("orders.not_stuck", &id.to_string(), "stuck: CONFIRMING", "inventory holds the stock");
}

#[test]
fn a_call_that_is_open_explains_an_order_and_is_no_rest() {
    let mut shop = Shop::healthy();
    let (_, id) = shop.the(Ending::Payable);
    let payment = shop.snapshot.payments.get_mut(&id).unwrap();
    payment.status = PaymentStatus::Processing;
    payment.call = Some(read(json!({ "kind": "charge", "tries": 3, "next_try_at": NOW, "last_error": "no answer" })));
    // The provider may have taken the money already.
    shop.snapshot.charges.push(charge("ch_open", id, 0));
    assert!(check(&shop.snapshot).ok, "{:#?}", check(&shop.snapshot));
    let rest = unrest(&shop.snapshot);
    assert_eq!(rest.violations[0].is, "the provider is being asked for the charge, 3 times so far: no answer");
    assert_eq!(rest.violations[0].kind, COULD_NOT_BE_CHECKED);
}

#[test]
fn a_row_that_a_service_cannot_read_is_named() {
    let mut shop = Shop::healthy();
    let row = json!({ "table": "provider_calls", "key": "7 charge", "reason": "currency", "met_at": NOW });
    shop.snapshot.unreadable.push((Service::Payments, read(row)));
    shop.violates("rows.readable", "provider_calls of payments", "row 7 charge cannot be read: currency", "mended");
}

#[test]
fn what_could_not_be_read_does_not_pass() {
    let mut shop = Shop::healthy();
    shop.snapshot.unread.push(Unread { part: Part::Charges, why: "no answer".into() });
    let report = check(&shop.snapshot);
    let failed: Vec<&str> = report.checks.iter().filter(|check| !check.ok).map(|check| check.name).collect();
    assert_eq!(failed, ["money.charged_once", "money.balance", "money.ledgers_agree"]);
    for violation in report.checks.iter().flat_map(|check| &check.violations) {
        assert_eq!((violation.kind, violation.subject.as_str()), (COULD_NOT_BE_CHECKED, "the provider's charges"));
        assert_eq!(violation.is, "could not be read: no answer");
    }
    assert!(!report.ok && report.rare.is_none() && report.dead_letters.is_none());
    assert_eq!(report.verdict(), "could not be checked: money.charged_once, money.balance, money.ledgers_agree");
    // Whether it is at rest is not known either where what moves could not be read.
    assert!(unrest(&shop.snapshot).ok);
    shop.snapshot.unread.push(Unread { part: Part::Inbox(Service::Orders), why: "no answer".into() });
    shop.inbox(Service::Orders).clear();
    let rest = unrest(&shop.snapshot);
    let [violation] = rest.violations.as_slice() else { panic!("{rest:#?}") };
    assert_eq!((violation.kind, violation.subject.as_str()), (COULD_NOT_BE_CHECKED, "the inbox of orders"));
}

#[test]
fn what_is_old_may_have_been_thrown_away() {
    let mut shop = Shop::healthy();
    shop.snapshot.at = Timestamp(NOW.0 + 14 * DAY_MS);
    shop.snapshot.inventory_now = NOW;
    for service in [Service::Orders, Service::Inventory, Service::Payments] {
        shop.events(service).retain(|event| event.sequence > 1);
    }
    assert!(check(&shop.snapshot).ok, "{:#?}", check(&shop.snapshot));
    shop.snapshot.at = Timestamp(NOW.0 + 12 * DAY_MS);
    assert!(!check(&shop.snapshot).ok);
}

#[test]
fn every_check_is_named_once_and_in_the_documentation() {
    let page = include_str!("../../../docs/VERIFY.md");
    let report = check(&Shop::healthy().snapshot);
    for check in &report.checks {
        assert!(page.contains(&format!("| `{}` |", check.name)), "{} is not in docs/VERIFY.md", check.name);
    }
    assert_eq!(page.matches("\n| `").count(), report.checks.len() + 1, "the checks and `{REST}`");
    assert_eq!(word(LetterStatus::Open), "open");
}

#[test]
fn violations_are_told_up_to_a_limit_and_counted_beyond() {
    let mut shop = Shop::healthy();
    for _ in 0..VIOLATIONS_MAX + 5 {
        let id = EventId::from(shop.id());
        shop.inbox(Service::Orders).push(Applied { id, at: NOW, subject_began: None, duplicates: 0 });
    }
    let report = check(&shop.snapshot);
    let committed = report.checks.iter().find(|check| check.name == "events.committed").unwrap();
    assert_eq!((committed.violations.len(), committed.more), (VIOLATIONS_MAX, 5));
    assert_eq!(report.violations(), 1_005);
}
