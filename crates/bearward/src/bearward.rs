//! The handle that an application holds.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;

use crate::{
    builder::{BuildError, BuildWarning, Builder, VerifierConfig},
    claims::CustomClaims,
    client_certificate::ClientCertificate,
    clock::Clock,
    dpop::{BoundToken, ProofError, ProofRequest, ProofVerifier, Scheme},
    error::{AuthError, AuthFailure},
    explain::{self, Explanation},
    http::HttpConfig,
    issuer::{Issuer, TokenUse},
    keys::{KeySet, KeySetStatus},
    metrics::VerificationMetrics,
    revocation::Revocations,
    service_key::{Service, ServiceKeyProblem, ServiceKeys, is_service_key},
    verified::Verified,
    verifier::{Verification, Verifier},
};

/// Verifies tokens of a list of issuers.
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
    shared: Arc<Shared>,
    pub(crate) http: Arc<HttpConfig>,
}

/// What clones share.
struct Shared {
    /// The issuers in use, with their keys and the cache of their tokens.
    verifier: ArcSwap<Verifier>,
    /// How verifiers are built. Locked while the issuers are changed.
    config: Mutex<VerifierConfig>,
    service_keys: Option<ServiceKeys>,
    clock: Arc<dyn Clock>,
    revocations: Revocations,
    proofs: ProofVerifier,
    warnings: Vec<BuildWarning>,
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

    pub(crate) fn new(
        verifier: Verifier,
        mut config: VerifierConfig,
        service_keys: Option<ServiceKeys>,
        mut http: HttpConfig,
        proofs: ProofVerifier,
        warnings: Vec<BuildWarning>,
    ) -> Self {
        http.dpop
            .set_algorithms(proofs.config().accepted_algorithms());
        let auth = Self {
            shared: Arc::new(Shared {
                verifier: ArcSwap::from_pointee(verifier),
                clock: Arc::clone(&config.clock),
                revocations: config.revocations().clone(),
                config: Mutex::new(config),
                service_keys,
                proofs,
                warnings,
            }),
            http: Arc::new(http),
        };
        auth.update_schemes();
        auth
    }

