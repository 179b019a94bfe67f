//! `orderflow chaos list`

use clap::Args;

use super::{Hand, Situation};
use crate::{context::Context, exit::Outcome};

/// What is broken on purpose, and how often it has struck
///
/// Faults, clocks that differ, paused processes, cut connections, and patterns that are out. Below it, how often each
/// fault has struck since the cluster's data began, and how often processes were killed, paused and restarted on request
/// and connections cut: also what is over.
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow chaos list\n  orderflow chaos list -o json | jq '.faults[].struck'\n")]
pub struct List {}

impl List {
    /// Asks everybody.
    pub async fn run(self, context: &Context) -> Outcome {
        let situation = Situation::of(&Hand::new(context)?.look().await);
        context.out.document(&situation, |paint| situation.text(paint))?;
        for silent in &situation.silent {
            context.out.note(&format!("{} does not say what is set in it: {}", silent.service, silent.reason));
        }
        Ok(())
    }
}
