//! Migrations: applied once by concurrent starts, and never to a newer schema.

use bearward_server::{
    settings::{Config, Sources},
    store::{DatabaseState, MigrationError, OpenError, SchemaStatus, Store},
};
use sea_orm::ConnectionTrait;
use test_support::database::{connect, create, query_number};

fn settings(url: &str) -> Config {
    Config::load(
        &Sources::new(None, [])
            .with("database.url", url)
            .with("database.max_connections", "2"),
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
        1
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
        2
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
            SchemaStatus::Behind(_, pending) => assert_eq!(pending, ["m0001_accounts"]),
            status => panic!("{status:?}"),
        }
    }
    Store::open(&settings(&url).database).await.unwrap();
    assert!(matches!(schema_status().await, SchemaStatus::UpToDate(_)));
}
