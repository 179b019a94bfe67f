//! `orderflow payment show`

use clap::Args;
use orderflow_contracts::ids::OrderId;

use crate::{context::Context, exit::Outcome, render};

/// One order's payment
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow --as customer payment show ORDER\n")]
pub struct Show {
    /// Which order
    order: OrderId,
}

impl Show {
    /// Shows it.
    pub async fn run(self, context: &Context) -> Outcome {
        let payment = context.client()?.payment(self.order).await?;
        context.out.document(&payment, |paint| render::payment(&payment, paint))
    }
}
