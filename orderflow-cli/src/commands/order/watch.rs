//! `orderflow order watch`: the stream, and the list of events where the stream breaks.

use std::{collections::BTreeSet, time::Duration};

use clap::Args;
use orderflow_client::{Client, ClientError, EventStream, Next, saga, saga_view::SagaView, view};
use orderflow_contracts::{
    api::{console::EventRecord, orders::Order},
    ids::OrderId,
    problem::Code,
};
use tokio::time::{Instant, sleep};

use crate::{
    context::Context,
    exit::{Exit, Failure, Outcome},
    output::{Format, Output},
    render,
};

/// Between two looks at the order, and at the list of events while there is no stream.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// Between two tries to open the stream again.
const REOPEN_EVERY: Duration = Duration::from_secs(2);

/// An order's life as it happens, until it is over
///
/// Over is: shipped, or cancelled with stock and money back. With `-o jsonl` each event is one line; with `-o json`
/// the timeline is written at the end.
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow --as customer order watch ORDER\n")]
pub struct Watch {
    /// Which order
    order: OrderId,
}

impl Watch {
    /// Watches it.
    pub async fn run(self, context: &Context) -> Outcome {
        let client = context.client()?;
        // An order that does not exist is not waited for.
        client.order(self.order).await?;
        let until = context.settings.timeout.map(|limit| Instant::now() + limit);
        let mut watcher = Watcher::new(client.clone(), self.order, context.out);
        let order = watcher.watch(until).await?;
        match context.out.format {
            Format::Json => {
                let timeline = client.timeline(self.order).await?;
                context.out.document(&timeline, |_| String::new())
            }
            Format::Text => context.out.text(&format!("{} {}", order.status.as_str(), view::headline(&order))),
            Format::Jsonl => Ok(()),
        }
    }
}

/// Prints what happens to one order.
struct Watcher {
    client: Client,
    id: OrderId,
    out: Output,
    stream: Option<EventStream>,
    reopen_at: Instant,
    position: i64,
    heard: Vec<EventRecord>,
    seen: BTreeSet<String>,
}

impl Watcher {
    fn new(client: Client, id: OrderId, out: Output) -> Self {
        let reopen_at = Instant::now();
        Self { client, id, out, stream: None, reopen_at, position: 0, heard: Vec::new(), seen: BTreeSet::new() }
    }

    /// Until the order is over and all of it was told.
    async fn watch(&mut self, until: Option<Instant>) -> Outcome<Order> {
        loop {
            self.advance().await?;
            match self.client.order(self.id).await {
                Ok(order) if saga::is_over(&order, &self.seen) => return Ok(order),
                Err(error) if !error.is_transient() => return Err(error.into()),
                _ => {}
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Err(Failure::with(Exit::TimedOut, format!("order {} is not over yet", self.id)));
            }
        }
    }

    /// Tells what has happened, or waits a moment for something to happen.
    async fn advance(&mut self) -> Outcome {
        if self.stream.is_none() && Instant::now() >= self.reopen_at {
            match self.client.stream(Some(self.id), Some(self.position)).await {
                Ok(stream) => self.stream = Some(stream),
                Err(error) => self.broken(&error)?,
            }
        }
        let Some(stream) = &mut self.stream else {
            sleep(LOOK_EVERY).await;
            return self.poll().await;
        };
        match tokio::time::timeout(LOOK_EVERY, stream.next()).await {
            Err(_) => Ok(()),
            Ok(Ok(Next::Event(record))) => self.tell(&record),
            Ok(Ok(Next::End)) => {
                self.stream = None;
                Ok(())
            }
            Ok(Err(error)) => self.broken(&error),
        }
    }

    fn broken(&mut self, error: &ClientError) -> Outcome {
        if matches!(error.code(), Some(Code::Forbidden | Code::NotFound)) || matches!(error, ClientError::NoToken(_)) {
            return Err(Failure::new(error.to_string()));
        }
        self.out.note(&format!("the stream has broken ({error}); going on without it"));
        self.stream = None;
        self.reopen_at = Instant::now() + REOPEN_EVERY;
        Ok(())
    }

    /// What the stream would have said, from the list.
    async fn poll(&mut self) -> Outcome {
        let page = match self.client.events(Some(self.id), Some(200), None).await {
            Ok(page) => page,
            Err(error) if error.is_transient() || error.code() == Some(Code::NotFound) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        page.items.iter().try_for_each(|record| self.tell(record))
    }

    fn tell(&mut self, record: &EventRecord) -> Outcome {
        if record.position <= self.position {
            return Ok(());
        }
        self.position = record.position;
        self.seen.insert(record.event_type.clone());
        self.heard.push(record.clone());
        match self.out.format {
            Format::Text => {
                let view = SagaView::of(&self.heard, &[], None);
                let row = view.find(record.id).map(|index| render::life_row(&view, index, self.out.paint));
                row.map_or(Ok(()), |row| self.out.text(&row))
            }
            Format::Jsonl => self.out.document(record, |_| String::new()),
            Format::Json => Ok(()),
        }
    }
}
