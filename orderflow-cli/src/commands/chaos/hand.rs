//! What breaks things and mends them, as the commands and the scenarios have it.

use std::time::Duration;

use orderflow_chaos::{Situation, Troubles};
use orderflow_client::{Client, Service};
use orderflow_cluster::{Action, Need};
use orderflow_contracts::api::chaos::Fault;

use super::words::{Name, Place, Wanted, milliseconds};
use crate::{context::Context, exit::Outcome, output::Output};

/// Whoever breaks things and mends them.
#[derive(Clone)]
pub struct Hand {
    hand: orderflow_chaos::Hand,
    out: Output,
}

impl Hand {
    /// An admin's.
    pub fn new(context: &Context) -> Outcome<Self> {
        let data_dir = context.settings.data_dir.clone();
        Ok(Self { hand: orderflow_chaos::Hand::new(context.admin_client()?, data_dir), out: context.out })
    }

    /// As an admin.
    pub const fn client(&self) -> &Client {
        self.hand.client()
    }

    /// Asks everybody what is broken.
    pub async fn look(&self) -> Situation {
        self.hand.look().await
    }

    /// Sets a fault in its services; one that fails does not keep the others from being set.
    pub async fn set(&self, wanted: &Wanted) -> Outcome<Vec<(Service, Fault)>> {
        match wanted {
            Wanted::Fault { name, set, services } => Ok(self.hand.set(*name, set, services).await?),
            Wanted::ClockSkew { service, by_ms, .. } => {
                Ok(self.hand.skew(*service, *by_ms).await.map(|()| Vec::new())?)
            }
        }
    }

    /// Takes back what was set: one fault or all, in one service or in all.
    pub async fn clear(&self, name: Option<Name>, place: Place) -> Outcome {
        let services = match place {
            Place::All => Service::WITH_CLOCK.to_vec(),
            Place::One(service) => vec![service],
        };
        self.done(match (name, place) {
            (None, Place::All) => self.hand.clear_all().await,
            (None, Place::One(_)) => {
                let cleared = self.hand.clear(None, &services).await;
                cleared.and(self.hand.clear_skew(&services).await)
            }
            (Some(Name::Fault(name)), _) => self.hand.clear(Some(name), &services).await,
            (Some(Name::ClockSkew), _) => self.hand.clear_skew(&services).await,
        })
    }

    /// Does something to a process, a pause or a kill for so long.
    pub async fn act(&self, process: &str, action: Action, lasts: Option<Duration>) -> Outcome {
        // The provider is known under two names.
        let process = if process == "provider" { "psp" } else { process };
        self.done(self.hand.signal(process, action, lasts.map(milliseconds).transpose()?).await)
    }

    /// Cuts a service off.
    pub async fn cut(&self, service: &str, from: Need, lasts: Option<Duration>) -> Outcome {
        self.done(self.hand.cut(service, from, lasts.map(milliseconds).transpose()?).await)
    }

    /// Lets the clocks of all services jump.
    pub async fn advance(&self, by_ms: i64) -> Outcome {
        self.done(self.hand.advance(by_ms).await)
    }

    /// What is done is done, though the audit log does not have it: that is said, and is no failure.
    fn done(&self, came: Result<(), Troubles>) -> Outcome {
        let Err(troubles) = came else { return Ok(()) };
        let (not_noted, failed) = troubles.apart();
        not_noted.iter().for_each(|trouble| self.out.note(&trouble.to_string()));
        Ok(failed?)
    }
}
