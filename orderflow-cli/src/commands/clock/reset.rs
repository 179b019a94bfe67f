//! `orderflow clock reset`

use clap::Args;

use super::Clocks;
use crate::{context::Context, exit::Outcome};

/// Let the clock be the machine's again
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow clock reset\n")]
pub struct Reset {}

impl Reset {
    /// Sets it back.
    pub async fn run(self, context: &Context) -> Outcome {
        let clocks = Clocks::set(&context.admin_client()?, 0).await?;
        context.out.document(&clocks, |paint| clocks.text(paint))
    }
}
