//! The pipeline: a token in, evidence or one named reason out.

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
    error::{AuthError, AuthFailure, SanitizedText},
    issuer::{Issuer, TokenUse, TypRule},
    jws::{CompactJws, Header, UnverifiedJws},
    keys::{KeyLookup, KeySet, PendingKeys, Snapshot, Unavailable, UnknownKeyDecision},
    metrics::VerificationMetrics,
    strict_object::StrictObject,
    token_cache::TokenCache,
    verified::{Verified, VerifiedToken},
};

/// Verifies bearer tokens of a fixed list of issuers. Made by
/// [`Bearward::builder`](crate::Bearward::builder).
pub struct Verifier {
    trusted: Vec<TrustedIssuer>,
    by_spelling: HashMap<Box<str>, usize, foldhash::fast::RandomState>,
    cache: Option<TokenCache>,
    clock: Arc<dyn Clock>,
    max_bytes: usize,
}

/// One issuer: its profile, its keys, its counters.
pub(crate) struct TrustedIssuer {
    pub(crate) profile: Issuer,
    pub(crate) keys: KeySet,
    pub(crate) counters: VerificationMetrics,
    accepted_issuers: Vec<Arc<str>>,
}

/// What [`Verifier::verify`] gives: most often the answer itself, and a future only when a key must
/// be fetched first.
#[derive(Debug)]
#[must_use]
pub enum Verification {
    /// The answer; nothing was awaited.
    Ready(Result<Verified, AuthFailure>),
    /// The answer waits for the issuer's keys, `wait_timeout` at most.
    Pending(PendingVerification),
}

/// A verification that waits for a fetch. To drop it cancels nothing for others.
#[must_use = "futures do nothing unless awaited"]
pub struct PendingVerification(Pin<Box<dyn Future<Output = Result<Verified, AuthFailure>> + Send>>);

/// The next step of the pipeline.
enum PipelineStep {
    Done(Result<Arc<VerifiedToken>, AuthFailure>),
    Join(PendingFetch),
}

/// A fetch to wait for, and the verdict that stands if it fails; without one, the keys are
/// unavailable.
struct PendingFetch {
    flight: PendingKeys,
    verdict: Option<AuthError>,
}

/// One pass of a token through the pipeline.
struct VerificationAttempt<'t> {
    token: &'t str,
    usage: TokenUse,
    now: Timestamp,
    /// The outcome of the fetch that it has waited for: the set to look in for the last time, or
    /// the verdict.
    last: Option<Result<Arc<Snapshot>, AuthError>>,
}

impl Verifier {
    pub(crate) fn new(
        trusted: Vec<TrustedIssuer>,
        cache_entries: usize,
        max_bytes: usize,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let places = trusted.iter().enumerate();
        let spelled = places.flat_map(|(place, trusted)| {
            trusted
                .profile
                .accepted_issuers
                .iter()
                .map(move |iss| (iss.clone(), place))
        });
        Self {
            by_spelling: spelled.collect(),
            cache: TokenCache::new(cache_entries),
            trusted,
            clock,
            max_bytes,
        }
    }

    /// Verifies a bearer token. It does not check what the route asks for: that is
    /// [`Requirement`](super::verified::Requirement)'s.
    ///
    /// Ready at once unless the issuer's keys have to be fetched for it. A refusal has been counted
    /// when it is returned.
    pub fn verify(self: &Arc<Self>, token: &str) -> Verification {
        self.verify_as(token, TokenUse::AccessToken)
    }

    /// Verifies a credential that was handed over in a body, such as a Google ID token, against the
    /// issuers of [`TokenUse::IdToken`] alone.
    pub fn verify_credential(self: &Arc<Self>, token: &str) -> Verification {
        self.verify_as(token, TokenUse::IdToken)
    }

