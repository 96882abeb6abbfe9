//! Looks up verified tokens in the cache.

use super::Verifier;
use crate::{
    claims::NoCustomClaims, claims_validation, client_certificate::ClientCertificate,
    clock::Timestamp, dpop::Scheme, error::AuthFailure, issuer::TokenUse, verified::Verified,
};

impl Verifier {
    /// Looks up a cached token and re-checks its times, the generation of its key, what it is bound
    /// to and the revocation list.
    pub(super) fn lookup_cache(
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
}
