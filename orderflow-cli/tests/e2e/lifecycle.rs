//! A cluster's life: up, status, logs, down, reset, doctor.

use std::{net::TcpListener, path::Path, time::Duration};

use orderflow_cluster::postgres::Postgres;
use orderflow_testing::eventually;
use rustix::process::Signal;
use sqlx::{Connection, PgConnection};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::{
    cluster::Cluster,
    command::Person,
    processes,
    shop::{Stage, text},
};

/// How long a process may take to end.
const END_MAX: Duration = Duration::from_secs(60);

#[tokio::test]
async fn where_nothing_runs_every_command_says_so() {
    let home = Cluster::none();
    for line in
        ["status", "product list --as customer", "order list --as seller", "clock show", "events tail --as admin"]
    {
        // At the default ports there may be somebody else's cluster.
        let nowhere = home.anybody().with(
            ["CONSOLE", "ORDERS", "INVENTORY", "PAYMENTS", "PROVIDER"]
                .map(|service| (format!("ORDERFLOW_{service}_URL"), "http://127.0.0.1:9")),
        );
        nowhere.refused(4, line).await.says("orderflow up --detach").writes_nothing();
    }
    home.anybody().run("down").await.ends(0).says("not running");
    home.anybody().run("logs").await.ends(1).says("there are no logs");
    home.anybody().run("reset --yes").await.ends(0).says("there is no cluster");
    let found = home.anybody().json("doctor --any-port").await;
    assert_eq!(found["ok"], true, "{found:#}");
    assert!(found["checks"].as_array().unwrap().len() >= 5, "{found:#}");
    assert!(!home.data().exists());
}

#[tokio::test]
async fn a_taken_port_is_named_and_nothing_is_started() {
    let home = Cluster::none();
    // Whoever else has it: it is taken.
    let taken = TcpListener::bind("127.0.0.1:3002");
    for how in ["up --detach", "up"] {
        let refused = home.anybody().run(how).await.ends(1).says("3002 (for inventory)").says("--any-port");
        assert!(!refused.err.contains("starting broker"), "{refused:#?}");
        assert_eq!(home.processes(), []);
    }
    home.anybody().refused(4, "status").await;
    let found = home.anybody().refused(1, "doctor").await.document();
    let ports = found["checks"].as_array().unwrap().iter().find(|check| check["name"] == "ports").unwrap();
    assert_eq!(ports["ok"], false, "{ports:#}");
    assert!(text(&ports["detail"]).contains("3002") && ports["remedy"].is_string(), "{ports:#}");
    drop(taken);
}

#[tokio::test]
async fn a_cluster_in_the_background_lives_until_it_is_reset() {
    let home = Cluster::none();
    let user = home.anybody();
    let first = user.json("up --detach --any-port").await;
    assert_eq!(first["healthy"], true, "{first:#}");
    let names: Vec<_> = first["processes"].as_array().unwrap().iter().map(|process| text(&process["name"])).collect();
    assert_eq!(names, ["postgres", "broker", "psp", "orders", "inventory", "payments", "console"]);

    // Once more changes nothing, however it is asked for.
    for how in ["up --detach --any-port", "up", "up --detach --wait"] {
        let again = user.run_with(how, "").await.ends(0).says("running already").document();
        assert_eq!(again["supervisor_pid"], first["supervisor_pid"], "{how}");
    }
    let said = user.run("status").await.ends(0);
    assert!(names.iter().all(|name| said.out.contains(name.as_str())) && said.out.contains("healthy"), "{said:#?}");
    assert_eq!(user.json("doctor").await["ok"], true);

    // One that hangs is seen, named, and seen to be well again.
    let (_, orders) = home.pids().await.into_iter().find(|(name, _)| name == "orders").unwrap();
    processes::signal(orders, Signal::STOP);
    let ill = async || Some(user.run_with("status", "").await).filter(|status| status.code == Some(1));
    let ill = eventually("orders is seen to hang", ill).await.says("not ready: orders").says("orderflow logs orders");
    assert_eq!(ill.document()["healthy"], false);
    processes::signal(orders, Signal::CONT);
    let well = async || (user.run("status").await.code == Some(0)).then_some(());
    eventually("orders is well again", well).await;

    let logs = user.run("logs orders --lines 3").await.ends(0);
    assert!((1..=3).contains(&logs.out.lines().count()), "{logs:#?}");
    let logs = user.run("logs -o jsonl").await.ends(0);
    let processes: Vec<_> =
        logs.out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()).collect();
    assert!(processes.iter().any(|line| line["process"] == "supervisor"), "{logs:#?}");
    user.run("logs nobody").await.ends(2).says("orders");

    let product = home.product(1).await;
    user.refused(2, "reset").await.says("--yes").writes_nothing();
    assert_eq!(home.stock(&product).await, [1, 0, 1]);
    user.run("down").await.ends(0);
    assert_eq!(home.processes(), []);
    user.refused(4, "status").await;
    user.refused(2, "reset").await.says("--yes");
    user.json("up --detach --any-port").await;
    assert_eq!(home.status().await["endpoints"], first["endpoints"], "the ports stay the same");
    assert_eq!(home.stock(&product).await, [1, 0, 1]);

    user.run("reset --yes").await.ends(0).says("destroyed");
    assert_eq!(home.processes(), []);
    assert!(!home.data().exists());
}

