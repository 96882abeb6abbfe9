//! A migration lock for databases without advisory locks: a row of the table of migrations.
//!
//! The holder changes the value of the row while it runs. A row that does not change for a while is
//! that of a process that was killed, and another process takes it. The clocks of two machines
//! are never compared.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use sea_orm::{ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, QueryFilter, sea_query::Expr};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    connection::Connection,
    entity::migrations::{ActiveModel, Column, Entity},
    error::{is_unavailable, is_unique_violation},
    migrate::{LOCK_TIMEOUT_SECONDS, MigrationError},
};

/// The name of the row. No migration has it.
pub(super) const ROW: &str = "lock";

/// How long the lock is kept and waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lease {
    /// A row that does not change for this time has no holder.
    pub(super) expiry: Duration,
    /// How often the holder changes it.
    pub(super) renewal: Duration,
    /// How often a waiting process reads it.
    pub(super) poll: Duration,
    /// How long a process waits for the lock.
    pub(super) timeout: Duration,
}

impl Default for Lease {
    fn default() -> Self {
        Self {
            expiry: Duration::from_secs(60),
            renewal: Duration::from_secs(10),
            poll: Duration::from_millis(500),
            timeout: Duration::from_secs(LOCK_TIMEOUT_SECONDS.into()),
        }
    }
}

/// Runs `migrate` while holding the row.
pub(super) async fn with_row_lock<T>(
    db: &Connection,
    lease: Lease,
    migrate: impl Future<Output = Result<T, MigrationError>>,
) -> Result<T, MigrationError> {
    let held = HeldRow::new(acquire(db, lease).await?);
    let result = tokio::select! {
        result = migrate => result,
        error = renew(db, lease, &held) => return Err(error),
    };
    let released = release(db, &held).await;
    let migrated = result?;
    released?;
    Ok(migrated)
}

/// Deletes the row, also if a renewal was under way when the migration ended: it may have changed the
/// row. Returns the number of deleted rows.
async fn release(db: &Connection, held: &HeldRow) -> Result<u64, DbErr> {
    let delete = Entity::delete_many()
        .filter(Column::Version.eq(ROW))
        .filter(Column::AppliedAt.is_in(held.values()));
    Ok(delete.exec(db).await?.rows_affected)
}

/// The row of this process.
struct HeldRow {
    value: AtomicI64,
    /// The value of the renewal that is under way, or of the last one.
    next: AtomicI64,
}

impl HeldRow {
    fn new(value: i64) -> Self {
        Self {
            value: AtomicI64::new(value),
            next: AtomicI64::new(value),
        }
    }

    /// Returns the values that the row may have.
    fn values(&self) -> [i64; 2] {
        [&self.value, &self.next].map(|value| value.load(Ordering::Relaxed))
    }
}

/// Changes the row until it is taken by another process, and returns the error for that.
async fn renew(db: &Connection, lease: Lease, held: &HeldRow) -> MigrationError {
    loop {
        tokio::time::sleep(lease.renewal).await;
        let (values, next) = (held.values(), new_value());
        held.next.store(next, Ordering::Relaxed);
        match replace(db, values, next).await {
            Ok(true) => held.value.store(next, Ordering::Relaxed),
            Ok(false) => return MigrationError::Locked,
            // The migration may use the only connection.
            Err(error) if is_unavailable(&error) => {}
            Err(error) => return error.into(),
        }
    }
}

/// Waits for the row and returns its value.
async fn acquire(db: &Connection, lease: Lease) -> Result<i64, MigrationError> {
    let value = new_value();
    let since = Instant::now();
    let mut last_change: Option<(i64, Instant)> = None;
    loop {
        let row = ActiveModel {
            version: Set(ROW.to_owned()),
            applied_at: Set(value),
        };
        match Entity::insert(row).exec_without_returning(db).await {
            Ok(_) => return Ok(value),
            Err(error) if is_unique_violation(&error) => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(row) = Entity::find()
            .filter(Column::Version.eq(ROW))
            .one(db)
            .await?
        {
            match last_change {
                Some((seen, at)) if seen == row.applied_at => {
                    if at.elapsed() >= lease.expiry && replace(db, [seen; 2], value).await? {
                        tracing::warn!(
                            "took the migration lock of a process that does not run any more"
                        );
                        return Ok(value);
                    }
                }
                _ => last_change = Some((row.applied_at, Instant::now())),
            }
        }
        if since.elapsed() >= lease.timeout {
            return Err(MigrationError::Locked);
        }
        tokio::time::sleep(lease.poll).await;
    }
}

/// Changes the row if it has one of these values.
async fn replace(db: &Connection, values: [i64; 2], next: i64) -> Result<bool, DbErr> {
    let update = Entity::update_many()
        .col_expr(Column::AppliedAt, Expr::value(next))
        .filter(Column::Version.eq(ROW))
        .filter(Column::AppliedAt.is_in(values));
    Ok(update.exec(db).await?.rows_affected == 1)
}

/// Returns a value that no other process has.
fn new_value() -> i64 {
    let (high, _) = Uuid::new_v4().as_u64_pair();
    high.cast_signed()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::{
        settings::{Config, Sources},
        store::{Connections, Store, schema::create_migrations_table},
    };

    const LEASE: Lease = Lease {
        // No holder is killed, and a busy machine may stop one for seconds.
        expiry: Duration::from_secs(120),
        renewal: Duration::from_millis(20),
        poll: Duration::from_millis(20),
        timeout: Duration::from_secs(120),
    };

    async fn connections(directory: &tempfile::TempDir) -> Connections {
        let url = format!("sqlite://{}/lock.db", directory.path().display());
        let config =
            Config::load(&Sources::new(None, []).with("database.url", url.as_str())).unwrap();
        let connections = Store::connect(&config.database).await.unwrap();
        create_migrations_table(&connections.writes).await.unwrap();
        connections
    }

    #[tokio::test]
    async fn the_row_has_one_holder_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let db = connections(&directory).await;
        let is_held = AtomicBool::new(false);
        let holders = (0..3).map(|_| {
            with_row_lock(&db.writes, LEASE, async {
                assert!(!is_held.swap(true, Ordering::SeqCst));
                tokio::time::sleep(Duration::from_millis(60)).await;
                is_held.store(false, Ordering::SeqCst);
                Ok(())
            })
        });
        futures_util::future::try_join_all(holders).await.unwrap();
        let row = Entity::find().filter(Column::Version.eq(ROW));
        assert_eq!(row.one(&db.reads).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_row_is_released_while_it_is_renewed() {
        let directory = tempfile::tempdir().unwrap();
        let db = connections(&directory).await;
        let held = HeldRow::new(acquire(&db.writes, LEASE).await.unwrap());
        // What a renewal has done that is cancelled before it sees the result.
        let values = held.values();
        held.next.store(7, Ordering::Relaxed);
        assert!(replace(&db.writes, values, 7).await.unwrap());
        assert_eq!(release(&db.writes, &held).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn the_row_of_a_killed_process_is_taken() {
        let directory = tempfile::tempdir().unwrap();
        let db = connections(&directory).await;
        let lease = Lease {
            expiry: Duration::from_millis(50),
            ..LEASE
        };
        acquire(&db.writes, lease).await.unwrap();
        with_row_lock(&db.writes, lease, async { Ok(()) })
            .await
            .unwrap();
    }
}
