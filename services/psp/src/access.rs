//! Who may charge: whoever knows the secret key.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};
use orderflow_contracts::problem::Code;
use orderflow_platform::http::ApiError;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::Psp;

/// The key's SHA-256; the key itself is not kept.
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// Of this key.
    pub fn new(key: &str) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// Whether this is the key. How long it takes says nothing about how much of it is right.
    fn is(&self, key: &str) -> bool {
        let other: [u8; 32] = Sha256::digest(key).into();
        self.0.iter().zip(other).fold(0, |difference, (own, other)| difference | (own ^ other)) == 0
    }
}

impl SecretKey {
    /// An id that whoever has not the key can neither make nor read: the same for the same words.
    pub fn derive(&self, words: &[&str]) -> Uuid {
        let mut hash = Sha256::new_with_prefix(self.0);
        for word in words {
            hash.update(Sha256::digest(word));
        }
        let digest: [u8; 32] = hash.finalize().into();
        Uuid::from_bytes(std::array::from_fn(|at| digest[at]))
    }
}

/// The merchant: a request with the secret key.
pub struct Merchant;

impl FromRequestParts<Arc<Psp>> for Merchant {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, psp: &Arc<Psp>) -> Result<Self, ApiError> {
        let missing = || ApiError::new(Code::Unauthenticated, "send `Authorization: Bearer <secret key>`");
        let header = parts.headers.get("authorization").and_then(|value| value.to_str().ok()).ok_or_else(missing)?;
        let key = header.strip_prefix("Bearer ").ok_or_else(missing)?;
        if psp.secret_key.is(key) {
            return Ok(Self);
        }
        Err(ApiError::new(Code::Unauthenticated, "the secret key is not the merchant's"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_is_the_key() {
        let key = SecretKey::new("sk_test_1");
        assert!(key.is("sk_test_1"));
        for other in ["", "sk_test_", "sk_test_2", "sk_test_11", "SK_TEST_1"] {
            assert!(!key.is(other), "{other}");
        }
    }
}
