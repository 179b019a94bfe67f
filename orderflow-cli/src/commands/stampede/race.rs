//! The race: who orders, who confirms, and the counts meanwhile.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use orderflow_contracts::{
    api::orders::{CreateLine, CreateOrder, Order, OrderStatus},
    ids::ProductId,
};
use tokio::{sync::Semaphore, task::JoinSet, time::interval};

use super::decided;
use crate::{
    commands::load::{GaveUp, LOOK_EVERY, Live, Shop, fresh_key},
    exit::{Failure, Outcome},
};

/// A race for one product.
pub struct Race {
    shop: Arc<Shop>,
    product: ProductId,
    /// Of requests at once.
    permits: Arc<Semaphore>,
}

#[derive(Default)]
struct Counts {
    ordered: AtomicU32,
    confirmed: AtomicU32,
    winners: AtomicU32,
    losers: AtomicU32,
}

impl Race {
    /// For this product.
    pub fn new(shop: Shop, product: ProductId, concurrency: u32) -> Self {
        let permits = Arc::new(Semaphore::new(usize::try_from(concurrency).unwrap_or(1)));
        Self { shop: Arc::new(shop), product, permits }
    }

    /// The people.
    pub fn shop(&self) -> &Shop {
        &self.shop
    }

    /// Every buyer orders one piece.
    pub async fn order(&self, buyers: u32, live: &mut Live) -> Outcome<Vec<Order>> {
        let counts = Arc::new(Counts::default());
        let mut ordering = JoinSet::new();
        for _ in 0..buyers {
            let (shop, counts, permits) = (Arc::clone(&self.shop), Arc::clone(&counts), Arc::clone(&self.permits));
            let lines = vec![CreateLine { product_id: self.product, quantity: 1 }];
            ordering.spawn(async move {
                let _permit = permits.acquire().await;
                let (order, key) = (CreateOrder { lines }, fresh_key());
                let created = shop.insist(|| shop.customer.create_order(&order, &key)).await?.value;
                counts.ordered.fetch_add(1, Ordering::Relaxed);
                Ok(created)
            });
        }
        let line = || format!("{} of {buyers} have ordered", counts.ordered.load(Ordering::Relaxed));
        all(ordering, live, line).await
    }

    /// The seller confirms all of them; what they have come to.
    pub async fn confirm(&self, orders: Vec<Order>, live: &mut Live) -> Outcome<Vec<Order>> {
        let (counts, buyers) = (Arc::new(Counts::default()), orders.len());
        let mut confirming = JoinSet::new();
        for order in orders {
            let (shop, counts, permits) = (Arc::clone(&self.shop), Arc::clone(&counts), Arc::clone(&self.permits));
            confirming.spawn(async move {
                {
                    let _permit = permits.acquire().await;
                    let key = fresh_key();
                    shop.insist(|| shop.seller.confirm_order(order.id, &key)).await?;
                    counts.confirmed.fetch_add(1, Ordering::Relaxed);
                }
                // Waits for all to be confirmed: whoever looks must not hold up who confirms.
                let _permit = permits.acquire().await;
                let ended = decided(&shop, &order).await?;
                let count = if ended.status == OrderStatus::Cancelled { &counts.losers } else { &counts.winners };
                count.fetch_add(1, Ordering::Relaxed);
                Ok(ended)
            });
        }
        let line = || {
            let count = |number: &AtomicU32| number.load(Ordering::Relaxed);
            format!(
                "{} of {buyers} confirmed by the seller: {} have got one, {} have not",
                count(&counts.confirmed),
                count(&counts.winners),
                count(&counts.losers),
            )
        };
        all(confirming, live, line).await
    }
}

/// What all of them have come to, showing how it goes.
async fn all(
    mut tasks: JoinSet<Result<Order, GaveUp>>,
    live: &mut Live,
    line: impl Fn() -> String,
) -> Outcome<Vec<Order>> {
    let mut orders = Vec::with_capacity(tasks.len());
    let mut looks = interval(LOOK_EVERY);
    live.show(&line());
    loop {
        let ended = tokio::select! {
            _ = looks.tick() => {
                live.show(&line());
                continue;
            }
            ended = tasks.join_next() => ended,
        };
        let Some(ended) = ended else { break };
        let order = ended.map_err(|error| Failure::new(format!("a buyer's task died: {error}")))?;
        orders.push(order.map_err(Failure::from)?);
    }
    live.say(&line());
    Ok(orders)
}
