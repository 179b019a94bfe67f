//! `orderflow order confirm`

use clap::Args;
use orderflow_client::saga::Goal;
use orderflow_contracts::ids::OrderId;

use super::conclude;
use crate::{
    cli::Key,
    context::{Context, key_or_fresh},
    exit::Outcome,
};

/// Agree to deliver, as the seller; stock is reserved
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow --as seller order confirm ORDER --wait\n")]
pub struct Confirm {
    /// Which order
    order: OrderId,
    /// Return when the order can be paid, or was cancelled for want of stock (exit code 5)
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    key: Key,
}

impl Confirm {
    /// Tells the orders service.
    pub async fn run(self, context: &Context) -> Outcome {
        let (client, key) = (context.client()?, key_or_fresh(self.key.idempotency_key));
        let written = client.confirm_order(self.order, &key).await?;
        conclude(context, &client, written, &key, self.wait.then_some(Goal::Confirmed)).await
    }
}
