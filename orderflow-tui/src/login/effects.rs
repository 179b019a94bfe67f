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
}

/// What came of it.
#[derive(Debug)]
pub enum Done {
    /// Somebody is logged in.
    In(Account),
    /// They are not, and why.
    Refused(String),
    /// What the cluster's start says on the way.
    Said(String),
    /// The cluster is up, or why not.
    Up(Result<(), String>),
}

/// Does it.
pub async fn carry_out(wanted: Do, role: Role, shared: &Shared) -> Done {
    let come_in = match wanted {
        Do::Start { lab } => return Done::Up(start(lab, role, shared).await),
        Do::TestAccount => test_account(role, shared).await,
        Do::With { email, password } => log_in(Login { email, password: password.0 }, shared).await,
        Do::SignUp { email, password } => sign_up(SignUp { email, password: password.0, role }, shared).await,
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

async fn sign_up(account: SignUp, shared: &Shared) -> Result<Account, ClientError> {
    let client = shared.anonymous()?;
    let session = client.sign_up(&account).await?;
    Ok(shared.logged_in(client, session))
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