    pub(crate) fn trusted(&self) -> &[TrustedIssuer] {
        &self.trusted
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The longest token that is looked at, in bytes.
    pub(crate) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// How many verified tokens are remembered.
    pub fn cached(&self) -> usize {
        self.cache.as_ref().map_or(0, TokenCache::len)
    }

    fn verify_as(self: &Arc<Self>, token: &str, usage: TokenUse) -> Verification {
        let now = self.clock.now();
        if token.len() > self.max_bytes {
            return Verification::Ready(
                self.finish(Err(AuthError::TooLong {
                    limit: self.max_bytes,
                }
                .into())),
            );
        }
        if let Some(known) = self.lookup_cache(token, usage, now) {
            return Verification::Ready(known);
        }
        match self.judge(&VerificationAttempt {
            token,
            usage,
            now,
            last: None,
        }) {
            PipelineStep::Done(result) => Verification::Ready(self.finish(result)),
            PipelineStep::Join(joining) => {
                let (verifier, token) = (Arc::clone(self), Box::from(token));
                Verification::Pending(PendingVerification(Box::pin(
                    verifier.after(token, usage, joining),
                )))
            }
        }
    }

    async fn after(
        self: Arc<Self>,
        token: Box<str>,
        usage: TokenUse,
        joining: PendingFetch,
    ) -> Result<Verified, AuthFailure> {
        let unavailable = |Unavailable { retry_after }| AuthError::KeysUnavailable { retry_after };
        let last = joining
            .flight
            .await
            .map_err(|error| joining.verdict.unwrap_or_else(|| unavailable(error)));
        match self.judge(&VerificationAttempt {
            token: &token,
            usage,
            now: self.clock.now(),
            last: Some(last),
        }) {
            PipelineStep::Done(result) => self.finish(result),
            // A second wait is never asked for.
            PipelineStep::Join(_) => self.finish(Err(AuthError::UnknownKey.into())),
        }
    }

    fn finish(
        &self,
        result: Result<Arc<VerifiedToken>, AuthFailure>,
    ) -> Result<Verified, AuthFailure> {
        match result {
            Ok(evidence) => {
                if let Some(trusted) = self.trusted.get(evidence.place) {
                    trusted.counters.accepted();
                }
                Ok(Verified {
                    evidence,
                    own: NoCustomClaims,
                })
            }
            Err(refusal) => {
                VerificationMetrics::refused(&refusal);
                Err(refusal)
            }
        }
    }

    /// Rule 3: a hit is asked again for time and for its key.
    fn lookup_cache(
        &self,
        token: &str,
        usage: TokenUse,
        now: Timestamp,
    ) -> Option<Result<Verified, AuthFailure>> {
        let cache = self.cache.as_ref()?;
        let sent = cache.sent(token);
        let evidence = cache.find(sent)?;
        let trusted = self.trusted.get(evidence.place)?;
        let snapshot = trusted.keys.load();
        if trusted.profile.usage != usage || !snapshot.is_usable(self.clock.monotonic()) {
            return None;
        }
        if snapshot.generation() != evidence.generation {
            cache.forget(sent);
            return None;
        }
        if let Err(rejection) =
            claims_validation::revalidate_cached(&evidence.claims, &trusted.profile, now)
        {
            cache.forget(sent);
            let issuer = Some(Arc::clone(&trusted.profile.name));
            let kid = evidence.kid.as_deref().map(SanitizedText::of);
            return Some(self.finish(Err(AuthFailure {
                error: rejection,
                issuer,
                kid,
            })));
        }
        trusted.counters.hit();
        Some(Ok(Verified {
            evidence,
            own: NoCustomClaims,
        }))
    }

    /// Rules 4 to 10, up to the first refusal or the first key that has to be fetched.
    fn judge(&self, pass: &VerificationAttempt<'_>) -> PipelineStep {
        let mut issuer = None;
        let decoded = CompactJws::of(pass.token);
        let jws = match decoded
            .as_ref()
            .map_err(Clone::clone)
            .and_then(CompactJws::read)
        {
            Ok(jws) => jws,
            Err(rejection) => return PipelineStep::Done(Err(rejection.into())),
        };
        self.verify_jws(pass, &jws, &mut issuer)
            .unwrap_or_else(|rejection| {
                PipelineStep::Done(Err(AuthFailure {
                    error: rejection,
                    issuer,
                    kid: jws.header.kid.as_deref().map(SanitizedText::of),
                }))
            })
    }

    fn verify_jws(
        &self,
        pass: &VerificationAttempt<'_>,
        jws: &UnverifiedJws<'_>,
        chosen: &mut Option<Arc<str>>,
    ) -> Result<PipelineStep, AuthError> {
        let now = pass.now;
        let payload = StrictObject::parse(jws.payload).map_err(AuthError::Payload)?;
        let iss = claims_validation::unverified_issuer(&payload)?;
        let (place, trusted) = self
            .by_spelling
            .get(iss.as_ref())
            .and_then(|&place| Some((place, self.trusted.get(place)?)))
            .filter(|(_, trusted)| trusted.profile.usage == pass.usage)
            .ok_or_else(|| AuthError::UnknownIssuer {
                found: SanitizedText::of(&iss),
            })?;
        *chosen = Some(Arc::clone(&trusted.profile.name));
        accept_header(&jws.header, &trusted.profile)?;
        let current;
        let snapshot = match &pass.last {
            None => {
                current = trusted.keys.load();
                &*current
            }
            Some(Ok(snapshot)) => snapshot,
            Some(Err(verdict)) => return Err(verdict.clone()),
        };
        let (kid, algorithm) = (jws.header.kid.as_deref(), jws.header.algorithm);
        let monotonic = self.clock.monotonic();
        let key = match snapshot.keys().find(kid, algorithm) {
            KeyLookup::One(key) if snapshot.is_usable(monotonic) => key,
            KeyLookup::Ambiguous if snapshot.is_usable(monotonic) => {
                return Err(AuthError::AmbiguousKey);
            }
            _ => {
                claims_validation::gate(&payload, &trusted.profile, now)?;
                if pass.last.is_some() {
                    return Err(AuthError::UnknownKey);
                }
                return match trusted.keys.unknown_key(kid, algorithm, monotonic) {
                    UnknownKeyDecision::Wait(flight) => Ok(PipelineStep::Join(PendingFetch {
                        flight,
                        verdict: None,
                    })),
                    UnknownKeyDecision::Unavailable(Unavailable { retry_after }) => {
                        Err(AuthError::KeysUnavailable { retry_after })
                    }
                    UnknownKeyDecision::Reject => Err(AuthError::UnknownKey),
                };
            }
        };
        if !key.verifies(jws.signed, jws.signature) {
            // An issuer that replaced a key in place is found out once a cooldown; only a token
            // that could be good may ask.
            let may_ask = pass.last.is_none()
                && claims_validation::gate(&payload, &trusted.profile, now).is_ok();
            let flight = may_ask
                .then(|| trusted.keys.bad_signature(snapshot, monotonic))
                .flatten();
            let join = |flight| {
                PipelineStep::Join(PendingFetch {
                    flight,
                    verdict: Some(AuthError::InvalidSignature),
                })
            };
            return flight.map(join).ok_or(AuthError::InvalidSignature);
        }
        let claims = claims_validation::judge(&payload, &trusted.profile, now)?;
        let issuer = trusted.issuer_alias(&iss);
        let generation = snapshot.generation();
        let name = Arc::clone(&trusted.profile.name);
        let evidence = Arc::new(VerifiedToken {
            claims,
            issuer,
            name,
            place,
            kid: kid.map(Box::from),
            algorithm,
            generation,
        });
        if let Some(cache) = &self.cache {
            cache.remember(cache.sent(pass.token), Arc::clone(&evidence));
        }
        Ok(PipelineStep::Done(Ok(evidence)))
    }
}

impl TrustedIssuer {
    pub(crate) fn new(profile: Issuer, keys: KeySet) -> Self {
        let spellings = profile
            .accepted_issuers
            .iter()
            .map(|spelling| Arc::from(spelling.as_ref()))
            .collect();
        Self {
            counters: VerificationMetrics::of(&profile.name),
            accepted_issuers: spellings,
            profile,
            keys,
        }
    }

