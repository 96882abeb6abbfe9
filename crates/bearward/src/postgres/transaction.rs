//! The transaction that runs as the caller.

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

use sqlx::{
    AssertSqlSafe, PgConnection, PgPool, Postgres, SqlSafeStr, pool::PoolConnection,
    postgres::PgTransactionManager,
};
use sqlx_core::transaction::TransactionManager;

use super::{error::Error, login_role, scoped_pool::Scope};

/// A transaction with the caller's role and claims, see [`Principal::begin`](crate::Principal::begin).
///
/// It dereferences to sqlx's `PgConnection`; pass `&mut *tx` to queries. Without
/// [`commit`](Self::commit) it is rolled back when it is dropped, also by a panic or a cancelled
/// request. In all cases the connection returns to the pool without the role and the claims.
///
/// # Security
/// If a statement fails, PostgreSQL aborts the transaction, and `commit` then rolls it back without
/// an error. Return the error of the statement instead of committing.
pub struct ScopedTransaction {
    connection: PoolConnection<Postgres>,
}

impl ScopedTransaction {
    /// Begins a transaction. `statement` is `BEGIN` and the settings, in one message.
    pub(super) async fn start(
        pool: &PgPool,
        scope: &Scope,
        statement: String,
    ) -> Result<Self, Error> {
        let connection = pool.acquire().await.map_err(Error::Begin)?;
        let mut connection = CloseOnDrop(Some(connection));
        login_role::check_once(pool, connection.get()?, &scope.roles).await?;
        let statement = AssertSqlSafe(statement).into_sql_str();
        if let Err(error) = PgTransactionManager::begin(connection.get()?, Some(statement)).await {
            if matches!(error, sqlx::Error::Database(_)) {
                // `BEGIN` may have succeeded, and sqlx does not know it.
                sqlx::raw_sql("ROLLBACK")
                    .execute(connection.get()?)
                    .await
                    .map_err(Error::Begin)?;
                connection.keep();
            }
            return Err(Error::Begin(error));
        }
        let connection = connection.keep().ok_or(Error::Ended)?;
        Ok(Self { connection })
    }

    /// Commits the transaction.
    ///
    /// # Errors
    /// [`Error::Query`] if the database refuses, for example because of a deferred constraint or a
    /// serialization failure; [`Error::Ended`] if a cancelled savepoint has already rolled it back.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.require_open()?;
        PgTransactionManager::commit(&mut self.connection)
            .await
            .map_err(Error::Query)
    }

    /// Rolls the transaction back. Dropping it has the same effect, in the background.
    ///
    /// # Errors
    /// [`Error::Query`] if the connection fails; the database then rolls back by itself.
    pub async fn rollback(mut self) -> Result<(), Error> {
        PgTransactionManager::rollback(&mut self.connection)
            .await
            .map_err(Error::Query)
    }

    /// Requires that sqlx's state is one transaction without savepoints: a cancelled savepoint ends
    /// the whole transaction, and a leaked one would keep it open.
    fn require_open(&self) -> Result<(), Error> {
        if PgTransactionManager::get_transaction_depth(&self.connection) == 1 {
            Ok(())
        } else {
            Err(Error::Ended)
        }
    }
}

impl Deref for ScopedTransaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for ScopedTransaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl AsMut<PgConnection> for ScopedTransaction {
    fn as_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

/// Queues a rollback, which is sent before the connection returns to the pool.
impl Drop for ScopedTransaction {
    fn drop(&mut self) {
        while PgTransactionManager::get_transaction_depth(&self.connection) > 0 {
            PgTransactionManager::start_rollback(&mut self.connection);
        }
    }
}

impl fmt::Debug for ScopedTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScopedTransaction")
    }
}

/// A connection that is closed instead of returned to the pool, unless it is kept.
///
/// sqlx rolls a transaction back only if it has received the response to `BEGIN`. Without this
/// guard, a request that is cancelled before that would leave a connection in the pool on which the
/// caller's role and claims are set.
struct CloseOnDrop(Option<PoolConnection<Postgres>>);

impl CloseOnDrop {
    fn get(&mut self) -> Result<&mut PgConnection, Error> {
        self.0.as_deref_mut().ok_or(Error::Ended)
    }

    /// Takes the connection out. If it is dropped, it returns to the pool.
    fn keep(&mut self) -> Option<PoolConnection<Postgres>> {
        self.0.take()
    }
}

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.0 {
            connection.close_on_drop();
        }
    }
}
