//! Database errors, classified as transient or not.

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlErr};
use sqlx::{mysql::MySqlDatabaseError, sqlite::SqliteError};

use super::pool::{FILE_REPLACED, NO_ANSWER, NOT_OPEN};

/// Why a store operation failed. The messages are for logs, not for clients.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database is unreachable, restarting or out of connections. Transient: the same request
    /// may succeed on retry.
    #[error("the database is unavailable: {0}")]
    Unavailable(#[source] DbErr),
    /// The account was deleted while the request was being processed.
    #[error("the account was deleted")]
    AccountDeleted,
    /// The account was deleted, and the token was issued before that: it does not create a new one.
    #[error("the tokens of the deleted account are revoked")]
    Revoked,
    /// Any other error: a bug in this server or a fault of the database.
    #[error("database error: {0}")]
    Unexpected(#[source] DbErr),
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        // Without a connection the statement was not sent, so a retry may succeed once the cause is
        // fixed, for example a password that was changed while the server runs.
        if matches!(error, DbErr::Conn(_) | DbErr::ConnectionAcquire(_)) || is_unavailable(&error) {
            Self::Unavailable(error)
        } else if matches!(
            error.sql_err(),
            Some(SqlErr::ForeignKeyConstraintViolation(_))
        ) {
            // All foreign keys reference the account.
            Self::AccountDeleted
        } else {
            Self::Unexpected(error)
        }
    }
}

/// What kind of error a database returned, by the error codes of each database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorClass {
    /// The connection failed, or the server is starting or stopping.
    Connection,
    /// No connection of the pool became free in time.
    PoolTimeout,
    /// The server accepts no writes: a standby, or a replica before its promotion.
    ReadOnly,
    /// The disk is full, memory is short or an I/O error occurred.
    Storage,
    /// A lock was not granted in time, or the transaction conflicts with another.
    Lock,
    /// The statement exceeded its time limit.
    StatementTimeout,
    /// Any other error; not transient.
    Other,
}

impl ErrorClass {
    /// Returns the value of the label `class` in metrics.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::PoolTimeout => "pool_timeout",
            Self::ReadOnly => "read_only",
            Self::Storage => "storage",
            Self::Lock => "lock",
            Self::StatementTimeout => "statement_timeout",
            Self::Other => "other",
        }
    }
}

/// Reports whether the error is transient.
pub(super) fn is_unavailable(error: &DbErr) -> bool {
    error_class(error) != ErrorClass::Other
}

/// Returns the class of an error.
pub(super) fn error_class(error: &DbErr) -> ErrorClass {
    let source = match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => return ErrorClass::PoolTimeout,
        DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) => {
            return ErrorClass::Connection;
        }
        DbErr::Conn(RuntimeErr::Internal(message)) => {
            return if message == FILE_REPLACED {
                ErrorClass::Storage
            } else if message == NO_ANSWER || message == NOT_OPEN {
                ErrorClass::Connection
            } else {
                ErrorClass::Other
            };
        }
        DbErr::Conn(RuntimeErr::SqlxError(source))
        | DbErr::Exec(RuntimeErr::SqlxError(source))
        | DbErr::Query(RuntimeErr::SqlxError(source)) => source,
        _ => return ErrorClass::Other,
    };
    match &**source {
        sqlx::Error::PoolTimedOut => ErrorClass::PoolTimeout,
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolClosed
        | sqlx::Error::BeginFailed
        | sqlx::Error::WorkerCrashed => ErrorClass::Connection,
        sqlx::Error::Database(error) => {
            let code = error.code();
            let code = code.as_deref().unwrap_or_default();
            if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
                mysql_class(error.number(), code)
            } else if error.try_downcast_ref::<SqliteError>().is_some() {
                sqlite_class(code)
            } else {
                postgres_class(code)
            }
        }
        _ => ErrorClass::Other,
    }
}

/// Classifies by SQLSTATE: 25006 (read-only: a standby before its promotion), 40001 and 40P01
/// (serialization failure, deadlock), 55P03 (lock timeout), 57014 (statement timeout), class 08
/// (connection), 53300 (too many connections), 26000 and 42P05 (a pooler gave the statement to a
/// session that does not know it, or that has another one of this name), the other codes of class 53
/// (disk full, out of memory), 57P01 to 57P05 (shutdown, crash, starting up), 58 (system I/O error).
fn postgres_class(code: &str) -> ErrorClass {
    match code {
        "25006" => ErrorClass::ReadOnly,
        "40001" | "40P01" | "55P03" => ErrorClass::Lock,
        "57014" => ErrorClass::StatementTimeout,
        "26000" | "42P05" | "53300" => ErrorClass::Connection,
        _ if code.starts_with("08") || code.starts_with("57P") => ErrorClass::Connection,
        _ if code.starts_with("53") || code.starts_with("58") => ErrorClass::Storage,
        _ => ErrorClass::Other,
    }
}