    /// The shared copy of the spelling that chose this issuer.
    fn issuer_alias(&self, iss: &str) -> Arc<str> {
        self.accepted_issuers
            .iter()
            .find(|spelling| ***spelling == *iss)
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
    /// Waits, where there is something to wait for.
    ///
    /// # Errors
    /// The one reason why the token is refused.
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
            .trusted
            .iter()
            .map(|trusted| &trusted.profile.name)
            .collect();
        f.debug_struct("Verifier")
            .field("issuers", &names)
            .finish_non_exhaustive()
    }
}

/// The rest of rule 5, which the issuer decides.
fn accept_header(header: &Header<'_>, profile: &Issuer) -> Result<(), AuthError> {
    if !profile.algorithms.contains(&header.algorithm) {
        return Err(AuthError::AlgorithmNotAllowed {
            found: SanitizedText::of(header.algorithm.name()),
            allowed: profile.algorithms.clone(),
        });
    }
    let typ = header.typ.as_deref().map(|typ| match typ.get(..12) {
        // RFC 7515 §4.1.9: the prefix may be left out.
        Some(prefix) if prefix.eq_ignore_ascii_case("application/") => &typ[12..],
        _ => typ,
    });
    let (accepted, expected) = match (profile.token_type, typ) {
        (TypRule::Jwt, None) => (true, ""),
        (TypRule::Jwt, Some(typ)) => (
            ["jwt", "at+jwt"]
                .iter()
                .any(|known| typ.eq_ignore_ascii_case(known)),
            "absent, JWT or at+jwt",
        ),
        (TypRule::AtJwt, typ) => (
            typ.is_some_and(|typ| typ.eq_ignore_ascii_case("at+jwt")),
            "at+jwt",
        ),
    };
    if accepted {
        Ok(())
    } else {
        Err(AuthError::WrongType {
            found: header.typ.as_deref().map(SanitizedText::of),
            expected,
        })
    }
}
