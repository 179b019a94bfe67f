//! The life of one order, from the customer's wish to its end, and what is noted of it.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use orderflow_client::{
    ClientError,
    saga::{Goal, Verdict},
};
use orderflow_contracts::{
    api::{
        orders::{CreateLine, CreateOrder, Order},
        payments::Pay,
    },
    ids::{OrderId, ProductId},
    problem::Code,
    words::word,
};
use serde::Serialize;
use tokio::time::Instant;

use super::{
    histogram::Histogram,
    plan::{Decision, Kind, Stage},
    shop::{GaveUp, Patience, Shop},
};

/// No step is tried for longer. The end of the load's drain comes before.
const STEP_MAX: Duration = Duration::from_secs(24 * 3600);

/// What is noted of all orders.
#[derive(Default)]
pub struct Tally(Mutex<Noted>);

/// What was noted.
#[derive(Default)]
pub struct Noted {
    /// Orders that the service has acknowledged.
    pub acknowledged: Vec<OrderId>,
    /// How many of each kind have ended how.
    pub endings: BTreeMap<(Kind, String), u64>,
    /// What is under way, by the number of the order.
    under_way: BTreeMap<u64, UnderWay>,
    /// What has not come to an end of its own, and never will.
    given_up: Vec<UnderWay>,
    /// How long each step took.
    pub steps: BTreeMap<&'static str, Histogram>,
}

impl Tally {
    /// What was noted up to now.
    pub fn noted(&self) -> std::sync::MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn took(&self, step: &'static str, since: Instant) {
        self.noted().steps.entry(step).or_default().add(since.elapsed());
    }
}

/// An order that has not come to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnderWay {
    /// The step at which it is.
    pub stage: &'static str,
    /// What is in the way, as far as it is known.
    pub why: String,
    /// Which order, once that is known.
    pub id: Option<OrderId>,
}

impl Noted {
    /// What has not come to its end, and is not going to be driven on.
    pub fn unfinished(&mut self) -> Vec<UnderWay> {
        let under_way = std::mem::take(&mut self.under_way).into_values();
        std::mem::take(&mut self.given_up).into_iter().chain(under_way).collect()
    }

    /// How many orders have ended, one way or the other.
    pub fn ended(&self) -> u64 {
        self.endings.values().sum()
    }
}

/// An order to be lived.
pub struct Life<'a> {
    /// Who acts.
    pub shop: &'a Shop,
    /// What there is to order.
    pub products: &'a [ProductId],
    /// Where it is noted.
    pub tally: &'a Tally,
    /// Which one of the load's.
    pub number: u64,
    /// What no other order's keys begin with.
    pub name: String,
    /// What becomes of it.
    pub decision: Decision,
}