/// Classifies by the low byte of the extended result code: 5 and 6 (busy, locked), 8 (read-only),
/// 10 (I/O error), 13 (disk full), 14 (cannot open).
fn sqlite_class(code: &str) -> ErrorClass {
    match code.parse::<u32>().map(|code| code & 0xff) {
        Ok(5 | 6) => ErrorClass::Lock,
        Ok(8) => ErrorClass::ReadOnly,
        Ok(10 | 13 | 14) => ErrorClass::Storage,
        _ => ErrorClass::Other,
    }
}

/// Classifies by SQLSTATE where it is specific: 08 (connection, shutdown), 40001 (deadlock), 25006
/// (read-only transaction). HY000, 42000 and 70100 are generic; for these, the error number
/// decides.
fn mysql_class(number: u16, code: &str) -> ErrorClass {
    match number {
        // A replica before its promotion.
        1290 | 1836 => ErrorClass::ReadOnly,
        // Disk full or storage failure, also during shutdown.
        3 | 1021 | 1026 | 1030 | 1114 | 1180 => ErrorClass::Storage,
        // Lock wait timeout.
        1205 => ErrorClass::Lock,
        // max_statement_time of MariaDB, max_execution_time of MySQL.
        1969 | 3024 => ErrorClass::StatementTimeout,
        // Too many connections from this host or user; the server ended the statement or session.
        1129 | 1203 | 1226 | 1317 | 1927 | 3169 | 4031 => ErrorClass::Connection,
        _ if code.starts_with("08") => ErrorClass::Connection,
        _ if code == "40001" => ErrorClass::Lock,
        _ if code == "25006" => ErrorClass::ReadOnly,
        _ => ErrorClass::Other,
    }
}

/// Reports whether the error is a violation of a unique constraint.
pub(super) fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

#[cfg(test)]
mod tests {
    use super::{
        ErrorClass::{Other, ReadOnly, StatementTimeout},
        mysql_class, postgres_class, sqlite_class,
    };

    #[test]
    fn postgres_codes_are_classified() {
        for transient in [
            "08006", "08P01", "53100", "53300", "57P01", "57P02", "57P03", "58030", "25006",
            "26000", "40001", "40P01", "42P05", "55P03",
        ] {
            assert_ne!(postgres_class(transient), Other, "{transient}");
        }
        for permanent in ["23505", "23503", "42P01", "28P01", "3D000", "XX000", ""] {
            assert_eq!(postgres_class(permanent), Other, "{permanent}");
        }
    }

    #[test]
    fn standbys_and_slow_statements_have_their_own_class() {
        assert_eq!(postgres_class("25006"), ReadOnly);
        assert_eq!(mysql_class(1290, "HY000"), ReadOnly);
        assert_eq!(mysql_class(1836, "HY000"), ReadOnly);
        assert_eq!(postgres_class("57014"), StatementTimeout);
        assert_eq!(mysql_class(1969, "70100"), StatementTimeout);
    }

    #[test]
    fn sqlite_codes_are_classified() {
        for transient in ["5", "261", "517", "6", "8", "1032", "10", "778", "13", "14"] {
            assert_ne!(sqlite_class(transient), Other, "{transient}");
        }
        for permanent in ["1", "11", "26", "19", "787", "1555", "2067", ""] {
            assert_eq!(sqlite_class(permanent), Other, "{permanent}");
        }
    }

    #[test]
    fn mysql_codes_are_classified() {
        let transient = [
            (1053, "08S01"),
            (1040, "08004"),
            (1213, "40001"),
            (1205, "HY000"),
            (1317, "70100"),
            (1927, "70100"),
            (1290, "HY000"),
        ];
        for (number, code) in transient {
            assert_ne!(mysql_class(number, code), Other, "{number}");
        }
        for (number, code) in [
            (1045, "28000"),
            (1049, "42000"),
            (1064, "42000"),
            (1146, "42S02"),
            (1105, "HY000"),
            (1062, "23000"),
        ] {
            assert_eq!(mysql_class(number, code), Other, "{number}");
        }
    }
}
