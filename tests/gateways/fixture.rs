//! Fixtures: a bearward server with its identity provider, and optionally a gateway with a backend.

use std::net::SocketAddr;

use bearward::Algorithm;
use bearward_server::{
    server::Application,
    settings::{Config, Sources},
};
use bearward_testing::{MockIdp, TokenBuilder};
use reqwest::{Method, RequestBuilder};
use test_support::{
    http::{Response, client_builder, send},
    raw_http::send_until_closed,
};

use crate::{
    backend::Backend,
    gateway::{Gateway, GatewayProcess},
};

/// A bearward server and its identity provider.
pub struct TestServer {
    pub idp: MockIdp,
    pub address: SocketAddr,
    client: reqwest::Client,
    handle: actix_web::dev::ServerHandle,
}

/// A gateway that uses bearward and forwards to a backend.
pub struct Fixture {
    pub server: TestServer,
    pub backend: Backend,
    gateway: GatewayProcess,
}

impl TestServer {
    pub async fn start(variables: &[(&str, &str)]) -> Self {
        let server = Self::start_with(MockIdp::start_with(Algorithm::ES256).await, variables).await;
        assert_eq!(
            server
                .send(Method::GET, "/readyz", |request| request)
                .await
                .status,
            200
        );
        server
    }

    /// Starts a server for this identity provider and waits for the first fetch of its keys.
    pub async fn start_with(idp: MockIdp, variables: &[(&str, &str)]) -> Self {
        let base = idp.base();
        let defaults = [
            ("SUPABASE_URL", base.as_str()),
            ("DATABASE_URL", "sqlite::memory:"),
            ("BEARWARD_SERVER__BIND", "127.0.0.1:0"),
            ("BEARWARD_SERVER__WORKERS", "1"),
            ("BEARWARD_SERVER__TRUSTED_PROXIES", "127.0.0.1"),
        ];
        let variables = defaults
            .iter()
            .chain(variables)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let config = Config::load(&Sources::new(None, variables.collect::<Vec<_>>())).unwrap();
        let mut application = Application::start(&config, None).await.unwrap();
        application.wait_for_database().await.unwrap();
        application.auth().wait_for_initial_fetch().await;
        let (address, handle) = (application.address(), application.handle());
        actix_web::rt::spawn(application.run());
        Self {
            idp,
            address,
            client: client().build().unwrap(),
            handle,
        }
    }

    pub fn token(&self) -> TokenBuilder {
        self.idp.token().sub("ada")
    }

    pub async fn send(
        &self,
        method: Method,
        target: &str,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Response {
        send(with(
            self.client
                .request(method, format!("http://{}{target}", self.address)),
        ))
        .await
    }

    /// Sends an authorization request as a gateway does.
    pub async fn verify(&self, query: &str, token: &str) -> Response {
        self.send(
            Method::GET,
            &format!("/api/auth/verify{query}"),
            |request| request.bearer_auth(token),
        )
        .await
    }
}

impl Fixture {
    /// Returns `None` if the gateway is not installed.
    pub async fn start(gateway: Gateway) -> Option<Self> {
        gateway.program()?;
        Self::start_with(gateway, TestServer::start(&[]).await, |text| text)
    }

    /// Starts the gateway for this server, with a changed configuration.
    pub fn start_with(
        gateway: Gateway,
        server: TestServer,
        change: impl Fn(String) -> String,
    ) -> Option<Self> {
        let program = gateway.program()?;
        let backend = Backend::start();
        let gateway = gateway.start(&program, server.address, backend.address, change);
        Some(Self {
            server,
            backend,
            gateway,
        })
    }

    pub fn token(&self) -> TokenBuilder {
        self.server.token()
    }

    /// Returns the address of the gateway.
    pub fn address(&self) -> SocketAddr {
        self.gateway.address
    }

    pub async fn send(
        &self,
        method: Method,
        target: &str,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Response {
        send(with(self.server.client.request(
            method,
            format!("http://{}{target}", self.gateway.address),
        )))
        .await
    }

    /// Sends a request from another loopback address, which is not a trusted proxy, with an
    /// `X-Forwarded-For` header.
    #[cfg(target_os = "linux")]
    pub async fn get_from(&self, address: &str, claimed: &str, token: &str) -> Response {
        let client = client()
            .local_address(Some(address.parse().unwrap()))
            .build()
            .unwrap();
        let request = client
            .get(format!("http://{}/orders", self.gateway.address))
            .bearer_auth(token);
        send(request.header("x-forwarded-for", claimed)).await
    }

    /// Sends a request with this token.
    pub async fn get(&self, token: &str) -> Response {
        self.send(Method::GET, "/orders", |request| request.bearer_auth(token))
            .await
    }

    /// Sends a request head with these raw lines and returns the complete response.
    pub async fn send_raw(&self, lines: &[&str]) -> String {
        let head = [
            "GET /orders HTTP/1.1",
            "Host: gateway.example",
            "Connection: close",
        ]
        .iter()
        .chain(lines);
        let head: String = head.flat_map(|line| [line, "\r\n"]).collect();
        send_until_closed(self.gateway.address, format!("{head}\r\n")).await
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

fn client() -> reqwest::ClientBuilder {
    client_builder().redirect(reqwest::redirect::Policy::none())
}

/// The response of [`Backend`] through a gateway.
pub trait BackendResponse {
    /// Returns the headers that the backend received under names with this prefix, with any case
    /// and separators.
    fn backend_headers(&self, prefix: &str) -> Vec<(String, String)>;
}

impl BackendResponse for Response {
    fn backend_headers(&self, prefix: &str) -> Vec<(String, String)> {
        let headers: Vec<(String, String)> =
            serde_json::from_value(self.json()["headers"].clone()).unwrap();
        let folded = |name: &str| name.to_lowercase().replace(['_', '.'], "-");
        let mut matching: Vec<_> = headers
            .into_iter()
            .filter(|(name, _)| folded(name).starts_with(prefix))
            .collect();
        matching.sort();
        matching
    }
}
