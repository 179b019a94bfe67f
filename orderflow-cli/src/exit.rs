//! How a command ends: the exit codes, and what is said about a failure.

use std::{error::Error, io, process::ExitCode};

use orderflow_chaos::{Trouble, Troubles};
use orderflow_client::ClientError;
use orderflow_cluster::{StartError, TaskDied, attach::DestroyError, control::ControlError, postgres::PostgresError};
use orderflow_contracts::problem::{Code, Problem};

use crate::output::Paint;

/// The exit codes; scripts depend on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Ok,
    /// Something else went wrong.
    Error,
    /// The command line, or a file of settings, cannot be understood.
    Usage,
    /// What was waited for did not happen in time. It may still happen.
    TimedOut,
    /// The cluster, or a service of it, cannot be reached.
    Unreachable,
    /// The saga has ended with the order cancelled, or the card declined.
    Compensated,
    /// The idempotency key was used for something else.
    IdempotencyConflict,
    /// Something that must always hold does not.
    Violation,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The number that the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Error => 1,
            Self::Usage => 2,
            Self::TimedOut => 3,
            Self::Unreachable => 4,
            Self::Compensated => 5,
            Self::IdempotencyConflict => 6,
            Self::Violation => 7,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Why a command has not done what it was asked for.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What went wrong; nothing is said if it is empty.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// What every command comes to.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure that is none of the special ones.
    pub fn new(message: impl Into<String>) -> Self {
        Self::with(Exit::Error, message)
    }

    /// A failure with its exit code.
    pub fn with(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    /// The command line is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::with(Exit::Usage, message)
    }

    /// Ctrl-C.
    pub fn interrupted() -> Self {
        Self::with(Exit::Interrupted, "interrupted")
    }

    /// Whoever read our output has gone, as `head` does. Nothing to complain about.
    fn nobody_reads() -> Self {
        Self::with(Exit::Ok, "")
    }

    /// With the next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says it on standard error.
    pub fn print(&self, paint: Paint) {
        use io::{IsTerminal, Write};
        if self.message.is_empty() {
            return;
        }
        // Behind the ^C that a terminal shows.
        let new_line = self.exit == Exit::Interrupted && io::stderr().is_terminal();
        let mut text = if new_line { "\n".to_owned() } else { String::new() };
        text.push_str(&format!("{} {}\n", paint.bad("error:"), crate::output::safe_lines(&self.message)));
        if let Some(hint) = &self.hint {
            text.push_str(&format!("{} {}\n", paint.strong("hint:"), crate::output::safe_lines(hint)));
        }
        // Nobody is left to be told if this fails.
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

/// An error and its causes in one line.
pub fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// An error and its last cause: between them are only the layers that have passed it on.
fn without_the_middle(error: &dyn Error) -> String {
    match std::iter::successors(error.source(), |error| (*error).source()).last() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::nobody_reads(),
            _ => Self::new(error.to_string()),
        }
    }
}

impl From<color_eyre::Report> for Failure {
    fn from(error: color_eyre::Report) -> Self {
        Self::new(format!("{error:#}"))
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::new(format!("JSON: {error}"))
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match &error {
            ClientError::Problem(problem) => of_problem(problem),
            ClientError::Unreachable { .. } | ClientError::Timeout { .. } => {
                Self::with(Exit::Unreachable, without_the_middle(&error))
                    .hint("`orderflow status` says what runs; `orderflow up --detach` starts a local cluster")
            }
            ClientError::NoToken(message) => {
                Self::new(message.clone()).hint("`orderflow login`, or `--as customer|seller|admin` on a local cluster")
            }
            ClientError::BadAnswer { .. } | ClientError::BadRequest(_) => Self::new(chain(&error)),
        }
    }
}

fn of_problem(problem: &Problem) -> Failure {
    let exit = match problem.code {
        Code::IdempotencyKeyReused => Exit::IdempotencyConflict,
        Code::Unavailable | Code::Overloaded => Exit::Unreachable,
        _ => Exit::Error,
    };
    let message = format!("{} ({})", problem.detail, problem.code.as_str());
    Failure { exit, message, hint: hint_for(problem.code).map(str::to_owned) }
}

