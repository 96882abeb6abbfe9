//! Why a backup cannot be written or restored.

use std::{
    io,
    path::{Path, PathBuf},
};

use sea_orm::{DbBackend, DbErr};

use super::Direction;
use crate::{
    settings,
    store::{MigrationError, OpenError, schema::all_tables},
};

/// The error of [`Store::back_up`](crate::store::Store::back_up) and
/// [`Store::restore`](crate::store::Store::restore). No message contains `database.url`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The database is not SQLite. Holds the command of the tool that copies it.
    #[error(
        "database.url (DATABASE_URL) is not an SQLite database, and its own tool copies it: {0}"
    )]
    OtherDatabase(String),
    /// `database.url` is an in-memory database.
    #[error("database.url (DATABASE_URL) is an in-memory database, which ends with its process")]
    InMemory,
    /// `database.url` is invalid.
    #[error(transparent)]
    Open(Box<OpenError>),
    /// The file does not exist.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// The file to write exists.
    #[error("{} exists; choose another name, or remove it", .0.display())]
    Exists(PathBuf),
    /// The backup and the database are one file.
    #[error("the backup is the file of database.url (DATABASE_URL) itself")]
    SameFile,
    /// A server has the database open.
    #[error(
        "{} is in use: stop the server, and other programs that have opened the file, then run the command again", .0.display()
    )]
    InUse(PathBuf),
    /// SQLite has found a problem in the file.
    #[error("{} is corrupt: {problem}", .path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The first problem.
        problem: String,
    },
    /// The file has no tables of this server.
    #[error("{} is not a database of bearward: it has no migrations", .0.display())]
    NotBearward(PathBuf),
    /// The tables in the file cannot be used by this version.
    #[error("{} cannot be used: {source}", .path.display())]
    Tables {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: MigrationError,
    },
    /// SQLite returned another error.
    #[error("cannot read or copy {}: {source}", .path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: DbErr,
    },
    /// The operating system returned an error.
    #[error("cannot read or write {}: {source}", .path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

pub(super) fn file_error(path: &Path, source: io::Error) -> BackupError {
    if source.kind() == io::ErrorKind::NotFound {
        return BackupError::Missing(path.to_owned());
    }
    BackupError::File {
        path: path.to_owned(),
        source,
    }
}

/// Returns the command that copies another database or puts a copy back.
pub(super) fn other_tool(
    backend: DbBackend,
    direction: Direction,
    settings: &settings::Database,
) -> String {
    let schema = &settings.schema;
    let tables = all_tables().join(" ");
    match (backend, direction) {
        (DbBackend::Postgres, Direction::Backup) => {
            format!("pg_dump --format=custom --schema={schema} --file=FILE \"$DATABASE_URL\"")
        }
        (DbBackend::Postgres, Direction::Restore) => {
            "pg_restore --clean --if-exists --no-owner --single-transaction --dbname=\"$DATABASE_URL\" FILE"
                .to_owned()
        }
        (_, Direction::Backup) => format!(
            "mysqldump --single-transaction --hex-blob --result-file=FILE DATABASE {tables}"
        ),
        (_, Direction::Restore) => "mysql DATABASE < FILE".to_owned(),
    }
}
