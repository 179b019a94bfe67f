//! Breaking and mending. What is broken ends by itself after a while, should the console die before it has mended it;
//! only a pattern that is out stays out.

use std::time::Duration;

use orderflow_client::{AuditQuery, Client, ListQuery, Service};
use orderflow_cluster::{
    Action, Need,
    control::{self, Request, Status},
};
use orderflow_contracts::api::{
    chaos::{CrashPoint, FaultName, SetFault},
    console::Role,
    ops::{Pattern, SetPattern},
};

use tokio::time::{Instant, sleep};

use super::{Outcome, Trouble};
use crate::{lessons::course::Break, links::Shared};

/// The longest that a fault of a lesson lasts, in milliseconds.
const FAULT_MS_MAX: u64 = 10 * 60 * 1000;
/// The longest that Kafka is away, in milliseconds.
const KAFKA_MS_MAX: u64 = 5 * 60 * 1000;
/// With this seed, half of all chances are taken, and of the first two the second.
const NOT_THE_FIRST: u64 = 111;
/// How long the audit log may take to hear of something.
const HEARD_MAX: Duration = Duration::from_secs(10);
const HEARD_PAUSE: Duration = Duration::from_millis(100);
/// Subjects in the audit log.
const OUTBOX: &str = "orders/outbox";
const CRASH: &str = "orders/crash";
const WITH_KAFKA: [&str; 4] = ["orders", "inventory", "payments", "console"];
const WITH_SAGA: &[Service] = &[Service::Orders, Service::Inventory, Service::Payments];

/// Breaks all of it; how often orders was started again before.
pub(super) async fn break_all(what: &[Break], shared: &Shared) -> Result<u32, Trouble> {
    let restarts = restarts_of_orders(shared).await?;
    for one in what {
        break_one(*one, shared).await?;
    }
    Ok(restarts)
}

async fn break_one(what: Break, shared: &Shared) -> Result<(), Trouble> {
    let admin = shared.as_test_account(Role::Admin).await?;
    if what == Break::CrashAfterPublish {
        return set_trap(&admin, shared).await;
    }
    if let Some((name, set, services)) = fault_of(what) {
        for service in services {
            admin.set_fault(*service, name, &set).await?;
        }
        return Ok(());
    }
    match what {
        Break::Kafka => {
            for service in WITH_KAFKA {
                let service = service.to_owned();
                ask(shared, Request::Cut { service, from: Need::Broker, for_ms: Some(KAFKA_MS_MAX) }).await?;
            }
            ask(shared, Request::Signal { process: "broker".to_owned(), action: Action::Kill, for_ms: None }).await
        }
        Break::Outbox => {
            let before = told(&admin, "lab.set", OUTBOX).await?;
            admin.set_pattern(Service::Orders, Pattern::Outbox, SetPattern { disabled: true }).await?;
            heard(&admin, "lab.set", OUTBOX, before).await
        }
        _ => Ok(()),
    }
}

/// The setting of a fault is told to the audit log, by an event like any other: that one must not be what is lost. So
/// the first chance is passed by, which is its, and the next one is taken.
async fn set_trap(admin: &Client, shared: &Shared) -> Result<(), Trouble> {
    let Some((name, set, _)) = fault_of(Break::CrashAfterPublish) else { return Ok(()) };
    let (restarts, before) = (restarts_of_orders(shared).await?, told(admin, "chaos.set", CRASH).await?);
    admin.set_fault(Service::Orders, name, &set).await?;
    heard(admin, "chaos.set", CRASH, before).await?;
    if restarts_of_orders(shared).await? > restarts {
        return Err(Trouble::new("the trap has gone off too early: orders had something else to publish"));
    }
    Ok(())
}

/// The number of the last entry of the audit log about something.
async fn told(admin: &Client, action: &str, subject: &str) -> Result<i64, Trouble> {
    let page = ListQuery { limit: Some(1), ..ListQuery::default() };
    let (action, subject) = (Some(action.to_owned()), Some(subject.to_owned()));
    let entries = admin.audit(&AuditQuery { actor: None, action, subject, page }).await?.items;
    Ok(entries.first().map_or(0, |entry| entry.number))
}

