//! The simulator's integration tests, one binary: over real HTTP, on a real PostgreSQL, a fresh database for each.
//!
//! - `tokens`, `charges`, `refunds`: what can be asked for. `ledger`: what is kept. `limits`: what is refused.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that finds something wrong ends there")]

mod charges;
mod ledger;
mod limits;
mod refunds;
mod tokens;

use std::{
    io,
    sync::{Mutex, Once, PoisonError},
};

use orderflow_platform::config::ServiceConfig;
use orderflow_psp::{Config, Settings};
use orderflow_testing::{Database, eventually};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::sync::oneshot;
use uuid::Uuid;

const SECRET_KEY: &str = "sk_test_of_the_tests";
/// So long that no test waits for it.
const FOREVER_MS: u64 = 600_000;

/// A fresh database: its URL.
async fn database_url() -> String {
    Database::new().await.url().to_owned()
}

/// A running simulator, and who asks it.
struct Psp {
    url: String,
    database_url: String,
    client: Client,
    stop: Option<oneshot::Sender<()>>,
    ended: tokio::task::JoinHandle<()>,
}

/// What it answered.
#[derive(Debug)]
struct Answer {
    status: u16,
    replayed: bool,
    body: Value,
}

impl Psp {
    async fn start() -> Self {
        Self::on(database_url().await, FOREVER_MS).await
    }

    async fn on(database_url: String, hang_ms: u64) -> Self {
        keep_logs();
        let service = json!({ "listen": "127.0.0.1:0", "database_url": database_url });
        let service: ServiceConfig = serde_json::from_value(service).unwrap();
        let psp = Settings { secret_key: SECRET_KEY.into(), hang_ms };
        let app = orderflow_psp::build(Config { service, psp }).await.unwrap();
        let url = format!("http://{}", app.address());
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(async { app.run(async { drop(stopped.await) }).await.unwrap() });
        Self { url, database_url, client: client(), stop: Some(stop), ended }
    }

    /// Stops it; the URL of its database.
    async fn stop(mut self) -> String {
        drop(self.stop.take());
        self.ended.await.unwrap();
        self.database_url
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url)).bearer_auth(SECRET_KEY)
    }

    fn post(&self, path: &str, key: &str, body: &Value) -> RequestBuilder {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(SECRET_KEY);
        request.header("idempotency-key", key).json(body)
    }

    /// Without any authorization.
    async fn tokenise(&self, card: &Value) -> Answer {
        ask(self.client.post(format!("{}/v1/tokens", self.url)).json(card)).await
    }

    async fn charge(&self, key: &str, token: &str, minor: i64) -> Answer {
        ask(self.post("/v1/charges", key, &charge(token, minor))).await
    }

    async fn refund(&self, key: &str, charge_id: &str, minor: i64) -> Answer {
        ask(self.post("/v1/refunds", key, &refund(charge_id, minor))).await
    }

    /// A charge that has succeeded: its id.
    async fn charged(&self, minor: i64) -> String {
        let answer = self.charge(&Uuid::new_v4().to_string(), "tok_visa", minor).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.text("id")
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        let answer = ask(self.get(path)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["items"].as_array().unwrap().clone()
    }

    /// Waits until so many statements wait for a lock.
    async fn wait_for_waiters(&self, count: i64) {
        // Not on the connection that holds the lock: a transaction sees of the others' activity what it saw first.
        let mut database = self.database().await;
        eventually("statements wait for a lock", async || {
            let waiting = "select count(*) from pg_stat_activity
                           where datname = current_database() and wait_event_type = 'Lock'";
            let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(&mut database).await.unwrap();
            (waiting >= count).then_some(())
        })
        .await;
    }

    async fn database(&self) -> PgConnection {
        PgConnection::connect(&self.database_url).await.unwrap()
    }
}

impl Answer {
    fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap().to_owned()
    }

    /// It is a problem with this code, and its detail has this in it.
    #[track_caller]
    fn refuses(&self, status: u16, code: &str, detail: &str) {
        let seen = (self.status, self.body["code"].as_str(), self.body["status"].as_u64());
        assert_eq!(seen, (status, Some(code), Some(status.into())), "{self:?}");
        assert!(self.text("detail").contains(detail), "{self:?}");
    }
}

fn client() -> Client {
    static PROVIDER: Once = Once::new();
    // An error means that there is one already.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    Client::builder().no_proxy().build().unwrap()
}

async fn ask(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let replayed = response.headers().get("idempotency-replayed").is_some_and(|value| value == "true");
    Answer { status, replayed, body: response.json().await.unwrap() }
}

fn charge(token: &str, minor: i64) -> Value {
    json!({ "amount": usd(minor), "token": token, "reference": "order-1" })
}

fn refund(charge_id: &str, minor: i64) -> Value {
    json!({ "charge_id": charge_id, "amount": usd(minor) })
}

fn usd(minor: i64) -> Value {
    json!({ "minor": minor, "currency": "USD" })
}

fn card(number: &str) -> Value {
    let cvc = if number.len() == 15 { "1234" } else { "123" };
    json!({ "number": number, "exp_month": 12, "exp_year": 2099, "cvc": cvc })
}

static LOGS: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Every line of every level, of all tests of this process.
fn logs() -> String {
    String::from_utf8_lossy(&LOGS.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

fn keep_logs() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let lines = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
        lines.with_writer(|| Kept).init();
    });
}

struct Kept;

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGS.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
