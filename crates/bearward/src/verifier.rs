//! The pipeline: verifies a bearer token and returns a [`Verified`] or the reason for its
//! rejection.

use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use smallvec::SmallVec;

use super::{
    claims::NoCustomClaims,
    claims_validation,
    client_certificate::ClientCertificate,
    clock::{Clock, Timestamp},
    confirmation::Confirmation,
    dpop::{DpopMode, Scheme},
    error::{AuthError, AuthFailure, VerificationStep},
    issuer::{Issuer, TokenUse},
    jws::{CompactJws, Header, UnverifiedJws},
    keys::{
        KeySet, KeySetStatus, PendingKeys, Snapshot, SnapshotGuard, Unavailable, UnknownKeyDecision,
    },
    logout_token::{self, LogoutClaims, LogoutToken},
    metrics::VerificationMetrics,
    revocation::{RevocationChecker, TokenRevocationState},
    strict_object::StrictObject,
    text::SanitizedText,
    token_cache::TokenCache,
    verified::{RawToken, Verified, VerifiedToken},
};

/// Verifies tokens of a fixed list of issuers. [`Bearward`](crate::Bearward) replaces it as a whole,
/// with its cache, when the list changes.
pub(crate) struct Verifier {
    issuers: Vec<Arc<TrustedIssuer>>,
    /// The index of the issuer that accepts each value of `iss`.
    by_iss: HashMap<Box<str>, usize, foldhash::fast::RandomState>,
    /// The indexes of the issuers with a placeholder.
    templates: Vec<usize>,
    cache: Option<TokenCache>,
    clock: Arc<dyn Clock>,
    max_bytes: usize,
    revocations: Arc<RevocationChecker>,
    observer: Option<TokenObserver>,
}

/// A function that is called for every accepted token that is not cached.
#[derive(Clone)]
pub(crate) struct TokenObserver(pub(crate) Arc<dyn Fn(&Verified) + Send + Sync>);

impl fmt::Debug for TokenObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenObserver")
    }
}

/// An issuer's configuration, keys and counters.
pub(crate) struct TrustedIssuer {
    pub(crate) config: Issuer,
    /// Never empty.
    pub(crate) key_sets: Vec<KeySet>,
    pub(crate) metrics: VerificationMetrics,
    /// The accepted values of `iss`, shared with the verified tokens.
    accepted_issuers: Vec<Arc<str>>,
}

/// The result of [`Bearward::try_verify`](crate::Bearward::try_verify): a result, or a future if
/// keys must be fetched first.
///
/// ```
/// use bearward::{AuthFailure, Bearward, Verification, Verified};
///
/// async fn verify(auth: &Bearward, token: &str) -> Result<Verified, AuthFailure> {
///     match auth.try_verify(token) {
///         Verification::Ready(result) => result,
///         Verification::Pending(pending) => pending.await,
///     }
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub enum Verification {
    /// The token was verified without waiting.
    Ready(Result<Verified, AuthFailure>),
    /// The issuer's keys must be fetched first. The future completes within the `wait_timeout` of
    /// [`JwksCacheConfig`](crate::JwksCacheConfig).
    Pending(PendingVerification),
}

/// A verification that waits for a key fetch. Dropping it does not cancel the shared fetch.
#[must_use = "futures do nothing unless awaited"]
pub struct PendingVerification(Pin<Box<dyn Future<Output = Result<Verified, AuthFailure>> + Send>>);

/// The next step after an attempt.
enum PipelineStep<T> {
    Done(Result<T, AuthFailure>),
    WaitForFetch(PendingFetches),
}

/// The result of checking everything but the claims of a token.
enum SignatureStep<'t, 'v> {
    Verified(SignedToken<'t, 'v>),
    WaitForFetch(PendingFetches),
}

/// A token whose signature has been verified. Its claims have not.
struct SignedToken<'t, 'v> {
    payload: StrictObject<'t>,
    iss: Cow<'t, str>,
    issuer: &'v TrustedIssuer,
    issuer_index: usize,
    /// The index of the key set that verified the token.
    key_set: usize,
    generation: u64,
    /// The `kid` of the key, if the token does not name it.
    unnamed_kid: Option<Box<str>>,
}

/// What a token is verified as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenKind {
    /// A token that identifies a caller.
    Identity(TokenUse),
    /// A logout token (OpenID Connect Back-Channel Logout 1.0).
    Logout,
}

