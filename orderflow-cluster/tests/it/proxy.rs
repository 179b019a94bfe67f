//! The proxy alone, before a server that sends back what it gets.

use std::{io, time::Duration};

use orderflow_cluster::proxy::{Cable, Proxy};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time::timeout,
};

use crate::processes::{PATIENCE, eventually};

/// A proxy that is served; everything ends with it.
struct Served {
    address: std::net::SocketAddr,
    cable: Cable,
    tasks: JoinSet<()>,
}

async fn served(limit: usize) -> Served {
    let mut tasks = JoinSet::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = listener.local_addr().unwrap();
    tasks.spawn(async move {
        let mut open = JoinSet::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            open.spawn(async move {
                let (mut read, mut write) = stream.split();
                tokio::io::copy(&mut read, &mut write).await
            });
        }
    });
    through((target.ip().to_string(), target.port()), limit, tasks).await
}

async fn through(target: (String, u16), limit: usize, mut tasks: JoinSet<()>) -> Served {
    let proxy = Proxy::bind_limited(0, target, limit).await.unwrap();
    let (address, cable) = (proxy.address(), proxy.cable());
    tasks.spawn(proxy.serve());
    Served { address, cable, tasks }
}

/// Sends some bytes and waits for them to come back.
async fn echo(stream: &mut TcpStream, sent: &[u8]) -> io::Result<()> {
    let exchange = async {
        stream.write_all(sent).await?;
        let mut back = vec![0; sent.len()];
        stream.read_exact(&mut back).await?;
        assert!(back == sent, "other bytes come back");
        Ok(())
    };
    timeout(PATIENCE, exchange).await.expect("an answer or an end in time")
}

/// A new connection, tried with one echo.
async fn attempt(proxy: &Served) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(proxy.address).await?;
    echo(&mut stream, b"hello").await?;
    Ok(stream)
}

/// Waits for the end of a connection, and says how it was.
async fn end_of(mut stream: TcpStream) -> io::Result<usize> {
    timeout(PATIENCE, stream.read(&mut [0; 1])).await.expect("an end in time")
}

#[tokio::test]
async fn what_is_sent_arrives_and_ends_are_passed_on() {
    let proxy = served(8).await;
    let mut stream = attempt(&proxy).await.unwrap();
    let long: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_be_bytes()[3]).collect();
    let (mut read, mut write) = stream.split();
    let mut back = Vec::new();
    let send = async {
        write.write_all(&long).await.unwrap();
        write.shutdown().await.unwrap();
    };
    // One direction is closed, the other stays open until all has come.
    timeout(PATIENCE, async { tokio::join!(send, read.read_to_end(&mut back)).1 }).await.unwrap().unwrap();
    assert!(back == long);
    assert_eq!(proxy.cable.is_cut(), None);
    assert!(!proxy.cable.heal());
}

#[tokio::test]
async fn a_cut_ends_what_is_open_and_lets_nothing_begin_until_it_is_healed() {
    let proxy = served(8).await;
    let open = [attempt(&proxy).await.unwrap(), attempt(&proxy).await.unwrap()];
    proxy.cable.cut(None);
    for stream in open {
        assert_eq!(end_of(stream).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
    for _ in 0..3 {
        assert!(attempt(&proxy).await.is_err());
    }
    let cut = proxy.cable.is_cut().unwrap();
    assert_eq!((cut.dropped, cut.ends_at_ms), (5, None));
    assert!(proxy.cable.heal());
    attempt(&proxy).await.unwrap();
    assert_eq!(proxy.cable.is_cut(), None);

    // Each cut counts anew.
    proxy.cable.cut(None);
    assert!(attempt(&proxy).await.is_err());
    eventually("the ends", async || proxy.cable.is_cut().unwrap().dropped >= 1).await;
    assert!(proxy.cable.is_cut().unwrap().dropped <= 2);
}

#[tokio::test]
async fn even_the_shortest_cut_ends_what_is_open() {
    let proxy = served(8).await;
    let open = attempt(&proxy).await.unwrap();
    proxy.cable.cut(None);
    proxy.cable.heal(); // before any task has seen it
    assert!(end_of(open).await.is_err());
    attempt(&proxy).await.unwrap();
}

#[tokio::test]
async fn a_cut_for_a_while_ends_by_itself_and_can_be_made_longer() {
    let proxy = served(8).await;
    proxy.cable.cut(Some(Duration::from_millis(50)));
    assert!(proxy.cable.is_cut().unwrap().ends_at_ms.is_some());
    eventually("the cut's end", async || proxy.cable.is_cut().is_none()).await;
    attempt(&proxy).await.unwrap();

    proxy.cable.cut(Some(Duration::from_millis(50)));
    let soon = proxy.cable.is_cut().unwrap().ends_at_ms.unwrap();
    proxy.cable.cut(Some(Duration::from_secs(3600)));
    let late = proxy.cable.is_cut().unwrap().ends_at_ms.unwrap();
    assert!((3_599_000..3_700_000).contains(&(late - soon)), "{soon} {late}");
    let before = std::time::Instant::now();
    while before.elapsed() < Duration::from_millis(100) {
        assert!(attempt(&proxy).await.is_err(), "the first time is not the one that holds");
    }
    proxy.cable.heal();
    attempt(&proxy).await.unwrap();
}

#[tokio::test]
async fn one_connection_too_many_is_reset_and_a_free_place_is_taken() {
    let proxy = served(2).await;
    let mut first = attempt(&proxy).await.unwrap();
    let second = attempt(&proxy).await.unwrap();
    assert!(attempt(&proxy).await.is_err());
    echo(&mut first, b"still here").await.unwrap();
    drop(second);
    eventually("a free place", async || attempt(&proxy).await.is_ok()).await;
    assert_eq!(proxy.cable.is_cut(), None);
}

#[tokio::test]
async fn a_target_that_is_not_there_breaks_connections_and_nothing_else() {
    // Bound, and deaf until it is told to listen: nobody else can have the port meanwhile.
    let deaf = TcpSocket::new_v4().unwrap();
    deaf.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let nobody = deaf.local_addr().unwrap();
    let mut proxy = through((nobody.ip().to_string(), nobody.port()), 8, JoinSet::new()).await;
    for _ in 0..3 {
        assert!(attempt(&proxy).await.is_err());
    }
    // It is there again, and reached.
    let listener = deaf.listen(8).unwrap();
    proxy.tasks.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut read, mut write) = stream.split();
        tokio::io::copy(&mut read, &mut write).await.unwrap();
    });
    attempt(&proxy).await.unwrap();
}
