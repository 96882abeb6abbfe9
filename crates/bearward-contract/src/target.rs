//! HTTP client for the target: sends one request and returns the response or the error.

use std::{
    borrow::Cow,
    error::Error as _,
    io,
    net::IpAddr,
    path::Path,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bearward_http::{client_builder, read_prefix};
use reqwest::{
    Certificate, Client, ClientBuilder, Identity, Method, RequestBuilder,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use url::Url;

use super::{
    client_certificate::{Presented, read, read_identity},
    options::Options,
    profile::Profile,
};

/// A request to the target.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) headers: Vec<(Cow<'static, str>, Vec<u8>)>,
    pub(super) query: Option<String>,
    /// The JSON body.
    pub(super) body: Option<&'static str>,
    /// The certificate that the client presents, if it presents one to the TLS listener.
    pub(super) presented: Presented,
    /// Whether the request is sent as it is, whatever the profile is.
    plain: bool,
}

/// The headers of a request with a JSON body. Servers of the Model Context Protocol require both
/// media types (MCP 2025-06-18, Streamable HTTP).
pub(super) const BODY_HEADERS: [(&str, &str); 2] = [
    ("content-type", "application/json"),
    ("accept", "application/json, text/event-stream"),
];

impl Request {
    /// Creates a GET request without credentials.
    pub(super) fn bare() -> Self {
        Self {
            method: Method::GET,
            headers: Vec::new(),
            query: None,
            body: None,
            presented: Presented::Own,
            plain: false,
        }
    }

    /// Creates a GET request with a bearer token.
    pub(super) fn bearer(token: &str) -> Self {
        Self::bare().authorization(format!("Bearer {token}"))
    }

    /// Adds an Authorization header.
    pub(super) fn authorization(self, value: impl Into<Vec<u8>>) -> Self {
        self.header("authorization", value)
    }

    pub(super) fn header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Vec<u8>>,
    ) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(super) fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Sends the request as it is, and not as a message of the profile.
    pub(super) fn plain(mut self) -> Self {
        self.plain = true;
        self
    }

    pub(super) fn query(mut self, query: impl Into<String>) -> Self {
        self.query = Some(query.into());
        self
    }

    /// Presents this certificate to the TLS listener of the target.
    pub(super) fn presenting(mut self, presented: Presented) -> Self {
        self.presented = presented;
        self
    }

    /// Returns the request that is sent for it to a target of this profile.
    ///
    /// Servers of the Model Context Protocol respond to GET with 405, or with a stream that does
    /// not end, so that a GET request becomes an `initialize` message.
    pub(super) fn for_profile(&self, profile: Profile) -> Self {
        let mut request = self.clone();
        if profile == Profile::Mcp && request.method == Method::GET && !request.plain {
            request.method = profile.method();
            request.body = Some(INITIALIZE);
        }
        request
    }

    /// Returns the URL of the target with the query of this request.
    pub(super) fn url(&self, target: &Url) -> Url {
        let mut url = target.clone();
        if let Some(query) = &self.query {
            url.query_pairs_mut()
                .extend_pairs(url::form_urlencoded::parse(query.as_bytes()));
        }
        url
    }
}

/// The response of the target.
#[derive(Debug, Clone)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) duration: Duration,
}

/// Why there is no response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RequestError {
    /// The target does not accept connections.
    Connect(String),
    /// The connection ended early, or the response is not HTTP.
    Disconnected(String),
    /// The target does not accept the certificate that the client presents, or that it presents none:
    /// the handshake failed, or the connection ended.
    CertificateRefused(String),
    /// The timeout expired.
    TimedOut(Duration),
}

/// The protected URL of the target.
#[derive(Debug)]
pub(super) struct Target {
    url: Url,
    client: Client,
    /// The clients that do not present the certificate that tokens are bound to.
    other_clients: Vec<(Presented, Client)>,
    timeout: Duration,
    profile: Profile,
    rate_limited: AtomicUsize,
    /// The `Server` and `X-Powered-By` headers of the first response.
    software: OnceLock<String>,
    /// Waiting did not help before, so 429 is not retried until the target responds otherwise.
    always_rate_limited: AtomicBool,
}

/// The maximum number of body bytes to read.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The first message of a client (MCP 2025-06-18, Lifecycle).
const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"bearward-contract","version":"1"}}}"#;

/// How often a request is repeated after 429.
const RATE_LIMIT_RETRIES: usize = 6;

