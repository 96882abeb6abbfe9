//! Copies an SQLite database to a file while servers use it, and puts such a copy back.

mod error;
mod files;
mod source;

use std::path::{Path, PathBuf};

use sea_orm::DbBackend;
use secrecy::ExposeSecret;
use time::UtcDateTime;

pub use self::error::BackupError;
use self::{
    error::{file_error, other_tool},
    files::{DatabaseLock, TemporaryFile, with_suffix},
    source::{Source, Version},
};
use super::{
    Store,
    connect::{backend, sqlite_path},
    file,
};
use crate::settings;

/// What a copy of the database contains.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupContents {
    /// The number of accounts.
    pub accounts: u64,
    /// The number of status checks.
    pub status_checks: u64,
    /// The number of sealed API keys.
    pub api_keys: u64,
    /// The ids of the vault keys that sealed them.
    pub vault_key_ids: Vec<String>,
}

/// The result of [`Store::restore`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// The file that was replaced or created.
    pub database: PathBuf,
    /// Where the database is that was there before.
    pub replaced: Option<PathBuf>,
    /// What the database contains now.
    pub contents: BackupContents,
}

/// Which command names the tool of another database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Backup,
    Restore,
}

impl Store {
    /// Copies the SQLite database of the configuration to a new file with mode 0600, which contains
    /// every transaction that was committed before the call. Servers may read and write meanwhile.
    ///
    /// # Errors
    /// [`BackupError`] if the database is not SQLite, is corrupt or has no tables of this server, or
    /// if `destination` exists.
    pub async fn back_up(
        settings: &settings::Database,
        destination: &Path,
    ) -> Result<BackupContents, BackupError> {
        let database = configured_file(settings, Direction::Backup)?;
        let source = Source::open_live(&database, settings).await?;
        // Reserves the name. A backup that was interrupted leaves an empty file, which is no backup.
        let reserved = TemporaryFile::reserve(destination)?;
        let partial = TemporaryFile::replace_stale(&with_suffix(destination, ".partial"))?;
        source.copy_to(partial.path()).await?;
        let copy = Source::open_copy(partial.path()).await?;
        let contents = copy.inspect(Version::Any).await?;
        copy.close().await;
        partial.persist(destination)?;
        reserved.keep();
        Ok(contents)
    }

    /// Replaces the SQLite database of the configuration by a copy that [`back_up`](Self::back_up)
    /// has made, or creates it. The previous database is kept beside it.
    ///
    /// # Errors
    /// [`BackupError`] if a server has the database open, or if `backup` is corrupt, is not a
    /// database of this server or was written by a newer version. The database is then unchanged.
    pub async fn restore(
        settings: &settings::Database,
        backup: &Path,
        now: UtcDateTime,
    ) -> Result<Restored, BackupError> {
        let database = configured_file(settings, Direction::Restore)?;
        if files::is_same(&database, backup) {
            return Err(BackupError::SameFile);
        }
        let source = Source::open_file(backup).await?;
        if let Some(directory) = database
            .parent()
            .filter(|path| !path.as_os_str().is_empty())
        {
            file::create_directory(directory).map_err(|error| file_error(directory, error))?;
        }
        let lock = DatabaseLock::acquire(&database)?;
        let partial = TemporaryFile::replace_stale(&with_suffix(&database, ".restoring"))?;
        source.copy_to(partial.path()).await?;
        source.close().await;
        let copy = Source::open_copy(partial.path()).await?;
        let contents = copy.inspect(Version::Supported).await?;
        copy.close().await;
        let replaced = lock.as_ref().map(|lock| lock.set_aside(now)).transpose()?;
        // A journal of a database that does not exist any more would be applied to the new one.
        files::remove_journals(&database)?;
        partial.persist(&database)?;
        drop(lock);
        Ok(Restored {
            database,
            replaced,
            contents,
        })
    }
}

/// Returns the path of the configured SQLite database.
fn configured_file(
    settings: &settings::Database,
    direction: Direction,
) -> Result<PathBuf, BackupError> {
    match backend(settings) {
        DbBackend::Sqlite => match sqlite_path(settings.url.expose_secret()) {
            Ok(Some(path)) => Ok(path),
            Ok(None) => Err(BackupError::InMemory),
            Err(error) => Err(BackupError::Open(Box::new(error))),
        },
        other => Err(BackupError::OtherDatabase(other_tool(
            other, direction, settings,
        ))),
    }
}