/// The key fetches to wait for. The first that brings the key of the token ends the wait, so that an
/// unreachable host does not delay tokens of the others.
struct PendingFetches {
    fetches: Vec<PendingFetch>,
    /// The result of the key sets that are not fetched.
    failure: AuthError,
}

/// A fetch of one of the issuer's key sets, and the error to return if it fails or changes nothing.
/// `None` means [`AuthError::KeysUnavailable`].
struct PendingFetch {
    key_set: usize,
    keys: PendingKeys,
    on_failure: Option<AuthError>,
}

/// The result of trying the keys of one key set.
enum KeyTrial {
    /// The `kid` of the key, if the token does not name it.
    Verified(Option<Box<str>>),
    InvalidSignature,
    NoKey,
}

/// One attempt to verify a token.
struct VerificationAttempt<'t> {
    token: &'t str,
    kind: TokenKind,
    now: Timestamp,
    /// The outcome of the fetch that the token has waited for: the index of the key set and its
    /// keys. `None` on the first attempt.
    fetched: Option<FetchOutcome>,
}

type FetchOutcome = Result<(usize, Arc<Snapshot>), AuthError>;

impl Verifier {
    pub(crate) fn new(
        issuers: Vec<Arc<TrustedIssuer>>,
        cache_entries: usize,
        max_bytes: usize,
        clock: Arc<dyn Clock>,
        revocations: Arc<RevocationChecker>,
        observer: Option<TokenObserver>,
    ) -> Self {
        let is_template = |issuer: &TrustedIssuer| issuer.config.template.is_some();
        let fixed = issuers
            .iter()
            .enumerate()
            .filter(|(_, issuer)| !is_template(issuer));
        let by_iss = fixed.flat_map(|(index, issuer)| {
            issuer
                .config
                .accepted_issuers
                .iter()
                .map(move |iss| (iss.clone(), index))
        });
        Self {
            by_iss: by_iss.collect(),
            templates: (0..issuers.len())
                .filter(|&index| is_template(&issuers[index]))
                .collect(),
            cache: TokenCache::new(cache_entries),
            issuers,
            clock,
            max_bytes,
            revocations,
            observer,
        }
    }

    pub(crate) fn issuers(&self) -> &[Arc<TrustedIssuer>] {
        &self.issuers
    }

    /// The maximum length of a token, in bytes.
    pub(crate) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    pub(crate) fn cached_tokens(&self) -> usize {
        self.cache.as_ref().map_or(0, TokenCache::len)
    }

    /// Verifies a token of an issuer with this `token_use`, sent with this scheme. `certificate`
    /// returns the certificate of the sender; it is called unless the token is a bearer token, and if
    /// keys must be fetched. A proof of possession is not checked. Rejections are counted.
    pub(crate) fn verify(
        self: &Arc<Self>,
        token: &str,
        token_use: TokenUse,
        scheme: Scheme,
        certificate: impl Fn() -> Option<ClientCertificate>,
    ) -> Verification {
        let now = self.clock.now();
        if token.len() > self.max_bytes {
            return Verification::Ready(Self::reject(
                AuthError::TooLong {
                    limit: self.max_bytes,
                }
                .into(),
            ));
        }
        if let Some(result) = self.lookup_cache(token, token_use, now, scheme, &certificate) {
            return Verification::Ready(result);
        }
        match self.verify_uncached(&VerificationAttempt {
            token,
            kind: TokenKind::Identity(token_use),
            now,
            fetched: None,
        }) {
            PipelineStep::Done(result) => {
                Verification::Ready(self.finish(result, scheme, certificate))
            }
            PipelineStep::WaitForFetch(fetch) => {
                let (verifier, token, certificate) =
                    (Arc::clone(self), Box::from(token), certificate());
                Verification::Pending(PendingVerification(Box::pin(verifier.verify_after_fetch(
                    token,
                    token_use,
                    scheme,
                    certificate,
                    fetch,
                ))))
            }
        }
    }

    async fn verify_after_fetch(
        self: Arc<Self>,
        token: Box<str>,
        token_use: TokenUse,
        scheme: Scheme,
        certificate: Option<ClientCertificate>,
        pending: PendingFetches,
    ) -> Result<Verified, AuthFailure> {
        let result = pending
            .verify(|fetched| {
                self.verify_uncached(&VerificationAttempt {
                    token: &token,
                    kind: TokenKind::Identity(token_use),
                    now: self.clock.now(),
                    fetched: Some(fetched),
                })
            })
            .await;
        self.finish(result, scheme, || certificate)
    }

