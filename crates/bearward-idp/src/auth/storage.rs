//! The data file: an SQLite table of JSON documents. Each change is one transaction.

use std::{
    path::{Path, PathBuf},
    sync::mpsc as std_mpsc,
    thread,
};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, Statement,
    TransactionTrait,
};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::state::{AuthState, Change};

/// An open data file. A dedicated thread owns the connection.
pub(crate) struct Storage {
    jobs: mpsc::UnboundedSender<Job>,
}

type Job = (Vec<Change>, oneshot::Sender<Result<(), DbErr>>);

/// Why the data file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// SQLite cannot open or write the file.
    #[error("the data file {} cannot be used: {reason}", .path.display())]
    Unusable {
        /// The path of the file.
        path: PathBuf,
        /// The message of SQLite.
        reason: String,
    },
    /// The file contains documents of an unknown format.
    #[error("the data file {} contains documents that this version cannot read; move it or choose another file", .0.display())]
    Unreadable(PathBuf),
    /// The file was written by a newer version, whose documents may have more members.
    #[error(
        "the data file {} was written by a newer version (format {format}, this version writes {FORMAT}); \
         use that version, move the file or choose another", .path.display()
    )]
    Newer {
        /// The path of the file.
        path: PathBuf,
        /// The format of the file.
        format: i32,
    },
}

/// The format of the documents, stored as SQLite's `user_version`. Increase it with a change that an
/// older version would undo by writing a document without the new members. Files of before the
/// format was stored have 0.
const FORMAT: i32 = 2;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS idp_documents \
    (kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID";
const PUT: &str = "INSERT INTO idp_documents (kind, id, body) VALUES (?, ?, ?) \
    ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body";
const DELETE: &str = "DELETE FROM idp_documents WHERE kind = ? AND id = ?";

impl Storage {
    /// Opens or creates the file with mode 0600, loads the state, and writes what `prepare` adds.
    ///
    /// # Errors
    /// [`StorageError`]; [`Unreadable`](StorageError::Unreadable) also if `prepare` returns `None`.
    /// A file that cannot be read is not changed.
    pub(crate) fn open(
        path: &Path,
        prepare: impl FnOnce(&mut AuthState) -> Option<()> + Send + 'static,
    ) -> Result<(Self, AuthState), StorageError> {
        let unusable = |reason: String| StorageError::Unusable {
            path: path.to_owned(),
            reason,
        };
        create_private(path).map_err(|error| unusable(error.to_string()))?;
        let url = format!("sqlite://{}?mode=rwc", path.display());
        let (jobs, mut queue) = mpsc::unbounded_channel::<Job>();
        let (ready_tx, ready_rx) = std_mpsc::channel();
        thread::spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
            {
                Ok(runtime) => runtime,
                Err(error) => return drop(ready_tx.send(Err(DbErr::Custom(error.to_string())))),
            };
            runtime.block_on(async move {
                let opened = async {
                    let database = connect(url).await?;
                    let format = format_of(&database).await?;
                    if format > FORMAT {
                        return Ok((database, Err(format)));
                    }
                    database.execute_unprepared(CREATE).await?;
                    let state = load_state(read_documents(&database).await?)
                        .and_then(|mut state| prepare(&mut state).map(|()| state));
                    let Some(mut state) = state else {
                        return Ok((database, Ok(None)));
                    };
                    database
                        .execute_unprepared(&format!("PRAGMA user_version = {FORMAT}"))
                        .await?;
                    write_changes(&database, state.drain_changes()).await?;
                    Ok::<_, DbErr>((database, Ok(Some(state))))
                };
                let database = match opened.await {
                    Ok((database, state)) => {
                        drop(ready_tx.send(Ok(state)));
                        database
                    }
                    Err(error) => return drop(ready_tx.send(Err(error))),
                };
                while let Some((changes, done)) = queue.recv().await {
                    drop(done.send(write_changes(&database, changes).await));
                }
            });
        });
        let stopped = || unusable("the writer thread stopped".to_owned());
        let state = ready_rx
            .recv()
            .map_err(|_| stopped())?
            .map_err(|error| unusable(error.to_string()))?
            .map_err(|format| StorageError::Newer {
                path: path.to_owned(),
                format,
            })?;
        Ok((
            Self { jobs },
            state.ok_or_else(|| StorageError::Unreadable(path.to_owned()))?,
        ))
    }

    /// Writes the changes; returns when the transaction is committed.
    pub(crate) async fn write(&self, changes: Vec<Change>) -> Result<(), DbErr> {
        let (done, is_done) = oneshot::channel();
        let stopped = || DbErr::Custom("the writer thread stopped".to_owned());
        self.jobs.send((changes, done)).map_err(|_| stopped())?;
        is_done.await.map_err(|_| stopped())?
    }
}

/// Creates the file with mode 0600 before anything is written, because it contains password hashes
/// and private keys.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

async fn connect(url: String) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await
}

async fn format_of(database: &DatabaseConnection) -> Result<i32, DbErr> {
    let query = Statement::from_string(DbBackend::Sqlite, "PRAGMA user_version");
    let row = database.query_one_raw(query).await?;
    row.map_or(Ok(0), |row| row.try_get("", "user_version"))
}

async fn read_documents(
    database: &DatabaseConnection,
) -> Result<Vec<(String, String, String)>, DbErr> {
    let rows = Statement::from_string(
        DbBackend::Sqlite,
        "SELECT kind, id, body FROM idp_documents",
    );
    let rows = database.query_all_raw(rows).await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.try_get("", "kind")?,
                row.try_get("", "id")?,
                row.try_get("", "body")?,
            ))
        })
        .collect()
}

fn load_state(documents: Vec<(String, String, String)>) -> Option<AuthState> {
    let mut state = AuthState::default();
    let is_loaded = documents
        .iter()
        .all(|(kind, id, body)| Uuid::parse_str(id).is_ok_and(|id| state.restore(kind, id, body)));
    is_loaded.then_some(state)
}

async fn write_changes(database: &DatabaseConnection, changes: Vec<Change>) -> Result<(), DbErr> {
    let transaction = database.begin().await?;
    for Change { kind, id, body } in changes {
        let id = id.to_string();
        let statement = match body {
            Some(body) => Statement::from_sql_and_values(
                DbBackend::Sqlite,
                PUT,
                [kind.into(), id.into(), body.into()],
            ),
            None => {
                Statement::from_sql_and_values(DbBackend::Sqlite, DELETE, [kind.into(), id.into()])
            }
        };
        transaction.execute_raw(statement).await?;
    }
    transaction.commit().await
}
