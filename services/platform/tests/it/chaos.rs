//! Faults end when they are to, whatever they hold up.

use std::{pin::pin, time::Duration};

use futures_util::FutureExt;
use orderflow_contracts::api::chaos::{FaultName, SetFault};
use orderflow_platform::{chaos::Chaos, tasks::Tasks};

use crate::toy::World;

/// Ten minutes: longer than any test.
const LONG_MS: u64 = 600_000;

async fn set(world: &World, chaos: &Chaos, name: FaultName, set: SetFault) {
    let mut conn = world.pool.acquire().await.expect("a connection");
    chaos.set(&mut conn, name, set).await.expect("the fault is set").1.make();
}

async fn clear(world: &World, name: Option<FaultName>) {
    let mut conn = world.pool.acquire().await.expect("a connection");
    world.db.chaos().clear(&mut conn, name).await.expect("it is taken back").make();
}

fn long() -> SetFault {
    SetFault { ms: Some(LONG_MS), ..SetFault::default() }
}

#[tokio::test]
async fn what_a_fault_holds_up_goes_on_when_it_is_taken_back_or_set_anew_and_not_when_another_is() {
    let world = World::start().await;
    let chaos = world.db.chaos();
    for end in 0..3 {
        set(&world, chaos, FaultName::HttpLatency, long()).await;
        set(&world, chaos, FaultName::DbSlow, long()).await;
        let mut held_up = pin!(chaos.delay(FaultName::HttpLatency));
        assert!(held_up.as_mut().now_or_never().is_none());
        clear(&world, Some(FaultName::DbSlow)).await;
        assert!(held_up.as_mut().now_or_never().is_none(), "another one was taken back");
        match end {
            0 => clear(&world, Some(FaultName::HttpLatency)).await,
            1 => clear(&world, None).await,
            _ => set(&world, chaos, FaultName::HttpLatency, long()).await,
        }
        assert!(held_up.now_or_never().is_some(), "{end}");
    }
}

#[tokio::test]
async fn what_a_fault_holds_up_goes_on_when_it_ends_by_itself() {
    let world = World::start().await;
    set(&world, world.db.chaos(), FaultName::DbSlow, SetFault { for_ms: Some(300), ..long() }).await;
    let begun = tokio::time::timeout(Duration::from_millis(LONG_MS / 2), world.db.begin()).await;
    assert!(begun.expect("in time").is_ok());
}

#[tokio::test]
async fn what_a_fault_holds_up_goes_on_when_the_service_ends() {
    let world = World::start().await;
    let chaos = world.db.chaos();
    let mut tasks = Tasks::default();
    tasks.spawn("chaos", chaos.clone().keep_bites(tasks.stop()));
    set(&world, chaos, FaultName::ConsumerSlow, long()).await;
    let mut held_up = pin!(chaos.delay(FaultName::ConsumerSlow));
    assert!(held_up.as_mut().now_or_never().is_none());
    tasks.shutdown().await;
    assert!(held_up.now_or_never().is_some());

    // Nor is it held up where the end comes before the task has begun.
    let chaos = again(&world).await;
    let mut held_up = pin!(chaos.delay(FaultName::ConsumerSlow));
    assert!(held_up.as_mut().now_or_never().is_none());
    let mut tasks = Tasks::default();
    tasks.spawn("chaos", chaos.clone().keep_bites(tasks.stop()));
    tasks.shutdown().await;
    assert!(held_up.now_or_never().is_some());
}

/// The same service, started again.
async fn again(world: &World) -> Chaos {
    Chaos::load(world.pool.clone(), FaultName::OF_EVERY_SERVICE).await.expect("the faults")
}

#[tokio::test]
async fn what_has_struck_so_often_does_not_begin_anew_with_the_process() {
    let world = World::start().await;
    let chaos = world.db.chaos();
    set(&world, chaos, FaultName::CommitLost, SetFault { times: Some(3), ..SetFault::default() }).await;
    assert!((0..2).all(|_| chaos.strikes(FaultName::CommitLost).is_some()));
    // Asking for the bites writes all of it down.
    chaos.bites().await.expect("the bites");
    let chaos = again(&world).await;
    assert_eq!(chaos.list()[0].struck, 2);
    assert_eq!((0..9).filter(|_| chaos.strikes(FaultName::CommitLost).is_some()).count(), 1);
    chaos.bites().await.expect("the bites");
    assert!(again(&world).await.strikes(FaultName::CommitLost).is_none());
}

#[tokio::test]
async fn a_seed_goes_on_where_it_was_and_begins_anew_with_another_setting() {
    let world = World::start().await;
    let half = || SetFault { percent: Some(50.0), seed: Some(7), ..SetFault::default() };
    let draw = |chaos: &Chaos| (0..20).map(|_| chaos.strikes(FaultName::RelayTwice).is_some()).collect::<Vec<_>>();
    let chaos = world.db.chaos();
    set(&world, chaos, FaultName::RelayTwice, half()).await;
    let (first, second) = (draw(chaos), draw(chaos));
    assert_ne!(first, second);
    set(&world, chaos, FaultName::RelayTwice, half()).await;
    assert_eq!(draw(chaos), first);
    chaos.bites().await.expect("the bites");
    let chaos = again(&world).await;
    assert_eq!(draw(&chaos), second);
    set(&world, &chaos, FaultName::RelayTwice, half()).await;
    chaos.bites().await.expect("the bites");
    assert_eq!(draw(&again(&world).await), first, "of what was set before nothing is left");
}

#[tokio::test]
async fn how_far_a_fault_has_come_is_written_down_without_being_asked_for() {
    let world = World::start().await;
    let chaos = world.db.chaos();
    let mut tasks = Tasks::default();
    tasks.spawn("chaos", chaos.clone().keep_bites(tasks.stop()));
    set(&world, chaos, FaultName::RelayTwice, SetFault { percent: Some(0.0), ..SetFault::default() }).await;
    assert!((0..5).all(|_| chaos.strikes(FaultName::RelayTwice).is_none()));
    world.until("it is written down", "select asked from faults", 5).await;
    tasks.shutdown().await;
}

#[tokio::test]
async fn a_change_that_is_not_committed_is_not_made() {
    let world = World::start().await;
    let chaos = world.db.chaos();
    let mut tx = world.db.begin().await.expect("a transaction");
    drop(chaos.set(&mut tx, FaultName::DbRefused, SetFault::default()).await.expect("it is written"));
    drop(tx);
    assert_eq!((chaos.list(), again(&world).await.list()), (vec![], vec![]));
    set(&world, chaos, FaultName::RelayTwice, SetFault::default()).await;
    let mut tx = world.db.begin().await.expect("a transaction");
    drop(chaos.clear(&mut tx, None).await.expect("it is written"));
    drop(tx);
    assert_eq!((chaos.list().len(), again(&world).await.list().len()), (1, 1));
}
