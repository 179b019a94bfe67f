//! `orderflow payment list`

use clap::Args;
use orderflow_client::ListQuery;

use crate::{cli::Paging, context::Context, exit::Outcome, parse, render};

/// Your payments
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow --as customer payment list --status refunded\n")]
pub struct List {
    /// Only those with this status
    #[arg(long, value_parser = parse::payment_status)]
    status: Option<String>,
    #[command(flatten)]
    page: Paging,
}

impl List {
    /// Lists them.
    pub async fn run(self, context: &Context) -> Outcome {
        let query = ListQuery { status: self.status, limit: self.page.limit, cursor: self.page.cursor };
        let page = context.client()?.payments(&query).await?;
        context.out.list(&page, render::payments)
    }
}
