//! `orderflow order fulfill`

use clap::Args;
use orderflow_client::{Client, Written, saga::Goal};
use orderflow_contracts::{api::orders, ids::OrderId, problem::Code};

use super::conclude;
use crate::{
    cli::Key,
    context::{Context, key_or_fresh},
    exit::Outcome,
    wait::Waiter,
};

/// Ship an order, as its seller
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow --as seller order fulfill ORDER --wait\n")]
pub struct Fulfill {
    /// Which order
    order: OrderId,
    /// Return when the stock has left the house
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    key: Key,
}

impl Fulfill {
    /// Tells the orders service.
    pub async fn run(self, context: &Context) -> Outcome {
        let (client, key) = (context.client()?, key_or_fresh(self.key.idempotency_key));
        let written = match self.wait {
            true => fulfill_when_allocated(context, &client, self.order, &key).await?,
            false => client.fulfill_order(self.order, &key).await?,
        };
        conclude(context, &client, written, &key, self.wait.then_some(Goal::Fulfilled)).await
    }
}

/// Ships; waits for the stock where the order is paid and its stock is still being allocated.
async fn fulfill_when_allocated(
    context: &Context,
    client: &Client,
    id: OrderId,
    key: &str,
) -> Outcome<Written<orders::Order>> {
    let mut waiter = Waiter::new(context.wait_limit(), context.out);
    loop {
        match client.fulfill_order(id, key).await {
            Err(error) if error.code() == Some(Code::NotAllocated) => {
                waiter.pause(|| format!("the stock of order {id} is not allocated yet")).await?;
            }
            written => return Ok(written?),
        }
    }
}
