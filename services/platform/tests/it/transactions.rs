//! Whoever asks for a transaction may be gone before it has begun: a client that has hung up, a request that took too
//! long.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use orderflow_testing::eventually;

use crate::toy::World;

const TRIES: i64 = 100;

/// Asks, and goes away if there is no answer at once; whether it did.
async fn give_up_early<T>(asked: impl Future<Output = T>) -> bool {
    let mut asked = pin!(asked);
    poll_fn(|context| Poll::Ready(asked.as_mut().poll(context).is_pending())).await
}

#[tokio::test]
async fn a_transaction_that_nobody_waits_for_any_more_is_not_left_open() {
    let world = World::start().await;
    let mut given_up = 0;
    for _ in 0..TRIES {
        given_up += u32::from(give_up_early(world.db.begin()).await);
        let written = sqlx::query("insert into heard (event_id, event_type) values (gen_random_uuid(), 'toy.played')");
        written.execute(&mut *world.db.acquire().await.unwrap()).await.unwrap();
    }
    assert!(given_up > 0);
    // Another session sees all that was written without a transaction.
    let heard = async || (world.database.count("select count(*) from heard").await == TRIES).then_some(());
    eventually("all of it is there", heard).await;
    let open = "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in%'";
    let none = async || (world.database.count(open).await == 0).then_some(());
    eventually("no transaction is left open", none).await;
}
