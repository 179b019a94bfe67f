//! One request: its time, its answer's size and its repetitions are bounded.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use orderflow_contracts::{
    api::{CORRELATION_ID, IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_BYTES_MAX, IDEMPOTENCY_REPLAYED},
    problem::Problem,
};
use reqwest::{Method, Response, StatusCode, header, redirect::Policy};
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::{
    auth::TokenSource,
    endpoints::{Endpoints, Service},
    error::ClientError,
};

const CONNECT_MAX: Duration = Duration::from_secs(2);
const REQUEST_MAX: Duration = Duration::from_secs(15);
/// Largest answer that is read, in bytes. A page of 200 orders of 50 lines is half of it.
const ANSWER_BYTES_MAX: usize = 8 << 20;
/// Bytes of a body for which there is room from the beginning.
const BODY_ROOM: usize = 512;
/// Pauses before a request is sent again; a service that was killed is back within them.
const RETRIES: [Duration; 4] =
    [Duration::from_millis(50), Duration::from_millis(200), Duration::from_millis(500), Duration::from_secs(1)];
/// No retry is begun after so long.
const RETRY_WITHIN: Duration = Duration::from_secs(10);

/// A client of all services. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    endpoints: Endpoints,
    tokens: Option<Arc<dyn TokenSource>>,
    correlation_id: Option<String>,
}

/// Something that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<T> {
    /// What the service answered.
    pub value: T,
    /// It was written before, with the same idempotency key; this is the answer of then.
    pub replayed: bool,
}

/// Which part of a list.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Only those with this status, as `PAID`.
    pub status: Option<String>,
    /// Most items of a page.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl ListQuery {
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        pairs.extend(self.status.clone().map(|status| ("status", status)));
        pairs.extend(self.limit.map(|limit| ("limit", limit.to_string())));
        pairs.extend(self.cursor.clone().map(|cursor| ("cursor", cursor)));
        pairs
    }
}

/// A request before it is sent.
pub(crate) struct Call {
    service: Service,
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    /// Shared by all tries, and wiped with the last of them: it may be a card.
    body: Option<Bytes>,
    key: Option<String>,
    with_token: bool,
    repeatable: bool,
}

impl Call {
    pub(crate) fn get(service: Service, path: impl Into<String>) -> Self {
        Self::new(service, Method::GET, path, true)
    }

    pub(crate) fn put(service: Service, path: impl Into<String>) -> Self {
        Self::new(service, Method::PUT, path, true)
    }

    pub(crate) fn patch(service: Service, path: impl Into<String>) -> Self {
        Self::new(service, Method::PATCH, path, false)
    }

    pub(crate) fn delete(service: Service, path: impl Into<String>) -> Self {
        Self::new(service, Method::DELETE, path, true)
    }

    pub(crate) fn post(service: Service, path: impl Into<String>) -> Self {
        Self::new(service, Method::POST, path, false)
    }

    fn new(service: Service, method: Method, path: impl Into<String>, repeatable: bool) -> Self {
        let (path, query) = (path.into(), Vec::new());
        Self { service, method, path, query, body: None, key: None, with_token: true, repeatable }
    }

    pub(crate) fn query(mut self, query: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        self.query.extend(query);
        self
    }

    pub(crate) fn body(mut self, body: &impl Serialize) -> Result<Self, ClientError> {
        // Short ones never grow beyond their room, so that nothing of them is left elsewhere in memory.
        let mut bytes = Zeroizing::new(Vec::with_capacity(BODY_ROOM));
        serde_json::to_writer(&mut *bytes, body).map_err(|error| ClientError::BadRequest(error.to_string()))?;
        self.body = Some(Bytes::from_owner(bytes));
        Ok(self)
    }

    /// With an idempotency key, so that it can be sent again.
    pub(crate) fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self.repeatable = true;
        self
    }

    /// Doing it twice is the same as doing it once, so that it can be sent again.
    pub(crate) fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    pub(crate) fn without_token(mut self) -> Self {
        self.with_token = false;
        self
    }
}

impl Client {
    /// A client that asks without a token.
    pub fn anonymous(endpoints: Endpoints) -> Result<Self, ClientError> {
        // Fails if something else was installed before, which is as well: reqwest only asks that there is one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_MAX)
            // A redirect would carry the token to wherever it leads.
            .redirect(Policy::none())
            .user_agent(concat!("orderflow/", env!("CARGO_PKG_VERSION")));
        if endpoints.are_local() {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| ClientError::BadRequest(error.to_string()))?;
        Ok(Self { http, endpoints, tokens: None, correlation_id: None })
    }

    /// The same client, asking with these tokens.
    #[must_use]
    pub fn with_tokens(mut self, tokens: Arc<dyn TokenSource>) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// The same client, under whose requests everything that follows carries this id.
    #[must_use]
    pub fn with_correlation_id(mut self, id: impl Into<String>) -> Self {
        self.correlation_id = Some(id.into());
        self
    }

