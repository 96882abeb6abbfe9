//! Opens the database: connection options per kind, timeouts and retries.

use std::{
    io,
    path::{Path, PathBuf},
    pin::Pin,
    str::FromStr,
    task::{Context, Poll},
    time::Duration,
};

use log::LevelFilter;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DbBackend, DbErr, RuntimeErr, Statement};
use secrecy::ExposeSecret;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use tokio::{
    task::{JoinError, JoinHandle},
    time::timeout,
};
use url::Url;

use super::{
    Connections, Store,
    connection::{Connection, SessionLimits},
    driver_error::{driver_message, hint, is_transient},
    file::{self, FileIdentity},
    integrity::{IntegrityCheck, corruption, find_corruption},
    migrate::MigrationError,
    monitor,
    pool::{NOT_OPEN, own_error},
    pooler,
    schema::Namespace,
};
use crate::settings::{self, Pooler};

/// How long [`Store::open`] retries: the database's container may start at the same time.
const CONNECT_DEADLINE: Duration = Duration::from_secs(30);
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
    /// The database answers, but accepts no writes: a standby, or a server with `read_only` set.
    #[error(
        "the database of database.url (DATABASE_URL) accepts no writes, because it is a standby or read-only; write the address of the primary, or list \
         all servers: postgres://USER:PASSWORD@HOST1,HOST2/NAME"
    )]
    ReadOnly,
    /// A file that a parameter of the URL names cannot be read.
    #[error(
        "cannot read {path}, which the parameter {parameter} of database.url (DATABASE_URL) names: {source}"
    )]
    TlsFile {
        /// The parameter, such as `sslrootcert`.
        parameter: String,
        /// The file.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// The SQLite file or its directory cannot be created or written.
    #[error("cannot create or write {path} (from database.url, DATABASE_URL): {source}")]
    File {
        /// The file or directory.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// The SQLite file is corrupt, or is no SQLite database.
    #[error(
        "the SQLite file {path} (from database.url, DATABASE_URL) is corrupt: {problem}. Stop every server that uses it and put a backup back \
         with `bearward restore FILE`; without a backup, `sqlite3 {path} .recover` prints the rows that can still be read"
    )]
    Corrupt {
        /// The file.
        path: String,
        /// The first problem that SQLite found.
        problem: String,
    },
    /// The tables could not be migrated to the version that this server needs.
    #[error(transparent)]
    Migration(#[from] MigrationError),
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

    /// Returns whether a later attempt can succeed without a change of the configuration.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::ReadOnly)
    }
}

/// Whether connections limit the time of statements and locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limits {
    /// The limits of the configuration.
    Configured,
    /// None, for migrations: an index on a large table takes minutes.
    Unlimited,
}

impl Store {
    /// Connects and applies pending migrations. Waits up to 30 s for the database to become
    /// available.
    ///
    /// # Errors
    /// [`OpenError`] if the database cannot be opened or migrated.
    pub async fn open(settings: &settings::Database) -> Result<Self, OpenError> {
        let (store, opening) = Self::open_in_background(settings);
        match timeout(CONNECT_DEADLINE, opening).await {
            Ok(Ok(result)) => result.map(|()| store),
            Ok(Err(_)) => Err(OpenError::Unavailable(own_error(NOT_OPEN))),
            // The attempts in the background end here, and one more names the cause.
            Err(_) => {
                let connections = Box::pin(Self::try_open(settings)).await?;
                store.shared().replace(connections);
                monitor::start(&store, settings.clone());
                Ok(store)
            }
        }
    }

    /// Returns a store whose operations fail with a transient error until a task has connected and
    /// applied pending migrations. The task repeats transient errors without a limit, and ends with
    /// the first permanent one. Dropping the returned handle stops it.
    pub fn open_in_background(settings: &settings::Database) -> (Self, Opening) {
        let store = Self::new(settings);
        let task = tokio::spawn(monitor::open(store.clone(), settings.clone()));
        (store, Opening(task))
    }

    pub(super) async fn try_open(settings: &settings::Database) -> Result<Connections, OpenError> {
        let is_sqlite = backend(settings) == DbBackend::Sqlite;
        let limits = if is_sqlite {
            Limits::Configured
        } else {
            Limits::Unlimited
        };
        let connections = Self::connect_with(settings, limits).await?;
        reject_corrupt_file(&connections, settings).await?;
        match connections.migrate().await {
            Ok(()) => {}
            Err(MigrationError::Database(error)) if is_transient(&error) => {
                return Err(OpenError::Unavailable(error));
            }
            Err(error) => return Err(error.into()),
        }
        if is_sqlite {
            // An in-memory database is dropped with its connection.
            return Ok(connections);
        }
        connections.close().await;
        Self::connect(settings).await
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
        let connections = Self::connect(settings).await?;
        reject_corrupt_file(&connections, settings).await?;
        let pending = connections.pending().await?;
        Ok(if pending.is_empty() {
            SchemaStatus::UpToDate(connections.kind())
        } else {
            SchemaStatus::Behind(connections.kind(), pending)
        })
    }

