//! What is cut, healed, and paused for a while, asked for by the control socket, with stand-ins for the services.

use std::{fs, path::Path, time::Duration};

use orderflow_cluster::{
    Action, Need, Spec, State, attach,
    control::{CutStatus, Request, Response, request},
};
use sqlx::{Connection, PgConnection};
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};

use crate::{
    processes::{PATIENCE, eventually, nobody_works_on, public_tempdir},
    supervisor::{of, run, spec, start, status},
};

/// What a service is told about its database.
pub fn database_url(data: &Path, service: &str) -> String {
    config(data, service)["service"]["database_url"].as_str().unwrap().to_owned()
}

fn config(data: &Path, service: &str) -> toml::Table {
    fs::read_to_string(data.join(format!("config/{service}.toml"))).unwrap().parse().unwrap()
}

async fn ask(data: &Path, line: serde_json::Value) -> Response {
    request(data, serde_json::from_value(line).unwrap()).await.unwrap()
}

pub async fn cut(data: &Path, service: &str, from: Need, for_ms: Option<u64>) -> Response {
    request(data, Request::Cut { service: service.into(), from, for_ms }).await.unwrap()
}

pub async fn heal(data: &Path, service: Option<&str>, from: Option<Need>) -> Response {
    request(data, Request::Heal { service: service.map(Into::into), from }).await.unwrap()
}

fn reason(response: Response) -> String {
    match response {
        Response::Refused { reason } => reason,
        other => panic!("{other:?}"),
    }
}

