//! Tokens: JWTs signed with Ed25519, by the console alone, checked by every service by itself.
//!
//! The library checks claims and times; signatures are ring's, which is in the build for TLS already.

use std::{
    sync::{Arc, Once},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{extract::FromRequestParts, http::request::Parts};
use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result as JwtResult},
    signature::{Error as SignatureError, Signer as SignatureSigner, Verifier as SignatureVerifier},
};
use orderflow_contracts::{api::console::Role, ids::AccountId, problem::Code};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::http::ApiError;

/// Who signs, and for whom.
const ISSUER: &str = "orderflow-console";
const AUDIENCE: &str = "orderflow";
/// How long a token is good. Short: a role that was taken away is gone after so long.
pub const TOKEN_LIFE: Duration = Duration::from_secs(15 * 60);
/// How far the clocks of two machines may be apart, in seconds.
const LEEWAY_S: u64 = 5;

/// What a token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: AccountId,
    role: Role,
    iat: u64,
    exp: u64,
}

/// Who asks: an account, by a token that was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal {
    /// The account.
    pub account_id: AccountId,
    /// What it may do.
    pub role: Role,
    /// Until when its token is good, in seconds since 1970 by the machine's clock: the token's `exp`. What goes on for
    /// longer than a request, as a stream, ends then. None where there is no token, or none yet.
    pub exp: Option<u64>,
}

impl Principal {
    /// An account, before it has a token.
    pub const fn new(account_id: AccountId, role: Role) -> Self {
        Self { account_id, role, exp: None }
    }

    /// Its name in events and in the audit log.
    pub fn actor(&self) -> String {
        format!("{}/{}", self.role.as_str(), self.account_id)
    }

    /// Whether it may see what stands between these two, where they are known.
    pub fn may_see(&self, customer_id: Option<AccountId>, seller_id: Option<AccountId>) -> bool {
        match self.role {
            Role::Customer => customer_id == Some(self.account_id),
            Role::Seller => seller_id == Some(self.account_id),
            Role::Admin => true,
        }
    }

    /// An error unless it has this role.
    pub fn require(&self, role: Role) -> Result<(), ApiError> {
        if self.role == role {
            return Ok(());
        }
        let (needed, is) = (role.as_str(), self.role.as_str());
        Err(ApiError::new(Code::Forbidden, format!("this is for the role {needed}, and the token's is {is}")))
    }
}

/// A key that makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("the {0} is not a key of Ed25519 in base64")]
pub struct BadKey(&'static str);

/// Checks tokens.
#[derive(Clone)]
pub struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

impl Verifier {
    /// With the base64 of the 32 bytes of a public key.
    pub fn new(public_key: &str) -> Result<Self, BadKey> {
        install_crypto();
        let bad = || BadKey("token_public_key");
        let bytes = STANDARD.decode(public_key).ok().filter(|bytes| bytes.len() == 32).ok_or_else(bad)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
        validation.leeway = LEEWAY_S;
        Ok(Self { key: DecodingKey::from_ed_der(&bytes), validation })
    }

    /// Who the token speaks for.
    pub fn verify(&self, token: &str) -> Result<Principal, ApiError> {
        match jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation) {
            Ok(token) => {
                let Claims { sub, role, exp, .. } = token.claims;
                Ok(Principal { exp: Some(exp), ..Principal::new(sub, role) })
            }
            Err(error) if *error.kind() == ErrorKind::ExpiredSignature => {
                Err(ApiError::new(Code::TokenExpired, "the token has expired; ask the console for a new one"))
            }
            Err(_) => Err(ApiError::new(Code::Unauthenticated, "the token is not one of ours")),
        }
    }
}

/// Signs tokens. The console alone has one.
pub struct Signer {
    key: EncodingKey,
    public_key: String,
}

impl Signer {
    /// With the base64 of a PKCS#8 document.
    pub fn new(private_key: &str) -> Result<Self, BadKey> {
        install_crypto();
        let bad = || BadKey("token_private_key");
        let document = STANDARD.decode(private_key).map_err(|_| bad())?;
        let pair = Ed25519KeyPair::from_pkcs8(&document).map_err(|_| bad())?;
        let public_key = STANDARD.encode(pair.public_key());
        Ok(Self { key: EncodingKey::from_ed_der(&document), public_key })
    }

    /// Base64 of the public key that goes with it.
    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// A token that is good from now on, by the machine's clock, for so long; and until when, in seconds since 1970.
    pub fn sign(&self, principal: Principal, life: Duration) -> JwtResult<(String, u64)> {
        let iat = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let exp = iat + life.as_secs();
        let (iss, aud) = (ISSUER.to_owned(), AUDIENCE.to_owned());
        let claims = Claims { iss, aud, sub: principal.account_id, role: principal.role, iat, exp };
        Ok((jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &self.key)?, exp))
    }
}

impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        if let Some(principal) = parts.extensions.get::<Self>() {
            return Ok(*principal);
        }
        let missing = || ApiError::new(Code::Unauthenticated, "send `Authorization: Bearer <token>`");
        let header = parts.headers.get("authorization").and_then(|value| value.to_str().ok()).ok_or_else(missing)?;
        let token = header.strip_prefix("Bearer ").ok_or_else(missing)?;
        let verifier = parts.extensions.get::<Arc<Verifier>>().ok_or_else(|| {
            ApiError::new(Code::Unauthenticated, "this service was started without a key to check tokens with")
        })?;
        let principal = verifier.verify(token)?;
        parts.extensions.insert(principal);
        Ok(principal)
    }
}

/// ring behind the library's interface, for EdDSA and nothing else.
fn install_crypto() {
    static RING: CryptoProvider = CryptoProvider {
        signer_factory: |algorithm, key| match algorithm {
            Algorithm::EdDSA => Ok(Box::new(RingSigner::new(key)?)),
            _ => Err(ErrorKind::InvalidAlgorithm.into()),
        },
        verifier_factory: |algorithm, key| match algorithm {
            Algorithm::EdDSA => Ok(Box::new(RingVerifier(key.try_get_as_bytes()?.to_vec()))),
            _ => Err(ErrorKind::InvalidAlgorithm.into()),
        },
        key_utils: KeyUtils::new_unimplemented(),
    };
    static ONCE: Once = Once::new();
    // An error means that there is one already; this crate is the only one that installs any.
    ONCE.call_once(|| {
        let _ = RING.install_default();
    });
}

struct RingSigner(Ed25519KeyPair);

impl RingSigner {
    fn new(key: &EncodingKey) -> JwtResult<Self> {
        Ed25519KeyPair::from_pkcs8(key.as_bytes()).map(Self).map_err(|_| ErrorKind::InvalidEddsaKey.into())
    }
}

impl SignatureSigner<Vec<u8>> for RingSigner {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

impl JwtSigner for RingSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct RingVerifier(Vec<u8>);

impl SignatureVerifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use uuid::Uuid;

    use super::*;

    fn signer() -> Signer {
        Signer::new(&STANDARD.encode(Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap())).unwrap()
    }

    fn principal() -> Principal {
        Principal::new(AccountId::from(Uuid::from_u128(7)), Role::Seller)
    }

    #[test]
    fn a_token_speaks_for_its_account_and_no_other_key_does() {
        let signer = signer();
        let (token, exp) = signer.sign(principal(), TOKEN_LIFE).unwrap();
        let speaks = Verifier::new(signer.public_key()).unwrap().verify(&token).unwrap();
        assert_eq!(speaks, Principal { exp: Some(exp), ..principal() });
        let other = Verifier::new(self::signer().public_key()).unwrap();
        assert_eq!(other.verify(&token).unwrap_err().code(), Code::Unauthenticated);
    }

    #[test]
    fn forged_and_old_tokens_are_told_apart() {
        let signer = signer();
        let verifier = Verifier::new(signer.public_key()).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let claims = |exp| Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: principal().account_id,
            role: Role::Admin,
            iat: now - 100,
            exp,
        };
        let header = Header::new(Algorithm::EdDSA);
        let old = jsonwebtoken::encode(&header, &claims(now - 60), &signer.key).unwrap();
        assert_eq!(verifier.verify(&old).unwrap_err().code(), Code::TokenExpired);
        let elsewhere = Claims { aud: "elsewhere".into(), ..claims(now + 60) };
        let elsewhere = jsonwebtoken::encode(&header, &elsewhere, &signer.key).unwrap();
        assert_eq!(verifier.verify(&elsewhere).unwrap_err().code(), Code::Unauthenticated);
        // The oldest trick: `alg: none` and no signature; and another's payload under a good signature.
        let payload = elsewhere.split('.').nth(1).unwrap();
        let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.");
        assert_eq!(verifier.verify(&none).unwrap_err().code(), Code::Unauthenticated);
        let (good, _) = signer.sign(principal(), TOKEN_LIFE).unwrap();
        let (head, signature) = (good.split('.').next().unwrap(), good.split('.').nth(2).unwrap());
        assert_eq!(
            verifier.verify(&format!("{head}.{payload}.{signature}")).unwrap_err().code(),
            Code::Unauthenticated
        );
    }
}
