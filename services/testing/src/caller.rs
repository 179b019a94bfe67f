//! Somebody who calls a service over HTTP.

use orderflow_contracts::problem::Code;
use reqwest::{Client, Method, Response, StatusCode, header::HeaderMap};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// An account with a token, or nobody without one.
#[derive(Clone)]
pub struct Caller {
    client: Client,
    url: String,
    token: Option<String>,
    key: Option<String>,
}

/// What a service answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, if it is JSON.
    pub body: Value,
}

impl Answer {
    /// The body as what it has to be.
    pub fn into<T: DeserializeOwned>(self) -> T {
        assert!(self.status.is_success(), "{} {}", self.status, self.body);
        serde_json::from_value(self.body.clone()).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The code of a problem.
    pub fn code(&self) -> Option<Code> {
        serde_json::from_value(self.body["code"].clone()).ok()
    }
}

impl Caller {
    /// Calls the service at this URL.
    pub fn new(url: impl Into<String>, token: Option<String>) -> Self {
        // An error means that it was installed before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { client: Client::builder().no_proxy().build().expect("a client"), url: url.into(), token, key: None }
    }

    /// The same, with an idempotency key.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self.clone() }
    }

    /// Sends a request and reads the answer.
    pub async fn call(&self, method: Method, path: &str, content_type: Option<&str>, body: Vec<u8>) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type).body(body);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = &self.key {
            request = request.header("idempotency-key", key);
        }
        let response = request.send().await.expect("the service answers");
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.expect("an answer");
        Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default() }
    }

    /// `GET`, of an answer that is read as it comes.
    pub async fn open(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let request = self.client.get(format!("{}{path}", self.url));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let token = self.token.as_deref().unwrap_or_default();
        request.bearer_auth(token).send().await.expect("the service answers")
    }

    /// `GET`
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None, vec![]).await
    }

    /// `POST`, with JSON.
    pub async fn post(&self, path: &str, body: &impl Serialize) -> Answer {
        let body = serde_json::to_vec(body).expect("JSON");
        self.call(Method::POST, path, Some("application/json"), body).await
    }

    /// `POST`, without a body.
    pub async fn command(&self, path: &str) -> Answer {
        self.call(Method::POST, path, None, vec![]).await
    }

    /// `PATCH`, with JSON.
    pub async fn patch(&self, path: &str, body: &impl Serialize) -> Answer {
        let body = serde_json::to_vec(body).expect("JSON");
        self.call(Method::PATCH, path, Some("application/json"), body).await
    }

    /// `PUT`, with JSON.
    pub async fn put(&self, path: &str, body: &impl Serialize) -> Answer {
        let body = serde_json::to_vec(body).expect("JSON");
        self.call(Method::PUT, path, Some("application/json"), body).await
    }
}
