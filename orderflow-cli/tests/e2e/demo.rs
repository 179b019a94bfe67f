//! `orderflow demo`: all of it, and nothing of it is left.

use std::{fs, time::Duration};

use orderflow_testing::eventually;
use rustix::process::Signal;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    time::timeout,
};

use crate::{
    cluster::Cluster,
    command::{Person, finish},
    processes,
};

/// How long it may take to end.
const END_MAX: Duration = Duration::from_secs(60);

/// Somebody whose temporary files are all in one place.
fn visitor(home: &Cluster) -> Person {
    Person::new(&home.dir().join("home"), &home.data()).without_cluster().with([("TMPDIR", home.dir())])
}

fn assert_nothing_is_left(home: &Cluster) {
    assert_eq!(home.processes(), []);
    let left: Vec<_> = fs::read_dir(home.dir()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "home" || name == "up.log"), "{left:?}");
    let in_home: Vec<_> = fs::read_dir(home.dir().join("home")).unwrap().collect();
    assert!(in_home.is_empty(), "{in_home:?}");
}

#[tokio::test]
async fn the_demo_plays_every_ending_and_leaves_nothing() {
    let home = Cluster::none();
    let played = visitor(&home).run("demo").await.ends(0);
    for said in ["8 on hand, 0 reserved", "FULFILLED", "payment_failed", "REFUNDED", "out of stock"] {
        assert!(played.out.contains(said), "{said}: {played:#?}");
    }
    assert!(!played.out.contains('✗') || !played.out.contains("and not"), "{played:#?}");
    assert_nothing_is_left(&home);
}

#[tokio::test]
async fn the_demo_for_programs_is_one_document() {
    let home = Cluster::none();
    let summary = finish("demo -o json", visitor(&home).command("demo -o json"), "").await.json();
    assert_eq!((&summary["ok"], summary["orders"].as_array().map(Vec::len)), (&true.into(), Some(4)));
    assert_nothing_is_left(&home);
}

#[tokio::test]
async fn a_demo_that_is_interrupted_leaves_nothing() {
    let home = Cluster::none();
    assert_eq!(end_a_demo(&home, Signal::INT).await, Some(130));
    assert_nothing_is_left(&home);
}

#[tokio::test]
async fn a_demo_that_is_killed_leaves_no_process() {
    let home = Cluster::none();
    assert_eq!(end_a_demo(&home, Signal::KILL).await, None);
    let gone = async || home.processes().is_empty().then_some(());
    eventually("its processes notice, and go", gone).await;
}

/// Ends a demo in the middle of its start; its exit code.
async fn end_a_demo(home: &Cluster, signal: Signal) -> Option<i32> {
    let mut demo = visitor(home).command("demo").spawn().unwrap();
    let mut lines = BufReader::new(demo.stderr.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.contains("ready") && line.contains("orders") {
            break;
        }
    }
    processes::signal(i32::try_from(demo.id().unwrap()).unwrap(), signal);
    let rest = async { while lines.next_line().await.unwrap().is_some() {} };
    let (ended, ()) = tokio::join!(timeout(END_MAX, demo.wait()), rest);
    ended.expect("it ends").unwrap().code()
}
