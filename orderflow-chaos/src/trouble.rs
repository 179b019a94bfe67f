//! Why something was not done, or not written down; and whether it may have been done all the same.

use std::{fmt, io, time::Duration};

use orderflow_client::{ClientError, Service};
use orderflow_cluster::control::ControlError;
use orderflow_contracts::problem::Code;

/// Why one thing was not done, or not written down.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// A service says no, or cannot be reached.
    #[error("{}: {error}{}", .service.name(), self.doubt())]
    Service {
        /// Which.
        service: Service,
        /// What has come of asking it.
        error: ClientError,
    },
    /// A service has not answered for so long.
    #[error("{}: no answer for {} s{}", .service.name(), .within.as_secs(), self.doubt())]
    Late {
        /// Which.
        service: Service,
        /// How long.
        within: Duration,
    },
    /// The supervisor does not do it, or cannot be talked to.
    #[error("{error}{}", self.doubt())]
    Supervisor {
        /// What has come of telling it.
        error: ControlError,
    },
    /// It is done, and the audit log does not have it.
    #[error("{action} {subject} is done; it could not be written into the audit log: {why}")]
    NotNoted {
        /// What.
        action: String,
        /// To what.
        subject: String,
        /// Why it is not there.
        why: String,
    },
}

impl From<ControlError> for Trouble {
    fn from(error: ControlError) -> Self {
        Self::Supervisor { error }
    }
}

impl Trouble {
    /// What is to be said behind it where nobody knows what has come of it: words, or nothing.
    pub fn doubt(&self) -> &'static str {
        let is_unclear = match self {
            Self::Service { error, .. } => error.is_outcome_unknown() && !surely_not_done(error),
            Self::Late { .. } => true,
            Self::Supervisor { error } => match error {
                ControlError::Unreachable(error) => {
                    !matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound)
                }
                ControlError::NotUnderstood(_) => true,
                ControlError::NotRunning(_) | ControlError::Refused(_) => false,
            },
            Self::NotNoted { .. } => false,
        };
        if is_unclear { "; it may have been done" } else { "" }
    }
}

/// Whether nothing was done: nobody has heard of it, or whoever has would not begin.
pub(crate) fn surely_not_done(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { source, .. } => source.is_connect(),
        error => matches!(error.code(), Some(Code::Unavailable | Code::Overloaded | Code::RateLimited)),
    }
}

/// Why the audit log does not have something. What a service says for commands, to repeat it with its key, is no advice
/// here: notes have no keys.
pub(crate) fn why_not_noted(error: &ClientError) -> String {
    match error.code() {
        Some(Code::OutcomeUnknown) => "the console lost its database; it may be there all the same".to_owned(),
        _ => error.to_string(),
    }
}

/// All that has gone wrong with something that is done in several places: one at least.
#[derive(Debug)]
pub struct Troubles(Vec<Trouble>);

impl Troubles {
    /// Nothing wrong, or all of it.
    pub fn if_any(troubles: Vec<Trouble>) -> Result<(), Self> {
        if troubles.is_empty() { Ok(()) } else { Err(Self(troubles)) }
    }
}

impl Troubles {
    /// What is done, and only not written down, apart from what has failed.
    pub fn apart(self) -> (Vec<Trouble>, Result<(), Self>) {
        let (not_noted, failed) = self.0.into_iter().partition(|trouble| matches!(trouble, Trouble::NotNoted { .. }));
        (not_noted, Self::if_any(failed))
    }
}

impl From<Trouble> for Troubles {
    fn from(trouble: Trouble) -> Self {
        Self(vec![trouble])
    }
}

impl IntoIterator for Troubles {
    type Item = Trouble;
    type IntoIter = std::vec::IntoIter<Trouble>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Troubles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&all.join("; "))
    }
}

impl std::error::Error for Troubles {}

#[cfg(test)]
mod tests {
    use orderflow_contracts::problem::Problem;

    use super::*;

    #[test]
    fn why_it_is_not_in_the_audit_log_is_no_advice_for_commands() {
        let detail = "the connection broke during the commit; repeat the request with the same idempotency key";
        let lost = ClientError::Problem(Box::new(Problem::new(Code::OutcomeUnknown, detail)));
        assert_eq!(why_not_noted(&lost), "the console lost its database; it may be there all the same");
        let refused = ClientError::Problem(Box::new(Problem::new(Code::Forbidden, "not an admin")));
        assert_eq!(why_not_noted(&refused), "not an admin");
    }

    #[test]
    fn what_may_have_been_done_says_so() {
        let of = |error| Trouble::Service { service: Service::Orders, error }.to_string();
        let problem = |code| of(ClientError::Problem(Box::new(Problem::new(code, "why"))));
        let at = || "http://127.0.0.1:1".to_owned();
        let late = Trouble::Late { service: Service::Orders, within: Duration::from_secs(10) }.to_string();
        assert_eq!(late, "orders: no answer for 10 s; it may have been done");
        let supervisor = |kind: io::ErrorKind| Trouble::from(ControlError::Unreachable(kind.into())).to_string();
        let bad = of(ClientError::BadAnswer { url: at(), what: "nonsense".into() });
        for unclear in [
            supervisor(io::ErrorKind::TimedOut),
            bad,
            of(ClientError::Timeout { url: at() }),
            problem(Code::OutcomeUnknown),
        ] {
            assert!(unclear.ends_with("; it may have been done"), "{unclear}");
        }
        let noted =
            Trouble::NotNoted { action: "process.kill".into(), subject: "orders".into(), why: "no answer".into() };
        assert_eq!(
            noted.to_string(),
            "process.kill orders is done; it could not be written into the audit log: no answer"
        );
        for clear in [
            supervisor(io::ErrorKind::ConnectionRefused),
            problem(Code::Forbidden),
            problem(Code::Unavailable),
            noted.to_string(),
        ] {
            assert!(!clear.contains("may have been done"), "{clear}");
        }
        let (not_noted, failed) = Troubles::from(noted).apart();
        assert!(not_noted.len() == 1 && failed.is_ok(), "it is done");
        let both = Troubles(["a", "b"].map(|reason| ControlError::Refused(reason.into()).into()).into());
        assert_eq!(both.to_string(), "a; b");
    }
}