    /// Where it asks.
    pub const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// A token, if the client has a source of them.
    pub(crate) async fn token(&self, refused: Option<&str>) -> Result<Option<String>, ClientError> {
        match &self.tokens {
            Some(tokens) => tokens.token(refused).await.map(Some),
            None => Ok(None),
        }
    }

    /// Asks for something.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, call: Call) -> Result<T, ClientError> {
        self.write(call).await.map(|written| written.value)
    }

    /// Writes something.
    pub(crate) async fn write<T: DeserializeOwned>(&self, call: Call) -> Result<Written<T>, ClientError> {
        let (response, body) = self.exchange(&call).await?;
        let replayed = response.get(IDEMPOTENCY_REPLAYED).is_some_and(|value| value.as_bytes() == b"true");
        // What 204 has for a body.
        let body = if body.is_empty() { b"null".to_vec() } else { body };
        let value = serde_json::from_slice(&body)
            .map_err(|error| ClientError::BadAnswer { url: self.url(&call), what: error.to_string() })?;
        Ok(Written { value, replayed })
    }

    /// Sends a request, again if that is safe and useful.
    async fn exchange(&self, call: &Call) -> Result<(header::HeaderMap, Vec<u8>), ClientError> {
        let started = Instant::now();
        let mut token = if call.with_token { self.token(None).await? } else { None };
        let mut renewed = false;
        let mut retries = RETRIES.into_iter();
        loop {
            let error = match self.once(call, token.as_deref()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if error.is_refused_token() && token.is_some() && !renewed {
                token = self.token(token.as_deref()).await?;
                renewed = true;
                continue;
            }
            let safe = call.repeatable || never_sent(&error);
            match retries.next() {
                Some(pause) if safe && error.is_transient() && started.elapsed() < RETRY_WITHIN => {
                    tokio::time::sleep(pause).await;
                }
                _ => return Err(error),
            }
        }
    }

    fn url(&self, call: &Call) -> String {
        format!("{}{}", self.endpoints.of(call.service).trim_end_matches('/'), call.path)
    }

    async fn once(&self, call: &Call, token: Option<&str>) -> Result<(header::HeaderMap, Vec<u8>), ClientError> {
        let url = self.url(call);
        let mut request = self.http.request(call.method.clone(), &url).timeout(REQUEST_MAX).query(&call.query);
        if let Some(body) = &call.body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.clone());
        }
        if let Some(key) = &call.key {
            if key.is_empty() || key.len() > IDEMPOTENCY_KEY_BYTES_MAX {
                let message = format!("an idempotency key has 1 to {IDEMPOTENCY_KEY_BYTES_MAX} bytes");
                return Err(ClientError::BadRequest(message));
            }
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(id) = &self.correlation_id {
            request = request.header(CORRELATION_ID, id);
        }
        let response = request.send().await.map_err(|error| failed(&url, error))?;
        answered(&url, response).await
    }
}

/// What came of an answer: its headers and its body, or the problem in it.
pub(crate) async fn answered(url: &str, response: Response) -> Result<(header::HeaderMap, Vec<u8>), ClientError> {
    let (status, headers) = (response.status(), response.headers().clone());
    let body = read(url, response).await?;
    if status.is_success() {
        return Ok((headers, body));
    }
    Err(problem_of(&body).unwrap_or_else(|| not_ours(url, status)))
}

fn problem_of(body: &[u8]) -> Option<ClientError> {
    serde_json::from_slice::<Problem>(body).ok().map(|problem| ClientError::Problem(Box::new(problem)))
}

fn not_ours(url: &str, status: StatusCode) -> ClientError {
    ClientError::BadAnswer { url: url.to_owned(), what: format!("{status} without a problem document") }
}

async fn read(url: &str, mut response: Response) -> Result<Vec<u8>, ClientError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(url, error))? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            let what = format!("more than {ANSWER_BYTES_MAX} bytes");
            return Err(ClientError::BadAnswer { url: url.to_owned(), what });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A request that came to nothing.
pub(crate) fn failed(url: &str, error: reqwest::Error) -> ClientError {
    // The address alone: a query may say more than an error message should.
    let url = url.split('?').next().unwrap_or(url).to_owned();
    if error.is_builder() {
        return ClientError::BadRequest(format!("{url} cannot be asked: {}", chain(&error)));
    }
    // A connection that is not there in time is a place that cannot be reached.
    if error.is_timeout() && !error.is_connect() {
        return ClientError::Timeout { url };
    }
    ClientError::Unreachable { url, source: error.without_url() }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Whether nobody can have seen the request.
fn never_sent(error: &ClientError) -> bool {
    matches!(error, ClientError::Unreachable { source, .. } if source.is_connect())
}