    fn update_schemes(&self) {
        let verifier = self.shared.verifier.load();
        let issuers = verifier.issuers().iter().map(|issuer| &issuer.config);
        self.http.dpop.update(issuers);
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
    /// `bearward_verifications_total`. A valid service key fails with [`AuthError::UserRequired`];
    /// [`verify_service_key`](Self::verify_service_key) accepts it.
    ///
    /// # Security
    /// It does not check what the user may do: use the `require_…` methods of [`Verified`].
    ///
    /// A token that is bound to a client certificate is rejected: see
    /// [`verify_with_certificate`](Self::verify_with_certificate).
    pub async fn verify(&self, token: &str) -> Result<Verified, AuthFailure> {
        self.try_verify(token).finish().await
    }

    /// Verifies a token of a client that authenticated with this certificate in mutual TLS (RFC
    /// 8705). A token that is bound to a certificate is accepted only with it; other tokens are
    /// bearer tokens, which are accepted with any.
    ///
    /// [`authenticate`](Self::authenticate) and the extractors do the same for a request.
    ///
    /// ```
    /// use bearward::{AuthFailure, Bearward, ClientCertificate, Verified};
    ///
    /// async fn verify(auth: &Bearward, token: &str, der: Option<&[u8]>) -> Result<Verified, AuthFailure> {
    ///     let certificate = der.and_then(|der| ClientCertificate::from_der(der).ok());
    ///     auth.verify_with_certificate(token, certificate).await
    /// }
    /// ```
    ///
    /// # Errors
    /// Same as [`verify`](Self::verify), and
    /// [`AuthError::CertificateMismatch`](crate::AuthError::CertificateMismatch) for a token that is
    /// bound to another certificate.
    ///
    /// # Security
    /// See [`ClientCertificate`] for where it may come from.
    pub async fn verify_with_certificate(
        &self,
        token: &str,
        certificate: Option<ClientCertificate>,
    ) -> Result<Verified, AuthFailure> {
        self.try_verify_with(token, || certificate).finish().await
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
            .with_custom_claims()
            .map_err(Self::record_rejection)
    }

    /// Verifies a bearer token without waiting if possible.
    ///
    /// Returns [`Verification::Ready`] unless the issuer's keys must be fetched first.
    pub fn try_verify(&self, token: &str) -> Verification {
        self.try_verify_with(token, || None)
    }

    pub(crate) fn try_verify_with(
        &self,
        token: &str,
        certificate: impl Fn() -> Option<ClientCertificate>,
    ) -> Verification {
        match self.try_service_key(token) {
            Some(Ok(service)) => Verification::Ready(Err(Self::record_rejection(
                service.failure(AuthError::UserRequired),
            ))),
            Some(Err(failure)) => Verification::Ready(Err(failure)),
            None => {
                let verifier = self.shared.verifier.load();
                verifier.verify(token, TokenUse::AccessToken, Scheme::Bearer, certificate)
            }
        }
    }

    /// Verifies a token that was sent with the scheme `DPoP`. The proof is checked afterwards.
    pub(crate) fn try_verify_bound(
        &self,
        token: &str,
        certificate: impl Fn() -> Option<ClientCertificate>,
    ) -> Verification {
        let verifier = self.shared.verifier.load();
        verifier.verify(token, TokenUse::AccessToken, Scheme::Dpop, certificate)
    }

    /// Checks the proof of a bound token. Returns the user, and a nonce for the response if the
    /// client should use another one. Failures are counted.
    pub(crate) fn check_proof(
        &self,
        user: Verified,
        request: &ProofRequest,
    ) -> Result<(Verified, Option<String>), AuthFailure> {
        let bound = user.bound_key().map(|key| BoundToken {
            token: user.token(),
            key,
        });
        let result = match bound {
            Some(bound) => self.shared.proofs.check(request, Some(bound)),
            // Unreachable: the scheme DPoP is accepted for bound tokens only.
            None => Err(ProofError::KeyMismatch),
        };
        match result {
            Ok(proof) => Ok((user, proof.next_nonce)),
            Err(error) => {
                let error = self.proof_failure(error);
                Err(Self::record_rejection(user.failure(error)))
            }
        }
    }

    /// Verifies a service key and returns the service.
    ///
    /// ```
    /// use bearward::{AuthFailure, Bearward};
    ///
    /// fn service_name(auth: &Bearward, key: &str) -> Result<String, AuthFailure> {
    ///     Ok(auth.verify_service_key(key)?.name().to_owned())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`AuthError::ServiceKey`] if the key is mistyped, unknown or expired. A text that is no
    /// service key, such as a user's token, is unknown. The rejection is counted in
    /// `bearward_service_keys_total`.
    ///
    /// # Security
    /// It does not check what the service may do: use [`Service::require_scope`].
    pub fn verify_service_key(&self, key: &str) -> Result<Service, AuthFailure> {
        self.try_service_key(key).unwrap_or_else(|| {
            let unknown = AuthError::ServiceKey(ServiceKeyProblem::Unknown);
            Err(Self::record_rejection(unknown.into()))
        })
    }

    /// Verifies a service key; `None` if the token is none or no service is configured. Rejections
    /// are counted.
    #[inline]
    pub(crate) fn try_service_key(&self, token: &str) -> Option<Result<Service, AuthFailure>> {
        let keys = self.shared.service_keys.as_ref()?;
        is_service_key(token).then(|| {
            let result = keys.verify(token, self.shared.clock.now());
            result.map_err(Self::record_rejection)
        })
    }

    fn proof_failure(&self, error: ProofError) -> AuthError {
        match error {
            ProofError::ReplayMemoryFull => AuthError::TooManyProofs {
                retry_after: self.proofs().config().max_age,
            },
            ProofError::Nonce => match self.dpop_nonce() {
                Some(nonce) => AuthError::ProofNonceRequired {
                    nonce: nonce.into(),
                },
                None => AuthError::InvalidProof(error),
            },
            error => AuthError::InvalidProof(error),
        }
    }

    /// Returns the names of the algorithms of proofs, for `dpop_signing_alg_values_supported` (RFC
    /// 9728 §2).
    pub fn dpop_algorithms(&self) -> Vec<&'static str> {
        let algorithms = self.proofs().config().accepted_algorithms().iter();
        algorithms.map(|algorithm| algorithm.name()).collect()
    }

    pub(crate) fn proofs(&self) -> &ProofVerifier {
        &self.shared.proofs
    }

    /// Returns a nonce for the next proof of a client, for the header field `DPoP-Nonce` of a
    /// response (RFC 9449 §8.2). `None` unless nonces are required
    /// ([`DpopConfig::nonce_keys`](crate::DpopConfig::nonce_keys)).
    ///
    /// ```
    /// use bearward::Bearward;
    ///
    /// fn header(auth: &Bearward) -> Option<(&'static str, String)> {
    ///     Some(("dpop-nonce", auth.dpop_nonce()?))
    /// }
    /// ```
    pub fn dpop_nonce(&self) -> Option<String> {
        self.shared.proofs.nonce()
    }

    /// Verifies a token from a request body, such as a Google ID token, against the issuers with
    /// [`TokenUse::IdToken`] only.
    ///
    /// # Errors
    /// Same as [`verify`](Self::verify). Tokens of other issuers are rejected with
    /// [`AuthError::UnknownIssuer`](crate::AuthError::UnknownIssuer).
    pub async fn verify_credential(&self, token: &str) -> Result<Verified, AuthFailure> {
        let verifier = self.shared.verifier.load();
        let verification = verifier.verify(token, TokenUse::IdToken, Scheme::Bearer, || None);
        verification.finish().await
    }

