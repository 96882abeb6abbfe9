//! The connection that all queries use: it inserts the configured schema, and sends statements in the
//! way that the pooler in front of PostgreSQL requires.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, RuntimeErr, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait, Values, prelude::async_trait::async_trait,
};
use sea_query_sqlx::SqlxValues;
use sqlx::{AssertSqlSafe, Executor, Postgres};
use tokio::sync::Mutex;

use super::schema::Namespace;
use crate::settings::Pooler;

/// A connection pool.
#[derive(Clone)]
pub(super) struct Connection {
    pool: DatabaseConnection,
    namespace: Namespace,
    pooler: Pooler,
    /// Whether consecutive statements may run in different sessions of PostgreSQL. Each one then runs
    /// in a transaction, and leaves nothing in the session.
    shares_sessions: Arc<AtomicBool>,
}

impl Connection {
    pub(super) fn new(
        pool: DatabaseConnection,
        namespace: Namespace,
        pooler: Pooler,
        shares_sessions: bool,
    ) -> Self {
        Self {
            pool,
            namespace,
            pooler,
            shares_sessions: Arc::new(AtomicBool::new(shares_sessions)),
        }
    }

    /// Calls a function for each statement, for tests.
    #[cfg(test)]
    pub(super) fn on_statement(&mut self, callback: impl Fn() + Send + Sync + 'static) {
        self.pool.set_metric_callback(move |_| callback());
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
            let transaction = self.pool.get_postgres_connection_pool().begin().await;
            Inner::Postgres(Box::new(Mutex::new(transaction.map_err(connect_error)?)))
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
        if self.shares_sessions.load(Ordering::Relaxed) {
            Ok(Some(self.begin().await?))
        } else {
            Ok(None)
        }
    }

    /// Notes that sessions are shared if the error shows it: the first detection may have been
    /// wrong, or a pooler was put in front of the database later.
    fn observe<T>(&self, result: Result<T, DbErr>) -> Result<T, DbErr> {
        if let Err(error) = &result
            && self.pooler == Pooler::Auto
            && matches!(code(error).as_deref(), Some("26000" | "42P05"))
            && !self.shares_sessions.swap(true, Ordering::Relaxed)
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
