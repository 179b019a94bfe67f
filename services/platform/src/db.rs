//! The service's database: its pool, its migrations, and what an error of it means.

use std::{
    io,
    ops::{Deref, DerefMut},
    str::FromStr,
    time::Duration,
};

use orderflow_contracts::{
    api::chaos::{CrashPoint, FaultName},
    words::read,
};
use serde::de::DeserializeOwned;
use sqlx::{
    Connection, PgConnection, PgPool, Postgres, Row, Transaction,
    migrate::{Migration, MigrationType, Migrator},
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions, PgRow},
};

use crate::chaos::Chaos;

/// Connections of a replica, and one more for its relay. Postgres has 100 by default, for five services.
const CONNECTIONS_MAX: u32 = 10;
/// How long a request waits for a connection.
const ACQUIRE_MAX: Duration = Duration::from_secs(5);
/// How long the database may take to be there when a service starts.
const START_MAX: Duration = Duration::from_secs(30);
/// Between two tries while it is not there.
const START_RETRY: Duration = Duration::from_millis(250);

/// A file of SQL: its version (the time in its name), its name and its text.
pub type MigrationFile = (i64, &'static str, &'static str);

/// What every service's database has; before the service's own.
const PLATFORM: &[MigrationFile] = &[
    (
        20_261_122_090_000,
        "create outbox, inbox",
        include_str!("../../../migrations/platform/20261122090000_create_outbox_inbox.sql"),
    ),
    (
        20_261_122_120_000,
        "create faults",
        include_str!("../../../migrations/platform/20261122120000_create_faults.sql"),
    ),
    (20_261_122_125_000, "add ops", include_str!("../../../migrations/platform/20261122125000_add_ops.sql")),
    (
        20_261_122_151_700,
        "index outbox by key",
        include_str!("../../../migrations/platform/20261122151700_index_outbox_by_key.sql"),
    ),
    (
        20_261_122_151_800,
        "create fault bites",
        include_str!("../../../migrations/platform/20261122151800_create_fault_bites.sql"),
    ),
    (
        20_261_122_183_000,
        "keep faults asked",
        include_str!("../../../migrations/platform/20261122183000_keep_faults_asked.sql"),
    ),
];

/// Why a service has no database.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL makes no sense. It is not shown: it has the password in it.
    #[error("database_url is not a URL of PostgreSQL")]
    Url,
    /// It cannot be reached, or does not let us in.
    #[error("the database could not be reached for {} s", START_MAX.as_secs())]
    Connect(#[source] sqlx::Error),
    /// Its tables could not be made or changed.
    #[error("the database could not be migrated")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

/// Connects, waits for the database if need be, and brings its tables up to date. Several replicas may do so at once.
pub async fn open(url: &str, service: &'static str, migrations: &[MigrationFile]) -> Result<PgPool, OpenError> {
    let options = PgConnectOptions::from_str(url).map_err(|_| OpenError::Url)?.application_name(service).options([
        ("lock_timeout", "10s"),
        ("statement_timeout", "20s"),
        // A connection that was lost in the middle of a transaction must not hold its locks for long.
        ("idle_in_transaction_session_timeout", "30s"),
        // A machine that is gone without a word must not keep the relay's lock for two hours.
        ("tcp_keepalives_idle", "10"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
        ("tcp_user_timeout", "30000"),
    ]);
    let pool =
        PgPoolOptions::new().max_connections(CONNECTIONS_MAX).acquire_timeout(ACQUIRE_MAX).connect_lazy_with(options);
    wait_for(&pool).await?;
    let all = PLATFORM.iter().chain(migrations).map(|(version, name, sql)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, sqlx::SqlStr::from_static(sql), false)
    });
    let mut migrator = Migrator::with_migrations(all.collect());
    // A replica of the version before may start while the next one is being rolled out.
    migrator.set_ignore_missing(true);
    let mut conn = pool.acquire().await.map_err(OpenError::Connect)?.detach();
    // A large table takes its time, and the other replicas wait for whoever came first.
    let patient = sqlx::query("set lock_timeout = 0").execute(&mut conn).await;
    patient.map_err(OpenError::Connect)?;
    sqlx::query("set statement_timeout = 0").execute(&mut conn).await.map_err(OpenError::Connect)?;
    migrator.run(&mut conn).await?;
    conn.close().await.map_err(OpenError::Connect)?;
    Ok(pool)
}

async fn wait_for(pool: &PgPool) -> Result<(), OpenError> {
    let deadline = tokio::time::Instant::now() + START_MAX;
    loop {
        match pool.acquire().await {
            Ok(_) => return Ok(()),
            Err(error) if tokio::time::Instant::now() > deadline => return Err(OpenError::Connect(error)),
            Err(error) => tracing::warn!(%error, "waiting for the database"),
        }
        tokio::time::sleep(START_RETRY).await;
    }
}

