//! Events of the orders service, as inputs.

use std::sync::Arc;

use orderflow_contracts::{api::ops::Pattern, events::OrderEvent, ids::OrderId};
use orderflow_platform::{
    chaos::Chaos,
    consumer::{Apply, Poison, Received},
    context::Context,
    reading::read_each,
};
use sqlx::PgConnection;
use tokio::sync::Notify;

use crate::{domain::Input, handle::Batch};

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
        let (incoming, mut poisons) = read_each(events, read);
        let ids: Vec<_> = incoming.iter().map(|(_, (id, _))| *id).collect();
        let is_guarded = !self.chaos.is_out(Pattern::VersionCheck);
        let mut batch =
            if is_guarded { Batch::load(conn, &ids).await? } else { Batch::load_unguarded(conn, &ids).await? };
        for (index, (order_id, event)) in &incoming {
            let context = Context::of_event(&events[*index].envelope);
            if let Err(rejection) = batch.apply(*order_id, Input::Order(event), None, &context) {
                poisons.push(Poison { index: *index, reason: rejection.to_string() });
            }
        }
        if batch.has_changes() {
            self.chaos.linger_without(Pattern::VersionCheck).await;
        }
        batch.save(conn).await?;
        Ok(poisons)
    }

    fn applied(&self) {
        self.calls.notify_one();
    }
}

fn read(event: &Received) -> Result<(OrderId, OrderEvent), String> {
    Ok((event.subject("an order")?, event.event()?))
}
