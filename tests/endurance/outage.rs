//! A database outage under load: 503, never 500, and no acknowledged row is lost.

use std::collections::BTreeSet;

use bearward_testing::MockIdp;

use crate::{
    database_server::{Kind, Shutdown, TestDatabaseServer},
    load::{Load, rows},
    run_long,
    test_server::{ResponseExt, TestServer, wait_for_status},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_outage_under_load() {
    survives_an_outage(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_outage_under_load() {
    survives_an_outage(Kind::MariaDb).await;
}

async fn survives_an_outage(kind: Kind) {
    let Some(mut database) = TestDatabaseServer::create(kind) else {
        return;
    };
    database.start();
    database.wait_until_ready().await;
    let url = database.create_database("bearward").await;
    let idp = MockIdp::start().await;
    let token = idp.token().sub("ada").sign();
    let mut server = TestServer::start(&idp, &url).await;
    server.get("/api/auth/me", &token).await.expect(200);
    let load = Load::start(24, &idp, &[&server.api]);
    let shutdowns: &[Shutdown] = if run_long() {
        &[
            Shutdown::Graceful,
            Shutdown::Crash,
            Shutdown::Graceful,
            Shutdown::Crash,
        ]
    } else {
        &[Shutdown::Crash]
    };
    for shutdown in shutdowns {
        load.wait_for_acknowledged(50).await;
        database.stop(*shutdown).await;
        wait_for_status(&server.api, "/readyz", 503)
            .await
            .assert_database_unavailable();
        let health = server.get("/health", &token).await.expect(200);
        assert_eq!(
            (&health["status"], &health["database"]),
            (&"degraded".into(), &"unavailable".into())
        );
        server.get("/livez", &token).await;
        assert_eq!(
            server.get("/protected", &token).await.expect(200)["user_id"],
            "ada"
        );
        let (profile, page) = tokio::join!(
            server.get("/api/auth/me", &token),
            server.get("/api/status", &token)
        );
        profile.assert_database_unavailable();
        page.assert_database_unavailable();
        database.start();
        wait_for_status(&server.api, "/readyz", 200).await;
        load.wait_for_acknowledged(50).await;
        server.get("/api/auth/me", &token).await.expect(200);
    }
    // Many quick restarts, so that requests arrive at every point of a shutdown and a startup.
    for round in 0..if run_long() { 10 } else { 2 } {
        load.wait_for_acknowledged(20).await;
        database
            .stop(if round % 2 == 0 {
                Shutdown::Graceful
            } else {
                Shutdown::Crash
            })
            .await;
        database.start();
    }
    database.wait_until_ready().await;
    load.wait_for_acknowledged(50).await;
    let result = load.stop().await;
    println!(
        "{kind:?}: {} rows, {} times 503",
        result.acknowledged.len(),
        result.unavailable
    );
    assert!(
        result.unavailable > 0 && result.interrupted == 0,
        "{} {}",
        result.unavailable,
        result.interrupted
    );
    result.assert_stored(&rows(&url).await);
    assert!(server.process.is_running());
    let log = server.process.output();
    for error in database_errors(&log) {
        println!("{kind:?}: {error}");
    }
    assert!(!log.contains("database error: "), "{log}");
}

/// Returns the distinct database errors in the log.
fn database_errors(log: &str) -> BTreeSet<&str> {
    log.lines()
        .filter_map(|line| {
            line.split("the database is unavailable: ")
                .nth(1)?
                .split(" request_id=")
                .next()
        })
        .collect()
}
