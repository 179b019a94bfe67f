//! `orderflow chaos cut`

use std::time::Duration;

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use orderflow_client::Service;
use orderflow_cluster::Need;
use orderflow_contracts::words::read;

use super::Hand;
use crate::{
    context::Context,
    exit::{Failure, Outcome},
    interrupt::or_interrupted,
    parse,
};

/// Cut a service off from the broker, its database or the provider
///
/// A proxy of the cluster closes what there is between the two, and lets nothing through. `orderflow chaos clear` heals it.
#[derive(Args, Debug, Clone, PartialEq)]
#[command(before_help = "\
Examples:
  orderflow chaos cut payments --from provider --for 10s
  orderflow chaos cut inventory --from broker
")]
pub struct Cut {
    /// Which service
    #[arg(value_parser = PossibleValuesParser::new(Service::WITH_CLOCK.map(Service::name)))]
    pub service: String,
    /// From what
    #[arg(long, value_parser = need())]
    pub from: Need,
    /// Let it heal by itself after so long, as 10s
    #[arg(long = "for", value_name = "TIME", value_parser = parse::duration)]
    pub lasts: Option<Duration>,
}

fn need() -> impl TypedValueParser<Value = Need> {
    PossibleValuesParser::new(["broker", "postgres", "provider"])
        .try_map(|text| read::<Need>(&text).ok_or_else(|| format!("a service needs no {text:?}")))
}

impl Cut {
    /// Whether there is such a connection.
    pub fn check(&self) -> Outcome {
        if self.from == Need::Provider && self.service != Service::Payments.name() {
            return Err(Failure::usage(format!("{} does not speak with the provider; payments does", self.service)));
        }
        Ok(())
    }

    /// Cuts it.
    pub async fn run(self, context: &Context) -> Outcome {
        self.check()?;
        or_interrupted(Hand::new(context)?.cut(&self.service, self.from, self.lasts)).await?;
        let what = format!("{} is cut off from {}", self.service, self.from);
        context.out.note(&match self.lasts {
            Some(lasts) => format!("{what} for {lasts:?}"),
            None => format!("{what}; `orderflow chaos clear` heals it"),
        });
        Ok(())
    }
}
