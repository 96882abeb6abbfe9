//! Faults of a database that still answers, or that stops answering without closing connections:
//! locks, failover, a standby, a dead host.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

use bearward_testing::MockIdp;
use reqwest::Method;
use sea_orm::{ConnectionTrait, TransactionTrait};
use test_support::{
    TEST_TIMEOUT, database,
    http::{Response, send},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{
    database_server::{Kind, Shutdown, TestDatabaseServer},
    test_server::{ResponseExt, TestServer, post_status_check, request, serve, wait_for_status},
};

/// Forwards connections to the server that a name leads to.
struct Proxy {
    port: u16,
    target: Arc<AtomicU16>,
    is_cut: watch::Sender<bool>,
}

impl Proxy {
    async fn start(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = Arc::new(AtomicU16::new(target));
        let (is_cut, cut) = watch::channel(false);
        let current = Arc::clone(&target);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (port, mut cut) = (current.load(Ordering::Relaxed), cut.clone());
                // Connections that exist when the network is cut get no more data, for good.
                cut.mark_unchanged();
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
                    tokio::select! {
                        // Data that arrives after the cut is not forwarded first.
                        biased;
                        _ = cut.changed() => std::future::pending::<()>().await,
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                    }
                    Some(())
                });
            }
        });
        Self {
            port,
            target,
            is_cut,
        }
    }

    /// New connections lead to another server.
    fn move_to(&self, target: u16) {
        self.target.store(target, Ordering::Relaxed);
    }

    /// Stops to forward on existing connections, without closing them.
    fn cut(&self) {
        self.is_cut.send_replace(true);
    }
}

/// Starts a server with a migrated database.
async fn database_of(kind: Kind) -> Option<(TestDatabaseServer, String)> {
    let mut server = TestDatabaseServer::create(kind)?;
    server.start();
    server.wait_until_ready().await;
    let url = server.create_database("bearward").await;
    Some((server, url))
}

fn port(url: &str) -> u16 {
    url.parse::<url::Url>().unwrap().port().unwrap()
}

fn through(proxy: &Proxy, url: &str) -> String {
    url.replace(&format!(":{}/", port(url)), &format!(":{}/", proxy.port))
}

async fn set_read_only(kind: Kind, url: &str, is_read_only: bool) {
    let database = database::connect(url).await;
    let statements: &[String] = match kind {
        Kind::Postgres => &[
            format!("ALTER SYSTEM SET default_transaction_read_only = {is_read_only}"),
            "SELECT pg_reload_conf()".to_owned(),
        ],
        Kind::MariaDb => &[format!("SET GLOBAL read_only = {is_read_only}")],
    };
    for statement in statements {
        database.execute_unprepared(statement).await.unwrap();
    }
    database.close().await.unwrap();
}

