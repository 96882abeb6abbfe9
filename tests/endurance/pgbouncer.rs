//! PostgreSQL behind `PgBouncer`, without configuration of the pooler in bearward.
//!
//! `BEARWARD_TEST_PGBOUNCER` selects the program; the default is the one of the distribution.

use std::{
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use bearward_testing::MockIdp;
use futures_util::{StreamExt, stream};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use test_support::{TEST_TIMEOUT, database, ports::free_address, process::TestProcess};

use crate::{
    database_server::{Kind, PASSWORD, TestDatabaseServer, first_existing},
    print_skipped,
    test_server::{TestServer, post_status_check, serve},
};

/// Requests of each test, from many clients at once.
const REQUESTS: usize = 2000;
/// Low enough for no request to wait long for a connection on a busy machine.
const CONCURRENCY: usize = 4;
/// Sessions of the pool: fewer than the connections of the servers in transaction mode.
const SHARED_SESSIONS: usize = 2;

/// Returns the program. Returns `None` and prints a line if it is not installed.
fn program() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("BEARWARD_TEST_PGBOUNCER") {
        return Some(path.into());
    }
    let program = first_existing(["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"]);
    if program.is_none() {
        print_skipped("PgBouncer is not installed (Debian: apt-get install pgbouncer)");
    }
    program
}

/// Returns the settings of named prepared statements to test: before version 1.21 there is none, and
/// a statement stays in the session in which it was prepared.
fn prepared_statement_settings(program: &Path) -> &'static [&'static str] {
    let output = Command::new(program).arg("--version").output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let version = output.lines().next().unwrap();
    println!("{version}");
    let minor = version.split('.').nth(1).unwrap().parse::<u32>().unwrap();
    if minor < 21 {
        &[""]
    } else {
        &[
            "max_prepared_statements = 0\n",
            "max_prepared_statements = 200\n",
        ]
    }
}

/// Starts `PgBouncer` in this mode.
async fn start(
    program: &Path,
    database: &TestDatabaseServer,
    mode: &str,
    pool: usize,
    settings: &str,
) -> (TestProcess, u16) {
    let port = free_address().port();
    let users = database.write("users.txt", &format!("\"bearward\" \"{PASSWORD}\"\n"));
    let configuration = format!(
        "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
         unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\npool_mode = {mode}\ndefault_pool_size = {pool}\n\
         max_client_conn = 200\n{settings}",
        database.port(),
        users.display(),
    );
    let file = database.write("pgbouncer.ini", &configuration);
    let mut command = database.command_beside(program.to_owned());
    command.arg(file);
    let mut process = TestProcess::start(command);
    let since = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(
            process.is_running() && since.elapsed() < TEST_TIMEOUT,
            "{}",
            process.output()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (process, port)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pgbouncer_in_transaction_mode_fails_no_request() {
    fails_no_request("transaction", SHARED_SESSIONS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pgbouncer_in_session_mode_fails_no_request() {
    fails_no_request("session", 50).await;
}

async fn fails_no_request(mode: &str, pool: usize) {
    let Some(program) = program() else {
        return;
    };
    for settings in prepared_statement_settings(&program) {
        fails_no_request_with(&program, mode, pool, settings).await;
    }
}

/// Two servers share the pool, so that each meets sessions that the other one has used.
async fn fails_no_request_with(program: &Path, mode: &str, pool: usize, settings: &str) {
    let Some(mut database) = TestDatabaseServer::create(Kind::Postgres) else {
        return;
    };
    database.start();
    database.wait_until_ready().await;
    let direct = database.create_database("bearward").await;
    let (_pgbouncer, port) = start(program, &database, mode, pool, settings).await;
    let url = direct.replace(&format!(":{}/", database.port()), &format!(":{port}/"));
    let idp = MockIdp::start().await;
    let servers = futures_util::future::join_all((0..2).map(|_| {
        let mut command = serve(&[], &idp, &url);
        // No request fails because the machine is busy: a debug build takes long to compute the key
        // of a password, which each connection needs.
        command
            .env("BEARWARD_DATABASE__ACQUIRE_TIMEOUT", "30s")
            .env("BEARWARD_DATABASE__STATEMENT_TIMEOUT", "60s")
            .env("BEARWARD_SERVER__REQUEST_TIMEOUT", "2m");
        TestServer::spawn(command)
    }))
    .await;
    let tokens: Vec<String> = (0..40)
        .map(|user| idp.token().sub(&format!("user {user}")).sign())
        .collect();
    let responses = stream::iter(0..REQUESTS)
        .map(|n| {
            let (server, token) = (&servers[n % 2], &tokens[n % tokens.len()]);
            async move {
                match n % 4 {
                    0 => server.get("/api/auth/me", token).await,
                    1 => server.get("/api/status", token).await,
                    2 => {
                        let key = format!("key-{n}");
                        post_status_check(&server.api, token, "web", Some(&key)).await
                    }
                    _ => post_status_check(&server.api, token, "web", None).await,
                }
            }
        })
        .buffer_unordered(CONCURRENCY)
        .collect::<Vec<_>>()
        .await;
    let failed: Vec<_> = responses
        .iter()
        .filter(|response| response.status >= 400)
        .collect();
    assert_eq!(
        failed.len(),
        0,
        "of {}, such as {:?}\n{}",
        responses.len(),
        failed.first(),
        servers[0].process.output()
    );
    // Each request found the rows of its own user.
    for (user, token) in tokens.iter().enumerate() {
        let profile = servers[0].get("/api/auth/me", token).await.expect(200);
        assert_eq!(profile["subject"], format!("user {user}"), "{profile}");
    }
    assert_eq!(
        database::query_number(&direct, "SELECT COUNT(*) FROM status_checks").await,
        i64::try_from(REQUESTS / 2).unwrap()
    );
    let database = connect(&url).await;
    for _ in 0..=SHARED_SESSIONS {
        database
            .execute_unprepared(NO_LIMITS)
            .await
            .expect("servers leave nothing in a session");
    }
}

/// Connects through the pooler, which rejects startup parameters.
async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(1)
        .map_sqlx_postgres_opts(|postgres| postgres.extra_float_digits(None));
    Database::connect(options).await.unwrap()
}

/// Fails if the session has a time limit.
const NO_LIMITS: &str = "DO $$ BEGIN \
    IF current_setting('statement_timeout') || current_setting('lock_timeout') <> '00' \
    THEN RAISE EXCEPTION 'time limits are set'; END IF; END $$";
