//! Errors of the database drivers: their message, a hint for people, and whether a later attempt can
//! succeed.

use std::io;

use sea_orm::{DbErr, RuntimeErr};
use sqlx::sqlite::SqliteError;

use super::error::is_unavailable;

/// Reports whether a later attempt can succeed without a change by the operator. A rejected
/// password, an unknown database, an invalid certificate or a read-only file are permanent.
pub(super) fn is_transient(error: &DbErr) -> bool {
    let source = match error {
        DbErr::Conn(RuntimeErr::SqlxError(source))
        | DbErr::Exec(RuntimeErr::SqlxError(source))
        | DbErr::Query(RuntimeErr::SqlxError(source)) => &**source,
        _ => return is_unavailable(error),
    };
    match source {
        sqlx::Error::Tls(_) | sqlx::Error::Configuration(_) => false,
        // The TLS library reports an invalid certificate as an I/O error.
        sqlx::Error::Io(error) if is_tls_failure(error) => false,
        // A pooler answers a wrong password or an unknown database with the generic code of a
        // protocol violation.
        sqlx::Error::Database(error)
            if error.code().as_deref() == Some("08P01") && is_rejected_login(error.message()) =>
        {
            false
        }
        sqlx::Error::Database(error) if error.try_downcast_ref::<SqliteError>().is_some() => {
            is_busy(error.code().as_deref())
        }
        _ => is_unavailable(error),
    }
}

/// Reports whether an I/O error comes from the TLS handshake.
fn is_tls_failure(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidData
}

/// Reports whether a pooler has rejected the user, the password or the database.
fn is_rejected_login(message: &str) -> bool {
    [
        "authentication failed",
        "no such database",
        "no such user",
        "password",
    ]
    .iter()
    .any(|part| message.contains(part))
}

/// Reports whether another process is writing, or is switching the journal of a new file to WAL;
/// `busy_timeout` does not cover the latter.
fn is_busy(code: Option<&str>) -> bool {
    matches!(
        code.and_then(|code| code.parse::<u32>().ok())
            .map(|code| code & 0xff),
        Some(5 | 6)
    )
}

/// Returns the driver's message without the context that the mapper adds.
pub(super) fn driver_message(error: &DbErr) -> String {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(source)) => source.to_string(),
        // The driver's message contains the URL.
        DbErr::Conn(RuntimeErr::Internal(_)) => "not a valid database URL".to_owned(),
        _ => error.to_string(),
    }
}

/// Suggests a fix for common server errors.
pub(super) fn hint(error: &DbErr) -> &'static str {
    let DbErr::Conn(RuntimeErr::SqlxError(source)) = error else {
        return "";
    };
    if matches!(&**source, sqlx::Error::Tls(_))
        || matches!(&**source, sqlx::Error::Io(error) if is_tls_failure(error))
    {
        return ". Name the certificate authority of the server in the URL: &sslrootcert=FILE (PostgreSQL) or &ssl-ca=FILE (MySQL)";
    }
    let code = source
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    match code.as_deref() {
        // SQLSTATE codes of PostgreSQL and MySQL.
        Some("08P01") => {
            ". Check the user name, the password and the database in the URL, and the users of the connection pooler"
        }
        Some("28P01" | "28000") => ". Check the user name and the password in the URL",
        Some("3D000") => ". Create the database first: CREATE DATABASE name",
        Some("42000") => ". Create the database first, and grant it to the user",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::Database;

    use super::{super::OpenError, *};

    #[test]
    fn rejected_logins_of_poolers_are_permanent() {
        for message in [
            "SASL authentication failed",
            "password authentication failed",
            "no such database: app",
            "no such user: bear",
        ] {
            assert!(is_rejected_login(message), "{message}");
        }
        for message in ["server conn crashed?", "client_login_timeout"] {
            assert!(!is_rejected_login(message), "{message}");
        }
    }

    #[tokio::test]
    async fn driver_messages_with_the_url_are_replaced() {
        for url in [
            "postgres://bear:hunter2/x@db/app",
            "mysql://bear:hunter2@db:99999/app",
        ] {
            let error = Database::connect(url).await.expect_err(url);
            assert!(
                matches!(&error, DbErr::Conn(RuntimeErr::Internal(message)) if message.contains("hunter2")),
                "{error}"
            );
            let message = OpenError::Connect(error).to_string();
            assert!(
                message.contains("DATABASE_URL") && !message.contains("hunter2"),
                "{message}"
            );
        }
    }
}
