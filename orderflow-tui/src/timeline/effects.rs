//! What a timeline wants done: the order, its events, and why it stands where it stands.

use std::time::Duration;

use orderflow_chaos::see_the_cluster;
use orderflow_client::{
    Client, ClientError,
    why::{Explanation, Facts, explain, gather},
};
use orderflow_contracts::{
    api::{PAGE_SIZE_MAX, console::EventRecord, orders::Order},
    ids::OrderId,
};
use tokio::time::sleep;

use crate::links::Kit;

/// Pages of events of one order. It has a dozen.
const EVENT_PAGES_MAX: usize = 10;

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Do {
    /// The order.
    Order(OrderId),
    /// What the console has heard of it.
    Events(OrderId),
    /// Why it stands where it stands.
    Explain {
        /// Which order.
        id: OrderId,
        /// Not before so long has passed: events come in bursts.
        after: Duration,
    },
}

/// What is known of an order beyond its events.
#[derive(Debug)]
pub struct Explained {
    /// Why it stands where it stands.
    pub explanation: Explanation,
    /// What that was told from.
    pub facts: Facts,
}

/// What came of it, and for which order.
#[derive(Debug)]
pub struct Done {
    /// Of which order.
    pub id: OrderId,
    /// What came.
    pub came: Came,
}

/// What came of it.
#[derive(Debug)]
pub enum Came {
    /// The order.
    Order(Result<Box<Order>, ClientError>),
    /// Its events.
    Events(Result<Vec<EventRecord>, ClientError>),
    /// Why it stands where it stands.
    Explained(Result<Box<Explained>, ClientError>),
}

/// Does it.
pub async fn carry_out(wanted: Do, kit: &Kit) -> Done {
    match wanted {
        Do::Order(id) => Done { id, came: Came::Order(kit.client.order(id).await.map(Box::new)) },
        Do::Events(id) => Done { id, came: Came::Events(events(&kit.client, id).await) },
        Do::Explain { id, after } => {
            sleep(after).await;
            Done { id, came: Came::Explained(Box::pin(explained(id, kit)).await) }
        }
    }
}

async fn events(client: &Client, id: OrderId) -> Result<Vec<EventRecord>, ClientError> {
    let (mut all, mut cursor) = (Vec::new(), None);
    for _ in 0..EVENT_PAGES_MAX {
        let page = client.events(Some(id), Some(PAGE_SIZE_MAX), cursor).await?;
        all.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(all)
}

async fn explained(id: OrderId, kit: &Kit) -> Result<Box<Explained>, ClientError> {
    let mut facts = Box::pin(gather(&kit.client, id)).await?;
    see_the_cluster(kit.client.endpoints(), &kit.place.data_dir, &mut facts).await;
    Ok(Box::new(Explained { explanation: explain(&facts), facts }))
}
