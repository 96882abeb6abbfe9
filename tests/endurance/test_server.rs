//! `bearward serve` as a child process that trusts the test's identity provider. It is killed on
//! drop, even if a test panics.

use std::{process::Command, sync::LazyLock};

use bearward_testing::MockIdp;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use test_support::{
    http::{self, Response, send},
    process::TestProcess,
};

/// Returns the command with an otherwise empty environment. `wrapper` is a command that runs it, such
/// as a shell with a resource limit.
pub(crate) fn serve(wrapper: &[&str], idp: &MockIdp, database: &str) -> Command {
    let words = [
        wrapper,
        &[
            env!("CARGO_BIN_EXE_bearward"),
            "serve",
            "--bind",
            "127.0.0.1:0",
        ],
    ]
    .concat();
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .env_clear()
        .current_dir(env!("CARGO_TARGET_TMPDIR"));
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
        .env("BEARWARD_ISSUERS__TEST__ISSUER", idp.issuer())
        .env("BEARWARD_ISSUERS__TEST__JWKS_URL", idp.jwks_url())
        .env("BEARWARD_ISSUERS__TEST__AUDIENCES", idp.audience())
        .env("BEARWARD_ADMIN__ISSUERS", "test")
        .env("BEARWARD_RATE_LIMIT__ENABLED", "false")
        .env("BEARWARD_SERVER__WORKERS", "2")
        .env("DATABASE_URL", database);
    command
}

/// A ready server.
pub(crate) struct TestServer {
    pub(crate) process: TestProcess,
    pub(crate) api: String,
}

impl TestServer {
    pub(crate) async fn start(idp: &MockIdp, database: &str) -> Self {
        Self::spawn(serve(&[], idp, database)).await
    }

    pub(crate) async fn spawn(command: Command) -> Self {
        let mut process = TestProcess::start(command);
        let output = process.wait_for_output(" serves").await;
        let api = format!("http://{}", address(&output));
        wait_for_status(&api, "/readyz", 200).await;
        Self { process, api }
    }

    /// Waits only until the server listens.
    pub(crate) async fn listening(mut process: TestProcess) -> Self {
        let output = process.wait_for_output(" serves").await;
        let api = format!("http://{}", address(&output));
        Self { process, api }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Response {
        send(request(&self.api, Method::GET, path).bearer_auth(token)).await
    }

    pub(crate) async fn post_status_check(&self, token: &str, client: &str) -> Response {
        post_status_check(&self.api, token, client, None).await
    }
}

/// Returns the server's address from its log.
fn address(log: &str) -> &str {
    let rest = log
        .split("address=")
        .nth(1)
        .or_else(|| log.split("\"address\":\"").nth(1))
        .expect("an address in the log");
    rest.split([' ', '"']).next().unwrap()
}

/// Repeats the request until the response has this status.
pub(crate) async fn wait_for_status(api: &str, path: &str, status: u16) -> Response {
    http::wait_for_status(&format!("{api}{path}"), status).await
}

/// Assertions on responses of these tests.
pub(crate) trait ResponseExt {
    /// Asserts a 503 response with the error code and a `Retry-After`.
    fn assert_database_unavailable(&self);
}

impl ResponseExt for Response {
    #[track_caller]
    fn assert_database_unavailable(&self) {
        assert_eq!(
            self.expect(503)["error"]["code"],
            "DATABASE_UNAVAILABLE",
            "{self:?}"
        );
        let seconds: u64 = self.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
    }
}

/// Without idle connections: they would belong to the runtime of one test.
static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    http::client_builder()
        .pool_max_idle_per_host(0)
        .build()
        .unwrap()
});

pub(crate) fn request(api: &str, method: Method, path: &str) -> RequestBuilder {
    CLIENT.request(method, format!("{api}{path}"))
}

/// Adds a JSON body.
pub(crate) fn with_body(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request
        .header("content-type", "application/json")
        .body(body.to_string())
}

/// `POST /api/status`.
pub(crate) async fn post_status_check(
    api: &str,
    token: &str,
    client: &str,
    key: Option<&str>,
) -> Response {
    let mut request = request(api, Method::POST, "/api/status").bearer_auth(token);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    send(with_body(request, &json!({ "client_name": client }))).await
}
