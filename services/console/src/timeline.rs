//! The life of an order for people: what has happened, in an order that makes sense, and what comes next. Pure.

use std::collections::HashSet;

use orderflow_contracts::{
    api::console::{EventRecord, NextStep, Step, Timeline},
    events::{CancelReason, InventoryEvent, OrderEvent, PaymentEvent, Shortage, decode},
    ids::OrderId,
    timestamp::Timestamp,
};

/// Any event about an order.
#[derive(Debug, Clone, PartialEq, Eq)]
enum About {
    Order(OrderEvent),
    Inventory(InventoryEvent),
    Payment(PaymentEvent),
}

/// The timeline of an order's events.
pub fn of(order_id: OrderId, events: &[EventRecord]) -> Timeline {
    let events = in_order(events);
    let start = events.first().map_or(0, |event| event.at.0);
    let steps = events.iter().map(|event| Step {
        at: event.at,
        service: event.source.rsplit('/').next().unwrap_or_default().to_owned(),
        event: event.event_type.clone(),
        detail: about(event).as_ref().map(detail).unwrap_or_default(),
        elapsed_ms: event.at.0.saturating_sub(start),
        event_id: event.id,
        causation_id: event.causation_id,
    });
    let mut known: Vec<_> = events.iter().filter_map(|event| Some((event.sequence, about(event)?))).collect();
    // What a service has said last is so by its own numbers; clocks can be moved.
    known.sort_by_key(|(sequence, _)| *sequence);
    let known: Vec<_> = known.into_iter().map(|(_, about)| about).collect();
    Timeline { order_id, steps: steps.collect(), next: next(&known) }
}

/// By time; but what led to an event stands before it, though another service's clock may be behind.
fn in_order(events: &[EventRecord]) -> Vec<&EventRecord> {
    let mut waiting: Vec<&EventRecord> = events.iter().collect();
    waiting.sort_by_key(|event| (event.at.0, event.position));
    let mut ordered = Vec::with_capacity(waiting.len());
    let mut missing: HashSet<_> = waiting.iter().map(|event| event.id).collect();
    while !waiting.is_empty() {
        let may_come = |event: &&EventRecord| event.causation_id.is_none_or(|cause| !missing.contains(&cause));
        // Without one the causes go in a circle, which no service writes; then time alone decides.
        let at = waiting.iter().position(may_come).unwrap_or(0);
        let event = waiting.remove(at);
        missing.remove(&event.id);
        ordered.push(event);
    }
    ordered
}

fn about(event: &EventRecord) -> Option<About> {
    let data = event.data.to_string();
    let (event_type, data) = (event.event_type.as_str(), data.as_bytes());
    match event_type.split_once('.')?.0 {
        "order" => decode(event_type, data).ok().map(About::Order),
        "inventory" => decode(event_type, data).ok().map(About::Inventory),
        "payment" => decode(event_type, data).ok().map(About::Payment),
        _ => None,
    }
}

fn detail(about: &About) -> String {
    match about {
        About::Order(event) => order_detail(event),
        About::Inventory(event) => inventory_detail(event),
        About::Payment(event) => payment_detail(event),
    }
}

fn order_detail(event: &OrderEvent) -> String {
    match event {
        OrderEvent::Created { lines, total, .. } => {
            let lines: Vec<_> = lines.iter().map(|line| format!("{} × {}", line.quantity, line.name)).collect();
            format!("{}: {total}", lines.join(", "))
        }
        OrderEvent::ConfirmationRequested { .. } => "the seller has confirmed; stock is asked for".to_owned(),
        OrderEvent::Confirmed { total, pay_until, .. } => format!("{total} due until {}", Timestamp(*pay_until)),
        OrderEvent::Paid => "the money is there".to_owned(),
        OrderEvent::Fulfilled => "the seller has shipped".to_owned(),
        OrderEvent::Cancelled { reason } => match reason {
            CancelReason::ByCustomer => "by the customer",
            CancelReason::BySeller => "by the seller",
            CancelReason::OutOfStock => "there is not enough stock",
            CancelReason::PaymentFailed => "the payment was declined",
            CancelReason::Expired => "nobody has paid in time",
            CancelReason::StockLost => "paid too late, and the stock is gone",
        }
        .to_owned(),
    }
}

fn shortage(shortages: &[Shortage]) -> String {
    let short = |s: &Shortage| format!("{} wanted, {} available of {}", s.wanted, s.available, s.product_id);
    shortages.iter().map(short).collect::<Vec<_>>().join("; ")
}

fn inventory_detail(event: &InventoryEvent) -> String {
    match event {
        InventoryEvent::Reserved { expires_at } => format!("stock held until {}", Timestamp(*expires_at)),
        InventoryEvent::ReservationFailed { shortages } | InventoryEvent::AllocationFailed { shortages } => {
            shortage(shortages)
        }
        InventoryEvent::ReservationExpired => "nobody has paid in time; the stock is free again".to_owned(),
        InventoryEvent::Allocated => "the stock is the order's".to_owned(),
        InventoryEvent::Committed => "the stock has left the house".to_owned(),
        InventoryEvent::Released => "the stock is free again".to_owned(),
    }
}

