//! Server startup: concurrently, before its database, or with an error.

use bearward_server::store::MIGRATION_COUNT;
use bearward_testing::MockIdp;
use test_support::{database, process::TestProcess};

use crate::{
    database_server::{Kind, Shutdown, TestDatabaseServer},
    run_long,
    test_server::{ResponseExt, TestServer, serve, wait_for_status},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_servers_start_concurrently_on_an_empty_database() {
    let idp = MockIdp::start().await;
    for _ in 0..if run_long() { 5 } else { 1 } {
        let database = database::create().await;
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
        let statement = "SELECT COUNT(*) FROM seaql_migrations";
        let applied = database::query_number(&database, statement).await;
        assert_eq!(usize::try_from(applied), Ok(MIGRATION_COUNT));
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
        let mut server = TestProcess::start(serve(&[], &idp, &url));
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
    let token = idp.token().sub("ada").sign();
    let mut process = TestProcess::start(serve(&[], &idp, &url));
    process
        .wait_for_output("the database is not available yet")
        .await;
    let server = TestServer::listening(process).await;
    assert_eq!(server.get("/livez", "").await.status, 200);
    wait_for_status(&server.api, "/readyz?check=keys", 200).await;
    server.get("/protected", &token).await.expect(200);
    server
        .get("/api/auth/me", &token)
        .await
        .assert_database_unavailable();
    wait_for_status(&server.api, "/readyz", 503)
        .await
        .assert_database_unavailable();
    database.start();
    wait_for_status(&server.api, "/readyz", 200).await;
    server.get("/api/auth/me", &token).await.expect(200);
}

#[tokio::test]
async fn wrong_database_found_after_the_start_ends_serve() {
    let Some(mut database) = TestDatabaseServer::create(Kind::Postgres) else {
        return;
    };
    let idp = MockIdp::start().await;
    let url = database.url_with("wrong-battery", "bearward");
    let server = TestServer::listening(TestProcess::start(serve(&[], &idp, &url))).await;
    database.start();
    let mut process = server.process;
    assert_eq!(
        process.wait().await.code(),
        Some(2),
        "invalid configuration"
    );
    let output = process.final_output().await;
    assert!(
        output.contains("Check the user name and the password"),
        "{output}"
    );
}

/// Errors that no retry repairs, with the key to change.
#[tokio::test]
async fn lasting_connection_errors_are_reported_at_once() {
    let idp = MockIdp::start().await;
    let missing =
        "postgres://u:hunter2@127.0.0.1:1/db?sslmode=verify-full&sslrootcert=/no/such/ca.pem";
    let mut server = TestProcess::start(serve(&[], &idp, missing));
    assert_eq!(server.wait().await.code(), Some(2));
    let output = server.final_output().await;
    assert!(
        output.contains("sslrootcert") && output.contains("/no/such/ca.pem"),
        "{output}"
    );
    assert!(
        !output.contains("hunter2") && !output.contains("not available yet"),
        "{output}"
    );
}

#[tokio::test]
async fn ipv6_literal_is_an_address_of_the_database() {
    let Some(mut database) = TestDatabaseServer::create(Kind::Postgres) else {
        return;
    };
    database.start();
    database.wait_until_ready().await;
    let (idp, url) = (
        MockIdp::start().await,
        database.create_database("bearward").await,
    );
    // The server listens on IPv4 only: the address is mapped into IPv6.
    let url = url.replace("127.0.0.1", "[::ffff:127.0.0.1]");
    TestServer::start(&idp, &url).await;
}

#[tokio::test]
async fn unknown_certificate_authority_is_not_retried() {
    let Some(mut database) = TestDatabaseServer::create(Kind::Postgres) else {
        return;
    };
    database.start();
    database.wait_until_ready().await;
    let (idp, url) = (
        MockIdp::start().await,
        database.create_database("bearward").await,
    );
    database.enable_tls().await;
    // The server applies the change within moments; until then it offers no TLS.
    let mut server = TestProcess::start(serve(&[], &idp, &format!("{url}?sslmode=verify-full")));
    assert_eq!(server.wait().await.code(), Some(2), "{}", server.output());
    let output = server.final_output().await;
    assert!(output.contains("sslrootcert=FILE"), "{output}");
    assert!(!output.contains("not available yet"), "{output}");
}
