//! Events of the orders service, as inputs.

use std::{sync::Arc, time::Duration};

use orderflow_contracts::{
    api::ops::Pattern,
    events::{OrderEvent, decode},
    ids::OrderId,
};
use orderflow_platform::{
    chaos::Chaos,
    consumer::{Apply, Poison, Received},
    context::Context,
};
use sqlx::PgConnection;
use tokio::sync::Notify;

use crate::{domain::Input, handle::Batch};

/// How long nobody is kept from payments that are being decided about, in a laboratory without the guard.
const UNGUARDED_PAUSE: Duration = Duration::from_millis(300);

/// Applies events to payments.
pub struct Payments {
    calls: Arc<Notify>,
    /// What may be taken out, in a laboratory.
    chaos: Chaos,
}

impl Payments {
    /// `calls` is told when the provider may have to be asked for something.
    pub const fn new(calls: Arc<Notify>, chaos: Chaos) -> Self {
        Self { calls, chaos }
    }
}

impl Apply for Payments {
    async fn apply(&self, conn: &mut PgConnection, events: &[Received]) -> Result<Vec<Poison>, sqlx::Error> {
        let (mut incoming, mut poisons) = (Vec::with_capacity(events.len()), vec![]);
        for (index, event) in events.iter().enumerate() {
            match read(event) {
                Ok((order_id, event)) => incoming.push((index, order_id, event)),
                Err(reason) => poisons.push(Poison { index, reason }),
            }
        }
        let ids: Vec<_> = incoming.iter().map(|(_, id, _)| *id).collect();
        let is_guarded = !self.chaos.is_out(Pattern::VersionCheck);
        let mut batch =
            if is_guarded { Batch::load(conn, &ids).await? } else { Batch::load_unguarded(conn, &ids).await? };
        for (index, order_id, event) in &incoming {
            let context = Context::of_event(&events[*index].envelope);
            if let Err(rejection) = batch.apply(*order_id, Input::Order(event), None, &context) {
                poisons.push(Poison { index: *index, reason: rejection.to_string() });
            }
        }
        if !is_guarded && batch.has_changes() {
            // What the lock would have prevented needs time to happen.
            tokio::time::sleep(UNGUARDED_PAUSE).await;
        }
        batch.save(conn).await?;
        Ok(poisons)
    }

    fn applied(&self) {
        self.calls.notify_one();
    }
}

fn read(event: &Received) -> Result<(OrderId, OrderEvent), String> {
    let order_id = event.envelope.subject.parse().map_err(|_| "the subject is not the id of an order".to_owned())?;
    let event = decode(&event.envelope.event_type, &event.data).map_err(|error| error.to_string())?;
    Ok((order_id, event))
}
