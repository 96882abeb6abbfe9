//! The rows: one code path for SQLite, PostgreSQL and MySQL. Every method that reads or changes a
//! user's rows takes the owner first, and there is none that does the same for everybody.

mod accounts;
mod administration;
mod api_keys;
mod connect;
mod db_timestamp;
mod entity;
mod error;
mod file;
mod migrate;
mod migrations;
mod status_checks;
mod vault_rotation;

use std::fmt;

use sea_orm::{DatabaseConnection, DbBackend};

pub use self::{
    accounts::{Account, AccountUpsert},
    api_keys::SealedApiKey,
    connect::{OpenError, SchemaStatus},
    db_timestamp::DbTimestamp,
    error::StoreError,
    migrate::MigrationError,
    status_checks::Insert,
};

/// The database. Cloning is cheap and shares the connections.
#[derive(Clone)]
pub struct Store {
    reads: DatabaseConnection,
    /// SQLite has one writer at a time: a connection of its own lets writers queue here, fairly,
    /// and not inside the database, where the unlucky one gives up. With other databases it is
    /// the same pool.
    writes: DatabaseConnection,
}

impl Store {
    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.reads.ping().await?)
    }

    /// The database's kind: `sqlite`, `postgres` or `mysql`.
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
