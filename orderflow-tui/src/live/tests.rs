//! Against a server that takes one connection after the other, and does with each what it is told.

use std::sync::{Arc, Mutex};

use orderflow_client::Endpoints;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Receiver},
};

use super::*;

/// How long something may take on a machine that has a lot else to do.
const HEARD_MAX: Duration = Duration::from_secs(30);

/// As the real one, but nobody has to wait.
const FAST: Pace = Pace { pauses: [Duration::from_millis(1); 5], unseen_max: Duration::from_millis(50) };

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

async fn begin(connection: &mut BufReader<TcpStream>, positions: &[i64]) {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n: hello\n\n";
    connection.write_all(head.as_bytes()).await.unwrap();
    for position in positions {
        let (id, at) = ("00000000-0000-0000-0000-000000000001", "2026-01-01T00:00:00Z");
        let record = json!({
            "position": position, "id": id, "source": "/orderflow/orders", "type": "order.paid", "subject": id,
            "sequence": 1, "correlation_id": "c", "causation_id": null, "at": at, "published_at": at,
            "received_at": at, "data": {},
        });
        connection.write_all(format!("data: {record}\n\n").as_bytes()).await.unwrap();
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
    let Heard::Broken(why) = next(&mut told).await else { panic!("it hangs, and is shown as live") };
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
