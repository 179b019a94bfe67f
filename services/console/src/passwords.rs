//! Passwords: Argon2id, never kept, never logged. Hashing takes time and memory on purpose, so it is done a few at a
//! time and away from the threads that answer requests.

use std::sync::{Arc, LazyLock};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use orderflow_contracts::problem::Code;
use orderflow_platform::http::ApiError;
use tokio::sync::Semaphore;

/// Hashes at once. Each takes 19 MiB.
const AT_ONCE: usize = 4;

static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(AT_ONCE)));

/// The hash of a password, with the parameters and the salt in it.
pub async fn hash(password: String) -> Result<String, ApiError> {
    in_turn(move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()))
        .await?
        .map_err(|error| ApiError::internal("a password could not be hashed", error.to_string()))
}

/// Whether the password is the one of the hash. Without a hash it takes as long, and is no: how long an answer takes
/// does not tell whether there is such an account.
pub async fn verify(password: String, hash: Option<String>) -> Result<bool, ApiError> {
    in_turn(move || {
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODYS.clone());
        let is_right = PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        exists && is_right
    })
    .await
}

/// The hash of a password that nobody has.
static NOBODYS: LazyLock<String> = LazyLock::new(|| {
    let nobodys = Argon2::default().hash_password(uuid::Uuid::new_v4().as_bytes());
    nobodys.map(|hash| hash.to_string()).unwrap_or_default()
});

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    let turn = Arc::clone(&TURNS).acquire_owned().await;
    let turn = turn.map_err(|_| ApiError::new(Code::Overloaded, "the service is stopping"))?;
    // The turn goes with the work, which goes on though its client may be gone.
    let work = move || {
        let _turn = turn;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::internal("hashing died", error))
}
