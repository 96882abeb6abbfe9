//! Tables: made once, however many servers start, and never by an older version over a newer one's.

use bearward_server::{
    settings::{Config, Sources},
    store::{MigrationError, OpenError, SchemaStatus, Store},
};
use sea_orm::ConnectionTrait;

use crate::database::{connect, fresh, number};

fn settings(url: &str) -> Config {
    Config::load(
        &Sources::new(None, [])
            .with("database.url", url)
            .with("database.max_connections", "2"),
    )
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_servers_that_start_at_once_make_the_tables_once() {
    let url = fresh().await;
    let starts = (0..10).map(|_| {
        let config = settings(&url);
        tokio::spawn(async move { Store::open(&config.database).await })
    });
    for opened in futures_util::future::try_join_all(starts).await.unwrap() {
        opened.expect("each of them starts").ping().await.unwrap();
    }
    assert_eq!(
        number(&url, "SELECT COUNT(*) FROM seaql_migrations").await,
        1
    );
}

#[tokio::test]
async fn a_newer_database_is_refused_by_name_and_left_as_it_is() {
    let url = fresh().await;
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
        number(&url, "SELECT COUNT(*) FROM seaql_migrations").await,
        2
    );
}

#[tokio::test]
async fn a_look_makes_and_changes_nothing() {
    let url = fresh().await;
    let look = async || {
        Store::schema_status(&settings(&url).database)
            .await
            .unwrap()
    };
    for _ in 0..2 {
        match look().await {
            SchemaStatus::NoFile(path) => assert!(url.starts_with("sqlite") && !path.exists()),
            SchemaStatus::Behind(_, pending) => assert_eq!(pending, ["m0001_accounts"]),
            tables => panic!("{tables:?}"),
        }
    }
    Store::open(&settings(&url).database).await.unwrap();
    assert!(matches!(look().await, SchemaStatus::UpToDate(_)));
}
