//! `orderflow product list`

use clap::Args;
use orderflow_client::{ListQuery, ProductQuery};
use orderflow_contracts::ids::AccountId;

use crate::{cli::Paging, context::Context, exit::Outcome, parse::Sort, render};

/// The catalogue
#[derive(Args)]
#[command(before_help = "\
Examples:
  orderflow --as customer product list --in-stock --sort price
  orderflow --as customer product list --search widget -o jsonl | jq .name
")]
pub struct List {
    /// Only what has this in its name
    #[arg(long)]
    search: Option<String>,
    /// Only what can be had
    #[arg(long)]
    in_stock: bool,
    /// In which order
    #[arg(long, value_enum, default_value = "newest")]
    sort: Sort,
    /// Only this seller's
    #[arg(long, value_name = "ACCOUNT")]
    seller_id: Option<AccountId>,
    #[command(flatten)]
    page: Paging,
}

impl List {
    /// Lists them.
    pub async fn run(self, context: &Context) -> Outcome {
        let page = ListQuery { status: None, limit: self.page.limit, cursor: self.page.cursor };
        let (in_stock, sort, seller_id) = (self.in_stock, self.sort.into(), self.seller_id);
        let query = ProductQuery { search: self.search, in_stock, sort, seller_id, page };
        let page = context.client()?.products(&query).await?;
        context.out.list(&page, render::products)
    }
}
