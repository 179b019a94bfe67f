//! `orderflow whoami`

use clap::Args;

use crate::{context::Context, exit::Outcome, render};

/// Whose session it is
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow whoami\n  orderflow --as seller whoami -o json\n")]
pub struct Whoami {}

impl Whoami {
    /// Asks the console.
    pub async fn run(self, context: &Context) -> Outcome {
        let account = context.client()?.me().await?;
        context.out.document(&account, |paint| render::account(&account, paint))
    }
}