fn payment_detail(event: &PaymentEvent) -> String {
    match event {
        PaymentEvent::Opened { amount, .. } => format!("{amount} can be paid"),
        PaymentEvent::Succeeded { charge_id } => format!("charged ({charge_id})"),
        PaymentEvent::Failed { decline_code } => format!("declined: {decline_code}"),
        PaymentEvent::Voided => "nothing was paid, and nothing can be".to_owned(),
        PaymentEvent::Refunded { refund_id } => format!("the money is back ({refund_id})"),
    }
}

/// How far an order is, by what was heard of it: the last word of each service.
#[derive(Default)]
struct Heard<'a> {
    order: Option<&'a OrderEvent>,
    stock: Option<&'a InventoryEvent>,
    money: Option<&'a PaymentEvent>,
}

const ORDERS_HEAR_OF_STOCK: (&str, &str) = ("orders", "takes note of what has become of the stock");
const ORDERS_HEAR_OF_MONEY: (&str, &str) = ("orders", "takes note of what has become of the payment");

/// What can or will happen next. A service's turn, once known to be next, comes by itself.
///
/// `orderflow why` answers the same question from what the services say of the order at this moment: it knows of charges
/// under way, of deadlines, and of what orders has taken note of without a word. Here is known what was told, no more; so
/// each decides by itself.
fn next(known: &[About]) -> Vec<NextStep> {
    let mut heard = Heard::default();
    for about in known {
        match about {
            About::Order(event) => heard.order = Some(event),
            About::Inventory(event) => heard.stock = Some(event),
            About::Payment(event) => heard.money = Some(event),
        }
    }
    let steps = turns(&heard).into_iter();
    steps.map(|(who, what)| NextStep { who: who.to_owned(), what: what.to_owned() }).collect()
}

fn turns(heard: &Heard<'_>) -> Vec<(&'static str, &'static str)> {
    let Some(order) = heard.order else { return vec![] };
    match order {
        OrderEvent::Created { .. } => vec![("seller", "confirms: `orderflow order confirm`")],
        OrderEvent::ConfirmationRequested { .. } => vec![match heard.stock {
            None => ("inventory", "holds the stock, or says that there is not enough"),
            Some(_) => ORDERS_HEAR_OF_STOCK,
        }],
        OrderEvent::Confirmed { .. } => vec![match (heard.stock, heard.money) {
            (_, Some(PaymentEvent::Succeeded { .. } | PaymentEvent::Failed { .. })) => ORDERS_HEAR_OF_MONEY,
            (Some(InventoryEvent::ReservationExpired), _) => ORDERS_HEAR_OF_STOCK,
            (_, None) => ("payments", "opens the payment"),
            _ => ("customer", "pays: `orderflow order pay`"),
        }],
        OrderEvent::Paid => vec![match heard.stock {
            Some(InventoryEvent::Allocated) => ("seller", "ships: `orderflow order fulfill`"),
            Some(InventoryEvent::AllocationFailed { .. }) => ORDERS_HEAR_OF_STOCK,
            _ => ("inventory", "allocates the stock"),
        }],
        OrderEvent::Fulfilled => match heard.stock {
            Some(InventoryEvent::Committed) => vec![],
            _ => vec![("inventory", "takes the stock off the books")],
        },
        OrderEvent::Cancelled { .. } => given_back(heard),
    }
}

/// What a cancelled order is still owed.
fn given_back(heard: &Heard<'_>) -> Vec<(&'static str, &'static str)> {
    let stock = match heard.stock {
        Some(InventoryEvent::Reserved { .. } | InventoryEvent::ReservationExpired | InventoryEvent::Allocated) => {
            Some(("inventory", "gives the stock back"))
        }
        _ => None,
    };
    let money = match heard.money {
        Some(PaymentEvent::Succeeded { .. }) => Some(("payments", "gives the money back")),
        Some(PaymentEvent::Opened { .. }) => Some(("payments", "voids the payment")),
        _ => None,
    };
    stock.into_iter().chain(money).collect()
}

#[cfg(test)]
mod tests {
    use orderflow_contracts::{
        api::console::EventRecord,
        events::encode,
        ids::EventId,
        money::{Currency, Money},
    };
    use serde::Serialize;
    use uuid::Uuid;

    use super::*;

    fn record<E: Serialize>(number: u128, cause: Option<u128>, at_ms: i64, event: &E) -> EventRecord {
        let (event_type, data) = encode(event);
        let service = match event_type.split('.').next().unwrap() {
            "order" => "orders",
            "payment" => "payments",
            other => other,
        };
        EventRecord {
            position: i64::try_from(number).unwrap(),
            id: EventId::from(Uuid::from_u128(number)),
            source: format!("/orderflow/{service}"),
            event_type,
            subject: Uuid::nil().to_string(),
            sequence: 1,
            correlation_id: "c".into(),
            causation_id: cause.map(|cause| Uuid::from_u128(cause).into()),
            at: Timestamp(at_ms),
            published_at: Timestamp(at_ms),
            received_at: Timestamp(at_ms),
            data: serde_json::from_slice(&data).unwrap(),
        }
    }