/// Whether a stand-in answers at an address, which is `host:port` or a URL.
pub async fn answers(address: &str) -> bool {
    use tokio::io::AsyncWriteExt;
    let exchange = async {
        let mut stream = TcpStream::connect(address.trim_start_matches("http://")).await?;
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.map(|_| answer)
    };
    timeout(PATIENCE, exchange).await.unwrap().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

fn cuts(cuts: &[CutStatus]) -> Vec<(&str, Need)> {
    cuts.iter().map(|cut| (cut.service.as_str(), cut.from)).collect()
}

#[tokio::test]
async fn every_line_leads_there_and_can_be_cut_alone() {
    let dir = public_tempdir();
    let supervisor = start(Spec { lab: true, ..spec(dir.path()) }).await;
    let data = supervisor.data_dir().to_owned();
    let cluster = attach::running(&data).unwrap();
    let told = status(&data).await;
    assert!(cluster.lab && told.lab && cluster.lines.len() == 9 && told.cuts.is_empty());
    let text = |table: &str, service: &str, key: &str| {
        config(&data, service)[table].get(key).and_then(|value| value.as_str()).map(str::to_owned)
    };
    for service in ["orders", "inventory", "payments", "console", "psp"] {
        assert_eq!(config(&data, service)["service"]["lab"].as_bool(), Some(true));
        let (url, kafka) = (database_url(&data, service), text("service", service, "kafka"));
        let mut open = PgConnection::connect(&url).await.unwrap();
        if service == "psp" {
            assert_eq!(kafka, None);
            assert!(reason(cut(&data, service, Need::Postgres, None).await).contains("no line from 'psp' to postgres"));
            continue;
        }
        let broker = kafka.unwrap();
        assert_ne!(broker, cluster.endpoints.broker);
        assert!(answers(&broker).await);

        assert_eq!(cut(&data, service, Need::Postgres, None).await, Response::Done);
        assert!(sqlx::query("select 1").execute(&mut open).await.is_err());
        assert!(PgConnection::connect(&url).await.is_err());
        assert!(answers(&broker).await, "the other line is whole");
        let told = status(&data).await;
        assert_eq!(cuts(&told.cuts), [(service, Need::Postgres)]);
        assert!(told.cuts[0].dropped >= 2 && told.cuts[0].ends_at_ms.is_none(), "{:?}", told.cuts);
        assert!(told.healthy, "nothing is wrong with the server itself");

        assert_eq!(cut(&data, service, Need::Broker, None).await, Response::Done);
        assert!(!answers(&broker).await && answers(&cluster.endpoints.broker).await);
        assert_eq!(heal(&data, Some(service), Some(Need::Postgres)).await, Response::Done);
        assert_eq!(cuts(&status(&data).await.cuts), [(service, Need::Broker)]);
        PgConnection::connect(&url).await.unwrap();
        assert_eq!(heal(&data, Some(service), None).await, Response::Done);
        assert!(answers(&broker).await);
    }
    let provider = text("payments", "payments", "provider_url").unwrap();
    assert!(provider != cluster.endpoints.provider && answers(&provider).await);
    assert_eq!(cut(&data, "payments", Need::Provider, None).await, Response::Done);
    assert!(!answers(&provider).await && answers(&cluster.endpoints.provider).await);
    supervisor.shutdown().await; // with a line that is cut
    nobody_works_on(dir.path()).await;
}

#[tokio::test]
async fn everything_ends_after_its_time_or_when_all_is_healed() {
    let dir = public_tempdir();
    let supervisor = start(spec(dir.path())).await;
    let data = supervisor.data_dir().to_owned();
    let running = run(supervisor);
    assert!(!status(&data).await.lab);

    assert_eq!(cut(&data, "orders", Need::Broker, Some(100)).await, Response::Done);
    let pause = serde_json::json!({"do": "signal", "process": "inventory", "action": "pause", "for_ms": 100});
    assert_eq!(ask(&data, pause).await, Response::Done);
    eventually("the end of both", async || {
        let told = status(&data).await;
        told.cuts.is_empty() && of(&told, "inventory").state == State::Ready && told.healthy
    })
    .await;

    let hour = Some(Duration::from_secs(3600).as_millis().try_into().unwrap());
    assert_eq!(cut(&data, "orders", Need::Broker, hour).await, Response::Done);
    assert_eq!(cut(&data, "console", Need::Postgres, None).await, Response::Done);
    for (process, for_ms) in [("inventory", hour), ("broker", None), ("postgres", hour)] {
        let signal = Request::Signal { process: process.into(), action: Action::Pause, for_ms };
        assert_eq!(request(&data, signal).await.unwrap(), Response::Done);
        eventually("the pause", async || of(&status(&data).await, process).state == State::Paused).await;
        assert_eq!(of(&status(&data).await, process).resumes_at_ms.is_some(), for_ms.is_some());
    }
    let told = status(&data).await;
    assert_eq!(cuts(&told.cuts), [("orders", Need::Broker), ("console", Need::Postgres)]);
    assert_eq!([told.cuts[0].ends_at_ms.is_some(), told.cuts[1].ends_at_ms.is_some()], [true, false]);
    assert_eq!(ask(&data, serde_json::json!({"do": "heal"})).await, Response::Done);
    eventually("health", async || status(&data).await.healthy).await;
    let told = status(&data).await;
    assert!(told.cuts.is_empty() && told.processes.iter().all(|one| one.resumes_at_ms.is_none() && one.restarts == 0));
    running.end().await;
    nobody_works_on(dir.path()).await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let dir = public_tempdir();
    let supervisor = start(spec(dir.path())).await;
    let data = supervisor.data_dir().to_owned();
    let told = reason(cut(&data, "orders", Need::Provider, None).await);
    assert!(told.contains("no line from 'orders' to provider") && told.contains("payments provider"), "{told}");
    assert!(reason(cut(&data, "nobody", Need::Broker, None).await).contains("'nobody'"));
    for for_ms in [0, u64::MAX] {
        assert!(reason(cut(&data, "orders", Need::Broker, Some(for_ms)).await).contains("between"));
    }
    assert!(reason(heal(&data, Some("nobody"), None).await).contains("nobody"));
    assert!(reason(heal(&data, Some("orders"), Some(Need::Provider)).await).contains("no line"));
    let restart = Request::Signal { process: "orders".into(), action: Action::Restart, for_ms: Some(5) };
    assert!(reason(request(&data, restart).await.unwrap()).contains("only a pause"));
    let told = status(&data).await;
    assert!(told.healthy && told.cuts.is_empty() && of(&told, "orders").restarts == 0);
    assert_eq!(heal(&data, None, Some(Need::Broker)).await, Response::Done);
    supervisor.shutdown().await;
    nobody_works_on(dir.path()).await;
}
