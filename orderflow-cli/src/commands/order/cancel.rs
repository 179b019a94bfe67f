//! `orderflow order cancel`

use clap::Args;
use orderflow_client::saga::{Goal, will_have_payment};
use orderflow_contracts::ids::OrderId;

use super::conclude;
use crate::{
    cli::Key,
    context::{Context, key_or_fresh},
    exit::Outcome,
};

/// Call an order off, as its customer or its seller
///
/// Stock goes back, and so does money that was taken.
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow --as customer order cancel ORDER --wait\n")]
pub struct Cancel {
    /// Which order
    order: OrderId,
    /// Return when stock and money are back
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    key: Key,
}

impl Cancel {
    /// Tells the orders service.
    pub async fn run(self, context: &Context) -> Outcome {
        let (client, key) = (context.client()?, key_or_fresh(self.key.idempotency_key));
        let written = client.cancel_order(self.order, &key).await?;
        let with_payment = will_have_payment(&written.value);
        conclude(context, &client, written, &key, self.wait.then_some(Goal::Cancelled { with_payment })).await
    }
}
