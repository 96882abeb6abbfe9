//! A database that goes away under load and comes back: 503 meanwhile, never 500, and nothing that
//! was acknowledged is lost.

use std::collections::BTreeSet;

use bearward_testing::MockIdp;

use crate::{
    database_server::{DatabaseServer, End, Kind},
    is_all,
    load::{Load, rows},
    serving::{Serving, until},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_goes_away_under_load_and_comes_back() {
    goes_away_and_comes_back(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_goes_away_under_load_and_comes_back() {
    goes_away_and_comes_back(Kind::MariaDb).await;
}

async fn goes_away_and_comes_back(kind: Kind) {
    let Some(mut database) = DatabaseServer::make(kind) else {
        return;
    };
    database.start();
    database.until_up().await;
    let url = database.create("bearward").await;
    let idp = MockIdp::start().await;
    let token = idp.token().sub("ada").sign();
    let mut server = Serving::start(&idp, &url).await;
    server.get("/api/auth/me", &token).await.expect(200);
    let load = Load::start(24, &idp, &[&server.api]);
    let ends: &[End] = if is_all() {
        &[End::Orderly, End::Crash, End::Orderly, End::Crash]
    } else {
        &[End::Crash]
    };
    for end in ends {
        load.until_kept(50).await;
        database.stop(*end).await;
        until(&server.api, "/readyz", 503).await.is_database_away();
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
        profile.is_database_away();
        page.is_database_away();
        database.start();
        until(&server.api, "/readyz", 200).await;
        load.until_kept(50).await;
        server.get("/api/auth/me", &token).await.expect(200);
    }
    // Many restarts that nobody waits out: requests of every moment of a shutdown and of a start.
    for round in 0..if is_all() { 10 } else { 2 } {
        load.until_kept(20).await;
        database
            .stop(if round % 2 == 0 {
                End::Orderly
            } else {
                End::Crash
            })
            .await;
        database.start();
    }
    database.until_up().await;
    load.until_kept(50).await;
    let told = load.end().await;
    println!(
        "{kind:?}: {} rows, {} times 503",
        told.kept.len(),
        told.unavailable
    );
    assert!(
        told.unavailable > 0 && told.cut == 0,
        "{} {}",
        told.unavailable,
        told.cut
    );
    told.is_in(&rows(&url).await);
    assert!(server.process.is_running());
    let log = server.process.output();
    for shape in shapes(&log) {
        println!("{kind:?}: {shape}");
    }
    assert!(!log.contains("the database refused"), "{log}");
}

/// What the database said while it was away, each thing once.
fn shapes(log: &str) -> BTreeSet<&str> {
    log.lines()
        .filter_map(|line| {
            line.split("the database cannot be reached: ")
                .nth(1)?
                .split(" request_id=")
                .next()
        })
        .collect()
}
