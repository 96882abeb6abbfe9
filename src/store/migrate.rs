//! Bringing the tables up to date, once, however many replicas start at the same moment.

use std::collections::BTreeSet;

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;

use super::{Store, migrations::Migrations};

/// How long a replica waits for another one's migrations, in seconds.
const WAIT: u32 = 120;
/// "bearward" in ASCII: an advisory lock of PostgreSQL is a number.
const POSTGRES_LOCK: i64 = 0x6265_6172_7761_7264;

/// The tables cannot be brought to what this version needs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// A newer version of bearward has changed them.
    #[error(
        "the database was made by a newer bearward ({}); this one ({}) would damage it. Run the newer version, or name another database in \
         database.url", .0.join(", "), env!("CARGO_PKG_VERSION")
    )]
    Newer(Vec<String>),
    /// Another replica holds the lock.
    #[error("another bearward has been changing the tables for {WAIT} s; is it stuck?")]
    Locked,
    /// The database refused.
    #[error("cannot bring the tables of database.url up to date: {0}")]
    Database(#[from] DbErr),
}

impl Store {
    /// Applies what is missing, under the database's own lock.
    pub(super) async fn migrate(&self) -> Result<(), MigrationError> {
        let lock = self.lock().await?;
        refuse_newer(&lock).await?;
        let pending = Migrations::get_pending_migrations(&lock).await?.len();
        let done = Migrations::up(&lock, None).await;
        if lock.get_database_backend() == DbBackend::MySql {
            // It belongs to the connection, which goes back to the pool. What the statements
            // changed is committed already: MySQL does that after each of them.
            lock.execute_raw(mysql("DO RELEASE_LOCK(CONCAT('bearward ', DATABASE()))"))
                .await?;
        }
        done?;
        lock.commit().await?;
        if pending > 0 {
            tracing::info!(
                migrations = pending,
                database = self.kind(),
                "the tables are up to date"
            );
        }
        Ok(())
    }

    /// The names of the migrations that are missing.
    pub(super) async fn pending(&self) -> Result<Vec<String>, MigrationError> {
        refuse_newer(&self.reads).await?;
        let pending = Migrations::get_pending_migrations_read_only(&self.reads).await?;
        Ok(pending
            .iter()
            .map(|migration| migration.name().to_owned())
            .collect())
    }

    /// A transaction that nobody else can have at the same time.
    async fn lock(&self) -> Result<DatabaseTransaction, MigrationError> {
        let immediate = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let lock = self.writes.begin_with_options(immediate).await?;
        match lock.get_database_backend() {
            DbBackend::Postgres => {
                lock.execute_unprepared(&format!("SET LOCAL lock_timeout = '{WAIT}s'"))
                    .await?;
                let statement = Statement::from_string(
                    DbBackend::Postgres,
                    format!("SELECT pg_advisory_xact_lock({POSTGRES_LOCK})"),
                );
                lock.execute_raw(statement).await?;
            }
            DbBackend::MySql => {
                let statement = mysql(&format!(
                    "SELECT GET_LOCK(CONCAT('bearward ', DATABASE()), {WAIT}) = 1 AS locked"
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

async fn refuse_newer(db: &impl ConnectionTrait) -> Result<(), MigrationError> {
    let known: BTreeSet<String> = Migrations::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect();
    let applied = match Migrations::get_applied_migrations_read_only(db).await {
        // The library's own check of the same; the names are read below.
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
