//! `orderflow order fulfill`

use clap::Args;
use orderflow_client::saga::Goal;
use orderflow_contracts::ids::OrderId;

use super::conclude;
use crate::{
    cli::Key,
    context::{Context, key_or_fresh},
    exit::Outcome,
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
        let written = client.fulfill_order(self.order, &key).await?;
        conclude(context, &client, written, &key, self.wait.then_some(Goal::Fulfilled)).await
    }
}
