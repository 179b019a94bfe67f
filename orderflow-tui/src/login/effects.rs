//! Logging in for real, and starting a cluster.

use std::process::Stdio;

use orderflow_client::ClientError;
use orderflow_contracts::api::console::{Account, Login, Role, SignUp};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::Command,
};

use crate::{
    links::Shared,
    msg::{Done as AnyDone, Msg},
};

/// Text that is never shown.
#[derive(Clone)]
pub struct Secret(
    /// The text.
    pub String,
);

/// What is wanted.
#[derive(Clone)]
pub enum Do {
    /// Logs in with the role's test account.
    TestAccount,
    /// Logs in.
    With {
        /// E-mail address.
        email: String,
        /// Password.
        password: Secret,
    },
    /// Opens an account.
    SignUp {
        /// E-mail address.
        email: String,
        /// Password.
        password: Secret,
    },
    /// Starts a cluster.
    Start {
        /// Whether patterns can be taken out of it.
        lab: bool,
    },
    /// Looks whether the cluster that was there still is.
    Look,
}

/// What came of it.
#[derive(Debug)]
pub enum Done {
    /// Somebody is logged in.
    In(Account),
    /// They are not, and why.
    Refused(String),
    /// Nobody knows whether the account was opened, and why not.
    Unknown(String),
    /// What the cluster's start says on the way.
    Said(String),
    /// The cluster is up, or why not.
    Up(Result<(), String>),
    /// Whether the cluster that was there still is.
    Looked(Cluster),
}

/// Of a cluster that does not answer: what there is of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cluster {
    /// It is not one that was seen running on this machine, so that nobody here can tell.
    NotOurs,
    /// Its supervisor lives, and starts again what has died.
    Lives,
    /// Nothing of it runs any more; what it keeps is there.
    Gone {
        /// Whether patterns could be taken out of it.
        was_lab: bool,
    },
    /// What it kept is gone too.
    Destroyed,
}

/// Does it.
pub async fn carry_out(wanted: Do, role: Role, shared: &Shared) -> Done {
    let come_in = match wanted {
        Do::Start { lab } => return Done::Up(start(lab, role, shared).await),
        Do::Look => return Done::Looked(shared.look()),
        Do::TestAccount => test_account(role, shared).await,
        Do::With { email, password } => log_in(Login { email, password: password.0 }, shared).await,
        Do::SignUp { email, password } => {
            return sign_up(SignUp { email, password: password.0, role }, shared).await;
        }
    };
    come_in.map_or_else(|error| Done::Refused(error.to_string()), Done::In)
}

async fn test_account(role: Role, shared: &Shared) -> Result<Account, ClientError> {
    log_in(shared.test_account(role)?, shared).await
}

async fn log_in(login: Login, shared: &Shared) -> Result<Account, ClientError> {
    let client = shared.anonymous()?;
    let session = client.login(&login).await?;
    Ok(shared.logged_in(client, session))
}

async fn sign_up(account: SignUp, shared: &Shared) -> Done {
    let asked = async {
        let client = shared.anonymous()?;
        let session = client.sign_up(&account).await?;
        Ok(shared.logged_in(client, session))
    };
    match asked.await {
        Ok(account) => Done::In(account),
        Err(error) => {
            not_signed_up(&error, log_in(Login { email: account.email, password: account.password }, shared)).await
        }
    }
}

/// An account that may have been opened though nobody has said so is there for whoever can log in with it.
async fn not_signed_up(error: &ClientError, log_in: impl Future<Output = Result<Account, ClientError>>) -> Done {
    if !error.is_outcome_unknown() {
        return Done::Refused(error.to_string());
    }
    // A login that is refused does not say that it never will be there: the request may be on its way.
    log_in.await.map_or_else(|_| Done::Unknown(error.to_string()), Done::In)
}

/// `orderflow up --detach`, with what it says shown on the way. It has a time limit of its own.
async fn start(lab: bool, role: Role, shared: &Shared) -> Result<(), String> {
    let place = &shared.place;
    let mut command = Command::new(&place.exe);
    command.arg("--cluster").arg(&place.cluster).arg("--data-dir").arg(&place.data_dir);
    command.args(["up", "--detach", "--any-port"]);
    if lab {
        command.arg("--lab");
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("orderflow cannot be started: {error}"))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (_, last) = tokio::join!(say(out, role, shared), say(err, role, shared));
    let status = child.wait().await.map_err(|error| error.to_string())?;
    if !status.success() {
        return Err(last.unwrap_or_else(|| format!("orderflow up has ended with {status}")));
    }
    if shared.found() { Ok(()) } else { Err("the cluster was started, and is gone".to_owned()) }
}

/// Shows what is said, line by line; the last line comes back.
async fn say(output: Option<impl AsyncRead + Unpin>, role: Role, shared: &Shared) -> Option<String> {
    let mut lines = BufReader::new(output?).lines();
    let mut last = None;
    while let Ok(Some(line)) = lines.next_line().await {
        let line = crate::text::plain(&line);
        let _ = shared.messages().send(Msg::Done(AnyDone::Login(role, Done::Said(line.clone())))).await;
        last = Some(line).filter(|line| !line.trim().is_empty()).or(last);
    }
    last
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use orderflow_contracts::problem::{Code, Problem};

    use super::*;
    use crate::testing::account;

    fn refused(code: Code) -> ClientError {
        ClientError::Problem(Box::new(Problem::new(code, "no")))
    }

    #[tokio::test]
    async fn a_sign_up_without_an_answer_is_not_one_that_was_refused() {
        let lost = ClientError::Timeout { url: "http://console".into() };
        let came = not_signed_up(&lost, ready(Ok(account(Role::Customer)))).await;
        assert!(matches!(came, Done::In(_)), "it was opened");
        let came = not_signed_up(&lost, ready(Err(refused(Code::Unauthenticated)))).await;
        assert!(matches!(came, Done::Unknown(_)));
        let never = std::future::pending();
        let came = not_signed_up(&refused(Code::EmailTaken), never).await;
        assert!(matches!(came, Done::Refused(_)));
    }
}
