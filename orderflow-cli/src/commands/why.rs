//! `orderflow why`

use clap::Args;
use orderflow_chaos::see_the_cluster;
use orderflow_client::{
    Client,
    view::{Tone, what},
    why::{Block, BlockKind, Explanation, Hop, explain, gather, mermaid, span},
};
use orderflow_contracts::{ids::OrderId, words::word};
use serde::Serialize;

use crate::{
    context::Context,
    exit::Outcome,
    output::{Paint, safe},
    parse::Role,
    session::SessionFile,
};

/// Where an order stands, whose turn it is, and what is in the way
///
/// And how it came there: each event with the time in the outbox, in Kafka and in the handler, what led to it, the
/// duplicates that were passed over, what was given back, and what is still to come. Who is not an admin sees less.
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow why ORDER\n  orderflow why ORDER --mermaid > order.mmd\n")]
pub struct Why {
    /// Which order
    order: OrderId,
    /// As a sequence diagram in the language of Mermaid
    #[arg(long)]
    mermaid: bool,
}

#[derive(Serialize)]
struct Diagram {
    mermaid: String,
}

impl Why {
    /// Asks everybody about the order.
    pub async fn run(self, context: &Context) -> Outcome {
        let client = client(context)?;
        let mut facts = Box::pin(gather(&client, self.order)).await?;
        let settings = &context.settings;
        see_the_cluster(&settings.endpoints, &settings.data_dir, &mut facts).await;
        let explanation = explain(&facts);
        if self.mermaid {
            let diagram = Diagram { mermaid: mermaid(&explanation) };
            return context.out.document(&diagram, |_| diagram.mermaid.clone());
        }
        context.out.document(&explanation, |paint| text(&explanation, paint))
    }
}

/// Whoever `--as` says or has logged in; else the admin of a local cluster, who sees everything.
fn client(context: &Context) -> Outcome<Client> {
    let has_login = SessionFile::of_login(&context.settings.state_dir()).read().is_some();
    if context.settings.role.is_none() && !has_login && context.settings.endpoints.are_local() {
        return context.client_as(Role::Admin);
    }
    context.client()
}

fn text(explanation: &Explanation, paint: Paint) -> String {
    let Explanation { order_id, status, stands, waits_for, .. } = explanation;
    let mut text = format!("{} {order_id}\n", paint.dim("order     "));
    text.push_str(&format!("{} {}, {}\n", paint.dim("stands    "), paint.status(status), safe(stands)));
    text.push_str(&format!("{} {}\n", paint.dim("waits for "), safe(waits_for)));
    for (index, block) in explanation.blocked_by.iter().enumerate() {
        let name = if index == 0 { "blocked by" } else { "" };
        text.push_str(&format!("{} {}\n", paint.dim(&format!("{name:<10}")), block_text(block, paint)));
    }
    if explanation.blocked_by.is_empty() && !explanation.over {
        text.push_str(&format!("{} nothing that is seen: it is on its way\n", paint.dim("blocked by")));
    }
    text.push('\n');
    for hop in &explanation.hops {
        text.push_str(&hop_text(hop, paint));
    }
    for next in &explanation.next {
        text.push_str(&format!("{:>9}  ○ {}: {}\n", "next", safe(&next.who), safe(&next.what)));
    }
    let restarts: Vec<String> =
        explanation.restarts.iter().map(|(name, times)| format!("{} {times}", safe(name))).collect();
    if !restarts.is_empty() {
        text.push_str(&format!("\n{} {}\n", paint.dim("restarts:"), restarts.join(", ")));
    }
    for note in &explanation.notes {
        text.push_str(&format!("{} {}\n", paint.dim("note:"), safe(note)));
    }
    text
}

fn block_text(block: &Block, paint: Paint) -> String {
    let kind = word(block.kind).replace('_', " ");
    let kind = match block.kind {
        BlockKind::Person => paint.strong(&kind),
        BlockKind::ProviderCall | BlockKind::Deadline => paint.warn(&kind),
        _ => paint.bad(&kind),
    };
    format!("{kind}: {}", safe(&block.what))
}

/// One event, further to the right than what led to it; below it how long it was on its way.
fn hop_text(hop: &Hop, paint: Paint) -> String {
    let tone = what(&hop.event).tone;
    let sign = paint.tone(tone, &format!("{} {:<10}", tone.glyph(), hop.word));
    let (elapsed, indent) =
        (paint.dim(&format!("{:>9}", format!("+{}", span(hop.elapsed_ms)))), "  ".repeat(hop.depth));
    let comes_back = if hop.compensation && tone != Tone::Compensation { " ↺" } else { "" };
    let line = format!("{elapsed}  {indent}{sign} {:<9} {}{comes_back}\n", hop.service, safe(&hop.text));
    let details = details(hop);
    if details.is_empty() { line } else { format!("{line}{:11}{indent}  {}\n", "", paint.dim(&details)) }
}

fn details(hop: &Hop) -> String {
    let mut parts = Vec::new();
    parts.extend(hop.handler_ms.map(|ms| format!("decided in {}", span(ms))));
    match hop.outbox_ms {
        Some(ms) => parts.push(format!("outbox {}", span(ms))),
        None if !hop.published => parts.push("not published".to_owned()),
        None => {}
    }
    for consumed in &hop.consumers {
        let again =
            if consumed.duplicates > 0 { format!(", {} times again", consumed.duplicates) } else { String::new() };
        parts.push(match (consumed.applied_at, consumed.kafka_ms) {
            (Some(_), Some(ms)) => format!("→ {} {}{again}", consumed.service, span(ms)),
            (Some(_), None) => format!("→ {}{again}", consumed.service),
            (None, _) => format!("→ {} not yet", consumed.service),
        });
    }
    parts.join("  ")
}
