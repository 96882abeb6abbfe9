//! The query of the database of Supabase Auth.

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, postgres::PgConnectOptions};
use uuid::Uuid;

use super::seen::SeenSession;

/// Why tokens of a session are no longer valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The session was deleted by a sign-out, or its time limit has passed.
    Session,
    /// The user is banned. The session still exists.
    Banned,
    /// The user was deleted.
    UserDeleted,
}

/// A session that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EndedSession {
    pub(super) session: Uuid,
    pub(super) user: Uuid,
    pub(super) reason: Ended,
}

/// The statements for the tables, or views, `sessions` and `users` of one schema.
#[derive(Debug)]
pub(super) struct Statements {
    /// Whether row level security or missing rows make the answers wrong.
    visibility: String,
    /// The sessions that are not valid any more.
    ended_sessions: String,
}

impl Statements {
    /// `schema` is a plain identifier.
    ///
    /// Only the columns `id`, `user_id` and `not_after` of the sessions and `id`, `banned_until` and
    /// `deleted_at` of the users are read. Users are looked up by the subject of the token, so that a
    /// session of another user is no session. The ids are sent as text, which needs no type of the
    /// database. If no user is visible at all, nothing is returned.
    pub(super) fn new(schema: &str) -> Self {
        let (sessions, users) = (
            format!("\"{schema}\".sessions"),
            format!("\"{schema}\".users"),
        );
        Self {
            visibility: format!(
                "SELECT row_security_active('{sessions}') OR row_security_active('{users}'), \
                EXISTS (SELECT FROM {users})"
            ),
            ended_sessions: format!(
                "SELECT seen.session_id::text, seen.user_id::text, \
                    CASE \
                        WHEN users.id IS NULL OR users.deleted_at IS NOT NULL THEN 'deleted' \
                        WHEN sessions.id IS NULL OR sessions.not_after <= now() THEN 'ended' \
                        ELSE 'banned' \
                    END \
                FROM unnest($1::text[]::uuid[], $2::text[]::uuid[]) AS seen (session_id, user_id) \
                LEFT JOIN {sessions} AS sessions \
                    ON sessions.id = seen.session_id AND sessions.user_id = seen.user_id \
                LEFT JOIN {users} AS users ON users.id = seen.user_id \
                WHERE EXISTS (SELECT FROM {users}) \
                    AND (sessions.id IS NULL OR sessions.not_after <= now() \
                        OR users.id IS NULL OR users.deleted_at IS NOT NULL \
                        OR users.banned_until > now())"
            ),
        }
    }
}

/// Why a query has failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum QueryError {
    #[error("no response within {} s", super::TIMEOUT.as_secs())]
    Timeout,
    /// Every session would look like one that has ended.
    #[error(
        "row level security hides rows of the sessions or users from this role; docs/revocation-sources.md has views that it can read"
    )]
    HiddenRows,
    #[error("no user is visible to this role")]
    NoUsers,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Asks which of these sessions have ended. Connects first if there is no connection, and checks that
/// the role can see the rows.
pub(super) async fn ended_sessions(
    connection: &mut Option<PgConnection>,
    options: &PgConnectOptions,
    statements: &Statements,
    seen: &[SeenSession],
) -> Result<Vec<EndedSession>, QueryError> {
    let connection = match connection {
        Some(connection) => connection,
        none => match connect(options, statements).await? {
            Some(connected) => none.insert(connected),
            // A new project has no users yet.
            None if seen.is_empty() => return Ok(Vec::new()),
            None => return Err(QueryError::NoUsers),
        },
    };
    let text = |id: fn(&SeenSession) -> Uuid| -> Vec<String> {
        seen.iter().map(|seen| id(seen).to_string()).collect()
    };
    // A pooler in transaction mode gives the statement one server from its preparation to its end.
    let mut transaction = connection.begin().await?;
    let rows = sqlx::query(AssertSqlSafe(statements.ended_sessions.as_str()))
        .persistent(false)
        .bind(text(|seen| seen.session))
        .bind(text(|seen| seen.user))
        .fetch_all(&mut *transaction)
        .await?;
    transaction.commit().await?;
    let ended = rows
        .iter()
        .map(|row| {
            let id = |index: usize| -> Result<Uuid, sqlx::Error> {
                let text: String = row.try_get(index)?;
                Uuid::try_parse(&text).map_err(|error| sqlx::Error::Decode(error.into()))
            };
            let reason: String = row.try_get(2)?;
            Ok(EndedSession {
                session: id(0)?,
                user: id(1)?,
                reason: match reason.as_str() {
                    "deleted" => Ended::UserDeleted,
                    "banned" => Ended::Banned,
                    _ => Ended::Session,
                },
            })
        })
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    Ok(ended)
}

/// Returns a connection, or `None` if its role sees no user.
async fn connect(
    options: &PgConnectOptions,
    statements: &Statements,
) -> Result<Option<PgConnection>, QueryError> {
    let mut connection = PgConnection::connect_with(options).await?;
    let mut transaction = connection.begin().await?;
    let row = sqlx::query(AssertSqlSafe(statements.visibility.as_str()))
        .persistent(false)
        .fetch_one(&mut *transaction)
        .await?;
    transaction.commit().await?;
    if row.try_get(0)? {
        return Err(QueryError::HiddenRows);
    }
    let sees_users: bool = row.try_get(1)?;
    Ok(sees_users.then_some(connection))
}
