//! `orderflow audit …`

mod list;
mod verify;

use clap::Subcommand;

use crate::{context::Context, exit::Outcome};

/// Who did what to what
#[derive(Subcommand)]
pub enum Audit {
    /// The entries, the newest first
    List(list::List),
    /// Whether an entry was altered or is missing
    Verify(verify::Verify),
}

impl Audit {
    /// Does what was asked for.
    pub async fn run(self, context: &Context) -> Outcome {
        match self {
            Self::List(command) => command.run(context).await,
            Self::Verify(command) => command.run(context).await,
        }
    }
}
