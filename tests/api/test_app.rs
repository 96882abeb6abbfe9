//! The application under test: a server with its own database, trusted identity providers, and an
//! untrusted one.

use std::{net::SocketAddr, sync::Arc};

use bearward_server::{
    server::Application,
    settings::{Config, Sources},
};
use bearward_testing::{MockIdp, TestClock, TokenBuilder};
use reqwest::{Client, Method, RequestBuilder, header::HeaderMap};
use serde_json::Value;
use test_support::{TEST_TIMEOUT, database};

pub(crate) struct TestApp {
    pub(crate) idp: MockIdp,
    /// Another trusted issuer of access tokens.
    pub(crate) other: MockIdp,
    /// A trusted issuer of ID tokens.
    pub(crate) google: MockIdp,
    /// An issuer that is not trusted.
    pub(crate) untrusted: MockIdp,
    pub(crate) database: String,
    pub(crate) clock: TestClock,
    pub(crate) address: SocketAddr,
    client: Client,
}

/// The two issuers that Google uses in ID tokens.
pub(crate) const GOOGLE: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts a server with these settings.
    pub(crate) async fn start_with(settings: &[(&str, &str)]) -> Self {
        let database = database::create().await;
        let idp = MockIdp::start().await.with_movable_clock();
        let [other, google, untrusted] = [
            MockIdp::start().await,
            MockIdp::start().await,
            MockIdp::start().await,
        ];
        let clock = idp.clock();
        let mut sources = Sources::new(None, [])
            .with("issuers.google.issuer", GOOGLE.join(","))
            .with("issuers.google.jwks_url", google.jwks_url())
            .with("issuers.google.audiences", google.audience())
            .with("issuers.google.use", "credential")
            .with("admin.issuers", "main");
        for (name, idp) in [("main", &idp), ("other", &other)] {
            sources = sources
                .with(format!("issuers.{name}.issuer"), idp.issuer())
                .with(format!("issuers.{name}.jwks_url"), idp.jwks_url())
                .with(format!("issuers.{name}.audiences"), idp.audience());
        }
        let address = serve(sources, &database, &clock, settings).await;
        let client = Client::builder()
            .no_proxy()
            .timeout(TEST_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            idp,
            other,
            google,
            untrusted,
            database,
            clock,
            address,
            client,
        }
    }

    /// Starts another server on the same database.
    pub(crate) async fn replica(&self) -> SocketAddr {
        self.replica_with(&[]).await
    }

    pub(crate) async fn replica_with(&self, settings: &[(&str, &str)]) -> SocketAddr {
        let sources = Sources::new(None, [])
            .with("issuers.main.issuer", self.idp.issuer())
            .with("issuers.main.jwks_url", self.idp.jwks_url())
            .with("issuers.main.audiences", self.idp.audience())
            .with("admin.issuers", "main");
        serve(sources, &self.database, &self.clock, settings).await
    }

    pub(crate) fn token(&self, subject: &str) -> TokenBuilder {
        self.idp.token().sub(subject)
    }

    /// Returns the time of the servers, in seconds since 1970.
    pub(crate) fn clock_seconds(&self) -> i64 {
        bearward::Clock::now(&self.clock).unix()
    }

    /// Returns a token of another session that was issued after everything that happens in this
    /// second, so that it is not revoked with the older ones.
    pub(crate) fn newer_token(&self, subject: &str) -> TokenBuilder {
        self.token(subject)
            .claim("iat", self.clock_seconds() + 1)
            .claim("session_id", format!("newer session of {subject}"))
    }

    pub(crate) fn admin_token(&self) -> String {
        self.token("root").roles(["admin"]).sign()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_to(self.address, method, path)
    }

    pub(crate) fn request_to(
        &self,
        address: SocketAddr,
        method: Method,
        path: &str,
    ) -> RequestBuilder {
        self.client
            .request(method, format!("http://{address}{path}"))
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> ApiResponse {
        send(self.request(Method::GET, path).bearer_auth(token)).await
    }

    pub(crate) async fn get_from(
        &self,
        address: SocketAddr,
        path: &str,
        token: &str,
    ) -> ApiResponse {
        send(
            self.request_to(address, Method::GET, path)
                .bearer_auth(token),
        )
        .await
    }

    pub(crate) async fn delete(&self, path: &str, token: &str) -> ApiResponse {
        send(self.request(Method::DELETE, path).bearer_auth(token)).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> ApiResponse {
        send(
            self.request(Method::POST, path)
                .bearer_auth(token)
                .json_body(body),
        )
        .await
    }

    pub(crate) async fn patch(&self, path: &str, token: &str, body: &Value) -> ApiResponse {
        send(
            self.request(Method::PATCH, path)
                .bearer_auth(token)
                .json_body(body),
        )
        .await
    }
}

pub(crate) async fn serve(
    sources: Sources,
    database: &str,
    clock: &TestClock,
    settings: &[(&str, &str)],
) -> SocketAddr {
    let mut sources = sources
        .with("server.bind", "127.0.0.1:0")
        .with("server.workers", "2")
        .with("server.cors_origins", "http://localhost:3000")
        .with("database.url", database)
        .with("database.max_connections", "4")
        // Writers of one SQLite file queue; the machine may be busy.
        .with("database.acquire_timeout", "30s")
        // Tests send many requests. Tests of rate limits enable them.
        .with("rate_limit.enabled", "false");
    for (key, value) in settings {
        sources = sources.with(*key, *value);
    }
    let config = Config::load(&sources).unwrap();
    let clock = Arc::new(clock.clone());
    let (sender, address) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let mut application = Application::start_with_clock(clock, &config, None)
                .await
                .unwrap();
            application.wait_for_database().await.unwrap();
            application.auth().wait_for_initial_fetch().await;
            sender.send(application.address()).unwrap();
            application.run().await.unwrap();
        });
    });
    address.await.expect("the server starts")
}

pub(crate) async fn send(request: RequestBuilder) -> ApiResponse {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    ApiResponse {
        status,
        headers,
        body: response.text().await.unwrap(),
    }
}

#[derive(Debug)]
pub(crate) struct ApiResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl ApiResponse {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts the status and returns the body, or null if it is empty.
    #[track_caller]
    pub(crate) fn expect_status(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.body.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// Asserts an error response with this status and code. Returns its details.
    #[track_caller]
    pub(crate) fn assert_error(&self, status: u16, code: &str) -> Value {
        let body = self.expect_status(status);
        assert_eq!(body["error"]["code"], code, "{self:?}");
        assert_eq!(body["success"], false, "{self:?}");
        assert_eq!(body["request_id"], self.header("x-request-id"), "{self:?}");
        assert!(
            body["error"]["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty()),
            "{self:?}"
        );
        assert_eq!(
            body.as_object().map(serde_json::Map::len),
            Some(3),
            "{self:?}"
        );
        body["error"]["details"].clone()
    }

    /// Asserts a 422 response. Returns field and problem of each error.
    #[track_caller]
    pub(crate) fn field_errors(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or("null").to_owned();
        let details = self.assert_error(422, "VALIDATION_FAILED");
        let fields = details.as_array().unwrap_or_else(|| panic!("{self:?}"));
        fields
            .iter()
            .map(|field| (text(&field["field"]), text(&field["problem"])))
            .collect()
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// JSON bodies without the feature `json` of reqwest.
pub(crate) trait JsonBody {
    fn json_body(self, body: &Value) -> Self;
}

impl JsonBody for RequestBuilder {
    fn json_body(self, body: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }
}
