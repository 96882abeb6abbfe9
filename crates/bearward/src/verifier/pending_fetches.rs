//! Which keys are fetched for a token that no key verified, and how the token waits for them.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use super::{key_trial::KeyTrial, pipeline::PipelineStep, trusted_issuer::TrustedIssuer};
use crate::{
    error::{AuthError, AuthFailure, VerificationStep},
    jws::UnverifiedJws,
    keys::{PendingKeys, Snapshot, SnapshotGuard, Unavailable, UnknownKeyDecision},
};

/// The key fetches to wait for. The first that brings the key of the token ends the wait, so that an
/// unreachable host does not delay tokens of the others.
pub(super) struct PendingFetches {
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

/// The outcome of a fetch: the index of the key set and its keys.
pub(super) type FetchOutcome = Result<(usize, Arc<Snapshot>), AuthError>;

impl TrustedIssuer {
    /// Requests fetches of the key sets that may contain the key of a token that no key verified.
    /// `trials` are the results of all key sets; `expired` is the check of the unverified `exp`.
    ///
    /// A token with an invalid signature under a known key may cause a fetch, because the issuer may
    /// have replaced the key under the same kid; the cooldown limits such fetches. Key sets without
    /// a matching key are then not asked, because a `kid` names one key; without `kid` those that
    /// have no usable keys are.
    pub(super) fn request_keys(
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
}

impl PendingFetches {
    /// Verifies a token again after each fetch, until a fetch brings its key or no fetch is left.
    pub(super) async fn verify<T>(
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
