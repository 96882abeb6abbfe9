//! A server with low limits behind a proxy that is trusted, and so may be many clients.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};

use crate::world::{Answer, World, send};

pub(super) struct Stand(pub(super) World);

/// Six a minute, three at once: one every ten seconds.
const NUMBERS: [(&str, &str); 5] = [
    ("rate_limit.per_address", "6"),
    ("rate_limit.per_user", "6"),
    ("rate_limit.burst", "3"),
    ("server.trusted_proxies", "127.0.0.1"),
    ("rate_limit.enabled", "true"),
];
pub(super) const BURST: usize = 3;
pub(super) const INTERVAL: Duration = Duration::from_secs(10);

impl Stand {
    pub(super) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With these settings over the numbers above.
    pub(super) async fn with(settings: &[(&str, &str)]) -> Self {
        let settings: Vec<_> = NUMBERS.iter().chain(settings).copied().collect();
        Self(World::with(&settings).await)
    }

    pub(super) fn advance(&self, by: Duration) {
        self.0.clock.advance(by);
    }

    pub(super) fn request(&self, method: Method, path: &str, from: &str) -> RequestBuilder {
        self.0.request(method, path).header("x-forwarded-for", from)
    }

    /// A request to this path from this address, with this token.
    pub(super) async fn ask(&self, path: &str, from: &str, token: &str) -> Answer {
        send(self.request(Method::GET, path, from).bearer_auth(token)).await
    }

    /// A token of somebody new.
    pub(super) fn good(&self) -> String {
        self.0.token(&uuid::Uuid::new_v4().to_string()).sign()
    }

    pub(super) fn bad(&self) -> String {
        self.0.token("ada").tampered()
    }

    /// Has refused as many tokens of this address as it may.
    pub(super) async fn used_up(&self, from: &str) {
        let bad = self.bad();
        for _ in 0..BURST {
            self.ask("/protected", from, &bad)
                .await
                .refuses(401, "INVALID_SIGNATURE");
        }
        assert_eq!(self.ask("/protected", from, &bad).await.status, 429);
    }
}

impl Answer {
    /// A 429 of the contract, after so many seconds again.
    #[track_caller]
    pub(super) fn is_limited(&self, retry_after: u64) {
        self.refuses(429, "RATE_LIMITED");
        assert_eq!(self.header("retry-after"), retry_after.to_string());
        assert_eq!(
            self.header("www-authenticate"),
            "",
            "no other token would help"
        );
    }
}