impl Target {
    /// Creates the clients of the target.
    ///
    /// # Errors
    /// Returns a message for the user if the URL or a file of the options cannot be used.
    pub(super) fn new(url: &str, options: &Options) -> Result<Self, String> {
        let url = Url::parse(url)
            .map_err(|_| format!("{url:?} is not a URL; expected http://HOST:PORT/PATH"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(format!(
                "{url} is not an HTTP URL; expected http://HOST:PORT/PATH"
            ));
        }
        let timeout = options.request_timeout;
        let authorities = options
            .target_ca
            .as_deref()
            .map(read_authorities)
            .transpose()?;
        let build = |presented| -> Result<Client, String> {
            let mut builder = builder(timeout);
            if let Some(authorities) = &authorities {
                builder = builder.tls_certs_only(authorities.clone());
            }
            if let Some(folder) = &options.client_certificates
                && let Some(identity) = identity(folder, presented)?
            {
                builder = builder.identity(identity);
            }
            builder.build().map_err(|error| root_cause(&error))
        };
        let mut other_clients = Vec::new();
        if options.client_certificates.is_some() {
            if url.scheme() != "https" {
                return Err(format!(
                    "--client-certificates requires an https target; {url} is not encrypted"
                ));
            }
            for presented in Presented::OTHERS {
                other_clients.push((presented, build(presented)?));
            }
        }
        Ok(Self {
            client: build(Presented::Own)?,
            other_clients,
            url,
            timeout,
            profile: options.profile,
            rate_limited: AtomicUsize::new(0),
            software: OnceLock::new(),
            always_rate_limited: AtomicBool::new(false),
        })
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the request that is sent for it.
    pub(super) fn prepare(&self, request: &Request) -> Request {
        request.for_profile(self.profile)
    }

    /// Returns the software that the first response names.
    pub(super) fn software(&self) -> &str {
        self.software.get().map_or("", String::as_str)
    }

    /// Returns how often the suite waited because of 429.
    pub(super) fn rate_limited(&self) -> usize {
        self.rate_limited.load(Ordering::SeqCst)
    }

    /// Sends a request. Waits and repeats it after 429, which says nothing about the token.
    pub(super) async fn send(&self, request: &Request) -> Result<Response, RequestError> {
        let mut response = self.send_within(request, self.timeout).await?;
        let retries = if self.always_rate_limited.load(Ordering::SeqCst) {
            0
        } else {
            RATE_LIMIT_RETRIES
        };
        for _ in 0..retries {
            if response.status != 429 {
                break;
            }
            self.rate_limited.fetch_add(1, Ordering::SeqCst);
            let delay = response
                .headers
                .get("retry-after")
                .and_then(|value| value.to_str().ok()?.parse().ok());
            tokio::time::sleep(
                Duration::from_secs(delay.unwrap_or(1)).min(Duration::from_secs(15)),
            )
            .await;
            response = self.send_within(request, self.timeout).await?;
        }
        self.always_rate_limited
            .store(response.status == 429, Ordering::SeqCst);
        Ok(response)
    }

    /// Sends a request with its own timeout, without repeating it after 429.
    pub(super) async fn send_within(
        &self,
        request: &Request,
        timeout: Duration,
    ) -> Result<Response, RequestError> {
        let response = match self.send_once(request, timeout).await {
            // The target may close a kept-alive connection at any time.
            Err(RequestError::Disconnected(_)) => self.send_once(request, timeout).await,
            response => response,
        };
        match response {
            Err(RequestError::Connect(error) | RequestError::Disconnected(error))
                if self.other_client(request.presented).is_some() =>
            {
                Err(RequestError::CertificateRefused(error))
            }
            response => response,
        }
    }

    /// Returns the client that presents something else than the certificate that tokens are bound
    /// to.
    fn other_client(&self, presented: Presented) -> Option<&Client> {
        let found = self
            .other_clients
            .iter()
            .find(|(known, _)| *known == presented);
        found.map(|(_, client)| client)
    }

    /// Sends a GET request without a token to another URL of the target.
    pub(super) async fn get(
        &self,
        url: &Url,
        origin: Option<&str>,
    ) -> Result<Response, RequestError> {
        let mut headers = HeaderMap::new();
        if let Some(origin) = origin.and_then(|origin| HeaderValue::from_str(origin).ok()) {
            headers.insert("origin", origin);
        }
        self.exchange(Method::GET, url.clone(), headers, self.timeout)
            .await
    }

    /// Sends a request from another address of this machine.
    ///
    /// # Errors
    /// As for other requests; [`RequestError::Connect`] also if the address is not available.
    pub(super) async fn send_from(
        &self,
        address: IpAddr,
        request: &Request,
    ) -> Result<Response, RequestError> {
        let client = builder(self.timeout).local_address(address).build();
        let client = client.map_err(|error| RequestError::Connect(root_cause(&error)))?;
        self.send_with(&client, request, self.timeout).await
    }

    async fn send_once(
        &self,
        request: &Request,
        timeout: Duration,
    ) -> Result<Response, RequestError> {
        let client = self.other_client(request.presented);
        self.send_with(client.unwrap_or(&self.client), request, timeout)
            .await
    }

    async fn send_with(
        &self,
        client: &Client,
        request: &Request,
        timeout: Duration,
    ) -> Result<Response, RequestError> {
        let request = &self.prepare(request);
        let url = request.url(&self.url);
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let value = HeaderValue::from_bytes(value)
                .map_err(|error| RequestError::Disconnected(error.to_string()))?;
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|error| RequestError::Disconnected(error.to_string()))?;
            headers.append(name, value);
        }
        let mut builder = client.request(request.method.clone(), url);
        if let Some(body) = request.body {
            for (name, value) in BODY_HEADERS {
                builder = builder.header(name, value);
            }
            builder = builder.body(body);
        }
        self.receive(builder.headers(headers), timeout).await
    }

