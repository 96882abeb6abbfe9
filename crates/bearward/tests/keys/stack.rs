//! The whole stack: a key endpoint over HTTP, a clock that the tests move, a verifier between them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use {
    Algorithm, AuthFailure, Bearward, Builder, Issuer, JwksCacheConfig, KeySetStatus, Verified,
};
use bearward_testing::{Faults, MockIdp, TestClock, TokenBuilder};

/// Past the refresh of a set that was granted ten minutes, as the identity provider grants unless
/// told otherwise.
pub(crate) const REFRESHED: Duration = Duration::from_secs(570);

/// Six hours: when a set that was fetched once has expired under the default policy.
pub(crate) const MAX_STALE: Duration = Duration::from_hours(6);

pub(crate) struct Stack {
    pub(crate) idp: MockIdp,
    pub(crate) clock: TestClock,
    pub(crate) auth: Bearward,
}

/// Seconds.
pub(crate) fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// An identity provider that signs Ed25519, which costs least, and keeps the time that the tests
/// move.
pub(crate) async fn idp() -> MockIdp {
    MockIdp::start_with(Algorithm::EdDSA)
        .await
        .with_movable_clock()
}

/// The defaults, but for the limits that are real time: a machine under load must not turn a slow
/// answer into a failed one.
pub(crate) fn policy() -> JwksCacheConfig {
    JwksCacheConfig::default()
        .connect_timeout(s(60))
        .timeout(s(60))
}

/// A verifier for that identity provider alone, by the same clock.
pub(crate) fn builder(idp: &MockIdp) -> Builder {
    builder_of(idp.as_issuer(), idp)
}

/// A verifier for this issuer alone, by the identity provider's clock.
pub(crate) fn builder_of(issuer: Issuer, idp: &MockIdp) -> Builder {
    Bearward::builder()
        .issuer(issuer)
        .clock(Arc::new(idp.clock()))
        .jwks_cache(policy())
}

impl Stack {
    /// Built; nothing was waited for.
    pub(crate) async fn cold_with(idp: MockIdp, policy: JwksCacheConfig) -> Self {
        let auth = builder(&idp).jwks_cache(policy).build().await.unwrap();
        Self {
            clock: idp.clock(),
            idp,
            auth,
        }
    }

    pub(crate) async fn cold() -> Self {
        Self::cold_with(idp().await, policy()).await
    }

    /// The first fetch has finished.
    pub(crate) async fn warm_with(idp: MockIdp, policy: JwksCacheConfig) -> Self {
        let stack = Self::cold_with(idp, policy).await;
        stack.attempted(1).await;
        stack
    }

    pub(crate) async fn warm_at(idp: MockIdp) -> Self {
        Self::warm_with(idp, policy()).await
    }

    pub(crate) async fn warm() -> Self {
        Self::warm_at(idp().await).await
    }

    /// Built while the first fetch is held back: the set is empty, and its attempt is under way.
    pub(crate) async fn hanging() -> Self {
        let idp = idp().await;
        idp.set_faults(Faults::hang());
        let stack = Self::cold_with(idp, policy()).await;
        stack.asked(1).await;
        stack
    }

    /// A token of the key in use that lives a day, for tests that move the clock by hours.
    pub(crate) fn token(&self) -> TokenBuilder {
        self.idp.token().expires_in(Duration::from_hours(24))
    }

    pub(crate) async fn verify(&self, token: &str) -> Result<Verified, AuthFailure> {
        self.auth.verify(token).await
    }

    /// The code of the refusal; "OK" for a token that is accepted.
    pub(crate) async fn code(&self, token: &str) -> &'static str {
        code(&self.verify(token).await)
    }

    pub(crate) fn status(&self) -> KeySetStatus {
        self.auth.key_set_statuses().swap_remove(0)
    }

    pub(crate) fn state(&self) -> &'static str {
        self.status().state()
    }

    /// Attempts that ended so.
    pub(crate) fn outcome(&self, name: &str) -> u64 {
        count(&self.status().fetches, name)
    }

    /// Requests for unknown keys that ended so.
    pub(crate) fn unknown(&self, name: &str) -> u64 {
        count(&self.status().unknown_keys, name)
    }

    /// Waits until that many attempts have finished.
    pub(crate) async fn attempted(&self, attempts: u64) {
        until("an attempt ends", || self.status().attempts() >= attempts).await;
    }

    /// Waits until the identity provider was asked for its keys that often.
    pub(crate) async fn asked(&self, times: usize) {
        until("the identity provider is asked", || {
            self.idp.fetches() >= times
        })
        .await;
    }

    /// Moves the clock, and where that makes an attempt due, waits until it has finished. No
    /// attempt may be under way.
    pub(crate) async fn advance(&self, by: Duration) {
        let before = self.status();
        let left = before.next_attempt_in.expect("no attempt is under way");
        self.clock.advance(by);
        if left <= by {
            self.attempted(before.attempts() + 1).await;
        }
    }

    /// Moves the clock to the next attempt and waits until it has finished.
    pub(crate) async fn refresh(&self) {
        let left = self
            .status()
            .next_attempt_in
            .expect("no attempt is under way");
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

/// The code of the refusal; "OK" for a token that is accepted.
pub(crate) fn code(result: &Result<Verified, AuthFailure>) -> &'static str {
    result
        .as_ref()
        .map_or_else(|refusal| refusal.error.code(), |_| "OK")
}

/// Looks again and again until `condition` holds, and lets the other tasks work in between. The
/// minute is real time: it only keeps a broken test from running for ever.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let guard = Instant::now() + Duration::from_mins(1);
    while !condition() {
        assert!(Instant::now() < guard, "waited a minute until {what}");
        std::thread::yield_now();
        tokio::task::yield_now().await;
    }
}

/// Lets the other tasks work for a while: for a look at what must not have happened.
pub(crate) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}
