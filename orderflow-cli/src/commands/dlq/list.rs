//! `orderflow dlq list`

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use orderflow_contracts::{
    api::{Page, ops::LetterStatus},
    words::read,
};

use super::pile::{Which, table};
use crate::{context::Context, exit::Outcome};

/// The dead letters of all services
#[derive(Args)]
#[command(before_help = "\
Examples:
  orderflow dlq list
  orderflow dlq list --service inventory --reason schema -o json
")]
pub struct List {
    /// Which: open, replayed or discarded
    #[arg(long, default_value = "open", value_parser = status())]
    status: LetterStatus,
    #[command(flatten)]
    which: Which,
    /// At most so many, the newest
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
}

fn status() -> impl TypedValueParser<Value = LetterStatus> {
    PossibleValuesParser::new(["open", "replayed", "discarded"])
        .try_map(|text| read::<LetterStatus>(&text).ok_or_else(|| format!("{text:?} is no status")))
}

impl List {
    /// Lists them.
    pub async fn run(self, context: &Context) -> Outcome {
        let client = context.admin_client()?;
        let (items, more) = self.which.find(&client, self.status, self.limit).await?;
        context.out.list(&Page { items, next_cursor: None }, table)?;
        if more {
            context.out.note("there are more: --limit shows them");
        }
        Ok(())
    }
}