    /// Opens pools to the first of the configured servers that accepts writes.
    pub(super) async fn connect(settings: &settings::Database) -> Result<Connections, OpenError> {
        Self::connect_with(settings, Limits::Configured).await
    }

    async fn connect_with(
        settings: &settings::Database,
        limits: Limits,
    ) -> Result<Connections, OpenError> {
        let url = settings.url.expose_secret();
        if url.starts_with("sqlite:") {
            return Self::connect_sqlite(url, settings).await;
        }
        check_tls_files(url)?;
        let mut failure = None;
        for url in &settings.servers {
            match connect_server(url.expose_secret(), settings, limits).await {
                Ok(connections) => return Ok(connections),
                // A permanent error of one server does not rule out the others. Of several errors
                // a transient one is returned, because another attempt may succeed.
                Err(error) => match &failure {
                    Some(OpenError::Unavailable(_)) => {}
                    Some(_) if !error.is_transient() => {}
                    _ => failure = Some(error),
                },
            }
        }
        Err(failure.unwrap_or(OpenError::ReadOnly))
    }

    async fn connect_sqlite(
        url: &str,
        settings: &settings::Database,
    ) -> Result<Connections, OpenError> {
        let file = sqlite_path(url)?;
        let in_memory = file.is_none();
        if let Some(path) = &file {
            create_file(path)?;
        }
        let busy_timeout = settings.lock_timeout;
        let open = async |connections: u32| {
            let mut options = options(url, connections, settings);
            // An in-memory database is dropped with its connection. A file is locked while a
            // connection is open, by which `bearward restore` notices a server.
            options.idle_timeout(None).max_lifetime(None);
            options.map_sqlx_sqlite_opts(move |sqlite| {
                sqlite
                    .foreign_keys(true)
                    .busy_timeout(busy_timeout)
                    .journal_mode(SqliteJournalMode::Wal)
                    // A committed write survives a power failure, not only a crash of this process.
                    .synchronous(SqliteSynchronous::Full)
            });
            Database::connect(options)
                .await
                .map_err(|error| match (corruption(&error), &file) {
                    (Some(problem), Some(path)) => corrupt(path, problem),
                    _ => OpenError::from_connect(error),
                })
        };
        // The writer is opened first because it switches the journal to WAL.
        let writes = open(1).await?;
        let identity = match &file {
            None => None,
            Some(path) => Some(FileIdentity::read(path).map_err(|source| OpenError::File {
                path: path.display().to_string(),
                source,
            })?),
        };
        let wrap = |pool| Connection::new(pool, namespace(settings));
        let connections = if in_memory {
            // Each connection to an in-memory database has its own database.
            Connections::shared(wrap(writes), 1)
        } else {
            let reads = open(settings.max_connections).await?;
            Connections::separate((wrap(reads), settings.max_connections), (wrap(writes), 1))
        };
        Ok(connections.with_file(identity))
    }
}

/// Fails if an SQLite file is corrupt: rows would be missing without a word, and writes would damage
/// it further.
async fn reject_corrupt_file(
    connections: &Connections,
    settings: &settings::Database,
) -> Result<(), OpenError> {
    let Some(path) = sqlite_path(settings.url.expose_secret())? else {
        return Ok(());
    };
    match find_corruption(&connections.writes, IntegrityCheck::Quick).await {
        Ok(None) => Ok(()),
        Ok(Some(problem)) => Err(corrupt(&path, problem)),
        Err(error) => Err(OpenError::from_connect(error)),
    }
}

fn corrupt(path: &Path, problem: String) -> OpenError {
    OpenError::Corrupt {
        path: path.display().to_string(),
        problem,
    }
}

fn namespace(settings: &settings::Database) -> Namespace {
    Namespace::new(backend(settings), &settings.schema)
}

