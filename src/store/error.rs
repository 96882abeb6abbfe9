//! What a database can answer instead of rows.

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlErr};
use sqlx::{mysql::MySqlDatabaseError, sqlite::SqliteError};

/// The store cannot do what was asked. Neither variant's text is for clients.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database is away, restarts, or has no connection left: the same request may succeed
    /// later.
    #[error("the database cannot be reached: {0}")]
    Unavailable(#[source] DbErr),
    /// The account is gone: it was erased while this request was on its way.
    #[error("the account is gone")]
    AccountDeleted,
    /// Anything else: a fault of ours, or of the database.
    #[error("the database refused: {0}")]
    Unexpected(#[source] DbErr),
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        // Without a connection the statement was never sent: whatever the reason is, also a
        // password that was changed while we run, another day it may succeed.
        if matches!(error, DbErr::Conn(_) | DbErr::ConnectionAcquire(_)) || is_away(&error) {
            Self::Unavailable(error)
        } else if matches!(
            error.sql_err(),
            Some(SqlErr::ForeignKeyConstraintViolation(_))
        ) {
            // Every foreign key of ours leads to the account.
            Self::AccountDeleted
        } else {
            Self::Unexpected(error)
        }
    }
}

/// Whether it is a matter of time. What the wire says, each database in its own words.
pub(super) fn is_away(error: &DbErr) -> bool {
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
        sqlx::Error::Database(told) => {
            let code = told.code();
            let code = code.as_deref().unwrap_or_default();
            if let Some(told) = told.try_downcast_ref::<MySqlDatabaseError>() {
                is_away_in_mysql(told.number(), code)
            } else if told.try_downcast_ref::<SqliteError>().is_some() {
                is_away_in_sqlite(code)
            } else {
                is_away_in_postgres(code)
            }
        }
        _ => false,
    }
}

/// By SQLSTATE: class 08 (connection), 53 (no room on the disk, no memory, too many connections),
/// 57P01 to 57P05 (shutdown, crash, starting up), 58 (the system's input and output), 25006
/// (read-only: a standby that is about to be promoted), 40001 and 40P01 (serialization, deadlock),
/// 55P03 (a lock that another statement keeps too long).
fn is_away_in_postgres(code: &str) -> bool {
    ["08", "53", "57P", "58"]
        .iter()
        .any(|class| code.starts_with(class))
        || ["25006", "40001", "40P01", "55P03"].contains(&code)
}

/// The low byte of an extended code: 5 and 6 (busy, locked), 8 (read-only), 10 (input and output),
/// 13 (disk full), 14 (cannot open).
fn is_away_in_sqlite(code: &str) -> bool {
    matches!(
        code.parse::<u32>().map(|code| code & 0xff),
        Ok(5 | 6 | 8 | 10 | 13 | 14)
    )
}

/// By SQLSTATE where it says something: 08 (connection, shutdown), 40001 (deadlock), 25006
/// (read-only transaction). HY000, 42000 and 70100 are said of everything, so there the number
/// decides.
fn is_away_in_mysql(number: u16, code: &str) -> bool {
    const NUMBERS: [u16; 16] = [
        3, 1021, 1026, 1030, 1114,
        1180, // no room, or the storage fails: also while it shuts down
        1129, 1203, 1226, // this host, or this user, has too many connections
        1205, // a lock that another statement keeps too long
        1290, 1836, // read-only: a replica that is about to be promoted
        1317, 1927, 3169, 4031, // the server has ended the statement or the session
    ];
    code.starts_with("08") || ["40001", "25006"].contains(&code) || NUMBERS.contains(&number)
}

/// Whether a row with the same key is there already.
pub(super) fn is_taken(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

#[cfg(test)]
mod tests {
    use super::{is_away_in_mysql, is_away_in_postgres, is_away_in_sqlite};

    #[test]
    fn postgres_tells_what_time_cures_from_what_it_does_not() {
        for away in [
            "08006", "08P01", "53100", "53300", "57P01", "57P02", "57P03", "58030", "25006",
            "40001", "40P01", "55P03",
        ] {
            assert!(is_away_in_postgres(away), "{away}");
        }
        for fault in [
            "23505", "23503", "42P01", "57014", "28P01", "3D000", "XX000", "",
        ] {
            assert!(!is_away_in_postgres(fault), "{fault}");
        }
    }

    #[test]
    fn sqlite_tells_what_time_cures_from_what_it_does_not() {
        for away in ["5", "261", "517", "6", "8", "1032", "10", "778", "13", "14"] {
            assert!(is_away_in_sqlite(away), "{away}");
        }
        for fault in ["1", "11", "26", "19", "787", "1555", "2067", ""] {
            assert!(!is_away_in_sqlite(fault), "{fault}");
        }
    }

    #[test]
    fn mysql_tells_what_time_cures_from_what_it_does_not() {
        let away = [
            (1053, "08S01"),
            (1040, "08004"),
            (1213, "40001"),
            (1205, "HY000"),
            (1317, "70100"),
            (1927, "70100"),
            (1290, "HY000"),
        ];
        for (number, code) in away {
            assert!(is_away_in_mysql(number, code), "{number}");
        }
        for (number, code) in [
            (1045, "28000"),
            (1049, "42000"),
            (1064, "42000"),
            (1146, "42S02"),
            (1105, "HY000"),
            (1062, "23000"),
        ] {
            assert!(!is_away_in_mysql(number, code), "{number}");
        }
    }
}
