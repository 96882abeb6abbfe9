//! The routes that stand on the store, over HTTP.

use std::{fs::File, io::Write, time::Instant};

use bearward_testing::MockIdp;
use sea_orm::{ConnectOptions, Database, DatabaseConnection};

use crate::{
    Plan,
    client::{Case, compare, get, post},
    databases::Databases,
    fill::{add_reports, fill},
    serving::{Serving, serve},
};

/// How many users share the crowded database.
const USERS: u32 = 10_000;
/// How many rows the user has whose rows are listed.
const OWN: u32 = 100;

async fn start(idp: &MockIdp, database: &str) -> Serving {
    let mut command = serve(&[], idp, database);
    // A line a request is not what is measured here. What sqlx says at the level of info stays on:
    // tracing-subscriber loses the line after one that was filtered out by its target.
    command.env(
        "RUST_LOG",
        "info,bearward::telemetry=warn,actix_server=warn",
    );
    Serving::of(command).await
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

/// `/api/auth/me` of a user whom the server knows, beside the same without a database.
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
                &format!("One statement more: {kind}, {clients} at once"),
                &cases,
                plan.rounds,
                plan.seconds,
            );
        }
    }
}

/// `POST /api/status`, beside what the disk itself takes.
pub async fn write(databases: &Databases, plan: &Plan) {
    println!(
        "\nfsync of 4 KiB on this disk: {:.0} µs (mean of 200)",
        disk(databases)
    );
    let idp = MockIdp::start().await;
    let token = idp.token().sub("ada").sign();
    for kind in databases.kinds() {
        let server = start(&idp, &databases.fresh(kind).await).await;
        server.get("/api/auth/me", &token).await.expect(200);
        let case = |clients: usize| Case {
            name: format!("{clients} at once"),
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

/// The mean, for which writes have to pay: a disk's cache makes some of them fast and others slow.
fn disk(databases: &Databases) -> f64 {
    const TIMES: u32 = 200;
    let mut file = File::create(databases.folder().join("synced")).unwrap();
    let since = Instant::now();
    for _ in 0..TIMES {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_all().unwrap();
    }
    since.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES)
}

/// `GET /api/status` of a user alone in a database, and of one with the same rows among a million
/// of others.
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
            add_reports(&database, "subject = 'ada'", OWN / 2)
                .await
                .unwrap();
            let since = Instant::now();
            if rows > 0 {
                fill(&database, USERS, rows / USERS).await.unwrap();
            }
            // Among the others', not before them.
            add_reports(&database, "subject = 'ada'", OWN / 2)
                .await
                .unwrap();
            println!(
                "\n{kind}: {rows} rows of others, made in {:.1} s",
                since.elapsed().as_secs_f64()
            );
            servers.push((rows, server));
        }
        let cases: Vec<Case<'_>> = servers
            .iter()
            .map(|(rows, server)| listing(*rows, server, &token))
            .collect();
        compare(
            &format!("GET /api/status: {kind}"),
            &cases,
            plan.rounds,
            plan.seconds,
        );
    }
}

fn listing<'a>(rows: u32, server: &'a Serving, token: &str) -> Case<'a> {
    let request = get("/api/status?limit=20", token);
    Case {
        name: format!("beside {rows} rows of others"),
        server,
        request,
        clients: 1,
    }
}
