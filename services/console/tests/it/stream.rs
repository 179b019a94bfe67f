//! The live stream, read as a browser would.

use std::time::Duration;

use orderflow_contracts::{
    api::console::{EventRecord, Role},
    events::{InventoryEvent, OrderEvent, PaymentEvent, topics},
    ids::EventId,
    problem::Code,
};
use orderflow_platform::auth::Principal;
use orderflow_testing::{Caller, eventually, new_account};
use reqwest::Response;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::world::{World, new_order};

const RESERVED: InventoryEvent = InventoryEvent::Reserved { expires_at: 4_000_000_000_000 };
/// How long an event may take to be shown.
const PATIENCE: Duration = Duration::from_secs(90);

struct Listener {
    response: Response,
    unread: String,
}

/// An event, as it was shown.
struct Shown {
    id: String,
    record: EventRecord,
}

impl Listener {
    async fn to(world: &World, who: Principal, query: &str, last: Option<&str>) -> Self {
        let headers: Vec<_> = last.map(|last| ("last-event-id", last)).into_iter().collect();
        let response = world.by(who).open(&format!("/v1/stream?{query}"), &headers).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, unread: String::new() }
    }

    /// The next event; none if the stream has ended.
    async fn try_next(&mut self) -> Option<Shown> {
        timeout(PATIENCE, self.read()).await.expect("an event in time")
    }

    async fn read(&mut self) -> Option<Shown> {
        loop {
            if let Some((block, rest)) = self.unread.split_once("\n\n") {
                let field =
                    |name: &str| block.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()));
                let shown = field("data:").map(|data| {
                    let record: EventRecord = serde_json::from_str(&data).expect("a record");
                    assert_eq!(field("event:"), Some(record.event_type.clone()));
                    Shown { id: field("id:").expect("an id"), record }
                });
                self.unread = rest.to_owned();
                if shown.is_some() {
                    return shown;
                }
                continue;
            }
            let chunk = self.response.chunk().await.ok()??;
            self.unread.push_str(&String::from_utf8_lossy(&chunk));
        }
    }

    async fn next(&mut self) -> Shown {
        self.try_next().await.expect("an event")
    }

    /// Type and subject of the next events.
    async fn next_of(&mut self, count: usize) -> Vec<(String, String)> {
        let mut shown = Vec::new();
        for _ in 0..count {
            let record = self.next().await.record;
            shown.push((record.event_type, record.subject));
        }
        shown
    }
}

fn pair(event_type: &str, subject: impl ToString) -> (String, String) {
    (event_type.to_owned(), subject.to_string())
}

#[tokio::test]
async fn events_are_shown_as_they_happen() {
    let world = World::start().await;
    let before = world.order().await;
    let mut admin = Listener::to(&world, world.admin, "", None).await;
    let mut one = Listener::to(&world, world.customer, &format!("order_id={before}"), None).await;
    let order = world.order().await;
    world.heard(topics::INVENTORY, order, &RESERVED).await;
    let product = world.product_of(world.seller).await;
    let created = admin.next().await;
    assert_eq!(
        (created.record.event_type.as_str(), created.id),
        ("order.created", created.record.position.to_string())
    );
    assert_eq!(created.record.data["total"]["minor"], 5998);
    let rest = admin.next_of(2).await;
    assert_eq!(rest, [pair("inventory.reserved", order), pair("catalog.product_changed", product)]);
    world.heard(topics::ORDERS, before, &OrderEvent::Paid).await;
    assert_eq!(one.next_of(1).await, [pair("order.paid", before)], "nothing of other orders, nothing of the past");
}

#[tokio::test]
async fn who_comes_again_misses_nothing_and_sees_nothing_twice() {
    let world = World::start().await;
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(world.order().await);
    }
    let mut first = Listener::to(&world, world.customer, "after=0", None).await;
    assert_eq!(first.next().await.record.subject, orders[0].to_string());
    let last = first.next().await.id;
    drop(first);
    for _ in 0..3 {
        orders.push(world.order().await);
    }
    let expected: Vec<_> = orders[2..].iter().map(|order| pair("order.created", order)).collect();
    // The header goes before what the address was made with.
    for (query, header) in [("after=0", Some(last.as_str())), (&format!("after={last}"), None)] {
        let mut again = Listener::to(&world, world.customer, query, header).await;
        assert_eq!(again.next_of(4).await, expected);
    }
    let far = i64::MAX.to_string();
    let mut lost = Listener::to(&world, world.customer, "", Some(&far)).await;
    let next = world.order().await;
    assert_eq!(lost.next_of(1).await, [pair("order.created", next)], "a position of another database is no position");
}

