//! `orderflow lab …`: patterns that are taken out at run time, to see what they are for.

mod list;
mod switch;

use clap::{
    Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use orderflow_contracts::{
    api::ops::Pattern,
    words::{read, word},
};

use crate::{context::Context, exit::Outcome};

/// Take a pattern out of a laboratory, and see what it was for
///
/// Only in a cluster that was started with `up --lab`. Whatever is out, `orderflow status` says so.
#[derive(Subcommand)]
pub enum Lab {
    /// Every pattern, and whether it is out
    List(list::List),
    /// Take a pattern out
    Disable(switch::Disable),
    /// Put a pattern back
    Enable(switch::Enable),
}

impl Lab {
    /// Does what was asked for.
    pub async fn run(self, context: &Context) -> Outcome {
        match self {
            Self::List(command) => command.run(context).await,
            Self::Disable(command) => command.run(context).await,
            Self::Enable(command) => command.run(context).await,
        }
    }
}

fn pattern_parser() -> impl TypedValueParser<Value = Pattern> {
    // Clap keeps them for as long as the process lives; there are six.
    let words: Vec<&'static str> = Pattern::ALL.iter().map(|pattern| &*word(pattern).leak()).collect();
    PossibleValuesParser::new(words)
        .try_map(|text| read::<Pattern>(&text).ok_or_else(|| format!("{text:?} is no pattern")))
}

/// What is to be expected while it is out.
const fn consequence(pattern: Pattern) -> &'static str {
    match pattern {
        Pattern::Outbox => "events are published after the commit, and lost with the process",
        Pattern::Inbox => "nobody remembers which events were applied: some are applied twice",
        Pattern::StockGuard => "nobody looks at the stock before it is promised: more is sold than there is",
        Pattern::IdempotencyKey => "every try to charge is a charge of its own: some pay twice",
        Pattern::Tombstone => {
            "a cancellation that comes before its reservation leaves no trace: stock is held for ever"
        }
        Pattern::VersionCheck => "rows are neither locked nor compared: one change overwrites another",
    }
}
