//! A verifier that accepts `DPoP`, a clock that tests move, and the key of a client.

use std::sync::Arc;

use bearward::{
    Algorithm, AuthError, Bearward, Builder, Clock, DpopConfig, DpopMode, Issuer, KeySource,
    ProofError, RequestHead, Timestamp, Verified,
};
use bearward_testing::{KeyRing, ProofBuilder, ProofKey, TestClock, TokenBuilder};

pub const BASE: &str = "https://api.example.com";
/// The URL of the requests that [`Fixture::send`] sends.
pub const URL: &str = "https://api.example.com/orders";
const ISSUER: &str = "https://id.example.com";
/// A whole second, so that limits are exact to the millisecond.
const NOW: i64 = 1_800_000_000;

pub struct Fixture {
    pub auth: Bearward,
    pub clock: TestClock,
    pub key: ProofKey,
    ring: KeyRing,
}

impl Fixture {
    pub async fn new() -> Self {
        Self::with(DpopMode::Accepted, |config| config).await
    }

    pub async fn with(mode: DpopMode, config: impl FnOnce(DpopConfig) -> DpopConfig) -> Self {
        Self::with_builder(mode, config, |builder| builder).await
    }

    pub async fn with_builder(
        mode: DpopMode,
        config: impl FnOnce(DpopConfig) -> DpopConfig,
        options: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let clock = TestClock::at(Timestamp::from_unix(NOW));
        let ring = KeyRing::new(Algorithm::ES256);
        let issuer = Issuer::new(ISSUER, "authenticated")
            .unwrap()
            .keys(KeySource::Fixed(ring.jwks().to_string()))
            .dpop(mode);
        let dpop = config(DpopConfig::default().base_url(BASE.parse().unwrap()));
        let builder = Bearward::builder()
            .issuer(issuer)
            .dpop(dpop)
            .clock(Arc::new(clock.clone()));
        Self {
            auth: options(builder).build().await.unwrap(),
            clock,
            key: ProofKey::with_algorithm(Algorithm::ES256),
            ring,
        }
    }

    /// Returns a builder for an access token that is not bound.
    pub fn token(&self) -> TokenBuilder {
        TokenBuilder::new(ISSUER, self.ring.current().clone(), self.clock.now()).sub("ada")
    }

    /// Returns an access token that is bound to [`key`](Self::key).
    pub fn bound_token(&self) -> String {
        self.token().bound_to(&self.key).sign()
    }

    /// Returns a builder for a valid proof of `GET` [`URL`].
    pub fn proof(&self, token: &str) -> ProofBuilder {
        let proof = self.key.proof("GET", URL).for_token(token);
        proof.issued_at(self.clock.now())
    }

    /// Sends `GET /orders` with a bound token and the proof.
    pub async fn send(&self, token: &str, proof: &str) -> Result<Verified, AuthError> {
        self.authenticate(&[("authorization", &format!("DPoP {token}")), ("dpop", proof)])
            .await
    }

    /// Sends `GET /orders` with these header fields.
    pub async fn authenticate(&self, headers: &[(&str, &str)]) -> Result<Verified, AuthError> {
        let headers = headers.iter().map(|(name, value)| (*name, *value));
        let head = RequestHead::new("GET", "/orders", headers);
        let result = self.auth.authenticate(&head).await;
        result.map_err(|failure| failure.error)
    }
}

/// Asserts that a request was rejected because of its proof.
#[track_caller]
pub fn assert_rejected(result: Result<Verified, AuthError>, expected: ProofError, what: &str) {
    let error = result.expect_err(what);
    assert_eq!(error, AuthError::InvalidProof(expected), "{what}");
    assert_eq!((error.status(), error.code()), (401, "INVALID_DPOP_PROOF"));
}
