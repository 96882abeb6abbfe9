//! The fetch over HTTP: TLS, no redirects, no cookies, bounded in time and bytes.

use std::{error::Error as _, path::PathBuf, sync::Arc, time::Duration};

use reqwest::{
    Certificate, Client, NoProxy, Proxy, Response, StatusCode,
    header::{ACCEPT, CONTENT_ENCODING, ETAG, HeaderValue, IF_NONE_MATCH},
    redirect,
};
use url::Url;

use super::{
    JwksCacheConfig,
    fetch::{Failure, Fetch, FetchError, FetchRequest, Fetched, Fetching},
    freshness,
};
use crate::clock::Clock;

/// Longer than a discovery document and its key set are apart, shorter than any two attempts: a
/// connection that the server has closed in the meantime is never used again.
const IDLE_CONNECTION: Duration = Duration::from_secs(10);

/// A longer one is not worth sending back.
const LONGEST_ETAG: usize = 512;

/// Fetches over HTTP/1.1 or HTTP/2 with rustls, aws-lc-rs and the machine's certificate
/// authorities.
///
/// A connection that fails and a 5xx are tried once more at once, within the same time limit,
/// unless the server sent `Retry-After`. Not checked here: the address (that is done when a key set
/// is built) and what the document says.
#[derive(Debug, Clone)]
pub struct HttpFetch {
    client: Client,
    timeout: Duration,
    max_bytes: usize,
    clock: Arc<dyn Clock>,
}

