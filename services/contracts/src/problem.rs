//! Problem documents (RFC 9457): how every service says no. Each code has its place in docs/errors.md.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where the codes are explained; a code is the fragment.
pub const DOCS: &str = "https://orderflow.dev/errors";

/// What went wrong, for programs to branch on. Never renamed once released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The order or payment was paid already.
    AlreadyPaid,
    /// The body is larger than the service takes.
    BodyTooLarge,
    /// The clock of this service cannot be moved.
    ClockFixed,
    /// There is an account with this e-mail address.
    EmailTaken,
    /// The token's role or account may not do this.
    Forbidden,
    /// The idempotency key was used with another request.
    IdempotencyKeyReused,
    /// The order is in a state in which this cannot be done; `order_status` says in which.
    IllegalTransition,
    /// The service made a mistake.
    Internal,
    /// E-mail address or password is wrong, or the session is over.
    InvalidCredentials,
    /// The request cannot be read.
    MalformedRequest,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// Nothing is due for this order, yet.
    NothingDue,
    /// The stock is not allocated to the order yet.
    NotAllocated,
    /// There is no such thing, or it is another's.
    NotFound,
    /// This can be done in a local cluster only.
    NotLocal,
    /// Whether it was done is not known; ask again with the same idempotency key.
    OutcomeUnknown,
    /// The service has too much to do.
    Overloaded,
    /// The time to pay is over.
    PaymentDeadlinePassed,
    /// A payment is under way whose outcome is not known yet.
    PaymentInProgress,
    /// The order's payment is over: declined, voided or refunded.
    PaymentOver,
    /// The product is not known to the orders service, or not yet.
    ProductUnknown,
    /// Too many requests in a short time.
    RateLimited,
    /// An order has one seller.
    SeveralSellers,
    /// The request took longer than the service allows.
    Timeout,
    /// The token is too old.
    TokenExpired,
    /// No token, or none of ours.
    Unauthenticated,
    /// Something that the service needs is down.
    Unavailable,
    /// The request's body is not JSON.
    UnsupportedMediaType,
    /// A value is not allowed; `detail` says which.
    ValidationFailed,
    /// The product was changed meanwhile.
    VersionConflict,
    /// A code that this program does not know: the service is newer.
    #[serde(other)]
    Unknown,
}

impl Code {
    /// All of them that a service can answer with.
    pub const ALL: [Self; 30] = [
        Self::AlreadyPaid,
        Self::BodyTooLarge,
        Self::ClockFixed,
        Self::EmailTaken,
        Self::Forbidden,
        Self::IdempotencyKeyReused,
        Self::IllegalTransition,
        Self::Internal,
        Self::InvalidCredentials,
        Self::MalformedRequest,
        Self::MethodNotAllowed,
        Self::NothingDue,
        Self::NotAllocated,
        Self::NotFound,
        Self::NotLocal,
        Self::OutcomeUnknown,
        Self::Overloaded,
        Self::PaymentDeadlinePassed,
        Self::PaymentInProgress,
        Self::PaymentOver,
        Self::ProductUnknown,
        Self::RateLimited,
        Self::SeveralSellers,
        Self::Timeout,
        Self::TokenExpired,
        Self::Unauthenticated,
        Self::Unavailable,
        Self::UnsupportedMediaType,
        Self::ValidationFailed,
        Self::VersionConflict,
    ];

