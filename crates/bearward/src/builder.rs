//! Builds a [`Bearward`] from issuers and settings.

use std::{fmt, io, sync::Arc, time::Duration};

use url::Url;

#[cfg(feature = "remote")]
use crate::keys::{
    Fetch, HttpFetch, HttpFetchError, JwksLocation, RemoteJwks, RemoteJwksError, redact_url,
};
use crate::{
    bearward::Bearward,
    clock::{Clock, SystemClock},
    cookie::{CookieError, CookieSource},
    http::{ErrorFormat, HttpConfig, InvalidSource, TokenSource},
    issuer::{Audiences, Issuer, KeySource, KeySourceError, TokenUse},
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
    verifier: VerifierConfig,
    http: HttpConfig,
    keys_at_start: Option<Duration>,
}

/// How a [`Verifier`] is built from issuers.
#[derive(Debug)]
pub(crate) struct VerifierConfig {
    pub(crate) clock: Arc<dyn Clock>,
    cache_entries: usize,
    max_token_bytes: usize,
    jwks_cache: JwksCacheConfig,
    /// The HTTP client of all issuers, created for the first issuer that needs it.
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
    /// The session cookie is invalid.
    #[error(transparent)]
    Cookie(#[from] CookieError),
    /// A [`TokenSource`] is invalid. The text says why.
    #[error("invalid token source: {0}")]
    Source(String),
    /// The authentication scheme is not a token (RFC 9110 §11.1).
    #[error("invalid authentication scheme {0:?}: use letters, digits and \"-\"")]
    Scheme(String),
    /// The keys of an issuer were not loaded within the time of
    /// [`Builder::require_keys_at_start`].
    #[error("issuer {issuer:?}: its keys cannot be loaded: {reason}")]
    KeysNotLoaded {
        /// The issuer's name.
        issuer: String,
        /// The failure of the last attempt.
        reason: String,
    },
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

/// Converts to an [`io::Error`] of kind `InvalidInput`, so that `?` works in
/// `fn main() -> io::Result<()>`.
impl From<BuildError> for io::Error {
    fn from(error: BuildError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error)
    }
}

/// A configuration that is accepted and probably a mistake. Returned by [`Bearward::warnings`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildWarning {
    /// An issuer accepts every audience.
    #[error(
        "issuer {issuer:?} accepts tokens for any audience; other services that trust it can replay the tokens they receive"
    )]
    AnyAudience {
        /// The issuer's name.
        issuer: String,
    },
    /// Every issuer is one of credentials, so every bearer token is rejected.
    #[error(
        "no issuer of access tokens: every bearer token is rejected; add an issuer with TokenUse::AccessToken"
    )]
    NoAccessTokenIssuer,
    /// A session cookie has no origins, so every unsafe request with it is rejected.
    #[error("the cookie {name:?} has no origins: unsafe requests with it are rejected")]
    CookieWithoutOrigins {
        /// The cookie's name.
        name: String,
    },
    /// The keys of an issuer are fetched without TLS from another machine.
    #[error(
        "issuer {issuer:?}: its keys are fetched over plain http; whoever is on the way can replace them"
    )]
    PlainHttp {
        /// The issuer's name.
        issuer: String,
    },
}

impl Builder {
    /// The default of [`token_cache`](Self::token_cache), in tokens.
    pub const DEFAULT_TOKEN_CACHE_ENTRIES: usize = 10_000;

    /// The default of [`max_token_bytes`](Self::max_token_bytes).
    pub const DEFAULT_MAX_TOKEN_BYTES: usize = 8192;

