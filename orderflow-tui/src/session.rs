//! Sessions of this console: kept in memory, renewed by themselves, gone with the program.

use orderflow_client::{Client, ClientError, TokenFuture, TokenSource};
use orderflow_contracts::api::console::{Refresh, Session};
use tokio::sync::Mutex;

/// The tokens of one session.
pub struct Tokens {
    /// Asks without a token.
    client: Client,
    session: Mutex<Session>,
}

impl Tokens {
    /// Of a session that was just opened.
    pub fn new(client: Client, session: Session) -> Self {
        Self { client, session: Mutex::new(session) }
    }

    async fn give(&self, refused: Option<&str>) -> Result<String, ClientError> {
        let mut session = self.session.lock().await;
        if refused == Some(session.token.as_str()) {
            let refresh = Refresh { refresh_token: session.refresh_token.clone() };
            *session = match self.client.refresh_session(&refresh).await {
                Err(error @ ClientError::Problem(_)) if !error.is_transient() => {
                    return Err(ClientError::NoToken("the session is over; log in again".to_owned()));
                }
                refreshed => refreshed?,
            };
        }
        Ok(session.token.clone())
    }

    /// Ends the session, if the console can be reached.
    pub async fn end(&self) {
        let refresh_token = self.session.lock().await.refresh_token.clone();
        // Its tokens are forgotten with us, and end by themselves.
        let _ = self.client.logout(&Refresh { refresh_token }).await;
    }
}

impl TokenSource for Tokens {
    fn token<'a>(&'a self, refused: Option<&'a str>) -> TokenFuture<'a> {
        Box::pin(self.give(refused))
    }
}
