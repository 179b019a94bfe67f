//! `orderflow reservation show`

use clap::Args;
use orderflow_contracts::ids::OrderId;

use crate::{context::Context, exit::Outcome, render};

/// One order's reservation
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow --as customer reservation show ORDER\n")]
pub struct Show {
    /// Which order
    order: OrderId,
}

impl Show {
    /// Shows it.
    pub async fn run(self, context: &Context) -> Outcome {
        let reservation = context.client()?.reservation(self.order).await?;
        context.out.document(&reservation, |paint| render::reservation(&reservation, paint))
    }
}
