//! Fixture of the key cache tests: a mock identity provider, a verifier and a clock that the tests
//! advance.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bearward::{
    Algorithm, AuthFailure, Bearward, Builder, Issuer, JwksCacheConfig, KeySetStatus, Verified,
};
use bearward_testing::{Faults, MockIdp, TestClock, TokenBuilder};

/// Time after which a set with the default lifetime of ten minutes has been refreshed.
pub(crate) const PAST_REFRESH: Duration = Duration::from_secs(570);

/// The default `max_stale`: the age at which a set expires.
pub(crate) const MAX_STALE: Duration = Duration::from_secs(6 * 3600);

pub(crate) struct Fixture {
    pub(crate) idp: MockIdp,
    pub(crate) clock: TestClock,
    pub(crate) auth: Bearward,
}

/// Returns a duration in seconds.
pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Starts an identity provider with an Ed25519 key, which is the fastest, and a movable clock.
pub(crate) async fn idp() -> MockIdp {
    MockIdp::start_with(Algorithm::EdDSA)
        .await
        .with_movable_clock()
}

/// Returns the default configuration with long HTTP timeouts, so that a slow machine does not cause
/// failures.
pub(crate) fn cache_config() -> JwksCacheConfig {
    JwksCacheConfig::default()
        .connect_timeout(secs(60))
        .timeout(secs(60))
}

/// Returns a builder for an identity provider and its clock. Every algorithm is accepted.
pub(crate) fn builder(idp: &MockIdp) -> Builder {
    let issuer = idp.as_issuer().algorithms(Algorithm::ALL.iter().copied());
    builder_for(issuer.unwrap(), idp)
}

/// Returns a builder for `issuer` with the clock of the identity provider.
pub(crate) fn builder_for(issuer: Issuer, idp: &MockIdp) -> Builder {
    Bearward::builder()
        .issuer(issuer)
        .clock(Arc::new(idp.clock()))
        .jwks_cache(cache_config())
}

impl Fixture {
    /// Builds a verifier without waiting for its first fetch.
    pub(crate) async fn start_cold_with(idp: MockIdp, config: JwksCacheConfig) -> Self {
        let auth = builder(&idp).jwks_cache(config).build().await.unwrap();
        Self {
            clock: idp.clock(),
            idp,
            auth,
        }
    }

    pub(crate) async fn start_cold() -> Self {
        Self::start_cold_with(idp().await, cache_config()).await
    }

    /// Builds a verifier and waits for its first fetch.
    pub(crate) async fn start_with(idp: MockIdp, config: JwksCacheConfig) -> Self {
        let fixture = Self::start_cold_with(idp, config).await;
        fixture.wait_for_attempts(1).await;
        fixture
    }

    pub(crate) async fn start_with_idp(idp: MockIdp) -> Self {
        Self::start_with(idp, cache_config()).await
    }

    pub(crate) async fn start() -> Self {
        Self::start_with_idp(idp().await).await
    }

    /// Builds a verifier whose first fetch is in progress and held back. The set is empty.
    pub(crate) async fn start_with_pending_fetch() -> Self {
        let idp = idp().await;
        idp.set_faults(Faults::hang());
        let fixture = Self::start_cold_with(idp, cache_config()).await;
        fixture.wait_for_fetches(1).await;
        fixture
    }

    /// Returns a token valid for 24 hours, for tests that advance the clock by hours.
    pub(crate) fn token(&self) -> TokenBuilder {
        self.idp.token().expires_in(Duration::from_secs(24 * 3600))
    }

    pub(crate) async fn verify(&self, token: &str) -> Result<Verified, AuthFailure> {
        self.auth.verify(token).await
    }

    /// Returns the error code, or "OK" for an accepted token.
    pub(crate) async fn result_code(&self, token: &str) -> &'static str {
        result_code(&self.verify(token).await)
    }

    pub(crate) fn status(&self) -> KeySetStatus {
        self.auth.key_set_statuses().swap_remove(0)
    }

    pub(crate) fn state(&self) -> &'static str {
        self.status().state()
    }

    /// Returns the number of fetch attempts with this outcome.
    pub(crate) fn fetch_outcomes(&self, name: &str) -> u64 {
        count(&self.status().fetches, name)
    }

    /// Returns the number of requests for unknown keys with this outcome.
    pub(crate) fn unknown_key_outcomes(&self, name: &str) -> u64 {
        count(&self.status().unknown_keys, name)
    }

    /// Waits until `attempts` attempts have finished.
    pub(crate) async fn wait_for_attempts(&self, attempts: u64) {
        wait_until("an attempt finishes", || {
            self.status().attempts() >= attempts
        })
        .await;
    }

    /// Waits until the identity provider has received `times` JWKS requests.
    pub(crate) async fn wait_for_fetches(&self, times: usize) {
        wait_until("the identity provider receives a request", || {
            self.idp.fetches() >= times
        })
        .await;
    }

    /// Advances the clock and waits for the attempt that becomes due, if any. No attempt may be in
    /// progress.
    pub(crate) async fn advance(&self, by: Duration) {
        let before = self.status();
        let left = before.next_attempt_in.expect("no attempt is in progress");
        self.clock.advance(by);
        if left <= by {
            self.wait_for_attempts(before.attempts() + 1).await;
        }
    }

    /// Advances the clock to the next attempt and waits until it has finished.
    pub(crate) async fn refresh(&self) {
        let left = self
            .status()
            .next_attempt_in
            .expect("no attempt is in progress");
        self.advance(left).await;
    }
}

fn count(counts: &[(&'static str, u64)], name: &str) -> u64 {
    counts
        .iter()
        .find(|(found, _)| *found == name)
        .unwrap_or_else(|| panic!("no outcome {name}"))
        .1
}

/// Returns the error code, or "OK" for an accepted token.
pub(crate) fn result_code(result: &Result<Verified, AuthFailure>) -> &'static str {
    result
        .as_ref()
        .map_or_else(|failure| failure.error.code(), |_| "OK")
}

/// Polls until `condition` is true and yields to other tasks in between.
///
/// # Panics
/// After one minute of real time.
pub(crate) async fn wait_until(description: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(
            Instant::now() < deadline,
            "timed out waiting until {description}"
        );
        std::thread::yield_now();
        tokio::task::yield_now().await;
    }
}

/// Yields to other tasks for a while, before asserting that something has not happened.
pub(crate) async fn yield_to_tasks() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}