    /// Verifies a logout token of any issuer. Rejections are not counted.
    pub(crate) async fn verify_logout_token(
        &self,
        token: &str,
    ) -> Result<LogoutToken, AuthFailure> {
        if token.len() > self.max_bytes {
            let limit = self.max_bytes;
            return Err(AuthError::TooLong { limit }.into());
        }
        let verify = |fetched| {
            let attempt = VerificationAttempt {
                token,
                kind: TokenKind::Logout,
                now: self.clock.now(),
                fetched,
            };
            self.run(&attempt, |signed, _| {
                let config = &signed.issuer.config;
                let claims = LogoutClaims::validate(&signed.payload, config, attempt.now)?;
                let issuer = signed.issuer.canonical_issuer(&signed.iss);
                Ok(LogoutToken::new(claims, issuer, &config.name))
            })
        };
        match verify(None) {
            PipelineStep::Done(result) => result,
            PipelineStep::WaitForFetch(pending) => {
                pending.verify(|fetched| verify(Some(fetched))).await
            }
        }
    }

    /// Checks the possession of what the token is bound to, and counts the result.
    fn finish(
        &self,
        result: Result<Arc<VerifiedToken>, AuthFailure>,
        scheme: Scheme,
        certificate: impl FnOnce() -> Option<ClientCertificate>,
    ) -> Result<Verified, AuthFailure> {
        match result {
            Ok(token) => {
                if let Err(error) = token.check_possession(scheme, certificate) {
                    return Self::reject_token(&token, error);
                }
                if let Some(issuer) = self.issuers.get(token.issuer_index) {
                    issuer.metrics.record_accepted();
                }
                Ok(Verified {
                    token,
                    custom: NoCustomClaims,
                })
            }
            Err(failure) => Self::reject(failure),
        }
    }

    /// Counts a rejection.
    fn reject(failure: AuthFailure) -> Result<Verified, AuthFailure> {
        VerificationMetrics::record_rejected(&failure);
        Err(failure)
    }

    /// Counts the rejection of a token whose signature was verified.
    fn reject_token(token: &VerifiedToken, error: AuthError) -> Result<Verified, AuthFailure> {
        let name = Some(Arc::clone(&token.issuer_name));
        Self::reject(AuthFailure::new(error, name, token.kid.as_deref()))
    }

    /// Looks up a cached token and re-checks its times, the generation of its key, what it is bound
    /// to and the revocation list.
    fn lookup_cache(
        &self,
        token: &str,
        token_use: TokenUse,
        now: Timestamp,
        scheme: Scheme,
        certificate: impl FnOnce() -> Option<ClientCertificate>,
    ) -> Option<Result<Verified, AuthFailure>> {
        let cache = self.cache.as_ref()?;
        let key = cache.key_for(token);
        let verified = cache.get(key)?;
        let issuer = self.issuers.get(verified.issuer_index)?;
        let snapshot = issuer.key_sets.get(verified.key_set)?.load();
        if issuer.config.token_use != token_use || !snapshot.is_usable(self.clock.monotonic()) {
            return None;
        }
        if snapshot.generation() != verified.generation {
            cache.remove(key);
            return None;
        }
        let revalidated =
            claims_validation::revalidate_cached(&verified.claims, &issuer.config, now)
                .and_then(|()| self.revocations.check(&verified, now));
        if let Err(error) = revalidated {
            cache.remove(key);
            return Some(Self::reject_token(&verified, error));
        }
        // The token remains cached: its owner may send it with the certificate or the proof.
        if let Err(error) = verified.check_possession(scheme, certificate) {
            return Some(Self::reject_token(&verified, error));
        }
        issuer.metrics.record_cache_hit();
        Some(Ok(Verified {
            token: verified,
            custom: NoCustomClaims,
        }))
    }

    /// Runs the pipeline up to the first error or the first key that must be fetched.
    fn verify_uncached(
        &self,
        attempt: &VerificationAttempt<'_>,
    ) -> PipelineStep<Arc<VerifiedToken>> {
        self.run(attempt, |signed, header| {
            self.verify_claims(attempt, signed, header)
        })
    }

