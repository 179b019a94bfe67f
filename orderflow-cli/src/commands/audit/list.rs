//! `orderflow audit list`

use clap::Args;
use orderflow_client::{AuditQuery, ListQuery};
use orderflow_contracts::api::ops::AuditEntry;

use crate::{
    cli::Paging,
    context::Context,
    exit::Outcome,
    output::{
        Align::{Left, Right},
        Paint, Table,
    },
};

/// The entries, the newest first
#[derive(Args)]
#[command(before_help = "\
Examples:
  orderflow audit list --action chaos.set
  orderflow audit list --subject ORDER -o jsonl
")]
pub struct List {
    /// Only by this one, as seller/ACCOUNT or orders
    #[arg(long)]
    actor: Option<String>,
    /// Only this, as order.confirmed or chaos.set
    #[arg(long)]
    action: Option<String>,
    /// Only about this: an order, a product, a fault, a dead letter, an account
    #[arg(long)]
    subject: Option<String>,
    #[command(flatten)]
    page: Paging,
}

impl List {
    /// Lists them.
    pub async fn run(self, context: &Context) -> Outcome {
        let Self { actor, action, subject, page } = self;
        let page = ListQuery { status: None, limit: page.limit, cursor: page.cursor };
        let query = AuditQuery { actor, action, subject, page };
        let page = context.admin_client()?.audit(&query).await?;
        context.out.list(&page, table)
    }
}

fn table(entries: &[AuditEntry], paint: Paint) -> String {
    let mut table = Table::new([("NUMBER", Right), ("AT", Left), ("ACTOR", Left), ("ACTION", Left), ("SUBJECT", Left)]);
    for entry in entries {
        table.row([
            entry.number.to_string(),
            entry.at.to_string(),
            entry.actor.clone(),
            entry.action.clone(),
            entry.subject.clone(),
        ]);
    }
    table.render(paint)
}
