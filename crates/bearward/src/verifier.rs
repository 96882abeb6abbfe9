//! The pipeline: verifies a bearer token and returns a [`Verified`] or the reason for its
//! rejection.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use super::{
    claims::NoCustomClaims,
    claims_validation,
    clock::{Clock, Timestamp},
    error::{AuthError, AuthFailure},
    issuer::{Issuer, TokenUse, TypRule},
    jws::{CompactJws, Header, UnverifiedJws},
    keys::{KeyLookup, KeySet, PendingKeys, Snapshot, Unavailable, UnknownKeyDecision},
    metrics::VerificationMetrics,
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
    cache: Option<TokenCache>,
    clock: Arc<dyn Clock>,
    max_bytes: usize,
}

/// An issuer's configuration, keys and counters.
pub(crate) struct TrustedIssuer {
    pub(crate) config: Issuer,
    pub(crate) keys: KeySet,
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
enum PipelineStep {
    Done(Result<Arc<VerifiedToken>, AuthFailure>),
    WaitForFetch(PendingFetch),
}

/// A key fetch to wait for, and the error to return if it fails or changes nothing. `None` means
/// [`AuthError::KeysUnavailable`].
struct PendingFetch {
    keys: PendingKeys,
    on_failure: Option<AuthError>,
}

/// One attempt to verify a token.
struct VerificationAttempt<'t> {
    token: &'t str,
    token_use: TokenUse,
    now: Timestamp,
    /// The outcome of the fetch that the token has waited for. `None` on the first attempt.
    fetched: Option<Result<Arc<Snapshot>, AuthError>>,
}

