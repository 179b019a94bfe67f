//! What has happened, in words for people: the one place that says what an event is called, which sign it has, and
//! whether it gives something back.

use orderflow_contracts::{
    api::{
        console::EventRecord,
        orders::{Order, OrderReservationStatus, OrderStatus},
    },
    events::{
        CancelReason, CatalogEvent, InventoryEvent, OrderEvent, OrderLine, PaymentEvent, Shortage, TimestampMs, decode,
    },
    timestamp::Timestamp,
};
use serde_json::Value;

/// Whether a character is not seen by itself, or moves what is: a control or format character, or a break of lines. The
/// services let none into a name; whatever is shown does without them all the same.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// What kind of thing has happened. Colours follow from it; the sign and the word say it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tone {
    /// One more step on the way.
    Step,
    /// Something good that stays.
    Good,
    /// What makes the order fail.
    Failure,
    /// Something is given back.
    Compensation,
    /// Beside the order.
    Note,
}

impl Tone {
    /// One column wide in every terminal.
    pub const fn glyph(self) -> char {
        match self {
            Self::Step => '▸',
            Self::Good => '✓',
            Self::Failure => '✗',
            Self::Compensation => '↺',
            Self::Note => '·',
        }
    }
}

/// What an event means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct What {
    /// What kind of thing it is.
    pub tone: Tone,
    /// One word for it.
    pub word: &'static str,
    /// What has happened, in a sentence without a full stop.
    pub title: &'static str,
}

/// One line of an order's life.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// When, by the clock of the service.
    pub at: Timestamp,
    /// Since the order's first step.
    pub elapsed_ms: i64,
    /// Where: `orders`, `inventory`, `payments`.
    pub service: String,
    /// The event's type.
    pub event: String,
    /// What it means.
    pub what: What,
    /// What there is to say about it: its detail, or else what it means.
    pub text: String,
}

/// What an event of this type means.
pub fn what(event_type: &str) -> What {
    let (tone, word, title) = match event_type {
        "order.created" => (Tone::Step, "ordered", "the customer has ordered"),
        "order.confirmation_requested" => (Tone::Step, "confirming", "the seller will deliver; stock is asked for"),
        "order.confirmed" => (Tone::Good, "confirmed", "the order can be paid"),
        "order.paid" => (Tone::Good, "paid", "the order is paid"),
        "order.fulfilled" => (Tone::Good, "fulfilled", "the seller has shipped"),
        "order.cancelled" => (Tone::Failure, "cancelled", "the order is over"),
        "inventory.reserved" => (Tone::Good, "reserved", "stock is held"),
        "inventory.reservation_failed" => (Tone::Failure, "short", "there is not enough stock"),
        "inventory.reservation_expired" => (Tone::Compensation, "expired", "nobody has paid in time; stock is free"),
        "inventory.allocated" => (Tone::Good, "allocated", "the stock is the order's for good"),
        "inventory.allocation_failed" => (Tone::Failure, "lost", "paid too late; the stock is gone"),
        "inventory.committed" => (Tone::Good, "shipped", "the stock has left the house"),
        "inventory.released" => (Tone::Compensation, "released", "stock is given back"),
        "payment.opened" => (Tone::Step, "payable", "the payment is open"),
        "payment.succeeded" => (Tone::Good, "charged", "the money is taken"),
        "payment.failed" => (Tone::Failure, "declined", "the card is declined"),
        "payment.voided" => (Tone::Compensation, "voided", "nothing has to be paid any more"),
        "payment.refunded" => (Tone::Compensation, "refunded", "the money is given back"),
        "catalog.product_changed" => (Tone::Note, "listed", "a product was added or changed"),
        _ => (Tone::Note, "event", "something that this program does not know"),
    };
    What { tone, word, title }
}

/// The line of an event, in the life that began at `begun_at`.
pub fn line_of_event(record: &EventRecord, begun_at: Timestamp) -> Line {
    let (what, detail) = (what(&record.event_type), detail(record));
    Line {
        at: record.at,
        elapsed_ms: record.at.0.saturating_sub(begun_at.0),
        service: service_of(&record.source).to_owned(),
        event: record.event_type.clone(),
        what,
        text: if detail.is_empty() { what.title.to_owned() } else { detail },
    }
}

/// Whose wish an event is that follows from no other.
pub fn person(event_type: &str, data: Option<&Value>) -> Option<&'static str> {
    match event_type {
        "order.created" | "payment.succeeded" | "payment.failed" => Some("customer"),
        "order.confirmation_requested" | "order.fulfilled" => Some("seller"),
        "order.cancelled" => match data?.get("reason")?.as_str()? {
            "by_customer" => Some("customer"),
            "by_seller" => Some("seller"),
            _ => None,
        },
        _ => None,
    }
}

