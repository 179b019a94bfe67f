//! Events of the orders service, as inputs.

use orderflow_contracts::{
    api::ops::Pattern,
    events::{OrderEvent, OrderLine, TimestampMs},
    ids::OrderId,
};
use orderflow_platform::{
    chaos::Chaos,
    consumer::{Apply, Poison, Received},
    context::Context,
    reading::read_each,
};
use sqlx::PgConnection;

use crate::{domain::Input, handle::Batch};

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
        let (incoming, poisons) = read_each(events, read);
        let ids: Vec<_> = incoming.iter().map(|(_, (id, _))| *id).collect();
        let wanted = incoming.iter().flat_map(|(_, (_, event))| lines(event));
        let mut batch = Batch::load(conn, &self.chaos, &ids, wanted).await?;
        for (index, (order_id, event)) in &incoming {
            let context = Context::of_event(&events[*index].envelope);
            batch.apply(*order_id, Input::Order(event), batch.now(), self.hold_ms, &context);
        }
        if batch.has_changes() {
            self.chaos.linger_without(Pattern::VersionCheck).await;
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
    Ok((event.subject("an order")?, event.event()?))
}
