//! `orderflow events tail`

use std::time::Duration;

use clap::Args;
use orderflow_client::{Client, Next, view};
use orderflow_contracts::{
    api::{Page, console::EventRecord},
    ids::OrderId,
};
use tokio::time::sleep;

use crate::{
    context::Context,
    exit::{Failure, Outcome},
    output::{Format, Output, Paint, safe},
};

/// Before the stream is opened again; doubled up to the maximum.
const REOPEN: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// Most events of one page.
const PAGE_MAX: u32 = 200;

/// The last events, and those to come
///
/// A customer sees the events of their own orders, a seller those of theirs, an admin all. With `-o json`, which is one
/// document, nothing is followed.
#[derive(Args)]
#[command(before_help = "\
Examples:
  orderflow --as admin events tail
  orderflow --as customer events tail --order ORDER -o jsonl | jq -r .type
  orderflow --as admin events tail --no-follow --limit 100 -o json
")]
pub struct Tail {
    /// Only of this order
    #[arg(long)]
    order: Option<OrderId>,
    /// Go on with what happens from now on; it is what is done unless something else is said
    #[arg(short, long)]
    follow: bool,
    /// Only what has happened
    #[arg(long, conflicts_with = "follow")]
    no_follow: bool,
    /// At most so many of those that have happened
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=PAGE_MAX as i64))]
    limit: u32,
}

impl Tail {
    /// Tells them.
    pub async fn run(self, context: &Context) -> Outcome {
        let client = context.client()?;
        let out = context.out;
        if self.follow && out.format == Format::Json {
            return Err(Failure::usage("-o json is one document, which cannot be followed").hint("-o jsonl can be"));
        }
        let (past, position) = past(&client, self.order, self.limit).await?;
        match out.format {
            Format::Json => return out.list(&past, |_, _| String::new()),
            _ => past.items.iter().try_for_each(|record| tell(out, record))?,
        }
        if self.no_follow { Ok(()) } else { follow(&client, self.order, position, out).await }
    }
}

/// The last events, the oldest of them first, and the position of the very last.
async fn past(client: &Client, order: Option<OrderId>, limit: u32) -> Outcome<(Page<EventRecord>, Option<i64>)> {
    if order.is_none() {
        let mut page = client.events(None, Some(limit), None).await?;
        page.items.reverse();
        let position = page.items.last().map(|record| record.position);
        return Ok((page, position));
    }
    // An order's events come the oldest first, and are few: its life is read to the end.
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let page = client.events(order, Some(PAGE_MAX), cursor).await?;
        all.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let position = all.last().map(|record| record.position);
    let kept = all.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok((Page { items: all.split_off(kept), next_cursor: None }, position))
}

/// What happens from a position on, until Ctrl-C.
async fn follow(client: &Client, order: Option<OrderId>, mut position: Option<i64>, out: Output) -> Outcome {
    let mut pause = REOPEN.0;
    loop {
        let broken = match client.stream(order, position.or(Some(0))).await {
            Ok(mut stream) => loop {
                match stream.next().await {
                    Ok(Next::Event(record)) => {
                        pause = REOPEN.0;
                        position = Some(record.position);
                        tell(out, &record)?;
                    }
                    Ok(Next::End) => break None,
                    Err(error) => break Some(error),
                }
            },
            Err(error) => Some(error),
        };
        match broken {
            Some(error) if !error.is_transient() => return Err(error.into()),
            Some(error) => out.note(&format!("the stream has broken ({error}); opening it again")),
            None => {}
        }
        sleep(pause).await;
        pause = (pause * 2).min(REOPEN.1);
    }
}

fn tell(out: Output, record: &EventRecord) -> Outcome {
    match out.format {
        Format::Text => out.text(&line(record, out.paint)),
        Format::Json | Format::Jsonl => out.document(record, |_| String::new()),
    }
}

fn line(record: &EventRecord, paint: Paint) -> String {
    let what = view::what(&record.event_type);
    let sign = paint.tone(what.tone, &format!("{} {:<28}", what.tone.glyph(), safe(&record.event_type)));
    let detail = safe(&view::detail(record));
    format!("{}  {sign}  {}  {detail}", paint.dim(&format!("{:<24}", record.at.to_string())), safe(&record.subject))
        .trim_end()
        .to_owned()
}
