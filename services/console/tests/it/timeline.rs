//! The life of an order, and the list of everything, for those who may see it.

use orderflow_contracts::{
    api::console::{Role, Timeline},
    events::{InventoryEvent, OrderEvent, PaymentEvent, topics},
    ids::EventId,
    problem::Code,
};
use orderflow_testing::new_account;
use uuid::Uuid;

use crate::world::{TOTAL, World, new_order};

const RESERVED: InventoryEvent = InventoryEvent::Reserved { expires_at: 4_000_000_000_000 };

#[tokio::test]
async fn a_timeline_is_in_order_though_its_events_came_in_none() {
    let world = World::start().await;
    let order = new_order();
    let (customer_id, seller_id, pay_until) = (world.customer.account_id, world.seller.account_id, 4_000_000_000_000);
    let id = |number| EventId::from(Uuid::from_u128(number));
    let at = |number, cause: Option<u128>, time_ms| (id(number), cause.map(id), time_ms);
    let succeeded = PaymentEvent::Succeeded { charge_id: "ch_1".to_owned() };
    world.tell_at(topics::PAYMENTS, order, at(6, None, 60), &succeeded).await;
    let opened = PaymentEvent::Opened { amount: TOTAL, pay_until };
    world.tell_at(topics::PAYMENTS, order, at(5, Some(4), 50), &opened).await;
    // Inventory's clock is behind: by time alone this would be the first.
    world.tell_at(topics::INVENTORY, order, at(3, Some(2), 5), &RESERVED).await;
    world.wait_for(3).await;
    let timeline = async |who| world.by(who).get(&format!("/v1/orders/{order}/timeline")).await;
    assert_eq!(timeline(world.customer).await.code(), Some(Code::NotFound), "nobody knows yet whose it is");
    world.tell_at(topics::ORDERS, order, at(7, Some(6), 70), &OrderEvent::Paid).await;
    let confirmed = OrderEvent::Confirmed { customer_id, seller_id, total: TOTAL, pay_until };
    world.tell_at(topics::ORDERS, order, at(4, Some(3), 40), &confirmed).await;
    let requested = OrderEvent::ConfirmationRequested { customer_id, seller_id, lines: vec![] };
    world.tell_at(topics::ORDERS, order, at(2, None, 20), &requested).await;
    world.tell_at(topics::ORDERS, order, at(1, None, 10), &world.created()).await;
    world.wait_for(7).await;
    for who in [world.customer, world.seller, world.admin] {
        let timeline: Timeline = timeline(who).await.into();
        let steps: Vec<_> = timeline.steps.iter().map(|step| (step.service.as_str(), step.event.as_str())).collect();
        let expected = [
            ("orders", "order.created"),
            ("orders", "order.confirmation_requested"),
            ("inventory", "inventory.reserved"),
            ("orders", "order.confirmed"),
            ("payments", "payment.opened"),
            ("payments", "payment.succeeded"),
            ("orders", "order.paid"),
        ];
        assert_eq!(steps, expected);
        assert_eq!(
            (timeline.steps[0].detail.as_str(), timeline.steps[6].elapsed_ms),
            ("2 × Test Widget: 59.98 USD", 60)
        );
        assert_eq!(timeline.next.iter().map(|next| next.who.as_str()).collect::<Vec<_>>(), ["inventory"]);
    }
    for stranger in [new_account(Role::Customer), new_account(Role::Seller)] {
        assert_eq!(timeline(stranger).await.code(), Some(Code::NotFound));
    }
}

