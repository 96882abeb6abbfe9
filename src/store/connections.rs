//! The connection pools of one database server, and how many of their connections each table may use.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbBackend};
use tokio::sync::Semaphore;

use super::{connection::Connection, file::FileIdentity};

/// Tables that are not needed to load an account. Statements on one of them never take all
/// connections, so that a lock on the table does not block the other routes.
const LIMITED_TABLES: [&str; 3] = ["status_checks", "api_keys", "user_sessions"];

/// The connection pools of one database server.
#[derive(Debug)]
pub(super) struct Connections {
    pub(super) reads: Connection,
    /// SQLite allows one writer at a time. With a single write connection, writers queue in the
    /// pool, in order, instead of inside SQLite, where they can time out. Other databases use
    /// one pool for both.
    pub(super) writes: Connection,
    /// The file of an SQLite database.
    pub(super) file: Option<FileIdentity>,
    /// One permit for each connection. The pools do not report how long a statement waits for one.
    pub(super) read_permits: Arc<Semaphore>,
    pub(super) write_permits: Arc<Semaphore>,
    /// A statement that hangs on a dead connection keeps its permits. Therefore they belong to the
    /// pools: those that replace them have their own.
    tables: [Semaphore; LIMITED_TABLES.len()],
}

impl Connections {
    /// Pools for reads and writes with these numbers of connections.
    pub(super) fn separate(
        (reads, read_connections): (Connection, u32),
        (writes, write_connections): (Connection, u32),
    ) -> Self {
        Self {
            reads,
            writes,
            file: None,
            read_permits: permits(read_connections),
            write_permits: permits(write_connections),
            tables: table_permits(write_connections),
        }
    }

    /// One pool for reads and writes.
    pub(super) fn shared(pool: Connection, connections: u32) -> Self {
        let permits = permits(connections);
        Self {
            reads: pool.clone(),
            writes: pool,
            file: None,
            read_permits: Arc::clone(&permits),
            write_permits: permits,
            tables: table_permits(connections),
        }
    }

    /// Sets the file of an SQLite database.
    pub(super) fn with_file(self, file: Option<FileIdentity>) -> Self {
        Self { file, ..self }
    }

    /// Returns the permits of the table in this statement, if it has its own. SQLite has no locks
    /// on tables.
    pub(super) fn table_permits(&self, sql: &str) -> Option<&Semaphore> {
        if self.reads.get_database_backend() == DbBackend::Sqlite {
            return None;
        }
        let table = LIMITED_TABLES.iter().position(|name| sql.contains(name))?;
        Some(&self.tables[table])
    }

    /// Returns the kind of database: `sqlite`, `postgres` or `mysql`.
    pub(super) fn kind(&self) -> &'static str {
        super::kind(self.reads.get_database_backend())
    }

    /// Closes the pools. Statements in progress may finish.
    pub(super) async fn close(&self) {
        self.reads.close().await;
        self.writes.close().await;
    }
}

fn permits(connections: u32) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(connections as usize))
}

fn table_permits(connections: u32) -> [Semaphore; LIMITED_TABLES.len()] {
    let max = connections as usize;
    let of_table = max - (max / 4).max(1).min(max - 1);
    std::array::from_fn(|_| Semaphore::new(of_table))
}
