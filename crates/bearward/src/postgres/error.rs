//! The errors of scoped transactions, and their responses.

use std::fmt;

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use bearward_http::error_chain;

use crate::{ErrorBody, text::SanitizedText};

/// An error of a transaction that runs as the caller.
///
/// A handler can return it: queries are converted with `?`, too. The response has an
/// [`ErrorBody`] that names neither roles, tables nor causes; causes of a 500 or 503 are logged.
///
/// | status | code | error |
/// |---|---|---|
/// | 403 | `ROLE_NOT_ALLOWED` | [`RoleNotAllowed`](Self::RoleNotAllowed) |
/// | 403 | `CLAIMS_NOT_SUPPORTED` | [`UnsupportedClaims`](Self::UnsupportedClaims) |
/// | 403 | `ACCESS_DENIED` | a query that the role or a policy does not permit (SQLSTATE 42501) |
/// | 404 | `NOT_FOUND` | `sqlx::Error::RowNotFound` of a query |
/// | 503 | `TIMEOUT` | a statement that exceeded its time limit (SQLSTATE 57014) |
/// | 503 | `DATABASE_UNAVAILABLE`, with `Retry-After` | the database is unreachable, restarting or out of connections, or the transaction conflicted with another |
/// | 500 | `INTERNAL` | everything else |
/// `Debug` prints the message and its sources, so that `main` can return the error. It has no values
/// of rows, which PostgreSQL adds to some errors.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The token names a database role that the pool does not allow. No statement was sent.
    #[error("the token names the database role {role:?}, which is not allowed")]
    RoleNotAllowed {
        /// The role that the token names.
        role: SanitizedText,
    },
    /// The claims contain U+0000 or an unpaired surrogate, which `jsonb` cannot store, or an object
    /// with a member twice, of which `jsonb` keeps the last one, or more than 128 levels. No statement
    /// was sent.
    #[error(
        "the token's claims contain U+0000, an unpaired surrogate, an object with a member twice, or more than 128 levels"
    )]
    UnsupportedClaims,
    /// The login role, or a role that must not, bypasses row level security.
    #[error(
        "the database role {role:?} {problem}, so it bypasses row level security; connect as a role without these rights"
    )]
    BypassesRowSecurity {
        /// The role.
        role: String,
        /// Why it bypasses row level security.
        problem: &'static str,
    },
    /// A role that the pool allows cannot be used.
    #[error("the database role {role:?} {problem}")]
    UnusableRole {
        /// The role.
        role: String,
        /// Why it cannot be used.
        problem: &'static str,
    },
    /// The transaction could not begin.
    #[error("cannot begin a transaction")]
    Begin(#[source] sqlx::Error),
    /// A statement of the transaction failed.
    #[error("a statement failed")]
    Query(#[from] sqlx::Error),
    /// The transaction ended before it was committed, because a savepoint was cancelled or leaked.
    #[error("the transaction has ended")]
    Ended,
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&error_chain(self))
    }
}

/// The status, code and message of a response.
type Response = (StatusCode, &'static str, &'static str);

const NOT_ALLOWED: Response = (
    StatusCode::FORBIDDEN,
    "ROLE_NOT_ALLOWED",
    "the token's database role is not allowed",
);
const NOT_SUPPORTED: Response = (
    StatusCode::FORBIDDEN,
    "CLAIMS_NOT_SUPPORTED",
    "the token's claims cannot be used",
);
const DENIED: Response = (
    StatusCode::FORBIDDEN,
    "ACCESS_DENIED",
    "you may not access this data",
);
const NOT_FOUND: Response = (StatusCode::NOT_FOUND, "NOT_FOUND", "not found");
const TIMEOUT: Response = (
    StatusCode::SERVICE_UNAVAILABLE,
    "TIMEOUT",
    "the request took too long",
);
const UNAVAILABLE: Response = (
    StatusCode::SERVICE_UNAVAILABLE,
    "DATABASE_UNAVAILABLE",
    "the database is temporarily unavailable",
);
const INTERNAL: Response = (
    StatusCode::INTERNAL_SERVER_ERROR,
    "INTERNAL",
    "internal error",
);

impl Error {
    fn response(&self) -> Response {
        match self {
            Self::RoleNotAllowed { .. } => NOT_ALLOWED,
            Self::UnsupportedClaims => NOT_SUPPORTED,
            Self::BypassesRowSecurity { .. } | Self::UnusableRole { .. } | Self::Ended => INTERNAL,
            Self::Begin(error) => {
                // A role that was not granted is a fault of the service, not of the caller.
                if is_unavailable(error) {
                    UNAVAILABLE
                } else {
                    INTERNAL
                }
            }
            Self::Query(sqlx::Error::RowNotFound) => NOT_FOUND,
            Self::Query(error) if is_unavailable(error) => UNAVAILABLE,
            Self::Query(error) => match sqlstate(error).as_deref() {
                Some("42501") => DENIED,
                Some("57014") => TIMEOUT,
                _ => INTERNAL,
            },
        }
    }
}

/// Returns whether the same request may succeed later: connections, shutdown and startup (classes
/// 08 and 57P), resources (53), system errors (58), conflicts and locks (40001, 40P01, 55P03), and a
/// pooler that lost a named statement (26000, 42P05).
fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::BeginFailed
        | sqlx::Error::WorkerCrashed => true,
        error => sqlstate(error).is_some_and(|code| {
            ["08", "53", "57P", "58"]
                .iter()
                .any(|class| code.starts_with(class))
                || ["40001", "40P01", "55P03", "26000", "42P05"].contains(&&*code)
        }),
    }
}

fn sqlstate(error: &sqlx::Error) -> Option<String> {
    match error {
        sqlx::Error::Database(error) => error.code().map(Into::into),
        _ => None,
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.response().0
    }

    fn error_response(&self) -> HttpResponse {
        let (status, code, message) = self.response();
        if status.is_server_error() {
            tracing::error!(code, "{}", error_chain(self));
        } else {
            tracing::debug!(code, "{}", error_chain(self));
        }
        let mut response = HttpResponse::build(status);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((header::RETRY_AFTER, 1));
        }
        // The same request may succeed with another token, so caches must not store this.
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        response.json(ErrorBody::new(code, message, None))
    }
}