    /// Runs the pipeline. `finish` checks the claims of a token with a valid signature.
    fn run<T>(
        &self,
        attempt: &VerificationAttempt<'_>,
        finish: impl FnOnce(SignedToken<'_, '_>, &Header<'_>) -> Result<T, AuthError>,
    ) -> PipelineStep<T> {
        let decoded = CompactJws::decode(attempt.token);
        let jws = match decoded
            .as_ref()
            .map_err(Clone::clone)
            .and_then(CompactJws::parse_header)
        {
            Ok(jws) => jws,
            Err(error) => return PipelineStep::Done(Err(error.into())),
        };
        let mut issuer = None;
        let result = match self.verify_signature(attempt, &jws, &mut issuer) {
            Ok(SignatureStep::WaitForFetch(pending)) => return PipelineStep::WaitForFetch(pending),
            Ok(SignatureStep::Verified(signed)) => finish(signed, &jws.header),
            Err(error) => Err(error),
        };
        PipelineStep::Done(result.map_err(|error| {
            let kid = jws.header.kid.as_deref();
            AuthFailure::new(error, issuer, kid)
        }))
    }

    /// Returns the issuer that accepts an `iss`, and its index.
    fn issuer_for(&self, iss: &str) -> Option<(usize, &TrustedIssuer)> {
        let accepts = |&index: &usize| {
            self.issuers
                .get(index)
                .is_some_and(|issuer| issuer.config.accepts_iss(iss))
        };
        let index = self
            .by_iss
            .get(iss)
            .copied()
            .or_else(|| self.templates.iter().copied().find(accepts))?;
        Some((index, self.issuers.get(index)?))
    }

    /// Verifies the issuer, the header and the signature of a decoded token. `selected` receives the
    /// name of the issuer once it is known, so that errors can be attributed to it.
    fn verify_signature<'t>(
        &self,
        attempt: &VerificationAttempt<'_>,
        jws: &UnverifiedJws<'t>,
        selected: &mut Option<Arc<str>>,
    ) -> Result<SignatureStep<'t, '_>, AuthError> {
        let now = attempt.now;
        let payload = StrictObject::parse(jws.payload).map_err(AuthError::Payload)?;
        let iss = claims_validation::unverified_issuer(&payload)?;
        let (issuer_index, issuer) = self
            .issuer_for(&iss)
            .filter(|(_, issuer)| match attempt.kind {
                TokenKind::Identity(token_use) => issuer.config.token_use == token_use,
                TokenKind::Logout => true,
            })
            .ok_or_else(|| AuthError::UnknownIssuer {
                found: SanitizedText::new(&iss),
            })?;
        *selected = Some(Arc::clone(&issuer.config.name));
        match attempt.kind {
            TokenKind::Identity(_) => check_header(&jws.header, &issuer.config)?,
            TokenKind::Logout => {
                check_algorithm(&jws.header, &issuer.config)?;
                logout_token::check_typ(jws.header.typ.as_deref())?;
                // Before the signature, so that other tokens cause no fetch of keys.
                LogoutClaims::validate(&payload, &issuer.config, now)?;
            }
        }
        let monotonic = self.clock.monotonic();
        let mut verified_by = None;
        match &attempt.fetched {
            None => {
                let mut trials = SmallVec::<[_; 1]>::new();
                for (key_set, keys) in issuer.key_sets.iter().enumerate() {
                    let snapshot = keys.load();
                    let trial = try_keys(&snapshot, jws, monotonic);
                    if let KeyTrial::Verified(unnamed_kid) = trial {
                        verified_by = Some((key_set, snapshot.generation(), unnamed_kid));
                        break;
                    }
                    trials.push((trial, snapshot));
                }
                if verified_by.is_none() {
                    let expired = claims_validation::reject_if_unverified_exp_passed(
                        &payload,
                        &issuer.config,
                        now,
                    );
                    return issuer
                        .request_keys(&trials, jws, expired, monotonic)
                        .map(SignatureStep::WaitForFetch);
                }
            }
            Some(Ok((key_set, snapshot))) => match try_keys(snapshot, jws, monotonic) {
                KeyTrial::Verified(unnamed_kid) => {
                    verified_by = Some((*key_set, snapshot.generation(), unnamed_kid));
                }
                KeyTrial::InvalidSignature => return Err(AuthError::InvalidSignature),
                KeyTrial::NoKey => {
                    claims_validation::reject_if_unverified_exp_passed(
                        &payload,
                        &issuer.config,
                        now,
                    )?;
                }
            },
            Some(Err(error)) => return Err(error.clone()),
        }
        let (key_set, generation, unnamed_kid) = verified_by.ok_or(AuthError::UnknownKey)?;
        Ok(SignatureStep::Verified(SignedToken {
            payload,
            iss,
            issuer,
            issuer_index,
            key_set,
            generation,
            unnamed_kid,
        }))
    }

