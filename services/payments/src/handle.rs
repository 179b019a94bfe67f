//! The shell: load for update, decide, save, write down what the provider is to be asked for, append to the outbox. All
//! in the caller's transaction; nothing remote.

use std::collections::BTreeMap;

use orderflow_contracts::{
    api::payments::Card,
    events::{OrderEvent, PaymentEvent, TimestampMs, topics},
    ids::OrderId,
};
use orderflow_platform::{
    clock,
    context::Context,
    outbox::{self, Happened, NewEvent, Writer},
};
use sqlx::PgConnection;

use crate::{
    domain::{self, Call, Decision, Input, Rejection, State},
    store::{self, NewCall, Row},
};

const WRITER: Writer = Writer { source: "/orderflow/payments", topic: topics::PAYMENTS };

/// Payments that are locked, and what is to be saved, said and asked for in the end.
pub struct Batch {
    now: TimestampMs,
    rows: BTreeMap<OrderId, Row>,
    /// The version that each changed payment was loaded with.
    loaded: BTreeMap<OrderId, i64>,
    calls: Vec<NewCall>,
    events: Vec<NewEvent>,
    /// Unless that was taken out in a laboratory.
    is_guarded: bool,
}

impl Batch {
    /// Locks the payments of these orders.
    pub async fn load(conn: &mut PgConnection, ids: &[OrderId]) -> Result<Self, sqlx::Error> {
        let rows = store::load_for_update(conn, ids).await?;
        Self::of(conn, rows, true).await
    }

    /// The payments of these orders, which anybody may change meanwhile: in a laboratory, to see what the lock is for.
    pub async fn load_unguarded(conn: &mut PgConnection, ids: &[OrderId]) -> Result<Self, sqlx::Error> {
        let mut rows = Vec::with_capacity(ids.len());
        for id in ids {
            rows.extend(store::load(conn, *id).await?);
        }
        Self::of(conn, rows, false).await
    }

    async fn of(conn: &mut PgConnection, rows: Vec<Row>, is_guarded: bool) -> Result<Self, sqlx::Error> {
        let now = clock::now_ms(conn).await?;
        let rows = rows.into_iter().map(|row| (row.order_id, row)).collect();
        Ok(Self { now, rows, loaded: BTreeMap::new(), calls: vec![], events: vec![], is_guarded })
    }

    /// A payment as it is now, with what was applied.
    pub fn get(&self, id: OrderId) -> Option<&Row> {
        self.rows.get(&id)
    }

    /// Notes which card the provider has seen.
    pub fn note_card(&mut self, id: OrderId, card: Option<Card>) {
        if let Some(row) = self.rows.get_mut(&id) {
            row.card = card.or_else(|| row.card.take());
        }
    }

    /// Applies an input to the payment of an order. `token` stands for the card, where a charge may come of it.
    pub fn apply(
        &mut self,
        id: OrderId,
        input: Input<'_>,
        token: Option<&str>,
        context: &Context,
    ) -> Result<(), Rejection> {
        let mut row = self.rows.get(&id).cloned().unwrap_or_else(|| Row::new(id, self.now));
        match domain::decide(&row.state, input, self.now)? {
            Decision::Ignored(why) => tracing::debug!(order_id = %id, why, "ignored"),
            Decision::Apply { next, event, call } => {
                self.loaded.entry(id).or_insert(row.version);
                note_facts(&mut row, &next, event.as_ref(), input);
                row.state = next;
                row.version += 1;
                row.updated_ms = self.now;
                if let Some(call) = call {
                    // A refund is asked for by its charge; only a charge has a token.
                    let token = token.filter(|_| matches!(call, Call::Charge(_))).map(str::to_owned);
                    self.calls.push(NewCall { order_id: id, call, token, context: context.clone() });
                }
                if let Some(event) = event {
                    row.sequence += 1;
                    let (subject, sequence) = (id.to_string(), row.sequence.unsigned_abs());
                    let happened = Happened { subject, sequence, time_ms: self.now, context, event: &event };
                    self.events.push(WRITER.event(happened));
                }
                self.rows.insert(id, row);
            }
        }
        Ok(())
    }

    /// Whether there is anything to save.
    pub fn has_changes(&self) -> bool {
        !self.loaded.is_empty()
    }

    /// Saves what has changed, writes down the calls and appends what is to be said.
    pub async fn save(&self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        let changed: Vec<_> =
            self.loaded.iter().filter_map(|(id, loaded)| self.rows.get(id).map(|row| (*loaded, row))).collect();
        store::save(conn, &changed, self.is_guarded).await?;
        store::insert_calls(conn, &self.calls).await?;
        outbox::append(conn, &self.events).await
    }
}

/// What the state does not carry any more once it has gone on, and people still want to know.
fn note_facts(row: &mut Row, next: &State, event: Option<&PaymentEvent>, input: Input<'_>) {
    if let Input::Order(OrderEvent::Confirmed { customer_id, seller_id, .. }) = input {
        (row.customer_id, row.seller_id) = (Some(*customer_id), Some(*seller_id));
    }
    match next {
        State::Open(intent) => (row.amount, row.pay_until) = (Some(intent.amount), Some(intent.pay_until)),
        State::Succeeded { charge_id, .. } | State::Refunding { charge_id, .. } => {
            row.charge_id = Some(charge_id.clone());
        }
        _ => {}
    }
    match event {
        Some(PaymentEvent::Failed { decline_code }) => row.decline_code = Some(decline_code.clone()),
        Some(PaymentEvent::Refunded { refund_id }) => row.refund_id = Some(refund_id.clone()),
        _ => {}
    }
}