#[tokio::test]
async fn what_comes_next_is_said_step_by_step() {
    let world = World::start().await;
    let order = world.order().await;
    let next = async || {
        let timeline = world.by(world.customer).get(&format!("/v1/orders/{order}/timeline")).await;
        timeline.into::<Timeline>().next.into_iter().map(|next| next.who).collect::<Vec<_>>()
    };
    assert_eq!(next().await, ["seller"]);
    let (customer_id, seller_id, pay_until) = (world.customer.account_id, world.seller.account_id, 4_000_000_000_000);
    let requested = OrderEvent::ConfirmationRequested { customer_id, seller_id, lines: vec![] };
    world.heard(topics::ORDERS, order, &requested).await;
    assert_eq!(next().await, ["inventory"]);
    world
        .heard(topics::ORDERS, order, &OrderEvent::Confirmed { customer_id, seller_id, total: TOTAL, pay_until })
        .await;
    assert_eq!(next().await, ["payments"]);
    world.heard(topics::PAYMENTS, order, &PaymentEvent::Opened { amount: TOTAL, pay_until }).await;
    assert_eq!(next().await, ["customer"]);
    world.heard(topics::ORDERS, order, &OrderEvent::Paid).await;
    world.heard(topics::INVENTORY, order, &InventoryEvent::Allocated).await;
    assert_eq!(next().await, ["seller"]);
    world.heard(topics::ORDERS, order, &OrderEvent::Fulfilled).await;
    assert_eq!(next().await, ["inventory"]);
    world.heard(topics::INVENTORY, order, &InventoryEvent::Committed).await;
    assert!(next().await.is_empty());
}

#[tokio::test]
async fn each_sees_the_events_that_concern_them_in_pages() {
    let world = World::start().await;
    let first = world.order().await;
    world.heard(topics::INVENTORY, first, &RESERVED).await;
    let others = new_order();
    world.heard(topics::ORDERS, others, &world.others()).await;
    let second = world.order().await;
    let product = world.product_of(world.seller).await;
    let anothers = world.product_of(new_account(Role::Seller)).await;
    let [first, others, second] = [first, others, second].map(|order| order.to_string());
    let [product, anothers] = [product, anothers].map(|product| product.to_string());
    let mut own = vec![second.as_str(), &first, &first];
    for (who, expected) in [
        (world.customer, [vec![anothers.as_str(), &product], own.clone()].concat()),
        (world.seller, [vec![product.as_str()], own.clone()].concat()),
    ] {
        let (mut seen, mut cursor) = (vec![], String::new());
        loop {
            let page = world.events(who, &format!("limit=2{cursor}")).await;
            assert!(page.items.len() <= 2);
            seen.extend(page.items.into_iter().map(|record| record.subject));
            let Some(next) = page.next_cursor else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, expected, "{:?}: the newest first", who.role);
        assert!(world.events(who, &format!("order_id={others}")).await.items.is_empty());
    }
    assert_eq!(world.events(world.admin, "").await.items.len(), 6);
    // Those of one order, the oldest first.
    own.truncate(1);
    let page = world.events(world.customer, &format!("order_id={first}&limit=1")).await;
    let rest = world.events(world.customer, &format!("order_id={first}&cursor={}", page.next_cursor.unwrap())).await;
    let types: Vec<_> = page.items.iter().chain(&rest.items).map(|record| record.event_type.as_str()).collect();
    assert_eq!((types, rest.next_cursor), (vec!["order.created", "inventory.reserved"], None));
    for bad in ["limit=0", "limit=201", "cursor=x", "order_id=x"] {
        let answer = world.by(world.customer).get(&format!("/v1/events?{bad}")).await;
        assert_eq!(answer.code(), Some(Code::ValidationFailed), "{bad}");
    }
}

#[tokio::test]
async fn an_event_that_comes_again_is_written_down_once() {
    let world = World::start().await;
    let (order, id) = (new_order(), EventId::from(Uuid::new_v4()));
    for _ in 0..3 {
        world.kafka.tell_as(id, topics::ORDERS, order, 1, &world.created()).await;
    }
    // Behind them, in the same partition.
    world.kafka.tell(topics::ORDERS, order, 2, &OrderEvent::Paid).await;
    world.wait_for(2).await;
    assert_eq!(world.events(world.customer, "").await.items.len(), 2);
    assert_eq!(world.database.count("select sum(duplicates)::bigint from inbox").await, 2);
}
