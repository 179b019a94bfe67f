//! Why a request has no good answer.

use orderflow_contracts::problem::{Code, Problem};

/// What the services' clients have to branch on.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The service said no, and why.
    #[error("{}", .0.detail)]
    Problem(Box<Problem>),
    /// Nobody listens there, or the connection broke.
    #[error("{url} cannot be reached")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The service took too long.
    #[error("{url} did not answer in time")]
    Timeout {
        /// Where.
        url: String,
    },
    /// An answer that is not one of our services'.
    #[error("{url} gave an answer that makes no sense: {what}")]
    BadAnswer {
        /// Where.
        url: String,
        /// What is wrong with it.
        what: String,
    },
    /// There is no token to ask with. The reason is for people.
    #[error("{0}")]
    NoToken(String),
    /// A URL, a key or the like that cannot be sent.
    #[error("{0}")]
    BadRequest(String),
}

impl ClientError {
    /// The code of the problem, if the service gave one.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Problem(problem) => Some(problem.code),
            _ => None,
        }
    }

    /// Whether the same request can succeed a little later, without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } => true,
            Self::Problem(problem) => matches!(
                problem.code,
                Code::Unavailable | Code::Overloaded | Code::OutcomeUnknown | Code::Timeout | Code::RateLimited
            ),
            Self::BadAnswer { .. } | Self::NoToken(_) | Self::BadRequest(_) => false,
        }
    }

    /// Whether nobody can say what came of a command: no answer, a fault of the service's own, or an answer that nobody
    /// can read. The same idempotency key has to be used again; another one could do it twice.
    pub fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::Problem(problem) => self.is_transient() || problem.status >= 500,
            Self::BadAnswer { .. } => true,
            error => error.is_transient(),
        }
    }

    /// Whether the token was what it was refused for.
    pub(crate) fn is_refused_token(&self) -> bool {
        matches!(self.code(), Some(Code::TokenExpired | Code::Unauthenticated))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_the_service_says_nothing_of_what_was_done() {
        let problem = |code| ClientError::Problem(Box::new(Problem::new(code, "why")));
        let bad = ClientError::BadAnswer { url: "http://a".into(), what: "502 without a problem document".into() };
        for error in [bad, ClientError::Timeout { url: "http://a".into() }, problem(Code::Internal)] {
            assert!(error.is_outcome_unknown(), "{error:?}");
        }
        for error in [problem(Code::VersionConflict), problem(Code::NotFound), ClientError::NoToken("no".into())] {
            assert!(!error.is_outcome_unknown(), "{error:?}");
        }
    }
}
