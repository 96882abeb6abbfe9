//! What other roles of a PostgreSQL database can see and change.

use bearward_server::{
    settings::{Config, Sources},
    store::{DatabaseState, MigrationError, OpenError, SchemaStatus, Store},
};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};

use crate::database_server::{Kind, PASSWORD, TestDatabaseServer};

fn settings(url: &str) -> Config {
    Config::load(
        &Sources::new(None, [])
            .with("database.url", url)
            .with("database.max_connections", "2"),
    )
    .unwrap()
}

/// Starts a server with the roles and the default privileges of Supabase. Returns it with a
/// connection of the administrator, and the URL of the application, which owns the database.
async fn supabase() -> Option<(TestDatabaseServer, DatabaseConnection, String)> {
    let mut server = TestDatabaseServer::create(Kind::Postgres)?;
    server.start();
    server.wait_until_ready().await;
    let url = server.create_database("supabase").await;
    let mut options = ConnectOptions::new(&url);
    // One connection, so that a statement can roll back the transaction of the previous one.
    options.max_connections(1);
    let admin = Database::connect(options).await.unwrap();
    for statement in [
        format!("CREATE ROLE app LOGIN PASSWORD '{PASSWORD}'"),
        "CREATE ROLE anon NOLOGIN; CREATE ROLE authenticated NOLOGIN; CREATE ROLE service_role NOLOGIN BYPASSRLS".to_owned(),
        "ALTER DATABASE supabase OWNER TO app; GRANT ALL ON SCHEMA public TO app".to_owned(),
        "GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role".to_owned(),
        "ALTER DEFAULT PRIVILEGES FOR ROLE app IN SCHEMA public GRANT ALL ON TABLES TO anon, authenticated, service_role".to_owned(),
        // Stricter than Supabase: these apply to every schema.
        "ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT ALL ON TABLES TO anon, authenticated".to_owned(),
        "ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT USAGE ON SCHEMAS TO PUBLIC, anon, authenticated".to_owned(),
    ] {
        admin.execute_unprepared(&statement).await.unwrap();
    }
    let url = url.replace("//bearward:", "//app:");
    Some((server, admin, url))
}

/// Returns the tables of all schemas.
async fn tables(admin: &DatabaseConnection) -> Vec<String> {
    let statement = Statement::from_string(
        admin.get_database_backend(),
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
    );
    let rows = admin.query_all_raw(statement).await.unwrap();
    rows.iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect()
}

#[tokio::test]
async fn roles_of_the_data_api_see_and_change_nothing() {
    let Some((_server, admin, url)) = supabase().await else {
        return;
    };
    let config = settings(&url);
    Store::open(&config.database).await.unwrap();
    let tables = tables(&admin).await;
    assert_eq!(tables.len(), 6, "{tables:?}");
    for role in ["anon", "authenticated", "service_role"] {
        for table in &tables {
            for statement in ["SELECT 1 FROM", "DELETE FROM", "TRUNCATE"] {
                let result = admin
                    .execute_unprepared(&format!(
                        "BEGIN; SET LOCAL ROLE {role}; {statement} {table}; COMMIT"
                    ))
                    .await;
                let error = result.expect_err(&format!("{role}: {statement} {table}"));
                assert!(error.to_string().contains("permission denied"), "{error}");
                admin.execute_unprepared("ROLLBACK").await.unwrap();
            }
        }
    }
    let unprotected = Statement::from_string(
        admin.get_database_backend(),
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'bearward'::regnamespace AND NOT relrowsecurity",
    );
    assert!(admin.query_all_raw(unprotected).await.unwrap().is_empty());
    let status = Store::schema_status(&config.database).await.unwrap();
    assert!(matches!(status, SchemaStatus::UpToDate(_)), "{status:?}");
}

