//! Stopped, killed, started again: what was acknowledged is there, and what was begun is ended.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use orderflow_testing::eventually;
use rustix::process::Signal;
use serde_json::Value;

use crate::{
    books::Books,
    cluster::Cluster,
    command::Person,
    processes,
    shop::{Stage, id, text},
};

/// Customers who order at the same time.
const CUSTOMERS: usize = 3;
/// Pieces of the product that everybody wants.
const STOCK: u32 = 10_000;
/// How often a command is repeated while a part of the cluster is down.
const TRIES_MAX: u32 = 60;
const RETRY_AFTER: Duration = Duration::from_millis(100);

#[tokio::test]
async fn down_and_up_again_keeps_every_order_and_each_can_be_finished() {
    let mut shop = Cluster::start();
    let product = shop.product(10).await;
    let mut orders = Vec::new();
    for stage in [Stage::Pending, Stage::Confirmed, Stage::Paid, Stage::Fulfilled] {
        orders.push((stage, shop.order_at(stage, &product, 1).await));
    }
    // A charge whose outcome is not known when the cluster stops.
    let unknown = shop.order_at(Stage::Confirmed, &product, 1).await;
    shop.customer().json(&format!("order pay {unknown} --token tok_timeoutAfterCharge")).await;
    let before = shop.stock(&product).await;

    shop.anybody().run("down").await.ends(0).says("its data are in");
    assert_eq!(shop.processes(), []);
    shop.anybody().refused(4, "status").await;
    shop.customer().refused(4, &format!("order show {unknown}")).await;
    shop.restart();

    for (stage, order) in &orders {
        assert_eq!(text(&shop.show(order).await["status"]), format!("{stage:?}").to_uppercase());
    }
    assert_eq!((before, shop.stock(&product).await[0]), ([9, 3, 6], 9));
    shop.is_at_last(&unknown, ["PAID", "ALLOCATED", "SUCCEEDED"]).await;
    assert_eq!(shop.charges(&unknown).await.len(), 1);
    for (stage, order) in orders {
        shop.bring(&order, stage, Stage::Fulfilled).await;
    }
    shop.bring(&unknown, Stage::Paid, Stage::Fulfilled).await;
    assert_eq!(shop.stock(&product).await, [5, 0, 5]);
    in_the_end_the_books_balance(&shop, &product, 10).await;
}

#[tokio::test]
async fn after_everything_was_killed_at_once_every_acknowledged_order_goes_on() {
    let mut shop = Cluster::start();
    let product = shop.product(STOCK).await;
    let acknowledged = {
        let (killed, count) = (AtomicBool::new(false), AtomicUsize::new(0));
        let customers = (0..CUSTOMERS).map(|_| order_until_killed(&shop, &product, &killed, &count));
        let killer = async {
            let busy = async || (count.load(Ordering::Relaxed) >= 30).then_some(());
            eventually("many things were acknowledged", busy).await;
            let pids = shop.pids().await;
            killed.store(true, Ordering::Relaxed);
            for (_, pid) in pids {
                processes::signal(pid, Signal::KILL);
            }
        };
        let (acknowledged, ()) = tokio::join!(join_all(customers), killer);
        acknowledged.concat()
    };
    shop.restart();
    let mut last: BTreeMap<String, Stage> = BTreeMap::new();
    for (order, stage) in acknowledged {
        let reached = last.entry(order).or_insert(stage);
        *reached = stage.max(*reached);
    }
    assert!(last.len() >= 5, "{last:?}");
    for (order, stage) in &last {
        let now = stage_of(&shop.show(order).await);
        assert!(now >= Some(*stage), "{order} was {stage:?} and is {now:?}");
    }
    // What was on its way comes to rest by itself; then people go on where they were.
    let books = at_rest(&shop).await;
    for (order, now) in &books.orders {
        let from = stage_of(now).unwrap_or_else(|| panic!("nobody has cancelled {now:#}"));
        shop.bring(order, from, Stage::Fulfilled).await;
    }
    in_the_end_the_books_balance(&shop, &product, STOCK.into()).await;
}

#[tokio::test]
async fn whichever_process_is_killed_no_order_is_lost_and_the_books_balance() {
    let shop = Cluster::start();
    let product = shop.product(STOCK).await;
    let mut names: Vec<String> = shop.pids().await.into_iter().map(|(name, _)| name).collect();
    names.retain(|name| name != "supervisor");
    shuffle(&mut names, seed());
    println!("killed in this order: {names:?}");
    let (done, ended) = (AtomicBool::new(false), AtomicUsize::new(0));
    let customers = (0..CUSTOMERS).map(|number| order_whatever_happens(&shop, &product, number, &done, &ended));
    let killer = async {
        for name in &names {
            let before = ended.load(Ordering::Relaxed);
            let (_, pid) = shop.pids().await.into_iter().find(|(one, _)| one == name).unwrap();
            processes::signal(pid, Signal::KILL);
            let is_back = async || {
                let status = shop.anybody().run_with("status", "").await;
                let status = status.document();
                let all = status["processes"].as_array().unwrap().iter();
                let killed = all.clone().find(|process| process["name"] == **name).unwrap();
                (killed["restarts"].as_u64() > Some(0) && status["healthy"] == true).then_some(())
            };
            eventually(&format!("{name} is back"), is_back).await;
            let goes_on = async || (ended.load(Ordering::Relaxed) > before + CUSTOMERS).then_some(());
            eventually(&format!("orders come to their ends after {name} was killed"), goes_on).await;
        }
        done.store(true, Ordering::Relaxed);
    };
    tokio::join!(join_all(customers), killer);
    let status = shop.status().await;
    for process in status["processes"].as_array().unwrap() {
        assert_eq!(process["restarts"], 1, "{process:#}");
        assert!(text(&process["reason"]).contains('9'), "{process:#}");
    }
    let books = in_the_end_the_books_balance(&shop, &product, STOCK.into()).await;
    let open = books.orders.values().filter(|order| stage_of(order).is_some_and(|stage| stage < Stage::Fulfilled));
    assert_eq!(open.count(), 0, "every order has ended");
}

