//! `orderflow outbox replay`

use clap::Args;
use orderflow_client::Service;
use orderflow_contracts::api::ops::ReplayOutbox;
use serde::Serialize;

use super::{service_parser, services};
use crate::{
    context::Context,
    exit::Outcome,
    output::{
        Align::{Left, Right},
        Table,
    },
};

/// Publish again what was published before; nothing is applied twice
///
/// For a broker that has lost its data. Consumers know by an event's id what they have applied.
#[derive(Args)]
#[command(
    before_help = "Examples:\n  orderflow outbox replay\n  orderflow outbox replay --service orders --subject ORDER\n"
)]
pub struct Replay {
    /// Only this service's
    #[arg(long, value_parser = service_parser())]
    service: Option<Service>,
    /// Only what is about this order or product
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
}

#[derive(Serialize)]
struct There {
    service: &'static str,
    events: u64,
}

impl Replay {
    /// Publishes them.
    pub async fn run(self, context: &Context) -> Outcome {
        let client = context.admin_client()?;
        let what = ReplayOutbox { subject: self.subject };
        let mut replayed = Vec::new();
        for service in services(self.service) {
            let events = client.replay_outbox(service, &what).await?.events;
            replayed.push(There { service: service.name(), events });
        }
        context.out.document(&replayed, |paint| {
            let mut table = Table::new([("SERVICE", Left), ("EVENTS", Right)]);
            for There { service, events } in &replayed {
                table.row([(*service).to_owned(), events.to_string()]);
            }
            table.render(paint)
        })
    }
}
