//! The data file: one SQLite table of documents, written in one transaction for each change.

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

use super::auth_state::{AuthState, Change};

/// A data file that is open, with a thread of its own.
pub(super) struct Storage {
    jobs: mpsc::UnboundedSender<Job>,
}

type Job = (Vec<Change>, oneshot::Sender<Result<(), DbErr>>);

/// The data file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// SQLite says why.
    #[error("the data file {} cannot be used: {reason}", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        reason: String,
    },
    /// It holds something that this version does not know.
    #[error("the data file {} holds documents that this version cannot read; move it away", .0.display())]
    Unreadable(PathBuf),
}

const CREATE: &str = "CREATE TABLE IF NOT EXISTS idp_documents \
    (kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID";
const PUT: &str = "INSERT INTO idp_documents (kind, id, body) VALUES (?, ?, ?) \
    ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body";
const DELETE: &str = "DELETE FROM idp_documents WHERE kind = ? AND id = ?";

impl Storage {
    /// Opens or makes the file, readable to its owner alone, reads what it keeps, and keeps what
    /// `prepare` adds to that.
    ///
    /// # Errors
    /// [`StorageError`], and what `prepare` cannot make sense of is
    /// [`Unreadable`](StorageError::Unreadable) as well.
    pub(super) fn open(
        path: &Path,
        prepare: impl FnOnce(&mut AuthState) -> Option<()> + Send + 'static,
    ) -> Result<(Self, AuthState), StorageError> {
        let unusable = |reason: String| StorageError::Unusable {
            path: path.to_owned(),
            reason,
        };
        create_private(path).map_err(|error| unusable(error.to_string()))?;
        let url = format!("sqlite://{}?mode=rwc", path.display());
        let (jobs, mut todo) = mpsc::unbounded_channel::<Job>();
        let (tell, told) = std_mpsc::channel();
        thread::spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
            {
                Ok(runtime) => runtime,
                Err(error) => return drop(tell.send(Err(DbErr::Custom(error.to_string())))),
            };
            runtime.block_on(async move {
                let opened = async {
                    let database = connect(url).await?;
                    let world = restored(read(&database).await?)
                        .and_then(|mut world| prepare(&mut world).map(|()| world));
                    let Some(mut world) = world else {
                        return Ok((database, None));
                    };
                    write(&database, world.take_changes()).await?;
                    Ok::<_, DbErr>((database, Some(world)))
                };
                let database = match opened.await {
                    Ok((database, world)) => {
                        drop(tell.send(Ok(world)));
                        database
                    }
                    Err(error) => return drop(tell.send(Err(error))),
                };
                while let Some((changes, done)) = todo.recv().await {
                    drop(done.send(write(&database, changes).await));
                }
            });
        });
        let ended = || unusable("its thread ended".to_owned());
        let world = told
            .recv()
            .map_err(|_| ended())?
            .map_err(|error| unusable(error.to_string()))?;
        Ok((
            Self { jobs },
            world.ok_or_else(|| StorageError::Unreadable(path.to_owned()))?,
        ))
    }

    /// Ends when the changes are in the file.
    pub(super) async fn keep(&self, changes: Vec<Change>) -> Result<(), DbErr> {
        let (done, is_done) = oneshot::channel();
        let ended = || DbErr::Custom("the data file's thread ended".to_owned());
        self.jobs.send((changes, done)).map_err(|_| ended())?;
        is_done.await.map_err(|_| ended())?
    }
}

/// It holds hashes and keys: for its owner alone, from its first byte.
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
    let database = Database::connect(options).await?;
    database.execute_unprepared(CREATE).await?;
    Ok(database)
}

async fn read(database: &DatabaseConnection) -> Result<Vec<(String, String, String)>, DbErr> {
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

fn restored(documents: Vec<(String, String, String)>) -> Option<AuthState> {
    let mut world = AuthState::default();
    let is_read = documents
        .iter()
        .all(|(kind, id, body)| Uuid::parse_str(id).is_ok_and(|id| world.restore(kind, id, body)));
    is_read.then_some(world)
}

async fn write(database: &DatabaseConnection, changes: Vec<Change>) -> Result<(), DbErr> {
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
