//! `orderflow outbox list`

use clap::Args;
use orderflow_client::{Client, ListQuery, Service};
use orderflow_contracts::api::{PAGE_SIZE_MAX, Page, ops::OutboxRow};
use serde::Serialize;

use super::{service_parser, services};
use crate::{
    context::Context,
    exit::Outcome,
    output::{
        Align::{Left, Right},
        Paint, Table,
    },
};

/// Rows of each service where nothing is said.
const LIMIT: u32 = 50;

/// The events, and whether the relay has published them
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow outbox list --service orders\n  orderflow outbox list --pending\n")]
pub struct List {
    /// Only what is not published yet
    #[arg(long)]
    pending: bool,
    /// Only this service's
    #[arg(long, value_parser = service_parser())]
    service: Option<Service>,
    /// At most so many of each service, the oldest first
    #[arg(long, value_name = "N", default_value_t = LIMIT, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

#[derive(Serialize)]
struct There {
    service: &'static str,
    #[serde(flatten)]
    row: OutboxRow,
}

impl List {
    /// Lists them.
    pub async fn run(self, context: &Context) -> Outcome {
        let client = context.admin_client()?;
        let mut items = Vec::new();
        for service in services(self.service) {
            let rows = self.rows(&client, service).await?;
            items.extend(rows.into_iter().map(|row| There { service: service.name(), row }));
        }
        context.out.list(&Page { items, next_cursor: None }, table)
    }

    /// Page by page, until there are enough or no more.
    async fn rows(&self, client: &Client, service: Service) -> Outcome<Vec<OutboxRow>> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let mut query = ListQuery { limit: Some(PAGE_SIZE_MAX), ..ListQuery::default() };
        let mut rows = Vec::new();
        loop {
            let page = client.outbox(service, &query).await?;
            rows.extend(page.items.into_iter().filter(|row| !(self.pending && row.published)));
            query.cursor = page.next_cursor;
            if rows.len() >= limit || query.cursor.is_none() {
                rows.truncate(limit);
                return Ok(rows);
            }
        }
    }
}

fn table(rows: &[There], paint: Paint) -> String {
    let columns = [("SERVICE", Left), ("ID", Right), ("EVENT", Left), ("SUBJECT", Left), ("CREATED", Left), ("", Left)];
    let mut table = Table::new(columns);
    for There { service, row } in rows {
        let state = if row.published { "published" } else { "pending" };
        table.row([
            (*service).to_owned(),
            row.id.to_string(),
            row.event_type.clone(),
            row.subject.clone(),
            row.created_at.to_string(),
            state.to_owned(),
        ]);
    }
    table.render(paint)
}
