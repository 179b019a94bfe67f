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
            Self::Refused(error) => match error.code() {
                Some(code) => format!("refused: {}", code.as_str()),
                None => format!("refused: {error}"),
            },
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
    pub async fn insist<T, F>(&self, mut act: impl FnMut() -> F) -> Result<T, GaveUp>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        let until = Instant::now() + PATIENCE;
        let mut pause = PAUSE_MIN;
        loop {
            match timeout_at(until, act()).await {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(error)) if !may_change(&error) => return Err(GaveUp::Refused(Box::new(error))),
                Ok(Err(_)) if Instant::now() + pause < until => {}
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
        let until = Instant::now() + PATIENCE;
        let mut pause = LOOK_MIN;
        loop {
            let order = self.insist(|| self.customer.order(id)).await?;
            let verdict = judge(goal, &order);
            if verdict != Verdict::NotYet {
                return Ok((order, verdict));
            }
            if Instant::now() > until {
                return Err(GaveUp::TooLate);
            }
            sleep(pause).await;
            pause = (pause * 2).min(LOOK_MAX);
        }
    }

    /// Waits until an order that is cancelled has given back its stock and its money.
    pub async fn given_back(&self, cancelled: &Order) -> Result<Order, GaveUp> {
        let with_payment = will_have_payment(cancelled);
        self.reached(cancelled.id, Goal::Cancelled { with_payment }).await.map(|(order, _)| order)
    }

    /// Which of these orders the orders service does not know, though it has acknowledged them.
    pub async fn missing(&self, acknowledged: &[OrderId]) -> Outcome<Vec<OrderId>> {
        let mut left: std::collections::BTreeSet<OrderId> = acknowledged.iter().copied().collect();
        let mut page = ListQuery { limit: Some(PAGE_SIZE_MAX), ..ListQuery::default() };
        while !left.is_empty() {
            let found = self.insist(|| self.customer.orders(&page)).await?;
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
            match self.insist(|| self.customer.order(id)).await {
                Ok(_) => {}
                Err(GaveUp::Refused(error)) if error.code() == Some(Code::NotFound) => missing.push(id),
                Err(gave_up) => return Err(gave_up.into()),
            }
        }
        Ok(missing)
    }
}

/// Whether the same request can have another answer in a moment. A service that is killed makes mistakes, too.
fn may_change(error: &ClientError) -> bool {
    error.is_transient() || error.code() == Some(Code::Internal)
}

/// A key of its own.
pub fn fresh_key() -> String {
    Uuid::new_v4().to_string()
}