    async fn exchange(
        &self,
        method: Method,
        url: Url,
        headers: HeaderMap,
        timeout: Duration,
    ) -> Result<Response, RequestError> {
        let builder = self.client.request(method, url).headers(headers);
        self.receive(builder, timeout).await
    }

    async fn receive(
        &self,
        builder: RequestBuilder,
        timeout: Duration,
    ) -> Result<Response, RequestError> {
        let started_at = Instant::now();
        let send = builder.timeout(timeout).send();
        let mut reply = send.await.map_err(|error| map_error(&error, timeout))?;
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        self.software.get_or_init(|| {
            let named = ["server", "x-powered-by"].map(|name| {
                let value = headers.get(name);
                value.map_or("", |value| value.to_str().unwrap_or_default())
            });
            named.join(" ")
        });
        let mut body = Vec::new();
        read_prefix(&mut reply, MAX_BODY_BYTES, &mut body)
            .await
            .map_err(|error| map_error(&error, timeout))?;
        Ok(Response {
            status,
            headers,
            body,
            duration: started_at.elapsed(),
        })
    }
}

impl Response {
    pub(super) fn is_accepted(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the target cannot look up a key at present: 503 with `Retry-After`.
    pub(super) fn is_key_unavailable(&self) -> bool {
        self.status == 503 && self.headers.contains_key("retry-after")
    }

    /// Returns the status code and its reason phrase.
    pub(super) fn describe(&self) -> String {
        let reason = reqwest::StatusCode::from_u16(self.status)
            .ok()
            .and_then(|status| status.canonical_reason());
        format!("{} {}", self.status, reason.unwrap_or(""))
            .trim_end()
            .to_owned()
    }
}

impl RequestError {
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Connect(error) => format!("no connection: {error}"),
            Self::Disconnected(error) => format!("the connection ended early: {error}"),
            Self::CertificateRefused(error) => format!("the client was refused: {error}"),
            Self::TimedOut(limit) => format!("no response within {} s", limit.as_secs_f32()),
        }
    }
}

fn builder(timeout: Duration) -> ClientBuilder {
    client_builder(concat!("bearward-contract/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(timeout)
}

/// Reads the authorities that the certificate of the target is verified with.
fn read_authorities(file: &Path) -> Result<Vec<Certificate>, String> {
    let authorities = read(file).and_then(|pem| {
        Certificate::from_pem_bundle(&pem)
            .ok()
            .filter(|authorities| !authorities.is_empty())
            .ok_or_else(|| io::Error::other(format!("{}: no certificate in PEM", file.display())))
    });
    authorities.map_err(|error| format!("--target-ca {error}"))
}

/// Reads the certificate and the key that the client presents.
fn identity(folder: &Path, presented: Presented) -> Result<Option<Identity>, String> {
    let pem = read_identity(folder, presented)
        .map_err(|error| format!("--client-certificates {error}"))?;
    pem.map(|pem| {
        Identity::from_pem(&pem).map_err(|error| {
            let (folder, cause) = (folder.display(), root_cause(&error));
            format!("--client-certificates {folder}: {cause}; remove the folder to create new ones")
        })
    })
    .transpose()
}

fn map_error(error: &reqwest::Error, timeout: Duration) -> RequestError {
    if error.is_connect() {
        RequestError::Connect(root_cause(error))
    } else if error.is_timeout() {
        RequestError::TimedOut(timeout)
    } else {
        RequestError::Disconnected(root_cause(error))
    }
}

/// Returns the innermost cause, which reqwest does not print.
fn root_cause(error: &reqwest::Error) -> String {
    let mut source = error.source();
    let mut text = "the request failed".to_owned();
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    text
}
