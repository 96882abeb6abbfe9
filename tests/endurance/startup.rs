//! Server startup: concurrently, before its database, or with an error.

use std::time::{Duration, Instant};

use bearward_testing::MockIdp;

use crate::{
    database,
    database_server::{Kind, Shutdown, TestDatabaseServer},
    print_skipped, run_all,
    test_server::{Process, TestServer, serve},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_servers_start_concurrently_on_an_empty_database() {
    let idp = MockIdp::start().await;
    for _ in 0..if run_all() { 5 } else { 1 } {
        let database = database::fresh().await;
        let servers =
            futures_util::future::join_all((0..10).map(|_| TestServer::start(&idp, &database)))
                .await;
        let token = idp.token().sub("ada").sign();
        let mut ids = Vec::new();
        for server in &servers {
            ids.push(server.get("/api/auth/me", &token).await.expect(200)["id"].to_string());
        }
        ids.dedup();
        assert_eq!((ids.len(), servers.len()), (1, 10));
        assert_eq!(
            database::number(&database, "SELECT COUNT(*) FROM seaql_migrations").await,
            1
        );
    }
}

#[tokio::test]
async fn postgres_startup_retries_only_transient_errors() {
    waits_for_the_database(Kind::Postgres).await;
}

#[tokio::test]
async fn mariadb_startup_retries_only_transient_errors() {
    waits_for_the_database(Kind::MariaDb).await;
}

async fn waits_for_the_database(kind: Kind) {
    let Some(mut database) = TestDatabaseServer::create(kind) else {
        return;
    };
    database.start();
    database.wait_until_ready().await;
    let (idp, url) = (
        MockIdp::start().await,
        database.create_database("bearward").await,
    );
    for (url, hint) in [
        (
            database.url_with("wrong-battery", "bearward"),
            "Check the user name and the password",
        ),
        (database.url("nowhere"), "Create the database first"),
    ] {
        let mut server = Process::start(serve(&[], &idp, &url));
        assert_eq!(server.wait().await.code(), Some(2), "invalid configuration");
        let output = server.final_output().await;
        assert!(
            output.contains("database.url") && output.contains(hint),
            "{output}"
        );
        assert!(
            !output.contains("not available yet"),
            "no retries: {output}"
        );
        assert!(
            !output.contains("wrong-battery") && !output.contains("correct-horse"),
            "{output}"
        );
    }

    database.stop(Shutdown::Graceful).await;
    let mut server = Process::start(serve(&[], &idp, &url));
    server
        .wait_for_output("the database is not available yet")
        .await;
    database.start();
    server.wait_for_output(" serves").await;
}

#[tokio::test]
async fn startup_fails_after_30_s_without_a_database() {
    if !run_all() {
        return print_skipped("waiting 30 s for a database that does not start");
    }
    let idp = MockIdp::start().await;
    let since = Instant::now();
    let mut server = Process::start(serve(
        &[],
        &idp,
        "postgres://bearward:correct-horse@127.0.0.1:1/bearward",
    ));
    assert_eq!(
        server.wait().await.code(),
        Some(1),
        "the configuration may be valid"
    );
    let elapsed = since.elapsed();
    assert!(
        (Duration::from_secs(30)..Duration::from_secs(60)).contains(&elapsed),
        "{elapsed:?}"
    );
    let output = server.final_output().await;
    assert!(
        output.contains("database.url")
            && output.contains("does not answer")
            && !output.contains("correct-horse"),
        "{output}"
    );
}
