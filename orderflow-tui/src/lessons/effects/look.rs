//! Looking for what no event tells of: what is written down in outboxes and inboxes, and what the supervisor has seen.

use orderflow_client::{Client, Service, why};
use orderflow_contracts::{
    api::{console::Role, orders::OrderStatus, payments::PaymentStatus},
    ids::OrderId,
};

use super::{Trouble, breaks};
use crate::{lessons::course::Look, links::Shared};

/// What was seen, in a sentence; nothing if it is not there yet. `restarts` is how often orders was started again before.
pub(super) async fn look(
    what: Look,
    order: OrderId,
    restarts: u32,
    shared: &Shared,
) -> Result<Option<String>, Trouble> {
    let admin = shared.as_test_account(Role::Admin).await?;
    match what {
        Look::Restarted => restarted(restarts, &admin, shared).await,
        Look::Waits => {
            let hops = Box::pin(hops(&admin, order)).await?;
            let waiting = hops.iter().find(|hop| !hop.published);
            Ok(waiting.map(|hop| format!("{} waits in the outbox of {}", hop.event, hop.service)))
        }
        Look::CameTwice => {
            let again: u32 = Box::pin(hops(&admin, order)).await?.iter().map(|hop| hop.duplicates).sum();
            Ok((again > 0).then(|| format!("deliveries that inboxes have passed over: {again}")))
        }
        Look::BeingPaid => {
            let status = admin.payment(order).await?.status;
            Ok((status == PaymentStatus::Processing).then(|| "the payment is PROCESSING".to_owned()))
        }
        Look::Stuck => stuck(order, restarts, &admin, shared).await,
        Look::Wasted => wasted(order, restarts, &admin, shared).await,
    }
}

async fn hops(admin: &Client, order: OrderId) -> Result<Vec<why::Hop>, Trouble> {
    Ok(why::explain(&Box::pin(why::gather(admin, order)).await?).hops)
}

async fn restarted(restarts: u32, admin: &Client, shared: &Shared) -> Result<Option<String>, Trouble> {
    let now = breaks::restarts_of_orders(shared).await?;
    let is_back = now > restarts && admin.readiness(Service::Orders).await.is_ok_and(|readiness| readiness.ready);
    Ok(is_back.then(|| "orders has died, and was started again".to_owned()))
}

/// Orders has died and is back, and nobody has heard what it had committed.
async fn stuck(order: OrderId, restarts: u32, admin: &Client, shared: &Shared) -> Result<Option<String>, Trouble> {
    let Some(_) = restarted(restarts, admin, shared).await? else { return Ok(None) };
    let is_stuck = admin.order(order).await?.status == OrderStatus::Confirming;
    Ok(is_stuck.then(|| "orders has died and is back; the order is CONFIRMING".to_owned()))
}

/// Orders has died, and not by committing the order's confirmation. The order is looked at last: one that is PENDING
/// after the trap has struck was not what sprang it.
async fn wasted(order: OrderId, restarts: u32, admin: &Client, shared: &Shared) -> Result<Option<String>, Trouble> {
    let Some(_) = restarted(restarts, admin, shared).await? else { return Ok(None) };
    let is_pending = admin.order(order).await?.status == OrderStatus::Pending;
    Ok(is_pending.then(|| "orders has died and is back; the order is PENDING".to_owned()))
}
