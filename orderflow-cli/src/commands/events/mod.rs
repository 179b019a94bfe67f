//! `orderflow events …`

mod tail;

use clap::Subcommand;

use crate::{context::Context, exit::Outcome};

/// What has happened
#[derive(Subcommand)]
pub enum Events {
    /// The last events, and those to come
    Tail(tail::Tail),
}

impl Events {
    /// Does what was asked for.
    pub async fn run(self, context: &Context) -> Outcome {
        match self {
            Self::Tail(command) => command.run(context).await,
        }
    }
}
