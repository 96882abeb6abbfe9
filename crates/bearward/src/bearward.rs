//! The handle that an application holds: built once, cloned freely, put into `app_data`.

use std::{fmt, sync::Arc};

use url::Url;

#[cfg(feature = "remote")]
use crate::keys::{Fetch, HttpFetch, HttpFetchError, RemoteJwks, RemoteJwksError};
use crate::{
    claims::CustomClaims,
    clock::{Clock, SystemClock},
    cookie::{CookieError, CookieSource},
    error::AuthFailure,
    explain::{self, Explanation},
    issuer::{Issuer, KeySource, TokenUse},
    keys::{JwksCacheConfig, JwksError, KeySet, KeySetStatus},
    metrics::VerificationMetrics,
    verified::Verified,
    verifier::{TrustedIssuer, Verification, Verifier},
};

/// A verifier for a list of issuers, with what its challenges say. Cloning is cheap and shares
/// everything.
///
/// ```no_run
/// use bearward::{Bearward, Issuer};
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// let auth = Bearward::builder().issuer(Issuer::supabase("https://abc.supabase.co")?).build().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Bearward {
    verifier: Arc<Verifier>,
    #[cfg_attr(
        not(feature = "actix"),
        allow(dead_code, reason = "requests come by actix-web")
    )]
    pub(crate) challenge: Arc<ChallengeConfig>,
}

/// How requests bring tokens, and what refusals tell them.
#[derive(Debug)]
pub(crate) struct ChallengeConfig {
    pub(crate) realm: String,
    pub(crate) resource: Option<Url>,
    pub(crate) cookie: Option<CookieSource>,
}

/// Collects what a [`Bearward`] is made of.
#[derive(Debug)]
#[must_use]
pub struct Builder {
    issuers: Vec<Issuer>,
    clock: Arc<dyn Clock>,
    cache_entries: usize,
    max_token_bytes: usize,
    policy: JwksCacheConfig,
    challenge: ChallengeConfig,
    #[cfg(feature = "remote")]
    fetch: Option<Arc<dyn Fetch>>,
}

