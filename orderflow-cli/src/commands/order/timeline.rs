//! `orderflow order timeline`

use clap::Args;
use orderflow_client::view;
use orderflow_contracts::{api::console, ids::OrderId, problem::Code};

use crate::{
    context::Context,
    exit::Outcome,
    output::{Paint, safe},
    render,
    wait::{self, Waiter},
};

/// An order's life so far, and what comes next
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow --as customer order timeline ORDER\n")]
pub struct Timeline {
    /// Which order
    order: OrderId,
}

impl Timeline {
    /// Shows it.
    pub async fn run(self, context: &Context) -> Outcome {
        let client = context.client()?;
        let timeline = match client.timeline(self.order).await {
            // An order that exists is heard of in a moment, if not yet.
            Err(error) if error.code() == Some(Code::NotFound) && client.order(self.order).await.is_ok() => {
                let mut waiter = Waiter::new(context.wait_limit(), context.out);
                wait::for_timeline(&client, self.order, &mut waiter).await?;
                client.timeline(self.order).await?
            }
            timeline => timeline?,
        };
        context.out.document(&timeline, |paint| text(&timeline, paint))
    }
}

fn text(timeline: &console::Timeline, paint: Paint) -> String {
    let mut text = format!("{} {}\n", paint.dim("order"), timeline.order_id);
    for line in view::lines(timeline) {
        text.push_str(&format!("{}\n", render::life_line(&line, paint)));
    }
    for next in &timeline.next {
        text.push_str(&format!("{:>9}  {} {}: {}\n", "next", '○', safe(&next.who), safe(&next.what)));
    }
    text
}
