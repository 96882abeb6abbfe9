//! The options of one transaction.

use std::time::Duration;

/// The options of a transaction.
///
/// ```
/// use std::time::Duration;
///
/// use bearward::postgres::{IsolationLevel, TransactionOptions};
///
/// let report = TransactionOptions::new()
///     .read_only()
///     .isolation(IsolationLevel::RepeatableRead)
///     .statement_timeout(Duration::from_secs(30));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TransactionOptions {
    pub(super) read_only: bool,
    pub(super) isolation: Option<IsolationLevel>,
    pub(super) statement_timeout: Option<Duration>,
}

/// The isolation level of a transaction, see the [PostgreSQL
/// manual](https://www.postgresql.org/docs/current/transaction-iso.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsolationLevel {
    /// Each statement sees what was committed before it began.
    ReadCommitted,
    /// All statements see what was committed before the transaction began.
    RepeatableRead,
    /// As if the transactions ran one after another. Transactions can fail with SQLSTATE 40001.
    Serializable,
}

impl TransactionOptions {
    /// Creates options that change nothing: read and write, with the isolation level and the
    /// statement timeout of the pool or the database.
    pub fn new() -> Self {
        Self::default()
    }

    /// Refuses writes in this transaction.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Sets the isolation level.
    #[must_use]
    pub fn isolation(mut self, level: IsolationLevel) -> Self {
        self.isolation = Some(level);
        self
    }

    /// Limits the time of each statement of this transaction. It is rounded down to milliseconds, to
    /// at least one; PostgreSQL's maximum is about 24 days.
    #[must_use]
    pub fn statement_timeout(mut self, limit: Duration) -> Self {
        self.statement_timeout = Some(limit);
        self
    }

    /// Returns the statement that begins the transaction.
    pub(super) fn begin(self) -> String {
        let mut statement = "BEGIN".to_owned();
        if let Some(level) = self.isolation {
            statement.push_str(" ISOLATION LEVEL ");
            statement.push_str(match level {
                IsolationLevel::ReadCommitted => "READ COMMITTED",
                IsolationLevel::RepeatableRead => "REPEATABLE READ",
                IsolationLevel::Serializable => "SERIALIZABLE",
            });
        }
        if self.read_only {
            statement.push_str(" READ ONLY");
        }
        statement
    }
}
