//! Sessions of this console: kept in memory, renewed by themselves, gone with the program.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use orderflow_client::{Client, ClientError, TokenFuture, TokenSource};
use orderflow_contracts::api::console::{Refresh, Session};
use tokio::{sync::Mutex as AsyncMutex, time::timeout};

/// How long a session's end may take: nobody waits longer for what ends by itself in the end.
const END_MAX: Duration = Duration::from_secs(1);

/// The tokens of one session.
pub struct Tokens {
    /// Asks without a token.
    client: Mutex<Client>,
    session: AsyncMutex<Session>,
    left: AtomicBool,
    over: AtomicBool,
}

impl Tokens {
    /// Of a session that was just opened.
    pub fn new(client: Client, session: Session) -> Self {
        let (left, over) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { client: Mutex::new(client), session: AsyncMutex::new(session), left, over }
    }

    /// The cluster is elsewhere now: with this client, which has no token, it is asked for new ones.
    pub fn move_to(&self, client: Client) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = client;
    }

    fn client(&self) -> Client {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Nobody works with it any more: what is still to come of it is for nobody, least of all for who comes next.
    pub fn leave(&self) {
        self.left.store(true, Ordering::SeqCst);
    }

    /// Whether nobody works with it any more.
    pub fn is_left(&self) -> bool {
        self.left.load(Ordering::SeqCst)
    }

    /// Whether it has come to its end: there are no more tokens of it.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    async fn give(&self, refused: Option<&str>) -> Result<String, ClientError> {
        let mut session = self.session.lock().await;
        if refused == Some(session.token.as_str()) {
            let refresh = Refresh { refresh_token: session.refresh_token.clone() };
            *session = match self.client().refresh_session(&refresh).await {
                Err(error @ ClientError::Problem(_)) if !error.is_outcome_unknown() => {
                    self.over.store(true, Ordering::SeqCst);
                    return Err(ClientError::NoToken("the session is over; log in again".to_owned()));
                }
                refreshed => refreshed?,
            };
        }
        Ok(session.token.clone())
    }

    /// Ends the session at the server, if it has not ended there by itself and can be reached within a second.
    pub async fn end(&self) {
        self.leave();
        if self.is_over() {
            return;
        }
        let end = async {
            let refresh_token = self.session.lock().await.refresh_token.clone();
            self.client().logout(&Refresh { refresh_token }).await
        };
        // Otherwise its tokens are forgotten with us, and end by themselves.
        let _ = timeout(END_MAX, end).await;
    }
}

impl TokenSource for Tokens {
    fn token<'a>(&'a self, refused: Option<&'a str>) -> TokenFuture<'a> {
        Box::pin(self.give(refused))
    }
}
