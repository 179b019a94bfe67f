//! `orderflow product edit`

use clap::Args;
use orderflow_contracts::{api::inventory::EditProduct, ids::ProductId, money::Currency};

use super::{report, until_known};
use crate::{
    cli::Key,
    context::{Context, key_or_fresh},
    exit::Outcome,
    parse::{self, Amount},
};

/// Change a product's name or price, as its seller
///
/// Orders that exist keep their prices. Returns when the orders service knows the change.
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow --as seller product edit PRODUCT --price 24.99\n")]
pub struct Edit {
    /// Which product
    product: ProductId,
    /// A new name
    #[arg(long, required_unless_present = "price")]
    name: Option<String>,
    /// A new price, as 24.99
    #[arg(long, value_parser = parse::amount)]
    price: Option<Amount>,
    /// In which currency: USD or EUR
    #[arg(long, default_value = "USD")]
    currency: Currency,
    /// Only if the product is still at this version
    #[arg(long, value_name = "N")]
    expected_version: Option<i64>,
    /// Do not wait until the change holds for orders
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    key: Key,
}

impl Edit {
    /// Changes it.
    pub async fn run(self, context: &Context) -> Outcome {
        let (client, key) = (context.client()?, key_or_fresh(self.key.idempotency_key));
        let price = self.price.map(|amount| amount.of(self.currency));
        let edit = EditProduct { name: self.name, price, expected_version: self.expected_version };
        let written = client.edit_product(self.product, &edit, &key).await?;
        if !self.no_wait {
            until_known(context, &client, &written.value).await?;
        }
        report(context, &written, &key)
    }
}