    /// Verifies the claims of a token and the revocation list, and caches the token.
    fn verify_claims(
        &self,
        attempt: &VerificationAttempt<'_>,
        signed: SignedToken<'_, '_>,
        header: &Header<'_>,
    ) -> Result<Arc<VerifiedToken>, AuthError> {
        let (issuer, now) = (signed.issuer, attempt.now);
        let claims = claims_validation::validate_claims(&signed.payload, &issuer.config, now)?;
        let mode = issuer.config.dpop;
        let confirmation = Confirmation::parse(&signed.payload, mode)?;
        let verified = Arc::new(VerifiedToken {
            claims,
            is_bearer: confirmation.is_none() && mode != DpopMode::Required,
            requires_proof: mode == DpopMode::Required,
            confirmation,
            raw: RawToken(attempt.token.into()),
            canonical_issuer: issuer.canonical_issuer(&signed.iss),
            issuer: issuer.issuer_alias(&signed.iss),
            issuer_name: Arc::clone(&issuer.config.name),
            issuer_index: signed.issuer_index,
            kid: header.kid.as_deref().map(Box::from),
            algorithm: header.algorithm,
            unnamed_kid: signed.unnamed_kid,
            key_set: signed.key_set,
            generation: signed.generation,
            revocation: TokenRevocationState::default(),
        });
        self.revocations.check(&verified, now)?;
        self.revocations.check_lifetime(&verified, now);
        if let Some(cache) = &self.cache {
            cache.insert(cache.key_for(attempt.token), Arc::clone(&verified));
        }
        if let Some(TokenObserver(observe)) = &self.observer {
            observe(&Verified {
                token: Arc::clone(&verified),
                custom: NoCustomClaims,
            });
        }
        Ok(verified)
    }
}

impl TrustedIssuer {
    pub(crate) fn new(config: Issuer, key_sets: Vec<KeySet>) -> Self {
        let accepted_issuers = config
            .accepted_issuers
            .iter()
            .map(|iss| Arc::from(iss.as_ref()))
            .collect();
        Self {
            metrics: VerificationMetrics::new(&config.name),
            accepted_issuers,
            config,
            key_sets,
        }
    }

    /// Requests fetches of the key sets that may contain the key of a token that no key verified.
    /// `trials` are the results of all key sets; `expired` is the check of the unverified `exp`.
    ///
    /// A token with an invalid signature under a known key may cause a fetch, because the issuer may
    /// have replaced the key under the same kid; the cooldown limits such fetches. Key sets without
    /// a matching key are then not asked, because a `kid` names one key; without `kid` those that
    /// have no usable keys are.
    fn request_keys(
        &self,
        trials: &[(KeyTrial, SnapshotGuard)],
        jws: &UnverifiedJws<'_>,
        expired: Result<(), AuthError>,
        now: Duration,
    ) -> Result<PendingFetches, AuthError> {
        let (kid, algorithm) = (jws.header.kid.as_deref(), jws.header.algorithm);
        let is_key_known = trials
            .iter()
            .any(|(trial, _)| matches!(trial, KeyTrial::InvalidSignature));
        let mut failure = if is_key_known {
            AuthError::InvalidSignature
        } else {
            AuthError::UnknownKey
        };
        // Expired tokens cause no fetch.
        if let Err(error) = expired {
            return Err(if is_key_known { failure } else { error });
        }
        let mut fetches = Vec::new();
        for (key_set, (keys, (trial, snapshot))) in self.key_sets.iter().zip(trials).enumerate() {
            if matches!(trial, KeyTrial::InvalidSignature) {
                fetches.extend(keys.bad_signature(snapshot, now).map(|keys| PendingFetch {
                    key_set,
                    keys,
                    on_failure: Some(AuthError::InvalidSignature),
                }));
            } else if !is_key_known || (kid.is_none() && !snapshot.is_usable(now)) {
                match keys.unknown_key(kid, algorithm, now) {
                    UnknownKeyDecision::Wait(keys) => fetches.push(PendingFetch {
                        key_set,
                        keys,
                        on_failure: None,
                    }),
                    UnknownKeyDecision::Unavailable(Unavailable { retry_after }) => {
                        failure = weightier(failure, AuthError::KeysUnavailable { retry_after });
                    }
                    UnknownKeyDecision::Reject => {}
                }
            }
        }
        if fetches.is_empty() {
            Err(failure)
        } else {
            Ok(PendingFetches { fetches, failure })
        }
    }