    fn life() -> Vec<EventRecord> {
        let (customer_id, seller_id, lines) = (Uuid::nil().into(), Uuid::nil().into(), vec![]);
        let total = Money::new(5998, Currency::Usd);
        let created = OrderEvent::Created { customer_id, seller_id, lines: vec![], total };
        vec![
            record(1, None, 1000, &created),
            record(2, None, 1010, &OrderEvent::ConfirmationRequested { customer_id, seller_id, lines }),
            // Inventory's clock is a second behind.
            record(3, Some(2), 15, &InventoryEvent::Reserved { expires_at: 0 }),
            record(4, Some(3), 1030, &OrderEvent::Confirmed { customer_id, seller_id, total, pay_until: 0 }),
            record(5, Some(4), 1040, &PaymentEvent::Opened { amount: total, pay_until: 0 }),
            record(6, None, 1050, &PaymentEvent::Succeeded { charge_id: "ch_1".into() }),
            record(7, Some(6), 1060, &OrderEvent::Paid),
            record(8, Some(7), 1070, &InventoryEvent::Allocated),
            record(9, None, 1080, &OrderEvent::Fulfilled),
            record(10, Some(9), 1090, &InventoryEvent::Committed),
        ]
    }

    #[test]
    fn causes_stand_before_effects_whatever_the_clocks_say() {
        let mut events = life();
        events.reverse();
        let timeline = of(Uuid::nil().into(), &events);
        let ids: Vec<_> = timeline.steps.iter().map(|step| Uuid::from(step.event_id).as_u128()).collect();
        assert_eq!(ids, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(timeline.steps[1].elapsed_ms, 10);
        assert_eq!(timeline.steps[0].detail, ": 59.98 USD");
    }

    #[test]
    fn at_every_point_somebody_has_the_turn_until_the_end() {
        let life = life();
        let turn = |length| {
            let next = of(Uuid::nil().into(), &life[..length]).next;
            assert!(next.len() <= 1, "{next:?}");
            next.into_iter().next().map(|step| step.who)
        };
        let turns: Vec<_> = (1..=10).map(turn).collect();
        let expected =
            ["seller", "inventory", "orders", "payments", "customer", "orders", "inventory", "seller", "inventory"];
        assert_eq!(turns[..9], expected.map(|who| Some(who.to_owned())));
        assert_eq!(turns[9], None);
    }

    #[test]
    fn what_orders_has_not_taken_note_of_is_nobody_elses_turn() {
        let shortages = vec![];
        let who = |length: usize, last: EventRecord| {
            let events = [&life()[..length], &[last]].concat();
            let next = of(Uuid::nil().into(), &events).next;
            next.into_iter().map(|step| (step.who, step.what)).collect::<Vec<_>>()
        };
        let orders = |(who, what): (&str, &str)| vec![(who.to_owned(), what.to_owned())];
        let failed = record(20, None, 2000, &PaymentEvent::Failed { decline_code: "lost_card".into() });
        assert_eq!(who(5, failed), orders(ORDERS_HEAR_OF_MONEY));
        let expired = record(20, None, 2000, &InventoryEvent::ReservationExpired);
        assert_eq!(who(5, expired), orders(ORDERS_HEAR_OF_STOCK));
        let refused = record(20, None, 2000, &InventoryEvent::ReservationFailed { shortages: shortages.clone() });
        assert_eq!(who(2, refused), orders(ORDERS_HEAR_OF_STOCK));
        let lost = record(20, None, 2000, &InventoryEvent::AllocationFailed { shortages });
        assert_eq!(who(7, lost), orders(ORDERS_HEAR_OF_STOCK));
        // Paid, though the time was over: inventory tries again.
        let mut late = life()[..7].to_vec();
        late.insert(5, record(20, None, 1045, &InventoryEvent::ReservationExpired));
        assert_eq!(of(Uuid::nil().into(), &late).next[0].who, "inventory");
    }

    #[test]
    fn what_a_cancellation_still_has_to_give_back_is_named() {
        let mut events = life()[..8].to_vec();
        events.push(record(20, None, 2000, &OrderEvent::Cancelled { reason: CancelReason::BySeller }));
        let who =
            |events: &[EventRecord]| of(Uuid::nil().into(), events).next.into_iter().map(|n| n.who).collect::<Vec<_>>();
        assert_eq!(who(&events), ["inventory", "payments"]);
        events.push(record(21, Some(20), 2010, &InventoryEvent::Released));
        assert_eq!(who(&events), ["payments"]);
        events.push(record(22, Some(20), 2020, &PaymentEvent::Refunded { refund_id: "re_1".into() }));
        assert!(who(&events).is_empty());
    }
}
