//! One PostgreSQL server for all tests, one database per test.

use std::{
    path::Path,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{dev::Payload, test::TestRequest};
use bearward::{Algorithm, Bearward, MaybePrincipal, Principal};
use bearward_testing::{MockIdp, TokenBuilder};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use test_support::postgres::PostgresServer;

/// A database with the migrations of the example, and an identity provider.
pub struct Fixture {
    pub server: &'static PostgresServer,
    pub database: String,
    pub idp: MockIdp,
    pub auth: Bearward,
}

/// Returns the server, which runs until the test binary ends. Its database `template` has the
/// migrations.
fn server() -> Option<&'static PostgresServer> {
    static SERVER: OnceLock<Option<PostgresServer>> = OnceLock::new();
    let start = || {
        let server = PostgresServer::start()?;
        server.execute("postgres", "create database template");
        let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        for file in ["1_supabase.sql", "2_todos.sql"] {
            server.execute_file("template", &migrations.join(file));
        }
        Some(server)
    };
    SERVER.get_or_init(start).as_ref()
}

impl Fixture {
    /// Creates a database. Returns `None` if PostgreSQL is not installed.
    pub async fn create() -> Option<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let server = server()?;
        let database = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        server.execute(
            "postgres",
            &format!("create database {database} template template"),
        );
        let idp = MockIdp::start_with(Algorithm::ES256).await;
        let auth = Bearward::builder()
            .issuer(idp.as_issuer())
            .build()
            .await
            .unwrap();
        auth.wait_for_initial_fetch().await;
        Some(Self {
            server,
            database,
            idp,
            auth,
        })
    }

    /// Runs SQL as the superuser.
    pub fn admin(&self, sql: &str) -> String {
        self.server.execute(&self.database, sql)
    }

    /// Adds todos that name their user, as the superuser.
    pub fn add_todos(&self, users: usize, todos: usize) {
        self.admin(&format!(
            "insert into todos (user_id, title) select ('00000000-0000-4000-8000-' || lpad(u::text, 12, '0'))::uuid, u::text \
             from generate_series(0, {users} - 1) u, generate_series(1, {todos})"
        ));
    }

    /// Returns the options of a connection to a port as this role.
    pub fn options(&self, role: &str, port: u16) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(port)
            .username(role)
            .database(&self.database)
    }

    /// Opens a pool as the role `authenticator`.
    pub fn pool(&self, connections: u32) -> PgPool {
        self.pool_as("authenticator", connections)
    }

    pub fn pool_as(&self, role: &str, connections: u32) -> PgPool {
        pool(self.options(role, self.server.port()), connections)
    }

    /// Returns the caller of a request with this token.
    pub async fn principal(&self, token: TokenBuilder) -> Principal {
        self.principal_at("/todos?limit=1", token).await
    }

    pub async fn principal_at(&self, uri: &str, token: TokenBuilder) -> Principal {
        let request = TestRequest::with_uri(uri)
            .app_data(self.auth.clone())
            .insert_header(("authorization", format!("Bearer {}", token.sign())))
            .to_http_request();
        Principal::from_request(&request, &mut Payload::None)
            .await
            .unwrap()
    }

    /// Returns the caller of a request that may have a token.
    pub async fn maybe_principal(&self, token: Option<TokenBuilder>) -> MaybePrincipal {
        let mut request = TestRequest::with_uri("/announcements").app_data(self.auth.clone());
        if let Some(token) = token {
            let value = format!("Bearer {}", token.sign());
            request = request.insert_header(("authorization", value));
        }
        MaybePrincipal::from_request(&request.to_http_request(), &mut Payload::None)
            .await
            .unwrap()
    }

    /// Returns a token of the user with this number.
    pub fn token(&self, user: usize) -> TokenBuilder {
        self.idp.token().sub(&user_id(user))
    }

    pub async fn user(&self, user: usize) -> Principal {
        self.principal(self.token(user)).await
    }
}

/// Opens a pool without connecting. It waits long for connections, as the machine may be busy.
pub fn pool(options: PgConnectOptions, connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(test_support::TEST_TIMEOUT)
        .connect_lazy_with(options)
}

/// Returns the `sub` of a user.
pub fn user_id(user: usize) -> String {
    format!("00000000-0000-4000-8000-{user:012}")
}

/// Returns the role, the claims and the process of the session that the pool gives out.
pub async fn session(pool: &PgPool) -> (String, String, i32) {
    sqlx::query_as(
        "select current_setting('role'), coalesce(current_setting('request.jwt.claims', true), ''), pg_backend_pid()",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

/// Waits until the pool's only connection has returned.
pub async fn wait_until_idle(pool: &PgPool) {
    test_support::within_timeout(async {
        while pool.num_idle() != 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
