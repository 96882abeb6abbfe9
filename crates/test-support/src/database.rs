//! One database per test.
//!
//! `BEARWARD_TEST_DATABASE_URL` names a PostgreSQL or MySQL server on which databases may be created.
//! Without it, each database is an SQLite file in the target directory.

use std::env;

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};
use url::Url;
use uuid::Uuid;

/// Names the database server that the tests use.
const SERVER_VARIABLE: &str = "BEARWARD_TEST_DATABASE_URL";

/// Creates an empty database and returns its URL.
pub async fn create() -> String {
    let name = format!("bearward_{}", Uuid::new_v4().simple());
    match env::var(SERVER_VARIABLE) {
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
        Err(_) => format!("sqlite://{}/{name}.db", sqlite_directory()),
    }
}

/// Returns a directory below the target directory, beside the one of the test binary.
fn sqlite_directory() -> String {
    let binary = env::current_exe().unwrap();
    let directory = binary
        .parent()
        .and_then(|dependencies| dependencies.parent())
        .expect("test binaries are in target/PROFILE/deps")
        .join("test-databases");
    std::fs::create_dir_all(&directory).unwrap();
    directory.to_str().expect("the path is UTF-8").to_owned()
}

/// Opens a second connection pool, independent of the server under test.
pub async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(2)
        .sqlx_logging(false)
        // The server's tables. Other databases than PostgreSQL ignore it.
        .set_schema_search_path("bearward,public");
    Database::connect(options).await.unwrap()
}

/// Runs a query that returns one number.
pub async fn query_number(url: &str, query: &str) -> i64 {
    let database = connect(url).await;
    let statement = Statement::from_string(database.get_database_backend(), query);
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

/// Prints that the tests run on SQLite only, unless a server is configured.
pub fn print_skipped_databases() {
    if env::var_os(SERVER_VARIABLE).is_none() {
        println!("skipped: PostgreSQL and MariaDB (run by tests/api/databases.sh)");
    }
}
