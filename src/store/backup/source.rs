//! An SQLite file that is copied or checked.

use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait, DbBackend, DbErr, SqlxSqliteConnector, Statement, Value};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use super::{
    BackupContents, BackupError,
    error::file_error,
    files::{sync, with_suffix},
};
use crate::{
    settings,
    store::{
        connection::Connection,
        connections::Connections,
        integrity::{IntegrityCheck, corruption, find_corruption},
        migrate::MigrationError,
        migrations::MIGRATIONS,
        schema::Namespace,
    },
};

/// An open SQLite file.
pub(super) struct Source {
    path: PathBuf,
    connection: Connection,
}

/// Which versions of the tables are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// Those that this version can read or migrate.
    Supported,
    /// Also those of newer versions.
    Any,
}

impl Source {
    /// Opens a database that servers may use.
    pub(super) async fn open_live(
        path: &Path,
        settings: &settings::Database,
    ) -> Result<Self, BackupError> {
        let options = SqliteConnectOptions::new().busy_timeout(settings.lock_timeout);
        Self::open(path, options).await
    }

    /// Opens a file that no process changes, without creating other files beside it.
    pub(super) async fn open_copy(path: &Path) -> Result<Self, BackupError> {
        let options = SqliteConnectOptions::new().read_only(true).immutable(true);
        Self::open(path, options).await
    }

    /// Opens a file of unknown origin. A journal beside it is part of the database.
    pub(super) async fn open_file(path: &Path) -> Result<Self, BackupError> {
        let has_journal = ["-wal", "-journal"]
            .iter()
            .any(|suffix| with_suffix(path, suffix).exists());
        if has_journal {
            Self::open(path, SqliteConnectOptions::new().read_only(true)).await
        } else {
            Self::open_copy(path).await
        }
    }

    async fn open(path: &Path, options: SqliteConnectOptions) -> Result<Self, BackupError> {
        let metadata = std::fs::metadata(path).map_err(|error| file_error(path, error))?;
        // SQLite takes an empty file for an empty database.
        if !metadata.is_file() || metadata.len() == 0 {
            return Err(BackupError::NotBearward(path.to_owned()));
        }
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.filename(path))
            .await
            .map_err(|error| {
                let error = DbErr::Conn(sea_orm::RuntimeErr::SqlxError(error.into()));
                database_error(path, error)
            })?;
        let pool = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
        Ok(Self {
            path: path.to_owned(),
            connection: Connection::new(pool, Namespace::new(DbBackend::Sqlite, "")),
        })
    }

    /// Writes a copy to an empty file and waits until it is on the disk. Fails if this file is
    /// corrupt.
    pub(super) async fn copy_to(&self, destination: &Path) -> Result<(), BackupError> {
        self.check_integrity().await?;
        // SQLite reads a name that begins with "file:" as a URL.
        let absolute =
            std::path::absolute(destination).map_err(|error| file_error(destination, error))?;
        let Some(text) = absolute.to_str() else {
            let error = std::io::Error::other("the name is not UTF-8");
            return Err(file_error(destination, error));
        };
        // One read transaction: the copy is the state of one moment.
        let vacuum =
            Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO ?", [Value::from(text)]);
        self.connection
            .execute_raw(vacuum)
            .await
            .map_err(|error| self.error(error))?;
        sync(destination)
    }

    /// Checks that the file is a sound database of this server and returns what it contains.
    pub(super) async fn inspect(&self, version: Version) -> Result<BackupContents, BackupError> {
        self.check_integrity().await?;
        let connections = Connections::shared(self.connection.clone(), 1);
        match connections.pending().await {
            Ok(pending) if pending.len() < MIGRATIONS.len() => {}
            Err(MigrationError::Newer(_)) if version == Version::Any => {}
            Ok(_) | Err(MigrationError::Foreign(_)) => {
                return Err(BackupError::NotBearward(self.path.clone()));
            }
            Err(source) => {
                return Err(BackupError::Tables {
                    path: self.path.clone(),
                    source,
                });
            }
        }
        self.contents().await.map_err(|error| self.error(error))
    }

    async fn contents(&self) -> Result<BackupContents, DbErr> {
        let rows = self
            .query("SELECT DISTINCT key_id FROM api_keys ORDER BY key_id")
            .await?;
        Ok(BackupContents {
            accounts: self.count("users").await?,
            status_checks: self.count("status_checks").await?,
            api_keys: self.count("api_keys").await?,
            vault_key_ids: rows
                .iter()
                .map(|row| row.try_get_by_index(0))
                .collect::<Result<_, _>>()?,
        })
    }

    async fn count(&self, table: &str) -> Result<u64, DbErr> {
        let rows = self.query(&format!("SELECT count(*) FROM {table}")).await?;
        let count = rows.first().map(|row| row.try_get_by_index::<i64>(0));
        Ok(count.transpose()?.unwrap_or(0).unsigned_abs())
    }

    async fn query(&self, sql: &str) -> Result<Vec<sea_orm::QueryResult>, DbErr> {
        let statement = Statement::from_string(DbBackend::Sqlite, sql);
        self.connection.query_all_raw(statement).await
    }

    async fn check_integrity(&self) -> Result<(), BackupError> {
        match find_corruption(&self.connection, IntegrityCheck::Full).await {
            Ok(None) => Ok(()),
            Ok(Some(problem)) => Err(BackupError::Corrupt {
                path: self.path.clone(),
                problem,
            }),
            Err(error) => Err(self.error(error)),
        }
    }

    pub(super) async fn close(self) {
        self.connection.close().await;
    }

    fn error(&self, error: DbErr) -> BackupError {
        database_error(&self.path, error)
    }
}

fn database_error(path: &Path, error: DbErr) -> BackupError {
    let path = path.to_owned();
    match corruption(&error) {
        Some(problem) => BackupError::Corrupt { path, problem },
        None => BackupError::Database {
            path,
            source: error,
        },
    }
}
