//! `orderflow dlq …`: what the services could not apply.

mod close;
mod edit;
mod list;
mod pile;
mod show;

use clap::Subcommand;

use crate::{context::Context, exit::Outcome};

/// Dead letters: what the services could not apply
///
/// What is only impossible for the moment never lands here: it holds everything up until it is possible.
#[derive(Subcommand)]
pub enum Dlq {
    /// The dead letters of all services
    List(list::List),
    /// One dead letter, with all that came
    Show(show::Show),
    /// Mend a dead letter; replay it then
    Edit(edit::Edit),
    /// Apply dead letters after all, each once
    Replay(close::Replay),
    /// Give dead letters up
    Discard(close::Discard),
}

impl Dlq {
    /// Does what was asked for.
    pub async fn run(self, context: &Context) -> Outcome {
        match self {
            Self::List(command) => command.run(context).await,
            Self::Show(command) => command.run(context).await,
            Self::Edit(command) => command.run(context).await,
            Self::Replay(command) => command.run(context).await,
            Self::Discard(command) => command.run(context).await,
        }
    }
}
