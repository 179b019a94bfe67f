//! Who orders and who sells, and their patience: an answer that may be another one in a moment is asked for again, with
//! the same idempotency key.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use orderflow_client::{
    Client, ClientError, ListQuery,
    saga::{Goal, Verdict, judge, will_have_payment},
};
use orderflow_contracts::{
    api::{
        PAGE_SIZE_MAX,
        inventory::{CreateProduct, Restock},
        orders::Order,
    },
    ids::{OrderId, ProductId},
    money::{Currency, Money},
    problem::Code,
    words::word,
};
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

use crate::{
    context::Context,
    exit::{Failure, Outcome},
    parse::Role,
    wait::{self, Waiter},
};

/// How long one step of an order may take: longer than anything is broken in the scenarios.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long it may take to find out at the end whether all orders exist.
const MISSING_MAX: Duration = Duration::from_secs(60);
/// Between two tries; doubled up to the maximum.
const PAUSE_MIN: Duration = Duration::from_millis(25);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// Between two looks at an order that is under way; doubled up to the maximum.
const LOOK_MIN: Duration = Duration::from_millis(20);
const LOOK_MAX: Duration = Duration::from_millis(320);
/// What a piece costs.
const PRICE: Money = Money::new(999, Currency::Usd);

/// The people.
pub struct Shop {
    /// Who orders and pays.
    pub customer: Client,
    /// Who sells.
    pub seller: Client,
    retried: AtomicU64,
}

/// How long somebody tries, and who is told what it waits for.
#[derive(Clone, Copy)]
pub struct Patience<'a> {
    /// No longer than this.
    pub until: Instant,
    /// What is in the way, each time; one of few words, without ids.
    pub told: &'a (dyn Fn(String) + Sync),
}

impl Patience<'static> {
    /// For so long from now on, and nobody is told.
    pub fn of(time: Duration) -> Self {
        Self { until: Instant::now() + time, told: &|_| () }
    }
}

/// Why a step of an order was given up.
#[derive(Debug)]
pub enum GaveUp {
    /// For good, by a service.
    Refused(Box<ClientError>),
    /// It took too long.
    TooLate,
}

impl GaveUp {
    /// For the summary.
    pub fn text(&self) -> String {
        match self {
            Self::Refused(error) => format!("refused: {}", in_short(error)),
            Self::TooLate => "unfinished".to_owned(),
        }
    }
}

impl From<GaveUp> for Failure {
    fn from(gave_up: GaveUp) -> Self {
        match gave_up {
            GaveUp::Refused(error) => (*error).into(),
            GaveUp::TooLate => Self::with(
                crate::exit::Exit::TimedOut,
                format!("no answer that decides anything for {} s", PATIENCE.as_secs()),
            ),
        }
    }
}

impl Shop {
    /// The test accounts'.
    pub fn open(context: &Context) -> Outcome<Self> {
        let [customer, seller] = [Role::Customer, Role::Seller].map(|role| context.client_as(role));
        Ok(Self { customer: customer?, seller: seller?, retried: AtomicU64::new(0) })
    }

    /// How often something was tried again.
    pub fn retried(&self) -> u64 {
        self.retried.load(Ordering::Relaxed)
    }

