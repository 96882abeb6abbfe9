//! Builds a [`Bearward`] from issuers and settings.

use std::{fmt, sync::Arc};

use url::Url;

#[cfg(feature = "remote")]
use crate::issuer_template::IssuerTemplate;
#[cfg(feature = "remote")]
use crate::keys::{
    Fetch, HttpFetch, HttpFetchError, JwksLocation, RemoteJwks, RemoteJwksError, redact_url,
};
use crate::{
    bearward::{Bearward, ChallengeConfig},
    clock::{Clock, SystemClock},
    cookie::{CookieError, CookieSource},
    issuer::{Issuer, KeySource, KeySourceError},
    issuer_template::TemplateError,
    keys::{JwksCacheConfig, JwksError, KeySet},
    text::is_token_char,
    verifier::{TrustedIssuer, Verifier},
};

/// Configures and builds a [`Bearward`]. Created by [`Bearward::builder`].
///
/// ```no_run
/// use std::time::Duration;
///
/// use bearward::{Bearward, CookieSource, Issuer, JwksCacheConfig};
///
/// # async fn start() -> Result<Bearward, Box<dyn std::error::Error>> {
/// let auth = Bearward::builder()
///     .issuer(Issuer::supabase("https://abc.supabase.co")?)
///     .issuer(Issuer::new("https://id.example.com/", "https://api.example.com")?)
///     .realm("shop")
///     .resource("https://api.example.com".parse()?)
///     .cookie(CookieSource::new("__Host-session", ["https://app.example.com"]))
///     .jwks_cache(JwksCacheConfig::default().max_stale(Duration::from_secs(86_400)))
///     .token_cache(50_000)
///     .max_token_bytes(16_384)
///     .build()
///     .await?;
/// # Ok(auth) }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Builder {
    issuers: Vec<Issuer>,
    clock: Arc<dyn Clock>,
    cache_entries: usize,
    max_token_bytes: usize,
    jwks_cache: JwksCacheConfig,
    challenge: ChallengeConfig,
    #[cfg(feature = "remote")]
    fetch: Option<Arc<dyn Fetch>>,
}

/// The reason why [`Builder::build`] fails.
///
/// `Debug` prints the message too, because a `main` that returns an error prints its `Debug` form.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no issuer, so no token would be accepted.
    #[error(
        "no issuer: add one with .issuer(Issuer::supabase(\"https://YOUR-PROJECT.supabase.co\")?)"
    )]
    NoIssuer,
    /// Two issuers accept the same `iss`.
    #[error("two issuers accept the same \"iss\" {0:?}; each \"iss\" selects one issuer")]
    DoubledIssuer(String),
    /// Two issuers have the same name, so logs and metrics could not distinguish them.
    #[error("two issuers have the name {0:?}; set another one with .name(..)")]
    DoubledName(String),
    /// An issuer with a placeholder has another accepted `iss`.
    #[error("issuer {issuer:?}: {source}")]
    Template {
        /// The issuer's name.
        issuer: String,
        /// What is wrong with the issuer.
        source: TemplateError,
    },
    /// An issuer has a placeholder and no tenants, so there is no discovery document.
    #[cfg(feature = "remote")]
    #[error(
        "issuer {issuer:?}: with a placeholder and no list of tenants, the JWKS URL cannot be discovered; set it, or list the tenants"
    )]
    NoKeysOfTemplate {
        /// The issuer's name.
        issuer: String,
    },
    /// The name of the token header is invalid, or is that of a header with another meaning.
    #[error("invalid token header {0:?}: write a header name other than Authorization and Cookie")]
    TokenHeader(String),
    /// The session cookie is invalid.
    #[error(transparent)]
    Cookie(#[from] CookieError),
    /// An issuer's fixed key set is invalid or has no usable key.
    #[error("issuer {issuer:?}: invalid fixed key set: {source}")]
    FixedKeys {
        /// The issuer's name.
        issuer: String,
        /// What is wrong with the key set.
        source: JwksError,
    },
    /// The source of an issuer's keys and the credentials for it do not fit together.
    #[error("issuer {issuer:?}: {source}")]
    KeySource {
        /// The issuer's name.
        issuer: String,
        /// What is wrong.
        source: KeySourceError,
    },
    /// An issuer's keys cannot be fetched as configured.
    #[cfg(feature = "remote")]
    #[error("issuer {issuer:?}: {source}")]
    RemoteJwks {
        /// The issuer's name.
        issuer: String,
        /// What is wrong with the URL or the cache settings.
        source: RemoteJwksError,
    },
    /// The HTTP client cannot be created, for example because the CA file or proxy is invalid.
    #[cfg(feature = "remote")]
    #[error(transparent)]
    Http(#[from] HttpFetchError),
    /// The issuer's keys must be fetched, and the feature `remote` is disabled.
    #[cfg(not(feature = "remote"))]
    #[error(
        "issuer {issuer:?}: fetching keys requires the feature \"remote\"; enable it or use KeySource::Fixed"
    )]
    NoRemote {
        /// The issuer's name.
        issuer: String,
    },
}

impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Builder {
    /// The default of [`token_cache`](Self::token_cache), in tokens.
    pub const DEFAULT_TOKEN_CACHE_ENTRIES: usize = 10_000;

    /// The default of [`max_token_bytes`](Self::max_token_bytes).
    pub const DEFAULT_MAX_TOKEN_BYTES: usize = 8192;

    pub(crate) fn new() -> Self {
        Self {
            issuers: Vec::new(),
            clock: Arc::new(SystemClock::new()),
            cache_entries: Self::DEFAULT_TOKEN_CACHE_ENTRIES,
            max_token_bytes: Self::DEFAULT_MAX_TOKEN_BYTES,
            jwks_cache: JwksCacheConfig::default(),
            challenge: ChallengeConfig {
                realm: "bearward".to_owned(),
                resource: None,
                cookie: None,
                token_header: None,
            },
            #[cfg(feature = "remote")]
            fetch: None,
        }
    }

    /// Adds a trusted issuer. At least one is required.
    ///
    /// ```
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// use bearward::{Bearward, Issuer};
    ///
    /// let builder = Bearward::builder()
    ///     .issuer(Issuer::supabase("https://abc.supabase.co")?)
    ///     .issuer(Issuer::google("1234.apps.googleusercontent.com")?);
    /// # Ok(()) }
    /// ```
    pub fn issuer(mut self, issuer: Issuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// Sets the clock. The default is [`SystemClock`].
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use bearward::{Bearward, SystemClock};
    ///
    /// let builder = Bearward::builder().clock(Arc::new(SystemClock::new()));
    /// ```
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the maximum number of cached tokens. The default is 10,000; 0 disables the cache.
    ///
    /// A cached token is not parsed again, and its signature is not checked again. Its expiry and
    /// the validity of its key are.
    ///
    /// ```
    /// let builder = bearward::Bearward::builder().token_cache(0);
    /// ```
    pub fn token_cache(mut self, entries: usize) -> Self {
        self.cache_entries = entries;
        self
    }

    /// Sets the maximum length of a token, in bytes. The default is 8,192. Longer tokens are
    /// rejected before they are parsed.
    ///
    /// ```
    /// let builder = bearward::Bearward::builder().max_token_bytes(16_384);
    /// ```
    pub fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.max_token_bytes = bytes;
        self
    }

    /// Sets the refresh intervals, timeouts and limits of the key cache.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use bearward::{Bearward, JwksCacheConfig};
    ///
    /// let config = JwksCacheConfig::default().max_stale(Duration::from_secs(86_400));
    /// let builder = Bearward::builder().jwks_cache(config);
    /// ```
    pub fn jwks_cache(mut self, config: JwksCacheConfig) -> Self {
        self.jwks_cache = config;
        self
    }

    /// Sets the realm of the challenges (RFC 9110 §11.5). The default is `bearward`. Quotes,
    /// backslashes and characters outside of printable ASCII are removed.
    ///
    /// ```
    /// let builder = bearward::Bearward::builder().realm("shop");
    /// ```
    pub fn realm(mut self, realm: &str) -> Self {
        self.challenge.realm = realm
            .chars()
            .filter(|c| !matches!(c, '"' | '\\') && (' '..='~').contains(c))
            .collect();
        self
    }

    /// Sets the public URL of this resource. The challenges then contain `resource_metadata` (RFC
    /// 9728 §5.1). The application serves the metadata itself.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let builder = bearward::Bearward::builder().resource("https://api.example.com".parse()?);
    /// # Ok(()) }
    /// ```
    pub fn resource(mut self, public_url: Url) -> Self {
        self.challenge.resource = Some(public_url);
        self
    }

    /// Accepts the token in a cookie too. See [`CookieSource`] for what the cookie requires.
    ///
    /// ```
    /// use bearward::{Bearward, CookieSource};
    ///
    /// let cookie = CookieSource::new("__Host-session", ["https://app.example.com"]);
    /// let builder = Bearward::builder().cookie(cookie);
    /// ```
    pub fn cookie(mut self, cookie: CookieSource) -> Self {
        self.challenge.cookie = Some(cookie);
        self
    }

    /// Accepts the token in one more header too, whose value is the bare token, such as
    /// `Cf-Access-Jwt-Assertion` of Cloudflare Access or `X-Goog-IAP-JWT-Assertion` of Google IAP.
    ///
    /// A request with two such headers, or with the token in two places, is rejected with 400.
    ///
    /// ```
    /// let builder = bearward::Bearward::builder().token_header("cf-access-jwt-assertion");
    /// ```
    ///
    /// # Security
    /// Proxies that add such a header often identify the browser by a cookie. Then a page of another
    /// site can send requests with the header: check `Origin`, or let the proxy do so.
    pub fn token_header(mut self, name: impl Into<String>) -> Self {
        self.challenge.token_header = Some(name.into());
        self
    }

    /// Replaces the HTTP client that fetches keys and discovery documents.
    #[cfg(feature = "remote")]
    pub fn fetch(mut self, fetch: Arc<dyn Fetch>) -> Self {
        self.fetch = Some(fetch);
        self
    }

    /// Builds the verifier and starts fetching each issuer's keys on the current tokio runtime.
    ///
    /// The first fetch is not awaited, so an unreachable issuer is not an error. Requests wait for
    /// it; see also [`Bearward::wait_for_initial_fetch`].
    ///
    /// # Errors
    /// [`BuildError`] if
    /// - there is no issuer,
    /// - two issuers have the same name or accept the same `iss`,
    /// - an issuer with a placeholder has another spelling, or neither a JWKS URL nor tenants,
    /// - the cookie source or the token header is invalid,
    /// - the source of an issuer's keys is invalid, see [`Issuer::check_key_source`],
    /// - an issuer's keys cannot be fetched as configured: the URL is not allowed, a cache setting
    ///   is out of range, there is no tokio runtime, or the HTTP client cannot be created,
    /// - a fixed key set has no usable key.
    #[expect(
        clippy::unused_async,
        reason = "later versions may wait for something without changing every caller"
    )]
    pub async fn build(self) -> Result<Bearward, BuildError> {
        if self.issuers.is_empty() {
            return Err(BuildError::NoIssuer);
        }
        if let Some(cookie) = &self.challenge.cookie {
            cookie.validate()?;
        }
        if let Some(name) = &self.challenge.token_header {
            let is_reserved = ["authorization", "cookie"]
                .iter()
                .any(|reserved| name.eq_ignore_ascii_case(reserved));
            if name.is_empty() || is_reserved || !name.bytes().all(is_token_char) {
                return Err(BuildError::TokenHeader(name.clone()));
            }
        }
        let mut trusted: Vec<TrustedIssuer> = Vec::with_capacity(self.issuers.len());
        #[cfg(feature = "remote")]
        let mut fetcher = self.fetch.clone();
        #[cfg(not(feature = "remote"))]
        let mut fetcher = ();
        for issuer in &self.issuers {
            for earlier in trusted.iter().map(|trusted| &trusted.config) {
                if let Some(iss) = common_issuer(issuer, earlier) {
                    return Err(BuildError::DoubledIssuer(iss));
                }
                if earlier.name == issuer.name {
                    return Err(BuildError::DoubledName(issuer.name.to_string()));
                }
            }
            if issuer.accepted_issuers.len() > 1
                && issuer
                    .accepted_issuers
                    .iter()
                    .any(|iss| iss.contains(['{', '}']))
            {
                return Err(BuildError::Template {
                    issuer: issuer.name.to_string(),
                    source: TemplateError::Alias,
                });
            }
            let key_sets = self.key_sets(issuer, &mut fetcher)?;
            trusted.push(TrustedIssuer::new(issuer.clone(), key_sets));
        }
        let verifier = Verifier::new(
            trusted,
            self.cache_entries,
            self.max_token_bytes,
            self.clock,
        );
        Ok(Bearward::new(verifier, self.challenge))
    }

    #[cfg_attr(
        not(feature = "remote"),
        allow(unused_variables, reason = "fixed keys are not fetched")
    )]
    fn key_sets(
        &self,
        issuer: &Issuer,
        fetcher: &mut SharedFetcher,
    ) -> Result<Vec<KeySet>, BuildError> {
        let name = || issuer.name.to_string();
        issuer
            .check_key_source()
            .map_err(|source| BuildError::KeySource {
                issuer: name(),
                source,
            })?;
        #[cfg(feature = "remote")]
        let mut remote = |location| self.remote_key_set(issuer, location, None, fetcher);
        match &issuer.keys {
            KeySource::Fixed(document) => KeySet::fixed(
                &issuer.name,
                document.as_bytes(),
                &issuer.algorithms,
                &self.jwks_cache,
            )
            .map(|keys| vec![keys])
            .map_err(|source| BuildError::FixedKeys {
                issuer: name(),
                source,
            }),
            #[cfg(feature = "remote")]
            KeySource::Discovery => Ok(vec![remote(JwksLocation::Discovery)?]),
            #[cfg(feature = "remote")]
            KeySource::DiscoveryUrl(url) => {
                Ok(vec![remote(JwksLocation::DiscoveryUrl(url.clone()))?])
            }
            #[cfg(feature = "remote")]
            KeySource::Url(url) => Ok(vec![remote(JwksLocation::Url(url.clone()))?]),
            #[cfg(feature = "remote")]
            KeySource::Urls(urls) => urls
                .iter()
                .zip(labels(urls))
                .map(|(url, label)| {
                    let location = JwksLocation::Url(url.clone());
                    self.remote_key_set(issuer, location, label, fetcher)
                })
                .collect(),
            #[cfg(not(feature = "remote"))]
            KeySource::Discovery
            | KeySource::DiscoveryUrl(_)
            | KeySource::Url(_)
            | KeySource::Urls(_) => Err(BuildError::NoRemote { issuer: name() }),
        }
    }

    #[cfg(feature = "remote")]
    fn remote_key_set(
        &self,
        issuer: &Issuer,
        location: JwksLocation,
        label: Option<String>,
        fetcher: &mut SharedFetcher,
    ) -> Result<KeySet, BuildError> {
        let template = issuer.template.as_ref();
        let discovered = match template.map(IssuerTemplate::first_issuer) {
            Some(Some(first)) => first,
            Some(None) if matches!(location, JwksLocation::Discovery) => {
                return Err(BuildError::NoKeysOfTemplate {
                    issuer: issuer.name.to_string(),
                });
            }
            Some(None) | None => issuer.iss().to_owned(),
        };
        let keys = RemoteJwks {
            name: issuer.name.to_string(),
            label,
            issuer: discovered,
            location,
            algorithms: issuer.algorithms.clone(),
            credentials: issuer.key_credentials.clone(),
        };
        let fetch = match fetcher {
            Some(fetch) => fetch,
            None => fetcher.insert(Arc::new(HttpFetch::new(
                &self.jwks_cache,
                Arc::clone(&self.clock),
            )?)),
        };
        KeySet::remote(
            keys,
            &self.jwks_cache,
            Arc::clone(&self.clock),
            Arc::clone(fetch),
        )
        .map_err(|source| BuildError::RemoteJwks {
            issuer: issuer.name.to_string(),
            source,
        })
    }
}

