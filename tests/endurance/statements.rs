//! Number of SQL statements per request, and their query plans.

use bearward_testing::MockIdp;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, QueryResult, Statement, Value};
use serde_json::Value as Json;
use test_support::{database, http::Response};

use crate::{
    large_tables::{add_status_checks, insert_users_with_checks},
    test_server::{TestServer, post_status_check, serve},
};

/// A server that logs every statement. Its log is read up to the line of each request.
struct LoggedServer {
    server: TestServer,
    read: usize,
}

impl LoggedServer {
    async fn start(idp: &MockIdp, database: &str) -> Self {
        let mut command = serve(&[], idp, database);
        command
            .env("RUST_LOG", "info,sqlx=debug")
            .env("BEARWARD_TELEMETRY__FORMAT", "json");
        let server = TestServer::spawn(command).await;
        // The statements of the start come first.
        let read = server.process.output().len();
        Self { server, read }
    }

    /// Returns the statements on users and status checks that this request executed.
    async fn statements(&mut self, response: &Response) -> Vec<String> {
        assert!(response.status < 300, "{response:?}");
        let id = response.headers["x-request-id"].to_str().unwrap();
        // The statements name the request in their span, too; its access log line is the last.
        let access_log =
            format!(r#""request_id":"{id}","target":"bearward_server::telemetry::request""#);
        let output = self.server.process.wait_for_output(&access_log).await;
        // The last statement of the previous request may be logged after its access log line.
        let lines = output[self.read..]
            .lines()
            .filter(|line| line.contains(id))
            .map_while(|line| serde_json::from_str::<Json>(line).ok());
        let is_dml = |sql: &String| {
            ["SELECT", "INSERT", "UPDATE", "DELETE"]
                .iter()
                .any(|verb| sql.starts_with(verb))
        };
        let is_on_our_tables = |sql: &String| {
            is_dml(sql)
                && ["users", "status_checks"]
                    .iter()
                    .any(|table| sql.contains(table))
        };
        let statements = lines
            .filter(|line| line["target"] == "sqlx::query")
            .map(|line| sql(&line))
            .filter(is_on_our_tables)
            .collect();
        self.read = output.len();
        statements
    }

    async fn get(&mut self, path: &str, token: &str) -> Vec<String> {
        let response = self.server.get(path, token).await;
        self.statements(&response).await
    }
}

fn sql(line: &Json) -> String {
    let text = |name: &str| line[name].as_str().unwrap_or_default().trim().to_owned();
    // sqlx logs a short statement only as the summary.
    Some(text("db.statement"))
        .filter(|sql| !sql.is_empty())
        .unwrap_or_else(|| text("summary"))
}

#[tokio::test]
async fn request_of_a_known_user_is_one_statement() {
    let (idp, database) = (MockIdp::start().await, database::create().await);
    let mut server = LoggedServer::start(&idp, &database).await;
    let token = idp.token().sub("ada").sign();
    assert!(
        server.get("/api/auth/me", &token).await.len() > 1,
        "the account is created"
    );
    let one = |statements: &[String], verb: &str| {
        assert_eq!(statements.len(), 1, "{statements:?}");
        assert!(statements[0].starts_with(verb), "{statements:?}");
    };
    one(&server.get("/api/auth/me", &token).await, "SELECT");
    for key in [None, Some("key-1")] {
        let response = post_status_check(&server.server.api, &token, "web", key).await;
        one(&server.statements(&response).await, "INSERT");
    }
    one(&server.get("/api/status", &token).await, "SELECT");
    assert_eq!(server.get("/protected", &token).await, Vec::<String>::new());
}

#[tokio::test]
async fn every_query_uses_an_index() {
    let (idp, url) = (MockIdp::start().await, database::create().await);
    let mut server = LoggedServer::start(&idp, &url).await;
    let token = idp.token().sub("ada").sign();
    let account_lookup = server.get("/api/auth/me", &token).await.swap_remove(0);
    let database = database::connect(&url).await;
    add_status_checks(&database, "subject = 'ada'", 100)
        .await
        .unwrap();
    insert_users_with_checks(&database, 500, 40).await.unwrap();

    let response = post_status_check(&server.server.api, &token, "web", Some("key-1")).await;
    server.statements(&response).await;
    let again = post_status_check(&server.server.api, &token, "web", Some("key-1")).await;
    let replay = server.statements(&again).await.pop().unwrap();
    let profile = server.get("/api/auth/me", &token).await.swap_remove(0);
    let first = server.server.get("/api/status?limit=20", &token).await;
    let list = server.statements(&first).await.swap_remove(0);
    let cursor = first.expect(200)["next_cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    let next = server
        .get(&format!("/api/status?limit=20&cursor={cursor}"), &token)
        .await
        .swap_remove(0);

    let user = one(
        &database,
        "SELECT id, identity FROM users WHERE subject = 'ada'",
    )
    .await;
    let id: Value = user.try_get_by_index::<uuid::Uuid>(0).unwrap().into();
    let identity: Value = user.try_get_by_index::<Vec<u8>>(1).unwrap().into();
    for (name, sql, mut values) in [
        ("the account of a token", account_lookup, vec![identity]),
        ("a profile", profile, vec![id.clone()]),
        ("the first page", list, vec![id.clone()]),
        (
            "the next page",
            next,
            vec![id.clone(), uuid::Uuid::max().into()],
        ),
        ("a replayed status check", replay, vec![id, "key-1".into()]),
    ] {
        if sql.matches(['?', '$']).count() > values.len() {
            // LIMIT.
            values.push(21_i64.into());
        }
        let plan = plan(&database, &sql, values).await;
        println!("{name}:\n  {sql}\n{plan}");
        assert!(
            uses_index(database.get_database_backend(), &plan),
            "{name}: {sql}\n{plan}"
        );
    }
}

async fn one(database: &DatabaseConnection, sql: &str) -> QueryResult {
    database
        .query_one_raw(Statement::from_string(database.get_database_backend(), sql))
        .await
        .unwrap()
        .unwrap()
}

async fn plan(database: &DatabaseConnection, sql: &str, values: Vec<Value>) -> String {
    let backend = database.get_database_backend();
    let explain = if backend == DbBackend::Sqlite {
        "EXPLAIN QUERY PLAN"
    } else {
        "EXPLAIN"
    };
    let rows = database
        .query_all_raw(Statement::from_sql_and_values(
            backend,
            format!("{explain} {sql}"),
            values,
        ))
        .await
        .unwrap();
    let line = |row: &QueryResult| match backend {
        DbBackend::Sqlite => row.try_get::<String>("", "detail").unwrap(),
        DbBackend::MySql => {
            let column = |name: &str| {
                row.try_get::<Option<String>>("", name)
                    .unwrap()
                    .unwrap_or_default()
            };
            format!(
                "table {} type {} key {} {}",
                column("table"),
                column("type"),
                column("key"),
                column("Extra")
            )
        }
        _ => row.try_get_by_index::<String>(0).unwrap(),
    };
    rows.iter()
        .map(|row| format!("    {}\n", line(row)))
        .collect::<Vec<_>>()
        .concat()
}

/// Reports whether the plan has no full scan and no sort.
fn uses_index(backend: DbBackend, plan: &str) -> bool {
    match backend {
        DbBackend::Sqlite => {
            plan.contains("SEARCH") && !plan.contains("SCAN") && !plan.contains("TEMP B-TREE")
        }
        DbBackend::MySql => {
            ["const", "ref", "range"]
                .iter()
                .any(|by| plan.contains(&format!("type {by} ")))
                && !plan.contains("filesort")
        }
        _ => plan.contains("Index") && !plan.contains("Seq Scan") && !plan.contains("Sort"),
    }
}
