//! `orderflow chaos cut`

use std::time::Duration;

use clap::{Args, builder::PossibleValuesParser};
use orderflow_client::Service;

use super::{Hand, for_so_long, hand::Link};
use crate::{
    context::Context,
    exit::{Failure, Outcome},
    interrupt::or_interrupted,
    parse,
};

/// Cut a service off from the broker, its database or the provider
///
/// A proxy of the cluster closes what there is between the two, and lets nothing through. `orderflow chaos clear` makes
/// it whole again.
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
    #[arg(long, value_enum)]
    pub from: Link,
    /// Make it whole again after so long, as 10s
    #[arg(long = "for", value_name = "TIME", value_parser = parse::duration)]
    pub lasts: Option<Duration>,
}

impl Cut {
    /// Whether there is such a connection.
    pub fn check(&self) -> Outcome {
        if self.from == Link::Provider && self.service != Service::Payments.name() {
            return Err(Failure::usage(format!("{} does not speak with the provider; payments does", self.service)));
        }
        Ok(())
    }

    /// Cuts it.
    pub async fn run(self, context: &Context) -> Outcome {
        self.check()?;
        let hand = Hand::new(context)?;
        or_interrupted(hand.cut(&self.service, self.from, self.lasts)).await?;
        let (service, from) = (&self.service, self.from.name());
        let Some(lasts) = self.lasts else {
            context.out.note(&format!("{service} is cut off from {from}; `orderflow chaos clear` mends it"));
            return Ok(());
        };
        context.out.note(&format!("{service} is cut off from {from} for {lasts:?}"));
        for_so_long(context, lasts, hand.mend_cut(service, self.from)).await?;
        context.out.note(&format!("{service} has {from} again"));
        Ok(())
    }
}
