//! Opens the database: connection options per kind, timeouts and retries.

use std::{
    io,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use log::LevelFilter;
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbBackend, DbErr, RuntimeErr};
use secrecy::ExposeSecret;
use sqlx::sqlite::{SqliteConnectOptions, SqliteError, SqliteJournalMode, SqliteSynchronous};

use super::{
    Store, connection::Connection, error::is_unavailable, file, migrate::MigrationError, pooler,
    schema::Namespace,
};
use crate::settings::{self, Pooler};

/// How long a request waits for a connection. Shorter than `server.request_timeout`, so that the
/// response names the database as the cause; long enough for a quick restart of the database to
/// pass without errors.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a write to a SQLite file waits for a write by another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long [`Store::open`] retries: the database's container may start at the same time.
const CONNECT_DEADLINE: Duration = Duration::from_secs(30);
/// Pause between two attempts of [`Store::open`].
const RETRY_DELAY: Duration = Duration::from_millis(500);
/// A connection that has been idle for longer is pinged before it is used. A ping before every use
/// would add a round trip to each request.
const PING_AFTER_IDLE: Duration = Duration::from_secs(1);
/// A statement that takes longer is logged, without its values.
const SLOW_STATEMENT: Duration = Duration::from_secs(1);

/// Why the database cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The connection failed permanently: the URL, the password or the database must change first.
    /// The message does not contain the URL, which may contain a password.
    #[error("cannot open the database of database.url (DATABASE_URL): {}{}", driver_message(.0), hint(.0))]
    Connect(#[source] DbErr),
    /// The database did not answer in time, or is shutting down.
    #[error("the database of database.url (DATABASE_URL) does not answer: {}; check that it is running and that the URL is right", driver_message(.0))]
    Unavailable(#[source] DbErr),
    /// The SQLite file or its directory cannot be created or written.
    #[error("cannot create or write {path} (from database.url, DATABASE_URL): {source}")]
    File {
        /// The file or directory.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// The tables could not be migrated to the version that this server needs.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

/// Returns the driver's message without the context that the mapper adds.
fn driver_message(error: &DbErr) -> String {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(source)) => source.to_string(),
        // The driver's message contains the URL.
        DbErr::Conn(RuntimeErr::Internal(_)) => "not a valid database URL".to_owned(),
        _ => error.to_string(),
    }
}

/// Suggests a fix for common server errors.
fn hint(error: &DbErr) -> &'static str {
    let DbErr::Conn(RuntimeErr::SqlxError(source)) = error else {
        return "";
    };
    let code = source
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    match code.as_deref() {
        // SQLSTATE codes of PostgreSQL and MySQL.
        Some("28P01" | "28000") => ". Check the user name and the password in the URL",
        Some("3D000") => ". Create the database first: CREATE DATABASE name",
        Some("42000") => ". Create the database first, and grant it to the user",
        _ => "",
    }
}

