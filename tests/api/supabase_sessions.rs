//! `[revocation.supabase]`: sign-outs, bans and deletions in the database of Supabase Auth.
//!
//! The database is a PostgreSQL server with the tables `auth.sessions` and `auth.users` as the
//! migrations of Supabase Auth create them, with row level security and without policies.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bearward_testing::TokenBuilder;
use reqwest::Method;
use serde_json::Value;
use test_support::{TEST_TIMEOUT, postgres::PostgresServer};
use uuid::Uuid;

use crate::test_app::{TestApp, send};

/// What bearward reads, in the order of the columns of Supabase Auth; the others are left out.
const SUPABASE_AUTH: &str = "
    create schema auth;
    create table auth.users (
        instance_id uuid, id uuid primary key, aud varchar(255), role varchar(255), email varchar(255),
        banned_until timestamptz, deleted_at timestamptz, is_anonymous boolean not null default false
    );
    create table auth.sessions (
        id uuid primary key, user_id uuid not null references auth.users (id) on delete cascade,
        created_at timestamptz, updated_at timestamptz, not_after timestamptz, refreshed_at timestamp
    );
    alter table auth.users enable row level security;
    alter table auth.sessions enable row level security;
";

/// The setup that docs/revocation-sources.md describes.
const DOCUMENTATION: &str = include_str!("../../docs/revocation-sources.md");

struct Database {
    server: &'static PostgresServer,
    name: String,
}

/// Returns the server, which runs until the test binary ends.
fn server() -> Option<&'static PostgresServer> {
    static SERVER: OnceLock<Option<PostgresServer>> = OnceLock::new();
    SERVER
        .get_or_init(|| {
            let server = PostgresServer::start()?;
            server.execute(
                "postgres",
                "create role bearward_sessions login password 'x'",
            );
            Some(server)
        })
        .as_ref()
}

impl Database {
    /// Creates the tables, and the role and views of the documentation. Returns `None` if PostgreSQL is
    /// not installed.
    fn create() -> Option<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let server = server()?;
        let name = format!("supabase_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        server.execute("postgres", &format!("create database {name}"));
        let database = Self { server, name };
        database.execute(SUPABASE_AUTH);
        let setup = DOCUMENTATION
            .split_once("```sql\n")
            .and_then(|(_, rest)| rest.split_once("```"))
            .map(|(setup, _)| setup)
            .expect("the documentation has the setup");
        let is_role = |line: &str| line.starts_with("create role");
        let without_role: Vec<_> = setup.lines().filter(|line| !is_role(line)).collect();
        assert_eq!(setup.lines().count(), without_role.len() + 1);
        database.execute(&without_role.join("\n"));
        Some(database)
    }

    fn execute(&self, sql: &str) -> String {
        self.server.execute(&self.name, sql)
    }

    fn url(&self, port: u16) -> String {
        format!(
            "postgres://bearward_sessions:x@127.0.0.1:{port}/{}?sslmode=disable",
            self.name
        )
    }

    fn add_user(&self) -> Uuid {
        let id = Uuid::new_v4();
        self.execute(&format!("insert into auth.users (id) values ('{id}')"));
        id
    }

    fn add_session(&self, user: Uuid) -> Uuid {
        let id = Uuid::new_v4();
        self.execute(&format!(
            "insert into auth.sessions (id, user_id) values ('{id}', '{user}')"
        ));
        id
    }

    async fn app(&self, port: u16) -> TestApp {
        TestApp::start_with(&[
            ("revocation.supabase.url", &self.url(port)),
            ("revocation.supabase.schema", "bearward_auth"),
            ("revocation.supabase.interval", "100ms"),
            ("revocation.supabase.issuer", "main"),
        ])
        .await
    }
}

fn token(app: &TestApp, user: Uuid, session: Uuid) -> TokenBuilder {
    let token = app.token(&user.to_string());
    token.claim("session_id", session.to_string())
}

/// Waits until a token is rejected as revoked.
async fn until_revoked(app: &TestApp, token: &str) -> Duration {
    let since = Instant::now();
    loop {
        let response = app.get("/protected", token).await;
        if response.status == 401 {
            response.assert_error(401, "TOKEN_REVOKED");
            return since.elapsed();
        }
        assert!(since.elapsed() < TEST_TIMEOUT, "{response:?}");
    }
}

