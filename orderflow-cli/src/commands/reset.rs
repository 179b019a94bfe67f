//! `orderflow reset`

use clap::Args;
use orderflow_cluster::attach;

use super::down;
use crate::{
    cli::Named,
    context::Context,
    exit::{Failure, Outcome},
    output::Format,
    prompt,
};

/// Stop the cluster and destroy its data
///
/// All orders, products, accounts and events are gone for good. Asks before, unless --yes.
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow reset\n  orderflow reset --yes --name two\n")]
pub struct Reset {
    #[command(flatten)]
    pub named: Named,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

impl Reset {
    /// Destroys it.
    pub async fn run(self, context: &Context) -> Outcome {
        let (cluster, data_dir) = (&context.settings.cluster, &context.settings.data_dir);
        if !data_dir.exists() {
            context.out.note(&format!("there is no cluster in {}", data_dir.display()));
            return Ok(());
        }
        if !self.yes && !agreed(context).await? {
            return Err(Failure::new("nothing was destroyed"));
        }
        down::stop(context).await?;
        attach::destroy(data_dir).await?;
        context.out.note(&format!("cluster {cluster} is destroyed"));
        Ok(())
    }
}

async fn agreed(context: &Context) -> Outcome<bool> {
    if !prompt::can_ask() || context.out.format != Format::Text {
        return Err(Failure::usage("this destroys all data of the cluster, and nobody can be asked").hint("give --yes"));
    }
    let dir = context.settings.data_dir.display();
    prompt::confirm(&format!("Destroy cluster {} with everything in {dir}?", context.settings.cluster)).await
}
