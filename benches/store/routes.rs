//! Routes that use the store, over HTTP.

use std::{fs::File, io::Write, time::Instant};

use bearward_testing::MockIdp;
use sea_orm::{ConnectOptions, Database, DatabaseConnection};

use crate::{
    Plan,
    client::{Case, compare, get, post},
    databases::Databases,
    large_tables::{add_status_checks, insert_users_with_checks},
    test_server::{TestServer, serve},
};

/// Number of other users in the large database.
const USERS: u32 = 10_000;
/// Number of rows of the user whose rows are listed.
const OWN_ROWS: u32 = 100;

async fn start(idp: &MockIdp, database: &str) -> TestServer {
    let mut command = serve(&[], idp, database);
    // Disables the access log. sqlx stays at info: tracing-subscriber loses the line after one that was
    // filtered out by its target.
    command.env(
        "RUST_LOG",
        "info,bearward_server::telemetry=warn,actix_server=warn",
    );
    TestServer::spawn(command).await
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

/// `/api/auth/me` of a known user, compared with a route without database access.
pub async fn hot(databases: &Databases, plan: &Plan) {
    let idp = MockIdp::start().await;
    let token = idp.token().sub("ada").email("ada@example.com").sign();
    for kind in databases.kinds() {
        let server = start(&idp, &databases.fresh(kind).await).await;
        server.get("/api/auth/me", &token).await.expect(200);
        for clients in [1, 16] {
            let case = |path: &str| Case {
                name: path.to_owned(),
                server: &server,
                request: get(path, &token),
                clients,
            };
            let cases = [case("/protected"), case("/api/auth/me")];
            compare(
                &format!("One statement: {kind}, {clients} clients"),
                &cases,
                plan.rounds,
                plan.seconds,
            );
        }
    }
}

/// `POST /api/status`, and the time of an fsync for comparison.
pub async fn write(databases: &Databases, plan: &Plan) {
    println!(
        "\nfsync of 4 KiB on this disk: {:.0} µs (mean of 200)",
        fsync_time(databases)
    );
    let idp = MockIdp::start().await;
    let token = idp.token().sub("ada").sign();
    for kind in databases.kinds() {
        let server = start(&idp, &databases.fresh(kind).await).await;
        server.get("/api/auth/me", &token).await.expect(200);
        let case = |clients: usize| Case {
            name: format!("{clients} clients"),
            server: &server,
            request: post("/api/status", &token, r#"{"client_name":"web"}"#),
            clients,
        };
        compare(
            &format!("POST /api/status: {kind}"),
            &[case(1), case(16), case(64)],
            plan.rounds,
            plan.seconds,
        );
    }
}

/// Returns the mean time of an fsync in microseconds. A disk's cache makes single ones vary.
fn fsync_time(databases: &Databases) -> f64 {
    const COUNT: u32 = 200;
    let mut file = File::create(databases.directory().join("synced")).unwrap();
    let since = Instant::now();
    for _ in 0..COUNT {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_all().unwrap();
    }
    since.elapsed().as_secs_f64() * 1e6 / f64::from(COUNT)
}

/// `GET /api/status` of the only user of a database, and of a user among a million rows of others.
pub async fn list(databases: &Databases, plan: &Plan) {
    let idp = MockIdp::start().await;
    let token = idp.token().sub("ada").sign();
    for kind in databases.kinds() {
        let mut servers = Vec::new();
        for rows in [0, plan.rows] {
            let url = databases.fresh(kind).await;
            let server = start(&idp, &url).await;
            server.get("/api/auth/me", &token).await.expect(200);
            let database = connect(&url).await;
            add_status_checks(&database, "subject = 'ada'", OWN_ROWS / 2)
                .await
                .unwrap();
            let since = Instant::now();
            if rows > 0 {
                insert_users_with_checks(&database, USERS, rows / USERS)
                    .await
                    .unwrap();
            }
            // Half of the rows are inserted after those of the others.
            add_status_checks(&database, "subject = 'ada'", OWN_ROWS / 2)
                .await
                .unwrap();
            println!(
                "\n{kind}: {rows} rows of others, inserted in {:.1} s",
                since.elapsed().as_secs_f64()
            );
            servers.push((rows, server));
        }
        let cases: Vec<Case<'_>> = servers
            .iter()
            .map(|(rows, server)| list_case(*rows, server, &token))
            .collect();
        compare(
            &format!("GET /api/status: {kind}"),
            &cases,
            plan.rounds,
            plan.seconds,
        );
    }
}

fn list_case<'a>(rows: u32, server: &'a TestServer, token: &str) -> Case<'a> {
    let request = get("/api/status?limit=20", token);
    Case {
        name: format!("with {rows} rows of others"),
        server,
        request,
        clients: 1,
    }
}
