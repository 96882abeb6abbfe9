//! One attempt: where the keys are, the fetch, and the strict reading of what it brought.

use std::sync::Arc;

use url::Url;

use super::{
    JwksCacheConfig, discovery,
    endpoint::{self, UrlError},
    fetch::{Failure, Fetch, FetchError, FetchRequest, Fetched},
    freshness::Freshness,
    jwks::{IgnoredKey, ParsedJwks, SetError},
    snapshot::CacheValidator,
};
use crate::{algorithm::Algorithm, clock::Timestamp};

/// Everything an attempt needs that does not change.
#[derive(Debug)]
pub(super) struct JwksSource {
    issuer: String,
    address: Address,
    algorithms: Vec<Algorithm>,
    max_bytes: usize,
    max_keys: usize,
    allow_http: bool,
    fetch: Arc<dyn Fetch>,
}

#[derive(Debug)]
enum Address {
    ParsedJwks(Url),
    Discovery(Url),
}

/// A successful attempt.
#[derive(Debug)]
pub(super) struct FetchedJwks {
    pub(super) url: Url,
    pub(super) lifetime: Freshness,
    pub(super) server_time: Option<Timestamp>,
    /// `None` for a 304.
    pub(super) set: Option<FetchedSet>,
}

/// A set with at least one usable key.
#[derive(Debug)]
pub(super) struct FetchedSet {
    pub(super) document: Vec<u8>,
    pub(super) keys: ParsedJwks,
    pub(super) skipped: Vec<IgnoredKey>,
    pub(super) etag: Option<String>,
}

impl JwksSource {
    /// Without `jwks_url`, the issuer's own metadata tells where the keys are.
    ///
    /// # Errors
    /// The address breaks a rule of [`endpoint`].
    pub(super) fn new(
        issuer: String,
        jwks_url: Option<Url>,
        algorithms: Vec<Algorithm>,
        policy: &JwksCacheConfig,
        fetch: Arc<dyn Fetch>,
    ) -> Result<Self, UrlError> {
        let address = match jwks_url {
            Some(url) => {
                endpoint::check(&url, policy.allow_http).map(|()| Address::ParsedJwks(url))?
            }
            None => Address::Discovery(discovery::document_url(&issuer, policy.allow_http)?),
        };
        let (max_bytes, max_keys, allow_http) =
            (policy.max_bytes, policy.max_keys, policy.allow_http);
        Ok(Self {
            issuer,
            address,
            algorithms,
            max_bytes,
            max_keys,
            allow_http,
            fetch,
        })
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The one address that the configuration names.
    pub(super) fn configured(&self) -> &Url {
        match &self.address {
            Address::ParsedJwks(url) | Address::Discovery(url) => url,
        }
    }

    /// `discovered` is where the last successful attempt found the keys.
    pub(super) async fn attempt(
        &self,
        discovered: Option<Url>,
        validator: Option<CacheValidator>,
    ) -> Result<FetchedJwks, FetchError> {
        let url = match (&self.address, discovered) {
            (Address::ParsedJwks(url), _) => url.clone(),
            (Address::Discovery(_), Some(url)) => url,
            (Address::Discovery(document), None) => self.discover(document.clone()).await?,
        };
        let etag = validator
            .filter(|validator| validator.url == url.as_str())
            .map(|validator| validator.etag);
        let conditional = etag.is_some();
        match self
            .fetch
            .fetch(FetchRequest {
                url: url.clone(),
                etag,
            })
            .await?
        {
            Fetched::NotModified {
                lifetime,
                server_time,
            } if conditional => Ok(FetchedJwks {
                url,
                lifetime,
                server_time,
                set: None,
            }),
            Fetched::NotModified { .. } => Err(FetchError::new(
                Failure::Status,
                "answered 304 to a request without If-None-Match",
            )),
            Fetched::Document {
                body,
                etag,
                lifetime,
                server_time,
            } => {
                let (keys, skipped) = self.read(&body)?;
                Ok(FetchedJwks {
                    url,
                    lifetime,
                    server_time,
                    set: Some(FetchedSet {
                        document: body,
                        keys,
                        skipped,
                        etag,
                    }),
                })
            }
        }
    }

    /// Reads a key set, from the network or from disk, by the same rules.
    pub(super) fn read(
        &self,
        document: &[u8],
    ) -> Result<(ParsedJwks, Vec<IgnoredKey>), FetchError> {
        if document.len() > self.max_bytes {
            return Err(FetchError::new(
                Failure::TooLarge,
                format!("the key set is larger than {} bytes", self.max_bytes),
            ));
        }
        ParsedJwks::parse(document, &self.algorithms, self.max_keys).map_err(|error| {
            let failure = match &error {
                SetError::NotJson => Failure::NotJson,
                SetError::NotASet => Failure::NotASet,
                SetError::TooManyKeys { .. } => Failure::TooManyKeys,
                SetError::NoUsableKey(_) => Failure::NoUsableKey,
            };
            FetchError::new(failure, format!("the key set cannot be used: {error}"))
        })
    }

    async fn discover(&self, document: Url) -> Result<Url, FetchError> {
        match self
            .fetch
            .fetch(FetchRequest {
                url: document,
                etag: None,
            })
            .await?
        {
            Fetched::NotModified { .. } => Err(FetchError::new(
                Failure::Status,
                "answered 304 to a request without If-None-Match",
            )),
            Fetched::Document { body, .. } if body.len() > self.max_bytes => Err(FetchError::new(
                Failure::TooLarge,
                format!(
                    "the discovery document is larger than {} bytes",
                    self.max_bytes
                ),
            )),
            Fetched::Document { body, .. } => {
                discovery::jwks_url(&body, &self.issuer, self.allow_http)
                    .map_err(|error| FetchError::new(Failure::Discovery, error.to_string()))
            }
        }
    }
}
