//! `orderflow product show`

use clap::Args;
use orderflow_contracts::ids::ProductId;

use crate::{context::Context, exit::Outcome, render};

/// One product
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow --as customer product show PRODUCT\n")]
pub struct Show {
    /// Which product
    product: ProductId,
}

impl Show {
    /// Shows it.
    pub async fn run(self, context: &Context) -> Outcome {
        let product = context.client()?.product(self.product).await?;
        context.out.document(&product, |paint| render::product(&product, paint))
    }
}
