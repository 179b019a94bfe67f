//! Passwords and keys.

use std::{collections::BTreeMap, fs, io, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    rand::{SecureRandom, SystemRandom},
    signature::{Ed25519KeyPair, KeyPair},
};
use serde::{Deserialize, Serialize};

use crate::{files::write_private, spec::SERVICES};

/// 128 random bits, as 32 hexadecimal digits.
pub(crate) fn random_hex() -> io::Result<String> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(uuid::Uuid::from_bytes(bytes).simple().to_string())
}

/// `secrets.json`: made once, and kept as long as the data are.
#[derive(Serialize, Deserialize)]
pub(crate) struct Secrets {
    /// The password of each service's role.
    pub(crate) postgres_passwords: BTreeMap<String, String>,
    /// What the payment provider and its one customer share.
    pub(crate) provider_key: String,
    /// The console's, as a PKCS#8 document in base64.
    pub(crate) token_private_key: String,
    /// The 32 bytes of the Ed25519 key that goes with it, in base64.
    pub(crate) token_public_key: String,
    /// The administrator's URL of somebody else's server, so that a reset finds the databases that were made there.
    pub(crate) external_postgres: Option<String>,
}

impl Secrets {
    pub(crate) fn read(path: &Path) -> io::Result<Option<Self>> {
        match fs::read(path) {
            Ok(json) => Ok(Some(serde_json::from_slice(&json)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn read_or_make(path: &Path, external_postgres: Option<&str>) -> io::Result<Self> {
        let mut secrets = Self::read(path)?.map_or_else(Self::make, Ok)?;
        if let Some(url) = external_postgres {
            secrets.external_postgres = Some(url.to_owned());
        }
        write_private(path, &serde_json::to_vec_pretty(&secrets)?)?;
        Ok(secrets)
    }

    fn make() -> io::Result<Self> {
        let failed = || io::Error::other("no signing key could be made");
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| failed())?;
        let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).map_err(|_| failed())?;
        let passwords = SERVICES.iter().map(|service| Ok(((*service).to_owned(), random_hex()?)));
        Ok(Self {
            postgres_passwords: passwords.collect::<io::Result<_>>()?,
            provider_key: random_hex()?,
            token_private_key: STANDARD.encode(&document),
            token_public_key: STANDARD.encode(pair.public_key()),
            external_postgres: None,
        })
    }

    pub(crate) fn password(&self, service: &str) -> &str {
        self.postgres_passwords.get(service).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use ring::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    #[test]
    fn secrets_are_made_once_and_for_us_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.json");
        let first = Secrets::read_or_make(&path, None).unwrap();
        let second = Secrets::read_or_make(&path, Some("postgres://a@b")).unwrap();
        assert_eq!(first.provider_key, second.provider_key);
        assert_eq!(first.password("orders"), second.password("orders"));
        assert_eq!(first.password("orders").len(), 32);
        assert_ne!(first.password("orders"), first.password("console"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let third = Secrets::read(&path).unwrap().unwrap();
        assert_eq!(third.external_postgres.as_deref(), Some("postgres://a@b"));
    }

    #[test]
    fn the_keys_are_a_pair() {
        let secrets = Secrets::make().unwrap();
        let private = STANDARD.decode(&secrets.token_private_key).unwrap();
        let public = STANDARD.decode(&secrets.token_public_key).unwrap();
        let signature = Ed25519KeyPair::from_pkcs8(&private).unwrap().sign(b"text");
        assert_eq!(public.len(), 32);
        UnparsedPublicKey::new(&ED25519, public).verify(b"text", signature.as_ref()).unwrap();
    }
}
