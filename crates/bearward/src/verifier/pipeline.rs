//! The steps from a compact token to a verified signature.

use std::{borrow::Cow, sync::Arc};

use smallvec::SmallVec;

use super::{
    Verifier,
    key_trial::{KeyTrial, try_keys},
    pending_fetches::{FetchOutcome, PendingFetches},
    trusted_issuer::TrustedIssuer,
};
use crate::{
    claims_validation,
    clock::Timestamp,
    error::{AuthError, AuthFailure},
    issuer::{Issuer, TokenUse},
    jws::{CompactJws, Header, UnverifiedJws},
    logout_token::{self, LogoutClaims},
    strict_object::StrictObject,
    text::SanitizedText,
};

/// The next step after an attempt.
pub(super) enum PipelineStep<T> {
    Done(Result<T, AuthFailure>),
    WaitForFetch(PendingFetches),
}

/// The result of checking everything but the claims of a token.
enum SignatureStep<'t, 'v> {
    Verified(SignedToken<'t, 'v>),
    WaitForFetch(PendingFetches),
}

/// A token whose signature has been verified. Its claims have not.
pub(super) struct SignedToken<'t, 'v> {
    pub(super) payload: StrictObject<'t>,
    pub(super) iss: Cow<'t, str>,
    pub(super) issuer: &'v TrustedIssuer,
    pub(super) issuer_index: usize,
    /// The index of the key set that verified the token.
    pub(super) key_set: usize,
    pub(super) generation: u64,
    /// The `kid` of the key, if the token does not name it.
    pub(super) unnamed_kid: Option<Box<str>>,
}

/// What a token is verified as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A token that identifies a caller.
    Identity(TokenUse),
    /// A logout token (OpenID Connect Back-Channel Logout 1.0).
    Logout,
}

/// One attempt to verify a token.
pub(super) struct VerificationAttempt<'t> {
    pub(super) token: &'t str,
    pub(super) kind: TokenKind,
    pub(super) now: Timestamp,
    /// The outcome of the fetch that the token has waited for: the index of the key set and its
    /// keys. `None` on the first attempt.
    pub(super) fetched: Option<FetchOutcome>,
}

impl Verifier {
    /// Runs the pipeline. `finish` checks the claims of a token with a valid signature.
    pub(super) fn run<T>(
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
