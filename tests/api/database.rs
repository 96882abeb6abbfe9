//! A database of its own for each test.

use sea_orm::{ConnectionTrait, Database};
use url::Url;
use uuid::Uuid;

/// The URL of a new, empty database, on the server that the environment names or in a file that
/// goes with the process's folder.
pub(crate) async fn fresh() -> String {
    let name = format!("bearward_{}", Uuid::new_v4().simple());
    match std::env::var("BEARWARD_TEST_DATABASE_URL") {
        Ok(server) => {
            let admin = Database::connect(&server).await.unwrap();
            admin
                .execute_unprepared(&format!("CREATE DATABASE {name}"))
                .await
                .unwrap();
            admin.close().await.unwrap();
            let mut url: Url = server.parse().unwrap();
            url.set_path(&name);
            url.into()
        }
        Err(_) => format!("sqlite://{}/{name}.db", env!("CARGO_TARGET_TMPDIR")),
    }
}

/// A second look at what the server has written.
pub(crate) async fn connect(url: &str) -> sea_orm::DatabaseConnection {
    let mut options = sea_orm::ConnectOptions::new(url);
    options.max_connections(2).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

/// The one number that a query gives.
pub(crate) async fn number(url: &str, query: &str) -> i64 {
    let database = connect(url).await;
    let statement = sea_orm::Statement::from_string(database.get_database_backend(), query);
    let number = database
        .query_one_raw(statement)
        .await
        .unwrap()
        .unwrap()
        .try_get_by_index(0)
        .unwrap();
    database.close().await.unwrap();
    number
}

#[test]
fn which_database_this_run_is_about() {
    if std::env::var_os("BEARWARD_TEST_DATABASE_URL").is_none() {
        println!(
            "left out: the same tests on PostgreSQL and MariaDB (tests/api/databases.sh runs them)"
        );
    }
}
