//! What a request costs the database: how many statements, and how each of them finds its rows
//! among others'.

use bearward_testing::MockIdp;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, QueryResult, Statement, Value};
use serde_json::Value as Json;

use crate::{
    database,
    fill::{add_reports, fill},
    serving::{Answer, Serving, report, serve},
};

/// A server that logs every statement; its log is read up to each request's own line.
struct Watched {
    server: Serving,
    read: usize,
}

impl Watched {
    async fn start(idp: &MockIdp, database: &str) -> Self {
        let mut command = serve(&[], idp, database);
        command
            .env("RUST_LOG", "info,sqlx=debug")
            .env("BEARWARD_TELEMETRY__FORMAT", "json");
        Self {
            server: Serving::of(command).await,
            read: 0,
        }
    }

    /// The statements about rows that this request made.
    async fn statements(&mut self, answer: &Answer) -> Vec<String> {
        assert!(answer.status < 300, "{answer:?}");
        let id = answer.headers["x-request-id"].to_str().unwrap();
        let output = self.server.process.until_written(id).await;
        let lines = output[self.read..]
            .lines()
            .map_while(|line| serde_json::from_str::<Json>(line).ok());
        let of_rows = |sql: &String| {
            ["SELECT", "INSERT", "UPDATE", "DELETE"]
                .iter()
                .any(|verb| sql.starts_with(verb))
        };
        let of_rows = |sql: &String| {
            of_rows(sql)
                && ["users", "status_checks"]
                    .iter()
                    .any(|table| sql.contains(table))
        };
        let made = lines
            .filter(|line| line["target"] == "sqlx::query")
            .map(|line| sql(&line))
            .filter(of_rows)
            .collect();
        self.read = output.len();
        made
    }

    async fn get(&mut self, path: &str, token: &str) -> Vec<String> {
        let answer = self.server.get(path, token).await;
        self.statements(&answer).await
    }
}

fn sql(line: &Json) -> String {
    let text = |name: &str| line[name].as_str().unwrap_or_default().trim().to_owned();
    // What is short is its own summary.
    Some(text("db.statement"))
        .filter(|sql| !sql.is_empty())
        .unwrap_or_else(|| text("summary"))
}

#[tokio::test]
async fn a_request_of_somebody_known_is_one_statement() {
    let (idp, database) = (MockIdp::start().await, database::fresh().await);
    let mut server = Watched::start(&idp, &database).await;
    let token = idp.token().sub("ada").sign();
    assert!(
        server.get("/api/auth/me", &token).await.len() > 1,
        "the account is made"
    );
    let one = |statements: &[String], verb: &str| {
        assert_eq!(statements.len(), 1, "{statements:?}");
        assert!(statements[0].starts_with(verb), "{statements:?}");
    };
    one(&server.get("/api/auth/me", &token).await, "SELECT");
    for key in [None, Some("key-1")] {
        let answer = report(&server.server.api, &token, "web", key).await;
        one(&server.statements(&answer).await, "INSERT");
    }
    one(&server.get("/api/status", &token).await, "SELECT");
    assert_eq!(server.get("/protected", &token).await, Vec::<String>::new());
}

#[tokio::test]
async fn every_query_finds_its_rows_by_an_index_among_those_of_many_users() {
    let (idp, url) = (MockIdp::start().await, database::fresh().await);
    let mut server = Watched::start(&idp, &url).await;
    let token = idp.token().sub("ada").sign();
    let look_up = server.get("/api/auth/me", &token).await.swap_remove(0);
    let database = database::connect(&url).await;
    add_reports(&database, "subject = 'ada'", 100)
        .await
        .unwrap();
    fill(&database, 500, 40).await.unwrap();

    let answer = report(&server.server.api, &token, "web", Some("key-1")).await;
    server.statements(&answer).await;
    let again = report(&server.server.api, &token, "web", Some("key-1")).await;
    let earlier = server.statements(&again).await.pop().unwrap();
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
    for (what, sql, mut values) in [
        ("the account of a token", look_up, vec![identity]),
        ("a profile", profile, vec![id.clone()]),
        ("the first page", list, vec![id.clone()]),
        (
            "the next page",
            next,
            vec![id.clone(), uuid::Uuid::max().into()],
        ),
        ("a report sent again", earlier, vec![id, "key-1".into()]),
    ] {
        if sql.matches(['?', '$']).count() > values.len() {
            // How many rows, at most.
            values.push(21_i64.into());
        }
        let plan = plan(&database, &sql, values).await;
        println!("{what}:\n  {sql}\n{plan}");
        assert!(
            is_by_index(database.get_database_backend(), &plan),
            "{what}: {sql}\n{plan}"
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

/// Neither every row is read, nor are rows sorted that an index has in order.
fn is_by_index(backend: DbBackend, plan: &str) -> bool {
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