/// Orders, confirms, pays and ships until nobody answers any more; what was acknowledged.
async fn order_until_killed(
    shop: &Cluster,
    product: &str,
    killed: &AtomicBool,
    count: &AtomicUsize,
) -> Vec<(String, Stage)> {
    let mut acknowledged = Vec::new();
    while !killed.load(Ordering::Relaxed) {
        let created = shop.customer().run_with(&format!("order create --item {product}:1"), "").await;
        if created.code != Some(0) {
            break;
        }
        let order = id(&created.document());
        acknowledged.push((order.clone(), Stage::Pending));
        let steps = [
            (shop.seller(), format!("order confirm {order} --wait"), Stage::Confirmed),
            (shop.customer(), format!("order pay {order} --token tok_visa --wait"), Stage::Paid),
            (shop.seller(), format!("order fulfill {order} --wait"), Stage::Fulfilled),
        ];
        for (who, line, stage) in steps {
            // Some orders are left where they are.
            if acknowledged.len() % 5 == 0 || who.run_with(&format!("{line} --timeout 5s"), "").await.code != Some(0) {
                break;
            }
            acknowledged.push((order.clone(), stage));
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
    assert!(killed.load(Ordering::Relaxed), "nobody was killed yet");
    acknowledged
}

/// Brings order after order to one of its ends, repeating what was lost with the same key.
async fn order_whatever_happens(shop: &Cluster, product: &str, number: usize, done: &AtomicBool, ended: &AtomicUsize) {
    for round in 0.. {
        if done.load(Ordering::Relaxed) {
            return;
        }
        let created = insist(&shop.customer(), &format!("order create --item {product}:1"), 0).await;
        let order = id(&created);
        insist(&shop.seller(), &format!("order confirm {order} --wait"), 0).await;
        let (customer, seller) = (shop.customer(), shop.seller());
        let cancel = format!("order cancel {order} --wait");
        // The second one breaks twice at the provider before it pays.
        let token = ["tok_visa", "tok_errorTwice"][round % 2];
        let pay = format!("order pay {order} --token {token} --wait");
        let decline = format!("order pay {order} --token tok_chargeDeclined --wait");
        let ship = format!("order fulfill {order} --wait");
        let steps = match (number + round / 2) % 4 {
            0 => vec![(&customer, cancel, 0)],
            1 => vec![(&customer, decline, 5)],
            2 => vec![(&customer, pay, 0), (&seller, cancel, 0)],
            _ => vec![(&customer, pay, 0), (&seller, ship, 0)],
        };
        for (who, line, code) in steps {
            insist(who, &line, code).await;
        }
        ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// Repeats a command with the same key while it cannot be reached, until it ends as it has to.
async fn insist(who: &Person, line: &str, code: i32) -> Value {
    let key = format!("key-{:x}", rand());
    let mut tries = 0;
    loop {
        let ran = who.run_with(&format!("{line} --idempotency-key {key} --timeout 60s"), "").await;
        // 4: it could not be reached, or could not answer. Nothing else may come of a process that was killed.
        if ran.code != Some(4) {
            return ran.ends(code).document();
        }
        tries += 1;
        assert!(tries < TRIES_MAX, "{ran:#?}");
        tokio::time::sleep(RETRY_AFTER).await;
    }
}

/// Waits until nothing is on its way any more.
async fn at_rest(shop: &Cluster) -> Books {
    let resting = async || Some(Books::read(shop).await).filter(Books::are_at_rest);
    eventually("all orders are at rest", resting).await
}

async fn in_the_end_the_books_balance(shop: &Cluster, product: &str, stock: i64) -> Books {
    let books = at_rest(shop).await;
    books.balance(&BTreeMap::from([(product.to_owned(), stock)]));
    books
}

fn stage_of(order: &Value) -> Option<Stage> {
    match text(&order["status"]).as_str() {
        "PENDING" | "CONFIRMING" => Some(Stage::Pending),
        "CONFIRMED" => Some(Stage::Confirmed),
        "PAID" => Some(Stage::Paid),
        "FULFILLED" => Some(Stage::Fulfilled),
        _ => None,
    }
}

/// `ORDERFLOW_SEED`, or another one every time. It is said, so that a failure can be repeated.
fn seed() -> u64 {
    let given = std::env::var("ORDERFLOW_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(rand);
    println!("ORDERFLOW_SEED={seed}");
    seed
}

fn rand() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(())
}

/// Fisher and Yates, with Steele's splitmix64.
fn shuffle<T>(items: &mut [T], mut seed: u64) {
    for last in (1..items.len()).rev() {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let other = usize::try_from((mixed ^ (mixed >> 31)) % (u64::try_from(last).unwrap() + 1)).unwrap();
        items.swap(last, other);
    }
}
