//! The checks of a proof (RFC 9449 §4.3).

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};

use super::{
    DpopConfig, DpopConfigError, KeyThumbprint, ProofError, ProofRequest, htu,
    nonce::Nonces,
    proof::{DecodedProof, UnverifiedProof},
    replay::ReplayMemory,
};
use crate::{
    clock::{Clock, Timestamp},
    keys::{IgnoreReason, parse_public_jwk},
};

/// Verifies proofs. It remembers those that it has accepted.
///
/// [`Bearward`](crate::Bearward) contains one. An authorization server uses its own for token
/// requests:
///
/// ```
/// use std::sync::Arc;
///
/// use bearward::{DpopConfig, SystemClock, dpop::{KeyThumbprint, ProofRequest, ProofVerifier}};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = ProofVerifier::new(DpopConfig::default(), Arc::new(SystemClock::new()))?;
///
/// /// Returns `cnf.jkt` of the new token.
/// fn bind(verifier: &ProofVerifier, proofs: &[&str]) -> Option<KeyThumbprint> {
///     let request = ProofRequest::new(proofs, "POST", "https://id.example.com/token");
///     verifier.verify(&request).ok()
/// }
/// # assert!(bind(&verifier, &[]).is_none());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct ProofVerifier {
    config: DpopConfig,
    nonces: Option<Nonces>,
    replays: ReplayMemory,
    clock: Arc<dyn Clock>,
}

/// A proof that passed all checks.
#[derive(Debug)]
pub(crate) struct AcceptedProof {
    /// The thumbprint of the key that signed it.
    pub(crate) key: KeyThumbprint,
    /// The nonce for the next proof, if the one of this proof ends soon.
    pub(crate) next_nonce: Option<String>,
}

/// The access token that a proof must belong to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BoundToken<'t> {
    pub(crate) token: &'t str,
    /// `cnf.jkt`.
    pub(crate) key: KeyThumbprint,
}

impl ProofVerifier {
    /// Creates a verifier that has not accepted any proof.
    ///
    /// # Errors
    /// [`DpopConfigError`] if a setting is out of range.
    pub fn new(config: DpopConfig, clock: Arc<dyn Clock>) -> Result<Self, DpopConfigError> {
        config.validate()?;
        Ok(Self::with_valid_config(config, clock))
    }

    /// Creates a verifier with the default settings that has not accepted any proof.
    pub fn with_defaults(clock: Arc<dyn Clock>) -> Self {
        Self::with_valid_config(DpopConfig::default(), clock)
    }

    fn with_valid_config(config: DpopConfig, clock: Arc<dyn Clock>) -> Self {
        Self {
            nonces: Nonces::new(config.nonce_keys.clone()),
            replays: ReplayMemory::new(config.replay_entries, config.max_age),
            config,
            clock,
        }
    }

    /// Verifies the proof of a token request and returns the thumbprint of its key, for `cnf.jkt` of
    /// the token.
    ///
    /// # Errors
    /// [`ProofError`] with the first check that failed. If it is [`ProofError::Nonce`], the response
    /// must have a `DPoP-Nonce` header field with [`nonce`](Self::nonce).
    pub fn verify(&self, request: &ProofRequest) -> Result<KeyThumbprint, ProofError> {
        self.check(request, None).map(|proof| proof.key)
    }

    /// Returns a nonce for the next proof; `None` unless nonces are required.
    pub fn nonce(&self) -> Option<String> {
        let nonces = self.nonces.as_ref()?;
        Some(nonces.create(self.clock.now()))
    }

    /// Returns the number of proofs that are remembered.
    pub fn remembered_proofs(&self) -> usize {
        self.replays.len()
    }

    pub(crate) fn config(&self) -> &DpopConfig {
        &self.config
    }

    /// Runs all checks. The cheap ones come first, and the proof is remembered last: a proof that
    /// is rejected costs little time and no memory.
    pub(crate) fn check(
        &self,
        request: &ProofRequest,
        token: Option<BoundToken<'_>>,
    ) -> Result<AcceptedProof, ProofError> {
        let now = self.clock.now();
        let decoded = DecodedProof::decode(request.proof.as_deref().map_err(|error| *error)?)?;
        let proof = decoded.parse()?;
        if !self.config.algorithms.contains(&proof.algorithm) {
            return Err(ProofError::Algorithm);
        }
        check_target(&proof, request)?;
        self.check_nonce(&proof, now)?;
        self.check_time(proof.issued_at, now)?;
        if let Some(token) = token {
            check_token_hash(&proof, token.token)?;
        }
        let key = check_key(&proof, token.map(|token| token.key))?;
        let id = self.replays.id(key, &proof.jti);
        if !request.has_accepted(id) {
            self.replays.insert(id, proof.issued_at, now)?;
            request.set_accepted(id);
        }
        let next_nonce = self
            .nonces
            .as_ref()
            .zip(proof.nonce.as_deref())
            .filter(|(nonces, nonce)| nonces.is_old(nonce, now))
            .map(|(nonces, _)| nonces.create(now));
        Ok(AcceptedProof { key, next_nonce })
    }

