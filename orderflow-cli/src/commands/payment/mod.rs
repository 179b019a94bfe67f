//! `orderflow payment …`

mod list;
mod show;

use clap::Subcommand;

use crate::{context::Context, exit::Outcome};

/// What is known of orders' payments
#[derive(Subcommand)]
pub enum Payment {
    /// Your payments
    List(list::List),
    /// One order's payment
    Show(show::Show),
}

impl Payment {
    /// Does what was asked for.
    pub async fn run(self, context: &Context) -> Outcome {
        match self {
            Self::List(command) => command.run(context).await,
            Self::Show(command) => command.run(context).await,
        }
    }
}
