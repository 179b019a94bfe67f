//! Databases and their roles: each service has its own, and cannot connect to another's.
//!
//! ```text
//!   admin ──▶ create role r ──▶ create database d owner r ──▶ revoke connect on d from public
//! ```
//! Whoever makes or drops one holds an advisory lock, as PostgreSQL fails two that change its catalogue at one time.

use std::{str::FromStr, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{digest, hmac, pbkdf2, rand::SecureRandom};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions, query, query_scalar};

/// Longest time to reach a server, so that one that does not answer is an error.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// The advisory lock of everybody who makes or drops databases: "orderflo" in ASCII.
const LOCK: i64 = 0x6f72_6465_7266_6c6f;
/// How often the password is hashed; PostgreSQL's own default.
const SCRAM_ITERATIONS: u32 = 4096;

/// Makes sure that there are a role that can do nothing but log in with this password, and a database of its own that
/// no other role can connect to. Can be called again; the password is then set anew.
pub async fn ensure_database(admin_url: &str, database: &str, role: &str, password: &str) -> Result<(), sqlx::Error> {
    let mut admin = connect_locked(admin_url).await?;
    ensure_role(&mut admin, role, password).await?;
    let made = query_scalar::<_, bool>("select exists (select from pg_database where datname = $1)").bind(database);
    if !made.fetch_one(&mut admin).await? {
        run(&mut admin, format!("create database {} owner {}", identifier(database), identifier(role))).await?;
    }
    keep_private(&mut admin, database).await?;
    admin.close().await
}

/// Makes a database as a copy of another, for a role. Nobody may be connected to the other one meanwhile.
pub async fn create_from_template(
    admin_url: &str,
    database: &str,
    template: &str,
    owner: &str,
) -> Result<(), sqlx::Error> {
    let mut admin = connect_locked(admin_url).await?;
    let (name, template, owner) = (identifier(database), identifier(template), identifier(owner));
    run(&mut admin, format!("create database {name} template {template} owner {owner}")).await?;
    keep_private(&mut admin, database).await?;
    admin.close().await
}

/// Drops a database if it is there, and with it the connections to it.
pub async fn drop_database(admin_url: &str, database: &str) -> Result<(), sqlx::Error> {
    let mut admin = connect_locked(admin_url).await?;
    run(&mut admin, format!("drop database if exists {} with (force)", identifier(database))).await?;
    admin.close().await
}

/// Drops a role if it is there. It must own nothing any more.
pub async fn drop_role(admin_url: &str, role: &str) -> Result<(), sqlx::Error> {
    let mut admin = connect_locked(admin_url).await?;
    run(&mut admin, format!("drop role if exists {}", identifier(role))).await?;
    admin.close().await
}

/// The address of another database of the same server, for another role. Both must need no escaping. With a proxy's
/// port it leads there, on loopback.
pub(crate) fn url_for(
    admin_url: &str,
    role: &str,
    password: &str,
    database: &str,
    proxy: Option<u16>,
) -> Result<String, sqlx::Error> {
    let malformed = || sqlx::Error::Configuration("not a postgres://user@host URL".into());
    PgConnectOptions::from_str(admin_url)?;
    let (scheme, rest) = admin_url.split_once("://").ok_or_else(malformed)?;
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit('@').next().filter(|host| !host.is_empty()).ok_or_else(malformed)?;
    let host = proxy.map_or_else(|| host.to_owned(), |port| format!("127.0.0.1:{port}"));
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Ok(format!("{scheme}://{role}:{password}@{host}/{database}{query}"))
}

/// Connects, and logs none of the statements: there are passwords' hashes in them.
pub(crate) async fn connect(url: &str) -> Result<PgConnection, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?.application_name("orderflow-cluster").disable_statement_logging();
    let connected = tokio::time::timeout(CONNECT_MAX, options.connect()).await;
    connected.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

/// On our own server, everybody who may log in could connect to the databases that come with it.
pub(crate) async fn close_shared_databases(admin: &mut PgConnection) -> Result<(), sqlx::Error> {
    run(admin, "revoke connect on database postgres, template1 from public".into()).await
}

async fn connect_locked(admin_url: &str) -> Result<PgConnection, sqlx::Error> {
    let mut admin = connect(admin_url).await?;
    // Held until the connection ends.
    query("select pg_advisory_lock($1)").bind(LOCK).execute(&mut admin).await?;
    Ok(admin)
}

async fn ensure_role(admin: &mut PgConnection, role: &str, password: &str) -> Result<(), sqlx::Error> {
    let made = query_scalar::<_, bool>("select exists (select from pg_roles where rolname = $1)").bind(role);
    let verb = if made.fetch_one(&mut *admin).await? { "alter" } else { "create" };
    let verifier = literal(&scram_verifier(password, &salt()?));
    let attributes = "login nosuperuser nocreatedb nocreaterole";
    let name = identifier(role);
    run(admin, format!("{verb} role {name} {attributes} password {verifier}")).await?;
    // Only a member of a role may give it a database; a superuser is one of all.
    let member = query_scalar::<_, bool>("select pg_has_role(current_user, $1::text::regrole, 'member')").bind(&name);
    if !member.fetch_one(&mut *admin).await? {
        run(admin, format!("grant {name} to current_user")).await?;
    }
    Ok(())
}

async fn keep_private(admin: &mut PgConnection, database: &str) -> Result<(), sqlx::Error> {
    run(admin, format!("revoke connect, temporary on database {} from public", identifier(database))).await
}

/// Statements about roles and databases take no parameters; every name in them went through [`identifier`].
async fn run(admin: &mut PgConnection, statement: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(admin).await.map(drop)
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn salt() -> Result<[u8; 16], sqlx::Error> {
    let mut salt = [0; 16];
    let filled = ring::rand::SystemRandom::new().fill(&mut salt);
    filled.map(|()| salt).map_err(|_| sqlx::Error::Configuration("no random numbers".into()))
}

/// What PostgreSQL keeps instead of a password (RFC 5803), so that the password itself is in no statement and no log.
fn scram_verifier(password: &str, salt: &[u8]) -> String {
    let iterations = std::num::NonZeroU32::new(SCRAM_ITERATIONS).unwrap_or(std::num::NonZeroU32::MIN);
    let mut salted = [0; digest::SHA256_OUTPUT_LEN];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, password.as_bytes(), &mut salted);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let client = hmac::sign(&key, b"Client Key");
    let stored = STANDARD.encode(digest::digest(&digest::SHA256, client.as_ref()));
    let server = STANDARD.encode(hmac::sign(&key, b"Server Key"));
    format!("SCRAM-SHA-256${SCRAM_ITERATIONS}:{}${stored}:{server}", STANDARD.encode(salt))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_are_quoted() {
        assert_eq!(identifier(r#"a"b"#), r#""a""b""#);
        assert_eq!(literal("a'b"), "'a''b'");
    }

    #[test]
    fn an_address_keeps_host_and_options() {
        let admin = "postgres://admin:p%40w@db.example:6543/postgres?sslmode=require";
        let url = url_for(admin, "r", "pw", "d", None).unwrap();
        assert_eq!(url, "postgres://r:pw@db.example:6543/d?sslmode=require");
        let through = url_for(admin, "r", "pw", "d", Some(4001)).unwrap();
        assert_eq!(through, "postgres://r:pw@127.0.0.1:4001/d?sslmode=require");
        assert_eq!(url_for("postgres://admin@localhost", "r", "pw", "d", None).unwrap(), "postgres://r:pw@localhost/d");
        assert!(url_for("nonsense", "r", "pw", "d", None).is_err());
    }
}
