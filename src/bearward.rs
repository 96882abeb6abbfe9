//! The handle that an application holds: built once, cloned freely, put into `app_data`.

use std::{fmt, sync::Arc};

use url::Url;

use crate::auth::{
    clock::{Clock, SystemClock},
    counters::Counters,
    error::Refusal,
    issuer::{Issuer, KeySource, Usage},
    keys::{KeyPolicy, KeySet, KeySetError, KeySetStatus},
    verified::Verified,
    verifier::{Trusted, Verification, Verifier},
};

/// A verifier for a list of issuers, with what its challenges say. Cloning is cheap and shares everything.
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
    pub(crate) manners: Arc<Manners>,
}

/// How requests bring tokens, and what refusals tell them.
#[derive(Debug)]
pub(crate) struct Manners {
    pub(crate) realm: String,
    pub(crate) resource: Option<Url>,
    pub(crate) cookie: Option<CookieSource>,
}

/// An opt-in place for the token: a cookie, which a browser sends by itself. Requests that may change something must therefore come from
/// a listed origin; GET, HEAD, OPTIONS and TRACE need none.
#[derive(Debug, Clone)]
pub struct CookieSource {
    pub(crate) name: String,
    pub(crate) origins: Vec<String>,
}

/// Collects what a [`Bearward`] is made of.
#[derive(Debug)]
#[must_use]
pub struct Builder {
    issuers: Vec<Issuer>,
    clock: Arc<dyn Clock>,
    cache_entries: usize,
    max_token_bytes: usize,
    policy: KeyPolicy,
    manners: Manners,
}

/// The verifier cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Without an issuer nothing could ever be accepted.
    #[error("no issuer: add one with .issuer(Issuer::supabase(\"https://YOUR-PROJECT.supabase.co\")?)")]
    NoIssuer,
    /// Two profiles claim one `iss`.
    #[error("two issuers accept the same \"iss\" {0:?}: which one's keys and audience would decide?")]
    DoubledIssuer(String),
    /// Two profiles have one name, so that logs and metrics could not tell them apart.
    #[error("two issuers are named {0:?}")]
    DoubledName(String),
    /// An issuer's keys can never be had as configured.
    #[error("issuer {issuer:?}: {source}")]
    Keys {
        /// The issuer's name.
        issuer: String,
        /// What is wrong.
        source: KeySetError,
    },
}

impl Bearward {
    /// Starts with the contract's defaults and no issuer.
    pub fn builder() -> Builder {
        Builder {
            issuers: Vec::new(),
            clock: Arc::new(SystemClock::new()),
            cache_entries: 10_000,
            max_token_bytes: 8192,
            policy: KeyPolicy::default(),
            manners: Manners { realm: "bearward".to_owned(), resource: None, cookie: None },
        }
    }

    /// Verifies a bearer token; waits only where the issuer's keys must be fetched first, and then for seconds at most.
    ///
    /// # Errors
    /// The one reason why it is refused. The refusal has been counted.
    pub async fn verify(&self, token: &str) -> Result<Verified, Refusal> {
        self.verifier.verify(token).finish().await
    }

    /// The same without `async`: [`Verification::Ready`] unless a fetch is needed.
    pub fn try_verify(&self, token: &str) -> Verification {
        self.verifier.verify(token)
    }

    /// Verifies a credential from a request's body, such as a Google ID token, against the issuers of [`Usage::Credential`] alone.
    ///
    /// # Errors
    /// The one reason why it is refused. The refusal has been counted.
    pub async fn verify_credential(&self, token: &str) -> Result<Verified, Refusal> {
        self.verifier.verify_credential(token).finish().await
    }

    /// Counts a refusal that was decided outside the verifier: by the request's form, or by a route's requirement.
    #[cfg(feature = "actix")]
    pub(crate) fn count(refusal: Refusal) -> Refusal {
        Counters::refused(&refusal);
        refusal
    }

