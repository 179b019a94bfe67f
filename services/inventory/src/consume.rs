//! Events of the orders service, as inputs.

use std::time::Duration;

use orderflow_contracts::{
    api::ops::Pattern,
    events::{OrderEvent, OrderLine, TimestampMs, decode},
    ids::OrderId,
};
use orderflow_platform::{
    chaos::Chaos,
    consumer::{Apply, Poison, Received},
    context::Context,
};
use sqlx::PgConnection;

use crate::{domain::Input, handle::Batch};

/// How long nobody is kept from stock that is being decided about, in a laboratory without the guard.
const UNGUARDED_PAUSE: Duration = Duration::from_millis(300);

/// Applies events to reservations.
pub struct Reservations {
    hold_ms: TimestampMs,
    chaos: Chaos,
}

impl Reservations {
    /// With how long a new reservation lasts.
    pub const fn new(hold_ms: TimestampMs, chaos: Chaos) -> Self {
        Self { hold_ms, chaos }
    }
}

impl Apply for Reservations {
    async fn apply(&self, conn: &mut PgConnection, events: &[Received]) -> Result<Vec<Poison>, sqlx::Error> {
        let (mut incoming, mut poisons) = (Vec::with_capacity(events.len()), vec![]);
        for (index, event) in events.iter().enumerate() {
            match read(event) {
                Ok((order_id, event)) => incoming.push((index, order_id, event)),
                Err(reason) => poisons.push(Poison { index, reason }),
            }
        }
        let ids: Vec<_> = incoming.iter().map(|(_, id, _)| *id).collect();
        let wanted = incoming.iter().flat_map(|(.., event)| lines(event));
        let mut batch = Batch::load(conn, &self.chaos, &ids, wanted).await?;
        for (index, order_id, event) in &incoming {
            let context = Context::of_event(&events[*index].envelope);
            batch.apply(*order_id, Input::Order(event), batch.now(), self.hold_ms, &context);
        }
        if self.chaos.is_out(Pattern::VersionCheck) && batch.has_changes() {
            // What the lock would have prevented needs time to happen.
            tokio::time::sleep(UNGUARDED_PAUSE).await;
        }
        batch.save(conn).await?;
        Ok(poisons)
    }
}

fn lines(event: &OrderEvent) -> &[OrderLine] {
    match event {
        OrderEvent::ConfirmationRequested { lines, .. } => lines,
        _ => &[],
    }
}

fn read(event: &Received) -> Result<(OrderId, OrderEvent), String> {
    let order_id = event.envelope.subject.parse().map_err(|_| "the subject is not the id of an order".to_owned())?;
    let event = decode(&event.envelope.event_type, &event.data).map_err(|error| error.to_string())?;
    Ok((order_id, event))
}
