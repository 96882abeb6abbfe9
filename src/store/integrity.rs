//! Checks that an SQLite file is not corrupt.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::connection::code;

/// How thoroughly SQLite checks a file. Both read all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IntegrityCheck {
    /// The structure of tables and indexes.
    Quick,
    /// Also whether each index has exactly the rows of its table.
    Full,
}

/// Returns the first problem that SQLite finds in the file, or `None` if it finds none.
pub(super) async fn find_corruption(
    db: &impl ConnectionTrait,
    check: IntegrityCheck,
) -> Result<Option<String>, DbErr> {
    let pragma = match check {
        IntegrityCheck::Quick => "PRAGMA quick_check(1)",
        IntegrityCheck::Full => "PRAGMA integrity_check(1)",
    };
    let statement = Statement::from_string(DbBackend::Sqlite, pragma);
    let result = match db.query_one_raw(statement).await {
        Ok(Some(row)) => row.try_get_by_index::<String>(0)?,
        Ok(None) => return Ok(None),
        Err(error) => return corruption(&error).map(Some).ok_or(error),
    };
    Ok((result != "ok").then_some(result))
}

/// Returns the message of an error that says that the file is corrupt or no SQLite database: the low
/// byte of its extended result code is 11 or 26.
pub(super) fn corruption(error: &DbErr) -> Option<String> {
    match code(error)?.parse::<u32>().ok()? & 0xff {
        11 => Some("a page of it is malformed".to_owned()),
        26 => Some("it is not an SQLite database".to_owned()),
        _ => None,
    }
}