/// State of the database's schema.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaStatus {
    /// The SQLite file does not exist; `serve` creates it.
    NoFile(PathBuf),
    /// All migrations are applied. Holds the kind of database.
    UpToDate(&'static str),
    /// The named migrations are pending; `serve` applies them. Holds the kind of database.
    Behind(&'static str, Vec<String>),
}

impl OpenError {
    fn from_connect(error: DbErr) -> Self {
        if is_transient(&error) {
            Self::Unavailable(error)
        } else {
            Self::Connect(error)
        }
    }
}

impl Store {
    /// Connects and applies pending migrations. Waits up to 30 s for the database to become
    /// available.
    ///
    /// # Errors
    /// [`OpenError`] if the database cannot be opened or migrated.
    pub async fn open(settings: &settings::Database) -> Result<Self, OpenError> {
        let deadline = tokio::time::Instant::now() + CONNECT_DEADLINE;
        loop {
            // Boxed to keep the caller's future small.
            match Box::pin(Self::try_open(settings)).await {
                Err(OpenError::Unavailable(error)) if tokio::time::Instant::now() < deadline => {
                    tracing::warn!(
                        "the database is not available yet: {}",
                        driver_message(&error)
                    );
                    tokio::time::sleep(RETRY_DELAY).await;
                }
                result => return result,
            }
        }
    }

    async fn try_open(settings: &settings::Database) -> Result<Self, OpenError> {
        let store = Self::connect(settings).await?;
        match store.migrate().await {
            Ok(()) => Ok(store),
            Err(MigrationError::Database(error)) if is_transient(&error) => {
                Err(OpenError::Unavailable(error))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Reports whether migrations are pending. Changes nothing and does not create a SQLite file.
    ///
    /// # Errors
    /// [`OpenError`] if the database cannot be opened, or has the schema of a newer version.
    pub async fn schema_status(settings: &settings::Database) -> Result<SchemaStatus, OpenError> {
        if let Some(file) = sqlite_path(settings.url.expose_secret())?
            && !file.exists()
        {
            return Ok(SchemaStatus::NoFile(file));
        }
        let store = Self::connect(settings).await?;
        let pending = store.pending().await?;
        Ok(if pending.is_empty() {
            SchemaStatus::UpToDate(store.kind())
        } else {
            SchemaStatus::Behind(store.kind(), pending)
        })
    }

    async fn connect(settings: &settings::Database) -> Result<Self, OpenError> {
        let url = settings.url.expose_secret();
        if url.starts_with("sqlite:") {
            return Self::connect_sqlite(settings).await;
        }
        let connection = Database::connect(options(url, settings.max_connections))
            .await
            .map_err(OpenError::from_connect)?;
        let connection = wrap(connection, settings).await;
        Ok(Self {
            reads: connection.clone(),
            writes: connection,
        })
    }

    async fn connect_sqlite(settings: &settings::Database) -> Result<Self, OpenError> {
        let url = settings.url.expose_secret();
        let file = sqlite_path(url)?;
        let in_memory = file.is_none();
        if let Some(path) = file {
            create_file(&path)?;
        }
        let open = async |connections: u32| {
            let mut options = options(url, connections);
            if in_memory {
                // The database is dropped with its connection.
                options.idle_timeout(None).max_lifetime(None);
            }
            options.map_sqlx_sqlite_opts(|sqlite| {
                sqlite
                    .foreign_keys(true)
                    .busy_timeout(BUSY_TIMEOUT)
                    .journal_mode(SqliteJournalMode::Wal)
                    // A committed write survives a power failure, not only a crash of this process.
                    .synchronous(SqliteSynchronous::Full)
            });
            Database::connect(options)
                .await
                .map_err(OpenError::from_connect)
        };
        // The writer is opened first because it switches the journal to WAL.
        let writes = open(1).await?;
        // Each connection to an in-memory database has its own database.
        let reads = if in_memory {
            writes.clone()
        } else {
            open(settings.max_connections).await?
        };
        Ok(Self {
            reads: wrap(reads, settings).await,
            writes: wrap(writes, settings).await,
        })
    }
}

/// Adds the schema, and determines whether a pooler shares sessions.
async fn wrap(pool: DatabaseConnection, settings: &settings::Database) -> Connection {
    let backend = pool.get_database_backend();
    let shares_sessions = backend == DbBackend::Postgres
        && match settings.pooler {
            Pooler::Transaction => true,
            Pooler::Auto => pooler::shares_sessions(pool.get_postgres_connection_pool()).await,
            Pooler::Session => false,
        };
    let namespace = Namespace::new(backend, &settings.schema);
    Connection::new(pool, namespace, settings.pooler, shares_sessions)
}

/// Returns the path of a SQLite database, or `None` for other databases and in-memory ones.
fn sqlite_path(url: &str) -> Result<Option<PathBuf>, OpenError> {
    if !url.starts_with("sqlite:") {
        return Ok(None);
    }
    let invalid =
        |error: sqlx::Error| OpenError::Connect(DbErr::Conn(RuntimeErr::SqlxError(error.into())));
    let parsed = SqliteConnectOptions::from_str(url).map_err(invalid)?;
    let path = parsed.get_filename();
    // sqlx replaces ":memory:" with this name.
    let in_memory =
        path.to_string_lossy().starts_with("file:sqlx-in-memory-") || url.contains("mode=memory");
    Ok((!in_memory).then(|| path.to_owned()))
}

/// Creates the file and its directory, accessible only to the current user.
fn create_file(path: &Path) -> Result<(), OpenError> {
    let file_error = |path: &Path, source| OpenError::File {
        path: path.display().to_string(),
        source,
    };
    if let Some(directory) = path
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty())
    {
        file::create_directory(directory).map_err(|source| file_error(directory, source))?;
    }
    file::create_file(path).map_err(|source| file_error(path, source))
}

fn options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.replacen("mariadb:", "mysql:", 1));
    options
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_timeout(ACQUIRE_TIMEOUT)
        // RUST_LOG=sqlx=debug logs every statement, without the values, which may be secret.
        .sqlx_logging_level(LevelFilter::Debug)
        .sqlx_slow_statements_logging_settings(LevelFilter::Warn, SLOW_STATEMENT)
        .test_before_acquire_if_idle_for(PING_AFTER_IDLE)
        // PgBouncer rejects this startup parameter, and no column has a fraction.
        .map_sqlx_postgres_opts(|postgres| postgres.extra_float_digits(None))
        .map_sqlx_mysql_opts(|mysql| {
            // Times are UTC regardless of the server's time zone; text is compared byte by byte.
            mysql
                .timezone(Some("+00:00".to_owned()))
                .collation("utf8mb4_bin")
        });
    options
}

/// Reports whether a later attempt can succeed without a change by the operator. A rejected
/// password, an unknown database, an invalid certificate or a read-only file are permanent.
fn is_transient(error: &DbErr) -> bool {
    let source = match error {
        DbErr::Conn(RuntimeErr::SqlxError(source))
        | DbErr::Exec(RuntimeErr::SqlxError(source))
        | DbErr::Query(RuntimeErr::SqlxError(source)) => &**source,
        _ => return is_unavailable(error),
    };
    match source {
        sqlx::Error::Tls(_) => false,
        sqlx::Error::Database(error) if error.try_downcast_ref::<SqliteError>().is_some() => {
            is_busy(error.code().as_deref())
        }
        _ => is_unavailable(error),
    }
}

/// Reports whether another process is writing, or is switching the journal of a new file to WAL;
/// `busy_timeout` does not cover the latter.
fn is_busy(code: Option<&str>) -> bool {
    matches!(
        code.and_then(|code| code.parse::<u32>().ok())
            .map(|code| code & 0xff),
        Some(5 | 6)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn driver_messages_with_the_url_are_replaced() {
        for url in [
            "postgres://bear:hunter2/x@db/app",
            "mysql://bear:hunter2@db:99999/app",
        ] {
            let error = Database::connect(url).await.expect_err(url);
            assert!(
                matches!(&error, DbErr::Conn(RuntimeErr::Internal(message)) if message.contains("hunter2")),
                "{error}"
            );
            let message = OpenError::from_connect(error).to_string();
            assert!(
                message.contains("DATABASE_URL") && !message.contains("hunter2"),
                "{message}"
            );
        }
    }
}
