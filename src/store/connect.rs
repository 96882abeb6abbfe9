//! Opening the database: how each kind is spoken to, and how long it may take.

use std::{
    io,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use log::LevelFilter;
use sea_orm::{ConnectOptions, Database, DbErr, RuntimeErr};
use secrecy::ExposeSecret;
use sqlx::sqlite::{SqliteConnectOptions, SqliteError, SqliteJournalMode, SqliteSynchronous};

use super::{Store, error::is_away, file, migrate::MigrationError};
use crate::settings;

/// How long a request waits for a connection: less than `server.request_timeout`, so that the
/// answer says what is missing, and long enough that a database which restarts within it costs
/// nobody an error.
const ACQUIRE: Duration = Duration::from_secs(5);
/// How long a write waits for another process's write to the same SQLite file.
const BUSY: Duration = Duration::from_secs(10);
/// How long a database may take to come up beside us: a container that starts at the same moment.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(500);
/// How long a connection may have been idle to be used without a ping first. The pool itself pings
/// whatever comes back to it, so only what has happened since is unknown; a ping before each use
/// would cost each request another round trip.
const TRUSTED: Duration = Duration::from_secs(1);
/// A statement that takes longer is told in the log, without its values.
const SLOW: Duration = Duration::from_secs(1);

/// The database cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No connection came about, and none will until somebody changes the address, the password or
    /// the database. The address is not shown: it may hold a password.
    #[error("cannot open the database of database.url (DATABASE_URL): {}{}", told(.0), advice(.0))]
    Connect(#[source] DbErr),
    /// It did not answer in time, or goes down just now.
    #[error("the database of database.url (DATABASE_URL) does not answer: {}; is it up, and does the address lead to it?", told(.0))]
    Away(#[source] DbErr),
    /// The SQLite file, or the folder that it lies in.
    #[error("cannot make or write {path}, which database.url (DATABASE_URL) names: {source}")]
    File {
        /// Which.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// Its tables are not as this version needs them.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

/// What a person can act on, without the layers above it.
fn told(error: &DbErr) -> String {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(source)) => source.to_string(),
        // These words repeat the address.
        DbErr::Conn(RuntimeErr::Internal(_)) => "the address is no URL of a database".to_owned(),
        _ => error.to_string(),
    }
}

/// What to do about the refusals that people meet.
fn advice(error: &DbErr) -> &'static str {
    let DbErr::Conn(RuntimeErr::SqlxError(source)) = error else {
        return "";
    };
    let code = source
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    match code.as_deref() {
        // PostgreSQL and MySQL, the latter by SQLSTATE.
        Some("28P01" | "28000") => ". Check the user and the password in it",
        Some("3D000") => ". Create the database first: CREATE DATABASE name",
        Some("42000") => ". Create the database first, and grant it to the user",
        _ => "",
    }
}

/// What a look at a database has found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaStatus {
    /// A SQLite file that is not there yet: `serve` makes it.
    NoFile(PathBuf),
    /// The tables of this version, in a database of this kind.
    UpToDate(&'static str),
    /// Migrations by name that are still to do: `serve` does them.
    Behind(&'static str, Vec<String>),
}

impl OpenError {
    fn connecting(error: DbErr) -> Self {
        if may_come(&error) {
            Self::Away(error)
        } else {
            Self::Connect(error)
        }
    }
}

impl Store {
    /// Connects and brings the tables up to date, waiting up to 30 s for a database that is just
    /// starting.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(settings: &settings::Database) -> Result<Self, OpenError> {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            // Boxed: it is deep, and would lie within the future of whoever starts a server.
            match Box::pin(Self::open_now(settings)).await {
                Err(OpenError::Away(error)) if tokio::time::Instant::now() < until => {
                    tracing::warn!("the database is not there yet: {}", told(&error));
                    tokio::time::sleep(PAUSE).await;
                }
                done => return done,
            }
        }
    }

    async fn open_now(settings: &settings::Database) -> Result<Self, OpenError> {
        let store = Self::connect(settings).await?;
        match store.migrate().await {
            Ok(()) => Ok(store),
            Err(MigrationError::Database(error)) if may_come(&error) => Err(OpenError::Away(error)),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks whether the tables are those of this version; makes and changes nothing.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn look(settings: &settings::Database) -> Result<SchemaStatus, OpenError> {
        if let Some(file) = file_of(settings.url.expose_secret())?
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
            return Self::sqlite(url, settings.max_connections).await;
        }
        let connection = Database::connect(options(url, settings.max_connections))
            .await
            .map_err(OpenError::connecting)?;
        Ok(Self {
            reads: connection.clone(),
            writes: connection,
        })
    }

    async fn sqlite(url: &str, readers: u32) -> Result<Self, OpenError> {
        let file = file_of(url)?;
        let in_memory = file.is_none();
        if let Some(path) = file {
            make(&path)?;
        }
        let open = async |connections: u32| {
            let mut options = options(url, connections);
            if in_memory {
                // It ends with its connection.
                options.idle_timeout(None).max_lifetime(None);
            }
            options.map_sqlx_sqlite_opts(|sqlite| {
                sqlite
                    .foreign_keys(true)
                    .busy_timeout(BUSY)
                    .journal_mode(SqliteJournalMode::Wal)
                    // An acknowledged write survives a power cut, not only the end of this process.
                    .synchronous(SqliteSynchronous::Full)
            });
            Database::connect(options)
                .await
                .map_err(OpenError::connecting)
        };
        // The writer first: it turns the journal to WAL.
        let writes = open(1).await?;
        // A database in memory is its connection's own.
        let reads = if in_memory {
            writes.clone()
        } else {
            open(readers).await?
        };
        Ok(Self { reads, writes })
    }
}

/// The file of a SQLite database that is not in memory.
fn file_of(url: &str) -> Result<Option<PathBuf>, OpenError> {
    if !url.starts_with("sqlite:") {
        return Ok(None);
    }
    let wrong =
        |error: sqlx::Error| OpenError::Connect(DbErr::Conn(RuntimeErr::SqlxError(error.into())));
    let parsed = SqliteConnectOptions::from_str(url).map_err(wrong)?;
    let path = parsed.get_filename();
    // The name is the library's own for ":memory:".
    let in_memory =
        path.to_string_lossy().starts_with("file:sqlx-in-memory-") || url.contains("mode=memory");
    Ok((!in_memory).then(|| path.to_owned()))
}

/// The file and its folder, for this user alone.
fn make(path: &Path) -> Result<(), OpenError> {
    let failed = |path: &Path, source| OpenError::File {
        path: path.display().to_string(),
        source,
    };
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        file::make_folder(folder).map_err(|source| failed(folder, source))?;
    }
    file::make(path).map_err(|source| failed(path, source))
}

