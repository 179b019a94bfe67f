//! The client against a server that answers as it is told, one connection a request.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use orderflow_contracts::{
    api::{
        console::Refresh,
        orders::{CreateOrder, Order},
    },
    problem::{Code, Problem},
};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpSocket},
};

use crate::{Client, ClientError, Endpoints, Next, TokenFuture, TokenSource};

const ID: &str = "00000000-0000-0000-0000-000000000001";

/// What it was asked, and what it answers: the last answer again and again.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn answering(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut left = answers.into_iter().peekable();
            let mut answer = String::new();
            while let Ok((stream, _)) = listener.accept().await {
                answer = left.next().unwrap_or(answer);
                let mut stream = BufReader::new(stream);
                let request = read_request(&mut stream).await;
                seen.lock().unwrap().push(request);
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { url, asked }
    }

    fn client(&self) -> Client {
        let url = || self.url.clone();
        let all = Endpoints { console: url(), orders: url(), inventory: url(), payments: url(), provider: url() };
        Client::anonymous(all).unwrap()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// The head of a request; its body is read and forgotten.
async fn read_request(stream: &mut BufReader<tokio::net::TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut head).await.unwrap() > 0, "{head}");
    }
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.unwrap();
    head.to_lowercase()
}

fn answer(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn problem(code: Code) -> String {
    let problem = Problem::new(code, "no");
    answer(problem.status, &serde_json::to_string(&problem).unwrap())
}

fn order() -> String {
    let order = json!({
        "id": ID, "status": "PENDING", "customer_id": ID, "seller_id": ID, "lines": [],
        "total": { "minor": 1, "currency": "USD" }, "cancel_reason": null,
        "reservation": { "status": "NONE", "expires_at": null }, "payment": { "status": "NONE", "link": null },
        "version": 1, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
    });
    answer(200, &order.to_string())
}

/// Gives `token-1`, `token-2`, … whenever one is refused.
#[derive(Default)]
struct Counting(AtomicU32);

impl TokenSource for Counting {
    fn token<'a>(&'a self, refused: Option<&'a str>) -> TokenFuture<'a> {
        let number =
            if refused.is_some() { self.0.fetch_add(1, Ordering::SeqCst) + 1 } else { self.0.load(Ordering::SeqCst) };
        Box::pin(async move { Ok(format!("token-{number}")) })
    }
}

#[tokio::test]
async fn what_is_safe_is_asked_again() {
    let server = Server::answering(vec![problem(Code::Unavailable), problem(Code::OutcomeUnknown), order()]).await;
    let created: Order = server.client().create_order(&CreateOrder { lines: vec![] }, "key-1").await.unwrap().value;
    assert_eq!(created.version, 1);
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|head| head.contains("idempotency-key: key-1\r\n")), "{asked:?}");
}

