//! Requests that are safe to repeat: with the header `Idempotency-Key`, the answer of the first is given to all.
//!
//! The key is claimed in the transaction of what the request does, so it is remembered exactly if that is done. A
//! request that is refused is not remembered. Two at once: the second waits for the first.

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use orderflow_contracts::{
    api::{IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_BYTES_MAX, IDEMPOTENCY_REPLAYED},
    problem::Code,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    auth::Principal,
    db::Db,
    http::{ApiError, commit, parse_json},
    outbox::Outbox,
};

/// The key of a request, if it has one, and what the request is.
#[derive(Debug, Clone)]
pub struct Key {
    key: Option<String>,
    fingerprint: Vec<u8>,
}

/// A request's body together with its key.
#[derive(Debug)]
pub struct Keyed<T> {
    /// The body.
    pub body: T,
    /// The key.
    pub key: Key,
}

/// For requests that have no body.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Keyed<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let key = request.headers().get(IDEMPOTENCY_KEY).map(readable).transpose()?;
        let mut hash = Sha256::new();
        hash.update(format!("{} {}\n", request.method(), request.uri().path()));
        let is_json = crate::http::is_json(request.headers());
        let bytes = Bytes::from_request(request, state).await.map_err(|error| ApiError::of_body(error.status()))?;
        hash.update(&bytes);
        // A body that is not there is an empty object: `curl -X POST` is enough where nothing has to be said.
        let body = if bytes.is_empty() { parse_json(b"{}")? } else { parse_json(is_json.map(|()| &bytes[..])?)? };
        Ok(Self { body, key: Key { key, fingerprint: hash.finalize().to_vec() } })
    }
}

fn readable(value: &HeaderValue) -> Result<String, ApiError> {
    let text = value.to_str().ok().filter(|text| (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&text.len()));
    let refused = || {
        let detail = format!("an idempotency key has 1 to {IDEMPOTENCY_KEY_BYTES_MAX} printable characters");
        ApiError::new(Code::ValidationFailed, detail)
    };
    text.map(str::to_owned).ok_or_else(refused)
}

/// What came of claiming a key.
enum Claim {
    /// It is the first time.
    New,
    /// It was done before; this was the answer.
    Replay(Response),
}

/// The answer to a request that was done once.
#[derive(Debug)]
pub enum Done<T> {
    /// It was done now, and is committed.
    Now(StatusCode, T),
    /// It was done before; this was the answer.
    Before(Response),
}

impl<T> Done<T> {
    /// What was done, if that was now.
    pub const fn now(&self) -> Option<&T> {
        match self {
            Self::Now(_, done) => Some(done),
            Self::Before(_) => None,
        }
    }
}

impl<T: Serialize> IntoResponse for Done<T> {
    fn into_response(self) -> Response {
        match self {
            Self::Now(status, done) => (status, Json(done)).into_response(),
            Self::Before(answer) => answer,
        }
    }
}

impl Key {
    /// The SHA-256 of the key, if the request has one: for what is done before there is an account to claim it for.
    pub fn hash(&self) -> Option<Vec<u8>> {
        self.key.as_ref().map(|key| Sha256::digest(key).to_vec())
    }

    /// Does what the request wants, once: claims the key, acts, remembers the answer, commits, wakes the relay. All up to
    /// the commit is one transaction; if `act` refuses, nothing of it is left, and the key is free again.
    pub async fn once<T: Serialize + Sync>(
        &self,
        db: &Db,
        outbox: &Outbox,
        principal: &Principal,
        act: impl AsyncFnOnce(&mut PgConnection) -> Result<(StatusCode, T), ApiError>,
    ) -> Result<Done<T>, ApiError> {
        let mut tx = db.begin().await?;
        if let Claim::Replay(answer) = self.claim(&mut tx, principal).await? {
            return Ok(Done::Before(answer));
        }
        let (status, done) = act(&mut tx).await?;
        self.record(&mut tx, principal, status, &done).await?;
        commit(tx).await?;
        outbox.wake();
        Ok(Done::Now(status, done))
    }

    /// Claims the key for the account, in the transaction of what is to be done.
    async fn claim(&self, conn: &mut PgConnection, principal: &Principal) -> Result<Claim, ApiError> {
        let Some(key) = &self.key else { return Ok(Claim::New) };
        let account = Uuid::from(principal.account_id);
        let claimed = sqlx::query(
            "insert into idempotency_keys (account_id, key, fingerprint) values ($1, $2, $3) on conflict do nothing",
        )
        .bind(account)
        .bind(key)
        .bind(&self.fingerprint)
        .execute(&mut *conn)
        .await?;
        if claimed.rows_affected() == 1 {
            return Ok(Claim::New);
        }
        let (fingerprint, status, body): (Vec<u8>, Option<i32>, Option<Value>) =
            sqlx::query_as("select fingerprint, status, body from idempotency_keys where account_id = $1 and key = $2")
                .bind(account)
                .bind(key)
                .fetch_one(conn)
                .await?;
        if fingerprint != self.fingerprint {
            let detail = "this idempotency key was used with another request; take a new one";
            return Err(ApiError::new(Code::IdempotencyKeyReused, detail));
        }
        let status = status.and_then(|status| u16::try_from(status).ok()).and_then(|s| StatusCode::from_u16(s).ok());
        let mut response = (status.unwrap_or(StatusCode::OK), Json(body)).into_response();
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        Ok(Claim::Replay(response))
    }

    /// Remembers the answer, in the same transaction.
    async fn record<T: Serialize + Sync>(
        &self,
        conn: &mut PgConnection,
        principal: &Principal,
        status: StatusCode,
        body: &T,
    ) -> Result<(), ApiError> {
        let Some(key) = &self.key else { return Ok(()) };
        let body = serde_json::to_value(body).map_err(|error| ApiError::internal("the answer is no JSON", error))?;
        sqlx::query("update idempotency_keys set status = $3, body = $4 where account_id = $1 and key = $2")
            .bind(Uuid::from(principal.account_id))
            .bind(key)
            .bind(i32::from(status.as_u16()))
            .bind(body)
            .execute(conn)
            .await?;
        Ok(())
    }
}