    /// Checks again whether the token of a verified user is accepted, for connections that outlive
    /// a request, such as `WebSocket`s and server-sent events.
    ///
    /// It fails once the token has expired or was revoked, its key or its issuer was removed, or the token does
    /// not pass another check of [`verify`](Self::verify). While the token is valid, the check costs
    /// as much as a cached verification.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use bearward::{Bearward, Verified};
    ///
    /// /// Returns the close code of a connection when its token is no longer accepted.
    /// async fn until_rejected(auth: Bearward, user: Verified) -> u16 {
    ///     loop {
    ///         tokio::time::sleep(Duration::from_secs(15)).await;
    ///         if let Err(failure) = auth.recheck(&user).await {
    ///             return 4000 + failure.status();
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// Same as [`verify`](Self::verify).
    /// [`AuthError::KeysUnavailable`](crate::AuthError::KeysUnavailable) says nothing about the token.
    ///
    /// # Security
    /// Requirements such as roles are not checked again: the token and so its claims are the same. The
    /// client certificate is that of the connection, which has been checked when `user` was verified.
    pub async fn recheck<C>(&self, user: &Verified<C>) -> Result<(), AuthFailure> {
        let certificate = user.client_certificate();
        let verification = match user.bound_key() {
            None => self.try_verify_with(user.token(), || certificate),
            // The proof of the request that opened the connection was checked.
            Some(_) => self.try_verify_bound(user.token(), || certificate),
        };
        verification.finish().await.map(drop)
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
        self.explain_with_certificate(token, None).await
    }

    /// Explains a token as [`explain`](Self::explain) does, for a client that authenticated with this
    /// certificate in mutual TLS.
    pub async fn explain_with_certificate(
        &self,
        token: &str,
        certificate: Option<ClientCertificate>,
    ) -> Explanation {
        let result = self.verify_with_certificate(token, certificate).await;
        self.explain_result(token, certificate, None, result)
    }

    /// Explains a token that is bound to a key, and its proof (RFC 9449), as
    /// [`explain`](Self::explain) does. `certificate` is that of the client, if there is one.
    ///
    /// ```
    /// use bearward::{Bearward, dpop::ProofRequest};
    ///
    /// async fn is_accepted(auth: &Bearward, token: &str, proof: &str) -> bool {
    ///     let request = ProofRequest::new([proof], "GET", "https://api.example.com/orders");
    ///     auth.explain_with_proof(token, None, &request).await.is_accepted()
    /// }
    /// ```
    ///
    /// # Security
    /// Same as [`explain`](Self::explain). The proof is remembered if it is accepted.
    pub async fn explain_with_proof(
        &self,
        token: &str,
        certificate: Option<ClientCertificate>,
        request: &ProofRequest,
    ) -> Explanation {
        let verification = self.try_verify_bound(token, || certificate);
        let result = verification.finish().await;
        let result = result.and_then(|user| self.check_proof(user, request));
        let result = result.map(|(user, _)| user);
        self.explain_result(token, certificate, Some(request), result)
    }

    fn explain_result(
        &self,
        token: &str,
        certificate: Option<ClientCertificate>,
        proof: Option<&ProofRequest>,
        result: Result<Verified, AuthFailure>,
    ) -> Explanation {
        let verifier = self.shared.verifier.load_full();
        let issuers = verifier
            .issuers()
            .iter()
            .map(|issuer| (&issuer.config, issuer.statuses().collect()))
            .collect();
        explain::explain(&explain::ExplainInput {
            token,
            max_bytes: verifier.max_bytes(),
            issuers,
            now: self.clock().now(),
            certificate,
            revocations: self.shared.revocations.checker().len(),
            proof,
            result,
        })
    }

    /// Returns the verifier in use.
    pub(crate) fn verifier(&self) -> Arc<Verifier> {
        self.shared.verifier.load_full()
    }

