//! `orderflow outbox …`

mod list;
mod replay;

use clap::{
    Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use orderflow_client::Service;

use crate::{context::Context, exit::Outcome};

/// What the services have committed to be published
#[derive(Subcommand)]
pub enum Outbox {
    /// The events, and whether the relay has published them
    List(list::List),
    /// Publish again what was published before; nothing is applied twice
    Replay(replay::Replay),
}

impl Outbox {
    /// Does what was asked for.
    pub async fn run(self, context: &Context) -> Outcome {
        match self {
            Self::List(command) => command.run(context).await,
            Self::Replay(command) => command.run(context).await,
        }
    }
}

/// Reads the name of a service that an admin can look into.
pub fn service_parser() -> impl TypedValueParser<Value = Service> {
    PossibleValuesParser::new(Service::WITH_CLOCK.map(Service::name)).try_map(|text| {
        let found = Service::WITH_CLOCK.into_iter().find(|service| service.name() == text);
        found.ok_or_else(|| format!("{text:?} is no service"))
    })
}

/// The one that was named, or all.
pub fn services(one: Option<Service>) -> Vec<Service> {
    one.map_or_else(|| Service::WITH_CLOCK.to_vec(), |service| vec![service])
}