/// Returns the path of a SQLite database, or `None` for other databases and in-memory ones.
pub(super) fn sqlite_path(url: &str) -> Result<Option<PathBuf>, OpenError> {
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

/// Opens a pool to one server and checks that it accepts writes.
async fn connect_server(
    url: &str,
    settings: &settings::Database,
    limits: Limits,
) -> Result<Connections, OpenError> {
    let mut options = options(url, settings.max_connections, settings);
    let host = ipv6_host(url);
    let mysql_host = host.clone();
    options
        .map_sqlx_postgres_opts(move |postgres| {
            // PgBouncer rejects this startup parameter, and no column has a fraction.
            let postgres = postgres.extra_float_digits(None);
            match &host {
                Some(host) => postgres.host(host),
                None => postgres,
            }
        })
        .map_sqlx_mysql_opts(move |mysql| {
            // Times are UTC regardless of the server's time zone; text is compared byte by byte.
            let mysql = mysql
                .timezone(Some("+00:00".to_owned()))
                .collation("utf8mb4_bin");
            match &mysql_host {
                Some(host) => mysql.host(host),
                None => mysql,
            }
        });
    let limits =
        (limits == Limits::Configured).then(|| session_limits(backend(settings), settings));
    let sessions = SessionLimits::new(settings.pooler, limits);
    sessions.apply_to(&mut options);
    let pool = Database::connect(options)
        .await
        .map_err(OpenError::from_connect)?;
    let connection = Connection::with_sessions(pool.clone(), namespace(settings), sessions.clone());
    let connections = Connections::shared(connection, settings.max_connections);
    match is_read_only(&connections.writes).await {
        Ok(false) => {}
        result => {
            connections.close().await;
            return Err(result.map_or_else(OpenError::from_connect, |_| OpenError::ReadOnly));
        }
    }
    if backend(settings) == DbBackend::Postgres && settings.pooler == Pooler::Auto {
        let pool = pool.get_postgres_connection_pool();
        if !pooler::shares_sessions(pool).await {
            sessions
                .set_own(pool)
                .await
                .map_err(OpenError::from_connect)?;
        }
    }
    Ok(connections)
}

/// Asks the server whether it is read-only. Always false for SQLite.
pub(super) async fn is_read_only(connection: &Connection) -> Result<bool, DbErr> {
    let backend = connection.get_database_backend();
    let query = match backend {
        DbBackend::Sqlite => return Ok(false),
        DbBackend::Postgres => "SELECT current_setting('transaction_read_only') = 'on' AS answer",
        _ => "SELECT @@global.read_only = 1 AS answer",
    };
    let row = connection
        .query_one_raw(Statement::from_string(backend, query))
        .await?;
    Ok(row.is_some_and(|row| match backend {
        DbBackend::Postgres => row.try_get("", "answer").unwrap_or(false),
        _ => row.try_get::<i64>("", "answer").unwrap_or(0) == 1,
    }))
}

/// Returns the assignments of a SET statement that limit the time of statements and locks.
fn session_limits(backend: DbBackend, settings: &settings::Database) -> Vec<String> {
    let (statement, lock) = (settings.statement_timeout, settings.lock_timeout);
    if backend == DbBackend::Postgres {
        return vec![
            format!("statement_timeout = {}", statement.as_millis()),
            format!("lock_timeout = {}", lock.as_millis()),
        ];
    }
    // The comments are statements for one of the two servers only: MariaDB limits every statement,
    // in seconds, and MySQL those that read.
    let lock_seconds = lock.as_secs().max(1);
    vec![format!(
        "innodb_lock_wait_timeout = {lock_seconds}, lock_wait_timeout = {lock_seconds} \
         /*M! , max_statement_time = {} */ /*!50708 , max_execution_time = {} */",
        statement.as_secs_f64(),
        statement.as_millis()
    )]
}

/// Returns the address in a URL whose host is an IPv6 literal, without the brackets, which the
/// drivers would look up as part of a name.
fn ipv6_host(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.strip_prefix('[')?.strip_suffix(']')?;
    Some(host.to_owned())
}

/// Checks that the files with certificates and keys that the URL names can be read. The drivers
/// read them for each connection and report an I/O error without a path.
fn check_tls_files(url: &str) -> Result<(), OpenError> {
    const PARAMETERS: [&str; 8] = [
        "sslrootcert",
        "ssl-root-cert",
        "ssl-ca",
        "sslca",
        "sslcert",
        "ssl-cert",
        "sslkey",
        "ssl-key",
    ];
    let Some((_, query)) = url.split_once('?') else {
        return Ok(());
    };
    for (parameter, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if PARAMETERS.contains(&parameter.as_ref())
            && !value.starts_with("-----BEGIN")
            && let Err(source) = std::fs::File::open(value.as_ref())
        {
            return Err(OpenError::TlsFile {
                parameter: parameter.into_owned(),
                path: value.into_owned(),
                source,
            });
        }
    }
    Ok(())
}

/// Returns the kind of database of the URL.
pub(super) fn backend(settings: &settings::Database) -> DbBackend {
    let url = settings.url.expose_secret();
    if url.starts_with("postgres") {
        DbBackend::Postgres
    } else if url.starts_with("sqlite") {
        DbBackend::Sqlite
    } else {
        DbBackend::MySql
    }
}

fn options(url: &str, connections: u32, settings: &settings::Database) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.replacen("mariadb:", "mysql:", 1));
    options
        .max_connections(connections)
        .acquire_timeout(settings.acquire_timeout)
        .connect_timeout(settings.acquire_timeout)
        .max_lifetime(settings.max_lifetime)
        // RUST_LOG=sqlx=debug logs every statement, without the values, which may be secret.
        .sqlx_logging_level(LevelFilter::Debug)
        .sqlx_slow_statements_logging_settings(LevelFilter::Warn, SLOW_STATEMENT)
        .test_before_acquire_if_idle_for(PING_AFTER_IDLE);
    options
}

/// The task of [`Store::open_in_background`].
#[derive(Debug)]
pub struct Opening(JoinHandle<Result<(), OpenError>>);

impl Future for Opening {
    type Output = Result<Result<(), OpenError>, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.0.abort();
    }
}
