//! Requests that are done once: the header `Idempotency-Key` is required where money moves.
//!
//! The key is claimed in the transaction of what is done, so one is committed exactly if the other is. Of two requests
//! at once, the second waits on the unique index until the first has ended, and then reads what came of it. A request
//! that is refused is rolled back, and its key with it.

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use orderflow_contracts::{
    api::{IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_BYTES_MAX, IDEMPOTENCY_REPLAYED},
    problem::Code,
};
use orderflow_platform::http::{ApiError, Json};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use crate::unreadable;

/// A request's key.
pub struct RequestKey(String);

impl<S: Sync> FromRequestParts<S> for RequestKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let text = parts.headers.get(IDEMPOTENCY_KEY).and_then(|value| value.to_str().ok()).filter(|key| is_key(key));
        text.map(|key| Self(key.to_owned())).ok_or_else(|| {
            let detail = format!("send `Idempotency-Key` with 1 to {IDEMPOTENCY_KEY_BYTES_MAX} printable characters");
            ApiError::new(Code::ValidationFailed, detail)
        })
    }
}

fn is_key(text: &str) -> bool {
    (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// A key, and what was asked for with it.
pub struct Asked {
    key: String,
    fingerprint: Vec<u8>,
}

/// What came of claiming a key.
pub enum Claim<T> {
    /// It is to be done. It was tried so often before, and failed.
    Open {
        /// How often.
        failures: i32,
    },
    /// It was done; this was the answer.
    Done(T),
}

impl RequestKey {
    /// With what is asked for. The content counts, not how its JSON was written; `kind` keeps the routes apart.
    pub fn with<T: Serialize>(self, kind: &str, content: &T) -> Result<Asked, ApiError> {
        let content = serde_json::to_vec(content).map_err(|error| ApiError::internal("the body is no JSON", error))?;
        let fingerprint = Sha256::new().chain_update(kind).chain_update(content).finalize().to_vec();
        Ok(Asked { key: self.0, fingerprint })
    }
}

impl Asked {
    /// Claims the key in the transaction of what is to be done. Whoever else comes with it waits for that to end.
    pub async fn claim<T: DeserializeOwned>(&self, conn: &mut PgConnection) -> Result<Claim<T>, ApiError> {
        sqlx::query("insert into request_keys (key, fingerprint) values ($1, $2) on conflict do nothing")
            .bind(&self.key)
            .bind(&self.fingerprint)
            .execute(&mut *conn)
            .await?;
        let (fingerprint, failures, answer): (Vec<u8>, i32, Option<Value>) =
            sqlx::query_as("select fingerprint, failures, answer from request_keys where key = $1 for update")
                .bind(&self.key)
                .fetch_one(conn)
                .await?;
        if fingerprint != self.fingerprint {
            let detail = "this idempotency key was used with another request; take a new one";
            return Err(ApiError::new(Code::IdempotencyKeyReused, detail));
        }
        match answer {
            Some(answer) => serde_json::from_value(answer).map(Claim::Done).map_err(unreadable),
            None => Ok(Claim::Open { failures }),
        }
    }

    /// Counts a failure. It is to be committed, so that the count outlives us.
    pub async fn failed(&self, conn: &mut PgConnection) -> Result<(), ApiError> {
        let update = sqlx::query("update request_keys set failures = failures + 1 where key = $1");
        Ok(update.bind(&self.key).execute(conn).await.map(drop)?)
    }

    /// Remembers the answer.
    pub async fn record<T: Serialize + Sync>(&self, conn: &mut PgConnection, answer: &T) -> Result<(), ApiError> {
        let update = sqlx::query("update request_keys set answer = $2 where key = $1").bind(&self.key);
        Ok(update.bind(sqlx::types::Json(answer)).execute(conn).await.map(drop)?)
    }
}

/// An answer that was given before.
pub fn replayed(status: StatusCode, body: impl Serialize) -> Response {
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_printable_and_short() {
        for good in ["k", "charge 1", &"x".repeat(100)] {
            assert!(is_key(good), "{good}");
        }
        for bad in ["", "a\tb", "ü", &"x".repeat(101)] {
            assert!(!is_key(bad), "{bad}");
        }
    }

    #[test]
    fn another_route_or_content_is_another_request() {
        let fingerprint = |kind, content| RequestKey("k".into()).with(kind, content).unwrap().fingerprint;
        assert_eq!(fingerprint("charge", &1), fingerprint("charge", &1));
        assert_ne!(fingerprint("charge", &1), fingerprint("charge", &2));
        assert_ne!(fingerprint("charge", &1), fingerprint("refund", &1));
    }
}
