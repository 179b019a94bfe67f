//! What people do, done in their place. Every command has a key: the same one when it is tried again.

use std::sync::Arc;

use orderflow_client::{Client, ClientError};
use orderflow_contracts::{
    api::{
        console::{Role, SignUp},
        inventory::Product,
        orders::{CreateLine, CreateOrder},
        payments::Pay,
    },
    ids::OrderId,
};
use uuid::Uuid;

use super::{Key, Outcome, Trouble};
use crate::{links::Shared, session::Tokens};

/// One piece.
pub(super) async fn order(customer: &Client, product: &Product, key: &Key) -> Result<OrderId, Trouble> {
    let order = CreateOrder { lines: vec![CreateLine { product_id: product.id, quantity: 1 }] };
    Ok(customer.create_order(&order, &key.0).await?.value.id)
}

/// Somebody whom nobody knows, with an account that is used once.
pub(super) async fn rival(shared: &Shared, product: &Product, key: &Key) -> Result<OrderId, Trouble> {
    let anonymous = shared.anonymous()?;
    let name = Uuid::new_v4().simple().to_string();
    let email = format!("rival-{}@example.com", &name[..12]);
    let session = anonymous.sign_up(&SignUp { email, password: name, role: Role::Customer }).await?;
    let tokens = Arc::new(Tokens::new(anonymous.clone(), session));
    // If the answer is lost, the next try is somebody else again: one more who wants it does no harm.
    let ordered = order(&anonymous.with_tokens(Arc::clone(&tokens) as _), product, key).await;
    tokens.end().await;
    ordered
}

/// All of them at once: which is first is left to chance.
pub(super) async fn confirm(shared: &Shared, orders: &[OrderId], key: &Key) -> Result<Outcome, Trouble> {
    let seller = shared.as_test_account(Role::Seller).await?;
    let keys: Vec<String> = orders.iter().map(|order| format!("{}-{order}", key.0)).collect();
    let confirms = orders.iter().zip(&keys).map(|(order, key)| seller.confirm_order(*order, key));
    let done = futures_util::future::join_all(confirms).await;
    done.into_iter().try_for_each(|done| was_done(done.map(drop)))?;
    Ok(Outcome::Done)
}

/// What somebody else has done in between is done.
fn was_done(done: Result<(), ClientError>) -> Result<(), Trouble> {
    match done {
        Err(error) if error.code() == Some(orderflow_contracts::problem::Code::IllegalTransition) => Ok(()),
        done => done.map_err(Trouble::from),
    }
}

pub(super) async fn pay(shared: &Shared, order: OrderId, token: &str, key: &Key) -> Result<Outcome, Trouble> {
    let customer = shared.as_test_account(Role::Customer).await?;
    customer.pay_order(order, &Pay { token: token.to_owned() }, &key.0).await?;
    Ok(Outcome::Done)
}

pub(super) async fn fulfil(shared: &Shared, order: OrderId, key: &Key) -> Result<Outcome, Trouble> {
    shared.as_test_account(Role::Seller).await?.fulfill_order(order, &key.0).await?;
    Ok(Outcome::Done)
}