/// What that person does, in a word behind who it is.
pub fn wish(event_type: &str) -> &'static str {
    match event_type {
        "order.created" => "orders",
        "order.confirmation_requested" => "confirms",
        "order.fulfilled" => "ships",
        "order.cancelled" => "calls it off",
        _ => "pays",
    }
}

/// `orders`, from `/orderflow/orders`.
pub fn service_of(source: &str) -> &str {
    source.rsplit('/').next().unwrap_or(source)
}

/// What there is to say about an event beyond its type. Empty if nothing, or if it cannot be read.
pub fn detail(record: &EventRecord) -> String {
    let data = record.data.to_string();
    let (event_type, data) = (record.event_type.as_str(), data.as_bytes());
    match event_type.split('.').next().unwrap_or_default() {
        "order" => decode(event_type, data).map(|event| of_order(&event)).unwrap_or_default(),
        "inventory" => decode(event_type, data).map(|event| of_inventory(&event)).unwrap_or_default(),
        "payment" => decode(event_type, data).map(|event| of_payment(&event)).unwrap_or_default(),
        "catalog" => decode(event_type, data).map(|event| of_catalog(&event)).unwrap_or_default(),
        _ => String::new(),
    }
}

fn of_order(event: &OrderEvent) -> String {
    match event {
        OrderEvent::Created { lines, total, .. } => format!("{}, {total}", summary(lines)),
        OrderEvent::ConfirmationRequested { lines, .. } => format!("the seller will deliver {}", summary(lines)),
        OrderEvent::Confirmed { total, pay_until, .. } => format!("{total} due until {}", clock_time(*pay_until)),
        OrderEvent::Cancelled { reason } => cancel_reason(*reason).to_owned(),
        OrderEvent::Paid | OrderEvent::Fulfilled => String::new(),
    }
}

fn of_inventory(event: &InventoryEvent) -> String {
    match event {
        InventoryEvent::Reserved { expires_at } => format!("held until {}", clock_time(*expires_at)),
        InventoryEvent::ReservationFailed { shortages } | InventoryEvent::AllocationFailed { shortages } => {
            shortages.iter().map(shortage).collect::<Vec<_>>().join(", ")
        }
        InventoryEvent::ReservationExpired
        | InventoryEvent::Allocated
        | InventoryEvent::Committed
        | InventoryEvent::Released => String::new(),
    }
}

fn of_payment(event: &PaymentEvent) -> String {
    match event {
        PaymentEvent::Opened { amount, pay_until } => format!("{amount} until {}", clock_time(*pay_until)),
        PaymentEvent::Succeeded { charge_id } => format!("charge {charge_id}"),
        PaymentEvent::Failed { decline_code } => decline_code.clone(),
        PaymentEvent::Refunded { refund_id } => format!("refund {refund_id}"),
        PaymentEvent::Voided => String::new(),
    }
}

fn of_catalog(event: &CatalogEvent) -> String {
    let CatalogEvent::ProductChanged { name, price, .. } = event;
    format!("{name}, {price}")
}

fn shortage(shortage: &Shortage) -> String {
    format!("{} wanted, {} available", shortage.wanted, shortage.available)
}

/// `2 × Test Widget`.
pub fn summary(lines: &[OrderLine]) -> String {
    lines.iter().map(|line| format!("{} × {}", line.quantity, line.name)).collect::<Vec<_>>().join(", ")
}

/// Why an order was cancelled.
pub const fn cancel_reason(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::ByCustomer => "the customer does not want it",
        CancelReason::BySeller => "the seller will not deliver",
        CancelReason::OutOfStock => "out of stock",
        CancelReason::PaymentFailed => "the card was declined",
        CancelReason::Expired => "nobody has paid in time",
        CancelReason::StockLost => "paid too late, the stock was gone",
    }
}

/// Where an order stands, in a sentence without a full stop.
pub fn headline(order: &Order) -> String {
    match order.status {
        OrderStatus::Pending => "waits for the seller to confirm".into(),
        OrderStatus::Confirming => "waits for stock".into(),
        OrderStatus::Confirmed => "waits for the customer to pay".into(),
        OrderStatus::Paid if order.reservation.status == OrderReservationStatus::Allocated => {
            "waits for the seller to ship".into()
        }
        OrderStatus::Paid => "waits for its stock to be allocated".into(),
        OrderStatus::Fulfilled => "shipped".into(),
        OrderStatus::Cancelled => order.cancel_reason.map_or("over", cancel_reason).into(),
    }
}

