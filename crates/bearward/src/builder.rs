//! Builds a [`Bearward`] from issuers and settings.

mod error;
mod verifier_config;

use std::{sync::Arc, time::Duration};

use url::Url;

pub use self::error::{BuildError, BuildWarning};
pub(crate) use self::verifier_config::VerifierConfig;
use crate::{
    bearward::Bearward,
    clock::{Clock, SystemClock},
    cookie::CookieSource,
    dpop::{DpopConfig, DpopMode, ProofVerifier},
    http::{ErrorFormat, HttpConfig, InvalidSource, ProtectedResource, TokenSource},
    issuer::{Audiences, Issuer, TokenUse},
    keys::JwksCacheConfig,
    revocation::RevocationConfig,
    service_key::{ServiceKey, ServiceKeys},
    text::is_token_char,
    verified::Verified,
    verifier::TokenObserver,
};
#[cfg(feature = "remote")]
use crate::{
    issuer::KeySource,
    keys::{Fetch, is_loopback},
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
    service_keys: Vec<ServiceKey>,
    verifier: VerifierConfig,
    http: HttpConfig,
    dpop: DpopConfig,
    keys_at_start: Option<Duration>,
}

impl Builder {
    /// The default of [`token_cache`](Self::token_cache), in tokens.
    pub const DEFAULT_TOKEN_CACHE_ENTRIES: usize = 10_000;

    /// The default of [`max_token_bytes`](Self::max_token_bytes).
    pub const DEFAULT_MAX_TOKEN_BYTES: usize = 8192;

    pub(crate) fn new() -> Self {
        Self {
            issuers: Vec::new(),
            service_keys: Vec::new(),
            verifier: VerifierConfig {
                clock: Arc::new(SystemClock::new()),
                cache_entries: Self::DEFAULT_TOKEN_CACHE_ENTRIES,
                max_token_bytes: Self::DEFAULT_MAX_TOKEN_BYTES,
                observer: None,
                jwks_cache: JwksCacheConfig::default(),
                revocation: RevocationConfig::default(),
                revocations: None,
                #[cfg(feature = "remote")]
                fetch: None,
            },
            http: HttpConfig::new(),
            dpop: DpopConfig::default(),
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

    /// Adds a service that calls with a key of its own. Routes accept it only with a
    /// [`Service`](crate::Service) or [`Caller`](crate::Caller) parameter, or in a guard with
    /// [`Guard::services`](crate::Guard::services).
    ///
    /// ```
    /// # fn main() -> Result<(), bearward::ServiceKeyError> {
    /// use bearward::{Bearward, ServiceKey};
    ///
    /// # let digest = "00".repeat(32);
    /// let builder = Bearward::builder()
    ///     .service_key(ServiceKey::new("cron")?.sha256(&digest)?.scope("reports:write")?);
    /// # Ok(()) }
    /// ```
    pub fn service_key(mut self, service: ServiceKey) -> Self {
        self.service_keys.push(service);
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
    /// A cached token is not parsed again, and its signature is not checked again. Its expiry, the
    /// validity of its key and the revocation list are.
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

    /// Calls a function for every accepted token that is not in the token cache, for example to
    /// remember which sessions are in use. It replaces an earlier function.
    ///
    /// The function is called during verification: it must be fast and must not block.
    ///
    /// ```
    /// use bearward::{Bearward, Verified};
    ///
    /// let builder = Bearward::builder().observe_tokens(|user: &Verified| {
    ///     println!("session {:?} of {}", user.claims().session_id(), user.subject());
    /// });
    /// ```
    pub fn observe_tokens(mut self, observer: impl Fn(&Verified) + Send + Sync + 'static) -> Self {
        self.verifier.observer = Some(TokenObserver(Arc::new(observer)));
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

    /// Sets the limits of the revocation list.
    ///
    /// ```
    /// use bearward::{Bearward, RevocationConfig};
    ///
    /// let config = RevocationConfig::default().max_entries(100_000);
    /// let builder = Bearward::builder().revocation(config);
    /// ```
    pub fn revocation(mut self, config: RevocationConfig) -> Self {
        self.verifier.revocation = config;
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
    /// 9728 §5.1). The application serves the metadata itself; see
    /// [`protected_resource`](Self::protected_resource) for metadata that this crate serves.
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

    /// Adds a protected resource: a part of the application with its own URL, metadata and audience.
    /// See [`ProtectedResource`].
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use bearward::{Bearward, ProtectedResource};
    ///
    /// let mcp = ProtectedResource::new("https://api.example.com/mcp")?.scopes(["notes:read"]);
    /// let builder = Bearward::builder().protected_resource(mcp);
    /// # Ok(()) }
    /// ```
    pub fn protected_resource(mut self, resource: ProtectedResource) -> Self {
        self.http.resources.push(resource);
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

    /// Sets how proofs of possession are checked (`DPoP`, RFC 9449). It has an effect for issuers
    /// with [`Issuer::dpop`] only.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use bearward::{Bearward, DpopConfig};
    ///
    /// let config = DpopConfig::default().base_url("https://api.example.com".parse()?);
    /// let builder = Bearward::builder().dpop(config);
    /// # Ok(()) }
    /// ```
    pub fn dpop(mut self, config: DpopConfig) -> Self {
        self.dpop = config;
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
    /// - a setting of [`dpop`](Self::dpop) is out of range,
    /// - the source of an issuer's keys is invalid, see [`Issuer::check_key_source`],
    /// - an issuer's keys cannot be fetched as configured: the URL is not allowed, a cache setting
    ///   is out of range, there is no tokio runtime, or the HTTP client cannot be created,
    /// - a fixed key set has no usable key,
    /// - a service has no digest, or two services share a name or a digest,
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
        let service_keys = ServiceKeys::new(&self.service_keys)?;
        self.http.accepts_service_keys = service_keys.is_some();
        let clock = Arc::clone(&self.verifier.clock);
        let proofs = ProofVerifier::new(self.dpop.clone(), clock)?;
        let verifier = self.verifier.build(&self.issuers, &[])?;
        let warnings = self.warnings();
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        let auth = Bearward::new(
            verifier,
            self.verifier,
            service_keys,
            self.http,
            proofs,
            warnings,
        );
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
            #[cfg(feature = "remote")]
            if is_plain_http(issuer) {
                warnings.push(BuildWarning::PlainHttp { issuer: name() });
            }
        }
        let mut issuers = self.issuers.iter();
        if !issuers.any(|issuer| issuer.has_token_use(TokenUse::AccessToken)) {
            warnings.push(BuildWarning::NoAccessTokenIssuer);
        }
        let mut issuers = self.issuers.iter();
        if self.dpop.uses_host_header() && issuers.any(|issuer| issuer.dpop != DpopMode::Off) {
            warnings.push(BuildWarning::DpopWithoutBaseUrl);
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
#[cfg(feature = "remote")]
fn is_plain_http(issuer: &Issuer) -> bool {
    let urls: Vec<Url> = match &issuer.keys {
        KeySource::Url(url) | KeySource::DiscoveryUrl(url) => vec![url.clone()],
        KeySource::Urls(urls) => urls.clone(),
        KeySource::Discovery => Url::parse(issuer.iss()).into_iter().collect(),
        KeySource::Fixed(_) => Vec::new(),
    };
    urls.iter()
        .any(|url| url.scheme() == "http" && !is_loopback(url))
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
