//! Accounts, and the sessions of those who have logged in.

use std::time::Duration;

use orderflow_contracts::{
    api::console::{Account, Role, SignUp},
    ids::AccountId,
    problem::Code,
    words::{read, word},
};
use orderflow_platform::{
    db::{Db, violates},
    http::ApiError,
    text::is_unseen,
};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::passwords;

/// Accounts of a cluster on one machine. Everybody knows their passwords; they stand in the README.
const TEST_ACCOUNTS: [(&str, &str, Role); 3] = [
    ("user@orderflow.io", "User1234!", Role::Customer),
    ("seller@orderflow.io", "Seller123!", Role::Seller),
    ("admin@orderflow.io", "Admin123!", Role::Admin),
];
/// How long a session can be continued without a password.
const SESSION_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// For so long a refresh token may be used again, since two programs may share one and ask at the same time.
const REUSE_GRACE: Duration = Duration::from_secs(60);
/// Longest e-mail address, in bytes.
const EMAIL_BYTES_MAX: usize = 254;
/// Shortest and longest password, in characters.
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 8..=128;

/// Makes the test accounts that are missing. Faults spare it: one that kept this service from starting could not be
/// taken back, since whoever takes it back has to log in.
pub async fn seed(db: &Db) -> Result<(), ApiError> {
    for (email, password, role) in TEST_ACCOUNTS {
        let mut tx = db.begin_spared().await?;
        if by_email(&mut tx, email).await?.is_none() {
            let hash = passwords::hash(password.to_owned()).await?;
            match insert(&mut tx, email, role, &hash, None).await {
                Ok(_) => tx.commit().await?,
                // Another replica was faster.
                Err(Refused::EmailTaken) => {}
                Err(Refused::Database(error)) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

enum Refused {
    EmailTaken,
    Database(sqlx::Error),
}

/// An account that may be opened.
pub struct NewAccount {
    email: String,
    role: Role,
    password_hash: String,
    /// The hash of the request's idempotency key.
    key: Option<Vec<u8>>,
}

/// Checks what somebody wants to sign up with, and hashes the password: that takes long, so it is done before there is
/// a transaction. `key` is the hash of the request's idempotency key.
pub async fn checked(new: SignUp, key: Option<Vec<u8>>) -> Result<NewAccount, ApiError> {
    let refused = |detail: String| ApiError::new(Code::ValidationFailed, detail);
    if new.role == Role::Admin {
        return Err(refused("role is customer or seller".to_owned()));
    }
    let email = email_of(&new.email).ok_or_else(|| refused("email is not an e-mail address".to_owned()))?;
    if !PASSWORD_CHARS.contains(&new.password.chars().count()) {
        let (least, most) = (PASSWORD_CHARS.start(), PASSWORD_CHARS.end());
        return Err(refused(format!("password has {least} to {most} characters")));
    }
    Ok(NewAccount { email, role: new.role, password_hash: passwords::hash(new.password).await?, key })
}

/// Opens an account.
pub async fn open(conn: &mut PgConnection, new: &NewAccount) -> Result<Account, ApiError> {
    let NewAccount { email, role, password_hash, key } = new;
    insert(conn, email, *role, password_hash, key.as_deref()).await.map_err(|refused| match refused {
        Refused::EmailTaken => ApiError::new(Code::EmailTaken, "there is an account with this e-mail address; log in"),
        Refused::Database(error) => error.into(),
    })
}

/// The account that was opened before with this address, role and idempotency key, and its password's hash. It is
/// theirs who know the password.
pub async fn opened_before(
    conn: &mut PgConnection,
    new: &NewAccount,
) -> Result<Option<(Account, String)>, sqlx::Error> {
    let row: Option<AccountRow> = sqlx::query_as(
        "select id, email, role, password_hash from accounts where email = $1 and role = $2 and sign_up_key = $3",
    )
    .bind(&new.email)
    .bind(word(new.role))
    .bind(&new.key)
    .fetch_optional(conn)
    .await?;
    row.map(account_of).transpose()
}

/// An e-mail address as it is kept; none if it is none.
pub fn email_of(text: &str) -> Option<String> {
    let email = text.trim().to_lowercase();
    let parts = email.split_once('@');
    let is_one = email.len() <= EMAIL_BYTES_MAX
        && !email.chars().any(|c| c.is_whitespace() || is_unseen(c))
        && parts.is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty() && !domain.contains('@'));
    is_one.then_some(email)
}

async fn insert(
    conn: &mut PgConnection,
    email: &str,
    role: Role,
    hash: &str,
    key: Option<&[u8]>,
) -> Result<Account, Refused> {
    let id = Uuid::now_v7();
    let insert = "insert into accounts (id, email, role, password_hash, sign_up_key) values ($1, $2, $3, $4, $5)";
    let insert = sqlx::query(insert).bind(id).bind(email).bind(word(role)).bind(hash).bind(key);
    let inserted = insert.execute(conn).await;
    match inserted {
        Ok(_) => Ok(Account { id: id.into(), email: email.to_owned(), role }),
        Err(error) if violates(&error, "accounts_email_unique") => Err(Refused::EmailTaken),
        Err(error) => Err(Refused::Database(error)),
    }
}

type AccountRow = (Uuid, String, String, String);

fn account_of((id, email, role, hash): AccountRow) -> Result<(Account, String), sqlx::Error> {
    let unknown = || sqlx::Error::ColumnDecode { index: "role".into(), source: "not a role".into() };
    Ok((Account { id: id.into(), email, role: read(&role).ok_or_else(unknown)? }, hash))
}

async fn by_email(conn: &mut PgConnection, email: &str) -> Result<Option<(Account, String)>, sqlx::Error> {
    let row: Option<AccountRow> =
        sqlx::query_as("select id, email, role, password_hash from accounts where email = $1")
            .bind(email)
            .fetch_optional(conn)
            .await?;
    row.map(account_of).transpose()
}

/// An account.
pub async fn by_id(conn: &mut PgConnection, id: AccountId) -> Result<Option<Account>, sqlx::Error> {
    let row: Option<AccountRow> = sqlx::query_as("select id, email, role, password_hash from accounts where id = $1")
        .bind(Uuid::from(id))
        .fetch_optional(conn)
        .await?;
    Ok(row.map(account_of).transpose()?.map(|(account, _)| account))
}

/// An account, and the hash of its password.
pub struct Known(Account, String);

/// The account with this address, if there is one.
pub async fn known(conn: &mut PgConnection, email: Option<&str>) -> Result<Option<Known>, sqlx::Error> {
    let Some(email) = email else { return Ok(None) };
    Ok(by_email(conn, email).await?.map(|(account, hash)| Known(account, hash)))
}

/// The account, if this is its password. Without an account it takes as long.
pub async fn log_in(known: Option<Known>, password: String) -> Result<Account, ApiError> {
    let (account, hash) = known.map(|Known(account, hash)| (account, hash)).unzip();
    let is_right = passwords::verify(password, hash).await?;
    account.filter(|_| is_right).ok_or_else(wrong)
}

fn wrong() -> ApiError {
    ApiError::new(Code::InvalidCredentials, "e-mail address or password is wrong")
}

fn over() -> ApiError {
    ApiError::new(Code::InvalidCredentials, "the session is over; log in again")
}

fn hash_of(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// A refresh token for the account: of a new family, or of that of the token before it.
pub async fn issue_refresh_token(
    conn: &mut PgConnection,
    account_id: AccountId,
    family: Uuid,
) -> Result<String, ApiError> {
    let mut bytes = [0; 32];
    let drawn = SystemRandom::new().fill(&mut bytes);
    drawn.map_err(|_| ApiError::internal("no random bytes", "the system gave none"))?;
    let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    sqlx::query(
        "insert into refresh_tokens (hash, account_id, family, expires_at)
         values ($1, $2, $3, clock_timestamp() + make_interval(secs => $4))",
    )
    .bind(hash_of(&token))
    .bind(Uuid::from(account_id))
    .bind(family)
    .bind(SESSION_LIFE.as_secs_f64())
    .execute(&mut *conn)
    .await?;
    // A few of those that are too old go with every new one.
    sqlx::query(
        "delete from refresh_tokens where hash in (
             select hash from refresh_tokens where expires_at < clock_timestamp() limit 10 for update skip locked)",
    )
    .execute(conn)
    .await?;
    Ok(token)
}

/// What became of a refresh token that was shown.
pub enum Shown {
    /// It is used now: the account, and the family for the next one.
    Good(Account, Uuid),
    /// It was used before. Its family, of this account, is over: somebody has a copy.
    Stolen(AccountId),
}

/// Uses a refresh token.
pub async fn use_refresh_token(conn: &mut PgConnection, token: &str) -> Result<Shown, ApiError> {
    lock_family(conn, token).await?.ok_or_else(over)?;
    let row: Option<(Uuid, Uuid, bool)> = sqlx::query_as(
        "select account_id, family, coalesce(used_at < clock_timestamp() - make_interval(secs => $2), false)
         from refresh_tokens where hash = $1 and not revoked and expires_at > clock_timestamp() for update",
    )
    .bind(hash_of(token))
    .bind(REUSE_GRACE.as_secs_f64())
    .fetch_optional(&mut *conn)
    .await?;
    let (account_id, family, used_before) = row.ok_or_else(over)?;
    if used_before {
        end_family(conn, family).await?;
        return Ok(Shown::Stolen(account_id.into()));
    }
    sqlx::query("update refresh_tokens set used_at = coalesce(used_at, clock_timestamp()) where hash = $1")
        .bind(hash_of(token))
        .execute(&mut *conn)
        .await?;
    Ok(Shown::Good(by_id(conn, account_id.into()).await?.ok_or_else(over)?, family))
}

/// Locks the session that a refresh token belongs to until the transaction ends; its account and its family. Whoever ends
/// it does not see a token that is being added to it: one of the two waits, and then sees what the other has done.
async fn lock_family(conn: &mut PgConnection, token: &str) -> Result<Option<(AccountId, Uuid)>, sqlx::Error> {
    let found: Option<(Uuid, Uuid)> = sqlx::query_as("select account_id, family from refresh_tokens where hash = $1")
        .bind(hash_of(token))
        .fetch_optional(&mut *conn)
        .await?;
    let Some((account_id, family)) = found else { return Ok(None) };
    // Random bits; should they be those of another lock, somebody waits for nothing.
    let (_, key) = family.as_u64_pair();
    sqlx::query("select pg_advisory_xact_lock($1)").bind(key.cast_signed()).execute(conn).await?;
    Ok(Some((account_id.into(), family)))
}

/// What [`Shown::Stolen`] is answered with, once the end of the family is committed.
pub fn stolen() -> ApiError {
    over()
}

/// Ends the session that a refresh token belongs to; whose it was. One that is not known is over already.
pub async fn log_out(conn: &mut PgConnection, token: &str) -> Result<Option<Account>, ApiError> {
    let Some((account_id, family)) = lock_family(conn, token).await? else { return Ok(None) };
    if !end_family(conn, family).await? {
        return Ok(None);
    }
    Ok(by_id(conn, account_id).await?)
}

/// Ends a session that is locked; whether it was not over already.
async fn end_family(conn: &mut PgConnection, family: Uuid) -> Result<bool, sqlx::Error> {
    let ended = sqlx::query("update refresh_tokens set revoked = true where family = $1 and not revoked");
    Ok(ended.bind(family).execute(conn).await?.rows_affected() > 0)
}
