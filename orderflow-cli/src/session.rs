//! Sessions: whose they are is remembered in files that only we can read, and their tokens are renewed by themselves.
//!
//! A token goes to this machine, or to where its session was opened, and nowhere else: a file of settings that came
//! with somebody's project cannot lead it away.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use orderflow_client::{Client, ClientError, Endpoints, TokenFuture, TokenSource};
use orderflow_contracts::{
    api::console::{Login, Refresh, Session},
    problem::Code,
};
use serde::{Deserialize, Serialize};
use tokio::{sync::Mutex, time::Instant};

use crate::parse::Role;

/// How long another process of ours may take to renew the same session.
const LOCK_MAX: Duration = Duration::from_secs(15);
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The test accounts of a local cluster. They are no secret: they stand in the README.
pub fn test_account(role: Role) -> Login {
    let (email, password) = match role {
        Role::Customer => ("user@orderflow.io", "User1234!"),
        Role::Seller => ("seller@orderflow.io", "Seller123!"),
        Role::Admin => ("admin@orderflow.io", "Admin123!"),
    };
    Login { email: email.to_owned(), password: password.to_owned() }
}

/// A session, and with which services it was opened.
#[derive(Clone, Serialize, Deserialize)]
pub struct Stored {
    /// The session.
    pub session: Session,
    /// Where its tokens may go.
    pub endpoints: Endpoints,
}

/// A session's file.
#[derive(Debug, Clone)]
pub struct SessionFile(PathBuf);

impl SessionFile {
    /// Of whoever has logged in.
    pub fn of_login(state_dir: &Path) -> Self {
        Self(state_dir.join("credentials.json"))
    }

    /// Of a test account.
    pub fn of_role(state_dir: &Path, role: Role) -> Self {
        let name = match role {
            Role::Customer => "customer",
            Role::Seller => "seller",
            Role::Admin => "admin",
        };
        Self(state_dir.join("sessions").join(format!("{name}.json")))
    }

    /// What is in it; nothing if there is none, or it cannot be read.
    pub fn read(&self) -> Option<Stored> {
        serde_json::from_slice(&fs::read(&self.0).ok()?).ok()
    }

