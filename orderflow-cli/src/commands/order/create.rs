//! `orderflow order create`

use clap::Args;
use orderflow_contracts::api::orders::{CreateLine, CreateOrder};

use super::report;
use crate::{
    cli::Key,
    context::{Context, key_or_fresh},
    exit::Outcome,
    parse,
    wait::{self, Waiter},
};

/// Order something, as a customer
///
/// All items are of one seller. The price is the catalogue's.
#[derive(Args)]
#[command(before_help = "\
Examples:
  orderflow --as customer order create --item PRODUCT:2 --wait
  ORDER=$(orderflow --as customer order create --item PRODUCT:2 --item OTHER:1 -o json | jq -r .id)
")]
pub struct Create {
    /// What, and how many; may be given several times
    #[arg(long = "item", required = true, value_name = "PRODUCT:QTY", value_parser = parse::item)]
    items: Vec<CreateLine>,
    /// Return when the order's timeline has begun
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    key: Key,
}

impl Create {
    /// Orders it.
    pub async fn run(self, context: &Context) -> Outcome {
        let (client, key) = (context.client()?, key_or_fresh(self.key.idempotency_key));
        let written = client.create_order(&CreateOrder { lines: self.items }, &key).await?;
        if self.wait {
            let mut waiter = Waiter::new(context.wait_limit(), context.out);
            wait::for_timeline(&client, written.value.id, &mut waiter).await?;
        }
        report(context, &written.value, &key, written.replayed)
    }
}
