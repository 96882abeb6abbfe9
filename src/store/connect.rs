//! Opening the database: how each kind is spoken to, and how long it may take.

use std::{io, time::Duration};

use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};
use secrecy::ExposeSecret;
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};

use super::{Store, migrate::MigrationError};
use crate::config;

/// How long a request waits for a connection: less than `server.request_timeout`, so that the answer says what is missing.
const ACQUIRE: Duration = Duration::from_secs(5);
/// How long a write waits for another process's write to the same SQLite file.
const BUSY: Duration = Duration::from_secs(10);
/// How long a database may take to come up beside us: a container that starts at the same moment.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(500);

/// The database cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No connection came about. The address is not shown: it may hold a password.
    #[error("cannot open the database of database.url (DATABASE_URL): {}", told(.0))]
    Connect(#[source] DbErr),
    /// The folder of a SQLite file.
    #[error("cannot make the folder {folder} for the SQLite file of database.url: {source}")]
    Folder {
        /// Which.
        folder: String,
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
        DbErr::Conn(sea_orm::RuntimeErr::SqlxError(source)) => source.to_string(),
        _ => error.to_string(),
    }
}

impl Store {
    /// Connects, waiting up to 30 s for a database that is just starting, and brings the tables up to date.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(settings: &config::Database) -> Result<Self, OpenError> {
        let store = Self::connect(settings, PATIENCE).await?;
        store.migrate().await?;
        Ok(store)
    }

    /// Connects and asks whether the tables are those of this version; changes nothing.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn look(settings: &config::Database) -> Result<(Self, Vec<String>), OpenError> {
        let store = Self::connect(settings, Duration::ZERO).await?;
        let pending = store.pending().await?;
        Ok((store, pending))
    }

    async fn connect(settings: &config::Database, patience: Duration) -> Result<Self, OpenError> {
        let url = settings.url.expose_secret();
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.trim_start_matches("//").split('?').next().unwrap_or_default();
            return Self::sqlite(url, path, settings.max_connections).await;
        }
        let connection = with_patience(patience, || Database::connect(options(url, settings.max_connections))).await?;
        Ok(Self { reads: connection.clone(), writes: connection })
    }

    async fn sqlite(url: &str, path: &str, readers: u32) -> Result<Self, OpenError> {
        let folder = std::path::Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|_| !path.starts_with(':')) {
            std::fs::create_dir_all(folder)
                .map_err(|source| OpenError::Folder { folder: folder.display().to_string(), source })?;
        }
        let open = async |connections: u32| {
            let mut options = options(url, connections);
            options.map_sqlx_sqlite_opts(|sqlite| {
                sqlite
                    .create_if_missing(true)
                    .foreign_keys(true)
                    .busy_timeout(BUSY)
                    .journal_mode(SqliteJournalMode::Wal)
                    // An acknowledged write survives a power cut, not only the end of this process.
                    .synchronous(SqliteSynchronous::Full)
            });
            Database::connect(options).await.map_err(OpenError::Connect)
        };
        // The writer first: it makes the file, and turns the journal to WAL.
        let writes = open(1).await?;
        let in_memory = path.is_empty() || path == ":memory:" || url.contains("mode=memory");
        // A database in memory is its connection's own.
        let reads = if in_memory { writes.clone() } else { open(readers).await? };
        Ok(Self { reads, writes })
    }
}

fn options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.replacen("mariadb:", "mysql:", 1));
    options
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .connect_timeout(ACQUIRE)
        // Statements hold no secret, their values do; the log needs neither.
        .sqlx_logging(false)
        // A connection that a restarted database has cut is found out by a ping before a request gets it, not by the request.
        .test_before_acquire(true)
        .map_sqlx_mysql_opts(|mysql| {
            // Times are UTC, whatever the server's zone is; text is compared by its bytes.
            mysql.timezone(Some("+00:00".to_owned())).collation("utf8mb4_bin")
        });
    options
}

async fn with_patience<F, Connecting>(patience: Duration, mut connect: F) -> Result<DatabaseConnection, OpenError>
where
    F: FnMut() -> Connecting,
    Connecting: Future<Output = Result<DatabaseConnection, DbErr>>,
{
    let until = tokio::time::Instant::now() + patience;
    loop {
        match connect().await {
            Ok(connection) => return Ok(connection),
            Err(error) if may_come(&error) && tokio::time::Instant::now() < until => {
                tracing::warn!("the database is not there yet: {}", told(&error));
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(OpenError::Connect(error)),
        }
    }
}

/// A refused password or an unknown database stays that way.
fn may_come(error: &DbErr) -> bool {
    matches!(super::StoreError::from(error.clone()), super::StoreError::Unavailable(_))
}