/// Posts until a row is stored.
async fn wait_for_write(server: &TestServer, token: &str) -> Duration {
    let since = Instant::now();
    loop {
        let response = post_status_check(&server.api, token, "web", None).await;
        if response.status == 201 {
            return since.elapsed();
        }
        response.assert_database_unavailable();
        assert!(
            since.elapsed() < TEST_TIMEOUT,
            "{}",
            server.process.output()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locked_table_in_postgres_blocks_only_its_routes() {
    locked_table_blocks_only_its_routes(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locked_table_in_mariadb_blocks_only_its_routes() {
    locked_table_blocks_only_its_routes(Kind::MariaDb).await;
}

async fn locked_table_blocks_only_its_routes(kind: Kind) {
    let Some((_database, url)) = database_of(kind).await else {
        return;
    };
    let idp = MockIdp::start().await;
    let mut command = serve(&[], &idp, &url);
    command
        .env("BEARWARD_DATABASE__MAX_CONNECTIONS", "4")
        .env("BEARWARD_DATABASE__LOCK_TIMEOUT", "2s")
        .env("BEARWARD_DATABASE__STATEMENT_TIMEOUT", "3s");
    let server = TestServer::spawn(command).await;
    let token = idp.token().sub("ada").sign();
    server.post_status_check(&token, "web").await.expect(201);
    let locker = database::connect(&url).await;
    let lock = locker.begin().await.unwrap();
    lock.execute_unprepared(match kind {
        Kind::Postgres => "LOCK TABLE status_checks IN ACCESS EXCLUSIVE MODE",
        // LOCK TABLES would lock the tables that foreign keys lead to as well.
        Kind::MariaDb => "FLUSH TABLES status_checks WITH READ LOCK",
    })
    .await
    .unwrap();
    let blocked: Vec<_> = (0..20)
        .map(|_| {
            let (api, token) = (server.api.clone(), token.clone());
            tokio::spawn(async move { post_status_check(&api, &token, "web", None).await })
        })
        .collect();
    // A request that waits for the lock holds a connection by now.
    tokio::time::sleep(Duration::from_millis(500)).await;
    for number in 0..5 {
        let other = idp.token().sub(&format!("user {number}")).sign();
        server.get("/api/auth/me", &other).await.expect(200);
    }
    for response in blocked {
        response.await.unwrap().assert_database_unavailable();
    }
    if kind == Kind::MariaDb {
        lock.execute_unprepared("UNLOCK TABLES").await.unwrap();
    }
    lock.rollback().await.unwrap();
    server.post_status_check(&token, "web").await.expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_only_postgres_is_not_ready() {
    read_only_database_is_not_ready(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_only_mariadb_is_not_ready() {
    read_only_database_is_not_ready(Kind::MariaDb).await;
}

async fn read_only_database_is_not_ready(kind: Kind) {
    let Some((_database, url)) = database_of(kind).await else {
        return;
    };
    let idp = MockIdp::start().await;
    let server = TestServer::start(&idp, &url).await;
    set_read_only(kind, &url, true).await;
    wait_for_status(&server.api, "/readyz", 503)
        .await
        .assert_database_unavailable();
    let health = server.get("/health", "").await.expect(200);
    assert_eq!(health["database"], "read_only", "{health}");
    set_read_only(kind, &url, false).await;
    wait_for_status(&server.api, "/readyz", 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failover_behind_a_name_replaces_connections() {
    let Some((_old, old_url)) = database_of(Kind::Postgres).await else {
        return;
    };
    let Some((_new, new_url)) = database_of(Kind::Postgres).await else {
        return;
    };
    let idp = MockIdp::start().await;
    let token = idp.token().sub("ada").sign();
    // Migrates the new primary, as replication would.
    drop(TestServer::start(&idp, &new_url).await);
    let proxy = Proxy::start(port(&old_url)).await;
    let server = TestServer::start(&idp, &through(&proxy, &old_url)).await;
    wait_for_write(&server, &token).await;
    // The old primary comes back as a standby, and keeps the connections that exist.
    set_read_only(Kind::Postgres, &old_url, true).await;
    proxy.move_to(port(&new_url));
    let elapsed = wait_for_write(&server, &token).await;
    assert!(elapsed < Duration::from_secs(30), "{elapsed:?}");
    wait_for_status(&server.api, "/readyz", 200).await;
    let rows = database::query_number(&new_url, "SELECT COUNT(*) FROM status_checks").await;
    assert!(rows > 0);
}

/// Requests in the background.
type Requests = Vec<tokio::task::JoinHandle<Response>>;

/// Requests the row of a new user.
fn get_profile(server: &TestServer, idp: &MockIdp) -> tokio::task::JoinHandle<Response> {
    let token = idp.token().sub("grace").sign();
    let request = request(&server.api, Method::GET, "/api/auth/me").bearer_auth(token);
    tokio::spawn(send(request))
}

fn post_status_checks(server: &TestServer, token: &str, count: usize) -> Requests {
    let request = |_| {
        let (api, token) = (server.api.clone(), token.to_owned());
        tokio::spawn(async move { post_status_check(&api, &token, "web", None).await })
    };
    (0..count).map(request).collect()
}

/// Waits until this number of sessions waits for a lock.
async fn wait_for_blocked_sessions(url: &str, count: i64) {
    let query = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let since = Instant::now();
    while database::query_number(url, query).await != count {
        assert!(since.elapsed() < TEST_TIMEOUT, "fewer than {count}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until every connection of the pool is idle.
async fn wait_for_idle_pool(server: &TestServer) {
    let since = Instant::now();
    loop {
        let metrics = server.get("/metrics", "").await.body;
        if metrics.contains("bearward_database_connections{state=\"in_use\"} 0\n") {
            return;
        }
        assert!(since.elapsed() < TEST_TIMEOUT, "{metrics}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The statements and requests have no time limit within the test, so the pool is replaced although
/// each of its connections is in use until the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn primary_that_vanishes_silently_is_replaced() {
    let Some((_old, old_url)) = database_of(Kind::Postgres).await else {
        return;
    };
    let idp = MockIdp::start().await;
    let token = idp.token().sub("ada").sign();
    let proxy = Proxy::start(port(&old_url)).await;
    let mut command = serve(&[], &idp, &through(&proxy, &old_url));
    command
        .env("BEARWARD_DATABASE__MAX_CONNECTIONS", "4")
        .env("BEARWARD_DATABASE__LOCK_TIMEOUT", "10m")
        .env("BEARWARD_DATABASE__STATEMENT_TIMEOUT", "10m")
        .env("BEARWARD_SERVER__REQUEST_TIMEOUT", "10m");
    let server = TestServer::spawn(command).await;
    wait_for_write(&server, &token).await;
    let locker = database::connect(&old_url).await;
    let lock = locker.begin().await.unwrap();
    // Requests take every connection, three of them for the table of status checks.
    lock.execute_unprepared("LOCK TABLE bearward.status_checks IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let mut busy = post_status_checks(&server, &token, 3);
    wait_for_blocked_sessions(&old_url, 3).await;
    lock.execute_unprepared("LOCK TABLE bearward.users IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    busy.push(get_profile(&server, &idp));
    wait_for_blocked_sessions(&old_url, 4).await;
    proxy.cut();
    lock.rollback().await.unwrap();
    wait_for_write(&server, &token).await;
    wait_for_status(&server.api, "/readyz", 200).await;
    assert!(busy.iter().all(|request| !request.is_finished()));
    busy.iter().for_each(tokio::task::JoinHandle::abort);
}

/// The other connections of the pool work, so no probe fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_never_answer_are_replaced() {
    let Some((_database, url)) = database_of(Kind::Postgres).await else {
        return;
    };
    let idp = MockIdp::start().await;
    let token = idp.token().sub("ada").sign();
    let proxy = Proxy::start(port(&url)).await;
    let mut command = serve(&[], &idp, &through(&proxy, &url));
    command
        .env("BEARWARD_DATABASE__MAX_CONNECTIONS", "4")
        .env("BEARWARD_DATABASE__LOCK_TIMEOUT", "8s");
    let mut server = TestServer::spawn(command).await;
    wait_for_write(&server, &token).await;
    let locker = database::connect(&url).await;
    let lock = locker.begin().await.unwrap();
    lock.execute_unprepared("LOCK TABLE bearward.status_checks IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let busy = post_status_checks(&server, &token, 3);
    wait_for_blocked_sessions(&url, 3).await;
    proxy.cut();
    lock.rollback().await.unwrap();
    for response in busy {
        response.await.unwrap().assert_database_unavailable();
    }
    server
        .process
        .wait_for_output("replacing all connections")
        .await;
    wait_for_idle_pool(&server).await;
    server.post_status_check(&token, "web").await.expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_hosts_the_writable_one_is_used() {
    let Some((_first, first_url)) = database_of(Kind::Postgres).await else {
        return;
    };
    let Some((_second, second_url)) = database_of(Kind::Postgres).await else {
        return;
    };
    let idp = MockIdp::start().await;
    let token = idp.token().sub("ada").sign();
    drop(TestServer::start(&idp, &first_url).await);
    set_read_only(Kind::Postgres, &first_url, true).await;
    let hosts = format!(
        "127.0.0.1:1,127.0.0.1:{},127.0.0.1:{}",
        port(&first_url),
        port(&second_url)
    );
    let url = second_url.replace(&format!("127.0.0.1:{}", port(&second_url)), &hosts);
    let server = TestServer::start(&idp, &format!("{url}?target_session_attrs=read-write")).await;
    server.post_status_check(&token, "web").await.expect(201);
    // The roles change.
    set_read_only(Kind::Postgres, &second_url, true).await;
    set_read_only(Kind::Postgres, &first_url, false).await;
    wait_for_write(&server, &token).await;
    let rows = database::query_number(&first_url, "SELECT COUNT(*) FROM status_checks").await;
    assert!(rows > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outage_is_logged_once_and_counted() {
    let Some((mut database, url)) = database_of(Kind::Postgres).await else {
        return;
    };
    let idp = MockIdp::start().await;
    let mut server = TestServer::start(&idp, &url).await;
    database.stop(Shutdown::Graceful).await;
    wait_for_status(&server.api, "/readyz", 503).await;
    let requests = (0..20).map(|number| {
        let token = idp.token().sub(&format!("user {number}")).sign();
        let server = &server;
        async move { server.get("/api/auth/me", &token).await }
    });
    for response in futures_util::future::join_all(requests).await {
        response.assert_database_unavailable();
    }
    let metrics = server.get("/metrics", "").await.body;
    for metric in [
        "bearward_database_available 0",
        "bearward_database_errors_total{class=",
        "bearward_database_connections{state=\"idle\"}",
    ] {
        assert!(metrics.contains(metric), "{metric}:\n{metrics}");
    }
    database.start();
    server
        .process
        .wait_for_output("the database is available again")
        .await;
    let output = server.process.output();
    let count = |level: &str, text: &str| {
        output
            .lines()
            .filter(|line| line.contains(level) && line.contains(text))
            .count()
    };
    assert_eq!(count("ERROR", "the database is unavailable"), 1, "{output}");
    assert_eq!(count("INFO", "available again"), 1, "{output}");
    assert!(count("WARN", "the database is unavailable") < 5, "{output}");
}
