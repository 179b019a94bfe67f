//! Keeps orders coming, so many a second, and no more at once than is allowed.

use std::{future::pending, sync::Arc, time::Duration};

use orderflow_contracts::ids::ProductId;
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};

use super::{
    life::{Life, Tally},
    live::{LOOK_EVERY, Live},
    plan::Plan,
    shop::{Shop, fresh_key},
    summary::Summary,
};
use crate::{context::Context, exit::Outcome};

/// Products of a load. A few, so that orders get into each other's way.
const PRODUCTS: usize = 3;
/// Pieces of each at first, and how many more arrive when there are few left.
const STOCK: u32 = 10_000;
const STOCK_LOW: u32 = 5_000;
const RESTOCK_EVERY: Duration = Duration::from_secs(1);
/// How far behind its rate a load may be and catch up; beyond that it goes on from where it is.
const BEHIND_MAX: Duration = Duration::from_secs(1);
/// Most orders: their ids are kept to the end.
const ORDERS_MAX: u64 = 1_000_000;

/// A load that can begin.
pub struct Load {
    shop: Arc<Shop>,
    products: Arc<[ProductId]>,
    plan: Plan,
}

impl Load {
    /// Opens the shop: products with enough stock.
    pub async fn prepare(context: &Context, plan: Plan) -> Outcome<Self> {
        let shop = Shop::open(context)?;
        let mut products = Vec::with_capacity(PRODUCTS);
        for number in 1..=PRODUCTS {
            products.push(shop.list(context, &format!("Load {number}"), STOCK).await?);
        }
        Ok(Self { shop: Arc::new(shop), products: products.into(), plan })
    }

    /// Goes on until its time is over or `stop` is there; then what is under way has so long to end.
    pub async fn run(self, stop: impl Future<Output = ()>, drain: Duration, live: &mut Live) -> Outcome<Summary> {
        let (tally, run, began) = (Arc::new(Tally::default()), fresh_key(), Instant::now());
        let mut lives = JoinSet::new();
        let mut number = 0;
        {
            let ends = async {
                match self.plan.lasts {
                    Some(lasts) => sleep_until(began + lasts).await,
                    None => pending().await,
                }
            };
            let (mut ends, mut stop) = (std::pin::pin!(ends), std::pin::pin!(stop));
            let mut looks = interval(LOOK_EVERY);
            looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            let mut restocks = interval(RESTOCK_EVERY);
            restocks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            let mut restocking = JoinSet::new();
            let gap = Duration::from_secs_f64(1.0 / self.plan.rate);
            let mut due = Instant::now();
            while number < ORDERS_MAX {
                tokio::select! {
                    () = sleep_until(due), if lives.len() < self.plan.concurrency => {
                        lives.spawn(self.life(number, &run, &tally));
                        number += 1;
                        due = (due + gap).max(Instant::now() - BEHIND_MAX);
                    }
                    Some(ended) = lives.join_next() => died(ended.err()),
                    Some(ended) = restocking.join_next() => died(ended.err()),
                    _ = restocks.tick(), if restocking.is_empty() => {
                        restocking.spawn(restock(Arc::clone(&self.shop), Arc::clone(&self.products)));
                    }
                    _ = looks.tick() => live.show(&self.line(began, number, lives.len(), &tally)),
                    () = &mut ends => break,
                    () = &mut stop => break,
                }
            }
        }
        let took = began.elapsed();
        let until = Instant::now() + drain;
        while !lives.is_empty() && Instant::now() < until {
            match timeout(LOOK_EVERY, lives.join_next()).await {
                Ok(ended) => died(ended.and_then(Result::err)),
                Err(_) => live.show(&self.line(began, number, lives.len(), &tally)),
            }
        }
        let under_way = lives.len();
        lives.shutdown().await;
        live.clear();
        let acknowledged = tally.noted().acknowledged.clone();
        let missing = self.shop.missing(&acknowledged).await?;
        let noted = std::mem::take(&mut *tally.noted());
        Ok(Summary::new(&self.plan, took, noted, under_way, self.shop.retried(), missing))
    }

    fn life(&self, number: u64, run: &str, tally: &Arc<Tally>) -> impl Future<Output = ()> + Send + 'static {
        let (shop, products, tally) = (Arc::clone(&self.shop), Arc::clone(&self.products), Arc::clone(tally));
        let (name, decision) = (format!("{run}-{number}"), self.plan.decide(number, PRODUCTS));
        async move {
            let life = Life { shop: &shop, products: &products, tally: &tally, name, decision };
            life.live().await;
        }
    }

    fn line(&self, began: Instant, orders: u64, under_way: usize, tally: &Tally) -> String {
        let seconds = began.elapsed().as_secs_f64();
        let (ended, retried) = (tally.noted().ended(), self.shop.retried());
        #[expect(clippy::cast_precision_loss, reason = "there are at most a million")]
        let rate = orders as f64 / seconds.max(0.001);
        format!(
            "{seconds:6.1}s  {orders} orders ({rate:.1}/s)  {under_way} under way  {ended} ended  {retried} retries"
        )
    }
}

async fn restock(shop: Arc<Shop>, products: Arc<[ProductId]>) {
    for product in products.iter() {
        if let Err(gave_up) = shop.restock(*product, STOCK_LOW, STOCK).await {
            // Orders that find nothing left say so.
            tracing::warn!(product_id = %product, reason = gave_up.text(), "no stock could be added");
        }
    }
}

/// A task does not die; if one does all the same, it is told.
fn died(error: Option<tokio::task::JoinError>) {
    if let Some(error) = error {
        tracing::error!(%error, "an order's task died");
    }
}