/// The verifier cannot be built. `Debug` is the message too, because a `main` that returns it
/// prints that.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Without an issuer nothing could ever be accepted.
    #[error(
        "no issuer: add one with .issuer(Issuer::supabase(\"https://YOUR-PROJECT.supabase.co\")?)"
    )]
    NoIssuer,
    /// Two profiles claim one `iss`.
    #[error(
        "two issuers accept the same \"iss\" {0:?}: which one's keys and audience would decide?"
    )]
    DoubledIssuer(String),
    /// Two profiles have one name, so that logs and metrics could not tell them apart.
    #[error("two issuers are named {0:?}")]
    DoubledName(String),
    /// The cookie can never carry a token, or never be used.
    #[error(transparent)]
    Cookie(#[from] CookieError),
    /// An issuer's fixed keys are no set with a usable key.
    #[error("issuer {issuer:?}: its fixed keys are refused: {source}")]
    FixedKeys {
        /// The issuer's name.
        issuer: String,
        /// What is wrong with them.
        source: JwksError,
    },
    /// An issuer's keys may not be fetched as configured.
    #[cfg(feature = "remote")]
    #[error("issuer {issuer:?}: {source}")]
    RemoteJwks {
        /// The issuer's name.
        issuer: String,
        /// What is wrong with its address or the policy.
        source: RemoteJwksError,
    },
    /// The HTTP client cannot be made: a CA file or a proxy that does not work.
    #[cfg(feature = "remote")]
    #[error(transparent)]
    Http(#[from] HttpFetchError),
    /// This build fetches nothing.
    #[cfg(not(feature = "remote"))]
    #[error(
        "issuer {issuer:?}: fetching keys needs the feature \"remote\"; without it, give fixed keys"
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

impl Bearward {
    /// Starts with the contract's defaults and no issuer.
    pub fn builder() -> Builder {
        Builder {
            issuers: Vec::new(),
            clock: Arc::new(SystemClock::new()),
            cache_entries: 10_000,
            max_token_bytes: 8192,
            policy: JwksCacheConfig::default(),
            challenge: ChallengeConfig {
                realm: "bearward".to_owned(),
                resource: None,
                cookie: None,
            },
            #[cfg(feature = "remote")]
            fetch: None,
        }
    }

    /// Verifies a bearer token; waits only where the issuer's keys must be fetched first, and then
    /// for seconds at most.
    ///
    /// # Errors
    /// The one reason why it is refused. The refusal has been counted.
    pub async fn verify(&self, token: &str) -> Result<Verified, AuthFailure> {
        self.verifier.verify(token).finish().await
    }

    /// The same with a type of one's own for the claims.
    ///
    /// # Errors
    /// The one reason why it is refused;
    /// [`AuthError::CustomClaimsMismatch`](crate::AuthError::CustomClaimsMismatch)
    /// when the payload is no `C`. The refusal has been counted.
    pub async fn verify_as<C: CustomClaims>(
        &self,
        token: &str,
    ) -> Result<Verified<C>, AuthFailure> {
        let verified = self.verify(token).await?;
        verified
            .with_custom_claims(token)
            .map_err(Self::record_rejection)
    }

    /// The same without `async`: [`Verification::Ready`] unless a fetch is needed.
    pub fn try_verify(&self, token: &str) -> Verification {
        self.verifier.verify(token)
    }

    /// Verifies a credential from a request's body, such as a Google ID token, against the issuers
    /// of [`TokenUse::IdToken`] alone.
    ///
    /// # Errors
    /// The one reason why it is refused. The refusal has been counted.
    pub async fn verify_credential(&self, token: &str) -> Result<Verified, AuthFailure> {
        self.verifier.verify_credential(token).finish().await
    }

    /// Verifies a token and says check by check what was found and what is expected. For people:
    /// the answer holds unverified claims.
    pub async fn explain(&self, token: &str) -> Explanation {
        let result = self.verify(token).await;
        let profiles = self.verifier.trusted().iter();
        let issuers = profiles
            .map(|trusted| (&trusted.profile, trusted.keys.status()))
            .collect();
        let (max_bytes, now) = (self.verifier.max_bytes(), self.verifier.clock().now());
        explain::explain(&explain::ExplainInput {
            token,
            max_bytes,
            issuers,
            now,
            result,
        })
    }

    /// Whether both are clones of one.
    #[cfg(feature = "actix")]
    pub(crate) fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.verifier, &other.verifier)
    }

    /// Counts a refusal that was decided outside the verifier: by the request's form, or by a
    /// route's requirement.
    pub fn record_rejection(refusal: AuthFailure) -> AuthFailure {
        VerificationMetrics::refused(&refusal);
        refusal
    }

    /// The issuers, in the order in which they were added.
    pub fn issuers(&self) -> impl ExactSizeIterator<Item = &Issuer> {
        self.verifier
            .trusted()
            .iter()
            .map(|trusted| &trusted.profile)
    }

    /// The first spelling of the issuer whose keys verified this token: one name for an issuer that
    /// spells itself in several ways. Rows are keyed by it and the subject.
    pub fn canonical_issuer<'a>(&'a self, user: &'a Verified) -> &'a str {
        let profile = self
            .verifier
            .trusted()
            .get(user.place())
            .map(|trusted| &trusted.profile);
        profile
            .and_then(|profile| profile.accepted_issuers.first())
            .map_or(user.issuer(), |spelling| spelling)
    }

    /// The state of every issuer's key set, in the same order.
    pub fn key_set_statuses(&self) -> Vec<KeySetStatus> {
        self.verifier
            .trusted()
            .iter()
            .map(|trusted| trusted.keys.status())
            .collect()
    }

    /// Waits until each issuer's first fetch has ended, whatever its outcome. For commands and
    /// tests: a server serves without it.
    pub async fn wait_for_initial_fetch(&self) {
        for trusted in self.verifier.trusted() {
            trusted.keys.wait_for_initial_fetch().await;
        }
    }

    /// Tells the `metrics` recorder what is counted and measured lazily: cache hits, key-set state
    /// and age. Call it before a scrape.
    pub fn publish_metrics(&self) {
        for trusted in self.verifier.trusted() {
            trusted.counters.publish();
            trusted.keys.publish_metrics();
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a gauge is a float, and nobody remembers 2^52 tokens"
        )]
        metrics::gauge!("bearward_cached_tokens").set(self.cached_tokens() as f64);
    }

    /// Whether every bearer issuer's keys are there and not expired.
    pub fn is_ready(&self) -> bool {
        let now = self.verifier.clock().monotonic();
        let mut bearers = self
            .verifier
            .trusted()
            .iter()
            .filter(|trusted| trusted.profile.usage == TokenUse::AccessToken);
        bearers.all(|trusted| trusted.keys.load().is_usable(now))
    }

    /// How many verified tokens are remembered.
    pub fn cached_tokens(&self) -> usize {
        self.verifier.cached()
    }

    /// The clock that judges tokens.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        self.verifier.clock()
    }
}

impl Builder {
    /// Trusts one more issuer.
    pub fn issuer(mut self, issuer: Issuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// Another clock than the machine's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// How many verified tokens are remembered; 10,000 unless set, and 0 turns the cache off.
    pub fn token_cache(mut self, entries: usize) -> Self {
        self.cache_entries = entries;
        self
    }

    /// The longest token that is looked at, in bytes; 8,192 unless set.
    pub fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.max_token_bytes = bytes;
        self
    }

    /// The numbers of the key cache.
    pub fn key_policy(mut self, policy: JwksCacheConfig) -> Self {
        self.policy = policy;
        self
    }

