//! One attempt: find the JWKS URL, fetch the document and parse it.

use std::sync::Arc;

use url::Url;

use super::{
    JwksCacheConfig,
    discovery::{self, DiscoveryError},
    endpoint::{self, UrlError},
    fetch::{Fetch, FetchRequest, FetchResponse},
    fetch_error::{FetchError, FetchErrorKind},
    freshness::Freshness,
    jwks::{IgnoredKey, JwksError, ParsedJwks},
    snapshot::CacheValidator,
};
use crate::{algorithm::Algorithm, clock::Timestamp};

/// The immutable inputs of every attempt.
#[derive(Debug)]
pub(super) struct JwksSource {
    issuer: String,
    location: JwksLocation,
    algorithms: Vec<Algorithm>,
    max_bytes: usize,
    max_keys: usize,
    allow_http: bool,
    fetch: Arc<dyn Fetch>,
}

#[derive(Debug)]
enum JwksLocation {
    /// The URL of the JWKS.
    Url(Url),
    /// The URL of the discovery document, which contains the URL of the JWKS.
    Discovery(Url),
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
    /// Without `jwks_url`, each attempt reads the URL from the issuer's metadata.
    ///
    /// # Errors
    /// The URL is not allowed, see [`endpoint`].
    pub(super) fn new(
        issuer: String,
        jwks_url: Option<Url>,
        algorithms: Vec<Algorithm>,
        config: &JwksCacheConfig,
        fetch: Arc<dyn Fetch>,
    ) -> Result<Self, UrlError> {
        let location = if let Some(url) = jwks_url {
            endpoint::check(&url, config.allow_http)?;
            JwksLocation::Url(url)
        } else {
            JwksLocation::Discovery(discovery::document_url(&issuer, config.allow_http)?)
        };
        Ok(Self {
            issuer,
            location,
            algorithms,
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
        match &self.location {
            JwksLocation::Url(url) | JwksLocation::Discovery(url) => url,
        }
    }

    /// Fetches and parses the keys. `discovered_url` is the URL of the last successful attempt.
    pub(super) async fn attempt(
        &self,
        discovered_url: Option<Url>,
        validator: Option<CacheValidator>,
    ) -> Result<FetchedJwks, FetchError> {
        let url = match (&self.location, discovered_url) {
            (JwksLocation::Url(url), _) => url.clone(),
            (JwksLocation::Discovery(_), Some(url)) => url,
            (JwksLocation::Discovery(document_url), None) => {
                self.discover(document_url.clone()).await?
            }
        };
        let etag = validator
            .filter(|validator| validator.url == url.as_str())
            .map(|validator| validator.etag);
        let is_conditional = etag.is_some();
        let request = FetchRequest {
            url: url.clone(),
            etag,
        };
        match self.fetch.fetch(request).await? {
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
                JwksError::NotJwks => FetchErrorKind::NotJwks,
                JwksError::TooManyKeys { .. } => FetchErrorKind::TooManyKeys,
                JwksError::NoUsableKey(ignored) if ignored.is_empty() => FetchErrorKind::EmptyJwks,
                JwksError::NoUsableKey(_) => FetchErrorKind::NoUsableKey,
            };
            FetchError::new(kind, format!("the JWKS cannot be used: {error}"))
        })
    }

    async fn discover(&self, document_url: Url) -> Result<Url, FetchError> {
        let request = FetchRequest {
            url: document_url,
            etag: None,
        };
        let body = match self.fetch.fetch(request).await? {
            FetchResponse::NotModified { .. } => return Err(unrequested_not_modified()),
            FetchResponse::Document { body, .. } => body,
        };
        self.check_size(&body, "discovery document")?;
        discovery::jwks_url(&body, &self.issuer, self.allow_http).map_err(|error| {
            let kind = match &error {
                DiscoveryError::IssuerMismatch { .. } => FetchErrorKind::IssuerMismatch,
                DiscoveryError::NotMetadata
                | DiscoveryError::InvalidUrl(_)
                | DiscoveryError::Downgrade
                | DiscoveryError::LocalUrl => FetchErrorKind::InvalidMetadata,
            };
            FetchError::new(kind, error.to_string())
        })
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

fn unrequested_not_modified() -> FetchError {
    FetchError::new(
        FetchErrorKind::Status(304),
        "the server answered 304 to a request without If-None-Match",
    )
}
