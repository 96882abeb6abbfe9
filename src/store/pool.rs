//! Runs statements on the current connection pools, with limits, and records their outcome. The
//! pools can be replaced while the server runs, for example after a failover.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
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
    connections::Connections,
    error::{ErrorClass, error_class},
};
use crate::settings;

/// Added to the statement limits before the server gives up on a connection that does not answer.
/// The database has its own limit, which is more precise.
const ANSWER_MARGIN: Duration = Duration::from_secs(1);

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
    /// Whether a statement on the current pools got no answer.
    has_no_answer: AtomicBool,
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
        Self {
            backend,
            current: ArcSwapOption::empty(),
            acquire_timeout: settings.acquire_timeout,
            answer_timeout: settings.acquire_timeout + settings.statement_timeout + ANSWER_MARGIN,
            has_no_answer: AtomicBool::new(false),
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
        let old = self.current.swap(Some(Arc::new(connections)));
        self.has_no_answer.store(false, Ordering::Relaxed);
        old
    }

    /// Records that a statement got no answer, unless its pools have been replaced.
    fn record_no_answer(&self, connections: &Arc<Connections>) {
        if self
            .connections()
            .is_some_and(|current| Arc::ptr_eq(&current, connections))
        {
            self.has_no_answer.store(true, Ordering::Relaxed);
        }
    }

    /// Returns whether a statement on the current pools got no answer. The database limits the time
    /// of statements itself, so the connection is dead. It stays in the pool for as long as the
    /// operating system repeats packets, about 15 minutes, and others may share its fate.
    pub(super) fn has_dead_connections(&self) -> bool {
        self.has_no_answer.load(Ordering::Relaxed)
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
        let table = connections.table_permits(sql);
        let _permits = self.acquire(table, permits).await?;
        timeout(self.shared.answer_timeout, operation(connection.clone()))
            .await
            .unwrap_or_else(|_| {
                self.shared.record_no_answer(&connections);
                Err(own_error(NO_ANSWER))
            })
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
        table: Option<&'a Semaphore>,
        connections: &'a Semaphore,
    ) -> Result<(Option<SemaphorePermit<'a>>, SemaphorePermit<'a>), DbErr> {
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