fn hint_for(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::IdempotencyKeyReused => "take another --idempotency-key, or repeat exactly what it was used for",
        Code::InvalidCredentials => "`orderflow signup` opens an account",
        Code::Unauthenticated | Code::TokenExpired => {
            "`orderflow login`, or `--as customer|seller|admin` on a local cluster"
        }
        Code::Forbidden => "`orderflow whoami` says who asks; `--as customer|seller|admin` asks as somebody else",
        Code::IllegalTransition => "`orderflow order show ORDER` says where the order stands",
        Code::NotAllocated => "the stock is being allocated: try again in a moment, or pay with --wait",
        Code::NothingDue => "the seller confirms first: `orderflow order confirm ORDER --wait`",
        Code::ProductUnknown => "`orderflow product list` shows what can be ordered",
        Code::OutcomeUnknown => "repeat the command with the same --idempotency-key",
        Code::PaymentInProgress => "`orderflow order watch ORDER` shows what comes of it",
        Code::EmailTaken => "`orderflow login` opens a session of an account that exists",
        Code::VersionConflict => "`orderflow product show PRODUCT` shows what it is now",
        Code::Unavailable | Code::Overloaded => "`orderflow status` says what is down; `orderflow logs SERVICE` why",
        Code::ClockFixed => "only the clocks of a local cluster can be moved",
        _ => return None,
    })
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        let exit = match error {
            ControlError::NotRunning(_) | ControlError::Unreachable(_) => Exit::Unreachable,
            ControlError::NotUnderstood(_) => Exit::Error,
            ControlError::Refused(reason) => return Self::new(reason),
        };
        Self::with(exit, chain(&error)).hint("`orderflow up --detach` starts a cluster")
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        let (said, doubt) = (trouble.to_string(), trouble.doubt());
        match trouble {
            Trouble::Service { service, error } => {
                let failure = Self::from(error);
                Self { message: format!("{}: {}{doubt}", service.name(), failure.message), ..failure }
            }
            Trouble::Late { .. } => Self::with(Exit::Unreachable, said),
            Trouble::Supervisor { error } => {
                let failure = Self::from(error);
                Self { message: format!("{}{doubt}", failure.message), ..failure }
            }
            Trouble::NotNoted { .. } => Self::new(said),
        }
    }
}

/// All that has failed, under the first one's exit code.
impl From<Troubles> for Failure {
    fn from(troubles: Troubles) -> Self {
        let failures = troubles.into_iter().map(Self::from);
        let joined =
            |first: Self, next: Self| Self { message: format!("{}\n{}", first.message, next.message), ..first };
        failures.reduce(joined).unwrap_or_else(|| Self::new("nobody says why"))
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let message = match &error {
            StartError::NotReady { log_tail, log, .. } => {
                format!("{error}\nthe end of {}:\n{log_tail}", log.display())
            }
            _ => chain(&error),
        };
        let hint = match &error {
            StartError::NotReady { process, .. } => Some(format!("`orderflow logs {process}` shows all of its log")),
            StartError::Postgres(_) => Some("`orderflow doctor` looks at everything that is needed".to_owned()),
            StartError::Databases(_) => Some("check the URL of the PostgreSQL that you gave".to_owned()),
            _ => None,
        };
        let exit = if matches!(error, StartError::Name(_)) { Exit::Usage } else { Exit::Error };
        Self { exit, message, hint }
    }
}

impl From<PostgresError> for Failure {
    fn from(error: PostgresError) -> Self {
        Self::new(chain(&error)).hint("`orderflow doctor` looks at everything that is needed")
    }
}

impl From<TaskDied> for Failure {
    fn from(error: TaskDied) -> Self {
        Self::new(chain(&error))
    }
}

impl From<DestroyError> for Failure {
    fn from(error: DestroyError) -> Self {
        let failure = Self::new(chain(&error));
        match error {
            DestroyError::Databases(_) => {
                failure.hint("start that server; if it is gone for good, remove the data directory by hand")
            }
            _ => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use orderflow_client::Service;

    use super::*;

    fn exit_of(code: Code) -> u8 {
        Failure::from(ClientError::Problem(Box::new(Problem::new(code, "no")))).exit.code()
    }

    #[test]
    fn exit_codes_are_those_of_the_documentation() {
        let all = [
            Exit::Ok,
            Exit::Error,
            Exit::Usage,
            Exit::TimedOut,
            Exit::Unreachable,
            Exit::Compensated,
            Exit::IdempotencyConflict,
            Exit::Violation,
            Exit::Interrupted,
        ];
        assert_eq!(all.map(Exit::code), [0, 1, 2, 3, 4, 5, 6, 7, 130]);
    }

    #[test]
    fn problems_have_their_exit_codes_and_a_next_step() {
        assert_eq!(exit_of(Code::IdempotencyKeyReused), 6);
        assert_eq!(exit_of(Code::ValidationFailed), 1);
        assert_eq!(exit_of(Code::IllegalTransition), 1);
        assert_eq!(exit_of(Code::Unavailable), 4);
        let timeout = ClientError::Timeout { url: "http://127.0.0.1:1".into() };
        assert_eq!(Failure::from(timeout).exit, Exit::Unreachable);
        let refused = Failure::from(ClientError::NoToken("no session".into()));
        assert_eq!(refused.exit, Exit::Error);
        assert!(refused.hint.is_some_and(|hint| hint.contains("login") && hint.contains("--as")));
    }

    #[test]
    fn a_change_whose_answer_is_lost_may_have_been_done() {
        let service = Service::Orders;
        let lost = Trouble::Service { service, error: ClientError::Timeout { url: "http://127.0.0.1:1".into() } };
        let late = Trouble::Late { service, within: std::time::Duration::from_secs(10) };
        for failure in [lost, late].map(Failure::from) {
            assert_eq!(failure.exit, Exit::Unreachable);
            let message = failure.message;
            assert!(message.starts_with("orders: ") && message.ends_with("; it may have been done"), "{message}");
        }
    }

    #[test]
    fn who_reads_no_more_is_no_error() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((failure.exit, failure.message.as_str()), (Exit::Ok, ""));
    }
}
