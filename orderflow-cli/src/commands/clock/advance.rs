//! `orderflow clock advance`

use std::time::Duration;

use clap::Args;
use orderflow_client::Service;

use super::Clocks;
use crate::{
    context::Context,
    exit::{Failure, Outcome},
    parse,
};

/// Move the clock forward
///
/// All services get the same clock. Reservations that are over by it expire at once.
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow clock advance 31m\n")]
pub struct Advance {
    /// By how much, as 31m
    #[arg(value_parser = parse::duration)]
    by: Duration,
}

impl Advance {
    /// Moves it.
    pub async fn run(self, context: &Context) -> Outcome {
        let client = context.admin_client()?;
        let by_ms = i64::try_from(self.by.as_millis()).map_err(|_| Failure::usage("that is too far"))?;
        let now = client.clock(Service::Orders).await?;
        let offset_ms = now.offset_ms.checked_add(by_ms).ok_or_else(|| Failure::usage("that is too far"))?;
        let clocks = Clocks::set(&client, offset_ms).await?;
        context.out.document(&clocks, |paint| clocks.text(paint))
    }
}
