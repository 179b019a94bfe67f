//! Events of the orders service, as inputs.

use std::sync::Arc;

use orderflow_contracts::{
    events::{OrderEvent, decode},
    ids::OrderId,
};
use orderflow_platform::{
    consumer::{Apply, Poison, Received},
    context::Context,
};
use sqlx::PgConnection;
use tokio::sync::Notify;

use crate::{domain::Input, handle::Batch};

/// Applies events to payments.
pub struct Payments {
    calls: Arc<Notify>,
}

impl Payments {
    /// `calls` is told when the provider may have to be asked for something.
    pub const fn new(calls: Arc<Notify>) -> Self {
        Self { calls }
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
        let mut batch = Batch::load(conn, &ids).await?;
        for (index, order_id, event) in &incoming {
            let context = Context::of_event(&events[*index].envelope);
            if let Err(rejection) = batch.apply(*order_id, Input::Order(event), None, &context) {
                poisons.push(Poison { index: *index, reason: rejection.to_string() });
            }
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
