//! `orderflow product restock`

use clap::Args;
use orderflow_contracts::{api::inventory, ids::ProductId};

use super::report;
use crate::{
    cli::Key,
    context::{Context, key_or_fresh},
    exit::Outcome,
};

/// Add to a product's stock, as its seller
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow --as seller product restock PRODUCT --quantity 5\n")]
pub struct Restock {
    /// Which product
    product: ProductId,
    /// How many have arrived
    #[arg(long, value_name = "N")]
    quantity: u32,
    #[command(flatten)]
    key: Key,
}

impl Restock {
    /// Adds to it.
    pub async fn run(self, context: &Context) -> Outcome {
        let key = key_or_fresh(self.key.idempotency_key);
        let more = inventory::Restock { quantity: self.quantity };
        let written = context.client()?.restock_product(self.product, more, &key).await?;
        report(context, &written, &key)
    }
}
