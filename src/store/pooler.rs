//! Detects a pooler that gives one session of PostgreSQL to several clients, such as `PgBouncer`
//! and Supavisor in transaction mode.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection, PgPool, Row, postgres::PgConnectOptions};

/// How long a query of the detection may take. In session mode a pooler makes the second connection
/// wait until the first one ends, if it has no other session.
const QUERY_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the sessions are compared: another client may have taken the session in between.
const ROUNDS: usize = 5;

/// Returns whether consecutive statements may run in different sessions. Returns `true` if that
/// cannot be determined: sharing is slower, and works everywhere.
pub(super) async fn shares_sessions(pool: &PgPool) -> bool {
    match tokio::time::timeout(QUERY_TIMEOUT * 2, compare(&pool.connect_options())).await {
        Ok(Ok(is_shared)) => is_shared,
        Ok(Err(error)) => {
            tracing::debug!("cannot determine whether a pooler is in use: {error}");
            true
        }
        Err(_) => true,
    }
}

/// Compares the sessions of two connections that exist at the same time. Of its own, each connection
/// keeps its session, and no other one has it. A pooler that hands sessions out in turns is found
/// by the first two queries, one that reuses the last session by the third.
async fn compare(options: &PgConnectOptions) -> Result<bool, sqlx::Error> {
    let mut one = PgConnection::connect_with(options).await?;
    let mut other = PgConnection::connect_with(options).await?;
    let first = session(&mut one).await?;
    let mut is_shared = false;
    for _ in 0..ROUNDS {
        is_shared = session(&mut one).await? != first || session(&mut other).await? == first;
        if is_shared {
            break;
        }
    }
    drop(one.close().await);
    drop(other.close().await);
    Ok(is_shared)
}

/// Returns the id of the session. The text has no parameters, so nothing is prepared.
async fn session(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    sqlx::raw_sql("SELECT pg_backend_pid()::text")
        .fetch_one(connection)
        .await?
        .try_get(0)
}
