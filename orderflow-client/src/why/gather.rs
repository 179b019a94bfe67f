//! Asking everybody about one order. Who does not answer is left out, and named.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use orderflow_contracts::{
    api::{
        Clock, PAGE_SIZE_MAX, Page,
        console::EventRecord,
        ops::{DeadLetter, InboxRow, OutboxRow},
        orders::{Order, OrderPayment, OrderPaymentStatus, OrderReservation, OrderReservationStatus, OrderStatus},
    },
    events::{OrderEvent, decode},
    ids::{EventId, OrderId},
    problem::Code,
    timestamp::Timestamp,
};

use super::{facts::Facts, turn::Known};
use crate::{Client, ClientError, ListQuery, endpoints::Service, verify::Topic};

/// How long one answer may take: a service that is paused must not hold up the explanation of it.
const ANSWER_MAX: Duration = Duration::from_secs(3);
/// Pages of what one service has committed about one order. It has a dozen rows.
const OUTBOX_PAGES_MAX: usize = 10;
/// Events that are asked for at once.
const INBOX_IDS_MAX: usize = 100;
/// Pages of open dead letters about one order.
const LETTER_PAGES_MAX: usize = 10;
/// Pages of events of one order. It has a dozen.
const EVENT_PAGES_MAX: usize = 10;

/// Why a service is down that says nothing.
const SILENT: &str = "does not answer";

const WITH_EVENTS: [Service; 3] = [Service::Orders, Service::Inventory, Service::Payments];

/// What is known of an order. An error if there is no such order, or nobody who knows.
pub async fn gather(client: &Client, id: OrderId) -> Result<Facts, ClientError> {
    let (health, order, reservation, payment, events, timeline) = tokio::join!(
        health(client),
        within(client.order(id)),
        within(client.reservation(id)),
        within(client.payment(id)),
        events(client, id),
        within(client.timeline(id)),
    );
    let mut unread = Vec::new();
    let events = kept(events, "the events that the console has heard", &mut unread).unwrap_or_default();
    let machine_now = machine_now();
    let order = match order {
        Ok(order) => order,
        Err(Missing::Nothing(error)) => return Err(error),
        Err(Missing::Answer(error)) => {
            let order = told_of(id, &events).ok_or(error)?;
            unread.push("the orders service does not answer: the order is as its events tell it".to_owned());
            order
        }
    };
    let mut facts = Facts {
        now: machine_now,
        machine_now,
        offsets: BTreeMap::new(),
        sees_all: true,
        order,
        reservation: known(reservation, "the reservation", &mut unread),
        payment: known(payment, "the payment", &mut unread),
        events,
        next: kept(timeline, "the timeline", &mut unread).map(|timeline| timeline.next).unwrap_or_default(),
        outboxes: BTreeMap::new(),
        inboxes: BTreeMap::new(),
        letters: Vec::new(),
        down: BTreeMap::new(),
        processes: Vec::new(),
        cuts: Vec::new(),
        unread,
    };
    for (service, why, clock) in health {
        if why.as_deref() == Some(SILENT) && service != Service::Provider {
            facts
                .unread
                .push(format!("{} does not answer: its outbox, inbox and dead letters are not known", service.name()));
        }
        facts.down.extend(why.map(|why| (service, why)));
        facts.offsets.extend(clock.map(|clock| (service, clock.offset_ms)));
        if let Some(clock) = clock.filter(|_| service == Service::Inventory) {
            facts.now = clock.now;
        }
    }
    Box::pin(outboxes(client, id, &mut facts)).await;
    if facts.sees_all {
        Box::pin(inboxes(client, &mut facts)).await;
        Box::pin(letters(client, id, &mut facts)).await;
    }
    Ok(facts)
}

/// Why there is nothing.
enum Missing {
    /// There is no such thing, or one may not see it.
    Nothing(ClientError),
    /// There was no answer.
    Answer(ClientError),
}

async fn within<T>(answer: impl Future<Output = Result<T, ClientError>>) -> Result<T, Missing> {
    let late = || Missing::Answer(ClientError::Timeout { url: "the service".to_owned() });
    match tokio::time::timeout(ANSWER_MAX, answer).await {
        Err(_) => Err(late()),
        Ok(Err(error)) if error.is_transient() => Err(Missing::Answer(error)),
        Ok(Err(error)) => Err(Missing::Nothing(error)),
        Ok(Ok(answer)) => Ok(answer),
    }
}

impl Missing {
    const fn error(&self) -> &ClientError {
        match self {
            Self::Nothing(error) | Self::Answer(error) => error,
        }
    }
}

fn kept<T>(read: Result<T, Missing>, what: &str, unread: &mut Vec<String>) -> Option<T> {
    match read {
        Ok(it) => Some(it),
        Err(Missing::Nothing(error)) if error.code() == Some(Code::NotFound) => None,
        Err(missing) => {
            unread.push(format!("{what} cannot be read: {}", missing.error()));
            None
        }
    }
}