#[tokio::test]
async fn tables_in_public_are_protected_as_well() {
    let Some((_server, admin, url)) = supabase().await else {
        return;
    };
    let sources = Sources::new(None, [])
        .with("database.url", url.as_str())
        .with("database.schema", "public");
    let config = Config::load(&sources).unwrap();
    Store::open(&config.database).await.unwrap();
    for role in ["anon", "authenticated"] {
        for table in tables(&admin).await {
            let result = admin
                .execute_unprepared(&format!(
                    "BEGIN; SET LOCAL ROLE {role}; SELECT 1 FROM {table}; COMMIT"
                ))
                .await;
            result.expect_err(&format!("{role}: {table}"));
            admin.execute_unprepared("ROLLBACK").await.unwrap();
        }
    }
    // The role that bypasses row level security has privileges on new tables in this schema.
    let error = Store::schema_status(&config.database).await.unwrap_err();
    assert!(
        matches!(&error, OpenError::Migration(MigrationError::Exposed { roles, .. }) if roles == &["service_role"]),
        "{error:?}"
    );
}

#[tokio::test]
async fn privileges_granted_later_are_reported_or_revoked() {
    let Some((_server, admin, url)) = supabase().await else {
        return;
    };
    let config = settings(&url);
    Store::open(&config.database).await.unwrap();
    admin
        .execute_unprepared(
            "CREATE ROLE reporting BYPASSRLS; GRANT USAGE ON SCHEMA bearward TO reporting; GRANT SELECT (email) ON bearward.users TO reporting",
        )
        .await
        .unwrap();
    let error = Store::schema_status(&config.database).await.unwrap_err();
    assert!(
        matches!(&error, OpenError::Migration(MigrationError::Exposed { roles, .. }) if roles == &["reporting"]),
        "{error:?}"
    );
    admin
        .execute_unprepared(
            "DROP OWNED BY reporting; GRANT USAGE ON SCHEMA bearward TO anon; GRANT SELECT ON bearward.users TO anon; \
             ALTER TABLE bearward.users DISABLE ROW LEVEL SECURITY",
        )
        .await
        .unwrap();
    let error = Store::schema_status(&config.database).await.unwrap_err();
    assert!(error.to_string().contains("anon"), "{error}");
    Store::open(&config.database).await.unwrap();
    Store::schema_status(&config.database).await.unwrap();
}

#[tokio::test]
async fn a_user_that_does_not_own_the_tables_is_refused() {
    let Some((server, admin, url)) = supabase().await else {
        return;
    };
    Store::open(&settings(&url).database).await.unwrap();
    admin
        .execute_unprepared(&format!(
            "CREATE ROLE other LOGIN PASSWORD '{PASSWORD}'; GRANT USAGE ON SCHEMA bearward TO other; \
             GRANT ALL ON ALL TABLES IN SCHEMA bearward TO other"
        ))
        .await
        .unwrap();
    let url = server.url("supabase").replace("//bearward:", "//other:");
    let error = Store::open(&settings(&url).database).await.unwrap_err();
    assert!(
        matches!(&error, OpenError::Migration(MigrationError::NotOwner(_))),
        "{error:?}"
    );
}

/// The database has no advisory lock for this user, as in other engines that speak its protocol.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starts_without_advisory_locks_migrate_once() {
    let Some((_server, admin, url)) = supabase().await else {
        return;
    };
    admin
        .execute_unprepared("REVOKE EXECUTE ON FUNCTION pg_advisory_xact_lock(bigint) FROM PUBLIC")
        .await
        .unwrap();
    let starts = (0..5).map(|_| {
        let config = settings(&url);
        tokio::spawn(async move { Store::open(&config.database).await })
    });
    for opened in futures_util::future::try_join_all(starts).await.unwrap() {
        let store = opened.expect("every server starts");
        assert_eq!(store.probe().await, DatabaseState::Available);
    }
    let statement = Statement::from_string(
        admin.get_database_backend(),
        "SELECT version FROM bearward.seaql_migrations ORDER BY version",
    );
    let rows = admin.query_all_raw(statement).await.unwrap();
    let names: Vec<String> = rows
        .iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "m0001_accounts",
            "m0002_machine_accounts",
            "m0003_revocations",
            "m0004_user_sessions"
        ],
        "the lock is released"
    );
}