/// Returns a distinct label for each of several key sets: its URL without the query, which may hold a
/// secret. A single key set has no label.
#[cfg(feature = "remote")]
fn labels(urls: &[Url]) -> Vec<Option<String>> {
    if urls.len() == 1 {
        return vec![None];
    }
    let redacted: Vec<String> = urls.iter().map(redact_url).collect();
    let label = |(index, url): (usize, &String)| {
        let earlier = redacted[..index]
            .iter()
            .filter(|other| *other == url)
            .count();
        Some(if earlier == 0 {
            url.clone()
        } else {
            format!("{url} ({})", earlier + 1)
        })
    };
    redacted.iter().enumerate().map(label).collect()
}

/// Returns an `iss`, or a template, that both issuers accept.
fn common_issuer(issuer: &Issuer, earlier: &Issuer) -> Option<String> {
    if let (Some(template), Some(other)) = (&issuer.template, &earlier.template) {
        return template.overlaps(other).then(|| issuer.iss().to_owned());
    }
    let accepted_by = |a: &Issuer, b: &Issuer| {
        let common = a.accepted_issuers().find(|iss| b.accepts_iss(iss));
        common.map(str::to_owned)
    };
    accepted_by(issuer, earlier).or_else(|| accepted_by(earlier, issuer))
}

/// The HTTP client of all issuers, created for the first issuer that needs it.
#[cfg(feature = "remote")]
type SharedFetcher = Option<Arc<dyn Fetch>>;
#[cfg(not(feature = "remote"))]
type SharedFetcher = ();