    /// The code on the wire, the HTTP status, and a title that is the same for every occurrence.
    pub const fn describe(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::AlreadyPaid => ("already_paid", 409, "The order is paid already"),
            Self::BodyTooLarge => ("body_too_large", 413, "The body is too large"),
            Self::ClockFixed => ("clock_fixed", 403, "The clock cannot be moved"),
            Self::EmailTaken => ("email_taken", 409, "There is an account with this e-mail address"),
            Self::Forbidden => ("forbidden", 403, "Not allowed"),
            Self::IdempotencyKeyReused => ("idempotency_key_reused", 422, "The key was used with another request"),
            Self::IllegalTransition => ("illegal_transition", 409, "Not possible in this state"),
            Self::Internal => ("internal", 500, "The service made a mistake"),
            Self::InvalidCredentials => ("invalid_credentials", 401, "The credentials are wrong"),
            Self::MalformedRequest => ("malformed_request", 400, "The request cannot be read"),
            Self::MethodNotAllowed => ("method_not_allowed", 405, "The method is not allowed here"),
            Self::NothingDue => ("nothing_due", 409, "Nothing is due"),
            Self::NotAllocated => ("not_allocated", 409, "The stock is not allocated yet"),
            Self::NotFound => ("not_found", 404, "Not found"),
            Self::NotLocal => ("not_local", 403, "Only in a local cluster"),
            Self::OutcomeUnknown => ("outcome_unknown", 503, "Whether it was done is not known"),
            Self::Overloaded => ("overloaded", 503, "The service has too much to do"),
            Self::PaymentDeadlinePassed => ("payment_deadline_passed", 409, "The time to pay is over"),
            Self::PaymentInProgress => ("payment_in_progress", 409, "A payment is under way"),
            Self::PaymentOver => ("payment_over", 409, "The order can no longer be paid"),
            Self::ProductUnknown => ("product_unknown", 422, "The product is not known"),
            Self::RateLimited => ("rate_limited", 429, "Too many requests"),
            Self::SeveralSellers => ("several_sellers", 422, "An order has one seller"),
            Self::Timeout => ("timeout", 504, "It took too long"),
            Self::TokenExpired => ("token_expired", 401, "The token is too old"),
            Self::Unauthenticated => ("unauthenticated", 401, "A token is needed"),
            Self::Unavailable => ("unavailable", 503, "Something that is needed is down"),
            Self::UnsupportedMediaType => ("unsupported_media_type", 415, "JSON is needed"),
            Self::ValidationFailed => ("validation_failed", 422, "A value is not allowed"),
            Self::VersionConflict => ("version_conflict", 409, "It was changed meanwhile"),
            Self::Unknown => ("unknown", 500, "Unknown"),
        }
    }

    /// As it stands in a document.
    pub const fn as_str(self) -> &'static str {
        self.describe().0
    }
}

/// A problem document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// Where the code is explained.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for every occurrence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// For programs to branch on.
    pub code: Code,
    /// About this occurrence, for people.
    pub detail: String,
    /// The id of the request, which the service's log has too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What else a program may want to know, as `order_status`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub more: Map<String, Value>,
}

impl Problem {
    /// A problem with this code.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let (text, status, title) = code.describe();
        let (kind, title) = (format!("{DOCS}#{text}"), title.to_owned());
        Self { kind, title, status, code, detail: detail.into(), request_id: None, more: Map::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_as_it_is_written() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert_eq!(serde_json::from_value::<Code>(code.as_str().into()).unwrap(), code);
        }
        assert_eq!(serde_json::from_str::<Code>(r#""from_the_future""#).unwrap(), Code::Unknown);
    }

    #[test]
    fn what_more_there_is_to_know_stands_beside_the_rest() {
        let mut problem = Problem::new(Code::IllegalTransition, "no");
        problem.more.insert("order_status".to_owned(), "PAID".into());
        let json = serde_json::to_value(&problem).unwrap();
        assert_eq!((&json["order_status"], &json["status"]), (&"PAID".into(), &409.into()));
        assert_eq!(serde_json::from_value::<Problem>(json).unwrap(), problem);
    }

    #[test]
    fn every_code_is_explained_with_its_status() {
        let page = include_str!("../../../docs/errors.md");
        for code in Code::ALL {
            let (text, status, _) = code.describe();
            assert!(page.contains(&format!("| `{text}` | {status} |")), "{text} is not in docs/errors.md");
        }
        assert_eq!(page.matches("\n| `").count(), Code::ALL.len(), "a code is explained that does not exist");
    }
}
