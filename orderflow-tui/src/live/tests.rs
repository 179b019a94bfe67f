//! Against a server that takes one connection after the other, and does with each what it is told.

use std::sync::{Arc, Mutex};

use orderflow_client::Endpoints;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Receiver},
};

use super::*;

/// How long something may take on a machine that has a lot else to do.
const HEARD_MAX: Duration = Duration::from_secs(30);

/// As the real one, but nobody has to wait.
const FAST: Pace = Pace {
    pauses: [Duration::from_millis(1); 5],
    unseen_max: Duration::from_millis(50),
    well_after: Duration::from_secs(600),
};

/// What becomes of a stream that somebody opens.
#[derive(Clone)]
enum Turn {
    /// It is opened, tells of these positions, and is ended.
    Ends(Vec<i64>),
    /// It is opened, tells of these positions, and stays.
    Stays(Vec<i64>),
    /// It is never answered.
    Hangs,
}

/// The last event that there is when a stream is opened for the first time.
const LAST: i64 = 5;

/// What was asked of it, line by line.
type Asked = Arc<Mutex<Vec<String>>>;

async fn server(turns: Vec<Turn>) -> (Client, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let console = format!("http://{}", listener.local_addr().unwrap());
    let asked = Asked::default();
    let seen = Arc::clone(&asked);
    tokio::spawn(async move {
        let mut turns = turns.into_iter();
        // What stays or hangs is kept, so that it does.
        let mut kept = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            let mut connection = BufReader::new(connection);
            let line = request(&mut connection).await;
            if line.starts_with("GET /v1/events?limit=1 ") {
                list(&mut connection).await;
                continue;
            }
            seen.lock().unwrap().push(line);
            let turn = turns.next().unwrap_or(Turn::Hangs);
            match &turn {
                Turn::Ends(positions) | Turn::Stays(positions) => begin(&mut connection, positions).await,
                Turn::Hangs => {}
            }
            if !matches!(turn, Turn::Ends(_)) {
                kept.push(connection);
            }
        }
    });
    (Client::anonymous(Endpoints { console, ..Endpoints::default() }).unwrap(), asked)
}

/// The first line of a request; the rest is read and forgotten.
async fn request(connection: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(connection.read_line(&mut head).await.unwrap() > 0, "{head}");
    }
    head.lines().next().unwrap().to_owned()
}

fn record(position: i64) -> Value {
    let (id, at) = ("00000000-0000-0000-0000-000000000001", "2026-01-01T00:00:00Z");
    json!({
        "position": position, "id": id, "source": "/orderflow/orders", "type": "order.paid", "subject": id,
        "sequence": 1, "correlation_id": "c", "causation_id": null, "at": at, "published_at": at, "received_at": at,
        "data": {},
    })
}

/// Answers with the newest event alone.
async fn list(connection: &mut BufReader<TcpStream>) {
    let page = json!({ "items": [record(LAST)], "next_cursor": null }).to_string();
    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", page.len());
    connection.write_all(format!("{head}{page}").as_bytes()).await.unwrap();
}

async fn begin(connection: &mut BufReader<TcpStream>, positions: &[i64]) {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n: hello\n\n";
    connection.write_all(head.as_bytes()).await.unwrap();
    for position in positions {
        connection.write_all(format!("data: {}\n\n", record(*position)).as_bytes()).await.unwrap();
    }
}

fn follow_at(pace: Pace, client: Client) -> Receiver<Msg> {
    let (messages, told) = mpsc::channel(8);
    tokio::spawn(async move {
        let _ = Follower::new(Role::Customer, client, messages, pace).run().await;
    });
    told
}

async fn next(told: &mut Receiver<Msg>) -> Heard {
    match timeout(HEARD_MAX, told.recv()).await.unwrap() {
        Some(Msg::Live(Role::Customer, heard)) => heard,
        _ => panic!("something else is told"),
    }
}

#[tokio::test]
async fn an_end_is_no_news_unless_it_is_not_open_again_soon() {
    let turns = vec![Turn::Ends(vec![7]), Turn::Ends(vec![]), Turn::Hangs];
    let (client, _) = server(turns).await;
    // On a busy machine the second one may take a moment, which is not what is looked at here.
    let pace = Pace { unseen_max: Duration::from_secs(2), ..FAST };
    let mut told = follow_at(pace, client);
    assert!(matches!(next(&mut told).await, Heard::Open { .. }));
    assert!(matches!(next(&mut told).await, Heard::Event(record) if record.position == 7));
    assert!(matches!(next(&mut told).await, Heard::Open { whole: true }), "it is open again");
    let Heard::Broken { why, .. } = next(&mut told).await else { panic!("it hangs, and is shown as live") };
    assert!(why.contains("not open again"), "{why}");
}

#[tokio::test]
async fn a_stream_that_is_not_open_yet_is_not_broken() {
    let (client, asked) = server(vec![Turn::Hangs]).await;
    let mut told = follow_at(FAST, client);
    let until = timeout(Duration::from_millis(300), told.recv()).await;
    assert!(until.is_err(), "it is being opened for the first time, and the header says so");
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_quiet_desk_takes_its_stream_up_where_it_began() {
    let (client, asked) = server(vec![Turn::Ends(vec![]), Turn::Ends(vec![9]), Turn::Stays(vec![])]).await;
    let mut told = follow_at(Pace { unseen_max: Duration::from_secs(20), ..FAST }, client);
    assert!(matches!(next(&mut told).await, Heard::Open { whole: false }), "everything is read once");
    assert!(matches!(next(&mut told).await, Heard::Open { whole: true }), "and not again");
    assert!(matches!(next(&mut told).await, Heard::Event(_)));
    assert!(matches!(next(&mut told).await, Heard::Open { whole: true }));
    let after = |position| format!("GET /v1/stream?after={position} HTTP/1.1");
    assert_eq!(*asked.lock().unwrap(), [after(LAST), after(LAST), after(9)]);
}

#[tokio::test]
async fn a_stream_that_opens_and_ends_is_opened_ever_more_seldom() {
    let (client, asked) = server(vec![Turn::Ends(vec![]); 9]).await;
    let never = Duration::from_secs(600);
    let pauses = [Duration::from_millis(1), Duration::from_millis(1), never, never, never];
    let mut told = follow_at(Pace { pauses, unseen_max: Duration::from_secs(20), ..FAST }, client.clone());
    for _ in 0..3 {
        assert!(matches!(next(&mut told).await, Heard::Open { .. }));
    }
    assert!(timeout(Duration::from_millis(300), told.recv()).await.is_err(), "it waits");
    assert_eq!(asked.lock().unwrap().len(), 3);
    // An event, or a while without trouble, and the next trouble is the first one again.
    for (turn, well_after) in [(Turn::Ends(vec![7]), never), (Turn::Stays(vec![]), Duration::from_millis(1))] {
        let (client, _) = server(vec![turn]).await;
        let (messages, mut told) = mpsc::channel(8);
        let mut follower = Follower::new(Role::Customer, client, messages, Pace { well_after, ..FAST });
        follower.failures = 3;
        let Ok(Ok(stream)) = follower.open().await else { panic!("it opens") };
        let _ = timeout(Duration::from_millis(300), follower.read(stream)).await;
        assert_eq!(follower.failures, 0);
        told.close();
    }
}