/// Waits until the health report has a property.
async fn until_health(app: &TestApp, is: impl Fn(&Value) -> bool) -> Value {
    let since = Instant::now();
    loop {
        let health = send(app.request(Method::GET, "/health")).await.json();
        if is(&health) {
            return health;
        }
        assert!(since.elapsed() < TEST_TIMEOUT, "{health}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_outs_bans_and_deletions_are_noticed() {
    let Some(database) = Database::create() else {
        return;
    };
    let app = database.app(database.server.port()).await;
    let [ada, bob, eve, joe] = [(); 4].map(|()| database.add_user());
    let sessions = [ada, ada, bob, eve, joe].map(|user| (user, database.add_session(user)));
    let tokens = sessions.map(|(user, session)| token(&app, user, session).sign());
    let stays = token(&app, ada, sessions[1].1).sign();
    for token in tokens.iter().chain([&stays]) {
        app.get("/protected", token).await.expect_status(200);
    }
    // A sign-out deletes the row.
    database.execute(&format!(
        "delete from auth.sessions where id = '{}'",
        sessions[0].1
    ));
    let elapsed = until_revoked(&app, &tokens[0]).await;
    println!("sign-out noticed after {elapsed:?} with an interval of 100 ms");
    app.get("/protected", &stays).await.expect_status(200);

    let set_user = |user: Uuid, change: &str| {
        database.execute(&format!(
            "update auth.users set {change} where id = '{user}'"
        ));
    };
    set_user(bob, "banned_until = now() + interval '1 day'");
    until_revoked(&app, &tokens[2]).await;
    set_user(eve, "deleted_at = now()");
    until_revoked(&app, &tokens[3]).await;
    database.execute(&format!("delete from auth.users where id = '{joe}'"));
    until_revoked(&app, &tokens[4]).await;
    app.get("/protected", &stays).await.expect_status(200);

    // When the ban has ended, the session continues with a new token.
    set_user(bob, "banned_until = now() - interval '1 second'");
    app.clock.advance(Duration::from_secs(2));
    let refreshed = token(&app, bob, sessions[2].1).sign();
    app.get("/protected", &refreshed).await.expect_status(200);
    app.get("/protected", &tokens[2])
        .await
        .assert_error(401, "TOKEN_REVOKED");
    database.execute(&format!(
        "update auth.sessions set not_after = now() where id = '{}'",
        sessions[1].1
    ));
    until_revoked(&app, &stays).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_another_user_is_no_session() {
    let Some(database) = Database::create() else {
        return;
    };
    let app = database.app(database.server.port()).await;
    let [ada, bob] = [(); 2].map(|()| database.add_user());
    let session = database.add_session(ada);
    until_revoked(&app, &token(&app, bob, session).sign()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_revokes_nothing_and_restores_nothing() {
    let Some(database) = Database::create() else {
        return;
    };
    let app = database.app(database.server.port()).await;
    let ada = database.add_user();
    let [ended, active] = [(); 2].map(|()| database.add_session(ada));
    let [revoked, valid] = [ended, active].map(|session| token(&app, ada, session).sign());
    app.get("/protected", &valid).await.expect_status(200);
    app.get("/protected", &revoked).await.expect_status(200);
    let health = until_health(&app, |health| health["status"] == "ok").await;
    assert_eq!(health["revocations"]["supabase"]["sessions"], 2, "{health}");
    database.execute(&format!("delete from auth.sessions where id = '{ended}'"));
    until_revoked(&app, &revoked).await;

    let name = &database.name;
    database.server.execute(
        "postgres",
        &format!(
            "alter database {name} allow_connections false; \
             select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
        ),
    );
    let degraded = until_health(&app, |health| {
        app.clock.advance(Duration::from_secs(1));
        health["status"] == "degraded"
    });
    let health = degraded.await;
    let age = &health["revocations"]["supabase"]["age_seconds"];
    assert!(age.as_u64().is_some_and(|age| age >= 5), "{health}");
    app.get("/protected", &revoked)
        .await
        .assert_error(401, "TOKEN_REVOKED");
    app.get("/protected", &valid).await.expect_status(200);

    database.server.execute(
        "postgres",
        &format!("alter database {name} allow_connections true"),
    );
    database.execute(&format!("delete from auth.sessions where id = '{active}'"));
    until_revoked(&app, &valid).await;
    app.get("/protected", &revoked)
        .await
        .assert_error(401, "TOKEN_REVOKED");
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_rows_revoke_nothing() {
    let Some(database) = Database::create() else {
        return;
    };
    // Without the views, row level security hides every row from the role.
    database.execute(
        "grant usage on schema auth to bearward_sessions; \
         grant select on auth.sessions, auth.users to bearward_sessions",
    );
    let url = database.url(database.server.port());
    let app = TestApp::start_with(&[
        ("revocation.supabase.url", &url),
        ("revocation.supabase.interval", "100ms"),
        ("revocation.supabase.issuer", "main"),
    ])
    .await;
    let ada = database.add_user();
    let session = database.add_session(ada);
    let token = token(&app, ada, session).sign();
    app.get("/protected", &token).await.expect_status(200);
    let health = until_health(&app, |health| health["status"] == "degraded").await;
    assert!(
        health["revocations"]["supabase"]["age_seconds"].is_null(),
        "{health}"
    );
    app.get("/protected", &token).await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_in_transaction_mode_is_supported() {
    let Some(database) = Database::create() else {
        return;
    };
    let Some(pooler) = database.server.start_pgbouncer(2) else {
        return;
    };
    let app = database.app(pooler.port()).await;
    let ada = database.add_user();
    let sessions = [(); 2].map(|()| database.add_session(ada));
    let tokens = sessions.map(|session| token(&app, ada, session).sign());
    for (token, session) in tokens.iter().zip(sessions) {
        app.get("/protected", token).await.expect_status(200);
        database.execute(&format!("delete from auth.sessions where id = '{session}'"));
        until_revoked(&app, token).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_tokens_are_not_checked() {
    let Some(database) = Database::create() else {
        return;
    };
    let app = database.app(database.server.port()).await;
    database.add_user();
    let unknown = Uuid::new_v4();
    let others = [
        app.token("ada")
            .claim("session_id", unknown.to_string())
            .sign(),
        app.token(&unknown.to_string()).without("session_id").sign(),
        app.other
            .token()
            .sub(&unknown.to_string())
            .claim("session_id", unknown.to_string())
            .sign(),
    ];
    for token in &others {
        app.get("/protected", token).await.expect_status(200);
    }
    // A token that is checked shows that a check has taken place.
    let checked = token(&app, Uuid::new_v4(), Uuid::new_v4()).sign();
    until_revoked(&app, &checked).await;
    for token in &others {
        app.get("/protected", token).await.expect_status(200);
    }
}
