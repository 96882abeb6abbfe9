//! The connection that all queries use: it inserts the configured schema, and sends statements in the
//! way that the pooler in front of PostgreSQL requires.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    ExecResult, QueryResult, RuntimeErr, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait, Values, prelude::async_trait::async_trait,
};
use sea_query_sqlx::SqlxValues;
use sqlx::{AssertSqlSafe, Executor, PgPool, Postgres, postgres::PgConnectOptions, raw_sql};
use tokio::sync::Mutex;

use super::schema::Namespace;
use crate::settings::Pooler;

/// A connection pool.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pool: DatabaseConnection,
    namespace: Namespace,
    sessions: SessionLimits,
}

/// How sessions of the database are used, and the time limits of their statements.
#[derive(Debug, Clone)]
pub(super) struct SessionLimits {
    pooler: Pooler,
    /// Whether consecutive statements may run in different sessions of PostgreSQL. Each one then runs
    /// in a transaction, and leaves nothing in the session.
    are_shared: Arc<AtomicBool>,
    /// The assignments of a SET statement.
    limits: Arc<[String]>,
}

impl SessionLimits {
    /// Until it is known whether sessions are shared, nothing is set in them.
    pub(super) fn new(pooler: Pooler, limits: Option<Vec<String>>) -> Self {
        Self {
            pooler,
            are_shared: Arc::new(AtomicBool::new(pooler != Pooler::Session)),
            limits: limits.unwrap_or_default().into(),
        }
    }

    fn are_shared(&self) -> bool {
        self.are_shared.load(Ordering::Relaxed)
    }

    /// Sets the limits in each new session that is not shared. A statement is used and not a startup
    /// parameter, which poolers reject.
    pub(super) fn apply_to(&self, options: &mut ConnectOptions) {
        if self.limits.is_empty() {
            return;
        }
        let (postgres, mysql) = (self.clone(), self.set("SET SESSION"));
        options
            .map_sqlx_postgres_pool_opts(move |pool| {
                let sessions = postgres.clone();
                pool.after_connect(move |connection, _| {
                    let sessions = sessions.clone();
                    Box::pin(async move {
                        if sessions.are_shared() {
                            return Ok(());
                        }
                        let set = sessions.set("SET SESSION");
                        connection.execute(raw_sql(AssertSqlSafe(set))).await?;
                        Ok(())
                    })
                })
            })
            .map_sqlx_mysql_pool_opts(move |pool| {
                let set = mysql.clone();
                pool.after_connect(move |connection, _| {
                    let set = set.clone();
                    Box::pin(async move {
                        connection.execute(raw_sql(AssertSqlSafe(set))).await?;
                        Ok(())
                    })
                })
            });
    }

    /// Notes that sessions are not shared, and sets the limits in the only session of a new pool.
    pub(super) async fn set_own(&self, pool: &PgPool) -> Result<(), DbErr> {
        self.are_shared.store(false, Ordering::Relaxed);
        if !self.limits.is_empty() {
            let set = self.set("SET SESSION");
            pool.execute(raw_sql(AssertSqlSafe(set)))
                .await
                .map_err(connect_error)?;
        }
        Ok(())
    }

    /// Returns the statements that set the limits.
    fn set(&self, keyword: &str) -> String {
        let statements: Vec<String> = self
            .limits
            .iter()
            .map(|limit| format!("{keyword} {limit}"))
            .collect();
        statements.join("; ")
    }

    /// Returns the statements that begin a transaction with the limits.
    fn begin(&self) -> String {
        if self.are_shared() && !self.limits.is_empty() {
            format!("BEGIN; {}", self.set("SET LOCAL"))
        } else {
            "BEGIN".to_owned()
        }
    }
}

impl Connection {
    /// A connection to a database without a pooler and without limits of its sessions.
    pub(super) fn new(pool: DatabaseConnection, namespace: Namespace) -> Self {
        Self::with_sessions(pool, namespace, SessionLimits::new(Pooler::Session, None))
    }

