//! `orderflow order show`

use clap::Args;
use orderflow_contracts::ids::OrderId;

use crate::{context::Context, exit::Outcome, render};

/// One order
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow --as customer order show ORDER -o json | jq .status\n")]
pub struct Show {
    /// Which order
    order: OrderId,
}

impl Show {
    /// Shows it.
    pub async fn run(self, context: &Context) -> Outcome {
        let order = context.client()?.order(self.order).await?;
        context.out.document(&order, |paint| render::order(&order, paint))
    }
}
