//! `orderflow lab disable|enable`

use clap::Args;
use orderflow_client::Service;
use orderflow_contracts::{
    api::ops::{Pattern, SetPattern},
    words::word,
};
use serde_json::json;

use super::{consequence, pattern_parser};
use crate::{context::Context, exit::Outcome};

/// Take a pattern out
#[derive(Args)]
#[command(
    before_help = "Examples:\n  orderflow lab disable stock-guard\n  orderflow lab disable inbox && orderflow verify\n"
)]
pub struct Disable {
    /// Which pattern
    #[arg(value_parser = pattern_parser())]
    pattern: Pattern,
}

/// Put a pattern back
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow lab enable stock-guard\n")]
pub struct Enable {
    /// Which pattern
    #[arg(value_parser = pattern_parser())]
    pattern: Pattern,
}

impl Disable {
    /// Takes it out, everywhere.
    pub async fn run(self, context: &Context) -> Outcome {
        switch(context, self.pattern, true).await?;
        let name = word(self.pattern);
        let banner = format!("⚠ {name} IS OUT: {}", consequence(self.pattern));
        context.out.document(&json!({ "pattern": name, "disabled": true }), |paint| paint.bad(&banner))?;
        context.out.note(&format!("`orderflow lab enable {name}` puts it back"));
        Ok(())
    }
}

impl Enable {
    /// Puts it back, everywhere.
    pub async fn run(self, context: &Context) -> Outcome {
        switch(context, self.pattern, false).await?;
        let name = word(self.pattern);
        let said = format!("✓ {name} is in; what was broken meanwhile stays broken");
        context.out.document(&json!({ "pattern": name, "disabled": false }), |paint| paint.good(&said))
    }
}

async fn switch(context: &Context, pattern: Pattern, disabled: bool) -> Outcome {
    let client = context.admin_client()?;
    for service in Service::WITH_CLOCK {
        client.set_pattern(service, pattern, SetPattern { disabled }).await?;
    }
    Ok(())
}