#[tokio::test]
async fn each_sees_their_own_also_what_was_heard_before_its_order() {
    let world = World::start().await;
    let (order, other) = (new_order(), new_order());
    let mut customer = Listener::to(&world, world.customer, "", None).await;
    let mut of_other = Listener::to(&world, world.customer, &format!("order_id={other}"), None).await;
    let mut seller = Listener::to(&world, world.seller, "", None).await;
    let other_customer = new_account(Role::Customer);
    let mut stranger = Listener::to(&world, other_customer, "", None).await;
    world.heard(topics::INVENTORY, order, &RESERVED).await;
    world.heard(topics::ORDERS, other, &world.created()).await;
    let shown = customer.next().await;
    assert_eq!(shown.record.subject, other.to_string());
    world.heard(topics::ORDERS, order, &world.created()).await;
    let late = [customer.next().await, customer.next().await];
    let mut types = late.each_ref().map(|shown| shown.record.event_type.as_str());
    types.sort_unstable();
    assert_eq!(types, ["inventory.reserved", "order.created"]);
    let positions = [&shown, &late[0], &late[1]].map(|shown| shown.record.position);
    assert!(positions.is_sorted_by(|a, b| a < b), "{positions:?}");
    // Who comes again after any of them sees the rest, once.
    world.heard(topics::PAYMENTS, order, &PaymentEvent::Voided).await;
    for (seen, left) in [(&shown, 3), (&late[0], 2), (&late[1], 1)] {
        let mut again = Listener::to(&world, world.customer, "", Some(&seen.id)).await;
        let rest = again.next_of(left).await;
        assert_eq!(rest[left - 1], pair("payment.voided", order));
        assert!((1..left).all(|at| rest[at - 1].1 == order.to_string()), "{rest:?}");
    }
    let mut types: Vec<_> = seller.next_of(4).await.into_iter().map(|(event_type, _)| event_type).collect();
    types.sort_unstable();
    assert_eq!(types, ["inventory.reserved", "order.created", "order.created", "payment.voided"]);
    world.heard(topics::ORDERS, other, &OrderEvent::Paid).await;
    assert_eq!(of_other.next_of(2).await, [pair("order.created", other), pair("order.paid", other)]);
    // An admin has seen each when it was heard.
    let mut admin = Listener::to(&world, world.admin, "after=0", None).await;
    assert_eq!(admin.next_of(2).await, [pair("inventory.reserved", order), pair("order.created", other)]);
    // Of all that a stranger sees nothing: what comes last is theirs, and the first that they see.
    let (new, mut created) = (new_order(), world.created());
    if let OrderEvent::Created { customer_id, .. } = &mut created {
        *customer_id = other_customer.account_id;
    }
    world.heard(topics::ORDERS, new, &created).await;
    assert_eq!(stranger.next_of(1).await, [pair("order.created", new)]);
}

#[tokio::test]
async fn what_is_sold_is_for_every_customer_and_for_no_other_seller() {
    let world = World::start().await;
    let other = new_account(Role::Seller);
    let mut customer = Listener::to(&world, new_account(Role::Customer), "", None).await;
    let mut other_seller = Listener::to(&world, other, "", None).await;
    let product = world.product_of(world.seller).await;
    let its_own = world.product_of(other).await;
    let both = [product, its_own].map(|product| pair("catalog.product_changed", product));
    assert_eq!(customer.next_of(2).await, both);
    assert_eq!(other_seller.next_of(1).await, both[1..], "it is the first that they see");
}

#[tokio::test]
async fn what_comes_again_is_shown_once() {
    let world = World::start().await;
    let (order, id) = (new_order(), EventId::from(Uuid::new_v4()));
    let mut customer = Listener::to(&world, world.customer, "", None).await;
    for _ in 0..3 {
        world.kafka.tell_as(id, topics::ORDERS, order, 1, &world.created()).await;
    }
    world.heard(topics::ORDERS, order, &OrderEvent::Paid).await;
    assert_eq!(customer.next_of(2).await, [pair("order.created", order), pair("order.paid", order)]);
}

#[tokio::test]
async fn a_service_that_stops_ends_its_streams_at_once() {
    let world = World::start().await;
    let mut admin = Listener::to(&world, world.admin, "", None).await;
    let started = Instant::now();
    world.service.stop().await;
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert!(admin.try_next().await.is_none());
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let world = World::start().await;
    let token = world.keys.token_for(world.customer, Duration::from_secs(5));
    let short = Caller::new(world.service.url(), Some(token));
    let response = short.open("/v1/stream", &[]).await;
    assert_eq!(response.status(), 200);
    let mut listener = Listener { response, unread: String::new() };
    assert!(listener.try_next().await.is_none(), "its token is no good any more");
}

#[tokio::test]
async fn an_account_has_so_many_streams_and_leaves_the_others_theirs() {
    let world = World::start().await;
    let mut open = Vec::new();
    for _ in 0..16 {
        open.push(Listener::to(&world, world.customer, "", None).await);
    }
    let one_more = world.by(world.customer).get("/v1/stream").await;
    assert_eq!((one_more.code(), one_more.status.as_u16()), (Some(Code::RateLimited), 429));
    let mut seller = Listener::to(&world, world.seller, "", None).await;
    let order = world.order().await;
    assert_eq!(seller.next_of(1).await, [pair("order.created", order)]);
    // A place is free again once its stream is closed.
    drop(open.pop());
    let free = async || {
        let response = world.by(world.customer).open("/v1/stream", &[]).await;
        (response.status() == 200).then_some(response)
    };
    eventually("there is a place again", free).await;
}