/// Waits until the console has heard one more.
async fn heard(admin: &Client, action: &str, subject: &str, before: i64) -> Result<(), Trouble> {
    let until = Instant::now() + HEARD_MAX;
    while told(admin, action, subject).await? <= before {
        if Instant::now() > until {
            return Err(Trouble::new(format!("the audit log has not heard of {subject} within {HEARD_MAX:?}")));
        }
        sleep(HEARD_PAUSE).await;
    }
    Ok(())
}

/// The fault that it is, if it is one, and where it is set.
fn fault_of(what: Break) -> Option<(FaultName, SetFault, &'static [Service])> {
    let always = SetFault { for_ms: Some(FAULT_MS_MAX), ..SetFault::default() };
    let crash = |point| SetFault { point: Some(point), times: Some(1), ..always.clone() };
    Some(match what {
        Break::CrashAfterCommit => (FaultName::Crash, crash(CrashPoint::AfterCommit), &[Service::Orders]),
        Break::CrashAfterPublish => {
            let second = SetFault { percent: Some(50.0), seed: Some(NOT_THE_FIRST), ..crash(CrashPoint::AfterPublish) };
            (FaultName::Crash, second, &[Service::Orders])
        }
        Break::DeliverTwice => (FaultName::DeliverTwice, always, WITH_SAGA),
        Break::SlowProvider => {
            let slow = SetFault { ms: Some(FAULT_MS_MAX), ..always };
            (FaultName::ProviderLatency, slow, &[Service::Payments])
        }
        Break::Kafka | Break::Outbox => return None,
    })
}

/// Mends all of it. One that cannot be mended keeps none of the others from being mended.
pub(super) async fn mend(broken: &[Break], shared: &Shared) -> Result<(), Trouble> {
    let mut first = Ok(());
    for one in in_order(broken) {
        first = first.and(mend_one(one, shared).await);
    }
    first
}

/// Faults before patterns: that a pattern is back is told by an event, which would spring a trap that is still set.
fn in_order(broken: &[Break]) -> Vec<Break> {
    let (patterns, mut all): (Vec<Break>, Vec<Break>) = broken.iter().partition(|one| **one == Break::Outbox);
    all.extend(patterns);
    all
}

async fn mend_one(what: Break, shared: &Shared) -> Result<(), Trouble> {
    if what == Break::Kafka {
        return ask(shared, Request::Heal { service: None, from: Some(Need::Broker) }).await;
    }
    let admin = shared.as_test_account(Role::Admin).await?;
    if what == Break::Outbox {
        return Ok(admin.set_pattern(Service::Orders, Pattern::Outbox, SetPattern { disabled: false }).await?);
    }
    let mut first = Ok(());
    if let Some((name, _, services)) = fault_of(what) {
        for service in services {
            first = first.and(admin.clear_fault(*service, name).await.map_err(Trouble::from));
        }
    }
    first
}

/// The clock of all services, by so many minutes. They have the same afterwards, whatever they had before.
pub(super) async fn move_clock(minutes: i64, shared: &Shared) -> Result<Outcome, Trouble> {
    let admin = shared.as_test_account(Role::Admin).await?;
    let ahead_ms = admin.clock(Service::Orders).await?.offset_ms.saturating_add(minutes.saturating_mul(60_000));
    let mut first = Ok(());
    for service in Service::WITH_CLOCK {
        first = first.and(admin.set_clock(service, ahead_ms).await.map(drop).map_err(Trouble::from));
    }
    first.map(|()| Outcome::ClockMoved)
}

/// How often orders was started again.
pub(super) async fn restarts_of_orders(shared: &Shared) -> Result<u32, Trouble> {
    let status = status(shared).await?;
    let orders = status.processes.into_iter().find(|process| process.name == "orders");
    Ok(orders.map_or(0, |process| process.restarts))
}

/// How the cluster's processes are.
pub(super) async fn status(shared: &Shared) -> Result<Status, Trouble> {
    control::status(&shared.place.data_dir).await.map_err(|error| Trouble::new(error.to_string()))
}

async fn ask(shared: &Shared, request: Request) -> Result<(), Trouble> {
    control::tell(&shared.place.data_dir, request).await.map_err(|error| Trouble::new(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trap_is_taken_back_before_the_outbox_goes_back_in() {
        let broken = [Break::Outbox, Break::CrashAfterPublish];
        assert_eq!(in_order(&broken), [Break::CrashAfterPublish, Break::Outbox]);
    }
}
