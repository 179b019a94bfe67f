//! Asks a process whether it is ready.

use std::{io, net::SocketAddr, time::Duration};

use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Longest time for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 16 << 10;
/// Longest reason that is kept, in characters.
const REASON_CHARS_MAX: usize = 300;

/// Whether somebody listens.
pub(crate) async fn connects(address: SocketAddr) -> Result<(), String> {
    bounded(async { TcpStream::connect(address).await.map(drop) }).await
}

/// Whether `GET /health/ready` is answered with 200; the reason if not.
pub(crate) async fn is_ready(address: SocketAddr) -> Result<(), String> {
    let (status, body) = bounded(get(address, "/health/ready")).await?;
    match status {
        200 => Ok(()),
        _ => Err(why_not(&body).unwrap_or_else(|| format!("it answers {status}: {}", body.trim())))
            .map_err(|why| why.chars().take(REASON_CHARS_MAX).collect()),
    }
}

/// What a service says of its parts that are not ready: `consumer: no partitions yet`.
fn why_not(body: &str) -> Option<String> {
    let readiness: Readiness = serde_json::from_str(body).ok()?;
    let parts = readiness.not_ready.iter().map(|part| format!("{}: {}", part.part, part.reason));
    Some(parts.collect::<Vec<_>>().join("; ")).filter(|parts| !parts.is_empty())
}

/// The answer of a service that is not ready, as far as it matters here.
#[derive(Deserialize)]
struct Readiness {
    not_ready: Vec<NotReady>,
}

#[derive(Deserialize)]
struct NotReady {
    part: String,
    reason: String,
}

async fn bounded<T>(exchange: impl Future<Output = io::Result<T>>) -> Result<T, String> {
    match timeout(ANSWER_MAX, exchange).await {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("it does not answer".into()),
    }
}

/// One request on a connection of its own, as small as HTTP/1.1 allows.
async fn get(address: SocketAddr, path: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.filter(|_| answer.starts_with("HTTP/1."));
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    status.map(|status| (status, body.to_owned())).ok_or_else(|| io::Error::other("it does not speak HTTP"))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn answered(answer: &'static str) -> Result<(), String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).await.unwrap();
            assert!(request[..length].starts_with(b"GET /health/ready HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).await.unwrap();
        };
        tokio::join!(is_ready(address), serve).0
    }

    #[tokio::test]
    async fn only_200_is_ready() {
        assert_eq!(answered("HTTP/1.1 200 OK\r\n\r\n{}").await, Ok(()));
        let refused = answered("HTTP/1.1 503 Service Unavailable\r\nx: y\r\n\r\nno database").await;
        assert_eq!(refused, Err("it answers 503: no database".into()));
        let body = r#"{"ready":false,"not_ready":[{"part":"consumer","reason":"no partitions yet"},{"part":"relay","reason":"x"}]}"#;
        assert_eq!(why_not(body).as_deref(), Some("consumer: no partitions yet; relay: x"));
        assert_eq!(answered("SMTP 200 hello").await, Err("it does not speak HTTP".into()));
        assert_eq!(answered("").await, Err("it does not speak HTTP".into()));
    }
}