fn known<T>(read: Result<T, Missing>, what: &str, unread: &mut Vec<String>) -> Known<T> {
    match read {
        Ok(it) => Known::There(it),
        Err(Missing::Nothing(error)) if error.code() == Some(Code::NotFound) => Known::Absent,
        Err(missing) => {
            unread.push(format!("{what} cannot be read: {}", missing.error()));
            Known::Unknown
        }
    }
}

fn machine_now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

async fn events(client: &Client, id: OrderId) -> Result<Vec<EventRecord>, Missing> {
    let (mut all, mut cursor) = (Vec::new(), None);
    for _ in 0..EVENT_PAGES_MAX {
        let page = within(client.events(Some(id), Some(PAGE_SIZE_MAX), cursor)).await?;
        all.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(all)
}

/// Who is ready, and what time it is there.
async fn health(client: &Client) -> [(Service, Option<String>, Option<Clock>); 5] {
    let ask = async |service: Service| {
        let ready = tokio::time::timeout(ANSWER_MAX, client.readiness(service)).await;
        let why = match ready {
            Err(_) | Ok(Err(_)) => Some(SILENT.to_owned()),
            Ok(Ok(ready)) if ready.ready => None,
            Ok(Ok(ready)) => {
                let parts: Vec<_> =
                    ready.not_ready.iter().map(|part| format!("{} ({})", part.part, part.reason)).collect();
                Some(format!("is not ready: {}", parts.join(", ")))
            }
        };
        // One that does not answer is not asked twice.
        let has_clock = why.is_none() && Service::WITH_CLOCK.contains(&service);
        let clock = if has_clock { within(client.clock(service)).await.ok() } else { None };
        (service, why, clock)
    };
    let [a, b, c, d, e] = Service::ALL;
    tokio::join!(ask(a), ask(b), ask(c), ask(d), ask(e)).into()
}

/// Asks a service, unless it is known not to answer.
async fn if_up<T>(facts: &Facts, service: Service, answer: impl Future<Output = T>) -> Option<T> {
    if facts.down.get(&service).is_some_and(|why| why == SILENT) { None } else { Some(answer.await) }
}

/// What each service has committed about the order.
async fn outboxes(client: &Client, id: OrderId, facts: &mut Facts) {
    let subject = id.to_string();
    let [a, b, c] = WITH_EVENTS;
    let of = |service| if_up(facts, service, outbox(client, service, &subject));
    let (a_rows, b_rows, c_rows) = tokio::join!(of(a), of(b), of(c));
    for (service, rows) in [(a, a_rows), (b, b_rows), (c, c_rows)] {
        let Some(rows) = rows else { continue };
        match rows {
            Ok((rows, is_whole)) => {
                if !is_whole {
                    facts
                        .unread
                        .push(format!("only the oldest rows about it in the outbox of {} were read", service.name()));
                }
                facts.outboxes.insert(service, rows);
            }
            Err(Missing::Nothing(error)) if error.code() == Some(Code::Forbidden) => facts.sees_all = false,
            Err(missing) => {
                let (name, error) = (service.name(), missing.error());
                facts.unread.push(format!("the outbox of {name} cannot be read: {error}"));
            }
        }
    }
}

/// The rows about a subject, and whether those are all.
async fn outbox(client: &Client, service: Service, subject: &str) -> Result<(Vec<OutboxRow>, bool), Missing> {
    let mut rows = Vec::new();
    let mut query = ListQuery { limit: Some(PAGE_SIZE_MAX), ..ListQuery::default() };
    for _ in 0..OUTBOX_PAGES_MAX {
        let Page { items, next_cursor } = within(client.outbox_about(service, subject, &query)).await?;
        rows.extend(items.into_iter().filter(|row| Topic::named(&row.topic).is_numbered()));
        match next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return Ok((rows, true)),
        }
    }
    Ok((rows, false))
}

/// Which of the order's events each service has applied.
async fn inboxes(client: &Client, facts: &mut Facts) {
    let ids: BTreeMap<EventId, Topic> = known_events(facts).collect();
    let of = |service| if_up(facts, service, inbox(client, service, &ids));
    let (orders, inventory, payments, console) =
        tokio::join!(of(Service::Orders), of(Service::Inventory), of(Service::Payments), of(Service::Console));
    for (service, rows) in [
        (Service::Orders, orders),
        (Service::Inventory, inventory),
        (Service::Payments, payments),
        (Service::Console, console),
    ] {
        let Some(rows) = rows else { continue };
        match rows {
            Ok(rows) => drop(facts.inboxes.insert(service, rows)),
            Err(missing) => {
                let (name, error) = (service.name(), missing.error());
                facts.unread.push(format!("the inbox of {name} cannot be read: {error}"));
            }
        }
    }
}

fn known_events(facts: &Facts) -> impl Iterator<Item = (EventId, Topic)> {
    let heard = facts.events.iter().map(|event| {
        let topic = match event.event_type.split('.').next() {
            Some("order") => Topic::Orders,
            Some("inventory") => Topic::Inventory,
            _ => Topic::Payments,
        };
        (event.id, topic)
    });
    heard.chain(facts.outboxes.values().flatten().map(|row| (row.event_id, Topic::named(&row.topic))))
}

