//! Waiting for a saga to take a step: asked again and again, a little less often each time.

use std::time::Duration;

use orderflow_client::{
    Client, ClientError,
    saga::{Goal, Verdict, judge},
    view,
};
use orderflow_contracts::{
    api::orders::Order,
    ids::{OrderId, ProductId},
    problem::Code,
    words::word,
};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{
    exit::{Exit, Failure, Outcome},
    output::Output,
};

const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_millis(200);
/// After so long it is said what is waited for.
const SAID_AFTER: Duration = Duration::from_secs(2);

/// A limit and the pauses up to it.
pub struct Waiter {
    began: Instant,
    until: Instant,
    limit: Duration,
    pause: Duration,
    said: Option<String>,
    out: Output,
}

impl Waiter {
    /// Waits so long, from now on.
    pub fn new(limit: Duration, out: Output) -> Self {
        let began = Instant::now();
        Self { began, until: began + limit, limit, pause: PAUSE_MIN, said: None, out }
    }

    /// Asks, within the limit. An answer that may be another one in a moment is none.
    pub async fn ask<T>(&self, question: impl Future<Output = Result<T, ClientError>>) -> Outcome<Option<T>> {
        match timeout_at(self.until, question).await {
            Ok(Ok(answer)) => Ok(Some(answer)),
            Ok(Err(error)) if error.is_transient() => Ok(None),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Ok(None),
        }
    }

    /// Pauses; `what` is what is waited for. An error when the limit is reached.
    pub async fn pause(&mut self, what: impl FnOnce() -> String) -> Outcome {
        let now = Instant::now();
        if now >= self.until {
            let message = format!("not within {:?}: {}", self.limit, what());
            return Err(Failure::with(Exit::TimedOut, message).hint("it may still happen; --timeout waits longer"));
        }
        if now - self.began > SAID_AFTER {
            let what = what();
            if self.said.as_ref() != Some(&what) {
                self.out.note(&format!("waiting: {what}"));
                self.said = Some(what);
            }
        }
        sleep(self.pause.min(self.until - now)).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        Ok(())
    }
}

/// Waits until an order has reached the goal, or cannot reach it any more.
pub async fn for_order(client: &Client, id: OrderId, goal: Goal, waiter: &mut Waiter) -> Outcome<(Order, Verdict)> {
    let mut last: Option<Order> = None;
    loop {
        if let Some(order) = waiter.ask(client.order(id)).await? {
            let verdict = judge(goal, &order);
            if verdict != Verdict::NotYet {
                return Ok((order, verdict));
            }
            last = Some(order);
        }
        waiter.pause(|| last.as_ref().map_or_else(|| unheard(id), where_it_stands)).await?;
    }
}

/// Waits until the console's timeline has the order. A console that is down is not waited for: no saga needs it.
pub async fn for_timeline(client: &Client, id: OrderId, waiter: &mut Waiter) -> Outcome {
    loop {
        let heard = async {
            match client.timeline(id).await {
                Ok(timeline) => Ok(!timeline.steps.is_empty()),
                Err(error) if error.code() == Some(Code::NotFound) => Ok(false),
                Err(_) => Ok(true),
            }
        };
        if waiter.ask(heard).await? == Some(true) {
            return Ok(());
        }
        waiter.pause(|| format!("the console has not heard of order {id} yet")).await?;
    }
}

/// Waits until the orders service knows a product in this version.
pub async fn for_catalog(client: &Client, id: ProductId, version: i64, waiter: &mut Waiter) -> Outcome {
    loop {
        // Not heard of is what is waited for, so it is no error here.
        let heard = async {
            match client.catalog_entry(id).await {
                Ok(entry) => Ok(entry.version >= version),
                Err(error) if error.code() == Some(Code::NotFound) => Ok(false),
                Err(error) => Err(error),
            }
        };
        if waiter.ask(heard).await? == Some(true) {
            return Ok(());
        }
        waiter.pause(|| format!("the orders service has not heard of product {id} yet")).await?;
    }
}

fn unheard(id: OrderId) -> String {
    format!("the orders service does not answer about order {id}")
}

/// Where an order stands, for whoever waits for it.
pub fn where_it_stands(order: &Order) -> String {
    let (stock, money) = (word(order.reservation.status), word(order.payment.status));
    let (status, headline) = (order.status.as_str(), view::headline(order));
    format!("order {} is {status} and {headline} (stock {stock}, money {money})", order.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Format;

    #[tokio::test]
    async fn pauses_grow_and_end_at_the_limit() {
        let mut waiter = Waiter::new(Duration::from_millis(60), Output::new(Format::Text, true, true));
        let mut pauses = 0;
        let failure = loop {
            match waiter.pause(|| "x".to_owned()).await {
                Ok(()) => pauses += 1,
                Err(failure) => break failure,
            }
        };
        assert_eq!(failure.exit, Exit::TimedOut);
        assert!((1..=3).contains(&pauses), "10, 20 and 30 ms at most: {pauses}");
    }
}