#[tokio::test]
async fn a_cluster_in_the_foreground_ends_as_it_is_told() {
    let home = Cluster::none();
    for (told, code) in [(Signal::INT, Some(130)), (Signal::TERM, Some(0)), (Signal::KILL, None)] {
        let (mut up, pid) = foreground(home.anybody().command("up --any-port")).await;
        processes::signal(pid, told);
        let ended = timeout(END_MAX, up.wait()).await.expect("it ends").unwrap();
        assert_eq!(ended.code(), code, "{told:?}");
        // A supervisor that was killed can wait for nobody: the others notice, and go.
        let gone = async || home.processes().is_empty().then_some(());
        eventually(&format!("nothing is left after {told:?}"), gone).await;
    }
}

/// Starts a cluster, and waits until it is ready.
async fn foreground(mut up: Command) -> (Child, i32) {
    let mut up = up.spawn().unwrap();
    let mut said = BufReader::new(up.stderr.take().unwrap()).lines();
    let ready = async {
        while let Some(line) = said.next_line().await.unwrap() {
            if line.contains("Ctrl-C") {
                return;
            }
        }
        panic!("it has ended instead");
    };
    timeout(END_MAX, ready).await.expect("it gets ready");
    tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
    let pid = i32::try_from(up.id().unwrap()).unwrap();
    (up, pid)
}

#[tokio::test]
async fn a_broker_and_a_database_of_somebody_elses_are_used_and_left_clean() {
    let home = Cluster::none();
    let server = Postgres::start_temporary().await.unwrap();
    let (mut broker, address) = broker(&home.anybody(), &home.dir().join("broker")).await;
    let user = home.anybody();
    // Its name alone would mean the place where clusters of that name are kept.
    let two = format!("up --detach --any-port --name two --data-dir {}", home.data().display());
    let up = format!("{two} --broker {address} --postgres-url-file -");
    let up = user.run_with(&up, server.admin_url()).await.json();
    assert_eq!((&up["name"], &up["endpoints"]["broker"]), (&"two".into(), &address.as_str().into()));
    assert_eq!(up["processes"].as_array().map(Vec::len), Some(5), "{up:#}");
    let product = home.product(3).await;
    home.order_at(Stage::Fulfilled, &product, 1).await;
    assert_eq!(home.stock(&product).await, [2, 0, 2]);

    let again = user.with([("ORDERFLOW_POSTGRES_URL", server.admin_url())]);
    again.run("down").await.ends(0);
    again.json(&format!("{two} --broker {address}")).await;
    assert_eq!(home.stock(&product).await, [2, 0, 2]);
    again.run("reset --yes").await.ends(0);
    let mut admin = PgConnection::connect(server.admin_url()).await.unwrap();
    let left = "select count(*) from pg_database where datname like 'orderflow%'";
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(&mut admin).await.unwrap(), 0);
    drop(admin);
    assert!(broker.try_wait().unwrap().is_none(), "the broker lives on");
    broker.kill().await.unwrap();
    server.stop().await;
}

/// A broker that is no part of a cluster, and where it listens.
async fn broker(user: &Person, data_dir: &Path) -> (Child, String) {
    let mut command = user.command(&format!("serve broker --port 0 --data-dir {}", data_dir.display()));
    let mut broker = command.spawn().unwrap();
    let mut said = BufReader::new(broker.stderr.take().unwrap()).lines();
    let address = async {
        while let Some(line) = said.next_line().await.unwrap() {
            if let Some((_, address)) = line.split_once("bootstrap=") {
                return address.trim_matches('"').to_owned();
            }
        }
        panic!("it has ended instead");
    };
    let address = timeout(END_MAX, address).await.expect("it listens");
    tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
    (broker, address)
}
