//! Fetching over HTTP: TLS, no redirects, no cookies, limited in time and size.

use std::{
    error::Error,
    io, iter,
    net::ToSocketAddrs as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bearward_http::{
    ReadBodyError, client_builder, client_error_chain, headers::parse_retry_after, read_body,
};
use reqwest::{
    Certificate, Client, NoProxy, Proxy, Response, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{ACCEPT, CONTENT_ENCODING, ETAG, HeaderValue, IF_NONE_MATCH, LOCATION},
};
use url::Url;

use super::{
    JwksCacheConfig,
    fetch::{Fetch, FetchFuture, FetchRequest, FetchResponse},
    fetch_error::{FetchError, FetchErrorKind},
    freshness,
    redact::redact_url,
};
use crate::{clock::Clock, error::SanitizedText};

/// Long enough to reuse the connection of the discovery document for the key set, and shorter than
/// the pause between two attempts, so that a connection that the server has closed is not reused.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest `ETag` that is sent back, in bytes; longer ones are ignored.
const MAX_ETAG: usize = 512;

/// Fetches over HTTP/1.1 or HTTP/2 with rustls, aws-lc-rs and the system's certificate authorities.
///
/// A connection failure or a 5xx is retried once, immediately and within the same time limit, unless
/// the server sent `Retry-After`.
///
/// # Security
/// The URL is not checked here (that happens when the key set is built), and neither is the
/// document.
#[derive(Debug, Clone)]
pub struct HttpFetch {
    client: Client,
    timeout: Duration,
    max_bytes: usize,
    clock: Arc<dyn Clock>,
}

impl HttpFetch {
    /// Creates the client for all issuers with this configuration. The clock is used only to
    /// interpret a `Retry-After` date.
    ///
    /// # Errors
    /// [`HttpFetchError`]: `ca_file` cannot be read or contains no certificate, the proxy URL
    /// cannot be used, or TLS cannot be initialized (usually because the container image has no
    /// certificate authorities).
    pub fn new(config: &JwksCacheConfig, clock: Arc<dyn Clock>) -> Result<Self, HttpFetchError> {
        let mut builder = client_builder(concat!("bearward/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(SystemResolver))
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .connect_timeout(config.connect_timeout);
        if let Some(path) = &config.ca_file {
            builder = builder.tls_certs_merge(read_certificates(path)?);
        }
        if let Some(url) = &config.proxy {
            let proxy = Proxy::all(url.clone())
                .map_err(|error| HttpFetchError::Proxy(client_error_chain(error)))?;
            builder =
                builder.proxy(proxy.no_proxy(NoProxy::from_string("localhost,127.0.0.0/8,::1")));
        }
        let client = builder
            .build()
            .map_err(|error| HttpFetchError::Tls(client_error_chain(error)))?;
        Ok(Self {
            client,
            timeout: config.timeout,
            max_bytes: config.max_bytes,
            clock,
        })
    }

    async fn fetch_with_retry(&self, request: &FetchRequest) -> Result<FetchResponse, FetchError> {
        match self.fetch_once(request).await {
            Err((error, Retry::Yes)) if error.retry_after.is_none() => {
                self.fetch_once(request).await.map_err(|(error, _)| error)
            }
            outcome => outcome.map_err(|(error, _)| error),
        }
    }

    async fn fetch_once(
        &self,
        request: &FetchRequest,
    ) -> Result<FetchResponse, (FetchError, Retry)> {
        let etag = request
            .etag
            .as_deref()
            .and_then(|etag| HeaderValue::from_str(etag).ok());
        let mut get = self
            .client
            .get(request.url.clone())
            .header(ACCEPT, "application/jwk-set+json, application/json");
        if let Some(etag) = &etag {
            get = get.header(IF_NONE_MATCH, etag);
        }
        for (name, value) in request.headers.fields() {
            get = get.header(name, value);
        }
        let response = get.send().await.map_err(map_transport_error)?;
        let status = response.status();
        let fail = |kind, message: String, retry| {
            let retry_after = parse_retry_after(response.headers(), self.clock.now().into());
            let error = FetchError::new(kind, message).with_retry_after(retry_after);
            Err((error, retry))
        };
        match status {
            StatusCode::OK if is_encoded(&response) => fail(
                FetchErrorKind::ContentEncoding,
                "the response has a Content-Encoding, which was not requested".to_owned(),
                Retry::No,
            ),
            StatusCode::OK => self
                .read_document(response)
                .await
                .map_err(|error| (error, Retry::No)),
            StatusCode::NOT_MODIFIED if etag.is_some() => Ok(FetchResponse::NotModified {
                freshness: freshness::freshness(response.headers()),
                server_time: freshness::server_time(response.headers()),
            }),
            _ if status.is_redirection() && status != StatusCode::NOT_MODIFIED => {
                let location = redirect_target(&response, &request.url);
                let target = location
                    .as_ref()
                    .map(|location| format!(" (Location: {location})"))
                    .unwrap_or_default();
                fail(
                    FetchErrorKind::Redirect {
                        location,
                        is_permanent: matches!(
                            status,
                            StatusCode::MOVED_PERMANENTLY | StatusCode::PERMANENT_REDIRECT
                        ),
                    },
                    format!("the server answered {status}{target}; redirects are not followed"),
                    Retry::No,
                )
            }
            _ => fail(
                FetchErrorKind::Status(status.as_u16()),
                format!("the server answered {status}"),
                if status.is_server_error() {
                    Retry::Yes
                } else {
                    Retry::No
                },
            ),
        }
    }

    async fn read_document(&self, response: Response) -> Result<FetchResponse, FetchError> {
        let headers = response.headers();
        let etag = headers
            .get(ETAG)
            .and_then(|etag| etag.to_str().ok())
            .filter(|etag| etag.len() <= MAX_ETAG)
            .map(str::to_owned);
        let freshness = freshness::freshness(headers);
        let server_time = freshness::server_time(headers);
        let body = read_body(response, self.max_bytes)
            .await
            .map_err(|error| match error {
                ReadBodyError::TooLarge => FetchError::new(
                    FetchErrorKind::TooLarge,
                    format!("the document is larger than {} bytes", self.max_bytes),
                ),
                ReadBodyError::Http(error) => map_transport_error(error).0,
            })?;
        Ok(FetchResponse::Document {
            body,
            etag,
            freshness,
            server_time,
        })
    }
}

impl Fetch for HttpFetch {
    fn fetch(&self, request: FetchRequest) -> FetchFuture {
        let fetch = self.clone();
        Box::pin(async move {
            tokio::time::timeout(fetch.timeout, fetch.fetch_with_retry(&request))
                .await
                .unwrap_or_else(|_| {
                    Err(FetchError::new(
                        FetchErrorKind::Timeout,
                        format!("no complete response within {:?}", fetch.timeout),
                    ))
                })
                .map_err(|mut error| {
                    error.message = format!("GET {}: {}", redact_url(&request.url), error.message);
                    error
                })
        })
    }
}

/// Whether an immediate retry may help.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Retry {
    Yes,
    No,
}

fn map_transport_error(error: reqwest::Error) -> (FetchError, Retry) {
    let (kind, description, retry) = if error.is_connect() {
        (connect_error_kind(&error), "could not connect", Retry::Yes)
    } else if error.is_timeout() {
        (FetchErrorKind::Timeout, "timed out", Retry::No)
    } else {
        (
            FetchErrorKind::Interrupted,
            "the response was interrupted",
            Retry::No,
        )
    };
    let message = format!("{description}: {}", client_error_chain(error));
    (FetchError::new(kind, message), retry)
}

/// Finds the cause of a failed connection by the types of the error's sources.
fn connect_error_kind(error: &reqwest::Error) -> FetchErrorKind {
    if error.is_timeout() {
        return FetchErrorKind::ConnectTimeout;
    }
    for cause in iter::successors(error.source(), |&cause| cause.source()) {
        if cause.is::<NameResolutionError>() {
            return FetchErrorKind::NameResolution;
        }
        match cause.downcast_ref::<io::Error>().map(innermost_kind) {
            Some(io::ErrorKind::ConnectionRefused) => return FetchErrorKind::ConnectionRefused,
            // rustls reports protocol and certificate errors with this kind.
            Some(io::ErrorKind::InvalidData) => return FetchErrorKind::Tls,
            _ => {}
        }
    }
    FetchErrorKind::Connect
}

/// Returns the kind of the innermost I/O error: libraries wrap one I/O error in another, and `source`
/// skips the wrapped one.
fn innermost_kind(error: &io::Error) -> io::ErrorKind {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<io::Error>());
    inner.map_or_else(|| error.kind(), innermost_kind)
}

/// The system's resolver, like reqwest's default, but with an error type that can be recognized.
#[derive(Debug)]
struct SystemResolver;

#[derive(Debug, thiserror::Error)]
#[error("the host name cannot be resolved")]
struct NameResolutionError(#[source] io::Error);

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The port is replaced by the port of the URL.
            let lookup = tokio::task::spawn_blocking(move || (name.as_str(), 0).to_socket_addrs());
            let addresses = lookup.await?.map_err(NameResolutionError)?;
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

/// Returns the absolute URL in `Location`, without anything that may be secret.
fn redirect_target(response: &Response, url: &Url) -> Option<String> {
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    let target = redact_url(&url.join(location).ok()?);
    Some(SanitizedText::new(&target).to_string())
}

fn is_encoded(response: &Response) -> bool {
    response
        .headers()
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate>, HttpFetchError> {
    let fail = |problem| HttpFetchError::CaFile {
        path: path.to_owned(),
        problem,
    };
    let pem = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
    let certificates =
        Certificate::from_pem_bundle(&pem).map_err(|error| fail(client_error_chain(error)))?;
    if certificates.is_empty() {
        return Err(fail("contains no PEM certificate".to_owned()));
    }
    Ok(certificates)
}

/// Why the HTTP client cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpFetchError {
    /// `ca_file` cannot be used.
    #[error("ca_file {}: {problem}", path.display())]
    CaFile {
        /// The path of the file.
        path: PathBuf,
        /// The reason.
        problem: String,
    },
    /// `proxy` cannot be used.
    #[error("proxy: {0}")]
    Proxy(String),
    /// TLS cannot be initialized.
    #[error(
        "TLS cannot be initialized: {0}; if the container image has no certificate authorities, install the ca-certificates package or set ca_file"
    )]
    Tls(String),
}