    fn check_nonce(&self, proof: &UnverifiedProof<'_>, now: Timestamp) -> Result<(), ProofError> {
        let Some(nonces) = &self.nonces else {
            return Ok(());
        };
        match &proof.nonce {
            Some(nonce) if nonces.is_valid(nonce, now) => Ok(()),
            _ => Err(ProofError::Nonce),
        }
    }

    fn check_time(&self, issued_at: Timestamp, now: Timestamp) -> Result<(), ProofError> {
        if now > issued_at.plus(self.config.max_age) {
            Err(ProofError::TooOld)
        } else if issued_at > now.plus(self.config.max_age) {
            Err(ProofError::InFuture)
        } else {
            Ok(())
        }
    }
}

/// Checks the key, that the token is bound to it, and the signature. The key is compared before
/// the signature is checked, so that only keys that the issuer has seen cost a signature check.
fn check_key(
    proof: &UnverifiedProof<'_>,
    expected: Option<KeyThumbprint>,
) -> Result<KeyThumbprint, ProofError> {
    let algorithm = proof.algorithm;
    let key = parse_public_jwk(&proof.jwk, &[algorithm]).map_err(|reason| match reason {
        IgnoreReason::NotListed => ProofError::Algorithm,
        reason => ProofError::Key(reason),
    })?;
    let thumbprint =
        KeyThumbprint::from_object(&proof.jwk).ok_or(ProofError::Key(IgnoreReason::Malformed))?;
    if expected.is_some_and(|expected| expected != thumbprint) {
        return Err(ProofError::KeyMismatch);
    }
    if key.verifies(algorithm, proof.jws.signed, proof.jws.signature) {
        Ok(thumbprint)
    } else {
        Err(ProofError::Signature)
    }
}

/// Compares the method, which is case-sensitive (RFC 9110 §9.1), and the URL.
fn check_target(proof: &UnverifiedProof<'_>, request: &ProofRequest) -> Result<(), ProofError> {
    if proof.htm != request.method {
        return Err(ProofError::Method);
    }
    let expected = request.url.as_deref().ok_or(ProofError::Url)?;
    // Most clients send the normal form.
    if proof.htu == expected || htu::normalize(&proof.htu).as_deref() == Some(expected) {
        Ok(())
    } else {
        Err(ProofError::Url)
    }
}

/// Returns the value of `ath` for an access token (RFC 9449 §4.2).
pub(crate) fn token_hash(token: &str) -> String {
    let hash = digest(&SHA256, token.as_bytes());
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(hash)
}

fn check_token_hash(proof: &UnverifiedProof<'_>, token: &str) -> Result<(), ProofError> {
    let found = proof.ath.as_deref().ok_or(ProofError::Claim("ath"))?;
    if found == token_hash(token) {
        Ok(())
    } else {
        Err(ProofError::TokenHash)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Sleep;

    /// The proof of RFC 9449 §4.1, and that of §7.1 with its access token.
    const TOKEN_PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
    const RESOURCE_PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
    const ACCESS_TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

    #[derive(Debug)]
    struct FixedClock(i64);

    impl Clock for FixedClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix(self.0)
        }

        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }

        fn sleep_until(&self, _deadline: Duration) -> Sleep {
            Box::pin(std::future::pending())
        }
    }

    fn verifier(now: i64) -> ProofVerifier {
        ProofVerifier::new(DpopConfig::default(), Arc::new(FixedClock(now))).unwrap()
    }

    #[test]
    fn the_token_request_of_rfc_9449_is_accepted() {
        let request = |url| ProofRequest::new([TOKEN_PROOF], "POST", url);
        let verifier = verifier(1_562_262_616);
        let key = verifier.verify(&request("https://server.example.com/token"));
        assert_eq!(key.unwrap().to_string(), THUMBPRINT);
        let other = verifier.verify(&request("https://server.example.com/token/"));
        assert_eq!(other, Err(ProofError::Url));
    }

    #[test]
    fn the_resource_request_of_rfc_9449_is_accepted() {
        let url = "https://resource.example.org/protectedresource";
        let request = || ProofRequest::new([RESOURCE_PROOF], "GET", url);
        let key = KeyThumbprint::parse(THUMBPRINT).unwrap();
        let bound = |token, key| Some(BoundToken { token, key });
        let verifier = verifier(1_562_262_618);
        let accepted = verifier.check(&request(), bound(ACCESS_TOKEN, key));
        assert_eq!(accepted.unwrap().key, key);
        for (token, key, error) in [
            ("another", key, ProofError::TokenHash),
            (
                ACCESS_TOKEN,
                KeyThumbprint::parse("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs").unwrap(),
                ProofError::KeyMismatch,
            ),
            (ACCESS_TOKEN, key, ProofError::Replayed),
        ] {
            let result = verifier.check(&request(), bound(token, key));
            assert_eq!(result.map(|proof| proof.key), Err(error));
        }
    }
}
