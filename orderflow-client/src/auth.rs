//! Where tokens come from.

use std::pin::Pin;

use crate::error::ClientError;

/// A token on its way.
pub type TokenFuture<'a> = Pin<Box<dyn Future<Output = Result<String, ClientError>> + Send + 'a>>;

/// Gives tokens, and new ones when they are refused.
pub trait TokenSource: Send + Sync {
    /// A token. `refused` is one that a service has just called too old or not ours: another one is needed.
    fn token<'a>(&'a self, refused: Option<&'a str>) -> TokenFuture<'a>;
}

/// A token that cannot be renewed.
#[derive(Clone)]
pub struct FixedToken(
    /// The token.
    pub String,
);

impl TokenSource for FixedToken {
    fn token<'a>(&'a self, refused: Option<&'a str>) -> TokenFuture<'a> {
        Box::pin(async move {
            match refused {
                None => Ok(self.0.clone()),
                Some(_) => Err(ClientError::NoToken("the session is over".into())),
            }
        })
    }
}