/// `10:56:10 UTC`, from a moment.
fn clock_time(at_ms: TimestampMs) -> String {
    let text = Timestamp(at_ms).to_string();
    text.get(11..19).map_or_else(|| text.clone(), |time| format!("{time} UTC"))
}

#[cfg(test)]
mod tests {
    use orderflow_contracts::{
        events::encode,
        money::{Currency, Money},
    };
    use serde::Serialize;
    use serde_json::json;

    use super::*;

    const ID: &str = "00000000-0000-0000-0000-000000000001";

    fn record(event: &impl Serialize) -> EventRecord {
        let (event_type, data) = encode(event);
        let at = "2026-01-01T10:00:01.500Z";
        serde_json::from_value(json!({
            "position": 1, "id": ID, "source": "/orderflow/orders", "type": event_type, "subject": ID, "sequence": 1,
            "correlation_id": "c", "causation_id": null, "at": at, "published_at": at, "received_at": at,
            "data": serde_json::from_slice::<Value>(&data).unwrap(),
        }))
        .unwrap()
    }

    fn all() -> Vec<(EventRecord, &'static str, &'static str)> {
        let id = ID.parse().unwrap();
        let price = Money::new(2999, Currency::Usd);
        let lines = vec![OrderLine { product_id: id, name: "Widget".into(), quantity: 2, unit_price: price }];
        let total = price.times(2).unwrap();
        let account = ID.parse().unwrap();
        let (customer_id, seller_id) = (account, account);
        let shortages = vec![Shortage { product_id: id, wanted: 100, available: 8 }];
        let expires_at = 0;
        vec![
            (
                record(&OrderEvent::Created { customer_id, seller_id, lines: lines.clone(), total }),
                "ordered",
                "2 × Widget, 59.98 USD",
            ),
            (
                record(&OrderEvent::ConfirmationRequested { customer_id, seller_id, lines }),
                "confirming",
                "the seller will deliver 2 × Widget",
            ),
            (
                record(&OrderEvent::Confirmed { customer_id, seller_id, total, pay_until: 0 }),
                "confirmed",
                "59.98 USD due until 00:00:00 UTC",
            ),
            (record(&OrderEvent::Paid), "paid", ""),
            (record(&OrderEvent::Fulfilled), "fulfilled", ""),
            (record(&OrderEvent::Cancelled { reason: CancelReason::OutOfStock }), "cancelled", "out of stock"),
            (record(&InventoryEvent::Reserved { expires_at }), "reserved", "held until 00:00:00 UTC"),
            (
                record(&InventoryEvent::ReservationFailed { shortages: shortages.clone() }),
                "short",
                "100 wanted, 8 available",
            ),
            (record(&InventoryEvent::ReservationExpired), "expired", ""),
            (record(&InventoryEvent::Allocated), "allocated", ""),
            (record(&InventoryEvent::AllocationFailed { shortages }), "lost", "100 wanted, 8 available"),
            (record(&InventoryEvent::Committed), "shipped", ""),
            (record(&InventoryEvent::Released), "released", ""),
            (record(&PaymentEvent::Opened { amount: total, pay_until: 0 }), "payable", "59.98 USD until 00:00:00 UTC"),
            (record(&PaymentEvent::Succeeded { charge_id: "ch_1".into() }), "charged", "charge ch_1"),
            (record(&PaymentEvent::Failed { decline_code: "expired_card".into() }), "declined", "expired_card"),
            (record(&PaymentEvent::Voided), "voided", ""),
            (record(&PaymentEvent::Refunded { refund_id: "re_1".into() }), "refunded", "refund re_1"),
            (
                record(&CatalogEvent::ProductChanged { seller_id, name: "Widget".into(), price }),
                "listed",
                "Widget, 29.99 USD",
            ),
        ]
    }

    #[test]
    fn every_event_has_its_word() {
        for (record, word, text) in all() {
            let line = line_of_event(&record, Timestamp(record.at.0 - 1500));
            assert_eq!((line.what.word, detail(&record).as_str()), (word, text), "{}", record.event_type);
            assert_eq!(line.text, if text.is_empty() { line.what.title } else { text });
            assert_eq!((line.elapsed_ms, line.service.as_str()), (1500, "orders"));
        }
    }

    #[test]
    fn what_is_unknown_or_unreadable_is_shown_all_the_same() {
        let mut strange = record(&OrderEvent::Cancelled { reason: CancelReason::Expired });
        strange.data = json!({ "reason": 7 });
        assert_eq!(detail(&strange), "");
        strange.event_type = "order.eaten".into();
        assert_eq!(line_of_event(&strange, strange.at).what.word, "event");
    }
}