    pub(crate) fn new() -> Self {
        Self {
            issuers: Vec::new(),
            verifier: VerifierConfig {
                clock: Arc::new(SystemClock::new()),
                cache_entries: Self::DEFAULT_TOKEN_CACHE_ENTRIES,
                max_token_bytes: Self::DEFAULT_MAX_TOKEN_BYTES,
                jwks_cache: JwksCacheConfig::default(),
                #[cfg(feature = "remote")]
                fetch: None,
            },
            http: HttpConfig::new(),
            keys_at_start: None,
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
        self.verifier.clock = clock;
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
        self.verifier.cache_entries = entries;
        self
    }

    /// Sets the maximum length of a token, in bytes. The default is 8,192. Longer tokens are
    /// rejected before they are parsed.
    ///
    /// ```
    /// let builder = bearward::Bearward::builder().max_token_bytes(16_384);
    /// ```
    pub fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.verifier.max_token_bytes = bytes;
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
        self.verifier.jwks_cache = config;
        self
    }

    /// Sets the realm of the challenges (RFC 9110 §11.5). The default is `bearward`. Quotes,
    /// backslashes and characters outside of printable ASCII are removed.
    ///
    /// ```
    /// let builder = bearward::Bearward::builder().realm("shop");
    /// ```
    pub fn realm(mut self, realm: &str) -> Self {
        self.http.realm = realm
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
        self.http.resource = Some(public_url);
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
    pub fn cookie(self, cookie: CookieSource) -> Self {
        self.source(TokenSource::cookie(cookie))
    }

    /// Accepts the token in another place too, besides the `Authorization` header: a header field, a
    /// cookie, a `WebSocket` subprotocol, or where a function finds it.
    ///
    /// A request with tokens in two places is rejected with 400.
    ///
    /// ```
    /// use bearward::{Bearward, TokenSource};
    ///
    /// let builder = Bearward::builder().source(TokenSource::header("x-access-token"));
    /// ```
    pub fn source(mut self, source: TokenSource) -> Self {
        self.http.sources.push(source);
        self
    }

    /// Sets the authentication scheme of the `Authorization` header and of the challenges, instead
    /// of `Bearer`. A header with another scheme, now including Bearer, counts as no token.
    ///
    /// ```
    /// // Authorization: Token eyJhbGciOi...
    /// let builder = bearward::Bearward::builder().scheme("Token");
    /// ```
    pub fn scheme(mut self, scheme: &str) -> Self {
        self.http.scheme = (!scheme.eq_ignore_ascii_case("bearer")).then(|| scheme.into());
        self
    }

    /// Sends the bodies of error responses as problem details (RFC 9457, `application/problem+json`)
    /// instead of [`ErrorBody`](crate::ErrorBody). The extension member `code` is the error's
    /// [`code`](crate::AuthError::code).
    ///
    /// ```
    /// let builder = bearward::Bearward::builder().problem_details();
    /// ```
    pub fn problem_details(mut self) -> Self {
        self.http.format = ErrorFormat::ProblemDetails;
        self
    }

    /// Sets the bodies of error responses. The status, the challenge, `Retry-After` and
    /// `Cache-Control` cannot be changed.
    ///
    /// The function returns an [`ErrorContent`](crate::ErrorContent) or a `serde_json::Value`.
    ///
    /// ```
    /// use bearward::Bearward;
    /// use serde_json::json;
    ///
    /// let builder = Bearward::builder().error_body(|error, request| {
    ///     json!({ "error": error.code(), "message": error.to_string(), "path": request.path() })
    /// });
    /// ```
    ///
    /// # Security
    /// `Display` of [`AuthError`](crate::AuthError) is meant for clients. Its fields are not: they
    /// contain values of the token and of the configuration.
    #[cfg(feature = "actix")]
    pub fn error_body<B: Into<crate::ErrorContent>>(
        mut self,
        body: impl Fn(&crate::AuthError, &actix_web::HttpRequest) -> B + Send + Sync + 'static,
    ) -> Self {
        let body = move |error: &crate::AuthError, request: &actix_web::HttpRequest| {
            body(error, request).into()
        };
        self.http.format = ErrorFormat::Custom(Arc::new(body));
        self
    }

    /// Makes [`build`](Self::build) fail unless the keys of every issuer are loaded within
    /// `timeout`. A wrong issuer is then an error at start instead of 503 responses.
    ///
    /// It fails as soon as the first fetch of an issuer fails, so the service manager should start
    /// the program again. Keys of a snapshot on disk suffice.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let builder = bearward::Bearward::builder().require_keys_at_start(Duration::from_secs(10));
    /// ```
    pub fn require_keys_at_start(mut self, timeout: Duration) -> Self {
        self.keys_at_start = Some(timeout);
        self
    }

    /// Replaces the HTTP client that fetches keys and discovery documents.
    #[cfg(feature = "remote")]
    pub fn fetch(mut self, fetch: Arc<dyn Fetch>) -> Self {
        self.verifier.fetch = Some(fetch);
        self
    }

    /// Builds the verifier and starts fetching each issuer's keys on the current tokio runtime.
    ///
    /// Unless [`require_keys_at_start`](Self::require_keys_at_start) was called, the first fetch is
    /// not awaited, so an unreachable issuer is not an error. Requests wait for it.
    ///
    /// What is accepted and probably wrong is logged at level `warn` and returned by
    /// [`Bearward::warnings`].
    ///
    /// # Errors
    /// [`BuildError`] if
    /// - there is no issuer,
    /// - two issuers have the same name or accept the same `iss`,
    /// - an issuer with a placeholder has another spelling, or neither a JWKS URL nor tenants,
    /// - the scheme or a token source is invalid,
    /// - the source of an issuer's keys is invalid, see [`Issuer::check_key_source`],
    /// - an issuer's keys cannot be fetched as configured: the URL is not allowed, a cache setting
    ///   is out of range, there is no tokio runtime, or the HTTP client cannot be created,
    /// - a fixed key set has no usable key,
    /// - keys are required at start and cannot be loaded.
    pub async fn build(mut self) -> Result<Bearward, BuildError> {
        if let Some(scheme) = &self.http.scheme
            && (scheme.is_empty() || !scheme.bytes().all(is_token_char))
        {
            return Err(BuildError::Scheme(scheme.to_string()));
        }
        for source in &self.http.sources {
            source.validate().map_err(|invalid| match invalid {
                InvalidSource::Cookie(error) => BuildError::Cookie(error),
                InvalidSource::Header(_) | InvalidSource::Protocol(_) => {
                    BuildError::Source(invalid.to_string())
                }
            })?;
        }
        let verifier = self.verifier.build(&self.issuers, &[])?;
        let warnings = self.warnings();
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        let auth = Bearward::new(verifier, self.verifier, self.http, warnings);
        if let Some(timeout) = self.keys_at_start {
            require_keys(&auth, timeout).await?;
        }
        Ok(auth)
    }

    fn warnings(&self) -> Vec<BuildWarning> {
        let mut warnings = Vec::new();
        for issuer in &self.issuers {
            let name = || issuer.name.to_string();
            if issuer.audiences == Audiences::Any {
                warnings.push(BuildWarning::AnyAudience { issuer: name() });
            }
            if is_plain_http(issuer) {
                warnings.push(BuildWarning::PlainHttp { issuer: name() });
            }
        }
        let mut issuers = self.issuers.iter();
        if !issuers.any(|issuer| issuer.has_token_use(TokenUse::AccessToken)) {
            warnings.push(BuildWarning::NoAccessTokenIssuer);
        }
        for cookie in self.http.sources.iter().filter_map(TokenSource::as_cookie) {
            if cookie.origins.is_empty() {
                let name = cookie.name.clone();
                warnings.push(BuildWarning::CookieWithoutOrigins { name });
            }
        }
        warnings
    }
}

/// Returns whether the keys are fetched over plain http from another host than loopback.
fn is_plain_http(issuer: &Issuer) -> bool {
    let urls: Vec<Url> = match &issuer.keys {
        KeySource::Url(url) | KeySource::DiscoveryUrl(url) => vec![url.clone()],
        KeySource::Urls(urls) => urls.clone(),
        KeySource::Discovery => Url::parse(issuer.iss()).into_iter().collect(),
        KeySource::Fixed(_) => Vec::new(),
    };
    urls.iter().any(|url| {
        let is_loopback = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        url.scheme() == "http" && !is_loopback
    })
}

/// Waits for the first fetch of every issuer's keys and returns the first failure.
async fn require_keys(auth: &Bearward, timeout: Duration) -> Result<(), BuildError> {
    let mut fetched = std::pin::pin!(auth.wait_for_initial_fetch());
    let clock = auth.clock();
    let mut deadline = clock.sleep_until(clock.monotonic() + timeout);
    std::future::poll_fn(|cx| {
        if fetched.as_mut().poll(cx).is_ready() {
            return std::task::Poll::Ready(());
        }
        deadline.as_mut().poll(cx)
    })
    .await;
    let missing = auth
        .key_set_statuses()
        .into_iter()
        .find(|status| !status.state.is_usable());
    match missing {
        None => Ok(()),
        Some(status) => Err(BuildError::KeysNotLoaded {
            issuer: status.issuer,
            reason: status.last_error.map_or_else(
                || format!("the fetch has not ended after {timeout:?}"),
                |error| error.to_string(),
            ),
        }),
    }
}

impl VerifierConfig {
    /// Builds a verifier. An issuer that is equal to a `previous` one keeps its keys.
    pub(crate) fn build(
        &mut self,
        issuers: &[Issuer],
        previous: &[Arc<TrustedIssuer>],
    ) -> Result<Verifier, BuildError> {
        if issuers.is_empty() {
            return Err(BuildError::NoIssuer);
        }
        let mut trusted: Vec<Arc<TrustedIssuer>> = Vec::with_capacity(issuers.len());
        for issuer in issuers {
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
            let unchanged = previous.iter().find(|previous| previous.config == *issuer);
            trusted.push(if let Some(previous) = unchanged {
                Arc::clone(previous)
            } else {
                let key_sets = self.key_sets(issuer)?;
                Arc::new(TrustedIssuer::new(issuer.clone(), key_sets))
            });
        }
        Ok(Verifier::new(
            trusted,
            self.cache_entries,
            self.max_token_bytes,
            Arc::clone(&self.clock),
        ))
    }

