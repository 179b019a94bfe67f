//! Keys of a test's own, and tokens signed with them.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use orderflow_contracts::{api::console::Role, ids::AccountId};
use orderflow_platform::auth::{Principal, Signer, TOKEN_LIFE};
use ring::{rand::SystemRandom, signature::Ed25519KeyPair};
use uuid::Uuid;

/// What tokens are signed and checked with.
pub struct Keys {
    private: String,
    signer: Signer,
}

/// An account that nobody else has.
pub fn new_account(role: Role) -> Principal {
    Principal::new(AccountId::from(Uuid::now_v7()), role)
}

impl Keys {
    /// New ones.
    pub fn generate() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
        let private = STANDARD.encode(document);
        Self { signer: Signer::new(&private).expect("a key"), private }
    }

    /// For a service's settings.
    pub fn public(&self) -> &str {
        self.signer.public_key()
    }

    /// For the console's settings.
    pub fn private(&self) -> &str {
        &self.private
    }

    /// A token that is good for a while.
    pub fn token(&self, principal: Principal) -> String {
        self.signer.sign(principal, TOKEN_LIFE).expect("a token").0
    }

    /// A token that is good for so long.
    pub fn token_for(&self, principal: Principal, life: Duration) -> String {
        self.signer.sign(principal, life).expect("a token").0
    }
}
