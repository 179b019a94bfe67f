//! `orderflow product add`

use clap::Args;
use orderflow_contracts::{api::inventory::CreateProduct, money::Currency};

use super::{report, until_known};
use crate::{
    cli::Key,
    context::{Context, key_or_fresh},
    exit::Outcome,
    parse::{self, Amount},
};

/// Add a product, as a seller
///
/// Returns when the orders service knows the product, so that it can be ordered at once.
#[derive(Args)]
#[command(before_help = "\
Examples:
  orderflow --as seller product add --name \"Test Widget\" --price 29.99 --stock 10
  PRODUCT=$(orderflow --as seller product add --name Widget --price 5 --stock 1 -o json | jq -r .id)
")]
pub struct Add {
    /// What it is called
    #[arg(long)]
    name: String,
    /// What one costs, as 29.99
    #[arg(long, value_parser = parse::amount)]
    price: Amount,
    /// In which currency: USD or EUR
    #[arg(long, default_value = "USD")]
    currency: Currency,
    /// How many there are
    #[arg(long, default_value_t = 0, value_name = "N")]
    stock: u32,
    /// Do not wait until it can be ordered
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    key: Key,
}

impl Add {
    /// Adds it.
    pub async fn run(self, context: &Context) -> Outcome {
        let (client, key) = (context.client()?, key_or_fresh(self.key.idempotency_key));
        let product = CreateProduct { name: self.name, price: self.price.of(self.currency), stock: self.stock };
        let written = client.create_product(&product, &key).await?;
        if !self.no_wait {
            until_known(context, &client, &written.value).await?;
        }
        report(context, &written, &key)
    }
}
