//! Many want the last one.

use futures_util::future::join_all;

use crate::{
    cluster::Cluster,
    shop::{Stage, text},
};

const BUYERS: usize = 50;

#[tokio::test]
async fn of_fifty_buyers_of_the_last_one_exactly_one_gets_it() {
    let shop = Cluster::shared();
    let product = shop.product(1).await;
    let orders = join_all((0..BUYERS).map(|_| shop.order(&product, 1))).await;
    let confirm = orders.iter().map(|order| async move {
        let confirmed = shop.seller().run_with(&format!("order confirm {order} --wait --timeout 60s"), "").await;
        let after = confirmed.document();
        (confirmed.code, text(&after["status"]), after["cancel_reason"].as_str().map(str::to_owned))
    });
    let outcomes = join_all(confirm).await;
    let winner = (Some(0), "CONFIRMED".to_owned(), None);
    let loser = (Some(5), "CANCELLED".to_owned(), Some("out_of_stock".to_owned()));
    let winners: Vec<_> = (0..BUYERS).filter(|buyer| outcomes[*buyer] == winner).collect();
    let losers = outcomes.iter().filter(|outcome| **outcome == loser).count();
    assert_eq!((winners.len(), losers), (1, BUYERS - 1), "{outcomes:#?}");
    assert_eq!(shop.stock(&product).await, [1, 1, 0]);

    // The winner's order is as good as any other.
    shop.bring(&orders[winners[0]], Stage::Confirmed, Stage::Fulfilled).await;
    assert_eq!(shop.stock(&product).await, [0, 0, 0]);
}
