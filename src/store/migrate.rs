//! Applies pending migrations. A database lock ensures that only one replica does so at a time.

use std::collections::BTreeSet;

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;

use super::{Connections, migrations::Migrations};

/// How long a replica waits for the migration lock.
const LOCK_TIMEOUT_SECONDS: u32 = 120;
/// Key of the PostgreSQL advisory lock: "bearward" in ASCII.
const POSTGRES_LOCK: i64 = 0x6265_6172_7761_7264;

/// Why the tables could not be migrated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// The database has migrations that this version does not know.
    #[error(
        "the database has migrations of a newer bearward ({}); this version ({}) could damage it. Run the newer version, or set database.url \
         to another database", .0.join(", "), env!("CARGO_PKG_VERSION")
    )]
    Newer(Vec<String>),
    /// Another replica holds the migration lock.
    #[error(
        "another bearward process has held the migration lock for {LOCK_TIMEOUT_SECONDS} s; check whether it hangs"
    )]
    Locked,
    /// The database returned an error.
    #[error("cannot migrate the tables of database.url: {0}")]
    Database(#[from] DbErr),
}

impl Connections {
    /// Applies pending migrations while holding the migration lock.
    pub(super) async fn migrate(&self) -> Result<(), MigrationError> {
        let lock = self.lock().await?;
        reject_newer_schema(&lock).await?;
        let pending = Migrations::get_pending_migrations(&lock).await?.len();
        let result = Migrations::up(&lock, None).await;
        if lock.get_database_backend() == DbBackend::MySql {
            // The lock belongs to the connection, which returns to the pool. MySQL has already
            // committed the changes: every DDL statement commits implicitly.
            lock.execute_raw(mysql("DO RELEASE_LOCK(CONCAT('bearward ', DATABASE()))"))
                .await?;
        }
        result?;
        lock.commit().await?;
        if pending > 0 {
            tracing::info!(
                migrations = pending,
                database = self.kind(),
                "applied database migrations"
            );
        }
        Ok(())
    }

    /// Returns the names of the pending migrations.
    pub(super) async fn pending(&self) -> Result<Vec<String>, MigrationError> {
        reject_newer_schema(&self.reads).await?;
        let pending = Migrations::get_pending_migrations_read_only(&self.reads).await?;
        Ok(pending
            .iter()
            .map(|migration| migration.name().to_owned())
            .collect())
    }

    /// Begins a transaction that holds the migration lock.
    async fn lock(&self) -> Result<DatabaseTransaction, MigrationError> {
        let immediate = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let lock = self.writes.begin_with_options(immediate).await?;
        match lock.get_database_backend() {
            DbBackend::Postgres => {
                lock.execute_unprepared(&format!(
                    "SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'"
                ))
                .await?;
                let statement = Statement::from_string(
                    DbBackend::Postgres,
                    format!("SELECT pg_advisory_xact_lock({POSTGRES_LOCK})"),
                );
                lock.execute_raw(statement).await?;
            }
            DbBackend::MySql => {
                let statement = mysql(&format!(
                    "SELECT GET_LOCK(CONCAT('bearward ', DATABASE()), {LOCK_TIMEOUT_SECONDS}) = 1 AS locked"
                ));
                let row = lock.query_one_raw(statement).await?;
                let locked = row
                    .and_then(|row| row.try_get::<Option<i64>>("", "locked").ok().flatten())
                    == Some(1);
                if !locked {
                    return Err(MigrationError::Locked);
                }
            }
            _ => {}
        }
        Ok(lock)
    }
}

fn mysql(statement: &str) -> Statement {
    Statement::from_string(DbBackend::MySql, statement)
}

/// Fails if the database has migrations that this version does not know.
async fn reject_newer_schema(db: &impl ConnectionTrait) -> Result<(), MigrationError> {
    let known: BTreeSet<String> = Migrations::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect();
    let applied = match Migrations::get_applied_migrations_read_only(db).await {
        // The library's own check for unknown migrations. Its error does not list their names.
        Err(DbErr::Custom(_)) => Migrations::get_migration_models(db)
            .await?
            .into_iter()
            .map(|row| row.version)
            .collect(),
        other => other?
            .iter()
            .map(|migration| migration.name().to_owned())
            .collect::<Vec<_>>(),
    };
    let newer: Vec<String> = applied
        .into_iter()
        .filter(|name| !known.contains(name))
        .collect();
    if newer.is_empty() {
        Ok(())
    } else {
        Err(MigrationError::Newer(newer))
    }
}
