//! Database access: one code path for SQLite, PostgreSQL and MySQL. Every method that reads or
//! changes a user's rows takes the owner first; there are no unscoped variants.

mod accounts;
mod administration;
mod api_keys;
mod backup;
mod connect;
mod connection;
mod connections;
mod db_timestamp;
mod driver_error;
mod entity;
mod error;
mod file;
mod integrity;
mod migrate;
mod migration_lock;
mod migrations;
mod monitor;
mod pool;
mod pooler;
mod revocations;
mod schema;
mod status_checks;
mod user_sessions;
mod vault_rotation;

use std::{fmt, sync::Arc, time::Duration};

use sea_orm::DbBackend;
use tokio::time::timeout;

pub use self::{
    accounts::{Account, AccountUpsert, LastToken},
    administration::Disabled,
    api_keys::SealedApiKey,
    backup::{BackupContents, BackupError, Restored},
    connect::{OpenError, Opening, SchemaStatus},
    db_timestamp::DbTimestamp,
    error::StoreError,
    migrate::MigrationError,
    monitor::DatabaseState,
    status_checks::Insert,
    user_sessions::{SessionSighting, StoredSession},
};

pub(crate) use self::revocations::{ReadPosition, RevocationListener};
use self::{
    connections::Connections,
    monitor::StateLog,
    pool::{Access, Pool, Shared},
};
use crate::settings;

/// The number of migrations.
pub const MIGRATION_COUNT: usize = migrations::MIGRATIONS.len();

/// How long [`Store::close`] waits.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A handle to the database. Clones share the connection pools.
#[derive(Clone)]
pub struct Store {
    reads: Pool,
    writes: Pool,
    state: Arc<StateLog>,
}

impl Store {
    /// Creates a store without connections.
    fn new(settings: &settings::Database) -> Self {
        let shared = Shared::new(connect::backend(settings), settings);
        Self::from_parts(Arc::new(shared), Arc::default())
    }

    fn from_parts(shared: Arc<Shared>, state: Arc<StateLog>) -> Self {
        Self {
            reads: Pool::new(Arc::clone(&shared), Access::Read),
            writes: Pool::new(shared, Access::Write),
            state,
        }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.reads.shared
    }

    /// Closes the connections. SQLite then writes its log into the database file, which is complete
    /// without other files. Waits at most two seconds for statements in progress.
    pub async fn close(&self) {
        if let Some(connections) = self.shared().connections() {
            let _ = timeout(CLOSE_TIMEOUT, connections.close()).await;
        }
    }

    /// Publishes the number of connections as metrics.
    pub fn publish_metrics(&self) {
        self.shared().publish_metrics();
    }

    /// Counts the statements of this store, for tests.
    #[cfg(test)]
    pub(crate) fn count_statements(&self) -> Arc<std::sync::atomic::AtomicUsize> {
        Arc::clone(&self.shared().statements)
    }

    /// Returns the kind of database: `sqlite`, `postgres` or `mysql`.
    pub fn kind(&self) -> &'static str {
        kind(self.shared().backend())
    }
}

fn kind(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => "postgres",
        DbBackend::MySql => "mysql",
        _ => "sqlite",
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.kind()).finish()
    }
}
