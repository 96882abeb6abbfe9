//! Runs statements on the current connection pools, with limits, and records their outcome. The
//! pools can be replaced while the server runs, for example after a failover.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;

use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement, prelude::async_trait::async_trait,
};
use tokio::{
    sync::{AcquireError, Notify, Semaphore, SemaphorePermit},
    time::{Instant, timeout},
};

use super::{
    connection::{Connection, Transaction},
    error::{ErrorClass, error_class},
    file::FileIdentity,
};
use crate::settings;

/// Tables that are not needed to load an account. Statements on one of them never take all
/// connections, so that a lock on the table does not block the other routes.
const LIMITED_TABLES: [&str; 2] = ["status_checks", "api_keys"];

/// Added to the statement limits before the server gives up on a connection that does not answer.
/// The database has its own limit, which is more precise.
const ANSWER_MARGIN: Duration = Duration::from_secs(1);

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
    read_permits: Arc<Semaphore>,
    write_permits: Arc<Semaphore>,
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
        }
    }

    /// Sets the file of an SQLite database.
    pub(super) fn with_file(self, file: Option<FileIdentity>) -> Self {
        Self { file, ..self }
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

/// Whether a pool handle reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// A handle to the current pools. Fails with a transient error while there are none.
#[derive(Clone)]
pub(super) struct Pool {
    pub(super) shared: Arc<Shared>,
    access: Access,
}

/// The state that all handles share.
pub(super) struct Shared {
    backend: DbBackend,
    current: ArcSwapOption<Connections>,
    acquire_timeout: Duration,
    /// The time limit of a statement, including the wait for a connection.
    answer_timeout: Duration,
    tables: [Semaphore; LIMITED_TABLES.len()],
    started: Instant,
    /// Milliseconds from `started` to the last success, plus one; 0: never.
    last_success: AtomicU64,
    last_write: AtomicU64,
    /// Wakes the monitor after an error that may mean that the database is unavailable.
    pub(super) suspicion: Arc<Notify>,
    /// The number of statements of requests.
    #[cfg(test)]
    pub(super) statements: Arc<std::sync::atomic::AtomicUsize>,
}

impl Shared {
    pub(super) fn new(backend: DbBackend, settings: &settings::Database) -> Self {
        let max = settings.max_connections as usize;
        let of_table = max - (max / 4).max(1).min(max - 1);
        Self {
            backend,
            current: ArcSwapOption::empty(),
            acquire_timeout: settings.acquire_timeout,
            answer_timeout: settings.acquire_timeout + settings.statement_timeout + ANSWER_MARGIN,
            tables: std::array::from_fn(|_| Semaphore::new(of_table)),
            started: Instant::now(),
            last_success: AtomicU64::new(0),
            last_write: AtomicU64::new(0),
            suspicion: Arc::default(),
            #[cfg(test)]
            statements: Arc::default(),
        }
    }

    pub(super) fn backend(&self) -> DbBackend {
        self.backend
    }

    pub(super) fn acquire_timeout(&self) -> Duration {
        self.acquire_timeout
    }

    /// Returns the current pools, or `None` before the database is opened.
    pub(super) fn connections(&self) -> Option<Arc<Connections>> {
        self.current.load_full()
    }

    /// Replaces the pools and returns the old ones.
    pub(super) fn replace(&self, connections: Connections) -> Option<Arc<Connections>> {
        self.current.swap(Some(Arc::new(connections)))
    }

    /// Returns the time since the last statement that succeeded.
    pub(super) fn since_success(&self) -> Duration {
        self.since(&self.last_success)
    }

    /// Returns the time since the last write that succeeded and was not followed by a failure.
    pub(super) fn since_write(&self) -> Duration {
        self.since(&self.last_write)
    }

    fn since(&self, at: &AtomicU64) -> Duration {
        match at.load(Ordering::Relaxed) {
            0 => Duration::MAX,
            at => self
                .started
                .elapsed()
                .saturating_sub(Duration::from_millis(at - 1)),
        }
    }

    /// Returns the current time in the unit of `last_success`.
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }

    /// Records a write that the probe has made.
    pub(super) fn record_write(&self) {
        let now = self.now();
        self.last_success.store(now, Ordering::Relaxed);
        self.last_write.store(now, Ordering::Relaxed);
    }

    fn record<T>(&self, access: Access, result: &Result<T, DbErr>) {
        match result.as_ref().map_err(error_class) {
            Ok(_) => {
                let now = self.now();
                self.last_success.store(now, Ordering::Relaxed);
                if access == Access::Write {
                    self.last_write.store(now, Ordering::Relaxed);
                }
            }
            Err(class) => {
                metrics::counter!("bearward_database_errors_total", "class" => class.label())
                    .increment(1);
                if matches!(
                    class,
                    ErrorClass::Connection | ErrorClass::ReadOnly | ErrorClass::Storage
                ) {
                    self.last_write.store(0, Ordering::Relaxed);
                }
                if class.may_affect_all() {
                    self.suspicion.notify_one();
                }
            }
        }
    }

    /// Publishes the size of the pools.
    pub(super) fn publish_metrics(&self) {
        let (size, idle) = self.connections().map_or((0, 0), |connections| {
            let pools = [&connections.reads, &connections.writes];
            let count = if self.backend == DbBackend::Sqlite {
                2
            } else {
                1
            };
            pools[..count]
                .iter()
                .map(|pool| pool.size_and_idle())
                .fold((0, 0), |(size, idle), (more_size, more_idle)| {
                    (size + more_size, idle + more_idle)
                })
        });
        for (state, value) in [("idle", idle), ("in_use", size.saturating_sub(idle))] {
            metrics::gauge!("bearward_database_connections", "state" => state)
                .set(f64::from(value));
        }
    }
}