/// The rows of those events that a service wants.
async fn inbox(
    client: &Client,
    service: Service,
    ids: &BTreeMap<EventId, Topic>,
) -> Result<BTreeMap<EventId, InboxRow>, Missing> {
    let wanted = ids.iter().filter(|(_, topic)| topic.consumers().contains(&service)).map(|(id, _)| *id);
    let wanted: Vec<EventId> = wanted.collect();
    let mut rows = BTreeMap::new();
    for ids in wanted.chunks(INBOX_IDS_MAX) {
        let found = within(client.inbox_of(service, ids)).await?;
        rows.extend(found.into_iter().map(|row| (row.event_id, row)));
    }
    Ok(rows)
}

async fn letters(client: &Client, id: OrderId, facts: &mut Facts) {
    let subject = id.to_string();
    let of = |service| if_up(facts, service, open_letters(client, service, &subject));
    let (orders, inventory, payments, console) =
        tokio::join!(of(Service::Orders), of(Service::Inventory), of(Service::Payments), of(Service::Console));
    for (service, letters) in [
        (Service::Orders, orders),
        (Service::Inventory, inventory),
        (Service::Payments, payments),
        (Service::Console, console),
    ] {
        let Some(letters) = letters else { continue };
        let what = format!("the dead letters of {}", service.name());
        let letters = kept(letters, &what, &mut facts.unread).unwrap_or_default();
        facts.letters.extend(letters.into_iter().map(|letter| (service, letter)));
    }
}

async fn open_letters(client: &Client, service: Service, subject: &str) -> Result<Vec<DeadLetter>, Missing> {
    let mut letters = Vec::new();
    let mut query = ListQuery { status: Some("open".to_owned()), limit: Some(PAGE_SIZE_MAX), cursor: None };
    for _ in 0..LETTER_PAGES_MAX {
        let Page { items, next_cursor } = within(client.dead_letters_about(service, subject, &query)).await?;
        letters.extend(items);
        match next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => break,
        }
    }
    Ok(letters)
}

/// The order as its events tell it, where the orders service does not answer.
fn told_of(id: OrderId, events: &[EventRecord]) -> Option<Order> {
    let mut order: Option<Order> = None;
    let mut in_order: Vec<&EventRecord> = events.iter().collect();
    in_order.sort_by_key(|event| (event.event_type != "order.created", event.position));
    for event in in_order {
        let data = event.data.to_string();
        if let Ok(OrderEvent::Created { customer_id, seller_id, lines, total }) =
            decode(&event.event_type, data.as_bytes())
        {
            order = Some(Order {
                id,
                status: OrderStatus::Pending,
                customer_id,
                seller_id,
                lines,
                total,
                cancel_reason: None,
                reservation: OrderReservation { status: OrderReservationStatus::None, expires_at: None },
                payment: OrderPayment { status: OrderPaymentStatus::None, link: None },
                version: event.sequence,
                created_at: event.at,
                updated_at: event.at,
            });
        } else if let Some(order) = &mut order {
            note(order, event, data.as_bytes());
        }
    }
    order
}

fn note(order: &mut Order, event: &EventRecord, data: &[u8]) {
    let (stock, money) = (&mut order.reservation.status, &mut order.payment.status);
    match event.event_type.as_str() {
        "order.confirmation_requested" => order.status = OrderStatus::Confirming,
        "order.confirmed" => order.status = OrderStatus::Confirmed,
        "order.paid" => order.status = OrderStatus::Paid,
        "order.fulfilled" => order.status = OrderStatus::Fulfilled,
        "order.cancelled" => {
            order.status = OrderStatus::Cancelled;
            if let Ok(OrderEvent::Cancelled { reason }) = decode(&event.event_type, data) {
                order.cancel_reason = Some(reason);
            }
        }
        "inventory.reserved" => *stock = OrderReservationStatus::Held,
        "inventory.reservation_expired" => *stock = OrderReservationStatus::Expired,
        "inventory.reservation_failed" | "inventory.allocation_failed" => *stock = OrderReservationStatus::Failed,
        "inventory.allocated" => *stock = OrderReservationStatus::Allocated,
        "inventory.committed" => *stock = OrderReservationStatus::Committed,
        "inventory.released" => *stock = OrderReservationStatus::Released,
        "payment.opened" => *money = OrderPaymentStatus::Open,
        "payment.succeeded" => *money = OrderPaymentStatus::Succeeded,
        "payment.failed" => *money = OrderPaymentStatus::Failed,
        "payment.voided" => *money = OrderPaymentStatus::Voided,
        "payment.refunded" => *money = OrderPaymentStatus::Refunded,
        _ => return,
    }
    if event.event_type.starts_with("order.") {
        order.updated_at = event.at;
    }
}