    /// Returns whether both are clones of the same value.
    #[cfg(feature = "actix")]
    pub(crate) fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Returns the revocation list: tokens that are rejected before they expire.
    ///
    /// ```
    /// use bearward::Bearward;
    ///
    /// fn session_ended(auth: &Bearward, issuer: &str, session: &str) {
    ///     if let Err(error) = auth.revocations().revoke_session(issuer, session) {
    ///         eprintln!("session not revoked: {error}");
    ///     }
    /// }
    /// ```
    pub fn revocations(&self) -> Revocations {
        self.shared.revocations.clone()
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
    pub fn issuers(&self) -> Vec<Issuer> {
        let verifier = self.shared.verifier.load();
        let issuers = verifier.issuers().iter();
        issuers.map(|issuer| issuer.config.clone()).collect()
    }

    /// Adds a trusted issuer at run time, for example for a new tenant.
    ///
    /// See [`replace_issuers`](Self::replace_issuers).
    ///
    /// # Errors
    /// Same as [`Builder::build`]. The issuers are unchanged then.
    pub fn add_issuer(&self, issuer: Issuer) -> Result<(), BuildError> {
        self.change_issuers(|issuers| issuers.push(issuer))
    }

    /// Replaces the trusted issuers at run time, for all clones.
    ///
    /// An issuer whose configuration is unchanged keeps its keys. Fetching the keys of a new one
    /// starts now and is not awaited. The token cache is emptied, so the next request with a token
    /// of a removed issuer is rejected. A verification that waits for keys at that moment still
    /// uses the previous list.
    ///
    /// ```
    /// use bearward::{Bearward, BuildError, Issuer};
    ///
    /// fn set_tenants(auth: &Bearward, tenants: Vec<Issuer>) -> Result<(), BuildError> {
    ///     auth.replace_issuers(tenants)
    /// }
    /// ```
    ///
    /// # Errors
    /// Same as [`Builder::build`]. The issuers are unchanged then.
    pub fn replace_issuers(
        &self,
        issuers: impl IntoIterator<Item = Issuer>,
    ) -> Result<(), BuildError> {
        self.change_issuers(|current| *current = issuers.into_iter().collect())
    }

    fn change_issuers(&self, change: impl FnOnce(&mut Vec<Issuer>)) -> Result<(), BuildError> {
        // Held until the verifier is stored, so that concurrent changes do not undo each other.
        let mut config = self
            .shared
            .config
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let current = self.shared.verifier.load();
        let mut issuers = self.issuers();
        change(&mut issuers);
        let verifier = config.build(&issuers, current.issuers())?;
        self.shared.verifier.store(Arc::new(verifier));
        self.update_schemes();
        Ok(())
    }

    /// Returns what is probably wrong with the configuration. [`Builder::build`] has logged it.
    ///
    /// ```
    /// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
    /// # use bearward::{Bearward, Issuer};
    /// # let issuer = Issuer::supabase("https://abc.supabase.co")?;
    /// let auth = Bearward::builder().issuer(issuer).build().await?;
    /// for warning in auth.warnings() {
    ///     eprintln!("warning: {warning}");
    /// }
    /// # Ok(()) }
    /// ```
    pub fn warnings(&self) -> &[BuildWarning] {
        &self.shared.warnings
    }
    /// Returns the state of every key set, in the order of [`issuers`](Self::issuers). An issuer has
    /// several with [`KeySource::Urls`](crate::KeySource::Urls), in the order of the URLs.
    pub fn key_set_statuses(&self) -> Vec<KeySetStatus> {
        let verifier = self.shared.verifier.load();
        let issuers = verifier.issuers().iter();
        issuers.flat_map(|issuer| issuer.statuses()).collect()
    }

    /// Waits until the first fetch of each issuer's keys has finished, successfully or not.
    ///
    /// Servers do not need it, because requests wait for missing keys; those that shall not start
    /// without keys use [`Builder::require_keys_at_start`]. It is meant for commands and tests.
    pub async fn wait_for_initial_fetch(&self) {
        let verifier = self.shared.verifier.load_full();
        for keys in verifier
            .issuers()
            .iter()
            .flat_map(|issuer| &issuer.key_sets)
        {
            keys.wait_for_initial_fetch().await;
        }
    }

    /// Updates the metrics that are not updated with each request: cache hits, the numbers of cached
    /// tokens and of revocations, and the state, age and size of the key sets.
    ///
    /// Call it before the metrics are scraped.
    pub fn publish_metrics(&self) {
        for issuer in self.shared.verifier.load().issuers() {
            issuer.metrics.publish();
            issuer.key_sets.iter().for_each(KeySet::publish_metrics);
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a gauge is a float, and the cache holds fewer than 2^52 tokens"
        )]
        {
            metrics::gauge!("bearward_cached_tokens").set(self.cached_tokens() as f64);
            let proofs = self.shared.proofs.remembered_proofs();
            metrics::gauge!("bearward_dpop_remembered_proofs").set(proofs as f64);
            let revocations = self.shared.revocations.checker().len();
            metrics::gauge!("bearward_revocations").set(revocations as f64);
        }
    }

    /// Returns whether every issuer of access tokens has keys that are loaded and not expired. Of
    /// several key sets one is enough.
    pub fn is_ready(&self) -> bool {
        let now = self.clock().monotonic();
        self.shared
            .verifier
            .load()
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
        self.shared.verifier.load().cached_tokens()
    }

    /// Returns the clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }
}

impl fmt::Debug for Bearward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearward")
            .field("verifier", &self.shared.verifier.load())
            .finish_non_exhaustive()
    }
}