    fn key_sets(&mut self, issuer: &Issuer) -> Result<Vec<KeySet>, BuildError> {
        let name = || issuer.name.to_string();
        issuer
            .check_key_source()
            .map_err(|source| BuildError::KeySource {
                issuer: name(),
                source,
            })?;
        #[cfg(feature = "remote")]
        let mut remote = |location| self.remote_key_set(issuer, location, None);
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
                    self.remote_key_set(issuer, location, label)
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
        &mut self,
        issuer: &Issuer,
        location: JwksLocation,
        label: Option<String>,
    ) -> Result<KeySet, BuildError> {
        let discovered = match (&issuer.template, &location) {
            (Some(template), JwksLocation::Discovery) => {
                template
                    .first_issuer()
                    .ok_or_else(|| BuildError::NoKeysOfTemplate {
                        issuer: issuer.name.to_string(),
                    })?
            }
            (Some(_), JwksLocation::DiscoveryUrl(_) | JwksLocation::Url(_)) | (None, _) => {
                issuer.iss().to_owned()
            }
        };
        let keys = RemoteJwks {
            name: issuer.name.to_string(),
            label,
            issuer: discovered,
            location,
            algorithms: issuer.algorithms.clone(),
            credentials: issuer.key_credentials.clone(),
        };
        let fetch = match &mut self.fetch {
            Some(fetch) => fetch,
            none => none.insert(Arc::new(HttpFetch::new(
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
