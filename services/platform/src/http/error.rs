//! How a service says no.

use std::{error::Error, fmt, sync::Arc};

use axum::{
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use orderflow_contracts::{
    api::REQUEST_ID,
    problem::{Code, Problem},
};
use serde_json::Value;

use crate::db::{Meaning, Tx, meaning, surely_not_committed};

/// A problem to answer with, and for the log what led to it.
#[derive(Debug)]
pub struct ApiError {
    problem: Box<Problem>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl ApiError {
    /// A refusal.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { problem: Box::new(Problem::new(code, detail)), source: None }
    }

    /// Our own mistake.
    pub fn internal(detail: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..Self::new(Code::Internal, detail) }
    }

    /// A body that could not be read, by the status that the framework gives it.
    pub fn of_body(status: StatusCode) -> Self {
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => {
                let detail = format!("a body has at most {} bytes", super::BODY_BYTES_MAX);
                Self::new(Code::BodyTooLarge, detail)
            }
            _ => Self::new(Code::MalformedRequest, "the body could not be read"),
        }
    }

    /// There is no such thing, or it is another's: who may not see it does not learn that it exists.
    pub fn not_found(what: impl fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("there is no {what}, or it is not yours"))
    }

    /// With one thing more to know.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.problem.more.insert(name.to_owned(), value.into());
        self
    }

    /// The problem's code.
    pub const fn code(&self) -> Code {
        self.problem.code
    }
}

/// Commits. If that fails and the database did not say so itself, nobody knows whether it was done.
pub async fn commit(tx: Tx) -> Result<(), ApiError> {
    match tx.commit().await {
        Ok(()) => Ok(()),
        Err(error) if surely_not_committed(&error) => Err(error.into()),
        Err(error) => {
            let detail = "the connection to the database broke during the commit; repeat the request with the same \
                          idempotency key";
            Err(ApiError { source: Some(error.into()), ..ApiError::new(Code::OutcomeUnknown, detail) })
        }
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        let (code, detail) = match meaning(&error) {
            Meaning::Transient => (Code::Unavailable, "the database cannot be reached or is busy; try again"),
            Meaning::Permanent => (Code::Internal, "the database refused the values"),
        };
        Self { source: Some(error.into()), ..Self::new(code, detail) }
    }
}

impl IntoResponse for ApiError {
    /// The answer without the request's id, which is added where every answer passes.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// Puts the request's id into the answer, and writes the document if it is a problem. Logged here and nowhere else; what
/// is the client's fault is not logged.
pub(super) fn finish(request_id: &str, mut response: Response) -> Response {
    if let Some(error) = response.extensions_mut().remove::<Arc<ApiError>>() {
        let problem = Problem { request_id: Some(request_id.to_owned()), ..(*error.problem).clone() };
        if problem.status >= 500 {
            let source = error.source.as_ref().map(ToString::to_string).unwrap_or_default();
            tracing::error!(
                request_id,
                code = problem.code.as_str(),
                detail = problem.detail,
                source,
                "a request failed"
            );
        }
        response = document(&problem);
    }
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn document(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, axum::Json(problem)).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert("www-authenticate", HeaderValue::from_static("Bearer"));
    }
    if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert("retry-after", HeaderValue::from_static("1"));
    }
    response
}