impl Verifier {
    pub(crate) fn new(
        issuers: Vec<Arc<TrustedIssuer>>,
        cache_entries: usize,
        max_bytes: usize,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let by_iss = issuers.iter().enumerate().flat_map(|(index, issuer)| {
            issuer
                .config
                .accepted_issuers
                .iter()
                .map(move |iss| (iss.clone(), index))
        });
        Self {
            by_iss: by_iss.collect(),
            cache: TokenCache::new(cache_entries),
            issuers,
            clock,
            max_bytes,
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

    /// Verifies a token of an issuer with this `token_use`. Rejections are counted.
    pub(crate) fn verify(self: &Arc<Self>, token: &str, token_use: TokenUse) -> Verification {
        let now = self.clock.now();
        if token.len() > self.max_bytes {
            return Verification::Ready(
                self.finish(Err(AuthError::TooLong {
                    limit: self.max_bytes,
                }
                .into())),
            );
        }
        if let Some(result) = self.lookup_cache(token, token_use, now) {
            return Verification::Ready(result);
        }
        match self.verify_uncached(&VerificationAttempt {
            token,
            token_use,
            now,
            fetched: None,
        }) {
            PipelineStep::Done(result) => Verification::Ready(self.finish(result)),
            PipelineStep::WaitForFetch(fetch) => {
                let (verifier, token) = (Arc::clone(self), Box::from(token));
                Verification::Pending(PendingVerification(Box::pin(
                    verifier.verify_after_fetch(token, token_use, fetch),
                )))
            }
        }
    }

    async fn verify_after_fetch(
        self: Arc<Self>,
        token: Box<str>,
        token_use: TokenUse,
        fetch: PendingFetch,
    ) -> Result<Verified, AuthFailure> {
        let unavailable = |Unavailable { retry_after }| AuthError::KeysUnavailable { retry_after };
        let fetched = fetch
            .keys
            .await
            .map_err(|error| fetch.on_failure.unwrap_or_else(|| unavailable(error)));
        match self.verify_uncached(&VerificationAttempt {
            token: &token,
            token_use,
            now: self.clock.now(),
            fetched: Some(fetched),
        }) {
            PipelineStep::Done(result) => self.finish(result),
            // Unreachable: the second attempt does not request a fetch.
            PipelineStep::WaitForFetch(_) => self.finish(Err(AuthError::UnknownKey.into())),
        }
    }

    fn finish(
        &self,
        result: Result<Arc<VerifiedToken>, AuthFailure>,
    ) -> Result<Verified, AuthFailure> {
        match result {
            Ok(token) => {
                if let Some(issuer) = self.issuers.get(token.issuer_index) {
                    issuer.metrics.record_accepted();
                }
                Ok(Verified {
                    token,
                    custom: NoCustomClaims,
                })
            }
            Err(failure) => {
                VerificationMetrics::record_rejected(&failure);
                Err(failure)
            }
        }
    }

    /// Looks up a cached token and re-checks its times and the generation of its key.
    fn lookup_cache(
        &self,
        token: &str,
        token_use: TokenUse,
        now: Timestamp,
    ) -> Option<Result<Verified, AuthFailure>> {
        let cache = self.cache.as_ref()?;
        let key = cache.key_for(token);
        let verified = cache.get(key)?;
        let issuer = self.issuers.get(verified.issuer_index)?;
        let snapshot = issuer.keys.load();
        if issuer.config.token_use != token_use || !snapshot.is_usable(self.clock.monotonic()) {
            return None;
        }
        if snapshot.generation() != verified.generation {
            cache.remove(key);
            return None;
        }
        if let Err(error) =
            claims_validation::revalidate_cached(&verified.claims, &issuer.config, now)
        {
            cache.remove(key);
            let name = Some(Arc::clone(&issuer.config.name));
            let failure = AuthFailure::new(error, name, verified.kid.as_deref());
            return Some(self.finish(Err(failure)));
        }
        issuer.metrics.record_cache_hit();
        Some(Ok(Verified {
            token: verified,
            custom: NoCustomClaims,
        }))
    }

    /// Runs the pipeline up to the first error or the first key that must be fetched.
    fn verify_uncached(&self, attempt: &VerificationAttempt<'_>) -> PipelineStep {
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
        self.verify_jws(attempt, &jws, &mut issuer)
            .unwrap_or_else(|error| {
                let kid = jws.header.kid.as_deref();
                PipelineStep::Done(Err(AuthFailure::new(error, issuer, kid)))
            })
    }

    /// Verifies a decoded token. `selected` receives the name of the issuer once it is known, so
    /// that errors can be attributed to it.
    fn verify_jws(
        &self,
        attempt: &VerificationAttempt<'_>,
        jws: &UnverifiedJws<'_>,
        selected: &mut Option<Arc<str>>,
    ) -> Result<PipelineStep, AuthError> {
        let now = attempt.now;
        let payload = StrictObject::parse(jws.payload).map_err(AuthError::Payload)?;
        let iss = claims_validation::unverified_issuer(&payload)?;
        let (issuer_index, issuer) = self
            .by_iss
            .get(iss.as_ref())
            .and_then(|&index| Some((index, self.issuers.get(index)?)))
            .filter(|(_, issuer)| issuer.config.token_use == attempt.token_use)
            .ok_or_else(|| AuthError::UnknownIssuer {
                found: SanitizedText::new(&iss),
            })?;
        *selected = Some(Arc::clone(&issuer.config.name));
        check_header(&jws.header, &issuer.config)?;
        let current;
        let snapshot = match &attempt.fetched {
            None => {
                current = issuer.keys.load();
                &*current
            }
            Some(Ok(snapshot)) => snapshot,
            Some(Err(error)) => return Err(error.clone()),
        };
        let (kid, algorithm) = (jws.header.kid.as_deref(), jws.header.algorithm);
        let monotonic = self.clock.monotonic();
        let key = match snapshot.keys().find(kid, algorithm) {
            KeyLookup::One(key) if snapshot.is_usable(monotonic) => key,
            KeyLookup::Ambiguous if snapshot.is_usable(monotonic) => {
                return Err(AuthError::AmbiguousKey);
            }
            _ => {
                claims_validation::reject_if_unverified_exp_passed(&payload, &issuer.config, now)?;
                if attempt.fetched.is_some() {
                    return Err(AuthError::UnknownKey);
                }
                return match issuer.keys.unknown_key(kid, algorithm, monotonic) {
                    UnknownKeyDecision::Wait(keys) => {
                        Ok(PipelineStep::WaitForFetch(PendingFetch {
                            keys,
                            on_failure: None,
                        }))
                    }
                    UnknownKeyDecision::Unavailable(Unavailable { retry_after }) => {
                        Err(AuthError::KeysUnavailable { retry_after })
                    }
                    UnknownKeyDecision::Reject => Err(AuthError::UnknownKey),
                };
            }
        };
        if !key.verifies(jws.signed, jws.signature) {
            // The issuer may have replaced the key under the same kid. The cooldown limits such
            // fetches, and expired tokens do not cause one.
            let may_fetch = attempt.fetched.is_none()
                && claims_validation::reject_if_unverified_exp_passed(
                    &payload,
                    &issuer.config,
                    now,
                )
                .is_ok();
            let keys = if may_fetch {
                issuer.keys.bad_signature(snapshot, monotonic)
            } else {
                None
            };
            return match keys {
                Some(keys) => Ok(PipelineStep::WaitForFetch(PendingFetch {
                    keys,
                    on_failure: Some(AuthError::InvalidSignature),
                })),
                None => Err(AuthError::InvalidSignature),
            };
        }
        let verified = Arc::new(VerifiedToken {
            claims: claims_validation::validate_claims(&payload, &issuer.config, now)?,
            raw: RawToken(attempt.token.into()),
            canonical_issuer: issuer.issuer_alias(issuer.config.iss()),
            issuer: issuer.issuer_alias(&iss),
            issuer_name: Arc::clone(&issuer.config.name),
            issuer_index,
            kid: kid.map(Box::from),
            algorithm,
            generation: snapshot.generation(),
        });
        if let Some(cache) = &self.cache {
            cache.insert(cache.key_for(attempt.token), Arc::clone(&verified));
        }
        Ok(PipelineStep::Done(Ok(verified)))
    }
}

impl TrustedIssuer {
    pub(crate) fn new(config: Issuer, keys: KeySet) -> Self {
        let accepted_issuers = config
            .accepted_issuers
            .iter()
            .map(|iss| Arc::from(iss.as_ref()))
            .collect();
        Self {
            metrics: VerificationMetrics::new(&config.name),
            accepted_issuers,
            config,
            keys,
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

/// Checks `alg` and `typ` against the issuer's configuration.
fn check_header(header: &Header<'_>, issuer: &Issuer) -> Result<(), AuthError> {
    if !issuer.algorithms.contains(&header.algorithm) {
        return Err(AuthError::AlgorithmNotAllowed {
            found: SanitizedText::new(header.algorithm.name()),
            allowed: issuer.algorithms.clone(),
        });
    }
    let typ = header.typ.as_deref().map(|typ| match typ.get(..12) {
        // RFC 7515 §4.1.9: the prefix may be omitted.
        Some(prefix) if prefix.eq_ignore_ascii_case("application/") => &typ[12..],
        _ => typ,
    });
    let (is_accepted, expected) = match (issuer.token_type, typ) {
        (TypRule::Jwt, None) => (true, ""),
        (TypRule::Jwt, Some(typ)) => (
            ["jwt", "at+jwt"]
                .iter()
                .any(|accepted| typ.eq_ignore_ascii_case(accepted)),
            "absent, JWT or at+jwt",
        ),
        (TypRule::AtJwt, typ) => (
            typ.is_some_and(|typ| typ.eq_ignore_ascii_case("at+jwt")),
            "at+jwt",
        ),
    };
    if is_accepted {
        Ok(())
    } else {
        Err(AuthError::WrongType {
            found: header.typ.as_deref().map(SanitizedText::new),
            expected,
        })
    }
}