impl Life<'_> {
    /// Lives it.
    pub async fn live(self) {
        let kind = self.decision.kind;
        let ending = self.to_the_end().await;
        let mut noted = self.tally.noted();
        let under_way = noted.under_way.remove(&self.number);
        let text = match ending {
            Ok(text) => text,
            Err(gave_up) => {
                let why = gave_up.text();
                noted.given_up.extend(under_way.map(|order| UnderWay { why: why.clone(), ..order }));
                why
            }
        };
        *noted.endings.entry((kind, text)).or_default() += 1;
    }

    /// Notes the step that begins.
    fn begin(&self, stage: &'static str, id: Option<OrderId>) -> Instant {
        let why = "no answer yet".to_owned();
        self.tally.noted().under_way.insert(self.number, UnderWay { stage, why, id });
        Instant::now()
    }

    /// Notes what is in the way of the step.
    fn note(&self, why: String) {
        if let Some(order) = self.tally.noted().under_way.get_mut(&self.number) {
            order.why = why;
        }
    }

    /// Does what is safe to repeat, for as long as there is a load.
    async fn insist<T, F>(&self, act: impl FnMut() -> F + Send) -> Result<T, GaveUp>
    where
        F: Future<Output = Result<T, ClientError>> + Send,
    {
        let told = |why| self.note(why);
        self.shop.insist_with(Patience { until: Instant::now() + STEP_MAX, told: &told }, act).await
    }

    async fn reached(&self, id: OrderId, goal: Goal) -> Result<(Order, Verdict), GaveUp> {
        let told = |why| self.note(why);
        self.shop.reached_with(Patience { until: Instant::now() + STEP_MAX, told: &told }, id, goal).await
    }

    async fn given_back(&self, cancelled: &Order) -> Result<Order, GaveUp> {
        let told = |why| self.note(why);
        self.shop.given_back_with(Patience { until: Instant::now() + STEP_MAX, told: &told }, cancelled).await
    }

    async fn to_the_end(&self) -> Result<String, GaveUp> {
        let Decision { kind, left_at, .. } = self.decision;
        let id = self.create().await?;
        if left_at == Stage::Created {
            return self.leave(kind, id).await;
        }
        if let Some(cancelled) = self.confirm(id).await? {
            return self.over(&cancelled).await;
        }
        if left_at == Stage::Confirmed {
            return self.leave(kind, id).await;
        }
        if let Some(cancelled) = self.pay(id).await? {
            return self.over(&cancelled).await;
        }
        if kind == Kind::Cancel {
            return self.leave(kind, id).await;
        }
        self.ship(id).await
    }

    async fn create(&self) -> Result<OrderId, GaveUp> {
        let line = |(product, quantity): &(usize, u32)| {
            let product_id = *self.products.get(*product)?;
            Some(CreateLine { product_id, quantity: *quantity })
        };
        let order = CreateOrder { lines: self.decision.lines.iter().filter_map(line).collect() };
        let (key, began) = (self.key("create"), self.begin("create", None));
        let id = self.insist(|| self.shop.customer.create_order(&order, &key)).await?.value.id;
        self.tally.took("create", began);
        self.tally.noted().acknowledged.push(id);
        Ok(id)
    }

    /// The order if it has ended instead.
    async fn confirm(&self, id: OrderId) -> Result<Option<Order>, GaveUp> {
        let (key, began) = (self.key("confirm"), self.begin("confirm", Some(id)));
        self.insist(|| self.shop.seller.confirm_order(id, &key)).await?;
        let (order, verdict) = self.reached(id, Goal::Confirmed).await?;
        self.tally.took("confirm", began);
        Ok((verdict == Verdict::Compensated).then_some(order))
    }

    /// The order if it has ended instead.
    async fn pay(&self, id: OrderId) -> Result<Option<Order>, GaveUp> {
        let token = if self.decision.kind == Kind::Decline { "tok_chargeDeclined" } else { "tok_visa" };
        let (key, began) = (self.key("pay"), self.begin("pay", Some(id)));
        let pay = Pay { token: token.to_owned() };
        match self.insist(|| self.shop.customer.pay_order(id, &pay, &key)).await {
            // What the order has come to is the orders service's to say.
            Err(GaveUp::Refused(error)) if is_over(error.code()) => {}
            paid => drop(paid?),
        }
        let (order, verdict) = self.reached(id, Goal::Paid).await?;
        if verdict == Verdict::Reached {
            self.tally.took("pay", began);
            return Ok(None);
        }
        Ok(Some(order))
    }

    async fn ship(&self, id: OrderId) -> Result<String, GaveUp> {
        let (key, began) = (self.key("fulfill"), self.begin("ship", Some(id)));
        self.insist(|| self.shop.seller.fulfill_order(id, &key)).await?;
        let (order, _) = self.reached(id, Goal::Fulfilled).await?;
        self.tally.took("ship", began);
        Ok(ending(&order))
    }

    /// Called off, or left as it is.
    async fn leave(&self, kind: Kind, id: OrderId) -> Result<String, GaveUp> {
        if kind == Kind::Abandon {
            return Ok("left unpaid".to_owned());
        }
        let (key, began) = (self.key("cancel"), self.begin("cancel", Some(id)));
        let cancelled = self.insist(|| self.shop.customer.cancel_order(id, &key)).await?.value;
        let order = self.given_back(&cancelled).await?;
        self.tally.took("cancel", began);
        Ok(ending(&order))
    }

    /// Cancelled by the saga: its stock and its money come back.
    async fn over(&self, cancelled: &Order) -> Result<String, GaveUp> {
        let began = self.begin("compensate", Some(cancelled.id));
        let order = self.given_back(cancelled).await?;
        self.tally.took("compensate", began);
        Ok(ending(&order))
    }

    fn key(&self, step: &str) -> String {
        format!("{}-{step}", self.name)
    }
}

fn is_over(code: Option<Code>) -> bool {
    matches!(code, Some(Code::PaymentOver | Code::PaymentDeadlinePassed | Code::AlreadyPaid | Code::PaymentInProgress))
}

fn ending(order: &Order) -> String {
    let reason = order.cancel_reason.map(|reason| format!(" {}", word(reason))).unwrap_or_default();
    format!("{}{reason}", order.status.as_str())
}
