//! The shell: load for update, decide, save, append to the outbox. All in the caller's transaction; nothing remote.

use std::collections::BTreeMap;

use orderflow_contracts::{
    api::{ops::Pattern, orders::CatalogEntry},
    events::{OrderEvent, OrderLine, TimestampMs, topics},
    ids::{AccountId, OrderId},
};
use orderflow_platform::{
    chaos::Chaos,
    clock,
    context::Context,
    outbox::{self, Happened, NewEvent, Writer},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    domain::{self, Decision, Input, Rejection},
    store::{self, Row},
};

const WRITER: Writer = Writer { source: "/orderflow/orders", topic: topics::ORDERS };

/// What cannot be done, or could not be tried.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The domain says no.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The database.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Makes an order of what the catalogue says of its products.
pub async fn create(
    conn: &mut PgConnection,
    customer_id: AccountId,
    lines: &[(CatalogEntry, u32)],
    context: &Context,
) -> Result<Row, Refused> {
    let seller_id = lines.first().map_or_else(|| Uuid::nil().into(), |(entry, _)| entry.seller_id);
    let line = |(entry, quantity): &(CatalogEntry, u32)| OrderLine {
        product_id: entry.product_id,
        name: entry.name.clone(),
        quantity: *quantity,
        unit_price: entry.price,
    };
    let id = OrderId::from(Uuid::now_v7());
    let (order, created) = domain::create(id, customer_id, seller_id, lines.iter().map(line).collect())?;
    let now = clock::now_ms(conn).await?;
    let row = Row { order, version: 1, sequence: 1, created_ms: now, updated_ms: now };
    store::insert(conn, &row).await?;
    outbox::append(conn, &[event(id, row.sequence, now, context, &created)]).await?;
    Ok(row)
}

/// Orders that are locked, and what is to be saved and said of them in the end.
pub struct Batch {
    now: TimestampMs,
    rows: BTreeMap<OrderId, Row>,
    /// The version that each changed order was loaded with.
    loaded: BTreeMap<OrderId, i64>,
    events: Vec<NewEvent>,
    /// Unless that was taken out in a laboratory.
    is_guarded: bool,
}

impl Batch {
    /// Locks these orders. One that does not exist is not in the batch.
    pub async fn load(conn: &mut PgConnection, chaos: &Chaos, ids: &[OrderId]) -> Result<Self, sqlx::Error> {
        let is_guarded = !chaos.is_out(Pattern::VersionCheck);
        let rows = store::load_for_update(conn, ids, is_guarded).await?;
        let now = clock::now_ms(conn).await?;
        Ok(Self { now, rows, loaded: BTreeMap::new(), events: Vec::new(), is_guarded })
    }

    /// An order as it is now, with what was applied.
    pub fn get(&self, id: OrderId) -> Option<&Row> {
        self.rows.get(&id)
    }

    /// Applies an input to one of the orders.
    pub fn apply(&mut self, id: OrderId, input: &Input<'_>, context: &Context) -> Result<(), Rejection> {
        let Some(row) = self.rows.get_mut(&id) else { return Ok(()) };
        match domain::decide(&row.order, input)? {
            Decision::Ignored(why) => tracing::debug!(order_id = %id, why, "ignored"),
            Decision::Apply { next, events } => {
                self.loaded.entry(id).or_insert(row.version);
                row.order = *next;
                row.version += 1;
                row.updated_ms = self.now;
                for happened in events {
                    row.sequence += 1;
                    self.events.push(event(id, row.sequence, self.now, context, &happened));
                }
            }
        }
        Ok(())
    }

    /// Saves what has changed and appends what is to be said.
    pub async fn save(&self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        let changed: Vec<_> =
            self.loaded.iter().filter_map(|(id, loaded)| self.rows.get(id).map(|row| (*loaded, row))).collect();
        store::save(conn, &changed, self.is_guarded).await?;
        outbox::append(conn, &self.events).await
    }
}

fn event(id: OrderId, sequence: i64, now: TimestampMs, context: &Context, event: &OrderEvent) -> NewEvent {
    let (subject, sequence) = (id.to_string(), sequence.unsigned_abs());
    WRITER.event(Happened { subject, sequence, time_ms: now, context, event })
}