    pub(super) fn with_sessions(
        pool: DatabaseConnection,
        namespace: Namespace,
        sessions: SessionLimits,
    ) -> Self {
        Self {
            pool,
            namespace,
            sessions,
        }
    }

    /// Closes the pool. Statements in progress may finish.
    pub(super) async fn close(&self) {
        // An error means that the pool is closed already.
        let _ = self.pool.close_by_ref().await;
    }

    /// Returns the number of open connections, and how many of them are idle.
    pub(super) fn size_and_idle(&self) -> (u32, u32) {
        let (size, idle) = match self.pool.get_database_backend() {
            DbBackend::Postgres => {
                let pool = self.pool.get_postgres_connection_pool();
                (pool.size(), pool.num_idle())
            }
            DbBackend::MySql => {
                let pool = self.pool.get_mysql_connection_pool();
                (pool.size(), pool.num_idle())
            }
            _ => {
                let pool = self.pool.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle())
            }
        };
        (size, u32::try_from(idle).unwrap_or(u32::MAX))
    }

    /// Returns the options for a connection that receives notifications, unless the database is not
    /// PostgreSQL or a pooler shares sessions.
    pub(super) fn listener_options(&self) -> Option<PgConnectOptions> {
        if self.get_database_backend() != DbBackend::Postgres || self.sessions.are_shared() {
            return None;
        }
        let pool = self.pool.get_postgres_connection_pool();
        Some(PgConnectOptions::clone(&pool.connect_options()))
    }

    pub(super) fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    pub(super) async fn ping(&self) -> Result<(), DbErr> {
        self.pool.ping().await
    }

    /// Begins a transaction that changes tables.
    pub(super) async fn begin(&self) -> Result<Transaction, DbErr> {
        let inner = if self.get_database_backend() == DbBackend::Postgres {
            let begin = AssertSqlSafe(self.sessions.begin());
            let pool = self.pool.get_postgres_connection_pool();
            let transaction = pool.begin_with(begin).await.map_err(connect_error)?;
            Inner::Postgres(Box::new(Mutex::new(transaction)))
        } else {
            let immediate = TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            };
            Inner::Other(self.pool.begin_with_options(immediate).await?)
        };
        Ok(Transaction {
            inner,
            namespace: self.namespace.clone(),
        })
    }

    /// Returns a transaction for one statement if sessions are shared.
    async fn own_transaction(&self) -> Result<Option<Transaction>, DbErr> {
        if self.sessions.are_shared() {
            Ok(Some(self.begin().await?))
        } else {
            Ok(None)
        }
    }

    /// Notes that sessions are shared if the error shows it: the first detection may have been
    /// wrong, or a pooler was put in front of the database later.
    fn observe<T>(&self, result: Result<T, DbErr>) -> Result<T, DbErr> {
        if let Err(error) = &result
            && self.sessions.pooler == Pooler::Auto
            && matches!(code(error).as_deref(), Some("26000" | "42P05"))
            && !self.sessions.are_shared.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                "a pooler in transaction mode is in front of the database; statements are no longer prepared. Set database.pooler = \
                 \"transaction\" to start in this mode"
            );
        }
        result
    }
}

/// Returns the error code of the database.
pub(super) fn code(error: &DbErr) -> Option<String> {
    let (DbErr::Conn(RuntimeErr::SqlxError(source))
    | DbErr::Exec(RuntimeErr::SqlxError(source))
    | DbErr::Query(RuntimeErr::SqlxError(source))) = error
    else {
        return None;
    };
    Some(source.as_database_error()?.code()?.into_owned())
}

