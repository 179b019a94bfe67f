//! Events of the others, as inputs.

use orderflow_contracts::{
    api::{ops::Pattern, orders::CatalogEntry},
    events::{CatalogEvent, InventoryEvent, PaymentEvent, topics},
    ids::OrderId,
};
use orderflow_platform::{
    chaos::Chaos,
    consumer::{Apply, Poison, Received},
    context::Context,
    reading::read_each,
};
use sqlx::PgConnection;

use crate::{domain::Input, handle::Batch, store};

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
        let (incoming, mut poisons) = read_each(events, read);
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
        self.chaos.linger_without(Pattern::VersionCheck).await;
        batch.save(conn).await?;
        if !products.is_empty() {
            store::update_catalog(conn, &products).await?;
        }
        Ok(poisons)
    }
}

fn read(event: &Received) -> Result<Incoming, String> {
    let order = || event.subject("an order");
    match event.topic.as_str() {
        topics::INVENTORY => {
            let told = event.event()?;
            Ok(Incoming::Inventory(order()?, told))
        }
        topics::PAYMENTS => {
            let told = event.event()?;
            Ok(Incoming::Payment(order()?, told))
        }
        _ => product(event).map(Incoming::Catalog),
    }
}

fn product(event: &Received) -> Result<CatalogEntry, String> {
    let CatalogEvent::ProductChanged { seller_id, name, price } = event.event()?;
    let product_id = event.subject("a product")?;
    if name.chars().count() > NAME_MAX {
        return Err(format!("a name has at most {NAME_MAX} characters"));
    }
    let version = i64::try_from(event.envelope.sequence).map_err(|_| "the sequence is too large".to_owned())?;
    Ok(CatalogEntry { product_id, seller_id, name, price, version })
}