fn options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.replacen("mariadb:", "mysql:", 1));
    options
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .connect_timeout(ACQUIRE)
        // RUST_LOG=sqlx=debug shows every statement. Values, which may be secret, are in none.
        .sqlx_logging_level(LevelFilter::Debug)
        .sqlx_slow_statements_logging_settings(LevelFilter::Warn, SLOW)
        .test_before_acquire_if_idle_for(TRUSTED)
        .map_sqlx_mysql_opts(|mysql| {
            // Times are UTC, whatever the server's zone is; text is compared by its bytes.
            mysql
                .timezone(Some("+00:00".to_owned()))
                .collation("utf8mb4_bin")
        });
    options
}

/// A refused password, an unknown database, a wrong certificate, a file that may not be written:
/// they stay that way.
fn may_come(error: &DbErr) -> bool {
    let source = match error {
        DbErr::Conn(RuntimeErr::SqlxError(source))
        | DbErr::Exec(RuntimeErr::SqlxError(source))
        | DbErr::Query(RuntimeErr::SqlxError(source)) => &**source,
        _ => return is_away(error),
    };
    match source {
        sqlx::Error::Tls(_) => false,
        sqlx::Error::Database(told) if told.try_downcast_ref::<SqliteError>().is_some() => {
            is_busy(told.code().as_deref())
        }
        _ => is_away(error),
    }
}

/// Another process writes, or turns the journal of a new file to WAL, which SQLite does not wait
/// for.
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
    async fn the_drivers_words_that_repeat_the_address_are_not_told() {
        for address in [
            "postgres://bear:hunter2/x@db/app",
            "mysql://bear:hunter2@db:99999/app",
        ] {
            let error = Database::connect(address).await.expect_err(address);
            assert!(
                matches!(&error, DbErr::Conn(RuntimeErr::Internal(words)) if words.contains("hunter2")),
                "{error}"
            );
            let told = OpenError::connecting(error).to_string();
            assert!(
                told.contains("DATABASE_URL") && !told.contains("hunter2"),
                "{told}"
            );
        }
    }
}
