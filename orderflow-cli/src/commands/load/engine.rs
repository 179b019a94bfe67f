//! Keeps orders coming, so many a second, and no more at once than is allowed.

use std::{future::pending, pin::pin, sync::Arc, time::Duration};

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

    /// Goes on until its time is over or `stop` is there; then what it has begun is driven on to its end, for as long as
    /// `drain` says.
    pub async fn run(self, stop: impl Future<Output = ()>, drain: Duration, live: &mut Live) -> Outcome<Summary> {
        let mut run =
            Run { tally: Arc::default(), name: fresh_key(), began: Instant::now(), lives: JoinSet::new(), number: 0 };
        self.keep_ordering(&mut run, stop, live).await;
        let took = run.began.elapsed();
        let until = Instant::now() + drain;
        while !run.lives.is_empty() && Instant::now() < until {
            match timeout(LOOK_EVERY, run.lives.join_next()).await {
                Ok(ended) => died(ended.and_then(Result::err)),
                Err(_) => live.show(&self.line(&run)),
            }
        }
        run.lives.shutdown().await;
        live.clear();
        let acknowledged = run.tally.noted().acknowledged.clone();
        let missing = self.shop.missing(&acknowledged).await;
        let noted = std::mem::take(&mut *run.tally.noted());
        Ok(Summary::new(&self.plan, took, noted, self.shop.retried(), missing))
    }

    /// An order whenever one is due, until the time is over or `stop` is there.
    async fn keep_ordering(&self, run: &mut Run, stop: impl Future<Output = ()>, live: &mut Live) {
        let ends = async {
            match self.plan.lasts {
                Some(lasts) => sleep_until(run.began + lasts).await,
                None => pending().await,
            }
        };
        let (mut ends, mut stop) = (pin!(ends), pin!(stop));
        let [mut looks, mut restocks] = [LOOK_EVERY, RESTOCK_EVERY].map(|every| {
            let mut ticks = interval(every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            ticks
        });
        let mut restocking = JoinSet::new();
        let gap = Duration::from_secs_f64(1.0 / self.plan.rate);
        let mut due = Instant::now();
        while run.number < ORDERS_MAX {
            tokio::select! {
                () = sleep_until(due), if run.lives.len() < self.plan.concurrency => {
                    run.lives.spawn(self.life(run));
                    run.number += 1;
                    due = (due + gap).max(Instant::now() - BEHIND_MAX);
                }
                Some(ended) = run.lives.join_next() => died(ended.err()),
                Some(ended) = restocking.join_next() => died(ended.err()),
                _ = restocks.tick(), if restocking.is_empty() => {
                    restocking.spawn(restock(Arc::clone(&self.shop), Arc::clone(&self.products)));
                }
                _ = looks.tick() => live.show(&self.line(run)),
                () = &mut ends => break,
                () = &mut stop => break,
            }
        }
    }

    fn life(&self, run: &Run) -> impl Future<Output = ()> + Send + use<> {
        let (shop, products, tally) = (Arc::clone(&self.shop), Arc::clone(&self.products), Arc::clone(&run.tally));
        let number = run.number;
        let (name, decision) = (format!("{}-{number}", run.name), self.plan.decide(number, PRODUCTS));
        async move {
            let life = Life { shop: &shop, products: &products, tally: &tally, number, name, decision };
            life.live().await;
        }
    }

    fn line(&self, run: &Run) -> String {
        let (seconds, orders, under_way) = (run.began.elapsed().as_secs_f64(), run.number, run.lives.len());
        let (ended, retried) = (run.tally.noted().ended(), self.shop.retried());
        #[expect(clippy::cast_precision_loss, reason = "there are at most a million")]
        let rate = orders as f64 / seconds.max(1.0);
        format!(
            "{seconds:6.1}s  {orders} orders ({rate:.1}/s)  {under_way} under way  {ended} ended  {retried} retries"
        )
    }
}

/// A load that goes on.
struct Run {
    tally: Arc<Tally>,
    /// What no other load's keys begin with.
    name: String,
    began: Instant,
    lives: JoinSet<()>,
    /// How many orders were begun.
    number: u64,
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