    /// Returns the state of each key set.
    pub(crate) fn statuses(&self) -> impl Iterator<Item = KeySetStatus> {
        self.key_sets.iter().map(KeySet::status)
    }

    /// Returns the first accepted `iss`. If the issuer has a placeholder, it is the token's `iss`,
    /// because the tenants of a template never share rows.
    fn canonical_issuer(&self, iss: &str) -> Arc<str> {
        if self.config.template.is_some() {
            self.issuer_alias(iss)
        } else {
            self.issuer_alias(self.config.iss())
        }
    }

    /// Returns the shared copy of an accepted `iss`.
    fn issuer_alias(&self, iss: &str) -> Arc<str> {
        self.accepted_issuers
            .iter()
            .find(|accepted| ***accepted == *iss)
            .cloned()
            .unwrap_or_else(|| Arc::from(iss))
    }
}

impl PendingFetches {
    /// Verifies a token again after each fetch, until a fetch brings its key or no fetch is left.
    async fn verify<T>(
        mut self,
        verify: impl Fn(FetchOutcome) -> PipelineStep<T>,
    ) -> Result<T, AuthFailure> {
        let verify = |fetched| match verify(fetched) {
            PipelineStep::Done(result) => result,
            // Unreachable: the second attempt does not request a fetch.
            PipelineStep::WaitForFetch(_) => Err(AuthError::UnknownKey.into()),
        };
        let mut failure = self.failure.clone();
        while let Some(fetched) = self.next().await {
            match verify(fetched) {
                Err(AuthFailure { error, .. }) if is_key_error(&error) => {
                    failure = weightier(failure, error);
                }
                result => return result,
            }
        }
        verify(Err(failure))
    }

    /// Waits for the next fetch that finishes. Returns `None` after the last.
    async fn next(&mut self) -> Option<FetchOutcome> {
        if self.fetches.is_empty() {
            return None;
        }
        let (index, result) = poll_fn(|context| {
            let finished = self
                .fetches
                .iter_mut()
                .enumerate()
                .find_map(
                    |(index, fetch)| match Pin::new(&mut fetch.keys).poll(context) {
                        Poll::Ready(result) => Some((index, result)),
                        Poll::Pending => None,
                    },
                );
            finished.map_or(Poll::Pending, Poll::Ready)
        })
        .await;
        let fetch = self.fetches.swap_remove(index);
        Some(match result {
            Ok(snapshot) => Ok((fetch.key_set, snapshot)),
            Err(Unavailable { retry_after }) => Err(fetch
                .on_failure
                .unwrap_or(AuthError::KeysUnavailable { retry_after })),
        })
    }
}

/// Tries the keys of a snapshot, at most three.
fn try_keys(snapshot: &Snapshot, jws: &UnverifiedJws<'_>, now: Duration) -> KeyTrial {
    let mut result = KeyTrial::NoKey;
    if snapshot.is_usable(now) {
        let algorithm = jws.header.algorithm;
        for key in snapshot.keys().find(jws.header.kid.as_deref(), algorithm) {
            if key.verifies(algorithm, jws.signed, jws.signature) {
                let unnamed_kid = match jws.header.kid {
                    Some(_) => None,
                    None => key.kid().map(Box::from),
                };
                return KeyTrial::Verified(unnamed_kid);
            }
            result = KeyTrial::InvalidSignature;
        }
    }
    result
}

/// Whether another key set could give another result.
fn is_key_error(error: &AuthError) -> bool {
    matches!(
        error.step(),
        VerificationStep::VerificationKey | VerificationStep::Signature
    )
}

