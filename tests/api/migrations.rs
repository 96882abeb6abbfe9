//! Migrations: applied once by concurrent starts, and never to a newer schema.

use bearward_server::{
    settings::{Config, Sources},
    store::{DatabaseState, MigrationError, OpenError, SchemaStatus, Store},
};
use sea_orm::ConnectionTrait;
use test_support::database::{connect, create, query_number};

fn settings(url: &str) -> Config {
    settings_with_schema(url, "bearward")
}

fn settings_with_schema(url: &str, schema: &str) -> Config {
    Config::load(
        &Sources::new(None, [])
            .with("database.url", url)
            .with("database.max_connections", "2")
            .with("database.schema", schema),
    )
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_concurrent_starts_migrate_once() {
    let url = create().await;
    let starts = (0..10).map(|_| {
        let config = settings(&url);
        tokio::spawn(async move { Store::open(&config.database).await })
    });
    for opened in futures_util::future::try_join_all(starts).await.unwrap() {
        let store = opened.expect("every server starts");
        assert_eq!(store.probe().await, DatabaseState::Available);
    }
    assert_eq!(
        query_number(&url, "SELECT COUNT(*) FROM seaql_migrations").await,
        4
    );
}

#[tokio::test]
async fn a_newer_schema_is_rejected_and_left_unchanged() {
    let url = create().await;
    Store::open(&settings(&url).database).await.unwrap();
    let database = connect(&url).await;
    database
        .execute_unprepared("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_from_the_future', 1)")
        .await
        .unwrap();
    database.close().await.unwrap();
    let error = Store::open(&settings(&url).database).await.unwrap_err();
    assert!(
        matches!(&error, OpenError::Migration(MigrationError::Newer(names)) if names == &["m9999_from_the_future"]),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .contains("newer bearward (m9999_from_the_future)"),
        "{error}"
    );
    assert_eq!(
        query_number(&url, "SELECT COUNT(*) FROM seaql_migrations").await,
        5
    );
}

#[tokio::test]
async fn reading_the_schema_status_changes_nothing() {
    let url = create().await;
    let schema_status = async || {
        Store::schema_status(&settings(&url).database)
            .await
            .unwrap()
    };
    for _ in 0..2 {
        match schema_status().await {
            SchemaStatus::NoFile(path) => assert!(url.starts_with("sqlite") && !path.exists()),
            SchemaStatus::Behind(_, pending) => {
                let all = [
                    "m0001_accounts",
                    "m0002_machine_accounts",
                    "m0003_revocations",
                    "m0004_user_sessions",
                ];
                assert_eq!(pending, all);
            }
            status => panic!("{status:?}"),
        }
    }
    Store::open(&settings(&url).database).await.unwrap();
    assert!(matches!(schema_status().await, SchemaStatus::UpToDate(_)));
}

/// A database of the version before machine accounts, or one in which MySQL was interrupted after
/// the change.
#[tokio::test]
async fn accounts_of_an_earlier_version_are_kept() {
    for statements in [
        &[
            "DELETE FROM seaql_migrations WHERE version = 'm0002_machine_accounts'",
            "ALTER TABLE users DROP COLUMN is_machine",
        ][..],
        &["DELETE FROM seaql_migrations WHERE version = 'm0002_machine_accounts'"],
    ] {
        let url = create().await;
        if statements.len() == 1 && !url.starts_with("mysql") {
            continue;
        }
        Store::open(&settings(&url).database).await.unwrap();
        let database = connect(&url).await;
        for statement in statements {
            database.execute_unprepared(statement).await.unwrap();
        }
        database.close().await.unwrap();
        assert!(matches!(
            Store::schema_status(&settings(&url).database).await,
            Ok(SchemaStatus::Behind(_, pending)) if pending == ["m0002_machine_accounts"]
        ));
        Store::open(&settings(&url).database).await.unwrap();
        let count = "SELECT COUNT(*) FROM users WHERE is_machine";
        assert_eq!(query_number(&url, count).await, 0);
    }
}

#[tokio::test]
async fn foreign_tables_are_named_and_left_unchanged() {
    for table in ["users", "api_keys", "seaql_migrations"] {
        let url = create().await;
        let database = match url.strip_prefix("sqlite:") {
            Some(path) => connect(&format!("sqlite:{path}?mode=rwc")).await,
            None => connect(&url).await,
        };
        for statement in [
            format!("CREATE TABLE {table} (version VARCHAR(99) PRIMARY KEY, applied_at BIGINT)"),
            format!("INSERT INTO {table} VALUES ('m0000_of_another_application', 1)"),
        ] {
            database.execute_unprepared(&statement).await.unwrap();
        }
        database.close().await.unwrap();
        // In PostgreSQL such a table only collides in the same schema.
        if url.starts_with("postgres") {
            Store::open(&settings(&url).database).await.unwrap();
        }
        let config = settings_with_schema(&url, "public");
        for error in [
            Store::open(&config.database).await.unwrap_err(),
            Store::schema_status(&config.database).await.unwrap_err(),
        ] {
            assert!(
                matches!(&error, OpenError::Migration(MigrationError::Foreign(name)) if name == table),
                "{error:?}"
            );
            assert!(error.to_string().contains(table), "{error}");
        }
        let schema = if url.starts_with("postgres") {
            "public."
        } else {
            ""
        };
        let rows = format!("SELECT COUNT(*) FROM {schema}{table}");
        assert_eq!(query_number(&url, &rows).await, 1);
    }
}

#[tokio::test]
async fn a_table_that_lost_a_column_is_named() {
    let url = create().await;
    Store::open(&settings(&url).database).await.unwrap();
    let database = connect(&url).await;
    database
        .execute_unprepared("ALTER TABLE status_checks DROP COLUMN client_name")
        .await
        .unwrap();
    database.close().await.unwrap();
    let error = Store::open(&settings(&url).database).await.unwrap_err();
    assert!(
        matches!(&error, OpenError::Migration(MigrationError::Unusable { table, .. }) if table == "status_checks"),
        "{error:?}"
    );
}

#[tokio::test]
async fn tables_in_public_are_reported_and_can_be_moved() {
    let url = create().await;
    if !url.starts_with("postgres") {
        return println!("skipped: only PostgreSQL has schemas");
    }
    let public = settings_with_schema(&url, "public");
    Store::open(&public.database).await.unwrap();
    let error = Store::open(&settings(&url).database).await.unwrap_err();
    assert!(
        matches!(&error, OpenError::Migration(MigrationError::InPublic(schema)) if schema == "bearward"),
        "{error:?}"
    );
    let message = error.to_string();
    let (_, after) = message.split_once("run: ").unwrap();
    let (commands, _) = after.split_once(". To start").unwrap();
    let database = connect(&url).await;
    database.execute_unprepared(commands).await.unwrap();
    database.close().await.unwrap();
    Store::open(&settings(&url).database).await.unwrap();
}