    /// The realm of the challenges (RFC 9110 §11.5); `bearward` unless set. Quotes, backslashes and
    /// control characters are dropped.
    pub fn realm(mut self, realm: &str) -> Self {
        self.challenge.realm = realm
            .chars()
            .filter(|c| !matches!(c, '"' | '\\') && (' '..='~').contains(c))
            .collect();
        self
    }

    /// This resource's own address, to which its challenges' `resource_metadata` belongs (RFC 9728
    /// §5.1).
    pub fn resource(mut self, public_url: Url) -> Self {
        self.challenge.resource = Some(public_url);
        self
    }

    /// Takes the token from a cookie too.
    pub fn cookie(mut self, cookie: CookieSource) -> Self {
        self.challenge.cookie = Some(cookie);
        self
    }

    /// Another way to fetch documents than over HTTP.
    #[cfg(feature = "remote")]
    pub fn fetch(mut self, fetch: Arc<dyn Fetch>) -> Self {
        self.fetch = Some(fetch);
        self
    }

    /// Builds the verifier. The first fetch of every issuer starts now, on the tokio runtime that
    /// calls this, and is not waited for: an unreachable issuer is no error here.
    ///
    /// # Errors
    /// When there is no issuer, two of them clash, the cookie cannot work, or an issuer's keys can
    /// never be had (an address that may not be fetched, a fixed set without a usable key, no
    /// tokio runtime to fetch on).
    #[expect(
        clippy::unused_async,
        reason = "what a later version has to wait for must not change every caller"
    )]
    pub async fn build(self) -> Result<Bearward, BuildError> {
        if self.issuers.is_empty() {
            return Err(BuildError::NoIssuer);
        }
        if let Some(cookie) = &self.challenge.cookie {
            cookie.check()?;
        }
        let mut trusted: Vec<TrustedIssuer> = Vec::with_capacity(self.issuers.len());
        #[cfg(feature = "remote")]
        let mut network = self.fetch.clone();
        #[cfg(not(feature = "remote"))]
        let mut network = ();
        for issuer in &self.issuers {
            for earlier in trusted.iter().map(|trusted| &trusted.profile) {
                if let Some(doubled) = issuer
                    .accepted_issuers
                    .iter()
                    .find(|iss| earlier.accepted_issuers.contains(iss))
                {
                    return Err(BuildError::DoubledIssuer(doubled.to_string()));
                }
                if earlier.name == issuer.name {
                    return Err(BuildError::DoubledName(issuer.name.to_string()));
                }
            }
            let keys = self.key_set(issuer, &mut network)?;
            trusted.push(TrustedIssuer::new(issuer.clone(), keys));
        }
        let verifier = Verifier::new(
            trusted,
            self.cache_entries,
            self.max_token_bytes,
            self.clock,
        );
        Ok(Bearward {
            verifier: Arc::new(verifier),
            challenge: Arc::new(self.challenge),
        })
    }
}

impl fmt::Debug for Bearward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearward")
            .field("verifier", &self.verifier)
            .finish_non_exhaustive()
    }
}

impl Builder {
    #[cfg_attr(
        not(feature = "remote"),
        allow(unused_variables, reason = "fixed keys need no network")
    )]
    fn key_set(&self, issuer: &Issuer, network: &mut SharedFetcher) -> Result<KeySet, BuildError> {
        let name = issuer.name.to_string();
        match &issuer.keys {
            KeySource::Fixed(document) => {
                KeySet::fixed(&name, document.as_bytes(), &issuer.algorithms, &self.policy).map_err(
                    |source| BuildError::FixedKeys {
                        issuer: name,
                        source,
                    },
                )
            }
            #[cfg(feature = "remote")]
            KeySource::Discovery | KeySource::Url(_) => {
                let jwks_url = if let KeySource::Url(url) = &issuer.keys {
                    Some(url.clone())
                } else {
                    None
                };
                let keys = RemoteJwks {
                    name: name.clone(),
                    issuer: issuer.iss().to_owned(),
                    jwks_url,
                    algorithms: issuer.algorithms.clone(),
                };
                let fetch = match network {
                    Some(fetch) => fetch,
                    None => network.insert(Arc::new(HttpFetch::new(
                        &self.policy,
                        Arc::clone(&self.clock),
                    )?)),
                };
                KeySet::remote(
                    keys,
                    &self.policy,
                    Arc::clone(&self.clock),
                    Arc::clone(fetch),
                )
                .map_err(|source| BuildError::RemoteJwks {
                    issuer: name,
                    source,
                })
            }
            #[cfg(not(feature = "remote"))]
            KeySource::Discovery | KeySource::Url(_) => Err(BuildError::NoRemote { issuer: name }),
        }
    }
}

/// The one client of all issuers, made when the first of them needs it.
#[cfg(feature = "remote")]
type SharedFetcher = Option<Arc<dyn Fetch>>;
#[cfg(not(feature = "remote"))]
type SharedFetcher = ();
