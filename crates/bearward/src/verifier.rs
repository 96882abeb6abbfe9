//! The pipeline: verifies a bearer token and returns a [`Verified`] or the reason for its
//! rejection.

mod cache_lookup;
mod key_trial;
mod pending_fetches;
mod pipeline;
mod trusted_issuer;
mod verification;

use std::{collections::HashMap, fmt, sync::Arc};

pub(crate) use self::trusted_issuer::TrustedIssuer;
pub use self::verification::{PendingVerification, Verification};
use self::{
    pending_fetches::PendingFetches,
    pipeline::{PipelineStep, SignedToken, TokenKind, VerificationAttempt},
};
use super::{
    claims::NoCustomClaims,
    claims_validation,
    client_certificate::ClientCertificate,
    clock::Clock,
    confirmation::Confirmation,
    dpop::{DpopMode, Scheme},
    error::{AuthError, AuthFailure},
    issuer::TokenUse,
    jws::Header,
    logout_token::{LogoutClaims, LogoutToken},
    metrics::VerificationMetrics,
    revocation::{RevocationChecker, TokenRevocationState},
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

    /// Runs the pipeline up to the first error or the first key that must be fetched.
    fn verify_uncached(
        &self,
        attempt: &VerificationAttempt<'_>,
    ) -> PipelineStep<Arc<VerifiedToken>> {
        self.run(attempt, |signed, header| {
            self.verify_claims(attempt, signed, header)
        })
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