impl Pool {
    pub(super) fn new(shared: Arc<Shared>, access: Access) -> Self {
        Self { shared, access }
    }

    /// Runs one operation on the current pool and records its outcome.
    async fn run<T>(
        &self,
        sql: &str,
        operation: impl AsyncFnOnce(Connection) -> Result<T, DbErr>,
    ) -> Result<T, DbErr> {
        #[cfg(test)]
        self.shared.statements.fetch_add(1, Ordering::Relaxed);
        let result = self.try_run(sql, operation).await;
        self.shared.record(self.access, &result);
        result
    }

    async fn try_run<T>(
        &self,
        sql: &str,
        operation: impl AsyncFnOnce(Connection) -> Result<T, DbErr>,
    ) -> Result<T, DbErr> {
        let connections = self
            .shared
            .connections()
            .ok_or_else(|| own_error(NOT_OPEN))?;
        if self.access == Access::Write
            && let Some(file) = &connections.file
            && !file.is_in_place()
        {
            return Err(own_error(FILE_REPLACED));
        }
        let (connection, permits) = match self.access {
            Access::Read => (&connections.reads, &connections.read_permits),
            Access::Write => (&connections.writes, &connections.write_permits),
        };
        let _permits = self.acquire(sql, permits).await?;
        timeout(self.shared.answer_timeout, operation(connection.clone()))
            .await
            .unwrap_or_else(|_| Err(own_error(NO_ANSWER)))
    }

    /// Runs statements in one transaction, which has the time limit of one statement. Rolls it back
    /// if `operation` fails.
    pub(super) async fn transaction<T>(
        &self,
        operation: impl AsyncFnOnce(&Transaction) -> Result<T, DbErr>,
    ) -> Result<T, DbErr> {
        self.run("", async |connection: Connection| {
            let transaction = connection.begin().await?;
            let result = operation(&transaction).await?;
            transaction.commit().await?;
            Ok(result)
        })
        .await
    }

    /// Waits until a connection may be used for a statement, and records how long that took.
    async fn acquire<'a>(
        &'a self,
        sql: &str,
        connections: &'a Semaphore,
    ) -> Result<(Option<SemaphorePermit<'a>>, SemaphorePermit<'a>), DbErr> {
        let table = self.table_permits(sql);
        let is_free = |permits: &Semaphore| permits.available_permits() > 0;
        let waits = !is_free(connections) || table.is_some_and(|table| !is_free(table));
        let since = Instant::now();
        let acquire = async {
            let table = match table {
                Some(table) => Some(table.acquire().await?),
                None => None,
            };
            Ok::<_, AcquireError>((table, connections.acquire().await?))
        };
        let result = timeout(self.shared.acquire_timeout, acquire).await;
        if waits {
            metrics::histogram!("bearward_database_wait_seconds").record(since.elapsed());
        }
        match result {
            Ok(Ok(permits)) => Ok(permits),
            Ok(Err(_)) | Err(_) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        }
    }

    /// Returns the permits of the table in this statement, if it has its own. SQLite has no locks
    /// on tables.
    fn table_permits(&self, sql: &str) -> Option<&Semaphore> {
        if self.shared.backend == DbBackend::Sqlite {
            return None;
        }
        let table = LIMITED_TABLES.iter().position(|name| sql.contains(name))?;
        Some(&self.shared.tables[table])
    }
}

/// The error of a write after the file was removed or replaced.
pub(super) const FILE_REPLACED: &str = "the file of the SQLite database was removed or replaced \
     while the server was running; writes are refused. Put the file back, or restart the server";

/// The error of a server that reports that it is read-only. A privileged user could write to it.
pub(super) const READ_ONLY: &str = "it is a standby or read-only";

/// The error of a statement before the database is opened.
pub(super) const NOT_OPEN: &str = "the database has not been opened yet";

/// The error of a statement whose connection is dead.
pub(super) const NO_ANSWER: &str = "the database does not answer in time";

/// Creates an error of this module. It counts as transient.
pub(super) fn own_error(message: &str) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(message.to_owned()))
}

#[async_trait]
impl ConnectionTrait for Pool {
    fn get_database_backend(&self) -> DbBackend {
        self.shared.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let sql = statement.sql.clone();
        self.run(&sql, async |connection: Connection| {
            connection.execute_raw(statement).await
        })
        .await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.run(sql, async |connection: Connection| {
            connection.execute_unprepared(sql).await
        })
        .await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let sql = statement.sql.clone();
        self.run(&sql, async |connection: Connection| {
            connection.query_one_raw(statement).await
        })
        .await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let sql = statement.sql.clone();
        self.run(&sql, async |connection: Connection| {
            connection.query_all_raw(statement).await
        })
        .await
    }
}

impl ErrorClass {
    /// Returns whether an error of this class may mean that other statements fail too.
    fn may_affect_all(self) -> bool {
        matches!(
            self,
            Self::Connection | Self::PoolTimeout | Self::ReadOnly | Self::Storage
        )
    }
}