    /// Writes it, whole or not at all.
    pub fn write(&self, stored: &Stored) -> io::Result<()> {
        self.make_dir()?;
        let making = self.0.with_extension(format!("{}.tmp", std::process::id()));
        let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&making)?;
        file.write_all(&serde_json::to_vec(stored)?)?;
        fs::rename(&making, &self.0)
    }

    /// Does away with it.
    pub fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn make_dir(&self) -> io::Result<()> {
        let dir = self.0.parent().unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(dir)
    }

    /// Only one process renews a session: its refresh token is good once. Without the lock it is tried all the same.
    async fn lock(&self) -> Option<File> {
        self.make_dir().ok()?;
        let path = self.0.with_extension("lock");
        let file = File::options().create(true).truncate(false).write(true).mode(0o600).open(path).ok()?;
        let until = Instant::now() + LOCK_MAX;
        while file.try_lock().is_err() {
            if Instant::now() > until {
                return None;
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
        Some(file)
    }
}

/// The tokens of a session.
pub struct Tokens {
    file: SessionFile,
    /// Opens the session if there is none, or if it is over.
    login: Option<Login>,
    /// Asks the console, without a token.
    client: Client,
    current: Mutex<Option<String>>,
}

impl Tokens {
    /// The tokens of the session in a file, which is opened anew by `login` where that is known.
    pub fn new(file: SessionFile, login: Option<Login>, client: Client) -> Self {
        Self { file, login, client, current: Mutex::default() }
    }

    async fn give(&self, refused: Option<&str>) -> Result<String, ClientError> {
        let mut current = self.current.lock().await;
        if let Some(token) = current.as_ref().filter(|token| is_other(token, refused)) {
            return Ok(token.clone());
        }
        // Most commands find a good token without waiting for those that renew it.
        let token = match self.usable(refused)? {
            Some(token) => token,
            None => self.renewed(refused).await?,
        };
        *current = Some(token.clone());
        Ok(token)
    }

    /// The token in the file, unless it was refused.
    fn usable(&self, refused: Option<&str>) -> Result<Option<String>, ClientError> {
        let Some(stored) = self.stored()? else { return Ok(None) };
        Ok(Some(stored.session.token).filter(|token| is_other(token, refused)))
    }

    async fn renewed(&self, refused: Option<&str>) -> Result<String, ClientError> {
        let _lock = self.file.lock().await;
        // Another process may have been faster.
        if let Some(token) = self.usable(refused)? {
            return Ok(token);
        }
        let session = match (self.stored()?, &self.login) {
            (Some(stored), login) => {
                let refresh = Refresh { refresh_token: stored.session.refresh_token };
                match (self.client.refresh_session(&refresh).await, login) {
                    (Err(ClientError::Problem(_)), Some(login)) => self.client.login(login).await?,
                    (Err(error), None) if error.code() == Some(Code::InvalidCredentials) => {
                        return Err(no_token("the session is over"));
                    }
                    (refreshed, _) => refreshed?,
                }
            }
            (None, Some(login)) => self.client.login(login).await?,
            (None, None) => return Err(no_token("nobody is logged in")),
        };
        let token = session.token.clone();
        let stored = Stored { session, endpoints: self.client.endpoints().clone() };
        match (self.file.write(&stored), &self.login) {
            // What is not remembered is opened again the next time.
            (Ok(()), _) | (Err(_), Some(_)) => Ok(token),
            (Err(error), None) => Err(no_token(&format!("the session cannot be saved: {error}"))),
        }
    }

    /// The session in the file. An error if its tokens must not go where we are to ask.
    fn stored(&self) -> Result<Option<Stored>, ClientError> {
        let Some(stored) = self.file.read() else { return Ok(None) };
        let endpoints = self.client.endpoints();
        if *endpoints == stored.endpoints || (endpoints.are_local() && stored.endpoints.are_local()) {
            return Ok(Some(stored));
        }
        Err(no_token("the session was opened with other services than those that are to be asked"))
    }
}

fn is_other(token: &str, refused: Option<&str>) -> bool {
    refused != Some(token)
}

fn no_token(why: &str) -> ClientError {
    ClientError::NoToken(why.to_owned())
}

impl TokenSource for Tokens {
    fn token<'a>(&'a self, refused: Option<&'a str>) -> TokenFuture<'a> {
        Box::pin(self.give(refused))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use serde_json::json;

    use super::*;

    fn stored(token: &str, endpoints: Endpoints) -> Stored {
        let id = "00000000-0000-0000-0000-000000000001";
        let session = json!({
            "token": token, "expires_at": "2026-01-01T00:00:00Z", "refresh_token": "r",
            "account": { "id": id, "email": "a@b.c", "role": "customer" },
        });
        Stored { session: serde_json::from_value(session).unwrap(), endpoints }
    }

    fn tokens(file: &SessionFile, endpoints: Endpoints) -> Tokens {
        Tokens::new(file.clone(), None, Client::anonymous(endpoints).unwrap())
    }

    #[tokio::test]
    async fn a_session_is_kept_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = SessionFile::of_role(dir.path(), Role::Seller);
        assert!(file.read().is_none());
        file.write(&stored("t", Endpoints::default())).unwrap();
        let mode = fs::metadata(dir.path().join("sessions/seller.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(tokens(&file, Endpoints::default()).give(None).await.unwrap(), "t");
        file.remove().unwrap();
        file.remove().unwrap();
        assert!(matches!(tokens(&file, Endpoints::default()).give(None).await, Err(ClientError::NoToken(_))));
    }

    #[tokio::test]
    async fn a_token_is_not_led_away() {
        let dir = tempfile::tempdir().unwrap();
        let file = SessionFile::of_login(dir.path());
        file.write(&stored("t", Endpoints::default())).unwrap();
        let elsewhere = Endpoints { orders: "https://orders.example.com".into(), ..Endpoints::default() };
        assert!(matches!(tokens(&file, elsewhere.clone()).give(None).await, Err(ClientError::NoToken(_))));
        file.write(&stored("t", elsewhere.clone())).unwrap();
        assert_eq!(tokens(&file, elsewhere).give(None).await.unwrap(), "t");
    }
}