    /// Does it, however often that takes. What is done has to be safe to repeat.
    pub async fn insist<T, F>(&self, act: impl FnMut() -> F) -> Result<T, GaveUp>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        self.insist_with(Patience::of(PATIENCE), act).await
    }

    /// Does it with more patience, or less.
    pub async fn insist_with<T, F>(&self, patience: Patience<'_>, mut act: impl FnMut() -> F) -> Result<T, GaveUp>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        let Patience { until, told } = patience;
        let mut pause = PAUSE_MIN;
        loop {
            match timeout_at(until, act()).await {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(error)) if !may_change(&error) => return Err(GaveUp::Refused(Box::new(error))),
                Ok(Err(error)) if Instant::now() + pause < until => told(in_short(&error)),
                Ok(Err(_)) | Err(_) => return Err(GaveUp::TooLate),
            }
            self.retried.fetch_add(1, Ordering::Relaxed);
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Lists a product, and waits until it can be ordered.
    pub async fn list(&self, context: &Context, name: &str, stock: u32) -> Outcome<ProductId> {
        let (key, product) = (fresh_key(), CreateProduct { name: name.to_owned(), price: PRICE, stock });
        let product = self.insist(|| self.seller.create_product(&product, &key)).await?.value;
        let mut waiter = Waiter::new(PATIENCE, context.out);
        wait::for_catalog(&self.seller, product.id, product.version, &mut waiter).await?;
        Ok(product.id)
    }

    /// Adds to a product's stock if there is little left.
    pub async fn restock(&self, id: ProductId, low: u32, more: u32) -> Result<(), GaveUp> {
        let product = self.insist(|| self.seller.product(id)).await?;
        if product.available < low {
            let key = fresh_key();
            self.insist(|| self.seller.restock_product(id, Restock { quantity: more }, &key)).await?;
        }
        Ok(())
    }

    /// Waits until an order is where it is to be, or has ended otherwise.
    pub async fn reached(&self, id: OrderId, goal: Goal) -> Result<(Order, Verdict), GaveUp> {
        self.reached_with(Patience::of(PATIENCE), id, goal).await
    }

    /// Waits with more patience, or less.
    pub async fn reached_with(
        &self,
        patience: Patience<'_>,
        id: OrderId,
        goal: Goal,
    ) -> Result<(Order, Verdict), GaveUp> {
        let mut pause = LOOK_MIN;
        loop {
            let order = self.insist_with(patience, || self.customer.order(id)).await?;
            let verdict = judge(goal, &order);
            if verdict != Verdict::NotYet {
                return Ok((order, verdict));
            }
            if Instant::now() > patience.until {
                return Err(GaveUp::TooLate);
            }
            (patience.told)(where_it_stands(&order));
            sleep(pause).await;
            pause = (pause * 2).min(LOOK_MAX);
        }
    }

    /// Waits until an order that is cancelled has given back its stock and its money.
    pub async fn given_back(&self, cancelled: &Order) -> Result<Order, GaveUp> {
        self.given_back_with(Patience::of(PATIENCE), cancelled).await
    }

    /// Waits with more patience, or less.
    pub async fn given_back_with(&self, patience: Patience<'_>, cancelled: &Order) -> Result<Order, GaveUp> {
        let with_payment = will_have_payment(cancelled);
        self.reached_with(patience, cancelled.id, Goal::Cancelled { with_payment }).await.map(|(order, _)| order)
    }

    /// Which of these orders the orders service does not know, though it has acknowledged them. An error if it does not
    /// say so in time.
    pub async fn missing(&self, acknowledged: &[OrderId]) -> Result<Vec<OrderId>, GaveUp> {
        let patience = Patience::of(MISSING_MAX);
        let mut left: std::collections::BTreeSet<OrderId> = acknowledged.iter().copied().collect();
        let mut page = ListQuery { limit: Some(PAGE_SIZE_MAX), ..ListQuery::default() };
        while !left.is_empty() {
            let found = self.insist_with(patience, || self.customer.orders(&page)).await?;
            for order in found.items {
                left.remove(&order.id);
            }
            page.cursor = found.next_cursor;
            if page.cursor.is_none() {
                break;
            }
        }
        // A list can be older than what is asked for by itself.
        let mut missing = Vec::new();
        for id in left {
            match self.insist_with(patience, || self.customer.order(id)).await {
                Ok(_) => {}
                Err(GaveUp::Refused(error)) if error.code() == Some(Code::NotFound) => missing.push(id),
                Err(gave_up) => return Err(gave_up),
            }
        }
        Ok(missing)
    }
}

/// Whether the same request can have another answer in a moment. A service that is killed makes mistakes, too.
fn may_change(error: &ClientError) -> bool {
    error.is_transient() || error.code() == Some(Code::Internal)
}

/// An error in few words and without ids, so that the same is counted as the same.
fn in_short(error: &ClientError) -> String {
    // The address without the path, in which there may be an order's id.
    let place = |url: &str| url.split('/').take(3).collect::<Vec<_>>().join("/");
    match error {
        ClientError::Problem(problem) => problem.code.as_str().to_owned(),
        ClientError::Unreachable { url, .. } => format!("{} cannot be reached", place(url)),
        ClientError::Timeout { url } => format!("{} does not answer in time", place(url)),
        ClientError::BadAnswer { url, what } => format!("{} answers what makes no sense: {what}", place(url)),
        ClientError::NoToken(why) | ClientError::BadRequest(why) => why.clone(),
    }
}

fn where_it_stands(order: &Order) -> String {
    let (stock, money) = (word(order.reservation.status), word(order.payment.status));
    format!("it is still {}, stock {stock}, payment {money}", order.status.as_str())
}

/// A key of its own.
pub fn fresh_key() -> String {
    Uuid::new_v4().to_string()
}
