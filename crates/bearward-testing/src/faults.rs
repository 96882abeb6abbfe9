//! Faults of a JWKS endpoint.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Faults of the JWKS endpoint. The default has none: status 200, `Cache-Control: public,
/// max-age=600`, an `ETag`, and 304 for a matching `If-None-Match`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// The status instead of 200; combine a 3xx with [`redirect_to`](Self::redirect_to).
    pub status: Option<u16>,
    /// The `Location` header, for a 3xx status.
    pub redirect_to: Option<String>,
    /// The `Retry-After` header, in seconds.
    pub retry_after: Option<u64>,
    /// The response body instead of the JWKS, as HTML if it starts with `<` and else as JSON.
    pub body: Option<String>,
    /// The number of spaces before the JWKS, which stays valid JSON.
    pub padding_bytes: Option<usize>,
    /// The `Cache-Control` header instead of the default; empty sends none.
    pub cache_control: Option<String>,
    /// The `Age` header, in seconds.
    pub age: Option<u64>,
    /// Whether to send no `ETag`.
    pub no_etag: bool,
    /// The delay before the response, in milliseconds.
    pub delay_ms: Option<u64>,
    /// Whether to hold the response until [`MockIdp::release`](super::MockIdp::release) is called.
    pub hang: bool,
    /// Whether to close the connection in the middle of the body.
    pub cut: bool,
    /// The body of the discovery document instead of the regular one. It does not affect the JWKS,
    /// and `times` does not count it.
    pub discovery: Option<String>,
    /// The number of requests that the faults apply to; all requests if `None`.
    pub times: Option<usize>,
}

/// The body of an outage. It contains no keys: a client that ignores the status must not find any.
const ERROR_PAGE: &str = "<html><head><title>503 Service Unavailable</title></head><body><h1>Service Unavailable</h1></body></html>\n";

impl Faults {
    /// Responds with 503 and an HTML error page, like a proxy whose upstream is down.
    pub fn outage() -> Self {
        Self {
            status: Some(503),
            body: Some(ERROR_PAGE.to_owned()),
            cache_control: Some("no-store".to_owned()),
            no_etag: true,
            ..Self::default()
        }
    }

    /// Responds with `status`.
    pub fn status(status: u16) -> Self {
        Self {
            status: Some(status),
            ..Self::default()
        }
    }

    /// Responds with `body` instead of a JWKS.
    pub fn body(body: impl Into<String>) -> Self {
        Self {
            body: Some(body.into()),
            ..Self::default()
        }
    }

    /// Responds with a redirect (302) to `to`.
    pub fn redirect(to: impl Into<String>) -> Self {
        Self {
            status: Some(302),
            redirect_to: Some(to.into()),
            ..Self::default()
        }
    }

    /// Does not respond until released.
    pub fn hang() -> Self {
        Self {
            hang: true,
            ..Self::default()
        }
    }

    /// Responds with another `Cache-Control` header.
    pub fn cache_control(value: impl Into<String>) -> Self {
        Self {
            cache_control: Some(value.into()),
            ..Self::default()
        }
    }

    /// Responds with `document` to requests for the discovery document; the JWKS is unaffected.
    pub fn discovery(document: impl Into<String>) -> Self {
        Self {
            discovery: Some(document.into()),
            ..Self::default()
        }
    }

    /// Limits the faults to the next `times` requests for the JWKS.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }

    /// Returns the delay before each response.
    pub fn delay(&self) -> Option<Duration> {
        self.delay_ms.map(Duration::from_millis)
    }
}
