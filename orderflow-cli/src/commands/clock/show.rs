//! `orderflow clock show`

use clap::Args;

use super::Clocks;
use crate::{context::Context, exit::Outcome};

/// What time it is at each service
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow clock show\n")]
pub struct Show {}

impl Show {
    /// Shows it.
    pub async fn run(self, context: &Context) -> Outcome {
        let clocks = Clocks::read(&context.admin_client()?).await?;
        context.out.document(&clocks, |paint| clocks.text(paint))
    }
}
