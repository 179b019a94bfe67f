//! What handlers take from a request; what is wrong with it becomes a problem document.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header::CONTENT_TYPE, request::Parts},
    response::{IntoResponse, Response},
};
use orderflow_contracts::{api::CORRELATION_ID, problem::Code};
use serde::{Serialize, de::DeserializeOwned};

use super::ApiError;
use crate::{auth::Principal, context::Context};

/// A JSON body, of a request or an answer.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        is_json(request.headers())?;
        let bytes = Bytes::from_request(request, state).await.map_err(|error| ApiError::of_body(error.status()))?;
        parse_json(&bytes).map(Self)
    }
}

/// An error unless the headers say that the body is JSON.
pub fn is_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(ApiError::new(Code::UnsupportedMediaType, "send `Content-Type: application/json`"))
}

/// Reads JSON. What is no JSON is malformed; what is JSON and not what is needed is not allowed. Neither message has a
/// value of the body in it that could be a secret: fields and types are named, and what stands in place of an enum's
/// word.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let code = if error.is_data() { Code::ValidationFailed } else { Code::MalformedRequest };
        ApiError::new(code, format!("the body: {}", without_value(&error.to_string())))
    })
}

/// serde quotes what it has found: "invalid type: integer `4242`, expected a string". It may be a card's number in the
/// wrong place, so that only its kind is kept.
fn without_value(text: &str) -> String {
    match text.find(['`', '"']).zip(text.rfind(", expected ")) {
        Some((value, expected)) if text.starts_with("invalid ") && value < expected => {
            format!("{}{}", text[..value].trim_end(), &text[expected..])
        }
        _ => text.to_owned(),
    }
}

/// The parameters of the query.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(query) => Ok(Self(query.0)),
            Err(error) => Err(ApiError::new(Code::ValidationFailed, error.body_text())),
        }
    }
}

/// The parameters of the path. One that is no id names nothing that exists.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(path) => Ok(Self(path.0)),
            Err(_) => Err(ApiError::new(Code::NotFound, "the path has something in it that is no id")),
        }
    }
}

/// Where a command comes from.
#[derive(Debug, Clone)]
pub struct RequestContext(pub Context);

impl<S: Sync> FromRequestParts<S> for RequestContext {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        // Handlers take the principal first, so that it is known here.
        let actor = parts.extensions.get::<Principal>().map(Principal::actor);
        Ok(Self(Context::of_command(header(CORRELATION_ID), header("traceparent"), actor)))
    }
}

#[cfg(test)]
mod tests {
    use super::without_value;

    #[test]
    fn what_was_found_in_the_wrong_place_is_not_repeated() {
        for (text, kept) in [
            (
                "invalid type: integer `4242`, expected a string at line 1",
                "invalid type: integer, expected a string at line 1",
            ),
            (r#"invalid type: string "4242, expected ", expected u32"#, "invalid type: string, expected u32"),
            ("invalid type: null, expected a string", "invalid type: null, expected a string"),
            ("invalid length 2, expected `a` or `b`", "invalid length 2, expected `a` or `b`"),
            ("missing field `token`", "missing field `token`"),
            ("unknown variant `x`, expected `y`", "unknown variant `x`, expected `y`"),
        ] {
            assert_eq!(without_value(text), kept);
        }
    }
}
