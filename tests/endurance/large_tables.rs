//! Fills tables with SQL. Over HTTP, a million rows would take an hour.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr};

/// Inserts users, each with this many status checks.
pub async fn insert_users_with_checks(
    database: &DatabaseConnection,
    users: u32,
    each: u32,
) -> Result<(), DbErr> {
    let (random_id, random_digest, now) = sql_functions(database);
    let (with, from, n) = number_series(database, users);
    let sql = format!(
        "INSERT INTO users (id, identity, issuer, subject, email_verified, is_active, session, claims_at, last_login, created_at, updated_at) \
         {with} SELECT {random_id}, {random_digest}, 'filled', {n}, FALSE, TRUE, {random_digest}, 0, {now}, {now}, {now} FROM {from}"
    );
    database.execute_unprepared(&sql).await?;
    add_status_checks(database, "issuer = 'filled'", each).await?;
    update_statistics(database).await
}

/// Inserts this many status checks for each of the selected users, in turns, as in real use.
pub async fn add_status_checks(
    database: &DatabaseConnection,
    condition: &str,
    each: u32,
) -> Result<(), DbErr> {
    let (random_id, _, now) = sql_functions(database);
    let (with, from, _) = number_series(database, each);
    let sql = format!(
        "INSERT INTO status_checks (id, user_id, client_name, timestamp) \
         {with} SELECT {random_id}, users.id, 'web', {now} FROM {from} CROSS JOIN users WHERE {condition}"
    );
    database.execute_unprepared(&sql).await.map(drop)
}

/// Updates the planner's statistics, which the server would do eventually. SQLite has none by
/// default.
async fn update_statistics(database: &DatabaseConnection) -> Result<(), DbErr> {
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

/// Returns SQL expressions for a random id, a random digest and the current time.
fn sql_functions(database: &DatabaseConnection) -> (&'static str, &'static str, &'static str) {
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

/// Returns the parts of a query over the numbers from 1 to `last`: the `WITH` clause, the `FROM` item
/// and the expression for the number as text.
fn number_series(database: &DatabaseConnection, last: u32) -> (String, String, &'static str) {
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
