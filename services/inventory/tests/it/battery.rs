//! Whatever comes in whatever order: the ledger, the levels and the reservations agree.

use orderflow_contracts::{
    events::{CancelReason, OrderEvent, topics},
    ids::EventId,
};
use orderflow_testing::eventually;
use serde_json::json;
use uuid::Uuid;

use crate::world::{MINUTE_MS, World, new_order};

/// The same numbers every time.
struct Dice(u64);

impl Dice {
    /// A number below this one.
    fn below(&mut self, limit: u8) -> u8 {
        // Knuth's constants; the upper bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u8::try_from((self.0 >> 33) % u64::from(limit)).expect("it is below a byte")
    }

    fn quantity(&mut self, most: u8) -> u32 {
        u32::from(self.below(most)) + 1
    }

    fn one_of<T: Copy>(&mut self, some: &[T]) -> T {
        some[usize::from(self.below(u8::try_from(some.len()).expect("there are few")))]
    }
}

/// Products whose levels are not what the ledger says.
const OFF_THE_LEDGER: &str = "
    select count(*) from products where (on_hand, reserved) <> (
        select coalesce(sum(case kind when 'received' then quantity when 'shipped' then -quantity end), 0),
            coalesce(sum(case kind when 'reserved' then quantity when 'received' then 0 else -quantity end), 0)
        from stock_ledger where product_id = products.id)";
/// Products of which not as many are reserved as live reservations hold.
const NOT_AS_RESERVED: &str = "
    select count(*) from products where reserved <> (
        select coalesce(sum(line.value::integer), 0) from reservations, jsonb_each_text(lines) as line
        where status in ('HELD', 'ALLOCATED') and line.key = products.id::text)";

#[tokio::test]
async fn stock_is_conserved_whatever_happens_in_whatever_order() {
    let world = World::start().await;
    let _second = world.replica().await;
    let mut dice = Dice(20_261_122);
    let mut products = Vec::new();
    for _ in 0..4 {
        products.push(world.product(dice.quantity(12)).await);
    }
    let orders: Vec<_> = (0..40).map(|_| new_order()).collect();
    let (seller, mut clock) = (world.by(world.seller), 0);
    for step in 0..400 {
        let order = dice.one_of(&orders);
        let event = match dice.below(10) {
            0..=3 => {
                let lines: Vec<_> = (0..dice.quantity(4)).map(|_| (dice.one_of(&products), dice.quantity(3))).collect();
                world.request(&lines)
            }
            4..=5 => OrderEvent::Paid,
            6..=7 => OrderEvent::Fulfilled,
            _ => OrderEvent::Cancelled { reason: CancelReason::ByCustomer },
        };
        let id = EventId::from(Uuid::new_v4());
        for _ in 0..=dice.below(2) {
            world.kafka.tell_as(id, topics::ORDERS, order, 1, &event).await;
        }
        if step % 25 == 0 {
            let product = dice.one_of(&products);
            let more = json!({ "quantity": dice.quantity(5) });
            assert_eq!(seller.post(&format!("/v1/products/{product}/restock"), &more).await.status, 200);
        }
        if step % 100 == 50 {
            clock += 31 * MINUTE_MS;
            world.move_clock(clock).await;
        }
        if step % 40 == 0 {
            assert_eq!(world.database.count(NOT_AS_RESERVED).await, 0, "step {step}");
        }
    }
    world.settled().await;
    let published = async || (world.database.count("select count(*) from outbox_pending").await == 0).then_some(());
    eventually("all was told", published).await;
    assert_eq!(world.database.count(OFF_THE_LEDGER).await, 0);
    assert_eq!(world.database.count(NOT_AS_RESERVED).await, 0);
    assert_eq!(world.database.count("select count(*) from products where reserved > on_hand").await, 0);
    assert_eq!(world.database.count("select count(*) from dead_letters").await, 0);
    let statuses = world.database.count("select count(distinct status) from reservations").await;
    assert!(statuses >= 3, "the dice are dull: {statuses}");
    for order in orders {
        let told = "select coalesce(max(sequence), 0)::bigint from reservations where order_id = $1";
        let told: i64 =
            sqlx::query_scalar(told).bind(Uuid::from(order)).fetch_one(world.database.pool()).await.unwrap();
        world.told(order, told.try_into().unwrap()).await;
    }
}
