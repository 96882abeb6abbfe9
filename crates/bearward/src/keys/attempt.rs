//! One attempt: find the JWKS URL, fetch the document and parse it.

use std::sync::Arc;

use url::Url;

use super::{
    JwksCacheConfig, RemoteJwks,
    credentials::{FetchCredentials, FetchHeaders},
    discovery::{self, DiscoveryError},
    endpoint::{self, UrlError},
    fetch::{Fetch, FetchRequest, FetchResponse},
    fetch_error::{FetchError, FetchErrorKind},
    freshness::Freshness,
    jwk::IgnoredKey,
    jwks::{JwksError, ParsedJwks},
    redact::redact_url,
    snapshot::CacheValidator,
};
use crate::{algorithm::Algorithm, clock::Timestamp};

/// Where a JWKS is fetched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JwksLocation {
    /// The `jwks_uri` in the issuer's metadata, which is at one of the well-known URLs of OpenID
    /// Connect Discovery §4.1 and RFC 8414 §3.1.
    Discovery,
    /// The `jwks_uri` in the issuer's metadata at this URL.
    DiscoveryUrl(Url),
    /// This URL.
    Url(Url),
}

/// The immutable inputs of every attempt.
#[derive(Debug)]
pub(super) struct JwksSource {
    issuer: String,
    /// The URL of the JWKS, or of the metadata document that is tried first.
    configured_url: Url,
    /// The URLs of the metadata documents, in the order in which they are tried. Empty if the URL of
    /// the JWKS is configured.
    metadata_urls: Vec<Url>,
    algorithms: Vec<Algorithm>,
    credentials: Arc<FetchCredentials>,
    max_bytes: usize,
    max_keys: usize,
    allow_http: bool,
    fetch: Arc<dyn Fetch>,
}

/// A successful attempt.
#[derive(Debug)]
pub(super) struct FetchedJwks {
    pub(super) url: Url,
    pub(super) freshness: Freshness,
    pub(super) server_time: Option<Timestamp>,
    /// `None` for a 304.
    pub(super) keys: Option<FetchedKeys>,
}

/// A document with at least one usable key.
#[derive(Debug)]
pub(super) struct FetchedKeys {
    pub(super) document: Vec<u8>,
    pub(super) keys: ParsedJwks,
    pub(super) ignored: Vec<IgnoredKey>,
    pub(super) etag: Option<String>,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AttemptOutcome {
    Updated,
    /// 200 with the same keys.
    Unchanged,
    NotModified,
    /// With the metric label of the failure.
    Failed(&'static str),
}

impl AttemptOutcome {
    /// The metric labels of all outcomes.
    pub(super) fn labels() -> impl Iterator<Item = &'static str> {
        [Self::Updated, Self::Unchanged, Self::NotModified]
            .map(Self::label)
            .into_iter()
            .chain(FetchErrorKind::METRIC_LABELS)
    }

    /// The label in metrics and logs.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::NotModified => "not_modified",
            Self::Failed(label) => label,
        }
    }
}

