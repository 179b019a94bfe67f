//! `orderflow order list`

use clap::Args;
use orderflow_client::ListQuery;

use crate::{cli::Paging, context::Context, exit::Outcome, parse, render};

/// Your orders
#[derive(Args)]
#[command(before_help = "\
Examples:
  orderflow --as seller order list --status pending
  orderflow --as customer order list -o jsonl | jq -r .id
")]
pub struct List {
    /// Only those with this status
    #[arg(long, value_parser = parse::order_status)]
    status: Option<String>,
    #[command(flatten)]
    page: Paging,
}

impl List {
    /// Lists them.
    pub async fn run(self, context: &Context) -> Outcome {
        let query = ListQuery { status: self.status, limit: self.page.limit, cursor: self.page.cursor };
        let page = context.client()?.orders(&query).await?;
        context.out.list(&page, render::orders)
    }
}
