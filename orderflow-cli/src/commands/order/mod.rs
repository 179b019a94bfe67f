//! `orderflow order …`

mod cancel;
mod confirm;
mod create;
mod fulfill;
mod list;
mod pay;
mod show;
mod timeline;
mod watch;

use clap::Subcommand;
use orderflow_client::{
    Client, Written,
    saga::{Goal, Verdict},
    view,
};
use orderflow_contracts::api::orders;

use crate::{
    context::Context,
    exit::{Exit, Failure, Outcome},
    output::{Format, Keyed},
    render,
    wait::{self, Waiter},
};

/// Orders
#[derive(Subcommand)]
pub enum Order {
    /// Order something, as a customer
    Create(create::Create),
    /// Your orders
    List(list::List),
    /// One order
    Show(show::Show),
    /// An order's life as it happens, until it is over
    Watch(watch::Watch),
    /// An order's life so far, and what comes next
    Timeline(timeline::Timeline),
    /// Agree to deliver, as the seller; stock is reserved
    Confirm(confirm::Confirm),
    /// Pay an order, as its customer
    Pay(pay::Pay),
    /// Ship an order, as its seller
    Fulfill(fulfill::Fulfill),
    /// Call an order off, as its customer or its seller
    Cancel(cancel::Cancel),
}

impl Order {
    /// Does what was asked for.
    pub async fn run(self, context: &Context) -> Outcome {
        match self {
            Self::Create(command) => command.run(context).await,
            Self::List(command) => command.run(context).await,
            Self::Show(command) => command.run(context).await,
            Self::Watch(command) => command.run(context).await,
            Self::Timeline(command) => command.run(context).await,
            Self::Confirm(command) => command.run(context).await,
            Self::Pay(command) => command.run(context).await,
            Self::Fulfill(command) => command.run(context).await,
            Self::Cancel(command) => command.run(context).await,
        }
    }
}

/// After a command: waits for the saga to take the step if that was asked for, then says where the order stands.
async fn conclude(
    context: &Context,
    client: &Client,
    written: Written<orders::Order>,
    key: &str,
    goal: Option<Goal>,
) -> Outcome {
    let Some(goal) = goal else {
        return report(context, &written.value, key, written.replayed);
    };
    let mut waiter = Waiter::new(context.wait_limit(), context.out);
    let waited = wait::for_order(client, written.value.id, goal, &mut waiter).await;
    let (order, verdict) = waited.inspect_err(|_| note_key(context, key, written.replayed))?;
    report(context, &order, key, written.replayed)?;
    judged(&order, verdict)
}

/// An order that has ended against what was wanted is a failure of its own kind.
fn judged(order: &orders::Order, verdict: Verdict) -> Outcome {
    match verdict {
        Verdict::NotYet | Verdict::Reached => Ok(()),
        Verdict::Compensated => {
            let why = order.cancel_reason.map_or("no reason is known", view::cancel_reason);
            let failure = Failure::with(Exit::Compensated, format!("order {} was cancelled: {why}", order.id));
            Err(failure.hint(format!("`orderflow order timeline {}` shows how it came to that", order.id)))
        }
    }
}

/// Says where an order stands after a command.
fn report(context: &Context, order: &orders::Order, key: &str, replayed: bool) -> Outcome {
    let keyed = Keyed { value: order, idempotency_key: key };
    context.out.document(&keyed, |paint| render::order(order, paint))?;
    note_key(context, key, replayed);
    Ok(())
}

/// Says under which key something was written.
pub fn note_key(context: &Context, key: &str, replayed: bool) {
    if replayed {
        context.out.note(&format!("this was done before, with the idempotency key {key}"));
    } else if context.out.format == Format::Text {
        context.out.note(&format!("idempotency key {key}"));
    }
}
