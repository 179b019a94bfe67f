//! `orderflow chaos set`

use clap::Args;
use orderflow_client::Service;
use orderflow_contracts::words::word;
use serde_json::json;

use super::{
    Hand, for_so_long,
    situation::FaultThere,
    words::{Name, Place, Wanted, Words, text},
};
use crate::{
    context::Context,
    exit::Outcome,
    interrupt::or_interrupted,
    output::{Align::Left, Paint, Table},
    parse,
};

/// Set a fault
///
/// Of the same name there is one in a service: setting it again begins anew. `--for` lets it end by itself.
#[derive(Args)]
#[command(before_help = "\
Examples:
  orderflow chaos set payment-failure 50%
  orderflow chaos set db-slow 200ms --service inventory
  orderflow chaos set commit-lost 10% --for 30s --seed 7
  orderflow chaos set crash after-commit --service orders
  orderflow chaos set clock-skew 5m --service inventory
")]
pub struct Set {
    #[command(flatten)]
    words: Words,
}

impl Set {
    /// Sets it.
    pub async fn run(self, context: &Context) -> Outcome {
        let wanted = self.words.read()?;
        let hand = Hand::new(context)?;
        let there = or_interrupted(hand.set(&wanted)).await?;
        match wanted {
            Wanted::Fault { .. } => {
                let there: Vec<_> = there.into_iter().map(|(service, fault)| FaultThere::new(service, fault)).collect();
                context.out.document(&there, |paint| table(&there, paint))
            }
            Wanted::ClockSkew { service, by_ms, lasts } => {
                skewed(context, service, by_ms)?;
                let Some(lasts) = lasts else { return Ok(()) };
                context.out.note(&format!("for {}", parse::duration_text(super::words::milliseconds(lasts)?)));
                let mend = hand.clear(Some(Name::ClockSkew), Place::One(service));
                for_so_long(context, lasts, mend).await
            }
        }
    }
}

fn skewed(context: &Context, service: Service, by_ms: i64) -> Outcome {
    let (name, sign) = (service.name(), if by_ms < 0 { "behind" } else { "ahead of" });
    let size = parse::duration_text(by_ms.unsigned_abs());
    let document = json!({ "service": name, "name": "clock-skew", "ahead_ms": by_ms });
    context.out.document(&document, |_| format!("{name}: its clock is {size} {sign} the others"))
}

fn table(there: &[FaultThere], paint: Paint) -> String {
    let mut table = Table::new([("SERVICE", Left), ("FAULT", Left), ("HOW", Left), ("UNTIL", Left)]);
    for FaultThere { service, fault } in there {
        let until = fault.ends_at.map_or_else(|| "it is cleared".to_owned(), |at| at.to_string());
        table.row([(*service).to_owned(), word(fault.name), text(&fault.set), until]);
    }
    table.render(paint)
}
