//! `orderflow reservation …`

mod list;
mod show;

use clap::Subcommand;

use crate::{context::Context, exit::Outcome};

/// What is known of orders' reservations
#[derive(Subcommand)]
pub enum Reservation {
    /// Your reservations
    List(list::List),
    /// One order's reservation
    Show(show::Show),
}

impl Reservation {
    /// Does what was asked for.
    pub async fn run(self, context: &Context) -> Outcome {
        match self {
            Self::List(command) => command.run(context).await,
            Self::Show(command) => command.run(context).await,
        }
    }
}
