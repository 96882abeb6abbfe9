//! Fixture of the rate limit tests: a server with low limits that trusts `X-Forwarded-For`, so that
//! one test client can have many addresses.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};

use crate::test_app::{ApiResponse, TestApp, send};

pub(super) struct Fixture {
    pub(super) app: TestApp,
}

/// Six requests per minute with a burst of three: one request every ten seconds.
const LIMITS: [(&str, &str); 5] = [
    ("rate_limit.per_address", "6"),
    ("rate_limit.per_user", "6"),
    ("rate_limit.burst", "3"),
    ("server.trusted_proxies", "127.0.0.1"),
    ("rate_limit.enabled", "true"),
];
pub(super) const BURST: usize = 3;
pub(super) const INTERVAL: Duration = Duration::from_secs(10);

impl Fixture {
    pub(super) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Applies `settings` after [`LIMITS`].
    pub(super) async fn start_with(settings: &[(&str, &str)]) -> Self {
        let settings: Vec<_> = LIMITS.iter().chain(settings).copied().collect();
        Self {
            app: TestApp::start_with(&settings).await,
        }
    }

    pub(super) fn advance(&self, by: Duration) {
        self.app.clock.advance(by);
    }

    pub(super) fn request(&self, method: Method, path: &str, from: &str) -> RequestBuilder {
        self.app
            .request(method, path)
            .header("x-forwarded-for", from)
    }

    /// Sends a GET request from an address with a token.
    pub(super) async fn get(&self, path: &str, from: &str, token: &str) -> ApiResponse {
        send(self.request(Method::GET, path, from).bearer_auth(token)).await
    }

    /// Returns a token of a new user.
    pub(super) fn new_user_token(&self) -> String {
        self.app.token(&uuid::Uuid::new_v4().to_string()).sign()
    }

    pub(super) fn invalid_token(&self) -> String {
        self.app.token("ada").tampered()
    }

    /// Uses up the quota of invalid tokens of an address.
    pub(super) async fn exhaust_invalid_tokens(&self, from: &str) {
        let invalid_token = self.invalid_token();
        for _ in 0..BURST {
            self.get("/protected", from, &invalid_token)
                .await
                .assert_error(401, "INVALID_SIGNATURE");
        }
        assert_eq!(
            self.get("/protected", from, &invalid_token).await.status,
            429
        );
    }
}

impl ApiResponse {
    /// Asserts a 429 response without a challenge and with this `Retry-After` in seconds.
    #[track_caller]
    pub(super) fn assert_rate_limited(&self, retry_after: u64) {
        self.assert_error(429, "RATE_LIMITED");
        assert_eq!(self.header("retry-after"), retry_after.to_string());
        assert_eq!(
            self.header("www-authenticate"),
            "",
            "no challenge, because another token would not help"
        );
    }

    /// Asserts a 429 response to an invalid token with this `Retry-After` in seconds.
    #[track_caller]
    pub(super) fn assert_invalid_token_limited(&self, retry_after: u64) {
        self.assert_error(429, "RATE_LIMITED");
        assert_eq!(self.header("retry-after"), retry_after.to_string());
        let challenge = self.header("www-authenticate");
        assert!(
            challenge.starts_with("Bearer realm=")
                && challenge.contains("error=\"invalid_token\"")
                && challenge.contains("resource_metadata="),
            "{challenge}"
        );
        assert!(
            !challenge.contains("error_description"),
            "the reason is not included: {challenge}"
        );
    }
}
