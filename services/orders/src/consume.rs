//! Events of the others, as inputs.

use std::time::Duration;

use orderflow_contracts::{
    api::{ops::Pattern, orders::CatalogEntry},
    events::{CatalogEvent, InventoryEvent, PaymentEvent, decode, topics},
    ids::OrderId,
};
use orderflow_platform::{
    chaos::Chaos,
    consumer::{Apply, Poison, Received},
    context::Context,
};
use sqlx::PgConnection;

use crate::{domain::Input, handle::Batch, store};

/// How long nobody is kept from orders that are being decided about, in a laboratory without the guard.
const UNGUARDED_PAUSE: Duration = Duration::from_millis(300);
/// Longest name of a product, in characters: it stands in every event about an order of it.
const NAME_MAX: usize = 200;

/// Applies events to orders, and to the copy of the catalogue.
pub struct Orders {
    /// What may be taken out, in a laboratory.
    pub chaos: Chaos,
}

enum Incoming {
    Inventory(OrderId, InventoryEvent),
    Payment(OrderId, PaymentEvent),
    Catalog(CatalogEntry),
}

impl Incoming {
    const fn order(&self) -> Option<OrderId> {
        match self {
            Self::Inventory(id, _) | Self::Payment(id, _) => Some(*id),
            Self::Catalog(_) => None,
        }
    }
}

impl Apply for Orders {
    async fn apply(&self, conn: &mut PgConnection, events: &[Received]) -> Result<Vec<Poison>, sqlx::Error> {
        let (mut incoming, mut poisons) = (Vec::with_capacity(events.len()), vec![]);
        for (index, event) in events.iter().enumerate() {
            match read(event) {
                Ok(read) => incoming.push((index, read)),
                Err(reason) => poisons.push(Poison { index, reason }),
            }
        }
        let ids: Vec<_> = incoming.iter().filter_map(|(_, incoming)| incoming.order()).collect();
        let mut batch = Batch::load(conn, &self.chaos, &ids).await?;
        let mut products = vec![];
        for (index, incoming) in incoming {
            let context = Context::of_event(&events[index].envelope);
            let (id, input) = match &incoming {
                Incoming::Inventory(id, event) => (*id, Input::Inventory(event)),
                Incoming::Payment(id, event) => (*id, Input::Payment(event)),
                Incoming::Catalog(entry) => {
                    products.push(entry.clone());
                    continue;
                }
            };
            if batch.get(id).is_none() {
                poisons.push(Poison { index, reason: format!("there is no order {id}") });
            } else if let Err(rejection) = batch.apply(id, &input, &context) {
                poisons.push(Poison { index, reason: rejection.to_string() });
            }
        }
        if self.chaos.is_out(Pattern::VersionCheck) {
            // What the lock would have prevented needs time to happen.
            tokio::time::sleep(UNGUARDED_PAUSE).await;
        }
        batch.save(conn).await?;
        if !products.is_empty() {
            store::update_catalog(conn, &products).await?;
        }
        Ok(poisons)
    }
}

fn read(event: &Received) -> Result<Incoming, String> {
    let (event_type, subject) = (event.envelope.event_type.as_str(), event.envelope.subject.as_str());
    let order = || subject.parse::<OrderId>().map_err(|_| "the subject is not the id of an order".to_owned());
    match event.topic.as_str() {
        topics::INVENTORY => {
            let event = decode(event_type, &event.data).map_err(|error| error.to_string())?;
            Ok(Incoming::Inventory(order()?, event))
        }
        topics::PAYMENTS => {
            let event = decode(event_type, &event.data).map_err(|error| error.to_string())?;
            Ok(Incoming::Payment(order()?, event))
        }
        _ => product(event).map(Incoming::Catalog),
    }
}

fn product(event: &Received) -> Result<CatalogEntry, String> {
    let CatalogEvent::ProductChanged { seller_id, name, price } =
        decode(&event.envelope.event_type, &event.data).map_err(|error| error.to_string())?;
    let product_id = event.envelope.subject.parse().map_err(|_| "the subject is not the id of a product".to_owned())?;
    if name.chars().count() > NAME_MAX {
        return Err(format!("a name has at most {NAME_MAX} characters"));
    }
    let version = i64::try_from(event.envelope.sequence).map_err(|_| "the sequence is too large".to_owned())?;
    Ok(CatalogEntry { product_id, seller_id, name, price, version })
}