#[tokio::test]
async fn what_is_not_safe_is_asked_once() {
    let server = Server::answering(vec![problem(Code::Unavailable)]).await;
    let refused = server.client().refresh_session(&Refresh { refresh_token: "r".into() }).await;
    assert_eq!(refused.err().unwrap().code(), Some(Code::Unavailable));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_refusal_is_not_asked_again() {
    let server = Server::answering(vec![problem(Code::NotFound)]).await;
    assert_eq!(server.client().order(ID.parse().unwrap()).await.unwrap_err().code(), Some(Code::NotFound));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_token_that_is_too_old_is_renewed_once() {
    let server = Server::answering(vec![problem(Code::TokenExpired), order()]).await;
    let client = server.client().with_tokens(Arc::new(Counting::default()));
    client.order(ID.parse().unwrap()).await.unwrap();
    let asked = server.asked();
    assert!(asked[0].contains("authorization: bearer token-0\r\n"), "{asked:?}");
    assert!(asked[1].contains("authorization: bearer token-1\r\n"), "{asked:?}");

    let server = Server::answering(vec![problem(Code::TokenExpired)]).await;
    let client = server.client().with_tokens(Arc::new(Counting::default()));
    assert_eq!(client.order(ID.parse().unwrap()).await.unwrap_err().code(), Some(Code::TokenExpired));
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn an_answer_has_a_limit_and_a_shape() {
    let endless = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(9 << 20));
    for wrong in [endless, answer(200, "{}"), answer(500, "<html>"), answer(302, "")] {
        let server = Server::answering(vec![wrong]).await;
        let error = server.client().order(ID.parse().unwrap()).await.unwrap_err();
        assert!(matches!(error, ClientError::BadAnswer { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    // It has the port, and does not listen.
    let deaf = TcpSocket::new_v4().unwrap();
    deaf.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let nobody = Endpoints { orders: format!("http://{}", deaf.local_addr().unwrap()), ..Endpoints::default() };
    let error = Client::anonymous(nobody).unwrap().order(ID.parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn the_stream_gives_events_and_says_when_it_ends() {
    let at = "2026-01-01T00:00:00Z";
    let record = json!({
        "position": 7, "id": ID, "source": "/orderflow/orders", "type": "order.paid", "subject": ID, "sequence": 1,
        "correlation_id": "c", "causation_id": null, "at": at, "published_at": at, "received_at": at, "data": {},
    });
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let events = format!("{head}: hello\n\nid: 7\nevent: order.paid\ndata: {record}\n\nevent: news\ndata: {{}}\n\n");
    let server = Server::answering(vec![events]).await;
    let mut stream = server.client().stream(None, Some(6)).await.unwrap();
    let Next::Event(event) = stream.next().await.unwrap() else { panic!("there is an event") };
    assert_eq!((event.event_type.as_str(), stream.position()), ("order.paid", Some(7)));
    assert_eq!(stream.next().await.unwrap(), Next::End);
    assert!(server.asked()[0].starts_with("get /v1/stream?after=6 "), "{:?}", server.asked());
}

#[tokio::test]
async fn a_stream_that_says_nothing_is_broken_before_anybody_takes_it_for_live_for_long() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let console = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut stream = BufReader::new(listener.accept().await.unwrap().0);
        read_request(&mut stream).await;
        let begun = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: hello\n\n";
        stream.write_all(begun.as_bytes()).await.unwrap();
        // The line stays, and nothing comes.
        std::future::pending::<()>().await;
    });
    let client = Client::anonymous(Endpoints { console, ..Endpoints::default() }).unwrap();
    let mut stream = client.stream(None, None).await.unwrap();
    assert!(stream.silence_max <= Duration::from_secs(30), "{:?}", stream.silence_max);
    stream.silence_max = Duration::from_millis(50);
    let broken = stream.next().await.unwrap_err();
    assert!(matches!(broken, ClientError::Timeout { .. }) && broken.is_transient(), "{broken:?}");
}

#[tokio::test]
async fn numbers_need_no_token_and_are_asked_for_once() {
    let server = Server::answering(vec![answer(200, "orderflow_outbox_pending 4\n"), answer(503, "")]).await;
    let metrics = server.client().metrics(crate::Service::Orders).await.unwrap();
    assert_eq!(metrics.sum("orderflow_outbox_pending"), Some(4.0));
    assert!(server.client().metrics(crate::Service::Orders).await.is_err());
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|head| head.starts_with("get /metrics") && !head.contains("authorization")), "{asked:?}");
}

#[tokio::test]
async fn the_audit_log_is_checked_part_by_part_to_its_end() {
    let part = |entries: i64, next: &str| {
        answer(200, &format!(r#"{{"intact":true,"entries":{entries},"first_broken":null,"next":{next}}}"#))
    };
    // An older service has no parts.
    let old = Server::answering(vec![answer(200, r#"{"intact":true,"entries":7,"first_broken":null}"#)]).await;
    assert_eq!(old.client().check_audit().await.unwrap().entries, 7);
    let place = r#"{"after":20000,"hash":"ab"}"#;
    let server = Server::answering(vec![part(20_000, place), part(20_001, "null")]).await;
    assert_eq!(server.client().check_audit().await.unwrap().entries, 20_001);
    assert!(server.asked()[1].contains("after=20000&hash=ab"), "{:?}", server.asked());
    let stuck = Server::answering(vec![part(20_000, place)]).await;
    assert!(stuck.client().check_audit().await.is_err(), "it would go on for ever");
}
