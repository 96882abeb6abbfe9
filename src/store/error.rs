//! Database errors, classified as transient or not.

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlErr};
use sqlx::{mysql::MySqlDatabaseError, sqlite::SqliteError};

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

/// Reports whether the error is transient, by the error codes of each database.
pub(super) fn is_unavailable(error: &DbErr) -> bool {
    let source = match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout | ConnAcquireErr::ConnectionClosed) => {
            return true;
        }
        DbErr::Conn(RuntimeErr::SqlxError(source))
        | DbErr::Exec(RuntimeErr::SqlxError(source))
        | DbErr::Query(RuntimeErr::SqlxError(source)) => source,
        _ => return false,
    };
    match &**source {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::BeginFailed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => {
            let code = error.code();
            let code = code.as_deref().unwrap_or_default();
            if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
                is_unavailable_in_mysql(error.number(), code)
            } else if error.try_downcast_ref::<SqliteError>().is_some() {
                is_unavailable_in_sqlite(code)
            } else {
                is_unavailable_in_postgres(code)
            }
        }
        _ => false,
    }
}

/// Classifies by SQLSTATE: class 08 (connection), 53 (disk full, out of memory, too many
/// connections), 57P01 to 57P05 (shutdown, crash, starting up), 58 (system I/O error), 25006
/// (read-only: a standby before its promotion), 40001 and 40P01 (serialization failure, deadlock),
/// 55P03 (lock timeout), 26000 and 42P05 (a pooler gave the statement to a session that does not know
/// it, or that has another one of this name).
fn is_unavailable_in_postgres(code: &str) -> bool {
    ["08", "53", "57P", "58"]
        .iter()
        .any(|class| code.starts_with(class))
        || ["25006", "26000", "40001", "40P01", "42P05", "55P03"].contains(&code)
}

/// Classifies by the low byte of the extended result code: 5 and 6 (busy, locked), 8 (read-only),
/// 10 (I/O error), 13 (disk full), 14 (cannot open).
fn is_unavailable_in_sqlite(code: &str) -> bool {
    matches!(
        code.parse::<u32>().map(|code| code & 0xff),
        Ok(5 | 6 | 8 | 10 | 13 | 14)
    )
}

/// Classifies by SQLSTATE where it is specific: 08 (connection, shutdown), 40001 (deadlock), 25006
/// (read-only transaction). HY000, 42000 and 70100 are generic; for these, the error number
/// decides.
fn is_unavailable_in_mysql(number: u16, code: &str) -> bool {
    const NUMBERS: [u16; 16] = [
        3, 1021, 1026, 1030, 1114, 1180, // disk full or storage failure, also during shutdown
        1129, 1203, 1226, // too many connections from this host or user
        1205, // lock wait timeout
        1290, 1836, // read-only: a replica before its promotion
        1317, 1927, 3169, 4031, // the server ended the statement or the session
    ];
    code.starts_with("08") || ["40001", "25006"].contains(&code) || NUMBERS.contains(&number)
}

/// Reports whether the error is a violation of a unique constraint.
pub(super) fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

#[cfg(test)]
mod tests {
    use super::{is_unavailable_in_mysql, is_unavailable_in_postgres, is_unavailable_in_sqlite};

    #[test]
    fn postgres_codes_are_classified() {
        for transient in [
            "08006", "08P01", "53100", "53300", "57P01", "57P02", "57P03", "58030", "25006",
            "26000", "40001", "40P01", "42P05", "55P03",
        ] {
            assert!(is_unavailable_in_postgres(transient), "{transient}");
        }
        for permanent in [
            "23505", "23503", "42P01", "57014", "28P01", "3D000", "XX000", "",
        ] {
            assert!(!is_unavailable_in_postgres(permanent), "{permanent}");
        }
    }

    #[test]
    fn sqlite_codes_are_classified() {
        for transient in ["5", "261", "517", "6", "8", "1032", "10", "778", "13", "14"] {
            assert!(is_unavailable_in_sqlite(transient), "{transient}");
        }
        for permanent in ["1", "11", "26", "19", "787", "1555", "2067", ""] {
            assert!(!is_unavailable_in_sqlite(permanent), "{permanent}");
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
            assert!(is_unavailable_in_mysql(number, code), "{number}");
        }
        for (number, code) in [
            (1045, "28000"),
            (1049, "42000"),
            (1064, "42000"),
            (1146, "42S02"),
            (1105, "HY000"),
            (1062, "23000"),
        ] {
            assert!(!is_unavailable_in_mysql(number, code), "{number}");
        }
    }
}