impl JwksSource {
    /// # Errors
    /// The URL is not allowed, see [`endpoint`].
    pub(super) fn new(
        jwks: RemoteJwks,
        config: &JwksCacheConfig,
        fetch: Arc<dyn Fetch>,
    ) -> Result<Self, UrlError> {
        let (configured_url, metadata_urls) = match jwks.location {
            JwksLocation::Url(url) => (url, Vec::new()),
            JwksLocation::DiscoveryUrl(url) => (url.clone(), vec![url]),
            JwksLocation::Discovery => {
                let urls = discovery::document_urls(&jwks.issuer, config.allow_http)?;
                (urls.first().ok_or(UrlError::NotAUrl)?.clone(), urls)
            }
        };
        endpoint::check(&configured_url, config.allow_http)?;
        Ok(Self {
            issuer: jwks.issuer,
            configured_url,
            metadata_urls,
            algorithms: jwks.algorithms,
            credentials: Arc::new(jwks.credentials),
            max_bytes: config.max_bytes,
            max_keys: config.max_keys,
            allow_http: config.allow_http,
            fetch,
        })
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the URL in the configuration: of the JWKS or of the discovery document.
    pub(super) fn configured_url(&self) -> &Url {
        &self.configured_url
    }

    /// Fetches and parses the keys. `discovered_url` is the URL of the last successful attempt.
    pub(super) async fn attempt(
        &self,
        discovered_url: Option<Url>,
        validator: Option<CacheValidator>,
    ) -> Result<FetchedJwks, FetchError> {
        let url = match discovered_url {
            _ if self.metadata_urls.is_empty() => self.configured_url.clone(),
            Some(url) => url,
            None => self.discover().await?,
        };
        let etag = validator
            .filter(|validator| validator.url == url.as_str())
            .map(|validator| validator.etag);
        let is_conditional = etag.is_some();
        match self.fetch(url.clone(), etag).await? {
            FetchResponse::NotModified {
                freshness,
                server_time,
            } if is_conditional => Ok(FetchedJwks {
                url,
                freshness,
                server_time,
                keys: None,
            }),
            FetchResponse::NotModified { .. } => Err(unrequested_not_modified()),
            FetchResponse::Document {
                body,
                etag,
                freshness,
                server_time,
            } => {
                let (keys, ignored) = self.parse(&body)?;
                Ok(FetchedJwks {
                    url,
                    freshness,
                    server_time,
                    keys: Some(FetchedKeys {
                        document: body,
                        keys,
                        ignored,
                        etag,
                    }),
                })
            }
        }
    }

    /// Parses a JWKS from the network or from disk, by the same rules.
    pub(super) fn parse(
        &self,
        document: &[u8],
    ) -> Result<(ParsedJwks, Vec<IgnoredKey>), FetchError> {
        self.check_size(document, "JWKS")?;
        ParsedJwks::parse(document, &self.algorithms, self.max_keys).map_err(|error| {
            let kind = match &error {
                JwksError::NotJson => FetchErrorKind::NotJson,
                JwksError::Compressed => FetchErrorKind::ContentEncoding,
                JwksError::ByteOrderMark => FetchErrorKind::ByteOrderMark,
                JwksError::NotJwks => FetchErrorKind::NotJwks,
                JwksError::X509Certificates => FetchErrorKind::X509Certificates,
                JwksError::TooManyKeys { .. } => FetchErrorKind::TooManyKeys,
                JwksError::NoUsableKey(ignored) if ignored.is_empty() => FetchErrorKind::EmptyJwks,
                JwksError::NoUsableKey(_) => FetchErrorKind::NoUsableKey,
            };
            FetchError::new(kind, format!("the JWKS cannot be used: {error}"))
        })
    }

    /// Finds the URL of the JWKS in the first metadata document that exists. If there is none, the
    /// error is that of the first URL.
    async fn discover(&self) -> Result<Url, FetchError> {
        let mut first_error = None;
        for url in &self.metadata_urls {
            match self.discover_at(url).await {
                Ok(jwks_url) => return Ok(jwks_url),
                Err((error, IsFinal::Yes)) => return Err(error),
                Err((error, IsFinal::No)) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        let mut error = first_error
            .unwrap_or_else(|| FetchError::new(FetchErrorKind::InvalidMetadata, "no metadata URL"));
        let others: Vec<_> = self.metadata_urls.iter().skip(1).map(redact_url).collect();
        if !others.is_empty() {
            error.message = format!(
                "{}; no metadata at {} either",
                error.message,
                others.join(" and ")
            );
        }
        Err(error)
    }

    async fn discover_at(&self, document_url: &Url) -> Result<Url, (FetchError, IsFinal)> {
        let body = match self.fetch(document_url.clone(), None).await {
            Ok(FetchResponse::NotModified { .. }) => {
                return Err((unrequested_not_modified(), IsFinal::Yes));
            }
            Ok(FetchResponse::Document { body, .. }) => body,
            Err(error) => {
                let is_final = if error.kind.is_missing_document() {
                    IsFinal::No
                } else {
                    IsFinal::Yes
                };
                return Err((error, is_final));
            }
        };
        self.check_size(&body, "discovery document")
            .map_err(|error| (error, IsFinal::Yes))?;
        discovery::jwks_url(&body, document_url, &self.issuer, self.allow_http).map_err(|error| {
            let (kind, is_final) = match &error {
                DiscoveryError::NotMetadata => (FetchErrorKind::InvalidMetadata, IsFinal::No),
                DiscoveryError::IssuerMismatch { .. } => {
                    (FetchErrorKind::IssuerMismatch, IsFinal::Yes)
                }
                DiscoveryError::InvalidUrl(_)
                | DiscoveryError::Downgrade
                | DiscoveryError::LocalUrl => (FetchErrorKind::InvalidMetadata, IsFinal::Yes),
            };
            (FetchError::new(kind, error.to_string()), is_final)
        })
    }

    /// Fetches one document. The credentials are read anew, and sent to the origin of the configured
    /// URL only: a metadata document must not choose who receives them.
    async fn fetch(&self, url: Url, etag: Option<String>) -> Result<FetchResponse, FetchError> {
        let mut headers = FetchHeaders::default();
        if !self.credentials.is_empty() && url.origin() == self.configured_url.origin() {
            let credentials = Arc::clone(&self.credentials);
            headers = tokio::task::spawn_blocking(move || credentials.read())
                .await
                .map_err(|error| FetchError::new(FetchErrorKind::Panicked, error.to_string()))??;
        }
        self.fetch.fetch(FetchRequest { url, etag, headers }).await
    }

    fn check_size(&self, document: &[u8], name: &str) -> Result<(), FetchError> {
        if document.len() <= self.max_bytes {
            return Ok(());
        }
        Err(FetchError::new(
            FetchErrorKind::TooLarge,
            format!("the {name} is larger than {} bytes", self.max_bytes),
        ))
    }
}

/// Whether another metadata document can not give a better result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IsFinal {
    Yes,
    No,
}

fn unrequested_not_modified() -> FetchError {
    FetchError::new(
        FetchErrorKind::Status(304),
        "the server answered 304 to a request without If-None-Match",
    )
}
