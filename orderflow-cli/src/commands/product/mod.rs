//! `orderflow product …`

mod add;
mod edit;
mod list;
mod restock;
mod show;

use clap::Subcommand;
use orderflow_client::{Client, Written};
use orderflow_contracts::api::inventory;

use crate::{
    context::Context,
    exit::Outcome,
    output::Keyed,
    render,
    wait::{self, Waiter},
};

/// Products and their stock
#[derive(Subcommand)]
pub enum Product {
    /// Add a product, as a seller
    Add(add::Add),
    /// The catalogue
    List(list::List),
    /// One product
    Show(show::Show),
    /// Change a product's name or price, as its seller
    Edit(edit::Edit),
    /// Add to a product's stock, as its seller
    Restock(restock::Restock),
}

impl Product {
    /// Does what was asked for.
    pub async fn run(self, context: &Context) -> Outcome {
        match self {
            Self::Add(command) => command.run(context).await,
            Self::List(command) => command.run(context).await,
            Self::Show(command) => command.run(context).await,
            Self::Edit(command) => command.run(context).await,
            Self::Restock(command) => command.run(context).await,
        }
    }
}

/// Says what was written.
fn report(context: &Context, written: &Written<inventory::Product>, key: &str) -> Outcome {
    let keyed = Keyed { value: &written.value, idempotency_key: key };
    context.out.document(&keyed, |paint| render::product(&written.value, paint))?;
    super::order::note_key(context, key, written.replayed);
    Ok(())
}

/// Waits until the product can be ordered as it is now, so that a script can go on at once.
async fn until_known(context: &Context, client: &Client, product: &inventory::Product) -> Outcome {
    let mut waiter = Waiter::new(context.wait_limit(), context.out);
    wait::for_catalog(client, product.id, product.version, &mut waiter).await
}