impl HttpFetch {
    /// One client for all issuers of this policy. The clock is asked only for the meaning of a
    /// `Retry-After` date.
    ///
    /// # Errors
    /// [`HttpFetchError`]: `ca_file` cannot be read or holds no certificate, the proxy's address cannot be used, or TLS cannot start
    /// (usually because a slim image has no certificate authorities).
    pub fn new(policy: &JwksCacheConfig, clock: Arc<dyn Clock>) -> Result<Self, HttpFetchError> {
        let mut builder = Client::builder()
            .user_agent(concat!("bearward/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .retry(reqwest::retry::never())
            .pool_idle_timeout(IDLE_CONNECTION)
            .connect_timeout(policy.connect_timeout);
        if let Some(path) = &policy.ca_file {
            builder = builder.tls_certs_merge(authorities(path)?);
        }
        if let Some(address) = &policy.proxy {
            let proxy =
                Proxy::all(address.clone()).map_err(|error| HttpFetchError::Proxy(chain(error)))?;
            builder =
                builder.proxy(proxy.no_proxy(NoProxy::from_string("localhost,127.0.0.0/8,::1")));
        }
        let client = builder
            .build()
            .map_err(|error| HttpFetchError::Tls(chain(error)))?;
        Ok(Self {
            client,
            timeout: policy.timeout,
            max_bytes: policy.max_bytes,
            clock,
        })
    }

    async fn fetch_with_retry(&self, request: &FetchRequest) -> Result<Fetched, FetchError> {
        match self.fetch_once(request).await {
            Err((error, Retry::Yes)) if error.retry_after.is_none() => {
                self.fetch_once(request).await.map_err(|(error, _)| error)
            }
            outcome => outcome.map_err(|(error, _)| error),
        }
    }

    async fn fetch_once(&self, request: &FetchRequest) -> Result<Fetched, (FetchError, Retry)> {
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
        let response = get.send().await.map_err(broken)?;
        let status = response.status();
        let failed = |failure, detail: String, again| {
            let retry_after = freshness::retry_after(response.headers(), self.clock.now());
            Err((
                FetchError {
                    failure,
                    detail,
                    retry_after,
                },
                again,
            ))
        };
        match status {
            StatusCode::OK if is_encoded(&response) => failed(
                Failure::Encoded,
                "has a Content-Encoding".to_owned(),
                Retry::No,
            ),
            StatusCode::OK => self
                .read(response)
                .await
                .map_err(|error| (error, Retry::No)),
            StatusCode::NOT_MODIFIED if etag.is_some() => {
                let (lifetime, server_time) = (
                    freshness::lifetime(response.headers()),
                    freshness::server_time(response.headers()),
                );
                Ok(Fetched::NotModified {
                    lifetime,
                    server_time,
                })
            }
            _ if status.is_redirection() && status != StatusCode::NOT_MODIFIED => failed(
                Failure::Redirect,
                format!("answered {status}; redirects are not followed"),
                Retry::No,
            ),
            _ if status.is_server_error() => {
                failed(Failure::Status, format!("answered {status}"), Retry::Yes)
            }
            _ => failed(Failure::Status, format!("answered {status}"), Retry::No),
        }
    }

    /// Stops reading at the cap, whatever `Content-Length` says.
    async fn read(&self, mut response: Response) -> Result<Fetched, FetchError> {
        let too_large = || {
            FetchError::new(
                Failure::TooLarge,
                format!("is larger than {} bytes", self.max_bytes),
            )
        };
        let announced = response.content_length().unwrap_or(0);
        if usize::try_from(announced).map_or(true, |announced| announced > self.max_bytes) {
            return Err(too_large());
        }
        let etag = response
            .headers()
            .get(ETAG)
            .and_then(|etag| etag.to_str().ok())
            .map(str::to_owned);
        let (lifetime, server_time) = (
            freshness::lifetime(response.headers()),
            freshness::server_time(response.headers()),
        );
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| broken(error).0)? {
            if body.len() + chunk.len() > self.max_bytes {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Fetched::Document {
            body,
            etag: etag.filter(|etag| etag.len() <= LONGEST_ETAG),
            lifetime,
            server_time,
        })
    }
}

impl Fetch for HttpFetch {
    fn fetch(&self, request: FetchRequest) -> Fetching {
        let fetch = self.clone();
        Box::pin(async move {
            let late = || {
                FetchError::new(
                    Failure::Timeout,
                    format!("gave no whole answer within {:?}", fetch.timeout),
                )
            };
            let outcome =
                tokio::time::timeout(fetch.timeout, fetch.fetch_with_retry(&request)).await;
            outcome
                .unwrap_or_else(|_| Err(late()))
                .map_err(|mut error| {
                    error.detail = format!("GET {} {}", shown(&request.url), error.detail);
                    error
                })
        })
    }
}

/// Whether the quick retry may help.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Retry {
    Yes,
    No,
}

fn broken(error: reqwest::Error) -> (FetchError, Retry) {
    let (failure, verb, again) = match () {
        () if error.is_connect() => (Failure::Connect, "could not connect", Retry::Yes),
        () if error.is_timeout() => (Failure::Timeout, "timed out", Retry::No),
        () => (Failure::Interrupted, "broke off", Retry::No),
    };
    (
        FetchError::new(failure, format!("{verb}: {}", chain(error))),
        again,
    )
}

fn is_encoded(response: &Response) -> bool {
    response
        .headers()
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// The address without its query, which may hold something secret.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.into()
}

/// The innermost cause is the one that helps ("`UnknownIssuer`", "Connection refused"), and reqwest
/// does not print it.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn authorities(path: &PathBuf) -> Result<Vec<Certificate>, HttpFetchError> {
    let pem = std::fs::read(path).map_err(|error| HttpFetchError::CaFile {
        path: path.clone(),
        problem: error.to_string(),
    })?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(HttpFetchError::CaFile {
            path: path.clone(),
            problem: "holds no PEM certificate".to_owned(),
        }),
        Err(error) => Err(HttpFetchError::CaFile {
            path: path.clone(),
            problem: chain(error),
        }),
    }
}

/// Why keys cannot be fetched over HTTP at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpFetchError {
    /// `ca_file` cannot be used.
    #[error("ca_file {}: {problem}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// `proxy` cannot be used.
    #[error("proxy: {0}")]
    Proxy(String),
    /// TLS cannot start.
    #[error(
        "TLS cannot start: {0}; an image without certificate authorities needs the ca-certificates package or ca_file"
    )]
    Tls(String),
}
