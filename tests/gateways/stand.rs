//! A real bearward with its identity provider, a backend, and where a test asks for one a gateway
//! between them.

use std::{net::SocketAddr, time::Duration};

use bearward::Algorithm;
use bearward_server::{
    server::Application,
    settings::{Config, Sources},
};
use bearward_testing::{MockIdp, TokenBuilder};
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    backend::Backend,
    gateway::{Gateway, Running},
};

const PATIENCE: Duration = Duration::from_secs(60);

/// bearward and its identity provider.
pub struct Bearward {
    pub idp: MockIdp,
    pub address: SocketAddr,
    client: reqwest::Client,
    handle: actix_web::dev::ServerHandle,
}

/// The same behind a gateway, with a backend.
pub struct Stand {
    pub bearward: Bearward,
    pub backend: Backend,
    gateway: Running,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Bearward {
    pub async fn start(variables: &[(&str, &str)]) -> Self {
        let bearward =
            Self::start_with(MockIdp::start_with(Algorithm::ES256).await, variables).await;
        assert_eq!(
            bearward
                .send(Method::GET, "/readyz", |request| request)
                .await
                .status,
            200
        );
        bearward
    }

    /// With this identity provider, whose keys have been asked for once.
    pub async fn start_with(idp: MockIdp, variables: &[(&str, &str)]) -> Self {
        let base = idp.base();
        let own = [
            ("SUPABASE_URL", base.as_str()),
            ("BEARWARD_SERVER__BIND", "127.0.0.1:0"),
            ("BEARWARD_SERVER__WORKERS", "1"),
            ("BEARWARD_SERVER__TRUSTED_PROXIES", "127.0.0.1"),
        ];
        let variables = own
            .iter()
            .chain(variables)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let config = Config::load(&Sources::new(None, variables.collect::<Vec<_>>())).unwrap();
        let application = Application::start(&config, None).await.unwrap();
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
    ) -> Answer {
        send(with(
            self.client
                .request(method, format!("http://{}{target}", self.address)),
        ))
        .await
    }

    /// Asks the endpoint as a gateway does, with this token.
    pub async fn verify(&self, query: &str, token: &str) -> Answer {
        self.send(
            Method::GET,
            &format!("/api/auth/verify{query}"),
            |request| request.bearer_auth(token),
        )
        .await
    }
}

impl Stand {
    /// None where there is no such gateway.
    pub async fn start(gateway: Gateway) -> Option<Self> {
        gateway.program()?;
        Self::before(gateway, Bearward::start(&[]).await, |text| text)
    }

    /// Before this bearward, with the example changed so.
    pub fn before(
        gateway: Gateway,
        bearward: Bearward,
        change: impl Fn(String) -> String,
    ) -> Option<Self> {
        let program = gateway.program()?;
        let backend = Backend::start();
        let gateway = gateway.start(&program, bearward.address, backend.address, change);
        Some(Self {
            bearward,
            backend,
            gateway,
        })
    }

    pub fn token(&self) -> TokenBuilder {
        self.bearward.token()
    }

    pub async fn send(
        &self,
        method: Method,
        target: &str,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Answer {
        send(with(self.bearward.client.request(
            method,
            format!("http://{}{target}", self.gateway.address),
        )))
        .await
    }

    /// A request with this token from another address of this machine, which no gateway is trusted
    /// at, and which claims to be anywhere.
    #[cfg(target_os = "linux")]
    pub async fn get_from(&self, address: &str, claimed: &str, token: &str) -> Answer {
        let client = client()
            .local_address(Some(address.parse().unwrap()))
            .build()
            .unwrap();
        let request = client
            .get(format!("http://{}/orders", self.gateway.address))
            .bearer_auth(token);
        send(request.header("x-forwarded-for", claimed)).await
    }

    /// A request with this token.
    pub async fn get(&self, token: &str) -> Answer {
        self.send(Method::GET, "/orders", |request| request.bearer_auth(token))
            .await
    }

    /// A head that no client would write, line by line, and everything that comes back.
    pub async fn write(&self, lines: &[&str]) -> String {
        let head = [
            "GET /orders HTTP/1.1",
            "Host: gateway.example",
            "Connection: close",
        ]
        .iter()
        .chain(lines);
        let head: String = head.flat_map(|line| [line, "\r\n"]).collect();
        let mut stream = TcpStream::connect(self.gateway.address).await.unwrap();
        stream
            .write_all(format!("{head}\r\n").as_bytes())
            .await
            .unwrap();
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer))
            .await
            .expect("an answer in time")
            .unwrap();
        answer
    }
}

impl Drop for Bearward {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

fn client() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
}

async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer {
        status,
        headers,
        body: response.text().await.unwrap(),
    }
}

impl Answer {
    /// The one value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self
            .headers
            .get_all(name)
            .iter()
            .map(|value| value.to_str().unwrap());
        let first = values.next();
        assert_eq!(values.next(), None, "{name} once: {self:?}");
        first
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// The status and the envelope's code.
    pub fn refusal(&self) -> (u16, String) {
        (
            self.status,
            self.json()["error"]["code"].as_str().unwrap().to_owned(),
        )
    }

    /// What the backend was sent under names that begin so, however they are written.
    pub fn backend_got(&self, beginning: &str) -> Vec<(String, String)> {
        let headers: Vec<(String, String)> =
            serde_json::from_value(self.json()["headers"].clone()).unwrap();
        let folded = |name: &str| name.to_lowercase().replace(['_', '.'], "-");
        let mut got: Vec<_> = headers
            .into_iter()
            .filter(|(name, _)| folded(name).starts_with(beginning))
            .collect();
        got.sort();
        got
    }
}
