//! Writes down everything that is heard on the topics.

use std::sync::Arc;

use orderflow_contracts::events::{AuditEvent, CatalogEvent, InventoryEvent, OrderEvent, PaymentEvent, topics};
use orderflow_platform::consumer::{Apply, Poison, Received};
use serde_json::Value;
use sqlx::PgConnection;
use tokio::sync::watch;
use uuid::Uuid;

use crate::audit::{self, Done};

/// Held while positions are drawn, so that they become visible in their order: a stream that has shown one never
/// misses a lower one that came later.
const POSITIONS_LOCK: i64 = 0x706f_7369_7469_6f6e;

/// Writes events down.
pub struct Events {
    news: Arc<watch::Sender<u64>>,
}

impl Events {
    /// `news` is told when there are new events.
    pub const fn new(news: Arc<watch::Sender<u64>>) -> Self {
        Self { news }
    }
}

/// An event as it is written down.
struct New<'a> {
    event: &'a Received,
    order_id: Option<Uuid>,
    seller_id: Option<Uuid>,
    /// Customer and seller, of an order that was created.
    parties: Option<(Uuid, Uuid)>,
    data: Value,
}

impl Apply for Events {
    async fn apply(&self, conn: &mut PgConnection, events: &[Received]) -> Result<Vec<Poison>, sqlx::Error> {
        let (mut new, mut done, mut poisons) = (Vec::with_capacity(events.len()), vec![], vec![]);
        for (index, event) in events.iter().enumerate() {
            let entry = done_of(event);
            let read = if event.topic == topics::AUDIT { Ok(None) } else { read(event).map(Some) };
            match entry.and_then(|entry| Ok((entry, read?))) {
                Ok((entry, read)) => {
                    done.push(entry);
                    new.extend(read);
                }
                Err(reason) => poisons.push(Poison { index, reason }),
            }
        }
        audit::append(conn, &done).await?;
        if !new.is_empty() {
            sqlx::query("select pg_advisory_xact_lock($1)").bind(POSITIONS_LOCK).execute(&mut *conn).await?;
            let created = insert_participants(conn, &new).await?;
            place_late(conn, &created).await?;
            insert_events(conn, &new).await?;
        }
        Ok(poisons)
    }

    fn applied(&self) {
        self.news.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// What the audit log says of an event. What nobody has done, the service did.
fn done_of(event: &Received) -> Result<Done, String> {
    let envelope = &event.envelope;
    let service = envelope.source.rsplit('/').next().unwrap_or_default();
    let actor = envelope.actor.clone().unwrap_or_else(|| service.to_owned());
    let (action, detail) = if event.topic == topics::AUDIT {
        let AuditEvent::Done { action, detail } = event.event()?;
        (action, detail)
    } else {
        (envelope.event_type.clone(), Value::Null)
    };
    Ok(Done { at_ms: envelope.time_ms, actor, action, subject: envelope.subject.clone(), detail })
}

/// An event that is known, and who it concerns.
fn read(event: &Received) -> Result<New<'_>, String> {
    let subject: Uuid = event.envelope.subject.parse().map_err(|_| "the subject is not an id".to_owned())?;
    let (mut order_id, mut seller_id, mut parties) = (Some(subject), None, None);
    match event.topic.as_str() {
        topics::ORDERS => {
            if let OrderEvent::Created { customer_id, seller_id, .. } = event.event()? {
                parties = Some((customer_id.into(), seller_id.into()));
            }
        }
        topics::INVENTORY => drop(event.event::<InventoryEvent>()?),
        topics::PAYMENTS => drop(event.event::<PaymentEvent>()?),
        _ => {
            let CatalogEvent::ProductChanged { seller_id: seller, .. } = event.event()?;
            (order_id, seller_id) = (None, Some(seller.into()));
        }
    }
    let data = serde_json::from_slice(&event.data).map_err(|error| error.to_string())?;
    Ok(New { event, order_id, seller_id, parties, data })
}

/// Who may see the events of orders; the orders of which that was not known before.
async fn insert_participants(conn: &mut PgConnection, new: &[New<'_>]) -> Result<Vec<Uuid>, sqlx::Error> {
    let created: Vec<_> =
        new.iter().filter_map(|new| Some((new.order_id?, new.parties?))).map(|(id, (c, s))| (id, c, s)).collect();
    if created.is_empty() {
        return Ok(vec![]);
    }
    sqlx::query_scalar(
        "insert into participants (order_id, customer_id, seller_id)
         select * from unnest($1::uuid[], $2::uuid[], $3::uuid[]) on conflict do nothing
         returning order_id",
    )
    .bind(created.iter().map(|(id, ..)| *id).collect::<Vec<_>>())
    .bind(created.iter().map(|(_, customer, _)| *customer).collect::<Vec<_>>())
    .bind(created.iter().map(|(.., seller)| *seller).collect::<Vec<_>>())
    .fetch_all(conn)
    .await
}

/// What was heard of these orders before their creation can be shown from now on.
async fn place_late(conn: &mut PgConnection, created: &[Uuid]) -> Result<(), sqlx::Error> {
    if created.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update events set late_position = late.place
         from (select position, nextval(pg_get_serial_sequence('events', 'position')) as place
               from (select position from events where order_id = any($1) order by position) as heard) as late
         where events.position = late.position",
    )
    .bind(created)
    .execute(conn)
    .await
    .map(drop)
}

async fn insert_events(conn: &mut PgConnection, new: &[New<'_>]) -> Result<(), sqlx::Error> {
    let envelopes: Vec<_> = new.iter().map(|new| &new.event.envelope).collect();
    let sequence = |sequence| i64::try_from(sequence).unwrap_or(i64::MAX);
    sqlx::query(
        "insert into events (event_id, source, event_type, subject, order_id, seller_id, sequence, correlation_id,
             causation_id, at_ms, published_ms, data)
         select event_id, source, event_type, subject, order_id, seller_id, sequence, correlation_id, causation_id,
             at_ms, published_ms, data
         from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::bigint[], $8::text[],
                     $9::uuid[], $10::bigint[], $11::bigint[], $12::jsonb[])
             with ordinality as new (event_id, source, event_type, subject, order_id, seller_id, sequence,
                 correlation_id, causation_id, at_ms, published_ms, data, place)
         order by place on conflict (event_id) do nothing",
    )
    .bind(envelopes.iter().map(|envelope| envelope.id.into()).collect::<Vec<Uuid>>())
    .bind(envelopes.iter().map(|envelope| envelope.source.as_str()).collect::<Vec<_>>())
    .bind(envelopes.iter().map(|envelope| envelope.event_type.as_str()).collect::<Vec<_>>())
    .bind(envelopes.iter().map(|envelope| envelope.subject.as_str()).collect::<Vec<_>>())
    .bind(new.iter().map(|new| new.order_id).collect::<Vec<_>>())
    .bind(new.iter().map(|new| new.seller_id).collect::<Vec<_>>())
    .bind(envelopes.iter().map(|envelope| sequence(envelope.sequence)).collect::<Vec<_>>())
    .bind(envelopes.iter().map(|envelope| envelope.correlation_id.as_str()).collect::<Vec<_>>())
    .bind(envelopes.iter().map(|envelope| envelope.causation_id.map(Uuid::from)).collect::<Vec<_>>())
    .bind(envelopes.iter().map(|envelope| envelope.time_ms).collect::<Vec<_>>())
    .bind(new.iter().map(|new| new.event.timestamp_ms).collect::<Vec<_>>())
    .bind(new.iter().map(|new| &new.data).collect::<Vec<_>>())
    .execute(conn)
    .await
    .map(drop)
}