/// Returns the error that describes two key sets: keys that are unavailable could verify the token,
/// and a signature that is invalid under a key says more than a missing key.
fn weightier(one: AuthError, other: AuthError) -> AuthError {
    match (one, other) {
        (
            AuthError::KeysUnavailable { retry_after: one },
            AuthError::KeysUnavailable { retry_after: other },
        ) => AuthError::KeysUnavailable {
            retry_after: one.min(other),
        },
        (unavailable @ AuthError::KeysUnavailable { .. }, _)
        | (_, unavailable @ AuthError::KeysUnavailable { .. }) => unavailable,
        (AuthError::UnknownKey, other) => other,
        (one, _) => one,
    }
}

impl Future for PendingVerification {
    type Output = Result<Verified, AuthFailure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl Verification {
    /// Returns the result, after waiting for the key fetch if there is one.
    ///
    /// # Errors
    /// The reason why the token is rejected.
    pub async fn finish(self) -> Result<Verified, AuthFailure> {
        match self {
            Self::Ready(result) => result,
            Self::Pending(pending) => pending.await,
        }
    }
}

impl fmt::Debug for PendingVerification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PendingVerification")
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self
            .issuers
            .iter()
            .map(|issuer| &issuer.config.name)
            .collect();
        f.debug_struct("Verifier")
            .field("issuers", &names)
            .finish_non_exhaustive()
    }
}

/// Checks `alg` against the issuer's configuration.
fn check_algorithm(header: &Header<'_>, issuer: &Issuer) -> Result<(), AuthError> {
    if issuer.algorithms.contains(&header.algorithm) {
        Ok(())
    } else {
        Err(AuthError::AlgorithmNotAllowed {
            found: SanitizedText::new(header.algorithm.name()),
            allowed: issuer.algorithms.clone(),
        })
    }
}

/// Checks `alg` and `typ` against the issuer's configuration.
fn check_header(header: &Header<'_>, issuer: &Issuer) -> Result<(), AuthError> {
    check_algorithm(header, issuer)?;
    if issuer.token_type.accepts(header.typ.as_deref()) {
        Ok(())
    } else {
        Err(AuthError::WrongType {
            found: header.typ.as_deref().map(SanitizedText::new),
            expected: issuer.token_type.describe(),
        })
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    use serde_json::json;

    use super::Verification;
    use crate::{Bearward, Issuer, KeySource, keys::SIGNATURE_CHECKS};

    fn encode(bytes: &[u8]) -> String {
        base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
    }

    /// Returns the number of signature checks for a token with an invalid signature.
    async fn signature_checks(keys: usize, kid: Option<&str>) -> usize {
        let jwks: Vec<_> = (0..keys)
            .map(|_| {
                let pair = Ed25519KeyPair::generate().unwrap();
                let x = encode(pair.public_key().as_ref());
                json!({ "kty": "OKP", "crv": "Ed25519", "kid": "same", "x": x })
            })
            .collect();
        let issuer = Issuer::new("https://idp.example", "api")
            .unwrap()
            .keys(KeySource::Fixed(json!({ "keys": jwks }).to_string()));
        let auth = Bearward::builder().issuer(issuer).build().await.unwrap();
        let header = json!({ "alg": "EdDSA", "kid": kid.unwrap_or_default() });
        let header = if kid.is_some() {
            header
        } else {
            json!({ "alg": "EdDSA" })
        };
        let claims = json!({ "iss": "https://idp.example", "aud": "api", "sub": "a", "exp": 4_000_000_000_u64 });
        let [header, claims] = [header, claims].map(|json| encode(json.to_string().as_bytes()));
        let token = format!("{header}.{claims}.{}", encode(&[1; 64]));
        SIGNATURE_CHECKS.set(0);
        let Verification::Ready(Err(failure)) = auth.try_verify(&token) else {
            panic!("the token must be rejected")
        };
        assert_eq!(failure.error.code(), "INVALID_SIGNATURE");
        SIGNATURE_CHECKS.get()
    }

    #[tokio::test]
    async fn an_invalid_token_costs_at_most_three_signature_checks() {
        for (keys, checks) in [(1, 1), (2, 2), (3, 3), (4, 3), (100, 3)] {
            assert_eq!(signature_checks(keys, Some("same")).await, checks, "{keys}");
            assert_eq!(signature_checks(keys, None).await, checks, "{keys}");
        }
    }
}
