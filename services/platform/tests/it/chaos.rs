//! Faults end when they are to, whatever they hold up.

use std::{pin::pin, time::Duration};

use futures_util::FutureExt;
use orderflow_contracts::api::chaos::{FaultName, SetFault};
use orderflow_platform::{chaos::Chaos, tasks::Tasks};

use crate::toy::World;

/// Ten minutes: longer than any test.
const LONG_MS: u64 = 600_000;

async fn set(chaos: &Chaos, name: FaultName, set: SetFault) {
    chaos.set(name, set).await.expect("the fault is set");
}

fn long() -> SetFault {
    SetFault { ms: Some(LONG_MS), ..SetFault::default() }
}

#[tokio::test]
async fn what_a_fault_holds_up_goes_on_when_it_is_taken_back_or_set_anew_and_not_when_another_is() {
    let world = World::start().await;
    let chaos = world.db.chaos();
    for end in 0..3 {
        set(chaos, FaultName::HttpLatency, long()).await;
        set(chaos, FaultName::DbSlow, long()).await;
        let mut held_up = pin!(chaos.delay(FaultName::HttpLatency));
        assert!(held_up.as_mut().now_or_never().is_none());
        chaos.clear(Some(FaultName::DbSlow)).await.expect("it is taken back");
        assert!(held_up.as_mut().now_or_never().is_none(), "another one was taken back");
        match end {
            0 => chaos.clear(Some(FaultName::HttpLatency)).await.expect("it is taken back"),
            1 => chaos.clear(None).await.expect("all are taken back"),
            _ => set(chaos, FaultName::HttpLatency, long()).await,
        }
        assert!(held_up.now_or_never().is_some(), "{end}");
    }
}

#[tokio::test]
async fn what_a_fault_holds_up_goes_on_when_it_ends_by_itself() {
    let world = World::start().await;
    set(world.db.chaos(), FaultName::DbSlow, SetFault { for_ms: Some(300), ..long() }).await;
    let begun = tokio::time::timeout(Duration::from_millis(LONG_MS / 2), world.db.begin()).await;
    assert!(begun.expect("in time").is_ok());
}

#[tokio::test]
async fn what_a_fault_holds_up_goes_on_when_the_service_ends() {
    let world = World::start().await;
    let chaos = world.db.chaos();
    let mut tasks = Tasks::default();
    tasks.spawn("chaos", chaos.clone().keep_bites(tasks.stop()));
    set(chaos, FaultName::ConsumerSlow, long()).await;
    let mut held_up = pin!(chaos.delay(FaultName::ConsumerSlow));
    assert!(held_up.as_mut().now_or_never().is_none());
    tasks.shutdown().await;
    assert!(held_up.now_or_never().is_some());
}
