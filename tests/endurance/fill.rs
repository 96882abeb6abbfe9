//! Many rows of many users, made by the database itself: over HTTP a million of them would take an
//! hour.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr};

/// New users, each with so many reports.
pub async fn fill(database: &DatabaseConnection, users: u32, each: u32) -> Result<(), DbErr> {
    let (random_id, random_digest, now) = words(database);
    let (with, from, n) = numbers(database, users);
    let sql = format!(
        "INSERT INTO users (id, identity, issuer, subject, email_verified, is_active, session, claims_at, last_login, created_at, updated_at) \
         {with} SELECT {random_id}, {random_digest}, 'filled', {n}, FALSE, TRUE, {random_digest}, 0, {now}, {now}, {now} FROM {from}"
    );
    database.execute_unprepared(&sql).await?;
    add_reports(database, "issuer = 'filled'", each).await?;
    settle(database).await
}

/// So many reports more for each of these users, in turn, as time would have it.
pub async fn add_reports(database: &DatabaseConnection, of: &str, each: u32) -> Result<(), DbErr> {
    let (random_id, _, now) = words(database);
    let (with, from, _) = numbers(database, each);
    let sql = format!(
        "INSERT INTO status_checks (id, user_id, client_name, timestamp) \
         {with} SELECT {random_id}, users.id, 'web', {now} FROM {from} CROSS JOIN users WHERE {of}"
    );
    database.execute_unprepared(&sql).await.map(drop)
}

/// What the server does by itself, sooner or later: the planner's statistics. SQLite has none
/// unless somebody asks.
async fn settle(database: &DatabaseConnection) -> Result<(), DbErr> {
    match database.get_database_backend() {
        DbBackend::Postgres => database
            .execute_unprepared("VACUUM ANALYZE")
            .await
            .map(drop),
        DbBackend::MySql => {
            database.execute_unprepared("ANALYZE TABLE users").await?;
            database
                .execute_unprepared("ANALYZE TABLE status_checks")
                .await
                .map(drop)
        }
        _ => Ok(()),
    }
}

/// A random id, a random digest, the time.
fn words(database: &DatabaseConnection) -> (&'static str, &'static str, &'static str) {
    match database.get_database_backend() {
        DbBackend::Postgres => (
            "gen_random_uuid()",
            "sha256(gen_random_uuid()::text::bytea)",
            "now()::timestamp",
        ),
        DbBackend::MySql => ("RANDOM_BYTES(16)", "RANDOM_BYTES(32)", "UTC_TIMESTAMP(6)"),
        _ => ("randomblob(16)", "randomblob(32)", "'2026-01-01 00:00:00'"),
    }
}

/// The numbers from 1: what comes before the query, what it selects from, and what the number is
/// called, as text.
fn numbers(database: &DatabaseConnection, last: u32) -> (String, String, &'static str) {
    match database.get_database_backend() {
        DbBackend::Postgres => (
            String::new(),
            format!("generate_series(1, {last}) AS numbers (n)"),
            "n::text",
        ),
        DbBackend::MySql => (String::new(), format!("seq_1_to_{last}"), "seq"),
        _ => {
            let with = format!(
                "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})"
            );
            (with, "numbers".to_owned(), "CAST(n AS TEXT)")
        }
    }
}
