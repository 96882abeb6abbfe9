//! How a server starts: beside nine others, before its database, or not at all.

use std::time::{Duration, Instant};

use bearward_testing::MockIdp;

use crate::{
    database,
    database_server::{DatabaseServer, End, Kind},
    is_all, left_out,
    serving::{Process, Serving, serve},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_servers_that_start_at_once_on_an_empty_database_all_come_up() {
    let idp = MockIdp::start().await;
    for _ in 0..if is_all() { 5 } else { 1 } {
        let database = database::fresh().await;
        let servers =
            futures_util::future::join_all((0..10).map(|_| Serving::start(&idp, &database))).await;
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
async fn postgres_is_waited_for_and_a_wrong_password_or_database_is_not() {
    is_waited_for(Kind::Postgres).await;
}

#[tokio::test]
async fn mariadb_is_waited_for_and_a_wrong_password_or_database_is_not() {
    is_waited_for(Kind::MariaDb).await;
}

async fn is_waited_for(kind: Kind) {
    let Some(mut database) = DatabaseServer::make(kind) else {
        return;
    };
    database.start();
    database.until_up().await;
    let (idp, url) = (MockIdp::start().await, database.create("bearward").await);
    for (url, advice) in [
        (
            database.url_with("wrong-battery", "bearward"),
            "Check the user and the password",
        ),
        (database.url("nowhere"), "Create the database first"),
    ] {
        let mut server = Process::start(serve(&[], &idp, &url));
        assert_eq!(
            server.ended().await.code(),
            Some(2),
            "the configuration is wrong"
        );
        let told = server.until_told().await;
        assert!(
            told.contains("database.url") && told.contains(advice),
            "{told}"
        );
        assert!(!told.contains("not there yet"), "nobody waits: {told}");
        assert!(
            !told.contains("wrong-battery") && !told.contains("correct-horse"),
            "{told}"
        );
    }

    database.stop(End::Orderly).await;
    let mut server = Process::start(serve(&[], &idp, &url));
    server.until_written("the database is not there yet").await;
    database.start();
    server.until_written(" serves").await;
}

#[tokio::test]
async fn a_server_gives_up_on_a_database_that_does_not_come_within_thirty_seconds() {
    if !is_all() {
        return left_out("30 s of waiting for a database that does not come");
    }
    let idp = MockIdp::start().await;
    let since = Instant::now();
    let mut server = Process::start(serve(
        &[],
        &idp,
        "postgres://bearward:correct-horse@127.0.0.1:1/bearward",
    ));
    assert_eq!(
        server.ended().await.code(),
        Some(1),
        "the configuration may be right"
    );
    let took = since.elapsed();
    assert!(
        (Duration::from_secs(30)..Duration::from_secs(60)).contains(&took),
        "{took:?}"
    );
    let told = server.until_told().await;
    assert!(
        told.contains("database.url")
            && told.contains("does not answer")
            && !told.contains("correct-horse"),
        "{told}"
    );
}