/// The service's database, with the faults that are made on purpose. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    pool: PgPool,
    chaos: Chaos,
}

impl Db {
    /// This pool, with these faults.
    pub const fn new(pool: PgPool, chaos: Chaos) -> Self {
        Self { pool, chaos }
    }

    /// The pool without the faults: for what has to work while they strike.
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The faults.
    pub const fn chaos(&self) -> &Chaos {
        &self.chaos
    }

    /// Begins a transaction. Dropped, it is rolled back.
    pub async fn begin(&self) -> Result<Tx, sqlx::Error> {
        self.suffer().await?;
        Ok(Tx { tx: self.open().await?, chaos: Some(self.chaos.clone()) })
    }

    /// A transaction that the faults spare: for what has to work while they strike.
    pub async fn begin_spared(&self) -> Result<Tx, sqlx::Error> {
        Ok(Tx { tx: self.open().await?, chaos: None })
    }

    async fn open(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let pool = self.pool.clone();
        // In a task of its own, which ends though the caller may not: of a BEGIN that is sent and not waited for, sqlx
        // knows nothing, and whoever has the connection next would write into a transaction that nobody commits.
        let begun = tokio::spawn(async move { pool.begin().await }).await;
        begun.map_err(|died| sqlx::Error::Io(io::Error::other(died)))?
    }

    /// A connection, for what needs no transaction.
    pub async fn acquire(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        self.suffer().await?;
        self.pool.acquire().await
    }

    async fn suffer(&self) -> Result<(), sqlx::Error> {
        self.chaos.delay(FaultName::DbSlow).await;
        match self.chaos.strikes(FaultName::DbRefused) {
            Some(_) => Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::ConnectionRefused, "refused on purpose"))),
            None => Ok(()),
        }
    }
}

/// A transaction of [`Db`].
pub struct Tx {
    tx: Transaction<'static, Postgres>,
    /// The faults that it suffers, if it does.
    chaos: Option<Chaos>,
}

impl Tx {
    /// Commits. If this fails, ask [`surely_not_committed`] what that means.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        let Some(chaos) = self.chaos else { return self.tx.commit().await };
        chaos.crash_at(CrashPoint::BeforeCommit).await;
        if let Some(strike) = chaos.strike(FaultName::CommitLost) {
            // Nobody who sees the error can know which of the two it was.
            if strike.number % 2 == 1 {
                self.tx.commit().await?;
            } else {
                self.tx.rollback().await?;
            }
            return Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::ConnectionReset, "broken on purpose")));
        }
        self.tx.commit().await?;
        chaos.crash_at(CrashPoint::AfterCommit).await;
        Ok(())
    }
}

impl Deref for Tx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.tx
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.tx
    }
}

/// What an error of the database means for whoever wanted something of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It may work the next time: the connection is gone, a lock was taken, the disk is full.
    Transient,
    /// These values will never be taken.
    Permanent,
}

/// Only an error about the values themselves is permanent, their size included, and a row that cannot be read: what is
/// about it would hold up everything else for ever, and can be replayed once it is mended. All else is worth another try,
/// even a table that is missing: the next version of the service may bring it, and nothing is lost by waiting.
pub fn meaning(error: &sqlx::Error) -> Meaning {
    // Class 22 is "data exception", 23 "integrity constraint violation", 54 "program limit exceeded": a text that is too
    // long for an index, as an example.
    let about_values = |code: &str| ["22", "23", "54"].iter().any(|class| code.starts_with(class));
    if matches!(error, sqlx::Error::ColumnDecode { .. }) {
        return Meaning::Permanent;
    }
    match error.as_database_error().and_then(sqlx::error::DatabaseError::code) {
        Some(code) if about_values(&code) => Meaning::Permanent,
        _ => Meaning::Transient,
    }
}

/// A column has something in it that this version of the service does not know, or lacks what must be there.
pub fn unknown(column: &str) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: "not a value that this version knows".into() }
}

/// The value whose word stands in a column.
pub fn word_of<T: DeserializeOwned>(row: &PgRow, column: &str) -> Result<T, sqlx::Error> {
    read(row.try_get(column)?).ok_or_else(|| unknown(column))
}

/// Whether the constraint of this name refused the values.
pub fn violates(error: &sqlx::Error, constraint: &str) -> bool {
    error.as_database_error().and_then(|error| error.constraint()) == Some(constraint)
}

/// Whether a commit that failed with this error was surely not done: the database itself says so. If the connection
/// broke, nobody knows.
pub fn surely_not_committed(error: &sqlx::Error) -> bool {
    // 57P01 to 57P03 are sent by a server that is going down, 08 is about the connection.
    let uncertain = |code: &str| code.starts_with("57P") || code.starts_with("08");
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| !uncertain(&code))
}

/// Whether the database answers.
pub async fn ping(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("select 1").execute(conn).await.map(drop)
}
