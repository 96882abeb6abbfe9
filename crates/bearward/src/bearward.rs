//! The handle that an application holds.

use std::{fmt, sync::Arc};

use url::Url;

use crate::{
    builder::Builder,
    claims::CustomClaims,
    clock::Clock,
    cookie::CookieSource,
    error::AuthFailure,
    explain::{self, Explanation},
    issuer::{Issuer, TokenUse},
    keys::{KeySet, KeySetStatus},
    metrics::VerificationMetrics,
    verified::Verified,
    verifier::{TrustedIssuer, Verification, Verifier},
};

/// Verifies tokens of a fixed list of issuers.
///
/// Build it once and put a clone into the `app_data` of each actix-web `App`, where the extractors
/// find it. Clones are cheap and share keys, caches and settings.
///
/// ```no_run
/// use bearward::{Bearward, Issuer};
///
/// # async fn start(token: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let auth = Bearward::builder()
///     .issuer(Issuer::supabase("https://abc.supabase.co")?)
///     .build()
///     .await?;
///
/// // Without actix-web:
/// match auth.verify(token).await {
///     Ok(user) => println!("{}, admin: {}", user.subject(), user.has_role("admin")),
///     Err(failure) => println!("{}: {failure}", failure.error.code()),
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Bearward {
    verifier: Arc<Verifier>,
    #[cfg_attr(
        not(feature = "actix"),
        allow(dead_code, reason = "only the actix extractors read it")
    )]
    pub(crate) challenge: Arc<ChallengeConfig>,
}

/// How requests carry tokens, and what challenges contain.
#[derive(Debug)]
pub(crate) struct ChallengeConfig {
    pub(crate) realm: String,
    pub(crate) resource: Option<Url>,
    pub(crate) cookie: Option<CookieSource>,
    /// One more header that may carry the token.
    pub(crate) token_header: Option<String>,
}

impl Bearward {
    /// Creates a builder with default settings and no issuer.
    ///
    /// ```
    /// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
    /// use bearward::{Bearward, Issuer, KeySource};
    ///
    /// # let jwks = String::new();
    /// let issuer = Issuer::new("https://id.example.com/", "https://api.example.com")?
    ///     .keys(KeySource::Fixed(jwks));
    /// let auth = Bearward::builder().issuer(issuer).build().await?;
    /// # Ok(()) }
    /// ```
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn new(verifier: Verifier, challenge: ChallengeConfig) -> Self {
        Self {
            verifier: Arc::new(verifier),
            challenge: Arc::new(challenge),
        }
    }

    /// Verifies a bearer token and returns the claims or the reason it was rejected.
    ///
    /// It waits only if the issuer's keys must be fetched first, and then for the `wait_timeout` of
    /// the [`JwksCacheConfig`](crate::JwksCacheConfig) at most.
    ///
    /// ```
    /// use bearward::{AuthError, Bearward};
    ///
    /// async fn subject(auth: &Bearward, token: &str) -> Result<String, u16> {
    ///     match auth.verify(token).await {
    ///         Ok(user) => Ok(user.subject().to_owned()),
    ///         Err(failure) => match failure.error {
    ///             AuthError::KeysUnavailable { .. } => Err(503),
    ///             _ => Err(401),
    ///         },
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// [`AuthFailure`] with the first check that failed. The rejection is counted in
    /// `bearward_verifications_total`.
    ///
    /// # Security
    /// It does not check what the user may do: use the `require_…` methods of [`Verified`].
    pub async fn verify(&self, token: &str) -> Result<Verified, AuthFailure> {
        self.try_verify(token).finish().await
    }

    /// Verifies a bearer token and deserializes its payload as custom claims.
    ///
    /// ```
    /// use bearward::{AuthFailure, Bearward};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Plan {
    ///     plan: String,
    /// }
    ///
    /// async fn plan(auth: &Bearward, token: &str) -> Result<String, AuthFailure> {
    ///     Ok(auth.verify_as::<Plan>(token).await?.into_custom().plan)
    /// }
    /// ```
    ///
    /// # Errors
    /// Same as [`verify`](Self::verify), and
    /// [`AuthError::CustomClaimsMismatch`](crate::AuthError::CustomClaimsMismatch) if the payload
    /// does not match `C`.
    pub async fn verify_as<C: CustomClaims>(
        &self,
        token: &str,
    ) -> Result<Verified<C>, AuthFailure> {
        let verified = self.verify(token).await?;
        verified
            .with_custom_claims(token)
            .map_err(Self::record_rejection)
    }

    /// Verifies a bearer token without waiting if possible.
    ///
    /// Returns [`Verification::Ready`] unless the issuer's keys must be fetched first.
    pub fn try_verify(&self, token: &str) -> Verification {
        self.verifier.verify(token, TokenUse::AccessToken)
    }

