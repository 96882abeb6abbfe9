//! What a database can answer instead of rows.

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlErr};

/// The store cannot do what was asked. Neither variant's text is for clients.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database is away, restarts, or has no connection left: the same request may succeed later.
    #[error("the database cannot be reached: {0}")]
    Unavailable(#[source] DbErr),
    /// The account is gone: it was erased while this request was on its way.
    #[error("the account is gone")]
    Gone,
    /// Anything else: a fault of ours, or of the database.
    #[error("the database refused: {0}")]
    Unexpected(#[source] DbErr),
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        if is_away(&error) {
            Self::Unavailable(error)
        } else if matches!(error.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_))) {
            // Every foreign key of ours leads to the account.
            Self::Gone
        } else {
            Self::Unexpected(error)
        }
    }
}

/// Whether it is a matter of time. What the wire says, each database in its own words.
fn is_away(error: &DbErr) -> bool {
    let source = match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout | ConnAcquireErr::ConnectionClosed) => return true,
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
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(told) => told.code().is_some_and(|code| is_away_code(&code)),
        _ => false,
    }
}

/// PostgreSQL: class 08 (connection), 53300 (too many connections), 57P01..57P05 (shutdown, crash, starting up), 25006 (read-only: a standby that
/// is about to be promoted), 40001 and 40P01 (serialization, deadlock). SQLite: 5 and 6 (busy, locked), 13 (disk full) with their extensions.
/// MySQL, by SQLSTATE: 08 (connection), 40001 (deadlock), HY000 is everything and so counts as nothing.
fn is_away_code(code: &str) -> bool {
    const POSTGRES: [&str; 5] = ["53300", "25006", "40001", "40P01", "53100"];
    let sqlite = code.parse::<u32>().ok().filter(|_| code.len() < 5).map(|code| code & 0xff);
    (code.len() == 5 && (code.starts_with("08") || code.starts_with("57P0")))
        || POSTGRES.contains(&code)
        || matches!(sqlite, Some(5 | 6 | 13))
}

/// Whether a row with the same key is there already.
pub(super) fn is_taken(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

#[cfg(test)]
mod tests {
    use super::is_away_code;

    #[test]
    fn what_time_cures_is_told_from_what_it_does_not() {
        for away in ["08006", "57P01", "57P03", "53300", "40P01", "5", "261", "517", "6", "13"] {
            assert!(is_away_code(away), "{away}");
        }
        for fault in ["23505", "42P01", "HY000", "57014", "2067", "787", "1", ""] {
            assert!(!is_away_code(fault), "{fault}");
        }
    }
}
