//! Database access: one code path for SQLite, PostgreSQL and MySQL. Every method that reads or
//! changes a user's rows takes the owner first; there are no unscoped variants.

mod accounts;
mod administration;
mod api_keys;
mod connect;
mod connection;
mod db_timestamp;
mod entity;
mod error;
mod file;
mod migrate;
mod migration_lock;
mod migrations;
mod pooler;
mod schema;
mod status_checks;
mod vault_rotation;

use std::fmt;

use sea_orm::{ConnectionTrait, DbBackend};

use self::connection::Connection;
pub use self::{
    accounts::{Account, AccountUpsert, LastToken},
    api_keys::SealedApiKey,
    connect::{OpenError, SchemaStatus},
    db_timestamp::DbTimestamp,
    error::StoreError,
    migrate::MigrationError,
    status_checks::Insert,
};

/// A handle to the database. Clones share the connection pools.
#[derive(Clone)]
pub struct Store {
    reads: Connection,
    /// SQLite allows one writer at a time. With a single write connection, writers queue in the
    /// pool, in order, instead of inside SQLite, where they can time out. Other databases use
    /// one pool for both.
    writes: Connection,
}

impl Store {
    /// Checks that the database answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.reads.ping().await?)
    }

    /// Counts the statements of this store, for tests.
    #[cfg(test)]
    pub(crate) fn count_statements(&mut self) -> std::sync::Arc<std::sync::atomic::AtomicUsize> {
        use std::sync::atomic::Ordering;

        let count = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
        for connection in [&mut self.reads, &mut self.writes] {
            let count = std::sync::Arc::clone(&count);
            connection.on_statement(move || {
                count.fetch_add(1, Ordering::Relaxed);
            });
        }
        count
    }

    /// Returns the kind of database: `sqlite`, `postgres` or `mysql`.
    pub fn kind(&self) -> &'static str {
        match self.reads.get_database_backend() {
            DbBackend::Postgres => "postgres",
            DbBackend::MySql => "mysql",
            _ => "sqlite",
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.kind()).finish()
    }
}