    /// Verifies a token from a request body, such as a Google ID token, against the issuers with
    /// [`TokenUse::IdToken`] only.
    ///
    /// # Errors
    /// Same as [`verify`](Self::verify). Tokens of other issuers are rejected with
    /// [`AuthError::UnknownIssuer`](crate::AuthError::UnknownIssuer).
    pub async fn verify_credential(&self, token: &str) -> Result<Verified, AuthFailure> {
        self.verifier
            .verify(token, TokenUse::IdToken)
            .finish()
            .await
    }

    /// Verifies a bearer token and reports each check with the found and the expected values.
    ///
    /// ```
    /// use bearward::Bearward;
    ///
    /// async fn print(auth: &Bearward, token: &str) {
    ///     let explanation = auth.explain(token).await;
    ///     for step in &explanation.steps {
    ///         println!("{}: {} (expected {})", step.step, step.found, step.expected);
    ///     }
    ///     if let Some(next_step) = &explanation.next_step {
    ///         println!("{next_step}");
    ///     }
    /// }
    /// ```
    ///
    /// # Security
    /// The explanation is for developers and operators. It contains claims, which are unverified if
    /// the token was rejected. Do not send it to clients.
    pub async fn explain(&self, token: &str) -> Explanation {
        let result = self.verify(token).await;
        let issuers = self
            .verifier
            .issuers()
            .iter()
            .map(|issuer| (&issuer.config, issuer.statuses().collect()))
            .collect();
        explain::explain(&explain::ExplainInput {
            token,
            max_bytes: self.verifier.max_bytes(),
            issuers,
            now: self.clock().now(),
            result,
        })
    }

    /// Returns whether both are clones of the same value.
    #[cfg(feature = "actix")]
    pub(crate) fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.verifier, &other.verifier)
    }

    /// Counts a rejection that was decided outside of [`verify`](Self::verify), for example by a
    /// requirement, in `bearward_verifications_total`. Returns its argument.
    ///
    /// The extractors and guards do this themselves.
    pub fn record_rejection(failure: AuthFailure) -> AuthFailure {
        VerificationMetrics::record_rejected(&failure);
        failure
    }

    /// Returns the issuers, in the order in which they were added.
    pub fn issuers(&self) -> impl ExactSizeIterator<Item = &Issuer> {
        self.verifier.issuers().iter().map(|issuer| &issuer.config)
    }

    /// Returns the first accepted `iss` of the issuer that signed a token.
    ///
    /// Use it with the subject as the key of database rows: it is the same for all spellings that
    /// an issuer uses. If the issuer has a placeholder, it is the token's `iss`, so that two tenants
    /// never share a row.
    pub fn canonical_issuer<'a>(&'a self, user: &'a Verified) -> &'a str {
        self.verifier
            .issuers()
            .get(user.issuer_index())
            .filter(|issuer| issuer.config.template.is_none())
            .map_or(user.issuer(), |issuer| issuer.config.iss())
    }

    /// Returns the state of every key set, in the order of [`issuers`](Self::issuers). An issuer has
    /// several with [`KeySource::Urls`](crate::KeySource::Urls), in the order of the URLs.
    pub fn key_set_statuses(&self) -> Vec<KeySetStatus> {
        self.verifier
            .issuers()
            .iter()
            .flat_map(TrustedIssuer::statuses)
            .collect()
    }

    /// Waits until the first fetch of each issuer's keys has finished, successfully or not.
    ///
    /// Servers do not need it, because requests wait for missing keys. It is meant for commands and
    /// tests.
    pub async fn wait_for_initial_fetch(&self) {
        for keys in self
            .verifier
            .issuers()
            .iter()
            .flat_map(|issuer| &issuer.key_sets)
        {
            keys.wait_for_initial_fetch().await;
        }
    }

    /// Updates the metrics that are not updated with each request: cache hits, the number of cached
    /// tokens, and the state, age and size of the key sets.
    ///
    /// Call it before the metrics are scraped.
    pub fn publish_metrics(&self) {
        for issuer in self.verifier.issuers() {
            issuer.metrics.publish();
            issuer.key_sets.iter().for_each(KeySet::publish_metrics);
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a gauge is a float, and the cache holds fewer than 2^52 tokens"
        )]
        metrics::gauge!("bearward_cached_tokens").set(self.cached_tokens() as f64);
    }

    /// Returns whether every issuer of access tokens has keys that are loaded and not expired. Of
    /// several key sets one is enough.
    pub fn is_ready(&self) -> bool {
        let now = self.clock().monotonic();
        self.verifier
            .issuers()
            .iter()
            .filter(|issuer| issuer.config.has_token_use(TokenUse::AccessToken))
            .all(|issuer| {
                issuer
                    .key_sets
                    .iter()
                    .any(|keys| keys.load().is_usable(now))
            })
    }

    /// Returns the number of cached tokens.
    pub fn cached_tokens(&self) -> usize {
        self.verifier.cached_tokens()
    }

    /// Returns the clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        self.verifier.clock()
    }
}

impl fmt::Debug for Bearward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearward")
            .field("verifier", &self.verifier)
            .finish_non_exhaustive()
    }
}
