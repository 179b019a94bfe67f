//! What the seller wants done, and doing it.
//!
//! Each command carries an idempotency key back with its outcome: where the outcome is not known, the same key is used
//! again, so that nothing is done twice.

use orderflow_client::{ClientError, Written};
use orderflow_contracts::{
    api::{
        inventory::{CreateProduct, EditProduct, Product, Restock},
        orders::Order,
    },
    ids::{OrderId, ProductId},
    money::Money,
    problem::Code,
};
use uuid::Uuid;

use crate::links::Kit;

/// What is done with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// It will be delivered.
    Confirm,
    /// It was shipped.
    Fulfil,
    /// It will not be delivered.
    Cancel,
}

/// What is done with a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A new one.
    Add(CreateProduct),
    /// Another name or price.
    Edit(ProductId, EditProduct, Box<Before>),
    /// The name and the price of before again, of this version.
    Undo(ProductId, EditProduct, i64),
    /// More pieces.
    Restock(ProductId, u32),
}

/// A product before an edit. It goes with the edit and comes back with its answer: by then, the form may be gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// Its name.
    pub name: String,
    /// Its price.
    pub price: Money,
    /// Its version.
    pub version: i64,
}

impl Before {
    /// As it is now.
    pub fn of(product: &Product) -> Self {
        Self { name: product.name.clone(), price: product.price, version: product.version }
    }
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Do {
    /// Somebody has answered yes: these are to be done, one after the other.
    Begin(Verb, Vec<OrderId>),
    /// One order; with the key of the last try, if that one's outcome is not known.
    Tell(Verb, OrderId, Option<String>),
    /// One product.
    Change(Change, Option<String>),
}

/// What came of it.
#[derive(Debug)]
pub enum Done {
    /// These are to be done.
    Begin(Verb, Vec<OrderId>),
    /// One order.
    Told {
        /// What was wanted.
        verb: Verb,
        /// Of which order.
        id: OrderId,
        /// With which key.
        key: String,
        /// What came of it.
        answer: Result<Box<Order>, ClientError>,
    },
    /// One product.
    Changed {
        /// What was wanted.
        change: Change,
        /// With which key.
        key: String,
        /// What came of it.
        answer: Result<Product, NotChanged>,
    },
}

/// Why a product was not changed.
#[derive(Debug)]
pub enum NotChanged {
    /// Somebody else has changed it; this is how it is now.
    Conflict(Box<Product>),
    /// The service says no, or does not answer.
    Error(ClientError),
}

/// Why there is no good answer, without the address that nobody can do anything with.
pub fn why(error: &ClientError) -> String {
    match error {
        ClientError::Timeout { .. } => "the service did not answer in time".to_owned(),
        ClientError::Unreachable { .. } => "the service cannot be reached".to_owned(),
        error => error.to_string(),
    }
}

/// Does it.
pub async fn carry_out(wanted: Do, kit: &Kit) -> Done {
    match wanted {
        Do::Begin(verb, ids) => Done::Begin(verb, ids),
        Do::Tell(verb, id, key) => {
            let key = key.unwrap_or_else(|| Uuid::new_v4().to_string());
            let answer = match verb {
                Verb::Confirm => kit.client.confirm_order(id, &key).await,
                Verb::Fulfil => kit.client.fulfill_order(id, &key).await,
                Verb::Cancel => kit.client.cancel_order(id, &key).await,
            };
            Done::Told { verb, id, key, answer: answer.map(|written| Box::new(written.value)) }
        }
        Do::Change(change, key) => {
            let key = key.unwrap_or_else(|| Uuid::new_v4().to_string());
            let answer = match written(&change, &key, kit).await {
                Ok(written) => Ok(written.value),
                Err(error) => Err(not_changed(&change, error, kit).await),
            };
            Done::Changed { change, key, answer }
        }
    }
}

async fn written(change: &Change, key: &str, kit: &Kit) -> Result<Written<Product>, ClientError> {
    match change {
        Change::Add(product) => kit.client.create_product(product, key).await,
        Change::Edit(id, edit, _) | Change::Undo(id, edit, _) => kit.client.edit_product(*id, edit, key).await,
        Change::Restock(id, quantity) => kit.client.restock_product(*id, Restock { quantity: *quantity }, key).await,
    }
}

/// Whoever has to decide again has to see what has changed.
async fn not_changed(change: &Change, error: ClientError, kit: &Kit) -> NotChanged {
    if let (Change::Edit(id, ..) | Change::Undo(id, ..), Some(Code::VersionConflict)) = (change, error.code())
        && let Ok(product) = kit.client.product(*id).await
    {
        return NotChanged::Conflict(Box::new(product));
    }
    NotChanged::Error(error)
}