    /// The issuers, in the order in which they were added.
    pub fn issuers(&self) -> impl ExactSizeIterator<Item = &Issuer> {
        self.verifier.trusted().iter().map(|trusted| &trusted.profile)
    }

    /// The state of every issuer's key set, in the same order.
    pub fn key_sets(&self) -> Vec<KeySetStatus> {
        self.verifier.trusted().iter().map(|trusted| trusted.keys.status()).collect()
    }

    /// Whether every bearer issuer's keys are there and not expired.
    pub fn ready(&self) -> bool {
        let now = self.verifier.clock().monotonic();
        let mut bearers = self.verifier.trusted().iter().filter(|trusted| trusted.profile.usage == Usage::Bearer);
        bearers.all(|trusted| trusted.keys.current().serves(now))
    }

    /// How many verified tokens are remembered.
    pub fn remembered_tokens(&self) -> usize {
        self.verifier.remembered()
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
    pub fn key_policy(mut self, policy: KeyPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// The realm of the challenges (RFC 9110 §11.5); `bearward` unless set. Quotes, backslashes and control characters are dropped.
    pub fn realm(mut self, realm: &str) -> Self {
        self.manners.realm = realm.chars().filter(|c| !matches!(c, '"' | '\\') && (' '..='~').contains(c)).collect();
        self
    }

    /// This resource's own address, to which its challenges' `resource_metadata` belongs (RFC 9728 §5.1).
    pub fn resource(mut self, public_url: Url) -> Self {
        self.manners.resource = Some(public_url);
        self
    }

    /// Takes the token from a cookie too.
    pub fn cookie(mut self, cookie: CookieSource) -> Self {
        self.manners.cookie = Some(cookie);
        self
    }

    /// Builds the verifier. The first fetch of every issuer starts now, on the tokio runtime that calls this, and is not waited for: an
    /// unreachable issuer is no error here.
    ///
    /// # Errors
    /// When there is no issuer, two of them clash, or one's keys can never be had (an address that may not be fetched, a fixed set
    /// without a usable key).
    ///
    /// # Panics
    /// When an issuer's keys are fetched and this runs outside a tokio runtime.
    pub async fn build(self) -> Result<Bearward, BuildError> {
        if self.issuers.is_empty() {
            return Err(BuildError::NoIssuer);
        }
        let mut trusted: Vec<Trusted> = Vec::with_capacity(self.issuers.len());
        for issuer in self.issuers {
            for earlier in trusted.iter().map(|trusted| &trusted.profile) {
                if let Some(doubled) = issuer.spellings.iter().find(|iss| earlier.spellings.contains(iss)) {
                    return Err(BuildError::DoubledIssuer(doubled.to_string()));
                }
                if earlier.name == issuer.name {
                    return Err(BuildError::DoubledName(issuer.name.to_string()));
                }
            }
            let keys = key_set(&issuer, &self.policy, &self.clock)
                .await
                .map_err(|source| BuildError::Keys { issuer: issuer.name.to_string(), source })?;
            trusted.push(Trusted::new(issuer, keys));
        }
        let verifier = Verifier::new(trusted, self.cache_entries, self.max_token_bytes, self.clock);
        Ok(Bearward { verifier: Arc::new(verifier), manners: Arc::new(self.manners) })
    }
}

impl CookieSource {
    /// The cookie's name, and the origins (`https://app.example.com`) whose unsafe requests may use it.
    pub fn new(name: impl Into<String>, origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { name: name.into(), origins: origins.into_iter().map(Into::into).collect() }
    }
}

impl fmt::Debug for Bearward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearward").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

async fn key_set(issuer: &Issuer, policy: &KeyPolicy, clock: &Arc<dyn Clock>) -> Result<Arc<KeySet>, KeySetError> {
    match &issuer.keys {
        KeySource::Fixed(document) => KeySet::fixed(issuer, document.as_bytes(), policy, clock),
        KeySource::Discovery | KeySource::Url(_) => KeySet::remote(issuer, policy, clock).await,
    }
}