#[async_trait]
impl ConnectionTrait for Connection {
    fn get_database_backend(&self) -> DbBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        if let Some(transaction) = self.own_transaction().await? {
            let result = transaction.execute_raw(statement).await?;
            transaction.commit().await?;
            return Ok(result);
        }
        let statement = self.namespace.qualify(statement);
        self.observe(self.pool.execute_raw(statement).await)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.pool
            .execute_unprepared(&self.namespace.qualify_sql(sql))
            .await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        if let Some(transaction) = self.own_transaction().await? {
            let row = transaction.query_one_raw(statement).await?;
            transaction.commit().await?;
            return Ok(row);
        }
        let statement = self.namespace.qualify(statement);
        self.observe(self.pool.query_one_raw(statement).await)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        if let Some(transaction) = self.own_transaction().await? {
            let rows = transaction.query_all_raw(statement).await?;
            transaction.commit().await?;
            return Ok(rows);
        }
        let statement = self.namespace.qualify(statement);
        self.observe(self.pool.query_all_raw(statement).await)
    }
}

/// A transaction. It is rolled back on drop.
pub(super) struct Transaction {
    inner: Inner,
    namespace: Namespace,
}

enum Inner {
    /// Statements are unnamed: a named one would stay in a session that a pooler gives to another
    /// client.
    Postgres(Box<Mutex<sqlx::Transaction<'static, Postgres>>>),
    Other(DatabaseTransaction),
}

impl Transaction {
    pub(super) async fn commit(self) -> Result<(), DbErr> {
        match self.inner {
            Inner::Postgres(transaction) => transaction
                .into_inner()
                .commit()
                .await
                .map_err(execute_error),
            Inner::Other(transaction) => transaction.commit().await,
        }
    }
}

/// Returns an unnamed statement. Its parsing and its execution are two round trips, between which
/// only a transaction keeps the session.
fn unnamed(statement: Statement) -> sqlx::query::Query<'static, Postgres, SqlxValues> {
    let values = statement.values.unwrap_or(Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql), SqlxValues(values)).persistent(false)
}

fn connect_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

fn execute_error(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
}

fn query_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

#[async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        match &self.inner {
            Inner::Postgres(_) => DbBackend::Postgres,
            Inner::Other(transaction) => transaction.get_database_backend(),
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let statement = self.namespace.qualify(statement);
        match &self.inner {
            Inner::Postgres(transaction) => unnamed(statement)
                .execute(&mut **transaction.lock().await)
                .await
                .map(Into::into)
                .map_err(execute_error),
            Inner::Other(transaction) => transaction.execute_raw(statement).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let sql = self.namespace.qualify_sql(sql);
        match &self.inner {
            Inner::Postgres(transaction) => transaction
                .lock()
                .await
                .execute(AssertSqlSafe(sql))
                .await
                .map(Into::into)
                .map_err(execute_error),
            Inner::Other(transaction) => transaction.execute_unprepared(&sql).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let statement = self.namespace.qualify(statement);
        match &self.inner {
            Inner::Postgres(transaction) => unnamed(statement)
                .fetch_optional(&mut **transaction.lock().await)
                .await
                .map(|row| row.map(Into::into))
                .map_err(query_error),
            Inner::Other(transaction) => transaction.query_one_raw(statement).await,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let statement = self.namespace.qualify(statement);
        match &self.inner {
            Inner::Postgres(transaction) => unnamed(statement)
                .fetch_all(&mut **transaction.lock().await)
                .await
                .map(|rows| rows.into_iter().map(Into::into).collect())
                .map_err(query_error),
            Inner::Other(transaction) => transaction.query_all_raw(statement).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(pooler: Pooler, limits: &[&str]) -> String {
        let limits = limits.iter().map(|limit| (*limit).to_owned()).collect();
        SessionLimits::new(pooler, Some(limits)).begin()
    }

    #[test]
    fn shared_sessions_are_limited_in_each_transaction() {
        let limits = ["statement_timeout = 1", "lock_timeout = 2"];
        assert_eq!(begin(Pooler::Session, &limits), "BEGIN");
        assert_eq!(begin(Pooler::Transaction, &[]), "BEGIN");
        for pooler in [Pooler::Transaction, Pooler::Auto] {
            assert_eq!(
                begin(pooler, &limits),
                "BEGIN; SET LOCAL statement_timeout = 1; SET LOCAL lock_timeout = 2"
            );
        }
    }
}
