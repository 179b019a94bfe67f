//! `orderflow order timeline`

use clap::Args;
use orderflow_client::{Client, ClientError, saga_view::SagaView};
use orderflow_contracts::{
    api::{PAGE_SIZE_MAX, console},
    ids::OrderId,
    problem::Code,
};

use crate::{
    context::Context,
    exit::Outcome,
    output::{Format, Paint, safe},
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
        let view = match context.out.format {
            Format::Text => view(&client, &timeline).await?,
            Format::Json | Format::Jsonl => SagaView::default(),
        };
        context.out.document(&timeline, |paint| text(&timeline, &view, paint))
    }
}

/// From the events themselves, so that watching an order and looking back at it say the same.
async fn view(client: &Client, timeline: &console::Timeline) -> Result<SagaView, ClientError> {
    let page = client.events(Some(timeline.order_id), Some(PAGE_SIZE_MAX), None).await?;
    Ok(SagaView::of(&page.items, &timeline.next, None))
}

fn text(timeline: &console::Timeline, view: &SagaView, paint: Paint) -> String {
    let mut text = format!("{} {}\n", paint.dim("order"), timeline.order_id);
    for index in 0..view.rows.len() {
        text.push_str(&format!("{}\n", render::life_row(view, index, paint)));
    }
    for next in &timeline.next {
        text.push_str(&format!("{:>9}  {} {}: {}\n", "next", '○', safe(&next.who), safe(&next.what)));
    }
    text
}
