//! `orderflow clock …`

mod advance;
mod reset;
mod show;

use clap::Subcommand;
use orderflow_client::{Client, Service};
use orderflow_contracts::timestamp::Timestamp;
use serde::Serialize;

use crate::{
    context::Context,
    exit::{Failure, Outcome},
    output::{
        Align::{Left, Right},
        Paint, Table,
    },
    parse,
};

/// The cluster's clock, which can be moved
#[derive(Subcommand)]
pub enum Clock {
    /// What time it is at each service
    Show(show::Show),
    /// Move the clock forward
    Advance(advance::Advance),
    /// Let the clock be the machine's again
    Reset(reset::Reset),
}

impl Clock {
    /// Does what was asked for.
    pub async fn run(self, context: &Context) -> Outcome {
        match self {
            Self::Show(command) => command.run(context).await,
            Self::Advance(command) => command.run(context).await,
            Self::Reset(command) => command.run(context).await,
        }
    }
}

/// The clocks of all services.
#[derive(Serialize)]
struct Clocks {
    /// By how much they are ahead, if all of them are by the same.
    offset_ms: Option<i64>,
    services: Vec<ServiceClock>,
}

#[derive(Serialize)]
struct ServiceClock {
    service: &'static str,
    now: Timestamp,
    offset_ms: i64,
}

impl Clocks {
    fn new(services: Vec<ServiceClock>) -> Self {
        let first = services.first().map(|clock| clock.offset_ms);
        let same = services.iter().all(|clock| Some(clock.offset_ms) == first);
        Self { offset_ms: first.filter(|_| same), services }
    }

    async fn read(client: &Client) -> Outcome<Self> {
        let mut services = Vec::new();
        for service in Service::WITH_CLOCK {
            let clock = client.clock(service).await?;
            services.push(ServiceClock { service: service.name(), now: clock.now, offset_ms: clock.offset_ms });
        }
        Ok(Self::new(services))
    }

    /// Sets all of them. One that fails does not keep the others from being set: the command can be repeated.
    async fn set(client: &Client, offset_ms: i64) -> Outcome<Self> {
        let mut services = Vec::new();
        let mut failed = None;
        for service in Service::WITH_CLOCK {
            match client.set_clock(service, offset_ms).await {
                Ok(clock) => {
                    services.push(ServiceClock { service: service.name(), now: clock.now, offset_ms: clock.offset_ms });
                }
                Err(error) => failed = failed.or(Some((service, Failure::from(error)))),
            }
        }
        match failed {
            None => Ok(Self::new(services)),
            Some((service, failure)) => {
                let message = format!("the clock of {} was not moved: {}", service.name(), failure.message);
                Err(Failure { message, ..failure })
            }
        }
    }

    fn text(&self, paint: Paint) -> String {
        let mut table = Table::new([("SERVICE", Left), ("NOW", Left), ("AHEAD", Right)]);
        for clock in &self.services {
            let sign = if clock.offset_ms < 0 { "-" } else { "" };
            let ahead = format!("{sign}{}", parse::duration_text(clock.offset_ms.unsigned_abs()));
            table.row([clock.service.to_owned(), clock.now.to_string(), ahead]);
        }
        table.render(paint)
    }
}
